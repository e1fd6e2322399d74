//! Lists as a caller sees them: fixtures, failures, and a naive filter of the parsed reply as oracle.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and its tables are short"
)]

use std::collections::VecDeque;

use bytes::Bytes;
use mcpfw::fuzz::list_filter::{self, ByName, Outcome, run, same_in};
use mcpfw::fuzz::sse;
use mcpfw::inspect::response::{Framing, ReplyError, ReplyInspector, ReplyOptions};
use proptest::prelude::*;
use serde_json::Value;

/// The outcome of `reply` whole, after checking that every way to cut it ends the same.
fn outcome(framing: Framing, options: ReplyOptions, reply: &[u8]) -> Outcome {
    let whole = run(framing, options, [reply]);
    for at in 1..reply.len() {
        let (a, b) = reply.split_at(at);
        same_in(framing, options, &whole, [a, b]);
    }
    same_in(framing, options, &whole, reply.chunks(1));
    same_in(framing, options, &whole, reply.chunks(3));
    whole
}

fn json(reply: &str) -> Outcome {
    outcome(Framing::Json, ReplyOptions::default(), reply.as_bytes())
}

fn event_stream(reply: &str) -> Outcome {
    outcome(Framing::EventStream, ReplyOptions::default(), reply.as_bytes())
}

