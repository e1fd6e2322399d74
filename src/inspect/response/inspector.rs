//! Takes the framing off, runs the editor over what is inside, and puts both back together.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use super::super::id::Run;
use super::cut::Cut;
use super::editor::{Editor, Framed, Mode};
use super::output::Output;
use super::{Framing, Judge, ReplyError, ReplyOptions};
use crate::wire::json::{Error, Tokenizer};
use crate::wire::sse::{Decoder, Field, Part};

/// Bytes of the longest known field name with its colon and space: `event: `, `retry: `.
const NAME: usize = 7;

/// Inspects one reply. It does no input or output of its own.
#[derive(Debug)]
pub struct ReplyInspector<J> {
    framing: Framing,
    decoder: Decoder,
    tokenizer: Tokenizer,
    editor: Editor<J>,
    /// Offset in the message of the next byte of payload.
    at: u64,
    /// Whether a data line of this event ended since the last payload: that is an LF of the message, if more follows.
    /// Several are one: white space where JSON allows it, and an error where it does not.
    has_line_end: bool,
    /// A field name that a chunk cut: it waits until the field is known, so that nothing of another type of content leaves.
    name: SmallVec<[u8; NAME]>,
    /// The line that ended last was one of data: the LF of a CRLF belongs to it.
    was_data: bool,
    failed: Option<ReplyError>,
}

impl<J: Judge> ReplyInspector<J> {
    /// An inspector at the start of a reply.
    #[must_use]
    pub fn new(framing: Framing, judge: J, options: ReplyOptions) -> Self {
        // An event is complete only with its blank line, which waits for the end of the message anyway.
        let is_tail_held = framing == Framing::Json;
        Self {
            framing,
            decoder: Decoder::new(),
            tokenizer: Tokenizer::new(options.json, options.seed),
            editor: Editor::new(judge, options, is_tail_held),
            at: 0,
            has_line_end: false,
            name: SmallVec::new(),
            was_data: false,
            failed: None,
        }
    }

