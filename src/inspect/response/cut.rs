//! Moves the bytes of one run of payload to where the editor says: on, into the hold, or away.

use super::super::id::Run;
use super::editor::{Editor, Mode};
use super::held::Part;
use super::output::Output;
use super::{Judge, Listing, ReplyError, SealedKind};
use crate::wire::json::Kind;

/// Bytes of the id of a task, decoded: those of known servers have 36. Sealed, with the name of a tool, it still fits into a
/// header.
const TASK_BYTES: usize = 1 << 10;

/// The tokenizer's view of an [`Editor`] during one run of payload.
pub(super) struct Cut<'a, 'o, J> {
    pub(super) editor: &'a mut Editor<J>,
    pub(super) output: &'a mut Output<'o>,
    /// The bytes themselves, and their offset in the message.
    pub(super) run: Run<'a>,
    /// Where the run stands in the chunk.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Offset of the first byte whose fate has not been carried out.
    pub(super) from: u64,
}

impl<J: Judge> Cut<'_, '_, J> {
    /// Where offset `at` of the message stands in the chunk.
    fn place(&self, at: u64) -> usize {
        let ahead = usize::try_from(at.saturating_sub(self.run.base)).unwrap_or(usize::MAX);
        self.start.saturating_add(ahead).min(self.end)
    }

    /// Everything before `at` passes.
    pub(super) fn pass_until(&mut self, at: u64) {
        if at > self.from {
            self.output.pass(self.place(self.from)..self.place(at));
            self.from = at;
        }
    }

    /// What is held passes.
    pub(super) fn release(&mut self) {
        // Where something is held from before this run, all of the run so far is held, too, and comes behind it.
        self.editor.held.release(self.output);
        self.editor.mode = Mode::Pass;
    }

    /// What is held goes, with everything before `at`.
    pub(super) fn discard(&mut self, at: u64) {
        if let Mode::Hold(since) = self.editor.mode {
            self.pass_until(since);
        }
        self.editor.held.discard(self.output);
        self.from = at;
    }

    /// The message goes, with what is held of it.
    pub(super) fn void(&mut self, at: u64) {
        self.editor.held.clear();
        self.from = at;
        self.editor.mode = Mode::Void;
    }

    /// A handle begins at `at`: what stands for it takes its place. A string is never cut by framing.
    pub(super) fn begin_handle(&mut self, kind: SealedKind, at: u64) {
        let mode = self.editor.mode;
        match mode {
            Mode::Pass => self.pass_until(at),
            Mode::Hold(since) => {
                self.pass_until(since.min(at));
                let rest = self.place(self.from)..self.place(at);
                self.editor.held.push(Part::Payload, rest);
            }
            // It goes with what is around it.
            Mode::Drop | Mode::Void => return,
        }
        self.from = at;
        self.editor.handle.clear();
        self.editor.handle_most = match kind {
            SealedKind::State => self.editor.options.handle,
            SealedKind::Task => TASK_BYTES,
        };
        self.editor.before_handle = Some(mode);
        self.editor.mode = Mode::Drop;
    }

    /// A piece of it.
    pub(super) fn handle_text(&mut self, piece: &str) -> Result<(), ReplyError> {
        let editor = &mut *self.editor;
        if editor.before_handle.is_some() {
            if editor.handle.len() + piece.len() > editor.handle_most {
                return Err(ReplyError::HandleTooLong);
            }
            editor.handle.push_str(piece);
        }
        Ok(())
    }

    /// The handle ended before `at`.
    pub(super) fn end_handle(&mut self, kind: SealedKind, at: u64) {
        let editor = &mut *self.editor;
        let Some(mode) = editor.before_handle.take() else { return };
        // INVARIANT: a string has a JSON text.
        let written = serde_json::to_string(&editor.handle).unwrap_or_default();
        let inside = written.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let sealed = editor.judge.seal(kind, inside.unwrap_or_default());
        let text = sealed.map_or(written, |sealed| format!("\"{sealed}\""));
        self.from = at;
        self.editor.mode = mode;
        if mode == Mode::Pass {
            self.output.push(text.into());
        } else {
            self.editor.held.carry(self.output);
            self.editor.held.push_carried(Part::Payload, text.as_bytes());
        }
    }

