//! What a relayed event stream does when another policy set comes in force (T59): see [`super::review`].
//!
//! All of it happens between two events of what goes out. A server can send so that no piece of its stream ever ends there: pieces
//! are cut where something waits.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::answers::Answers;
use super::body::{CutOff, Relay};
use super::reject;
use super::review::Spare;
use crate::inspect::response::{Framing, ReplyError, ReplyInspector};
use crate::observe::Outcome;

impl Relay {
    /// Looks whether another set is in force, and does what follows. What goes out because of it, or the end.
    pub(super) fn poll_review(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<Option<Result<Bytes, CutOff>>> {
        if self.review.is_none() || self.has_ended {
            return None;
        }
        self.look();
        if let Some(end) = self.poll_revoked(cx) {
            return Some(end);
        }
        if !self.stream.as_ref()?.tail.is_boundary() {
            return None;
        }
        if let Err(error) = self.enlist() {
            return Some(Some(Err(self.refuse(error))));
        }
        let notice = self.review.as_mut()?.next_notice()?;
        Some(Some(Ok(self.passes(notice.into()))))
    }

    /// `piece`, up to the end of the event that it begins with where something waits for that. What is left is the next to go.
    pub(super) fn up_to_boundary(&mut self, mut piece: Bytes) -> Bytes {
        if let (Some(review), Some(stream)) = (&self.review, &self.stream)
            && review.waits_for_boundary()
            && let Some(at) = stream.tail.boundary_in(&piece)
            && at < piece.len()
        {
            self.ready.push_front(piece.split_off(at));
        }
        piece
    }

    fn look(&mut self) {
        let (Some(review), Some(record)) = (&mut self.review, &mut self.record) else { return };
        let spare = review.spare.take();
        let judge = match (&mut self.inspector, &spare) {
            (Some(inspector), _) => &*inspector.judge(),
            (None, Some(spare)) => &spare.judge,
            (None, None) => return,
        };
        if review.is_due(judge) {
            record.last_generation = Some(review.look(judge, record.calls()));
            if let (Some(inspector), None) = (&mut self.inspector, &self.answers)
                && !inspector.judge().is_modern()
            {
                // Whatever it refuses from now on has to be answered.
                let upstream = Arc::clone(self.reply.upstream());
                self.answers = Some(Answers::new(upstream, review.way().clone()));
            }
        }
        review.spare = spare;
        review.renew();
    }

    /// Puts an inspector in, where there is none and something must be looked for from here on. Nothing has been inspected of what
    /// is ready to go.
    fn enlist(&mut self) -> Result<(), ReplyError> {
        let Some(review) = self.review.as_mut().filter(|review| review.is_needed) else {
            return Ok(());
        };
        let Some(spare) = review.spare.take() else { return Ok(()) };
        let way = review.way().clone();
        let Spare { judge, mut options } = *spare;
        options.watch = judge.watch();
        if options.watch.requests && !judge.is_modern() {
            self.answers = Some(Answers::new(Arc::clone(self.reply.upstream()), way));
        }
        let mut inspector = ReplyInspector::new(Framing::EventStream, judge, options);
        let raw = std::mem::take(&mut self.ready);
        let mut fed = Ok(());
        for piece in raw {
            fed = fed.and_then(|()| inspector.feed(piece, &mut self.ready));
        }
        self.inspector = Some(inspector);
        fed
    }

    /// Ends a stream that has no right to go on: between two events, where its client can be told why.
    fn poll_revoked(&mut self, cx: &mut Context<'_>) -> Option<Option<Result<Bytes, CutOff>>> {
        let stream = self.stream.as_ref()?;
        let at_boundary = stream.tail.is_boundary();
        let (revoked, grace) = self.review.as_mut()?.revoked()?;
        if !at_boundary && grace.poll_expired(cx) == Poll::Pending {
            return None;
        }
        let record = self.record.as_mut()?;
        record.revoked(revoked.refusal.reason().slug(), revoked.rule.clone());
        let id = stream.id.as_ref().filter(|_| at_boundary);
        let told = id.map(|id| {
            let error = reject::revoked(id, &revoked.refusal, record.request_id());
            Bytes::from([b"event: message\ndata: ", &*error, b"\n\n"].concat())
        });
        record.bytes_out += told.as_ref().map_or(0, |event| event.len() as u64);
        self.ready.clear();
        self.has_ended = true;
        self.finish(Outcome::Revoked);
        // Where nobody can be told, it must not look complete.
        Some(Some(told.ok_or(CutOff)))
    }
}
