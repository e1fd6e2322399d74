//! The JSON tokenizer and `serde_json` agree, but for what is refused on purpose.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfw::fuzz::json::differential(data));
