//! Properties of batches: what an array is, is what its elements are one by one.

#![expect(clippy::panic, reason = "a property panics where it does not hold")]

use serde_json::value::RawValue;

use super::envelope::{
    Outcome, POLICIES, Read, Verdict, agrees_with_the_reader, exchange, read as read_message, run,
    same_in,
};
use crate::inspect::request::{Exchange, RequestLimits, Violation};
use crate::policy::Policy;
use crate::wire::json::{Ignore, Limits, Tokenizer};
use crate::wire::jsonrpc::Id;
use crate::wire::mcp::revision::{self, Inputs, Revision};

/// The headers of an exchange, as the property chooses them: with batches, with and without a name for them, and without.
pub const HEADERS: [&[(&str, &str)]; 5] = [
    &[],
    &[("mcp-protocol-version", "2025-03-26")],
    &[("mcp-protocol-version", "2025-06-18")],
    &[("mcp-method", "tools/call")],
    &[("mcp-protocol-version", "2026-07-28")],
];

/// Target `batch`: the first byte chooses headers, the second limits and chunks, the rest is the body.
pub fn batch(data: &[u8]) {
    let [choice, size, body @ ..] = data else { return };
    let Some(headers) = HEADERS.get(usize::from(*choice) % HEADERS.len()) else { return };
    let Some(exchange) = exchange(headers) else { panic!("the headers are good") };
    let wide = RequestLimits::default();
    let limits = if size & 1 == 0 {
        wide
    } else {
        RequestLimits { hold: 200, batch: 3, trailing: 2, ..wide }
    };
    let policy = &*POLICIES;
    let whole = run(policy, &exchange, limits, [body]);
    let steps = [1, 2, usize::from(size >> 1) + 3, body.len().max(1)];
    for step in steps {
        same_in(policy, &exchange, limits, (body, &whole), body.chunks(step));
    }
    if limits != wide {
        return;
    }
    agrees_with_the_reader(policy, &exchange, body, &whole);
    if is_strict(body) && has_batches(&exchange) && exchange.mirror.method().is_none() {
        match serde_json::from_slice::<Vec<Box<RawValue>>>(body) {
            Ok(elements) => is_its_elements(&exchange, &elements, &whole),
            Err(_) => is_its_batch_of_one(&exchange, body, &whole),
        }
    }
}

/// A batch passes where each of its elements would alone, and is refused for what one of them would be.
fn is_its_elements(exchange: &Exchange, elements: &[Box<RawValue>], batch: &Outcome) {
    let policy = &*POLICIES;
    let limits = RequestLimits::default();
    let alone = |element: &RawValue| {
        // An array in an array is no batch.
        let text = element.get().as_bytes();
        let limits = RequestLimits { batch: 0, ..limits };
        run(policy, exchange, limits, [text])
    };
    let each: Vec<Outcome> = elements.iter().map(|element| alone(element)).collect();
    let slugs: Vec<_> = each.iter().filter_map(|outcome| outcome.verdict.slug()).collect();
    match &batch.verdict {
        Verdict::Passed => assert!(slugs.is_empty(), "passed with {slugs:?}"),
        Verdict::Denied(slug) => {
            // No element broke a rule; policy was asked about all of them, in their order.
            assert_eq!(slugs.first(), Some(slug));
            assert!(each.iter().all(|outcome| !matches!(outcome.verdict, Verdict::Refused(_))));
        }
        Verdict::Refused(violation) if is_about_batches(violation) => {}
        Verdict::Refused(violation) => {
            let Some(at) = batch.blamed else { panic!("{violation} is of no element") };
            let Some(outcome) = each.get(at) else { panic!("there is no element {at}") };
            match (violation, &outcome.verdict) {
                // Of an element that is an array, or anything else.
                (Violation::NotAnObject, Verdict::Refused(_)) => {}
                (_, Verdict::Refused(alone)) => assert_eq!(alone, violation),
                (_, verdict) => panic!("{violation} in a batch, alone {verdict:?}"),
            }
        }
    }
    // Whoever would be answered alone is answered in the batch, under the same id.
    if batch.verdict != Verdict::Passed && !batch.requests.is_empty() {
        for (at, id) in &batch.requests {
            let Some(raw) = elements.get(*at).and_then(|element| id_of(element)) else {
                panic!("element {at} has no id")
            };
            assert_eq!(Id::from_raw(raw.get()).as_ref(), Some(id));
        }
    }
}

