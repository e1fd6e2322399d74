//! The access log's line: one JSON object per exchange. Pure.
//!
//! It is an allow-list: what is not a field here cannot get into the log. Arguments and credentials are not (T58).

use super::escape::{number, string, word};
use super::time::rfc3339;

/// What was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decision {
    /// It never came to a decision.
    #[default]
    None,
    /// Policy and limits let it through.
    Allow,
    /// Refused.
    Deny,
    /// Refused by a limit.
    Limit,
}

impl Decision {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Limit => "limit",
        }
    }
}

/// How the exchange ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// The client went away before the end.
    #[default]
    ClientLeft,
    /// The reply was sent to its end.
    Complete,
    /// The reply was cut off because the upstream failed.
    UpstreamLost,
    /// The reply was cut off because it could not be inspected.
    ReplyRefused,
    /// The reply was cut off because the rest of the request turned out bad.
    RequestRefused,
    /// The exchange was ended by a drain.
    Drained,
    /// The stream was ended when the credential that opened it expired.
    Expired,
    /// The stream was ended when a reload took the right to it.
    Revoked,
}

impl Outcome {
    const fn word(self) -> &'static str {
        match self {
            Self::ClientLeft => "client_left",
            Self::Complete => "complete",
            Self::UpstreamLost => "upstream_lost",
            Self::ReplyRefused => "reply_refused",
            Self::RequestRefused => "request_refused",
            Self::Drained => "drained",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// One call of a batch.
#[derive(Clone, Copy, Debug)]
pub struct LoggedCall<'a> {
    /// The JSON-RPC method.
    pub method: &'a str,
    /// The kind of thing it acts on.
    pub kind: Option<&'static str>,
    /// The thing's name.
    pub target: Option<&'a str>,
    /// The rule that allows it.
    pub rule: Option<&'a str>,
}

impl LoggedCall<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"method":"#);
        string(out, self.method);
        known(out, br#","kind":"#, self.kind);
        text(out, br#","target":"#, self.target);
        text(out, br#","rule":"#, self.rule);
        out.push(b'}');
    }
}

/// The fields of a line. `None` and 0-able counts that do not apply are left out.
#[derive(Clone, Debug, Default)]
pub struct Line<'a> {
    /// End of the exchange, milliseconds since 1970.
    pub time_ms: u64,
    /// The id that the caller was told.
    pub request_id: &'a str,
    /// The caller's address, after trusted proxies.
    pub peer: &'a str,
    /// `jwt`, `api_key`, `mtls` or `anonymous`.
    pub principal_kind: Option<&'static str>,
    /// `sub` of a token, id of a key.
    pub principal_id: Option<&'a str>,
    /// The token's issuer.
    pub principal_issuer: Option<&'a str>,
    /// The route's name.
    pub route: Option<&'a str>,
    /// The HTTP method.
    pub http: &'a str,
    /// The MCP revision.
    pub revision: Option<&'static str>,
    /// The JSON-RPC method.
    pub method: Option<&'a str>,
    /// The kind of thing it acts on.
    pub kind: Option<&'static str>,
    /// The thing's name.
    pub target: Option<&'a str>,
    /// Of a batch: how many messages were read of it. Where it is refused, `method`, `kind` and `target` are of the
    /// message to blame.
    pub batch: Option<u64>,
    /// Of a batch that is allowed: what it asks for, so that no call hides in one (T6).
    pub calls: &'a [LoggedCall<'a>],
    /// What was decided.
    pub decision: Decision,
    /// The rule that decided.
    pub rule: Option<&'a str>,
    /// Why it was refused.
    pub reason: Option<&'static str>,
    /// Whose fault and what exactly, for operators alone.
    pub detail: Option<&'a str>,
    /// Rules in shadow mode that matched.
    pub shadow: &'a [&'a str],
    /// Which policy set was in force when it began: its generation in this process, and its digest in any.
    pub generation: Option<u64>,
    /// Of an event stream that was open when another set came in force: the last such set.
    pub last_generation: Option<u64>,
    /// See `generation`.
    pub digest: Option<&'a str>,
    /// The HTTP status sent.
    pub status: u16,
    /// Body bytes from the client.
    pub bytes_in: u64,
    /// Body bytes to the client.
    pub bytes_out: u64,
    /// Most bytes of the request that were held at once.
    pub held: u64,
    /// List elements that were hidden.
    pub hidden: u64,
    /// Elements of lists that are not what a pin says.
    pub changed: u64,
    /// The names of the first of them.
    pub changed_names: &'a [Box<str>],
    /// Elements of lists with characters that only models see, and which kinds of them.
    pub flagged: u64,
    /// See `flagged`.
    pub flagged_kinds: &'a str,
    /// Requests of the server that were refused.
    pub server_refused: u64,
    /// From the head of the request to the end, microseconds.
    pub total_us: u64,
    /// From sending to the head of the upstream's reply, microseconds.
    pub upstream_us: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
}

