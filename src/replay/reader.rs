//! From bytes to what a line is.

use simd_json::{Buffers, Tape};

use super::fields::{self, Fields, Names};
use super::quick;
use super::record::{Fault, LINE, Line};

/// Parses lines, with the memory that the lines before have needed.
pub struct Reader {
    buffers: Buffers,
    nodes: Option<Tape<'static>>,
    fields: Fields,
    names: Names,
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
        }
    }
}

impl Reader {
    /// Parses `line`, whose strings are unescaped in place, and gives what it is to `then`.
    pub fn read<R>(
        &mut self,
        line: &mut [u8],
        then: impl FnOnce(Result<Line<'_, '_>, Fault>) -> R,
    ) -> R {
        if line.len() > LINE {
            return then(Err(Fault::TooLong));
        }
        let mut tape = self.nodes.take().unwrap_or_else(Tape::null).reset();
        let Self { buffers, fields, names, .. } = self;
        fields.clear();
        names.begin();
        let quick = simdutf8::basic::from_utf8(line).ok();
        if quick.and_then(|text| quick::fill(text, &mut tape.0, fields, names)).is_some() {
            let result = then(Line::of(&tape.0, fields));
            self.nodes = Some(tape.reset());
            return result;
        }
        let mut tape = tape.reset();
        // Iterative: how deep a line goes costs memory below that of its text, and no stack.
        let parsed = simd_json::fill_tape(line, buffers, &mut tape);
        let result = match parsed {
            Ok(()) => {
                fields.clear();
                fields::find(&tape.0, fields);
                then(Line::of(&tape.0, fields))
            }
            Err(_) => then(Err(Fault::NotJson)),
        };
        self.nodes = Some(tape.reset());
        result
    }
}
