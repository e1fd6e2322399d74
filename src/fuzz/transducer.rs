//! Properties of both inspectors under any order of what a gateway does with them: feeding in pieces, deciding early, late or never,
//! taking what may leave or leaving it, an end in the middle, a reader that goes.
//!
//! The input is a list of operations and a body. The oracle is the same inspector, fed whole and asked at once; what it finds right is
//! compared with parsers of its own elsewhere ([`super::envelope`], [`super::batch`], [`super::list_filter`], [`super::reply`]).

#![expect(clippy::panic, reason = "a property panics where it does not hold")]

use std::collections::VecDeque;

use bytes::Bytes;
use serde_json::Value;

use super::envelope::{HEADERS, POLICIES, Verdict, decide, exchange, run as run_request};
use super::reply::{ByTable, Fate, naive as asks};
use super::{list_filter, sse};
use crate::inspect::request::{Exchange, RequestInspector, RequestLimits, Violation};
use crate::inspect::response::{
    Framing, Judge, Listing, ReplyError, ReplyInspector, ReplyOptions, ServerRequest, Watch,
};
use crate::lock::List;
use crate::policy::Permitted;
use crate::wire::jsonrpc::Id;

/// Most operations of one input.
const MOST: usize = 32;

/// Bytes that a reply inspector may hold besides what waits for a name: the name of a field.
const FIELD_NAME: usize = 7;

/// Something that a gateway does.
#[derive(Clone, Copy, Debug)]
enum Op {
    /// So many more bytes come; none is an empty chunk.
    Feed(usize),
    /// What is asked for is read, and policy decides.
    Ask,
    /// What policy permitted is let go, however late.
    Release,
    /// One chunk leaves.
    Take,
    /// All chunks leave that may.
    TakeAll,
    /// The body ends, wherever it stands.
    Finish,
    /// A limit bounds the arguments.
    Bound(u64),
    /// Something else refused: a limit, an upstream that is not there.
    Drain,
    /// Whoever writes logs asks for all there is to know.
    Peek,
}

impl Op {
    const fn read(code: u8, size: u8) -> Self {
        match code % 11 {
            0 | 1 => Self::Feed(size as usize),
            2 => Self::Feed(size as usize * 16),
            3 => Self::Feed(1),
            4 => Self::Ask,
            5 => Self::Release,
            6 => Self::Take,
            7 => Self::TakeAll,
            8 if size & 3 == 0 => Self::Finish,
            8 => Self::Peek,
            9 => Self::Bound(size as u64),
            _ if size & 7 == 0 => Self::Drain,
            _ => Self::Peek,
        }
    }
}

/// Target `transducer_ops`: the first byte chooses the inspector, the second its options, the third the number of operations of
/// two bytes each; the rest is the body.
pub fn ops(data: &[u8]) {
    let [kind, choice, count, rest @ ..] = data else { return };
    let Some((ops, body)) = rest.split_at_checked(usize::from(*count) % (MOST + 1) * 2) else {
        return;
    };
    let ops: Vec<Op> = ops.as_chunks().0.iter().map(|&[code, size]| Op::read(code, size)).collect();
    // Whether what is left of the body comes in the end, or nothing any more.
    let is_cut = kind & 2 != 0;
    if kind & 1 == 0 {
        request(*choice, kind >> 2, is_cut, &ops, body);
    } else {
        reply(*choice, kind >> 2, is_cut, &ops, body);
    }
}

fn is_complete(bytes: &[u8]) -> bool {
    matches!(serde_json::from_slice(bytes), Ok(Value::Object(_) | Value::Array(_)))
}

// --- requests -------------------------------------------------------------------------------------------------------------------

struct Request<'a> {
    inspector: RequestInspector,
    limits: RequestLimits,
    body: &'a [u8],
    fed: usize,
    left: Vec<u8>,
    /// Set once; from then on nothing leaves.
    verdict: Verdict,
    permitted: Option<Permitted>,
    was_told: bool,
    is_open: bool,
    is_drained: bool,
    is_bound: bool,
    has_ended: bool,
    /// It was said to end where there was more.
    ended_early: bool,
}

