//! A canonical resource URI has one reading.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfw::fuzz::uri::canonical(data));
