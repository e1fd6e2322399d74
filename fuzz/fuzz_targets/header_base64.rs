#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfw::fuzz::header_base64::header_base64(data));