fn request(choice: u8, headers: u8, is_cut: bool, ops: &[Op], body: &[u8]) {
    let Some(headers) = HEADERS.get(usize::from(headers) % HEADERS.len()) else { return };
    let Some(exchange) = exchange(headers) else { panic!("the headers are good") };
    let wide = RequestLimits::default();
    let limits = match choice & 1 {
        0 => wide,
        _ => {
            RequestLimits { body: 300, hold: 120, response: 160, capture: 100, trailing: 2, ..wide }
        }
    };
    let awaits_id = choice & 2 != 0;
    let mut inspector = RequestInspector::new(POLICIES.clone(), exchange.clone(), limits, 0x5EED);
    if awaits_id {
        inspector.await_response_id();
    }
    let mut request = Request {
        inspector,
        limits,
        body,
        fed: 0,
        left: Vec::new(),
        verdict: Verdict::Passed,
        permitted: None,
        was_told: false,
        is_open: false,
        is_drained: false,
        is_bound: false,
        has_ended: false,
        ended_early: false,
    };
    for op in ops {
        request.apply(*op);
    }
    if is_cut {
        return request.inspector_is_gone();
    }
    request.apply(Op::Feed(body.len()));
    for op in [Op::Finish, Op::Ask, Op::Release, Op::TakeAll] {
        request.apply(op);
    }
    if !(awaits_id || request.is_bound || request.is_drained || request.ended_early) {
        request.ends_as_if_whole(&exchange);
    }
    request.inspector_is_gone();
}

impl Request<'_> {
    fn apply(&mut self, op: Op) {
        let is_going = self.verdict == Verdict::Passed && !self.is_drained;
        match op {
            Op::Feed(_) if self.has_ended => {}
            Op::Feed(bytes) => self.feed(bytes, is_going),
            Op::Ask if is_going => self.ask(),
            // A permission that comes too late opens nothing.
            Op::Release => self.release(is_going),
            Op::Take => {
                self.take();
            }
            Op::TakeAll => {
                while self.take() {}
                if self.is_open && is_going {
                    let tail = 1 + usize::try_from(self.limits.trailing).unwrap_or(usize::MAX);
                    assert!(self.inspector.held() <= tail, "nothing but the tail waits");
                }
            }
            Op::Finish if is_going && !self.has_ended => {
                self.ended_early = self.fed < self.body.len();
                let end = self.inspector.finish();
                self.has_ended = end.is_ok();
                self.judged(end);
            }
            Op::Bound(most) if is_going => {
                self.is_bound = true;
                let bound = self.inspector.bound_arguments(most);
                self.judged(bound);
            }
            Op::Drain if !self.has_ended => {
                self.is_drained = true;
                let _ = self.inspector.drain(&[]);
            }
            Op::Ask | Op::Finish | Op::Bound(_) | Op::Drain => {}
            Op::Peek => {
                let inspector = &self.inspector;
                let _ = (inspector.id(), inspector.is_request(), inspector.is_response());
                let _ = (inspector.method(), inspector.target(), inspector.revision());
                let _ = inspector.batch().map(|batch| batch.requests().count());
            }
        }
        if self.verdict == Verdict::Passed && !self.is_drained {
            assert_eq!(
                self.inspector.held(),
                self.fed - self.left.len(),
                "what came waits or left"
            );
        } else {
            assert_eq!(self.inspector.held(), 0, "a refusal forgets what it held");
            assert!(self.inspector.next_chunk().is_none(), "nothing leaves after a refusal");
        }
        assert!(self.body.starts_with(&self.left), "what left is the beginning of what came");
    }

    fn feed(&mut self, bytes: usize, is_going: bool) {
        let rest = self.body.get(self.fed..).unwrap_or_default();
        let chunk = rest.get(..bytes).unwrap_or(rest);
        self.fed += chunk.len();
        if is_going {
            let fed = self.inspector.feed(Bytes::copy_from_slice(chunk));
            self.judged(fed);
        } else if let Verdict::Refused(violation) = &self.verdict {
            let again = self.inspector.feed(Bytes::copy_from_slice(chunk));
            assert_eq!(again.as_ref(), Err(violation), "the first violation stays");
        } else {
            let _ = self.inspector.drain(chunk);
        }
    }

    fn judged(&mut self, verdict: Result<(), Violation>) {
        if let Err(violation) = verdict {
            self.verdict = Verdict::Refused(violation);
        }
    }

    fn ask(&mut self) {
        let calls = match self.inspector.take_call() {
            Some(call) => Some(vec![call]),
            None => self.inspector.take_batch(),
        };
        let Some(calls) = calls else {
            let most = self.limits.hold.max(self.limits.response);
            let is_undecided = !self.was_told && !self.inspector.is_response();
            assert!(!is_undecided || self.fed as u64 <= most, "what is undecided is bounded");
            return;
        };
        assert!(!self.was_told, "what is asked for is told once");
        self.was_told = true;
        let each: Result<Vec<_>, _> = calls.iter().map(|call| decide(&POLICIES, call)).collect();
        match each {
            Ok(each) => self.permitted = Permitted::of_all(&each),
            Err(slug) => {
                self.verdict = Verdict::Denied(slug);
                let _ = self.inspector.drain(&[]);
            }
        }
    }

    fn release(&mut self, is_going: bool) {
        if let Some(permitted) = &self.permitted {
            self.inspector.release(permitted);
            self.is_open |= is_going;
        }
        self.inspector.release_response();
        self.is_open |= is_going && self.inspector.is_response();
    }

    /// Whether a chunk left.
    fn take(&mut self) -> bool {
        let Some(chunk) = self.inspector.next_chunk() else { return false };
        assert!(!chunk.is_empty(), "no empty chunks");
        assert!(self.is_open, "nothing leaves without a permission");
        self.left.extend_from_slice(&chunk);
        assert!(self.has_ended || !is_complete(&self.left), "half a body does not look complete");
        true
    }

    /// Compares with a body that came in one piece.
    fn ends_as_if_whole(&self, exchange: &Exchange) {
        let whole = run_request(&POLICIES, exchange, self.limits, [self.body]);
        match (&self.verdict, &whole.verdict) {
            (Verdict::Passed, Verdict::Passed) => {
                assert!(self.left == self.body, "every byte leaves");
            }
            // Of a policy and a body that both refuse, the first to be asked is told.
            (Verdict::Denied(_), Verdict::Refused(_))
            | (Verdict::Refused(_), Verdict::Denied(_)) => {}
            (ours, theirs) => assert_eq!(ours, theirs, "as if it came whole"),
        }
        if self.verdict == whole.verdict {
            assert_eq!(self.inspector.id(), whole.id.as_ref());
        }
    }

    fn inspector_is_gone(&self) {
        let is_whole = self.has_ended && self.verdict == Verdict::Passed;
        assert!(is_whole || !is_complete(&self.left), "half a body does not look complete");
    }
}

