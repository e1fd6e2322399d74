//! No text and no values make reading or evaluating a condition fail, and what comes out was possible.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfw::fuzz::expr::condition(data));
