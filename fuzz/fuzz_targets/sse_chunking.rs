//! Chunk boundaries of an event stream have no meaning, and a naive reader agrees.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfw::fuzz::sse::chunking(data));
