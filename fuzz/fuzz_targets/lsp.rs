//! Whatever an editor sends, a session answers what is a request, tells what is so, and can be shut down.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfw::fuzz::lsp::session(data));
