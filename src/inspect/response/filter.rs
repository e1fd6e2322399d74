//! Takes the framing off, runs the editor over what is inside, and puts both back together.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use super::editor::{Cut, Editor};
use super::output::Output;
use super::{FilterError, FilterOptions, Framing, Visibility};
use crate::wire::json::{Error, Tokenizer};
use crate::wire::sse::{Decoder, Field, Part};

/// Bytes of the longest known field name with its colon and space: `event: `, `retry: `.
const NAME: usize = 7;

/// Filters one reply. It does no input or output of its own.
#[derive(Debug)]
pub struct ListFilter<V> {
    framing: Framing,
    decoder: Decoder,
    tokenizer: Tokenizer,
    editor: Editor<V>,
    /// Offset in the message of the next byte of payload.
    at: u64,
    /// Whether a data line of this event ended since the last payload: that is an LF of the message, if more follows.
    /// Several are one: white space where JSON allows it, and an error where it does not.
    has_line_end: bool,
    /// A field name that a chunk cut: it waits until the field is known, so that nothing of another type of content leaves.
    name: SmallVec<[u8; NAME]>,
    failed: Option<FilterError>,
}

impl<V: Visibility> ListFilter<V> {
    /// A filter at the start of a reply.
    #[must_use]
    pub fn new(framing: Framing, visibility: V, options: FilterOptions) -> Self {
        // An event is complete only with its blank line, which waits for the end of the message anyway.
        let is_tail_held = framing == Framing::Json;
        Self {
            framing,
            decoder: Decoder::new(),
            tokenizer: Tokenizer::new(options.json, options.seed),
            editor: Editor::new(visibility, options, is_tail_held),
            at: 0,
            has_line_end: false,
            name: SmallVec::new(),
            failed: None,
        }
    }

    /// Reads the next chunk of the reply and appends to `out` what may go on.
    ///
    /// # Errors
    /// [`FilterError`] where the reply cannot be filtered; the same again from then on. What was put out before is
    /// neither a whole body nor a whole event that was in doubt.
    #[expect(clippy::needless_pass_by_value, reason = "what passes are slices that share it")]
    pub fn feed(&mut self, chunk: Bytes, out: &mut VecDeque<Bytes>) -> Result<(), FilterError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut output = Output::new(&chunk, out);
        let done = match self.framing {
            Framing::Json => self.payload(0..chunk.len(), &mut output),
            Framing::EventStream => self.events(&chunk, &mut output),
        };
        output.flush();
        self.failed = done.err();
        done
    }

    /// Says that the reply has ended, and appends to `out` what waited for that.
    ///
    /// # Errors
    /// As [`ListFilter::feed`]; also where the reply is not complete.
    pub fn finish(&mut self, out: &mut VecDeque<Bytes>) -> Result<(), FilterError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let chunk = Bytes::new();
        let mut output = Output::new(&chunk, out);
        let done = match self.framing {
            // No body at all holds no list: so servers answer what has no result, under any type.
            Framing::Json if self.tokenizer.offset() == 0 => Ok(()),
            Framing::Json => self.end_message(&mut output),
            Framing::EventStream if self.decoder.at_boundary() => Ok(()),
            Framing::EventStream => Err(FilterError::Truncated),
        };
        self.failed = done.err();
        done
    }

    /// Elements removed so far.
    #[must_use]
    pub fn hidden(&self) -> u64 {
        self.editor.hidden
    }

    /// Bytes held now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.editor.held() + self.name.len()
    }

    /// The most bytes that waited for one name.
    #[must_use]
    pub fn max_held(&self) -> usize {
        self.editor.max_held
    }

    fn events(&mut self, chunk: &Bytes, output: &mut Output<'_>) -> Result<(), FilterError> {
        let mut at = 0;
        let mut name = 0..0;
        while let Some(piece) = self.decoder.next(chunk, at) {
            at = piece.range.end;
            if piece.part == Part::Name {
                name = if name.is_empty() { piece.range } else { name.start..piece.range.end };
                if self.name.len() + name.len() > NAME {
                    return Err(FilterError::UnknownField);
                }
                continue;
            }
            if matches!(piece.part, Part::Unknown | Part::LineEnd(Field::Unknown)) {
                return Err(FilterError::UnknownField);
            }
            if let Part::Dispatch { has_data } = piece.part {
                self.dispatch(has_data, output)?;
            }
            let carried = std::mem::take(&mut self.name);
            if !carried.is_empty() {
                let copy = || output.push(Bytes::copy_from_slice(&carried));
                self.editor.framing(&carried, copy, self.at)?;
            }
            self.pass_framing(std::mem::replace(&mut name, 0..0), output)?;
            match piece.part {
                Part::Data => self.data(piece.range, output)?,
                Part::LineEnd(Field::Data) => {
                    self.has_line_end = true;
                    self.pass_framing(piece.range, output)?;
                }
                _ => self.pass_framing(piece.range, output)?,
            }
        }
        self.name.extend_from_slice(output.bytes(name));
        Ok(())
    }

    fn pass_framing(
        &mut self,
        range: Range<usize>,
        output: &mut Output<'_>,
    ) -> Result<(), FilterError> {
        let bytes = output.bytes(range.clone());
        self.editor.framing(bytes, || output.pass(range), self.at)
    }

    /// Payload of a data line. Lines are joined by an LF that no byte of the stream stands for.
    fn data(&mut self, range: Range<usize>, output: &mut Output<'_>) -> Result<(), FilterError> {
        if std::mem::take(&mut self.has_line_end) {
            self.scan(b"\n", range.start..range.start, output)?;
        }
        self.payload(range, output)
    }

    fn payload(&mut self, range: Range<usize>, output: &mut Output<'_>) -> Result<(), FilterError> {
        self.scan(output.bytes(range.clone()), range, output)
    }

    /// Runs the editor over `bytes`, which stand at `range` of the chunk.
    fn scan(
        &mut self,
        bytes: &[u8],
        range: Range<usize>,
        output: &mut Output<'_>,
    ) -> Result<(), FilterError> {
        let base = self.at;
        self.at += bytes.len() as u64;
        let (start, end) = (range.start, range.end);
        let mut cut = Cut { editor: &mut self.editor, output, start, end, base, from: base };
        match self.tokenizer.feed(bytes, &mut cut) {
            Ok(()) => cut.end_run(self.at),
            Err(error) => Err(self.why(error)),
        }
    }

    fn why(&mut self, error: Error<FilterError>) -> FilterError {
        match error {
            Error::Stop(error) => error,
            // Too much may have been held before the byte that is wrong.
            Error::Syntax(error) => match self.editor.check_hold(error.offset) {
                Ok(()) => FilterError::Syntax(error),
                Err(error) => error,
            },
        }
    }

    /// The blank line behind an event has come, and passes only if the event is good.
    fn dispatch(&mut self, has_data: bool, output: &mut Output<'_>) -> Result<(), FilterError> {
        self.has_line_end = false;
        // An event without data, or with nothing in it (2025-11-25 primes a stream so), is no message.
        if has_data && self.editor.has_root() {
            self.end_message(output)?;
        }
        self.tokenizer.reset();
        self.editor.reset();
        self.at = 0;
        Ok(())
    }

    fn end_message(&mut self, output: &mut Output<'_>) -> Result<(), FilterError> {
        let base = self.at;
        let mut cut = Cut { editor: &mut self.editor, output, start: 0, end: 0, base, from: base };
        match self.tokenizer.finish(&mut cut) {
            Ok(()) => {
                cut.release();
                Ok(())
            }
            Err(error) => Err(self.why(error)),
        }
    }
}
