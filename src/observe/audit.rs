//! The audit log's line: one JSON object for each call that the rules have judged, which holds what the decision read, so that
//! it can be made again by another policy set. Pure.
//!
//! It is an allow-list as the access log is: of claims only those that some rule reads or `schema.toml` declares; of arguments
//! none, or only scalars that a rule of this call's target reads; of credentials nothing (T58).

use super::access::{Decision, count, known, list, text};
use super::escape::{number, string};
use super::time::rfc3339;
use crate::policy::{Arg, Call, Policy, Principal, UnixTime, Value};

/// Most bytes of one recorded value, before escaping. As long as the longest pattern of a rule: a longer text is told from
/// others by its start, and is marked as cut.
pub const VALUE: usize = 256;
/// Most elements of a recorded list. Longer ones are left out: a part of a list would read as a list.
const ELEMENTS: usize = 64;

/// One judged call.
#[derive(Clone, Copy, Debug)]
pub struct AuditLine<'a> {
    /// End of the exchange, milliseconds since 1970.
    pub time_ms: u64,
    /// The id that the caller was told.
    pub request_id: &'a str,
    /// The caller's address, after trusted proxies.
    pub peer: &'a str,
    /// The caller.
    pub principal: &'a Principal,
    /// The route's name.
    pub route: &'a str,
    /// The host that was asked for.
    pub host: &'a str,
    /// What was asked for.
    pub call: &'a Call,
    /// Of a batch: the call's place in it.
    pub place: Option<u64>,
    /// What the rules and the limits said.
    pub decision: Decision,
    /// The rule that decided.
    pub rule: Option<&'a str>,
    /// Why it was refused.
    pub reason: Option<&'static str>,
    /// The set that decided.
    pub policy: &'a Policy,
    /// When it decided.
    pub judged: UnixTime,
    /// Whether arguments are recorded.
    pub arguments: bool,
}

impl AuditLine<'_> {
    /// Appends the line, with its line feed.
    pub fn write(&self, out: &mut Vec<u8>) {
        let Self { principal, call, policy, .. } = self;
        out.extend_from_slice(br#"{"time":""#);
        rfc3339(out, self.time_ms);
        out.extend_from_slice(br#"","audit":1,"request_id":"#);
        string(out, self.request_id);
        count(out, br#","call":"#, self.place);
        out.extend_from_slice(br#","peer":"#);
        string(out, self.peer);
        known(out, br#","principal":{"kind":"#, Some(principal.kind().as_str()));
        text(out, br#","id":"#, principal.id());
        text(out, br#","issuer":"#, principal.issuer());
        out.push(b'}');
        text(out, br#","route":"#, Some(self.route));
        text(out, br#","host":"#, Some(self.host));
        known(out, br#","revision":"#, Some(call.revision.as_str()));
        text(out, br#","method":"#, Some(&call.method));
        if let Some(object) = &call.object {
            known(out, br#","kind":"#, Some(object.kind.as_str()));
            text(out, br#","target":"#, Some(&object.name));
        }
        if call.is_retry {
            out.extend_from_slice(br#","retry":true"#);
        }
        known(out, br#","decision":"#, Some(self.decision.word()));
        text(out, br#","rule":"#, self.rule);
        known(out, br#","reason":"#, self.reason);
        count(out, br#","generation":"#, Some(policy.generation()));
        text(out, br#","digest":"#, Some(policy.digest().as_str()));
        count(out, br#","judged":"#, Some(self.judged));
        if is_whole(principal.scopes()) {
            out.extend_from_slice(br#","scopes":["#);
            separated(out, principal.scopes(), |out, scope| string(out, scope));
            out.push(b']');
        }
        Read::of(self).write(out);
        out.extend_from_slice(b"}\n");
    }
}

/// Whether all of `texts` can be recorded.
fn is_whole(texts: &[Box<str>]) -> bool {
    texts.len() <= ELEMENTS && texts.iter().all(|text| text.len() <= VALUE)
}

/// What the decision read.
#[derive(Default)]
struct Read<'a> {
    /// With its name; scalars and lists of scalars.
    values: Vec<(&'a str, &'a Value)>,
    /// What was looked for and not there.
    absent: Vec<&'a str>,
    /// What is longer than is recorded.
    cut: Vec<&'a str>,
    /// What was larger than the gateway keeps.
    too_large: Vec<&'a str>,
}

impl<'a> Read<'a> {
    fn of(line: &AuditLine<'a>) -> Self {
        let mut read = Self::default();
        for claim in line.policy.claims_read() {
            read.add(claim.pointer(), claim.of(line.principal));
        }
        if line.arguments {
            // No more was looked for in the body.
            let needs = line.policy.needs(&line.call.method, line.call.object.as_ref());
            for slot in needs.slots.iter() {
                let Some(name) = line.policy.args_read().get(usize::from(slot)) else { continue };
                match line.call.args.slot(slot) {
                    Arg::Absent => read.absent.push(name),
                    Arg::TooLarge => read.too_large.push(name),
                    Arg::Value(value) => read.add(name, Some(value)),
                }
            }
        }
        read
    }

    fn add(&mut self, name: &'a str, value: Option<&'a Value>) {
        match value {
            None => self.absent.push(name),
            // Of an object, only what is read of it is recorded.
            Some(Value::Map(_)) => {}
            Some(Value::List(items)) => {
                if items.len() <= ELEMENTS && items.iter().all(is_short_scalar) {
                    self.values.extend(value.map(|value| (name, value)));
                }
            }
            Some(Value::String(text)) if text.len() > VALUE => {
                self.cut.push(name);
                self.values.extend(value.map(|value| (name, value)));
            }
            Some(short) if is_short_scalar(short) => self.values.push((name, short)),
            Some(_) => {}
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        if !self.values.is_empty() {
            out.extend_from_slice(br#","read":{"#);
            separated(out, &self.values, |out, (name, value)| {
                string(out, name);
                out.push(b':');
                write_value(out, value);
            });
            out.push(b'}');
        }
        list(out, br#","absent":["#, &self.absent, |out, name| string(out, name));
        list(out, br#","cut":["#, &self.cut, |out, name| string(out, name));
        list(out, br#","too_large":["#, &self.too_large, |out, name| string(out, name));
    }
}

fn is_short_scalar(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Number(number) => number.to_string().len() <= VALUE,
        Value::String(text) => text.len() <= VALUE,
        Value::List(_) | Value::Map(_) => false,
    }
}

fn separated<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
}

/// A scalar or a list of scalars. Readers of JSON round numbers, and rules do not: one that is no small integer is written as
/// `{"number":"1e400"}`.
fn write_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(truth) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Value::Number(exact) => match exact.as_u64().filter(|int| *int < 1 << 53) {
            Some(int) => number(out, int),
            None => {
                out.extend_from_slice(br#"{"number":"#);
                string(out, &exact.to_string());
                out.push(b'}');
            }
        },
        Value::String(text) => {
            string(out, text.get(..text.floor_char_boundary(VALUE)).unwrap_or(text));
        }
        Value::List(items) => {
            out.push(b'[');
            // Scalars: this goes no deeper.
            separated(out, items, write_value);
            out.push(b']');
        }
        Value::Map(_) => out.extend_from_slice(b"{}"),
    }
}