impl Line<'_> {
    /// Appends the line, with its line feed.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"time":""#);
        rfc3339(out, self.time_ms);
        out.extend_from_slice(br#"","request_id":"#);
        string(out, self.request_id);
        out.extend_from_slice(br#","peer":"#);
        string(out, self.peer);
        if let Some(kind) = self.principal_kind {
            out.extend_from_slice(br#","principal":{"kind":"#);
            word(out, kind);
            text(out, br#","id":"#, self.principal_id);
            text(out, br#","issuer":"#, self.principal_issuer);
            out.push(b'}');
        }
        text(out, br#","route":"#, self.route);
        out.extend_from_slice(br#","http":"#);
        string(out, self.http);
        known(out, br#","revision":"#, self.revision);
        text(out, br#","method":"#, self.method);
        known(out, br#","kind":"#, self.kind);
        text(out, br#","target":"#, self.target);
        count(out, br#","batch":"#, self.batch);
        list(out, br#","calls":["#, self.calls, |out, call| call.write(out));
        out.extend_from_slice(br#","decision":"#);
        word(out, self.decision.word());
        text(out, br#","rule":"#, self.rule);
        known(out, br#","reason":"#, self.reason);
        text(out, br#","detail":"#, self.detail);
        list(out, br#","shadow":["#, self.shadow, |out, rule| string(out, rule));
        count(out, br#","generation":"#, self.generation);
        text(out, br#","digest":"#, self.digest);
        count(out, br#","last_generation":"#, self.last_generation);
        count(out, br#","status":"#, Some(u64::from(self.status)));
        count(out, br#","bytes_in":"#, Some(self.bytes_in));
        count(out, br#","bytes_out":"#, Some(self.bytes_out));
        count(out, br#","held":"#, (self.held > 0).then_some(self.held));
        count(out, br#","hidden":"#, (self.hidden > 0).then_some(self.hidden));
        count(out, br#","changed":"#, (self.changed > 0).then_some(self.changed));
        list(out, br#","changed_names":["#, self.changed_names, |out, name| string(out, name));
        count(out, br#","flagged":"#, (self.flagged > 0).then_some(self.flagged));
        let kinds = Some(self.flagged_kinds).filter(|kinds| !kinds.is_empty());
        text(out, br#","flagged_kinds":"#, kinds);
        let refused = (self.server_refused > 0).then_some(self.server_refused);
        count(out, br#","server_refused":"#, refused);
        count(out, br#","total_us":"#, Some(self.total_us));
        count(out, br#","upstream_us":"#, self.upstream_us);
        out.extend_from_slice(br#","outcome":"#);
        word(out, self.outcome.word());
        out.extend_from_slice(b"}\n");
    }
}

/// A list, where it has anything.
pub(super) fn list<T>(
    out: &mut Vec<u8>,
    name: &[u8],
    items: &[T],
    write: impl Fn(&mut Vec<u8>, &T),
) {
    let mut before = name;
    for item in items {
        out.extend_from_slice(before);
        write(out, item);
        before = b",";
    }
    if !items.is_empty() {
        out.push(b']');
    }
}

pub(super) fn text(out: &mut Vec<u8>, name: &[u8], value: Option<&str>) {
    if let Some(value) = value {
        out.extend_from_slice(name);
        string(out, value);
    }
}

/// A word of our own.
pub(super) fn known(out: &mut Vec<u8>, name: &[u8], value: Option<&'static str>) {
    if let Some(value) = value {
        out.extend_from_slice(name);
        word(out, value);
    }
}

pub(super) fn count(out: &mut Vec<u8>, name: &[u8], value: Option<u64>) {
    if let Some(value) = value {
        out.extend_from_slice(name);
        number(out, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let mut out = Vec::new();
        let bare = Line { request_id: "req-00001", peer: "::1", http: "GET", ..Line::default() };
        bare.write(&mut out);
        let full = Line {
            time_ms: 1_795_344_218_042,
            principal_kind: Some("jwt"),
            principal_id: Some("u1"),
            principal_issuer: Some("https://id.example/"),
            route: Some("files"),
            revision: Some("2025-06-18"),
            method: Some("tools/call"),
            kind: Some("tool"),
            target: Some("a\nb"),
            decision: Decision::Limit,
            rule: Some("slow-down"),
            reason: Some("rate_limited"),
            detail: Some("d"),
            batch: Some(2),
            calls: &[
                LoggedCall { method: "ping", kind: None, target: None, rule: None },
                LoggedCall {
                    method: "tools/call",
                    kind: Some("tool"),
                    target: Some("\u{202e}"),
                    rule: Some("r"),
                },
            ],
            shadow: &["s1", "s2"],
            generation: Some(3),
            digest: Some("0a1b"),
            status: 429,
            bytes_in: 100,
            bytes_out: 200,
            held: 5,
            hidden: 6,
            changed: 1,
            changed_names: &["write\n".into()],
            flagged: 2,
            flagged_kinds: "bidi, tag",
            server_refused: 9,
            total_us: 7,
            upstream_us: Some(8),
            outcome: Outcome::Complete,
            ..bare
        };
        full.write(&mut out);
        let lines = String::from_utf8(out).unwrap();
        let expected = concat!(
            r#"{"time":"1970-01-01T00:00:00.000Z","request_id":"req-00001","peer":"::1","http":"GET","decision":"none","#,
            r#""status":0,"bytes_in":0,"bytes_out":0,"total_us":0,"outcome":"client_left"}"#,
            "\n",
            r#"{"time":"2026-11-22T10:43:38.042Z","request_id":"req-00001","peer":"::1","#,
            r#""principal":{"kind":"jwt","id":"u1","issuer":"https://id.example/"},"route":"files","http":"GET","#,
            r#""revision":"2025-06-18","method":"tools/call","kind":"tool","target":"a\u000ab","#,
            r#""batch":2,"calls":[{"method":"ping"},{"method":"tools/call","kind":"tool","target":"\u202e","rule":"r"}],"#,
            r#""decision":"limit","#,
            r#""rule":"slow-down","reason":"rate_limited","detail":"d","shadow":["s1","s2"],"generation":3,"digest":"0a1b","status":429,"#,
            r#""bytes_in":100,"bytes_out":200,"held":5,"hidden":6,"changed":1,"changed_names":["write\u000a"],"flagged":2,"flagged_kinds":"bidi, tag","server_refused":9,"total_us":7,"upstream_us":8,"outcome":"complete"}"#,
            "\n",
        );
        assert_eq!(lines, expected);
        for line in lines.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}
