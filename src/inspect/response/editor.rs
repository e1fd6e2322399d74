//! Decides for each byte of a message whether it passes, waits or goes.

use std::ops::Range;

use bytes::Bytes;

use super::super::id::IdReader;
use super::asked::Asked;
use super::held::{Held, Part};
use super::output::Output;
use super::{Judge, ReplyError, ReplyOptions};

/// What happens to the bytes that come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Pass,
    /// Undecided from this offset on.
    Hold(u64),
    /// Payload goes, framing around it stays.
    Drop,
    /// The message goes, with the lines that carry it.
    Void,
}

/// How far the kind of a message is known. Only where requests of the server are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has not been seen, or is a request that waits for its verdict.
    #[default]
    Unknown,
    /// It is a response whose result may yet turn out to ask for input.
    Result,
    /// It passes.
    Settled,
    /// It does not.
    Refused,
}

/// The state of one reply, from chunk to chunk.
#[derive(Debug)]
pub(super) struct Editor<J> {
    pub(super) judge: J,
    pub(super) options: ReplyOptions,
    /// Whether the root's brace waits for the end of the text: only where nothing else ends the message.
    pub(super) is_tail_held: bool,
    pub(super) mode: Mode,
    pub(super) held: Held,
    pub(super) has_root: bool,
    pub(super) is_batch: bool,
    /// Whether a message of the open batch was kept, so that the next one needs its comma.
    pub(super) has_kept_message: bool,

    // One message.
    pub(super) stage: Stage,
    pub(super) id: IdReader,
    pub(super) has_outcome: bool,
    /// The server's request that is being read: the message itself, or one of its input requests.
    pub(super) asked: Asked,
    pub(super) is_in_input: bool,
    /// The message is a request of the server, and this is its verdict.
    pub(super) verdict: Option<bool>,

    // Its result.
    /// The place of the list that is open.
    pub(super) list: u16,
    /// Whether an element of the open list was kept, so that the next one needs its comma.
    pub(super) has_kept: bool,
    /// Whether the open element's name is known, and whether its end must be, too.
    pub(super) is_named: bool,
    pub(super) awaits_end: bool,
    pub(super) name: String,
    pub(super) has_list: bool,
    pub(super) has_scope: bool,
    pub(super) has_result_type: bool,
    /// Whether it says that it is complete, as that of a task does that asks for input.
    pub(super) is_complete: bool,

    /// The handle that is being read, and what happened to the bytes before it.
    pub(super) handle: String,
    /// How long it may be.
    pub(super) handle_most: usize,
    pub(super) before_handle: Option<Mode>,

    pub(super) hidden: u64,
    pub(super) max_held: usize,
}

impl<J: Judge> Editor<J> {
    pub(super) fn new(judge: J, options: ReplyOptions, is_tail_held: bool) -> Self {
        let mut editor = Self {
            judge,
            asked: Asked::new(&options),
            options,
            is_tail_held,
            mode: Mode::Pass,
            held: Held::default(),
            has_root: false,
            is_batch: false,
            has_kept_message: false,
            stage: Stage::Unknown,
            id: IdReader::default(),
            has_outcome: false,
            is_in_input: false,
            verdict: None,
            list: 0,
            has_kept: false,
            is_named: false,
            awaits_end: false,
            name: String::new(),
            has_list: false,
            has_scope: false,
            has_result_type: false,
            is_complete: false,
            handle: String::new(),
            handle_most: 0,
            before_handle: None,
            hidden: 0,
            max_held: 0,
        };
        editor.reset();
        editor
    }

    /// Before the next text.
    pub(super) fn reset(&mut self) {
        self.held.clear();
        self.has_root = false;
        self.is_batch = false;
        self.has_kept_message = false;
        self.mode = if self.options.watch.requests { Mode::Hold(0) } else { Mode::Pass };
        self.begin_message();
    }