/// `tools/list` replies, before and after.
const EDITS: &[(&str, &str)] = &[
    // First, middle, last, all, none; with their commas.
    (
        r#"{"result":{"tools":[{"name":"hidden"},{"name":"a"}]}}"#,
        r#"{"result":{"tools":[{"name":"a"}]}}"#,
    ),
    (
        r#"{"result":{"tools":[{"name":"a"},{"name":"hidden"},{"name":"b"}]}}"#,
        r#"{"result":{"tools":[{"name":"a"},{"name":"b"}]}}"#,
    ),
    (
        r#"{"result":{"tools":[{"name":"a"},{"name":"hidden"}]}}"#,
        r#"{"result":{"tools":[{"name":"a"}]}}"#,
    ),
    (
        r#"{"result":{"tools":[{"name":"hidden1"},{"name":"hidden2"},{"name":"a"},{"name":"hidden3"},{"name":"b"}]}}"#,
        r#"{"result":{"tools":[{"name":"a"},{"name":"b"}]}}"#,
    ),
    (r#"{"result":{"tools":[{"name":"hidden"}]}}"#, r#"{"result":{"tools":[]}}"#),
    (
        r#"{"result":{"tools":[{"name":"hidden1"},{"name":"hidden2"}]}}"#,
        r#"{"result":{"tools":[]}}"#,
    ),
    (r#"{"result":{"tools":[]}}"#, r#"{"result":{"tools":[]}}"#),
    (r#"{"result":{"tools":null}}"#, r#"{"result":{"tools":null}}"#),
    // White space stays around what stays.
    (
        "{\"result\":{\"tools\":[ {\"name\":\"hidden\"} , \n{\"name\":\"a\"}\t,{\"name\":\"hidden\"} ] } }\n",
        "{\"result\":{\"tools\":[ \n{\"name\":\"a\"} ] } }\n",
    ),
    // The name last, spelled with escapes, behind members that look like it.
    (
        r#"{"result":{"tools":[{"inputSchema":{"name":"a","tools":[{"name":"hidden"}]},"n\u0061me":"h\u0069dden"},{"title":"hidden","name":"a"}]}}"#,
        r#"{"result":{"tools":[{"title":"hidden","name":"a"}]}}"#,
    ),
    // Prompts by name, resources and templates by URI: their names do not count.
    (
        r#"{"result":{"prompts":[{"name":"hidden"},{"name":"a"}],"resources":[{"name":"hidden","uri":"a"},{"uri":"hidden"}]}}"#,
        r#"{"result":{"prompts":[{"name":"a"}],"resources":[{"name":"hidden","uri":"a"}]}}"#,
    ),
    (
        r#"{"result":{"resourceTemplates":[{"uri":"hidden","uriTemplate":"a"},{"uriTemplate":"hidden"}]}}"#,
        r#"{"result":{"resourceTemplates":[{"uri":"hidden","uriTemplate":"a"}]}}"#,
    ),
    // Lists elsewhere are none.
    (
        r#"{"params":{"tools":[{"name":"hidden"}]},"tools":[{"name":"hidden"}],"result":{"x":{"tools":[{"name":"hidden"}]},"_meta":{"tools":[5]}}}"#,
        r#"{"params":{"tools":[{"name":"hidden"}]},"tools":[{"name":"hidden"}],"result":{"x":{"tools":[{"name":"hidden"}]},"_meta":{"tools":[5]}}}"#,
    ),
    // The cache scope is private, whatever it was.
    (
        r#"{"result":{"tools":[{"name":"a"}],"cacheScope":"public","ttlMs":5}}"#,
        r#"{"result":{"tools":[{"name":"a"}],"cacheScope":"private","ttlMs":5}}"#,
    ),
    (
        r#"{"result":{"cacheScope": 17 ,"tools":[]}}"#,
        r#"{"result":{"cacheScope": "private" ,"tools":[]}}"#,
    ),
    (
        r#"{"result":{"cacheScope":{"cacheScope":["public"]},"tools":[]}}"#,
        r#"{"result":{"cacheScope":"private","tools":[]}}"#,
    ),
    (r#"{"result":{"cacheScope":null}}"#, r#"{"result":{"cacheScope":"private"}}"#),
    // A modern reply must have one; a reply without a list does not depend on who asks.
    (
        r#"{"result":{"tools":[{"name":"hidden"}],"resultType":"complete" }}"#,
        r#"{"result":{"tools":[],"resultType":"complete" ,"cacheScope":"private"}}"#,
    ),
    (r#"{"result":{"resultType":"complete"}}"#, r#"{"result":{"resultType":"complete"}}"#),
    // Errors and notifications pass.
    (
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"hidden","data":{"tools":[{"name":"hidden"}]}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"hidden","data":{"tools":[{"name":"hidden"}]}}}"#,
    ),
];

#[test]
fn elements_go_with_their_commas() {
    for (before, after) in EDITS {
        let got = json(before);
        assert_eq!(String::from_utf8_lossy(&got.out), *after, "{before}");
        assert_eq!(got.verdict, Ok(()), "{before}");
        // The same inside an event, on one line or cut into lines where JSON allows white space.
        let lines =
            |text: &str| format!("event: message\ndata: {}\n\n", text.replace('\n', "\ndata: "));
        let got = event_stream(&lines(before));
        assert_eq!(got.verdict, Ok(()), "{before}");
        assert_eq!(payloads(&got.out), payloads(lines(after).as_bytes()), "{before}");
    }
}

#[test]
fn options_say_that_a_reply_is_modern() {
    let options = ReplyOptions { is_modern: true, ..ReplyOptions::default() };
    let got = outcome(Framing::Json, options, br#"{"result":{"tools":[{"name":"hidden"}]}}"#);
    assert_eq!(got.out, br#"{"result":{"tools":[],"cacheScope":"private"}}"#);
    let got = outcome(Framing::Json, options, br#"{"result":{}}"#);
    assert_eq!(got.out, br#"{"result":{}}"#);
}

/// Without a body there is no list: so servers answer the end of a session, under the type of JSON.
#[test]
fn no_body_at_all_passes() {
    let got = json("");
    assert_eq!((got.verdict, got.out.as_slice()), (Ok(()), &[][..]));
}

#[test]
fn what_cannot_be_filtered_fails() {
    let table = [
        (r#"[{"result":{"tools":[{"name":"hidden"}]}}]"#, "reply_not_a_message"),
        (r#""hidden""#, "reply_not_a_message"),
        (r#"{"result":[{"tools":[]}]}"#, "result_not_object"),
        (r#"{"result":null}"#, "result_not_object"),
        (r#"{"result":{"tools":{"hidden":{"name":"hidden"}}}}"#, "list_not_array"),
        (r#"{"result":{"tools":"hidden"}}"#, "list_not_array"),
        (r#"{"result":{"tools":["hidden"]}}"#, "element_not_object"),
        (r#"{"result":{"tools":[{"name":"a"},null]}}"#, "element_not_object"),
        (r#"{"result":{"tools":[[{"name":"hidden"}]]}}"#, "element_not_object"),
        (r#"{"result":{"tools":[{}]}}"#, "element_without_name"),
        (r#"{"result":{"tools":[{"title":"hidden"}]}}"#, "element_without_name"),
        (r#"{"result":{"tools":[{"name":["hidden"]}]}}"#, "element_without_name"),
        (r#"{"result":{"resources":[{"name":"a"}]}}"#, "element_without_name"),
        (r#"{"result":{"tools":[{"Name":"hidden"}]}}"#, "folded_key"),
        (r#"{"result":{"tools":[{"name":"a","NAME":"hidden"}]}}"#, "folded_key"),
        (r#"{"result":{"Tools":[{"name":"hidden"}]}}"#, "folded_key"),
        (r#"{"result":{"tools\u0000":[{"name":"hidden"}]}}"#, "folded_key"),
        (r#"{"Result":{"tools":[{"name":"hidden"}]}}"#, "folded_key"),
        (r#"{"re\u017fult":{"tools":[{"name":"hidden"}]}}"#, "folded_key"),
        (r#"{"result":{"tools":[],"cachescope":"public"}}"#, "folded_key"),
        (r#"{"result":{"resource_templates":[{"name":"hidden"}]}}"#, "folded_key"),
        (r#"{"result":{"tools":[],"tools":[{"name":"hidden"}]}}"#, "reply_not_json"),
        (r#"{"result":{},"result":{"tools":[{"name":"hidden"}]}}"#, "reply_not_json"),
        (r#"{"result":{"tools":[{"name":"a","name":"hidden"}]}}"#, "reply_not_json"),
        (r#"{"result":{"tools":[{"name":"hidden"},]}}"#, "reply_not_json"),
        (r#"{"result":{"tools":[{"name":"hidden"}"#, "reply_not_json"),
        (r#"{"result":{}}{"result":{"tools":[{"name":"hidden"}]}}"#, "reply_not_json"),
        ("\u{feff}{\"result\":{\"tools\":[{\"name\":\"hidden\"}]}}", "reply_not_json"),
        ("data: {\"result\":{\"tools\":[{\"name\":\"hidden\"}]}}\n\n", "reply_not_json"),
        (" ", "reply_not_json"),
    ];
    for (reply, slug) in table {
        let got = json(reply);
        assert_eq!(got.verdict.unwrap_err().slug(), slug, "{reply}");
        // Neither a whole body nor any of what is hidden.
        assert!(serde_json::from_slice::<Value>(&got.out).is_err(), "{reply}");
        assert!(!String::from_utf8_lossy(&got.out).contains("hidden"), "{reply}");
        if reply == " " || reply.starts_with("data") {
            continue;
        }
        let got = event_stream(&format!("data: {reply}\n\n"));
        assert_eq!(got.verdict.unwrap_err().slug(), slug, "{reply}");
        assert_eq!(payloads(&got.out), [""; 0], "{reply}");
        assert!(!String::from_utf8_lossy(&got.out).contains("hidden"), "{reply}");
    }
}

#[test]
fn other_events_pass_byte_for_byte() {
    let streams = [
        "",
        ": ping\n\n",
        "id: 1\ndata:\n\n",
        "id: 1\ndata: \nretry: 500\n\n",
        "data\ndata\n\n",
        "\u{feff}: x\r\n\r\nevent: message\r\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\r\n\r\n",
        "data:{\"jsonrpc\":\"2.0\",\rdata: \"id\":31,\"result\":{\"content\":[]}}\r\r: bye\r",
        "data: {\ndata: }\nid: 7\n\n\n\ndata:{}\n\n",
    ];
    for stream in streams {
        let got = event_stream(stream);
        assert_eq!(got.verdict, Ok(()), "{stream:?}");
        assert_eq!(String::from_utf8_lossy(&got.out), stream);
    }
}

#[test]
fn a_dropped_range_may_span_lines() {
    let got = event_stream(concat!(
        "event: message\r\n",
        "data: {\"result\":{\"tools\":[\r\n",
        "data: {\"name\":\r\n",
        "data: \"hidden\",\r\n",
        ": comment\r\n",
        "id: 4\r\n",
        "data: \"x\":1},\r\n",
        "data: {\"x\":1,\r\n",
        "data: \"name\":\"a\"}]}}\r\n\r\n",
    ));
    assert_eq!(got.verdict, Ok(()));
    assert_eq!(
        String::from_utf8(got.out).unwrap(),
        concat!(
            "event: message\r\n",
            "data: {\"result\":{\"tools\":[\r\n",
            "data: \r\n",
            "data: \r\n",
            ": comment\r\n",
            "id: 4\r\n",
            "data: \r\n",
            "data: {\"x\":1,\r\n",
            "data: \"name\":\"a\"}]}}\r\n\r\n",
        )
    );
}

#[test]
fn streams_that_are_none_leak_nothing() {
    let list = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"hidden"}]}}"#;
    let table = [
        // JSON under the wrong type, in the shapes that look most like fields.
        (list.to_owned(), "unknown_field"),
        (format!("\n\n{list}\n\n"), "unknown_field"),
        (list.replace(':', ":\n"), "unknown_field"),
        (format!("[1,{list}]"), "unknown_field"),
        // Fields that only look known.
        (format!("Data: {list}\n\n"), "unknown_field"),
        (format!("data : {list}\n\n"), "unknown_field"),
        (format!(" data: {list}\n\n"), "unknown_field"),
        (format!("id: 1\u{0}\ndata: {list}\n\n"), "unknown_field"),
        // A good event does not vouch for the next.
        (format!(": x\n\ndata: {{}}\n\n{list}"), "unknown_field"),
        (format!("data: {{no\ndata: {list}\n\n"), "reply_not_json"),
        (format!("data: {list} x\n\n"), "reply_not_json"),
        (format!("data: {list}\ndata: {list}\n\n"), "reply_not_json"),
        (format!("data:  \u{a0}{list}\n\n"), "reply_not_json"),
        (format!("data: \u{feff}{list}\n\n"), "reply_not_json"),
        // Not ended: clients discard it, lenient ones find nothing in it.
        (format!("data: {list}\n"), "truncated"),
        (format!("data: {list}"), "truncated"),
        ("data: {}\n\nid: 1\n".to_owned(), "truncated"),
    ];
    for (stream, slug) in table {
        let got = event_stream(&stream);
        assert_eq!(got.verdict.unwrap_err().slug(), slug, "{stream:?}");
        let out = String::from_utf8_lossy(&got.out).into_owned();
        assert!(!out.contains("hidden"), "{stream:?} -> {out:?}");
    }
}

#[test]
fn the_hold_has_an_edge() {
    // From the bracket to the end of the name.
    let reply = |pad: usize| {
        format!(r#"{{"result":{{"tools":[{{"pad":"{}","name":"a"}}]}}}}"#, "p".repeat(pad))
    };
    let held = |pad: usize| pad + r#"{"pad":"","name":"a""#.len();
    let at = 300;
    let options = ReplyOptions { hold: held(at), ..ReplyOptions::default() };
    let got = outcome(Framing::Json, options, reply(at).as_bytes());
    assert_eq!((got.verdict, got.max_held), (Ok(()), held(at)));
    let got = outcome(Framing::Json, options, reply(at + 1).as_bytes());
    assert_eq!(got.verdict, Err(ReplyError::HoldExceeded));
    // What is behind a name is never held, nor is what is removed.
    let long = r#"{"result":{"tools":[{"name":"hidden","pad":"PAD"},{"name":"a","pad":"PAD"}]}}"#
        .replace("PAD", &"p".repeat(100_000));
    let got = run(Framing::Json, ReplyOptions::default(), long.as_bytes().chunks(1000));
    assert_eq!(got.verdict, Ok(()));
    assert_eq!(got.out.len(), long.len() - 100_000 - r#"{"name":"hidden","pad":""},"#.len());
    assert!(got.max_held < 20, "{}", got.max_held);
    // Framing counts: empty data lines are not a way to make us hold more.
    let flood = format!("data: {{\"result\":{{\"tools\":[{}", "\ndata:".repeat(20_000));
    let got = run(Framing::EventStream, ReplyOptions::default(), flood.as_bytes().chunks(7));
    assert_eq!(got.verdict, Err(ReplyError::HoldExceeded));
}

#[test]
fn a_chunk_without_removals_leaves_as_it_came() {
    let reply = Bytes::from_static(
        b"data: {\"result\":{\"tools\":[{\"name\":\"a\"},{\"x\":[],\"name\":\"b\"}]}}\n\n: x\n\n",
    );
    let mut filter = ReplyInspector::new(Framing::EventStream, ByName, ReplyOptions::default());
    let mut out = VecDeque::new();
    filter.feed(reply.clone(), &mut out).unwrap();
    assert_eq!(out, std::slice::from_ref(&reply));
    assert_eq!(out[0].as_ptr(), reply.as_ptr());
}

/// The data of every event of `stream`, without the line breaks that JSON cannot tell from other white space.
fn payloads(stream: &[u8]) -> Vec<String> {
    let events = sse::read_naively(stream).events;
    events
        .iter()
        .map(|event| String::from_utf8(event.data.clone()).unwrap().replace('\n', ""))
        .collect()
}

/// The oracle's reading of `reply`.
fn naive(reply: &str, is_modern: bool) -> Value {
    list_filter::naive(serde_json::from_str(reply).unwrap(), is_modern)
}

/// Turns a tape of choices into a reply; an exhausted tape chooses the plainest.
struct Writer<'a> {
    tape: &'a [u8],
    text: String,
    has_scope: bool,
    has_type: bool,
}

impl<'a> Writer<'a> {
    fn new(tape: &'a [u8]) -> Self {
        Self { tape, text: String::new(), has_scope: false, has_type: false }
    }

    fn choose(&mut self, among: u8) -> u8 {
        match self.tape.split_first() {
            Some((first, rest)) => {
                self.tape = rest;
                first % among
            }
            None => 0,
        }
    }

    fn token(&mut self, token: &str) {
        self.text.push_str(token);
        let space = ["", "", "", " ", "\n", "\n", " \n\t"][usize::from(self.choose(7))];
        self.text.push_str(space);
    }

    /// A string with some characters escaped.
    fn string(&mut self, value: &str) {
        let mut token = String::from("\"");
        for c in value.chars() {
            if self.choose(8) == 7 {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    token.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                token.push(c);
            }
        }
        self.token(&(token + "\""));
    }

    fn member(&mut self, name: &str, is_first: bool) {
        if !is_first {
            self.token(",");
        }
        self.string(name);
        self.token(":");
    }

    fn filler(&mut self) {
        let values = [
            "1",
            "-1.5e3",
            "true",
            "null",
            "\"hidden}]\"",
            "[]",
            "{}",
            "[{\"name\":\"hidden\"},[]]",
            "{\"tools\":[{\"name\":\"hidden\"}],\"result\":{\"tools\":[1]}}",
            "\"\\\"]},{\\\\\"",
        ];
        let value = values[usize::from(self.choose(values.len() as u8))];
        self.token(value);
    }

    fn element(&mut self, name_key: &str) {
        self.token("{");
        let others = self.choose(4);
        let place = self.choose(4).min(others);
        for member in 0..=others {
            if member == place {
                self.member(name_key, member == 0);
                let names =
                    ["a", "hidden", "größe", "not_hidden_🦀", "", "b\u{7f}", "hidden2", "c"];
                let name = names[usize::from(self.choose(names.len() as u8))];
                self.string(name);
            } else {
                self.member(&format!("x{member}"), member == 0);
                self.filler();
            }
        }
        self.token("}");
    }

    fn list(&mut self, name_key: &str) {
        self.token("[");
        for index in 0..self.choose(6) {
            if index > 0 {
                self.token(",");
            }
            self.element(name_key);
        }
        self.token("]");
    }

    fn result(&mut self) {
        self.token("{");
        let mut is_first = true;
        let lists = [
            ("tools", "name"),
            ("prompts", "name"),
            ("resources", "uri"),
            ("resourceTemplates", "uriTemplate"),
        ];
        for (list, name_key) in lists {
            if self.choose(3) == 0 {
                self.member(list, is_first);
                self.list(name_key);
                is_first = false;
            }
            match self.choose(12) {
                1 if !std::mem::replace(&mut self.has_scope, true) => {
                    self.member("cacheScope", is_first);
                    self.filler();
                    is_first = false;
                }
                2 if !std::mem::replace(&mut self.has_type, true) => {
                    self.member("resultType", is_first);
                    self.token("\"complete\"");
                    is_first = false;
                }
                3 => {
                    self.member(&format!("y{list}"), is_first);
                    self.filler();
                    is_first = false;
                }
                _ => {}
            }
        }
        self.token("}");
    }

    fn message(mut self) -> String {
        self.token("{");
        self.member("jsonrpc", true);
        self.token("\"2.0\"");
        if self.choose(5) == 1 {
            self.member("z", false);
            self.filler();
        }
        self.member("result", false);
        self.result();
        self.member("id", false);
        self.token("7");
        self.token("}");
        self.text
    }
}

/// `messages` as a stream; `tape` chooses line ends and what stands between the lines.
fn stream(messages: &[String], tape: &[u8]) -> String {
    let mut writer = Writer::new(tape);
    if writer.choose(6) == 1 {
        writer.text.push('\u{feff}');
    }
    let end = ["\n", "\r\n", "\r"][usize::from(writer.choose(3))];
    for message in messages {
        if writer.choose(4) == 1 {
            writer.text += &format!(": keep-alive{end}{end}id: 7{end}data:{end}{end}");
        }
        for line in message.split('\n') {
            let noise = ["", "", ": x", "event: message", "id: 3", "retry: 10"];
            let noise = noise[usize::from(writer.choose(noise.len() as u8))];
            if !noise.is_empty() {
                writer.text += &format!("{noise}{end}");
            }
            let colon = ["data: ", "data:"][usize::from(writer.choose(2))];
            writer.text += &format!("{colon}{line}{end}");
        }
        writer.text += end;
    }
    writer.text
}

fn chunks<'a>(reply: &'a [u8], sizes: &'a [u8]) -> Vec<&'a [u8]> {
    let mut rest = reply;
    let mut sizes = sizes.iter().cycle();
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let size = sizes.next().map_or(rest.len(), |size| usize::from(*size).max(1));
        let (chunk, behind) = rest.split_at(size.min(rest.len()));
        chunks.push(chunk);
        rest = behind;
    }
    chunks
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_naive_filter_agrees(
        tapes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..4),
        framing in prop::collection::vec(any::<u8>(), 0..60),
        sizes in prop::collection::vec(0..40_u8, 0..20),
        is_modern: bool,
    ) {
        let messages: Vec<String> =
            tapes.iter().map(|tape| Writer::new(tape).message()).collect();
        let options = ReplyOptions { is_modern, ..ReplyOptions::default() };
        for message in &messages {
            let got = run(Framing::Json, options, chunks(message.as_bytes(), &sizes));
            prop_assert_eq!(got.verdict, Ok(()), "{}", message);
            let value: Value = serde_json::from_slice(&got.out).unwrap();
            prop_assert_eq!(&value, &naive(message, is_modern), "{}", message);
        }
        let stream = stream(&messages, &framing);
        let got = run(Framing::EventStream, options, chunks(stream.as_bytes(), &sizes));
        prop_assert_eq!(got.verdict, Ok(()), "{}", stream);
        let found: Vec<Value> = payloads(&got.out)
            .iter()
            .filter(|data| !data.is_empty())
            .map(|data| serde_json::from_str(data).unwrap())
            .collect();
        let expected: Vec<Value> = messages.iter().map(|message| naive(message, is_modern)).collect();
        prop_assert_eq!(found, expected, "{}", stream);
    }

    #[test]
    fn where_everything_is_visible_every_byte_passes(
        tapes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..4),
        framing in prop::collection::vec(any::<u8>(), 0..60),
        sizes in prop::collection::vec(0..40_u8, 0..20),
    ) {
        let messages: Vec<String> = tapes
            .iter()
            .map(|tape| Writer::new(tape).message())
            .map(|message| message.replace("hidden", "visible").replace("h\\u0069dden", "visible"))
            .filter(|message| serde_json::from_str::<Value>(message).unwrap() == naive(message, false))
            .collect();
        let stream = stream(&messages, &framing);
        let got = run(Framing::EventStream, ReplyOptions::default(), chunks(stream.as_bytes(), &sizes));
        prop_assert_eq!(got.verdict, Ok(()));
        prop_assert_eq!(String::from_utf8(got.out).unwrap(), stream);
    }
}
