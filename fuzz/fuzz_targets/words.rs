//! Ids, mirrored header values and member names have one reading or are refused.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfw::fuzz::words::words(data));