// --- replies --------------------------------------------------------------------------------------------------------------------

/// [`ByTable`], with a memory for so many requests of the server.
struct Forgetful {
    table: ByTable,
    room: usize,
}

impl Judge for Forgetful {
    fn listed(&mut self, list: List, name: &str) -> Listing {
        self.table.listed(list, name)
    }

    fn permits(&mut self, request: &ServerRequest<'_>) -> bool {
        self.table.permits(request)
    }

    fn asked(&mut self, method: &str, id: Option<&Id>, passes: bool) -> bool {
        self.table.asked(method, id, passes) && self.table.asked.len() <= self.room
    }

    fn refusal(&mut self, id: Option<&Id>) -> Vec<u8> {
        self.table.refusal(id)
    }
}

struct Reply<'a> {
    inspector: ReplyInspector<Forgetful>,
    framing: Framing,
    options: ReplyOptions,
    body: &'a [u8],
    fed: usize,
    out: Vec<u8>,
    verdict: Option<Result<(), ReplyError>>,
    /// It was said to end where there was more.
    ended_early: bool,
}

fn reply(choice: u8, more: u8, is_cut: bool, ops: &[Op], body: &[u8]) {
    let framing = if choice & 1 == 0 { Framing::EventStream } else { Framing::Json };
    let (lists, requests) = (choice & 2 != 0, choice & 6 != 2);
    let options = ReplyOptions {
        watch: Watch { lists, requests, private: lists, size: choice & 8 != 0, ..Watch::NOTHING },
        is_modern: choice & 16 != 0,
        allows_batch: choice & 32 != 0,
        hold: if choice & 64 == 0 { ReplyOptions::default().hold } else { 48 },
        message: (choice & 8 != 0).then_some(200),
        ..ReplyOptions::default()
    };
    let room = if more & 1 == 0 { usize::MAX } else { 2 };
    let new = || Reply {
        inspector: ReplyInspector::new(
            framing,
            Forgetful { table: ByTable::default(), room },
            options,
        ),
        framing,
        options,
        body,
        fed: 0,
        out: Vec::new(),
        verdict: None,
        ended_early: false,
    };
    let mut whole = new();
    whole.apply(Op::Feed(body.len()));
    whole.apply(Op::Finish);
    let mut reply = new();
    for op in ops {
        reply.apply(*op);
    }
    if !is_cut {
        reply.apply(Op::Feed(body.len()));
        reply.apply(Op::Finish);
        if !reply.ended_early {
            reply.ends_as(&mut whole);
        }
    }
    let is_same_way = whole.out.starts_with(&reply.out)
        || whole.verdict != Some(Ok(())) && reply.out.starts_with(&whole.out);
    // An end in the middle may put out what waited for the rest, or an error in its place.
    assert!(reply.ended_early || is_same_way, "what left is the beginning of what leaves");
    reply.shows_nothing_forbidden();
}