/// A batch of one message is what the message is.
fn is_its_batch_of_one(exchange: &Exchange, body: &[u8], alone: &Outcome) {
    let wrapped = [b"[", body, b"]"].concat();
    let batch = run(&POLICIES, exchange, RequestLimits::default(), [&wrapped[..]]);
    match (&batch.verdict, &alone.verdict) {
        (Verdict::Refused(violation), _) if is_about_batches(violation) => {}
        (in_batch, alone) => assert_eq!(in_batch, alone),
    }
    if batch.verdict == Verdict::Passed {
        assert!(batch.left == wrapped, "every byte leaves");
    }
}

/// Whether it is a rule that a single message cannot break, or a limit that an array reaches sooner.
fn is_about_batches(violation: &Violation) -> bool {
    matches!(
        violation,
        Violation::BatchEmpty
            | Violation::BatchTooLong
            | Violation::BatchMixed
            | Violation::BatchDuplicateId
            | Violation::BatchMember
            | Violation::HoldExceeded
            | Violation::Syntax(_)
            | Violation::TrailingSpace
    )
}

fn id_of(element: &RawValue) -> Option<Box<RawValue>> {
    #[derive(serde::Deserialize)]
    struct Message {
        id: Option<Box<RawValue>>,
    }
    serde_json::from_str::<Message>(element.get()).ok()?.id
}

fn is_strict(body: &[u8]) -> bool {
    let mut strict = Tokenizer::new(Limits::default(), 1);
    strict.feed(body, &mut Ignore).and_then(|()| strict.finish(&mut Ignore)).is_ok()
}

fn has_batches(exchange: &Exchange) -> bool {
    let Exchange { mirror, session, announced, route } = exchange;
    let (header, session, announced, route) =
        (mirror.protocol_version(), *session, *announced, *route);
    let inputs = Inputs { header, session, announced, route, ..Inputs::default() };
    revision::decide(&inputs) == Ok(Revision::V2025_03_26)
}

/// Reads a whole batch as [`super::envelope::read`] reads a message.
#[must_use]
pub fn read(policy: &Policy, exchange: &Exchange, body: &[u8]) -> Option<Read> {
    let elements: Vec<Box<RawValue>> = serde_json::from_slice(body).ok()?;
    let mut all = Read::default();
    if !has_batches(exchange) {
        all.broken.push("batch_unsupported");
        return Some(all);
    }
    let mut broken = |slug, is_broken: bool| {
        if is_broken {
            all.broken.push(slug);
        }
    };
    let is_named = exchange.mirror.method().is_some() || exchange.mirror.name().is_some();
    broken("header_mismatch", is_named);
    broken("batch_empty", elements.is_empty());
    broken("batch_too_long", elements.len() > RequestLimits::default().batch);
    let json = |element: &RawValue| serde_json::from_str::<serde_json::Value>(element.get());
    let parsed: Vec<_> =
        elements.iter().map(|element| json(element)).collect::<Result<_, _>>().ok()?;
    let is_response = |message: &serde_json::Value| {
        message.get("result").is_some() || message.get("error").is_some()
    };
    let responses = parsed.iter().filter(|message| is_response(message)).count();
    broken("batch_mixed", responses > 0 && responses < parsed.len());
    let ids: Vec<_> = parsed.iter().filter_map(|message| message.get("id")).collect();
    let is_twice =
        |(at, id): (usize, &&serde_json::Value)| ids.iter().take(at).any(|known| known == id);
    broken("batch_duplicate_id", ids.iter().enumerate().any(is_twice));
    for (message, element) in parsed.iter().zip(&elements) {
        let method = message.get("method").and_then(serde_json::Value::as_str);
        let is_alone = matches!(method, Some("initialize" | "subscriptions/listen"));
        if message.is_array() {
            all.broken.push("not_an_object");
            continue;
        }
        let one = read_message(policy, exchange, element.get().as_bytes())?;
        let is_foreign = one.calls.iter().any(|call| call.revision != Revision::V2025_03_26);
        if is_alone || is_foreign {
            all.broken.push("batch_member");
        }
        all.broken.extend(one.broken);
        all.calls.extend(one.calls);
    }
    if !all.broken.is_empty() {
        all.calls.clear();
    }
    Some(all)
}
