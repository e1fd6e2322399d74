//! What follows from what was read of a reply: a message, a result or one of its input requests passes, or it does not.

use bytes::Bytes;

use super::cut::Cut;
use super::editor::{Mode, Stage};
use super::visit::is_task;
use super::{Judge, ReplyError};
use crate::wire::json::Kind;
use crate::wire::mcp::Method;

/// Added where `cacheScope` is missing: what depends on the caller may not be shared (T55).
const PRIVATE_MEMBER: &[u8] = b",\"cacheScope\":\"private\"";

impl<J: Judge> Cut<'_, '_, J> {
    pub(super) fn begin_root(&mut self, kind: Kind, at: u64) -> Result<(), ReplyError> {
        let editor = &mut *self.editor;
        editor.has_root = true;
        match kind {
            Kind::Object => Ok(()),
            Kind::Array if editor.options.allows_batch => {
                editor.is_batch = true;
                if editor.options.watch.requests {
                    self.release();
                    self.editor.mode = Mode::Hold(at + 1);
                }
                Ok(())
            }
            _ => Err(ReplyError::NotAMessage),
        }
    }

    /// A result or an error begins. What asks for too much in it is replaced, if it `may_wait` for that.
    pub(super) fn begin_outcome(&mut self, may_wait: bool) {
        let editor = &mut *self.editor;
        if editor.stage != Stage::Unknown {
            return;
        }
        if may_wait && !editor.is_batch {
            editor.stage = Stage::Result;
        } else {
            self.settle();
        }
    }

    /// The message passes, if nothing has been said about it.
    pub(super) fn settle(&mut self) {
        let editor = &mut *self.editor;
        if matches!(editor.stage, Stage::Settled | Stage::Refused) {
            return;
        }
        editor.stage = Stage::Settled;
        if matches!(editor.mode, Mode::Hold(_)) {
            editor.has_kept_message = true;
            self.release();
        }
    }

    pub(super) fn end_method(&mut self, at: u64) -> Result<(), ReplyError> {
        let editor = &mut *self.editor;
        editor.asked.end_method();
        let is_notice =
            editor.asked.method().is_some_and(|method| match Method::from_wire(method) {
                Method::Other => method.starts_with("notifications/"),
                known => known.info().is_notification,
            });
        if editor.is_in_input {
            return Ok(());
        }
        if !is_notice {
            return self.try_judge(at);
        }
        self.check_hold(at)?;
        if is_task(self.editor.asked.method()) && self.editor.asked.is_complete() {
            // What it carries has passed by unseen.
            return Err(ReplyError::HoldExceeded);
        }
        if !(is_task(self.editor.asked.method()) && self.editor.options.is_modern) {
            self.settle();
        }
        Ok(())
    }

    /// Judges the message, where it is a request of the server and enough of it is known.
    pub(super) fn try_judge(&mut self, at: u64) -> Result<(), ReplyError> {
        let editor = &mut *self.editor;
        let judge = &editor.judge;
        if editor.is_in_input
            || editor.stage != Stage::Unknown
            || !editor.asked.has_method()
            || !editor.asked.is_decidable(|method| judge.needs(method))
        {
            return Ok(());
        }
        self.check_hold(at)?;
        let passes = self.judge();
        self.editor.verdict = Some(passes);
        if passes {
            self.settle();
            return Ok(());
        }
        self.editor.stage = Stage::Refused;
        if self.editor.is_batch {
            self.discard(at);
            self.editor.mode = Mode::Drop;
        } else if self.editor.is_tail_held {
            return Err(ReplyError::RequestRefused);
        } else {
            self.void(at);
        }
        Ok(())
    }

    fn judge(&mut self) -> bool {
        let editor = &mut *self.editor;
        let judge = &mut editor.judge;
        editor.asked.note_needs(|method| judge.needs(method));
        editor.asked.request().is_some_and(|request| judge.permits(&request))
    }

    pub(super) fn end_result_type(&mut self, at: u64) -> Result<(), ReplyError> {
        match self.editor.asked.scratch().as_str() {
            Some("input_required") => Ok(()),
            // A task that asks for input is as complete a result as any: what comes next tells the two apart.
            Some("complete") => {
                self.editor.is_complete = true;
                Ok(())
            }
            _ => self.settle_result(at),
        }
    }

    pub(super) fn end_status(&mut self, at: u64) -> Result<(), ReplyError> {
        if self.editor.asked.scratch().as_str() == Some("input_required") {
            return Ok(());
        }
        self.settle_result(at)
    }

    /// Nothing that is still to come of the result can hold it up.
    pub(super) fn settle_result(&mut self, at: u64) -> Result<(), ReplyError> {
        self.check_hold(at)?;
        if self.editor.stage == Stage::Result {
            self.settle();
        }
        Ok(())
    }

    pub(super) fn end_input(&mut self, at: u64) -> Result<(), ReplyError> {
        if self.editor.stage == Stage::Refused {
            return Ok(());
        }
        self.check_hold(at)?;
        self.editor.asked.complete();
        let passes = self.judge();
        self.editor.asked.reset();
        self.editor.is_in_input = false;
        if passes {
            return Ok(());
        }
        // A notification goes from among the messages of a stream; where it is all there is, nothing can take its place.
        let is_all = self.editor.is_tail_held && !self.editor.has_outcome;
        if self.editor.stage != Stage::Result || is_all {
            return Err(ReplyError::InputRefused);
        }
        self.editor.stage = Stage::Refused;
        self.void(at);
        Ok(())
    }

    pub(super) fn end_result(&mut self, at: u64) -> Result<(), ReplyError> {
        self.settle_result(at)?;
        let editor = &*self.editor;
        if editor.stage == Stage::Refused {
            return Ok(());
        }
        let is_modern = editor.options.is_modern || editor.has_result_type;
        if is_modern && editor.options.watch.private && editor.has_list && !editor.has_scope {
            // Behind the list there is at least that member, so a comma fits.
            self.pass_until(at - 1);
            self.output.push(Bytes::from_static(PRIVATE_MEMBER));
        }
        Ok(())
    }

    /// The message has ended: what has not been judged is, or was no request.
    fn end_message(&mut self, at: u64) -> Result<(), ReplyError> {
        if self.editor.stage != Stage::Unknown {
            return Ok(());
        }
        self.editor.asked.complete();
        if !is_task(self.editor.asked.method()) {
            self.try_judge(at)?;
        }
        if self.editor.stage == Stage::Unknown {
            self.check_hold(at)?;
            self.settle();
        }
        Ok(())
    }

    pub(super) fn end_of_batch(&mut self, at: u64) -> Result<(), ReplyError> {
        if !self.editor.options.watch.requests {
            return Ok(());
        }
        self.end_message(at)?;
        self.editor.conclude()?;
        if self.editor.mode == Mode::Drop {
            self.from = at;
        }
        self.editor.mode = Mode::Hold(at);
        Ok(())
    }

    pub(super) fn end_root(&mut self, kind: Kind, at: u64) -> Result<(), ReplyError> {
        if kind == Kind::Array {
            if self.editor.options.watch.requests {
                self.check_hold(at)?;
                self.release();
            }
        } else {
            self.end_message(at)?;
        }
        if self.editor.is_tail_held && self.editor.mode == Mode::Pass {
            self.editor.mode = Mode::Hold(at - 1);
        }
        Ok(())
    }
}