impl Reply<'_> {
    fn apply(&mut self, op: Op) {
        let mut out = VecDeque::new();
        match op {
            // After its end nothing comes of a reply.
            Op::Feed(_) | Op::Finish if self.verdict == Some(Ok(())) => {}
            Op::Feed(bytes) => {
                let rest = self.body.get(self.fed..).unwrap_or_default();
                let chunk = rest.get(..bytes).unwrap_or(rest);
                self.fed += chunk.len();
                let fed = self.inspector.feed(Bytes::copy_from_slice(chunk), &mut out);
                self.judged(fed, &out);
                if fed.is_ok() {
                    let most = self.options.hold + FIELD_NAME;
                    assert!(self.inspector.held() <= most, "the hold is bounded");
                }
            }
            Op::Finish => {
                self.ended_early |= self.verdict.is_none() && self.fed < self.body.len();
                let end = self.inspector.finish(&mut out);
                self.judged(end, &out);
                if end.is_ok() {
                    self.verdict = Some(Ok(()));
                }
            }
            _ => {
                let _ = (self.inspector.hidden(), self.inspector.max_held(), self.inspector.held());
            }
        }
        assert!(out.iter().all(|piece| !piece.is_empty()), "no empty pieces");
        self.out.extend(out.iter().flatten());
        if self.framing == Framing::Json && self.verdict != Some(Ok(())) {
            assert!(!is_complete(&self.out), "half a body does not look complete");
        }
    }

    fn judged(&mut self, now: Result<(), ReplyError>, out: &VecDeque<Bytes>) {
        if let Some(before) = self.verdict {
            assert_eq!(now, before, "the first error stays");
            assert!(out.is_empty(), "nothing leaves after it");
        }
        if now.is_err() {
            self.verdict = Some(now);
        }
    }

    fn ends_as(&mut self, whole: &mut Self) {
        assert_eq!(self.verdict, whole.verdict, "as if it came whole");
        if self.verdict == Some(Ok(())) {
            assert!(self.out == whole.out, "the same bytes leave");
        }
        let asked = |reply: &mut Self| format!("{:?}", reply.inspector.judge().table.asked);
        assert_eq!(asked(self), asked(whole), "the server asked the same");
    }

    /// Whatever left, judged once more, would pass.
    fn shows_nothing_forbidden(&self) {
        let texts: Vec<Vec<u8>> = match self.framing {
            Framing::Json => vec![self.out.clone()],
            Framing::EventStream => {
                sse::read_naively(&self.out).events.into_iter().map(|event| event.data).collect()
            }
        };
        for message in texts.iter().filter_map(|text| serde_json::from_slice::<Value>(text).ok()) {
            if self.options.watch.requests {
                assert_eq!(
                    asks(&message),
                    Fate::Passes(message.clone()),
                    "it asks nothing forbidden"
                );
            }
            let each = match &message {
                Value::Array(each) => each.as_slice(),
                one => std::slice::from_ref(one),
            };
            if self.options.watch.lists {
                for one in each {
                    let shown = list_filter::naive(one.clone(), self.options.is_modern);
                    assert_eq!(&shown, one, "it lists nothing hidden");
                }
            }
        }
    }
}
