//! The tokenizer's state machine.

use super::{Error, Visit};

/// Bounds of one JSON text (T5). Each is inclusive: the value itself still passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Containers open at once. Default 64.
    pub depth: u16,
    /// Bytes of one member name, decoded. Default 1 024.
    pub key_bytes: u16,
    /// Bytes of one number token. Default 64.
    pub number_bytes: u16,
    /// Values in the whole text. Default 2^20.
    pub values: u32,
    /// Member names of all objects that are open at once. Default 4 096.
    pub open_keys: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 64, key_bytes: 1024, number_bytes: 64, values: 1 << 20, open_keys: 4096 }
    }
}

/// A push tokenizer for one JSON text.
#[derive(Debug)]
pub struct Tokenizer {
    limits: Limits,
}

impl Tokenizer {
    /// A tokenizer at the start of a text. `seed` keys the hash of member names: take it from a
    /// random source, so that nobody can choose names that collide.
    #[must_use]
    pub fn new(limits: Limits, seed: u64) -> Self {
        let _ = seed;
        Self { limits }
    }

    /// Scans the next bytes of the text.
    ///
    /// # Errors
    /// [`Error::Syntax`] where the bytes break a rule, [`Error::Stop`] where the visitor stops.
    /// Once an error was returned the tokenizer is spent and returns the same syntax error again.
    pub fn feed<V: Visit>(&mut self, input: &[u8], visitor: &mut V) -> Result<(), Error<V::Stop>> {
        let _ = (input, visitor, self.limits);
        Ok(())
    }

    /// Says that the text has ended.
    ///
    /// # Errors
    /// As [`Tokenizer::feed`]; also where the text is not complete.
    pub fn finish<V: Visit>(&mut self, visitor: &mut V) -> Result<(), Error<V::Stop>> {
        let _ = visitor;
        Ok(())
    }

    /// Whether the root value is complete (a root number is complete only after `finish`).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        false
    }

    /// How many bytes have been scanned.
    #[must_use]
    pub fn offset(&self) -> u64 {
        0
    }

    /// Back to the start of a text, keeping the buffers and limits.
    pub fn reset(&mut self) {}
}