    /// The run is used up, and the message has come to offset `end`.
    pub(super) fn end_run(&mut self, end: u64) -> Result<(), ReplyError> {
        self.check_hold(end)?;
        match self.editor.mode {
            Mode::Pass => self.pass_until(end),
            Mode::Hold(since) => {
                self.pass_until(since.min(end));
                let rest = self.place(self.from)..self.place(end);
                self.editor.held.push(Part::Payload, rest);
            }
            Mode::Drop | Mode::Void => {}
        }
        Ok(())
    }

    /// Checks what is held when the message has come to offset `at`.
    pub(super) fn check_hold(&mut self, at: u64) -> Result<(), ReplyError> {
        let (over, too_large) = (self.editor.over(at), self.editor.too_large(at));
        if over > too_large {
            self.editor.give_up(self.output)?;
        }
        if too_large > 0 { Err(ReplyError::TooLarge) } else { Ok(()) }
    }

    pub(super) fn begin_list(&mut self, kind: Kind, at: u64) -> Result<(), ReplyError> {
        match kind {
            Kind::Array => {
                self.editor.mode = Mode::Hold(at + 1);
                self.editor.has_kept = false;
                self.editor.has_list = true;
                Ok(())
            }
            // Go servers write a list without elements so.
            Kind::Null => Ok(()),
            _ => Err(ReplyError::ListNotArray),
        }
    }

    pub(super) fn begin_element(&mut self) {
        self.editor.is_named = false;
        self.editor.awaits_end = false;
    }

    /// A comma of the open list, or of the batch.
    pub(super) fn comma_of(&mut self, has_kept: bool, at: u64) -> Result<(), ReplyError> {
        self.check_hold(at)?;
        if !has_kept {
            // Nothing stands before it that it could part from what follows.
            self.discard(at + 1);
            self.editor.mode = Mode::Hold(at + 1);
        }
        Ok(())
    }

    pub(super) fn has_kept(&self) -> bool {
        self.editor.has_kept
    }

    /// The open element is called what `name` has; its name ended before `at`.
    pub(super) fn named(&mut self, at: u64) -> Result<(), ReplyError> {
        self.check_hold(at)?;
        let editor = &mut *self.editor;
        editor.is_named = true;
        let fate = match super::place::list_at(editor.list) {
            Some(list) => editor.judge.listed(list, &editor.name),
            None => return self.carried(at),
        };
        match fate {
            Listing::Shown => {
                editor.has_kept = true;
                self.release();
            }
            Listing::Hidden => {
                editor.hidden += 1;
                self.discard(at);
                self.editor.mode = Mode::Drop;
            }
            Listing::Undecided => editor.awaits_end = true,
        }
        Ok(())
    }

    /// The open element carries the resource that `name` has.
    fn carried(&mut self, at: u64) -> Result<(), ReplyError> {
        let editor = &mut *self.editor;
        if editor.judge.delivers(&editor.name) {
            // It may carry others.
            return Ok(());
        }
        match editor.mode {
            Mode::Hold(_) => {
                editor.hidden += 1;
                self.discard(at);
                self.editor.mode = Mode::Drop;
                Ok(())
            }
            Mode::Drop | Mode::Void => Ok(()),
            Mode::Pass => Err(ReplyError::ResourceDenied),
        }
    }

    /// The open element is text, a picture or a sound: it passes.
    pub(super) fn is_plain(&mut self) {
        if matches!(self.editor.mode, Mode::Hold(_)) {
            self.editor.has_kept = true;
            self.release();
        }
    }

    pub(super) fn end_element(&mut self, at: u64) -> Result<(), ReplyError> {
        self.check_hold(at)?;
        if super::place::list_at(self.editor.list).is_none() {
            self.is_plain();
        } else if !self.editor.is_named {
            return Err(ReplyError::ElementWithoutName);
        }
        if self.editor.mode == Mode::Drop {
            self.from = at;
        } else if self.editor.awaits_end {
            if self.editor.judge.element_passes() {
                self.editor.has_kept = true;
                self.release();
            } else {
                self.editor.hidden += 1;
                self.discard(at);
            }
        }
        self.editor.mode = Mode::Hold(at);
        Ok(())
    }
}
