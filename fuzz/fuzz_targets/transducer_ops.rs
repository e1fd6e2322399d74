#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfw::fuzz::transducer::ops(data));
