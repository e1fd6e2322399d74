//! From bytes to what a line is.

use simd_json::{Buffers, Node, Tape};

use super::fields::{self, Fields, Names};
use super::met::Callers;
use super::quick::Quick;
use super::record::{Draft, Fault, LINE, Line};
use super::runs::Runs;
use crate::observe::Clock;

/// Parses lines, with the memory that the lines before have needed.
pub struct Reader {
    buffers: Buffers,
    nodes: Option<Tape<'static>>,
    fields: Fields,
    names: Names,
    runs: Runs,
    callers: Callers,
    clock: Clock,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            buffers: Buffers::new(4096),
            nodes: None,
            fields: Fields::new(),
            names: Names::default(),
            runs: Runs::default(),
            callers: Callers::default(),
            clock: Clock::default(),
        }
    }
}

impl Reader {
    /// Parses `line`, whose strings are unescaped in place, and gives what it is to `then`.
    pub fn read<R>(
        &mut self,
        line: &mut [u8],
        then: impl FnOnce(Result<Line<'_, '_, '_>, Fault>) -> R,
    ) -> R {
        if line.len() > LINE {
            return then(Err(Fault::TooLong));
        }
        match self.quick(line, then) {
            Ok(result) => result,
            Err(then) => self.slow(line, then),
        }
    }

    /// Reads `line` where it is as mcpfw writes it; otherwise `then` comes back.
    fn quick<R, F>(&mut self, line: &[u8], then: F) -> Result<R, F>
    where
        F: FnOnce(Result<Line<'_, '_, '_>, Fault>) -> R,
    {
        let Ok(text) = simdutf8::basic::from_utf8(line) else { return Err(then) };
        let mut tape = self.nodes.take().unwrap_or_else(Tape::null).reset();
        let Self { fields, names, runs, callers, clock, .. } = self;
        fields.clear();
        names.begin();
        runs.begin();
        let mut draft = Draft::default();
        let quick = Quick::new(text, &mut draft, &mut tape.0, fields, callers);
        let result = match quick.fill(names, runs) {
            None => Err(then),
            Some(told) => {
                let read = draft.take_all(&tape.0, fields).and_then(|()| draft.finish(clock));
                if let (Ok(Line::Record(record)), Some(spans)) = (&read, told) {
                    callers.learn(text, record, &spans);
                }
                Ok(then(read))
            }
        };
        drop(draft);
        self.nodes = Some(tape.reset());
        result
    }

    /// Reads whatever JSON `line` is.
    fn slow<R>(
        &mut self,
        line: &mut [u8],
        then: impl FnOnce(Result<Line<'_, '_, '_>, Fault>) -> R,
    ) -> R {
        let mut tape = self.nodes.take().unwrap_or_else(Tape::null).reset();
        let Self { buffers, fields, clock, .. } = self;
        fields.clear();
        let mut draft = Draft::default();
        // Iterative: how deep a line goes costs memory below that of its text, and no stack.
        let parsed = simd_json::fill_tape(line, buffers, &mut tape);
        let is_object = parsed.is_ok() && matches!(tape.0.first(), Some(Node::Object { .. }));
        let result = if is_object {
            fields::find(&tape.0, fields);
            then(draft.take_all(&tape.0, fields).and_then(|()| draft.finish(clock)))
        } else {
            then(Err(Fault::NotJson))
        };
        drop(draft);
        self.nodes = Some(tape.reset());
        result
    }
}

#[cfg(test)]
mod tests;
