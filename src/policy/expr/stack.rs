//! A stack of known size for the parser.
//!
//! The `cel` crate's parser is a recursive one that ANTLR generated: in a debug build one level of brackets takes
//! up to 250 KiB of stack, and the 2 MiB of a worker thread would overflow, which ends the process, at eight. So
//! an expression is read on a thread of its own. Nothing runs at the same time: the caller waits for it.

use std::thread;

use super::limits::PARSER_STACK;

/// Why something could not be read on its own stack.
#[derive(Debug)]
pub(super) enum Failure {
    /// The parser panicked.
    Panicked,
    /// The system gives no thread.
    NoThread,
}

/// Calls `read` on a stack of [`PARSER_STACK`] bytes.
pub(super) fn with_own_stack<T: Send>(read: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    thread::scope(|scope| {
        let reader = thread::Builder::new().name("expression".into()).stack_size(PARSER_STACK);
        match reader.spawn_scoped(scope, read) {
            Ok(reader) => reader.join().map_err(|_| Failure::Panicked),
            Err(_) => Err(Failure::NoThread),
        }
    })
}
