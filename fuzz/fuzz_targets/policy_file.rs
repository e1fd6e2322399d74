//! Any text compiles or says why not, where; what compiles decides as the linear scan does.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfw::fuzz::policy_file::policy_file(data));
