//! The replies that mcpfw writes itself.
//!
//! They are put together by hand so that the id goes back as the very token that came in; every text goes through
//! `serde_json`.

use super::Id;

/// `error.data` of a refusal: what a caller may know of it. Holds no policy internals and no tokens.
#[derive(Clone, Copy, Debug)]
pub struct ErrorData<'a> {
    /// The reason's slug.
    pub reason: &'a str,
    /// The rule that refused.
    pub rule: Option<&'a str>,
    /// The id under which the access log has the exchange.
    pub request_id: &'a str,
    /// How long to wait, in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// For an unsupported version: the versions that are served (`data.supported` of -32022), newest first.
    pub supported: Option<&'a [&'a str]>,
    /// For an unsupported version: the one that was asked for.
    pub requested: Option<&'a str>,
}

impl<'a> ErrorData<'a> {
    /// Data with a reason and a request id.
    #[must_use]
    pub const fn new(reason: &'a str, request_id: &'a str) -> Self {
        Self {
            reason,
            rule: None,
            request_id,
            retry_after_ms: None,
            supported: None,
            requested: None,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"source":"mcpfw","reason":"#);
        string(out, self.reason);
        if let Some(rule) = self.rule {
            out.extend_from_slice(br#","rule":"#);
            string(out, rule);
        }
        out.extend_from_slice(br#","request_id":"#);
        string(out, self.request_id);
        if let Some(wait) = self.retry_after_ms {
            out.extend_from_slice(br#","retry_after_ms":"#);
            number(out, wait);
        }
        if let Some(supported) = self.supported {
            out.extend_from_slice(br#","supported":["#);
            for (at, version) in supported.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                string(out, version);
            }
            out.push(b']');
        }
        if let Some(requested) = self.requested {
            out.extend_from_slice(br#","requested":"#);
            string(out, requested);
        }
        out.push(b'}');
    }
}

/// An error response. The id is left out where it could not be read (allowed from 2025-11-25; earlier schemas want
/// one, but `null` is no id in any of them).
#[must_use]
pub fn error_reply(
    id: Option<&Id>,
    code: i64,
    message: &str,
    data: Option<&ErrorData<'_>>,
) -> Vec<u8> {
    let mut out = open(id);
    out.extend_from_slice(br#""error":{"code":"#);
    number(&mut out, code);
    out.extend_from_slice(br#","message":"#);
    string(&mut out, message);
    if let Some(data) = data {
        out.extend_from_slice(br#","data":"#);
        data.write(&mut out);
    }
    out.extend_from_slice(b"}}");
    out
}

/// A `tools/call` result that tells the model of the refusal (`refusal = "tool_error"`). `modern` adds the
/// `resultType` that results have from 2026-07-28 on.
#[must_use]
pub fn tool_error_reply(id: &Id, text: &str, modern: bool) -> Vec<u8> {
    let mut out = open(Some(id));
    out.extend_from_slice(br#""result":{"#);
    if modern {
        out.extend_from_slice(br#""resultType":"complete","#);
    }
    out.extend_from_slice(br#""content":[{"type":"text","text":"#);
    string(&mut out, text);
    out.extend_from_slice(br#"}],"isError":true}}"#);
    out
}

/// The replies of a batch (2025-03-26) as one array.
#[must_use]
pub fn batch_reply<R: AsRef<[u8]>>(replies: &[R]) -> Vec<u8> {
    let length = replies.iter().map(|reply| reply.as_ref().len() + 1).sum::<usize>();
    let mut out = Vec::with_capacity(length + 1);
    out.push(b'[');
    for (at, reply) in replies.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(reply.as_ref());
    }
    out.push(b']');
    out
}

/// The beginning of a response, up to the comma before `result` or `error`.
fn open(id: Option<&Id>) -> Vec<u8> {
    // A refusal with all its data has about 250 bytes.
    let mut out = Vec::with_capacity(320);
    out.extend_from_slice(br#"{"jsonrpc":"2.0","#);
    if let Some(id) = id {
        out.extend_from_slice(br#""id":"#);
        out.extend_from_slice(id.as_raw().as_bytes());
        out.push(b',');
    }
    out
}

fn string(out: &mut Vec<u8>, text: &str) {
    // INVARIANT: writing a `str` to a `Vec` cannot fail.
    let _ = serde_json::to_writer(out, text);
}

fn number(out: &mut Vec<u8>, number: impl std::fmt::Display) {
    // INVARIANT: writing to a `Vec` cannot fail.
    let _ = std::io::Write::write_fmt(out, format_args!("{number}"));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(reply: &[u8]) -> Value {
        serde_json::from_slice(reply).unwrap()
    }

    #[test]
    fn errors_are_json_and_carry_the_id_verbatim() {
        let hostile = "a\"b\\c\u{0}\u{1f}\u{2028}<größe>😀";
        for raw in ["7", "-9007199254740991", r#""q-7""#, r#""\u0061\"\\""#, r#""größe""#] {
            let id = Id::from_raw(raw).unwrap();
            let reply = error_reply(Some(&id), -32602, hostile, None);
            let text = std::str::from_utf8(&reply).unwrap();
            assert!(text.starts_with(&format!("{{\"jsonrpc\":\"2.0\",\"id\":{raw},\"error\":")));
            assert_eq!(
                read(&reply),
                json!({"jsonrpc": "2.0", "id": serde_json::from_str::<Value>(raw).unwrap(),
                    "error": {"code": -32602, "message": hostile}})
            );
        }
    }

    #[test]
    fn an_unknown_id_is_left_out() {
        assert_eq!(
            read(&error_reply(None, -32700, "not JSON", None)),
            json!({"jsonrpc": "2.0", "error": {"code": -32700, "message": "not JSON"}})
        );
    }

    #[test]
    fn data_has_what_it_was_given_and_nothing_else() {
        let id = Id::from_raw("1").unwrap();
        let least = ErrorData::new("default_deny", "r-1");
        assert_eq!(
            read(&error_reply(Some(&id), 403, "no", Some(&least)))["error"]["data"],
            json!({"source": "mcpfw", "reason": "default_deny", "request_id": "r-1"})
        );
        let most = ErrorData {
            rule: Some("no-\"deletes\""),
            retry_after_ms: Some(u64::MAX),
            supported: Some(&["2025-11-25", "2025-06-18"]),
            requested: Some("\u{7}"),
            ..least
        };
        assert_eq!(
            read(&error_reply(Some(&id), -32022, "no", Some(&most)))["error"]["data"],
            json!({"source": "mcpfw", "reason": "default_deny", "rule": "no-\"deletes\"", "request_id": "r-1",
                "retry_after_ms": u64::MAX, "supported": ["2025-11-25", "2025-06-18"], "requested": "\u{7}"})
        );
    }

    #[test]
    fn tool_errors_have_a_result_type_only_where_results_have_one() {
        let id = Id::from_raw(r#""x""#).unwrap();
        let content = json!([{"type": "text", "text": "wait \"4\" s"}]);
        assert_eq!(
            read(&tool_error_reply(&id, "wait \"4\" s", false)),
            json!({"jsonrpc": "2.0", "id": "x", "result": {"content": content, "isError": true}})
        );
        assert_eq!(
            read(&tool_error_reply(&id, "wait \"4\" s", true)),
            json!({"jsonrpc": "2.0", "id": "x",
                "result": {"resultType": "complete", "content": content, "isError": true}})
        );
    }

    #[test]
    fn batches_are_arrays() {
        let one = error_reply(Id::from_raw("1").as_ref(), 403, "no", None);
        let two = error_reply(Id::from_raw("2").as_ref(), 403, "no", None);
        assert_eq!(read(&batch_reply::<Vec<u8>>(&[])), json!([]));
        assert_eq!(read(&batch_reply(&[&one])), json!([read(&one)]));
        assert_eq!(read(&batch_reply(&[&one, &two])), json!([read(&one), read(&two)]));
    }
}
