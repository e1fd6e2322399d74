//! Any cut of a JSON text gives the same events and the same verdict.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfw::fuzz::json::chunking(data));