    /// Before the next message.
    pub(super) fn begin_message(&mut self) {
        self.has_outcome = false;
        self.has_list = false;
        self.has_scope = false;
        self.has_result_type = false;
        self.is_complete = false;
        if self.options.watch.requests {
            self.stage = Stage::Unknown;
            self.id = IdReader::default();
            self.asked.reset();
            self.is_in_input = false;
            self.verdict = None;
        } else {
            self.stage = Stage::Settled;
        }
    }

    /// Bytes held now.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Framing around payload, some of a line of data or of another. It waits with payload that waits, and goes only with a
    /// whole message.
    pub(super) fn framing(
        &mut self,
        piece: Framed<'_>,
        is_data: bool,
        at: u64,
        output: &mut Output<'_>,
    ) -> Result<(), ReplyError> {
        match self.mode {
            Mode::Hold(_) if is_data || !self.is_at_start(at) => {
                match piece {
                    Framed::Range(range) => self.held.push(Part::Framing, range),
                    Framed::Carried(bytes) => self.held.push_carried(Part::Framing, bytes),
                }
                if self.over(at) > 0 {
                    self.give_up(output)?;
                }
                Ok(())
            }
            Mode::Void if is_data => Ok(()),
            _ => {
                match piece {
                    Framed::Range(range) => output.pass(range),
                    Framed::Carried(bytes) => output.push(Bytes::copy_from_slice(bytes)),
                }
                Ok(())
            }
        }
    }

    /// Bytes that are held and may not be when the message has come to offset `at`.
    pub(super) fn over(&mut self, at: u64) -> u64 {
        let Mode::Hold(since) = self.mode else { return 0 };
        let payload = usize::try_from(at.saturating_sub(since)).unwrap_or(usize::MAX);
        let held = payload.saturating_add(self.held.framing());
        self.max_held = self.max_held.max(held.min(self.options.hold));
        held.saturating_sub(self.options.hold) as u64
    }

    /// Bytes that a message has and may not have when it has come to offset `at`.
    pub(super) fn too_large(&self, at: u64) -> u64 {
        self.options.message.map_or(0, |most| at.saturating_sub(most))
    }

    /// The chunk at hand is used up.
    pub(super) fn carry(&mut self, output: &Output<'_>) {
        self.held.carry(output);
    }

    /// What a message that has come to offset `at` has too much of.
    pub(super) fn excess(&mut self, at: u64) -> Option<ReplyError> {
        let (over, too_large) = (self.over(at), self.too_large(at));
        // The limit that was passed first is the one that counts, however many bytes came at once.
        if over > too_large && self.stage != Stage::Result {
            Some(ReplyError::HoldExceeded)
        } else {
            (too_large > 0).then_some(ReplyError::TooLarge)
        }
    }

    /// Too much is held. A result goes its way: should it turn out to ask for what it may not, it is cut off.
    pub(super) fn give_up(&mut self, output: &mut Output<'_>) -> Result<(), ReplyError> {
        if self.stage != Stage::Result {
            return Err(ReplyError::HoldExceeded);
        }
        self.stage = Stage::Settled;
        self.held.release(output);
        self.mode = Mode::Pass;
        Ok(())
    }

    /// The message is at its end: whoever judged its request is told of the id, too.
    pub(super) fn conclude(&mut self) -> Result<(), ReplyError> {
        match (self.verdict.take(), self.asked.method()) {
            (Some(passes), Some(method)) if !self.judge.asked(method, self.id.id(), passes) => {
                Err(ReplyError::RequestRefused)
            }
            _ => Ok(()),
        }
    }

    /// What stands in place of a message that went, if it was a result.
    pub(super) fn replacement(&mut self) -> Option<Vec<u8>> {
        let is_result = self.mode == Mode::Void && self.has_outcome;
        is_result.then(|| self.judge.refusal(self.id.id()))
    }

    /// Whether nothing of the message has come.
    fn is_at_start(&self, at: u64) -> bool {
        at == 0 && !self.has_root && self.held.len() == 0
    }
}

/// Bytes of framing.
#[derive(Clone, Debug)]
pub(super) enum Framed<'a> {
    /// In the chunk at hand.
    Range(Range<usize>),
    /// From chunks before.
    Carried(&'a [u8]),
}
