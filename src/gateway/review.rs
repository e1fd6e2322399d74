//! An open event stream when another policy set comes in force (T59): what it is looked at for, and what follows.
//!
//! What is decided about *messages* of the stream moves with the judge, from event to event ([`ReplyJudge::renew`]). Here is the
//! rest: whether the call that opened the stream could still be made, whether the stream needs an inspector that it had no need of
//! before, and what its client must be told of its lists.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::answers::Way;
use super::clock::unix_seconds;
use super::judge::ReplyJudge;
use super::listeners::Listening;
use super::looks::Kinds;
use super::notices::{Audience, Opening};
use super::views;
use crate::inspect::response::{Judge as _, ReplyOptions};
use crate::policy::{Args, Call, Policy, Refusal};
use crate::upstream::Watchdog;

/// How long an event that has begun may take to end on a stream that has no right to go on. Servers write an event at once; one
/// that takes its time is not waited for.
const GRACE: Duration = Duration::from_secs(2);

/// What is known of a stream besides its judge.
#[derive(Debug)]
pub(super) struct Review {
    /// The set by which it was looked at last.
    policy: Arc<Policy>,
    /// Who would inspect it, where nobody does.
    pub(super) spare: Option<Box<Spare>>,
    /// How what the server asks, and is refused, is answered.
    way: Way,
    /// Who is told of changed lists, and what has yet to be told.
    audience: Audience,
    listening: Option<Listening>,
    untold: Kinds,
    opening: Opening,
    /// Why it must end, and when at the latest.
    revoked: Option<(Box<Revoked>, Watchdog)>,
    /// Whether the spare has something to look for.
    pub(super) is_needed: bool,
}

/// The right to a stream that is gone.
#[derive(Debug)]
pub(super) struct Revoked {
    pub(super) refusal: Refusal,
    /// Of the rule that takes it.
    pub(super) rule: Option<Arc<str>>,
}

/// An inspector that is not needed yet.
#[derive(Debug)]
pub(super) struct Spare {
    pub(super) judge: ReplyJudge,
    pub(super) options: ReplyOptions,
}

impl Review {
    pub(super) fn new(judge: &ReplyJudge, way: Way, audience: Audience) -> Box<Self> {
        let listening = match &audience {
            Audience::Session => judge.session_key().map(|key| judge.shared().listeners.join(key)),
            Audience::Nobody | Audience::Stream | Audience::Listen(..) => None,
        };
        Box::new(Self {
            policy: Arc::clone(judge.policy()),
            spare: None,
            way,
            opening: audience.opening(),
            audience,
            listening,
            untold: Kinds::default(),
            revoked: None,
            is_needed: false,
        })
    }

    /// Whether another set than the one by which it was looked at is in force.
    pub(super) fn is_due(&self, judge: &ReplyJudge) -> bool {
        let now = judge.shared().policy.load();
        now.generation() != self.policy.generation()
    }

    /// Looks at the stream, which `calls` opened, by the set that is in force now. Its generation.
    pub(super) fn look<'c>(
        &mut self,
        judge: &ReplyJudge,
        calls: impl IntoIterator<Item = &'c Call>,
    ) -> u64 {
        let now = judge.shared().policy.load_full();
        let before = std::mem::replace(&mut self.policy, Arc::clone(&now));
        let refused = calls.into_iter().find_map(|call| revoked(&now, judge, call).err());
        // A right that comes back before the event has ended was not lost.
        self.revoked = refused.map(|refusal| {
            let rule = refusal.rule().and_then(|rule| now.rule(rule)).map(|rule| rule.name());
            let pin = refusal.pin().and_then(|pin| now.pins().get(pin.index()));
            let rule = rule.or(pin.map(|pin| pin.name())).cloned();
            let grace = Watchdog::new(Instant::now() + GRACE);
            (Box::new(Revoked { refusal, rule }), grace)
        });
        let heard = self.audience.kinds().iter().filter(|kind| !self.untold.has(*kind));
        let changed: Kinds =
            heard.filter(|kind| views::may_differ(&before, &now, judge, *kind)).collect();
        let is_ours = self.listening.as_ref().is_none_or(|it| it.claim(now.generation()));
        if is_ours {
            self.untold = self.untold.or(changed);
        }
        now.generation()
    }

    /// Whether the spare has something to look for by now.
    pub(super) fn renew(&mut self) {
        if let Some(watch) = self.spare.as_mut().and_then(|spare| spare.judge.renew()) {
            self.is_needed = !watch.is_nothing();
        }
    }

    /// Whether something can be done as soon as the stream is between two events.
    pub(super) fn waits_for_boundary(&self) -> bool {
        self.revoked.is_some()
            || self.is_needed && self.spare.is_some()
            || !self.untold.is_empty() && self.opening.is_over()
    }

    /// `piece` goes out.
    pub(super) fn passes(&mut self, piece: &[u8]) {
        self.opening.passes(piece);
    }

    /// What its client must be told next of its lists. To be asked between two events.
    pub(super) fn next_notice(&mut self) -> Option<Vec<u8>> {
        if !self.opening.is_over() {
            return None;
        }
        let kind = self.untold.pop()?;
        Some(self.audience.list_changed(kind))
    }

    /// Why it has no right to go on.
    pub(super) fn revoked(&mut self) -> Option<(&Revoked, &mut Watchdog)> {
        self.revoked.as_mut().map(|(revoked, grace)| (&**revoked, grace))
    }

    pub(super) fn way(&self) -> &Way {
        &self.way
    }
}

/// Whether `policy` takes back what allowed `call`. Its arguments were read by another set and are gone: a call that some
/// arguments would allow goes on, so that no call is lost to a rule that has nothing against it.
fn revoked(policy: &Policy, judge: &ReplyJudge, call: &Call) -> Result<(), Refusal> {
    let (principal, context, now) = (judge.principal(), judge.context(), unix_seconds());
    let call = Call { args: Args::default(), ..call.clone() };
    let route = judge.route();
    let decided = policy.decide(principal, &context, &call, now).and_then(|permitted| {
        policy.hold_to_pins(permitted, &route.name, &call, now, |list, id, pinned| {
            route.drift.is_changed(list, id, pinned)
        })
    });
    match decided {
        Err(refusal) if refusal.pin().is_some() => Err(refusal),
        Err(refusal) if !policy.could_allow(principal, &context, &call, now) => Err(refusal),
        _ => Ok(()),
    }
}