    /// Reads the next chunk of the reply and appends to `out` what may go on.
    ///
    /// # Errors
    /// [`ReplyError`] where the reply cannot be filtered; the same again from then on. What was put out before is
    /// neither a whole body nor a whole event that was in doubt.
    #[expect(clippy::needless_pass_by_value, reason = "what passes are slices that share it")]
    pub fn feed(&mut self, chunk: Bytes, out: &mut VecDeque<Bytes>) -> Result<(), ReplyError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut output = Output::new(&chunk, out);
        let done = match self.framing {
            Framing::Json => self.payload(0..chunk.len(), &mut output),
            Framing::EventStream => self.events(&chunk, &mut output),
        };
        self.editor.carry(&output);
        output.flush();
        self.failed = done.err();
        done
    }

    /// Says that the reply has ended, and appends to `out` what waited for that.
    ///
    /// # Errors
    /// As [`ReplyInspector::feed`]; also where the reply is not complete.
    pub fn finish(&mut self, out: &mut VecDeque<Bytes>) -> Result<(), ReplyError> {
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
            Framing::EventStream => Err(ReplyError::Truncated),
        };
        self.failed = done.err();
        done
    }

    /// Who judges.
    pub fn judge(&mut self) -> &mut J {
        &mut self.editor.judge
    }

    /// Elements of lists removed so far.
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

    fn events(&mut self, chunk: &Bytes, output: &mut Output<'_>) -> Result<(), ReplyError> {
        if self.decoder.at_boundary() {
            self.renew();
        }
        let mut at = 0;
        let mut name = 0..0;
        while let Some(piece) = self.decoder.next(chunk, at) {
            at = piece.range.end;
            let is_unknown = match piece.part {
                Part::Name => {
                    let begun = if name.is_empty() { piece.range.start } else { name.start };
                    name = begun..piece.range.end;
                    self.name.len() + name.len() > NAME
                }
                part => matches!(part, Part::Unknown | Part::LineEnd(Field::Unknown)),
            };
            let watch = self.editor.options.watch;
            if is_unknown && (watch.lists || watch.carried) {
                return Err(ReplyError::UnknownField);
            }
            if piece.part == Part::Name && !is_unknown {
                continue;
            }
            if let Part::Dispatch { has_data } = piece.part {
                self.dispatch(has_data, output)?;
            }
            let is_data = match piece.part {
                Part::Data | Part::LineEnd(Field::Data) => true,
                Part::LineFeed => self.was_data,
                _ => false,
            };
            self.was_data = is_data;
            let carried = std::mem::take(&mut self.name);
            if !carried.is_empty() {
                self.editor.framing(Framed::Carried(&carried), is_data, self.at, output)?;
            }
            let named = std::mem::replace(&mut name, 0..0);
            self.editor.framing(Framed::Range(named), is_data, self.at, output)?;
            match piece.part {
                Part::Name => {}
                Part::Data => self.data(piece.range, output)?,
                part => {
                    self.has_line_end |= part == Part::LineEnd(Field::Data);
                    self.editor.framing(Framed::Range(piece.range), is_data, self.at, output)?;
                }
            }
        }
        self.name.extend_from_slice(output.bytes(name));
        Ok(())
    }

    /// Payload of a data line. Lines are joined by an LF that no byte of the stream stands for.
    fn data(&mut self, range: Range<usize>, output: &mut Output<'_>) -> Result<(), ReplyError> {
        if std::mem::take(&mut self.has_line_end) {
            self.scan(b"\n", range.start..range.start, output)?;
        }
        self.payload(range, output)
    }

    fn payload(&mut self, range: Range<usize>, output: &mut Output<'_>) -> Result<(), ReplyError> {
        self.scan(output.bytes(range.clone()), range, output)
    }

    /// Runs the editor over `bytes`, which stand at `range` of the chunk.
    fn scan(
        &mut self,
        bytes: &[u8],
        range: Range<usize>,
        output: &mut Output<'_>,
    ) -> Result<(), ReplyError> {
        let run = Run { bytes, base: self.at };
        self.at += bytes.len() as u64;
        let (start, end, from) = (range.start, range.end, run.base);
        let mut cut = Cut { editor: &mut self.editor, output, run, start, end, from };
        match self.tokenizer.feed(bytes, &mut cut) {
            Ok(()) => {
                cut.editor.id.carry(run);
                cut.end_run(self.at)
            }
            Err(error) => Err(self.why(error)),
        }
    }

    fn why(&mut self, error: Error<ReplyError>) -> ReplyError {
        match error {
            Error::Stop(error) => error,
            // Too much may have been held before the byte that is wrong.
            Error::Syntax(error) => match self.editor.excess(error.offset) {
                None => ReplyError::Syntax(error),
                Some(excess) => excess,
            },
        }
    }

    /// The blank line behind an event has come, and passes only if the event is good.
    fn dispatch(&mut self, has_data: bool, output: &mut Output<'_>) -> Result<(), ReplyError> {
        self.has_line_end = false;
        // An event without data, or with nothing in it (2025-11-25 primes a stream so), is no message.
        if has_data && self.editor.has_root {
            self.end_message(output)?;
        } else {
            self.cut(output).release();
        }
        self.tokenizer.reset();
        self.editor.reset();
        self.at = 0;
        self.renew();
        Ok(())
    }

    /// Between two events: who judges may do so by other rules from here on.
    fn renew(&mut self) {
        if let Some(watch) = self.editor.judge.renew() {
            self.editor.options.watch = watch;
            self.editor.reset();
        }
    }

    /// A run of nothing where the message stands.
    fn cut<'a, 'o>(&'a mut self, output: &'a mut Output<'o>) -> Cut<'a, 'o, J> {
        let run = Run { bytes: &[], base: self.at };
        Cut { editor: &mut self.editor, output, run, start: 0, end: 0, from: self.at }
    }

    fn end_message(&mut self, output: &mut Output<'_>) -> Result<(), ReplyError> {
        let run = Run { bytes: &[], base: self.at };
        let mut cut =
            Cut { editor: &mut self.editor, output, run, start: 0, end: 0, from: self.at };
        if let Err(error) = self.tokenizer.finish(&mut cut) {
            return Err(self.why(error));
        }
        self.editor.conclude()?;
        if self.editor.mode != Mode::Void {
            self.cut(output).release();
        } else if let Some(error) = self.editor.replacement() {
            let (before, after): (&[u8], &[u8]) = match self.framing {
                Framing::Json => (b"", b""),
                Framing::EventStream => (b"data: ", b"\n"),
            };
            output.push([before, &error, after].concat().into());
        }
        Ok(())
    }
}
