#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfw::fuzz::reply::filter(data));
