//! The vectors, by threat.

use super::{Expect, Vector};

const VERSION: &str = "mcp-protocol-version";
const MODERN: &str = "2026-07-28";
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// The vectors of one threat, in the making.
struct Table {
    threat: u8,
    rows: Vec<Vector>,
}

impl Table {
    fn of(threat: u8) -> Self {
        Self { threat, rows: Vec::new() }
    }

    fn row(&mut self, expect: Expect, body: impl Into<Vec<u8>>) -> &mut Self {
        let row = Vector { threat: self.threat, expect, headers: Vec::new(), body: body.into() };
        self.rows.push(row);
        self
    }

    fn pass(&mut self, body: impl Into<Vec<u8>>) -> &mut Self {
        self.row(Expect::Pass, body)
    }

    fn refused(&mut self, slug: &'static str, body: impl Into<Vec<u8>>) -> &mut Self {
        self.row(Expect::Refused(slug), body)
    }

    fn unseen(&mut self, slug: &'static str, body: impl Into<Vec<u8>>) -> &mut Self {
        self.row(Expect::Unseen(slug), body)
    }

    fn denied(&mut self, body: impl Into<Vec<u8>>) -> &mut Self {
        self.row(Expect::Denied, body)
    }

    /// Gives the last row a header.
    fn with(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.rows.last_mut().unwrap().headers.push((name, value.into()));
        self
    }

    fn modern(&mut self, method: &str, name: &str) -> &mut Self {
        self.with(VERSION, MODERN).with("mcp-method", method).with("mcp-name", name)
    }

    fn take(&mut self) -> Vec<Vector> {
        std::mem::take(&mut self.rows)
    }
}

/// A request of `method` whose params are `params` without the braces.
fn request(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#)
}

fn call(name: &str, arguments: &str) -> String {
    request("tools/call", &format!(r#""name":"{name}","arguments":{arguments}"#))
}

fn write(arguments: &str) -> String {
    call("write_file", arguments)
}

fn read(uri: &str) -> String {
    request("resources/read", &format!(r#""uri":"{uri}""#))
}

/// `ping`, with the bytes `at` the end of the root object.
fn ping(members: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping"{members}}}"#)
}

pub(super) fn all() -> Vec<Vector> {
    [t1(), t2(), t3(), t4(), t5(), t6(), t7(), t8(), t9(), t10(), names(), t12()]
        .into_iter()
        .flatten()
        .collect()
}

/// Duplicate keys: first wins here, last wins there.
fn t1() -> Vec<Vector> {
    let mut t = Table::of(1);
    t.pass(call("search", r#"{"name":"shell","method":"x","arguments":{"name":"y"}}"#));
    t.pass(
        call("search", r#"[{"a":1},{"a":1}]"#).replace("[{", "{\"l\":[{").replace("}]}}", "}]}}}"),
    );
    t.pass(write(r#"{"path":"/sandbox/a","x":{"path":"/etc/passwd"}}"#));
    t.refused("duplicate_key", request("tools/call", r#""name":"search","name":"shell""#));
    t.unseen("duplicate_key", request("tools/call", r#""x":1,"x":1,"name":"search""#));
    t.refused("duplicate_key", request("tools/call", r#""name":"search","n\u0061me":"shell""#));
    t.denied(request("tools/call", r#""name":"shell""#));
    t.refused("duplicate_key", ping(r#","method":"tools/call","params":{"name":"shell"}"#));
    t.refused("duplicate_key", ping(r#","id":2"#));
    t.refused("duplicate_key", ping(r#","jsonrpc":"2.0""#));
    t.refused("duplicate_key", ping(r#","params":{},"params":{}"#));
    t.refused("duplicate_key", ping(r#","x":{"y":[{"z":0,"z":0}]}"#));
    t.refused("duplicate_key", ping(r#","\u0000":0,"\u0000":0"#));
    t.refused("duplicate_key", ping(r#","é":0,"\u00e9":0"#));
    t.refused("duplicate_key", ping(r#","":0,"":0"#));
    t.refused("duplicate_key", ping(r#","\/":0,"/":0"#));
    t.unseen(
        "duplicate_key",
        write(r#"{"path":"/etc/passwd","path":"/sandbox/a"}"#)
            .replace("/etc/passwd\"", "/sandbox/b\",\"path\":\"/etc/passwd\"")
            .replace(r#","path":"/sandbox/a""#, "")
            .replace(r#""name":"write_file","#, "")
            .replace("}}}", r#"},"name":"write_file"}}"#),
    );
    t.refused("duplicate_key", write(r#"{"path":"/sandbox/a","path":"/etc/passwd"}"#));
    t.refused(
        "duplicate_key",
        write(r#"{"path":"/sandbox/a","options":{"force":false,"force":true}}"#),
    );
    t.unseen(
        "duplicate_key",
        request("tools/call", r#""arguments":{},"arguments":{},"name":"search""#),
    );
    t.refused("duplicate_key", request("tools/call", &format!(r#""name":"search",{META},{META}"#)))
        .modern("tools/call", "search");
    t.take()
}

/// Keys that only look like protocol keys, and keys that are them though they look different.
fn t2() -> Vec<Vector> {
    let mut t = Table::of(2);
    t.pass(r#"{"\u006asonrpc":"2.0","\u0069d":1,"m\u0065thod":"tools\/call","par\u0061ms":{"\u006eame":"search"}}"#);
    t.pass(call("search", r#"{"Name":"shell","METHOD":1,"name ":2}"#));
    t.pass(request(
        "tools/call",
        r#""name":"search","nome":"shell","names":["shell"],"na.me":"x""#,
    ));
    t.pass(ping(r#","methods":"tools/call","parameters":{"name":"shell"},"ids":5"#));
    t.denied(r#"{"\u006asonrpc":"2.0","\u0069d":1,"m\u0065thod":"tools/call","params":{"\u006eame":"\u0073hell"}}"#);
    let root = [
        "Method",
        "METHOD",
        "methoD",
        "mEthod",
        "method ",
        " method",
        "method\\u0000",
        "method\\t",
        "me\\u200bthod",
        "\\ufeffmethod",
        "method\\u00a0",
        "ｍethod",
        "\\uff4dethod",
        "met\\u00adhod",
        "m_ethod",
        "me-thod",
        "Jsonrpc",
        "JSONRPC",
        "j\\u017fonrpc",
        "json_rpc",
        "ID",
        "Id",
        "iD",
        "\\u0130d",
        "\\u0131d",
        "Params",
        "PARAMS",
        "param\\u017f",
        "params\\u0000",
        "param\\u02e2",
        "Result",
        "re\\u017fult",
        "ERROR",
        "error\\u0000",
    ];
    for key in root {
        t.refused("folded_key", ping(&format!(r#","{key}":"tools/call""#)));
    }
    // First in the body, it is seen before anything leaves.
    t.unseen("folded_key", r#"{"Method":"tools/call","jsonrpc":"2.0","id":1,"method":"ping"}"#);
    t.unseen(
        "folded_key",
        r#"{"METHOD":"tools/call","params":{"name":"shell"},"jsonrpc":"2.0","id":1}"#,
    );
    let params = [
        "Name",
        "NAME",
        "name\\u0000",
        "na\\u200dme",
        "nam\\u0435x",
        "Arguments",
        "argument\\u017f",
        "_Meta",
        "meta",
        "URI",
        "uri ",
        "taskid",
        "tas\\u212aId",
        "TaskID",
        "Ref",
        "Cursor",
        "input_responses",
        "requeststate",
        "protocol_version",
    ];
    for key in params {
        let body = request("tools/call", &format!(r#""name":"search","{key}":"shell""#));
        // A Cyrillic letter is another letter to every parser.
        if key.contains("0435") {
            t.pass(body)
        } else {
            t.refused("folded_key", body)
        };
    }
    let meta = [
        "io.modelcontextprotocol/ProtocolVersion",
        "io.modelcontextprotocol/protocolversion",
        "io.modelcontextprotocol/protocolVersion\\u0000",
        "IO.modelcontextprotocol/clientCapabilities",
    ];
    for key in meta {
        t.refused(
            "folded_key",
            request("tools/call", &format!(r#""name":"search","_meta":{{"{key}":"2026-07-28"}}"#)),
        );
    }
    t.pass(request(
        "tools/call",
        r#""name":"search","_meta":{"com.example/protocolVersion":"2026-07-28","progressToken":1}"#,
    ));
    for key in ["Type", "NAME", "Uri", "typ\\u0435"] {
        let body = request(
            "completion/complete",
            &format!(
                r#""ref":{{"{key}":"ref/prompt","type":"ref/resource","uri":"doc://public/a"}}"#
            ),
        );
        if key.contains("0435") {
            t.pass(body)
        } else {
            t.unseen("folded_key", body)
        };
    }
    // What a JavaScript server finds in an object, though it is not a member of it.
    t.pass(call("search", r#"{"__proto__":{"q":1}}"#));
    t.refused("folded_key", ping(r#","__proto__":{"method":"tools/call"}"#));
    t.refused(
        "folded_key",
        request("tools/call", r#""name":"search","__proto__":{"arguments":{}}"#),
    );
    t.refused(
        "folded_key",
        write(r#"{"path":"/sandbox/a","__proto__":{"options":{"force":true}}}"#),
    );
    t.refused(
        "folded_key",
        write(r#"{"path":"/sandbox/a","options":{"__pr\u006fto__":{"force":true}}}"#),
    );
    t.unseen("folded_key", write(r#"{"__proto__":{"path":"/etc/passwd"},"path":"/sandbox/a"}"#));
    // Arguments that a rule reads: here the decision rests on the member's exact name.
    t.pass(write(r#"{"path":"/sandbox/a","content":"x","PATHS":1}"#));
    t.pass(call("search", r#"{"Path":"/etc/passwd","path":"x"}"#));
    t.refused("folded_key", write(r#"{"path":"/sandbox/a","Path":"/etc/passwd"}"#));
    t.unseen("folded_key", write(r#"{"Path":"/etc/passwd","path":"/sandbox/a"}"#));
    t.unseen("folded_key", write(r#"{"PATH\u0000":"/etc/passwd","path":"/sandbox/a"}"#));
    t.refused(
        "folded_key",
        write(r#"{"path":"/sandbox/a","options":{"force":false,"Force":true}}"#),
    );
    t.refused("folded_key", write(r#"{"path":"/sandbox/a","Options":{"force":true}}"#));
    t.unseen(
        "folded_key",
        request(
            "tools/call",
            r#""arguments":{"pa_th":"/etc/passwd","path":"/sandbox/a"},"name":"write_file""#,
        ),
    );
    t.take()
}

/// Bytes that parsers read differently or not at all.
fn t3() -> Vec<Vector> {
    let mut t = Table::of(3);
    t.pass(call("search", "{\"q\":\"größe 漢 🦀 \u{7f}\u{2028}\"}"));
    t.pass(call("search", r#"{"q":"\ud83e\udd80\u0000\/\b"}"#));
    t.pass(ping("").replace(':', " :\r\n\t"));
    let in_argument = |bytes: &[u8]| {
        let body = call("search", r#"{"q":"@"}"#);
        let (a, b) = body.split_once('@').unwrap();
        [a.as_bytes(), bytes, b.as_bytes()].concat()
    };
    let bytes: [&[u8]; 16] = [
        b"\xff",
        b"\xc3",
        b"\x80",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xc1\xbf",
        b"\xed\xa0\x80",
        b"\xed\xb0\x80",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\0",
        b"\n",
        b"\t",
        b"\x1f",
        b"\\ud800",
        b"\\udc00x",
    ];
    for bytes in bytes {
        t.refused("parse_error", in_argument(bytes));
        t.unseen(
            "parse_error",
            [b"{\"params\":{\"name\":\"sea", bytes, b"rch\"},\"method\":\"tools/call\"}"].concat(),
        );
    }
    for escape in ["\\x41", "\\u00g0", "\\u+041", "\\'", "\\U0041", "\\u12"] {
        t.refused("parse_error", in_argument(escape.as_bytes()));
    }
    let body = call("search", "{}");
    t.unseen("parse_error", [b"\xef\xbb\xbf", body.as_bytes()].concat());
    t.unseen("parse_error", body.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    t.unseen("parse_error", body.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
    t.unseen(
        "parse_error",
        body.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect::<Vec<_>>(),
    );
    t.unseen("parse_error", format!("\u{b}{body}"));
    t.unseen("parse_error", format!("\u{a0}{body}"));
    t.unseen("parse_error", format!("\0{body}"));
    t.unseen("parse_error", format!("/**/{body}"));
    t.unseen("parse_error", format!("//\n{body}"));
    t.unseen("parse_error", body.replace('"', "'"));
    t.refused("parse_error", body.replace("{}", "{,}"));
    t.refused("parse_error", body.replace("{}", "{\"a\":1,}"));
    t.refused("parse_error", body.replace("{}", "{\"a\":NaN}"));
    t.refused("parse_error", body.replace("{}", "{\"a\":01}"));
    t.refused("parse_error", body.replace("{}", "{\"a\":+1}"));
    t.refused("parse_error", body.replace("{}", "{\"a\":.5}"));
    t.refused("parse_error", body.replace("{}", "{\"a\":0x1}"));
    t.refused("parse_error", body.replace("{}", "{a:1}"));
    t.refused("parse_error", body.replace("{}", "{\"a\":True}"));
    t.take()
}

/// Ids that come back as another value.
fn t4() -> Vec<Vector> {
    let mut t = Table::of(4);
    let with = |id: &str| format!(r#"{{"jsonrpc":"2.0","method":"ping","id":{id}}}"#);
    let good = [
        "0",
        "1",
        "-7",
        "9007199254740991",
        "-9007199254740991",
        "\"\"",
        "\"1\"",
        "\"a\\u0000b\"",
        "\"\\ud83e\\udd80\"",
    ];
    for id in good {
        t.pass(with(id));
    }
    t.pass(with(&format!("\"{}\"", "x".repeat(256))));
    let bad = [
        "1.0",
        "1e0",
        "1E2",
        "0.5",
        "-0",
        "9007199254740992",
        "-9007199254740992",
        "18446744073709551617",
        "null",
        "true",
        "{}",
        "[1]",
        "[[\"id\"]]",
        "{\"id\":1}",
    ];
    for id in bad {
        t.refused("bad_id", with(id));
        t.unseen("bad_id", format!(r#"{{"id":{id},"jsonrpc":"2.0","method":"ping"}}"#));
    }
    t.refused("bad_id", with(&format!("\"{}\"", "x".repeat(257))));
    t.refused("bad_id", with(&format!("\"{}\"", "\\u0078".repeat(43))));
    t.refused("number_too_long", with(&"1".repeat(65)));
    t.take()
}

/// Shapes that are expensive to parse.
fn t5() -> Vec<Vector> {
    let mut t = Table::of(5);
    // Root, params and arguments are three of the 64.
    let nested = |depth: usize| {
        call("search", &format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth)))
    };
    t.pass(nested(61));
    t.refused("too_deep", nested(62));
    t.refused("too_deep", call("search", &"{\"a\":".repeat(200)));
    let keyed = |bytes: usize| call("search", &format!("{{\"{}\":1}}", "k".repeat(bytes)));
    t.pass(keyed(1024));
    t.refused("key_too_long", keyed(1025));
    let number = |digits: usize| call("search", &format!("{{\"n\":{}}}", "9".repeat(digits)));
    t.pass(number(64));
    t.refused("number_too_long", number(65));
    t.refused("method_too_long", request(&"m".repeat(129), ""));
    t.denied(request(&"m".repeat(128), ""));
    t.take()
}

/// Batches.
fn t6() -> Vec<Vector> {
    let mut t = Table::of(6);
    let body = call("shell", "{}");
    t.pass(call("search", &format!("{{\"batch\":[{body},{body}]}}")));
    let good = call("search", "{}");
    let two = good.replace("\"id\":1", "\"id\":2");
    let note = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"z"}}"#;
    let answer = r#"{"jsonrpc":"2.0","id":7,"result":{"method":"tools/call"}}"#;
    let handshake = request("initialize", r#""protocolVersion":"2025-03-26""#);
    let listen = request("subscriptions/listen", r#""notifications":{}"#);
    let modern = request("tools/call", &format!(r#""name":"search",{META}"#));
    let quiet =
        format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{{META}}}}}"#);
    let folded = r#"{"jsonrpc":"2.0","id":9,"Method":"tools/call"}"#;
    // Only one revision has batches; nobody else's server may get one (TypeScript's would take it).
    for batch in [&body, &good, note, answer, "", "[]", &format!("[{body}]"), "1"] {
        for version in ["2024-11-05", "2025-06-18", "2025-11-25", MODERN, "2099-01-01"] {
            t.unseen("batch_unsupported", format!(" \t\r\n[{batch}]")).with(VERSION, version);
        }
        t.unseen("header_mismatch", format!("[{batch}]")).with("mcp-method", "tools/call");
        t.unseen("header_mismatch", format!("[{batch}]")).with("mcp-name", "search");
    }
    for version in [None, Some("2025-03-26")] {
        let with = |t: &mut Table| {
            if let Some(version) = version {
                t.with(VERSION, version);
            }
        };
        for batch in [
            format!("[{good}]"),
            format!(" \n[ {good}\t,{two} ]\r\n"),
            format!("[{note}]"),
            format!("[{note},{good},{note},{two}]"),
            format!("[{answer}]"),
            format!("[{answer},{}]", answer.replace('7', "\"7\"")),
            format!(
                "[{}]",
                (1..=20)
                    .map(|n| good.replacen('1', &n.to_string(), 1))
                    .collect::<Vec<_>>()
                    .join(",")
            ),
        ] {
            t.pass(batch);
            with(&mut t);
        }
        for batch in [
            format!("[{body}]"),
            format!("[{two},{body}]"),
            format!("[{body},{two}]"),
            format!("[{note},{two},{body},{note}]"),
            format!("[{two},{}]", write(r#"{"path":"/etc/passwd"}"#)),
            format!(r#"[{two},{{"jsonrpc":"2.0","method":"notifications/strange"}}]"#),
        ] {
            t.denied(batch);
            with(&mut t);
        }
        for (slug, batch) in [
            ("batch_empty", "[]".to_owned()),
            ("batch_empty", "[ ]".to_owned()),
            ("not_an_object", "[[]]".to_owned()),
            ("not_an_object", format!("[[{good}]]")),
            ("not_an_object", format!("[{two},[{good}]]")),
            ("not_an_object", format!("[1,{good}]")),
            ("not_an_object", format!("[{good},null]")),
            ("not_an_object", "[\"x\"]".to_owned()),
            ("batch_too_long", format!("[{}]", vec![note; 21].join(","))),
            ("batch_too_long", format!("[{}{body}]", format!("{note},").repeat(20))),
            ("batch_mixed", format!("[{good},{answer}]")),
            ("batch_mixed", format!("[{answer},{note}]")),
            ("batch_duplicate_id", format!("[{good},{good}]")),
            ("batch_duplicate_id", format!("[{good},{note},{body}]")),
            ("batch_duplicate_id", format!("[{answer},{answer}]")),
            (
                "batch_duplicate_id",
                format!(
                    "[{},{}]",
                    good.replace(":1,", ":\"a\","),
                    good.replace(":1,", ":\"\\u0061\",")
                ),
            ),
            ("batch_member", format!("[{handshake}]")),
            ("batch_member", format!("[{two},{handshake}]")),
            ("batch_member", format!("[{listen}]")),
            ("folded_key", format!("[{good},{folded}]")),
            (
                "folded_key",
                format!(
                    "[{good},{}]",
                    write(r#"{"path":"/sandbox/a","Path":"/etc"}"#).replace(":1,", ":2,")
                ),
            ),
            ("id_missing", format!("[{good},{}]", two.replace("\"id\":2,", ""))),
            ("bad_id", format!("[{good},{}]", two.replace(":2,", ":null,"))),
            (
                "request_and_response",
                format!("[{}]", good.replace("\"id\"", "\"result\":1,\"id\"")),
            ),
            ("uri_dot_segment", format!("[{two},{}]", read("doc://public/../secret"))),
            ("duplicate_key", format!("[{good},{}]", two.replace("\"id\":2", "\"id\":2,\"id\":2"))),
            ("parse_error", format!("[{good},]")),
            ("parse_error", format!("[{good}")),
            ("parse_error", format!("[{good}}}")),
            ("trailing_bytes", format!("[{good}][{body}]")),
            ("trailing_bytes", format!("[{good}]{body}")),
            ("trailing_space", format!("[{good}]{}", " ".repeat(1025))),
        ] {
            // Of what is wrong behind the bracket the upstream has seen no complete message.
            if slug.starts_with("trailing") {
                t.refused(slug, batch);
            } else {
                t.unseen(slug, batch);
            }
            with(&mut t);
        }
        // A message of another revision inside: where the header names none the envelope is short of it.
        let slug = if version.is_none() { "header_missing" } else { "header_mismatch" };
        t.unseen(slug, format!("[{two},{modern}]"));
        with(&mut t);
        let slug = if version.is_none() { "batch_member" } else { "header_mismatch" };
        t.unseen(slug, format!("[{two},{quiet}]"));
        with(&mut t);
    }
    // All of it waits, and so is as much as may wait.
    let wide =
        |pad: usize| format!("[{}]", call("search", &format!(r#"{{"q":"{}"}}"#, "q".repeat(pad))));
    let room = (64 << 10) - wide(0).len();
    t.pass(wide(room));
    t.unseen("hold_exceeded", wide(room + 1));
    t.unseen("parse_error", format!("\u{b}[{body}]"));
    t.unseen("not_an_object", format!("\"[{}]\"", body.replace('"', "'")));
    t.refused("trailing_bytes", format!("{good}[{body}]"));
    t.refused("trailing_bytes", format!("{good},{body}"));
    t.refused("params_not_object", request("tools/call", "").replace("{}", "[\"shell\"]"));
    t.take()
}

/// Messages that are one thing here and another there.
fn t7() -> Vec<Vector> {
    let mut t = Table::of(7);
    t.pass(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    t.pass(
        r#"{"jsonrpc":"2.0","id":3,"result":{"method":"tools/call","params":{"name":"shell"}}}"#,
    );
    t.pass(r#"{"jsonrpc":"2.0","id":3,"error":{"code":1,"message":"x"}}"#)
        .with(VERSION, "2025-06-18");
    t.unseen("response_unsupported", r#"{"jsonrpc":"2.0","id":3,"result":{}}"#)
        .with(VERSION, MODERN);
    t.unseen("response_unsupported", r#"{"id":3,"error":{},"jsonrpc":"2.0"}"#)
        .with(VERSION, MODERN);
    t.unseen("header_mismatch", r#"{"jsonrpc":"2.0","id":3,"result":{}}"#)
        .with("mcp-method", "tools/call");
    let shapes = [
        r#""method":"tools/call","params":{"name":"search"},"result":{}"#,
        r#""method":"ping","error":{}"#,
        r#""result":{},"method":"tools/call","params":{"name":"shell"}"#,
        r#""result":{},"error":{}"#,
        r#""error":{},"result":{}"#,
        r#""result":{},"params":{"name":"shell"}"#,
    ];
    for shape in shapes {
        t.refused("request_and_response", format!(r#"{{"jsonrpc":"2.0","id":1,{shape}}}"#));
    }
    t.unseen(
        "request_and_response",
        r#"{"jsonrpc":"2.0","params":{"name":"shell"},"result":{},"method":"tools/call","id":1}"#,
    );
    for method in ["tools/list", "ping", "initialize"] {
        t.refused("id_missing", format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#));
    }
    t.unseen("id_missing", r#"{"jsonrpc":"2.0","method":"x"}"#);
    t.refused("id_missing", call("search", "{}").replace("\"id\":1,", ""));
    t.unseen("id_missing", call("shell", "{}").replace("\"id\":1,", ""));
    for method in [
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/tools/call",
        "notifications/",
    ] {
        t.unseen(
            "notification_with_id",
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#),
        );
    }
    t.refused(
        "notification_with_id",
        r#"{"jsonrpc":"2.0","method":"notifications/initialized","id":1}"#,
    );
    for method in [
        "Tools/call",
        "TOOLS/CALL",
        "tools/call ",
        "tools/call\\u0000",
        "tools//call",
        "/tools/call",
        "tools\\\\call",
        "tools/Call",
        "tools／call",
    ] {
        t.denied(request(method, r#""name":"search""#));
    }
    t.unseen("method_not_string", r#"{"jsonrpc":"2.0","id":1,"method":["tools/call"]}"#);
    t.unseen("method_not_string", r#"{"jsonrpc":"2.0","id":1,"method":null,"params":{}}"#);
    t.unseen("method_missing", r#"{"jsonrpc":"2.0","id":1,"params":{"name":"shell"}}"#);
    t.refused("jsonrpc_version", ping("").replace("2.0", "1.0"));
    t.refused("jsonrpc_version", ping("").replace("\"2.0\"", "2.0"));
    t.refused("jsonrpc_version", ping("").replace(r#""jsonrpc":"2.0","#, ""));
    t.unseen("target_missing", request("tools/call", r#""arguments":{"name":"search"}"#));
    t.unseen("target_missing", request("prompts/get", r#""uri":"x""#));
    t.unseen("target_missing", request("resources/read", r#""name":"x""#));
    t.unseen("target_not_string", request("tools/call", r#""name":["search"]"#));
    t.unseen("target_not_string", request("tools/call", r#""name":{"name":"search"}"#));
    t.unseen("target_not_string", request("resources/read", r#""uri":null"#));
    t.unseen("target_too_long", call(&"s".repeat(8193), "{}"));
    t.refused("arguments_not_object", call("search", "[]"));
    t.refused("arguments_not_object", call("search", "null"));
    t.refused("arguments_not_object", call("search", r#""{}""#));
    t.refused("meta_not_object", request("tools/call", r#""name":"search","_meta":[]"#));
    t.take()
}

/// What comes after the message seemed complete.
fn t8() -> Vec<Vector> {
    let mut t = Table::of(8);
    let body = call("search", "{}");
    t.pass(format!("{body}\r\n \t"));
    t.pass(format!("\r\n \t{body}"));
    for tail in [
        "}",
        "]",
        "{}",
        "x",
        "\u{0}",
        "\u{b}",
        "\u{a0}",
        "\u{feff}",
        "null",
        "\"",
        ",",
        "\n\n{\"method\":\"tools/call\"}",
        "#",
        "/**/",
    ] {
        t.refused("trailing_bytes", format!("{body}{tail}"));
        t.refused("trailing_bytes", format!("{body} \n{tail}"));
    }
    t.refused("trailing_space", format!("{body}{}", " ".repeat(1025)));
    t.refused("parse_error", &body[..body.len() - 1]);
    t.refused("parse_error", &body[..body.len() - 10]);
    t.unseen("parse_error", "");
    t.unseen("parse_error", " ");
    // Late members of the root: the call was decided long before.
    t.refused(
        "duplicate_key",
        body.replace("}}}", &format!("}}}},\"a\":\"{}\",\"method\":\"x\"}}", "p".repeat(500))),
    );
    t.refused(
        "folded_key",
        body.replace("}}}", &format!("}}}},\"a\":\"{}\",\"PARAMS\":{{}}}}", "p".repeat(500))),
    );
    t.refused("bad_id", body.replace("\"id\":1,", "").replace("}}}", "}},\"id\":1.5}"));
    t.refused("id_missing", body.replace("\"id\":1,", ""));
    t.refused(
        "jsonrpc_version",
        body.replace("\"jsonrpc\":\"2.0\",", "").replace("}}}", "}},\"jsonrpc\":\"2\"}"),
    );
    t.take()
}

/// Headers that say something else than the body.
fn t9() -> Vec<Vector> {
    let mut t = Table::of(9);
    let modern = |name: &str| request("tools/call", &format!(r#""name":"{name}",{META}"#));
    let reversed = format!(
        r#"{{"params":{{{META},"arguments":{{}},"name":"search"}},"method":"tools/call","id":9,"jsonrpc":"2.0"}}"#
    );
    t.pass(modern("search")).modern("tools/call", "search");
    t.pass(modern("search")).modern("tools/call", " search\t");
    t.pass(modern("search")).modern("tools/call", "=?base64?c2VhcmNo?=");
    t.pass(modern("größe")).modern("tools/call", "=?base64?Z3LDtsOfZQ==?=");
    t.pass(reversed.clone()).modern("tools/call", "search");
    // Legacy requests need none of them, and may not contradict them.
    t.pass(call("search", "{}")).with("mcp-method", "tools/call").with("mcp-name", "search");
    t.unseen("header_mismatch", call("search", "{}")).with("mcp-method", "tools/list");
    t.unseen("header_mismatch", call("search", "{}")).with("mcp-name", "shell");
    t.unseen("header_mismatch", call("shell", "{}")).with("mcp-name", "search");
    t.unseen("header_mismatch", reversed.replace("search", "shell")).modern("tools/call", "search");
    t.unseen("header_mismatch", reversed).modern("tools/call", "shell");
    for (method, name) in [
        ("TOOLS/CALL", "search"),
        ("tools/list", "search"),
        ("=?base64?dG9vbHMvY2FsbA==?=", "search"),
        ("", "search"),
        ("tools/call", "Search"),
        ("tools/call", "search,search"),
        ("tools/call", ""),
        ("tools/call", "=?base64??="),
        ("tools/call", "=?BASE64?c2VhcmNo?="),
        ("tools/call", "=?base64?c2VhcmNo"),
        ("tools/call", "=?base64?PT9iYXNlNjQ/YzJWaGNtTm8/PQ==?="),
        ("tools/call", "%73earch"),
    ] {
        t.unseen("header_mismatch", modern("search")).modern(method, name);
    }
    t.unseen("header_missing", modern("search"))
        .with(VERSION, MODERN)
        .with("mcp-method", "tools/call");
    t.unseen("header_missing", modern("search")).with(VERSION, MODERN).with("mcp-name", "search");
    t.refused("header_missing", modern("search"));
    t.unseen("header_mismatch", request("tools/list", META)).modern("tools/list", "search");
    t.pass(request("tools/list", META)).with(VERSION, MODERN).with("mcp-method", "tools/list");
    t.pass(request("tools/list", r#""name":"x""#)).with("mcp-name", "x");
    t.unseen("header_mismatch", request("tools/list", r#""name":"y""#)).with("mcp-name", "x");
    t.unseen("header_mismatch", request("tools/list", r#""cursor":"x""#)).with("mcp-name", "x");
    t.unseen(
        "header_mismatch",
        request("resources/read", r#""uri":"doc://public/a","name":"doc://public/b""#),
    )
    .with("mcp-name", "doc://public/b");
    t.take()
}

/// Another revision than the one that was judged.
fn t10() -> Vec<Vector> {
    let mut t = Table::of(10);
    let versions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
    for version in versions {
        t.pass(call("search", "{}")).with(VERSION, version);
        t.denied(call("shell", "{}")).with(VERSION, version);
        t.denied(write(r#"{"path":"/etc/passwd"}"#)).with(VERSION, version);
        // The TypeScript SDK would take it as modern, the Python SDK as legacy.
        t.refused("header_mismatch", request("tools/call", &format!(r#""name":"search",{META}"#)))
            .with(VERSION, version);
    }
    t.pass(call("search", "{}"));
    t.denied(call("shell", "{}"));
    t.denied(request("tools/call", &format!(r#""name":"shell",{META}"#)))
        .modern("tools/call", "shell");
    t.refused("envelope_missing", call("search", "{}")).modern("tools/call", "search");
    let meta = |version: &str, capabilities: &str| {
        let version = format!(r#""io.modelcontextprotocol/protocolVersion":{version}"#);
        let capabilities =
            format!(r#""io.modelcontextprotocol/clientCapabilities":{capabilities}"#);
        request("tools/call", &format!(r#""name":"search","_meta":{{{version},{capabilities}}}"#))
    };
    let ours = r#""2026-07-28""#;
    t.pass(meta(ours, "{}")).modern("tools/call", "search");
    for body in [
        meta("[]", "{}"),
        meta("null", "{}"),
        meta(r#"{"v":"2026-07-28"}"#, "{}"),
        meta(ours, "[]"),
        meta(ours, "null"),
        meta(ours, "{}").replace("protocolVersion", "protocolRevision"),
        meta(ours, "{}").replace("clientCapabilities", "capabilities"),
    ] {
        t.refused("envelope_missing", body).modern("tools/call", "search");
    }
    t.refused("header_mismatch", meta(r#""2026-08-28""#, "{}")).modern("tools/call", "search");
    t.refused("header_mismatch", meta(r#""2026-07-28 ""#, "{}")).modern("tools/call", "search");
    t.unseen("header_mismatch", meta(ours, "{}")).with(VERSION, "2099-01-01");
    t.unseen("version_unsupported", meta(r#""2099-01-01""#, "{}"))
        .with(VERSION, "2099-01-01")
        .with("mcp-method", "tools/call")
        .with("mcp-name", "search");
    t.unseen("version_unsupported", call("search", "{}")).with(VERSION, "2025-06-19");
    t.unseen("version_unsupported", call("search", "{}")).with(VERSION, "draft");
    t.unseen("version_unsupported", call("search", "{}")).with(VERSION, "");
    t.pass(request("initialize", r#""protocolVersion":"2025-06-18","capabilities":{}"#));
    t.pass(request("initialize", r#""protocolVersion":"2099-01-01""#));
    t.unseen(
        "header_missing",
        request("initialize", &format!(r#""protocolVersion":"2025-06-18",{META}"#)),
    );
    t.take()
}

/// Names that a person, or a server, takes for another (run with two policies).
pub(super) fn names() -> Vec<Vector> {
    let mut t = Table::of(11);
    t.pass(call("search", "{}"));
    t.pass(call("se\\u0061rch", "{}"));
    let variants = [
        "Shell",
        "SHELL",
        "sHELL",
        "shell ",
        " shell",
        "shell\\u0000",
        "shell\\t",
        "s\\u200bhell",
        "\\ufeffshell",
        "she\\u00adll",
        "ｓｈｅｌｌ",
        "\\uff53hell",
        "ſhell",
        "\\u017fhell",
        "shell\\u200d",
        "\\u202eshell",
        "shell\\ufe0f",
        "s\\u2060hell",
        "shell\\u00a0",
        "ѕhell",
        "shеll",
        "sh\\u0435ll",
        "ꜱhell",
        "shel\\u217c",
        "she\\u2113l",
        "she\\u006cl",
    ];
    for name in variants {
        t.denied(call(name, "{}"));
    }
    t.take()
}

/// URIs that a server resolves to another resource: refused through every door, each beside a neighbour that passes.
fn t12() -> Vec<Vector> {
    let mut t = Table::of(12);
    let listen = |uris: &str| {
        let filter = format!(r#""notifications":{{"resourceSubscriptions":[{uris}]}},{META}"#);
        request("subscriptions/listen", &filter)
    };
    let listening = |t: &mut Table| {
        t.with(VERSION, MODERN).with("mcp-method", "subscriptions/listen");
    };
    let complete = |uri: &str| {
        request("completion/complete", &format!(r#""ref":{{"type":"ref/resource","uri":"{uri}"}}"#))
    };
    let subscribe = |method: &str, uri: &str| request(method, &format!(r#""uri":"{uri}""#));
    for uri in [
        "doc://public/a",
        "doc://public/a/b.txt",
        "doc:\\/\\/public\\/a%20b",
        "doc://public/..a/b..",
        "doc://public/.../%C3%A9",
        "doc://public/100%25",
        "doc://public/c%3A/a",
        "doc://public/a?b=../c",
        "doc://public/a@b",
        "doc://public/\\u0061",
    ] {
        t.pass(read(uri));
        t.pass(complete(uri));
        t.pass(subscribe("resources/subscribe", uri));
        t.pass(subscribe("resources/unsubscribe", uri));
        t.pass(listen(&format!(r#""doc://public/x","{uri}""#)));
        listening(&mut t);
    }
    t.pass(complete("doc://public/{a}/{b}"));
    t.unseen("uri_character", read("doc://public/{a}"));
    t.unseen("uri_template", complete("doc://public/{a"));
    t.unseen("uri_encoded_brace", complete("doc://public/%7Ba%7D"));
    t.pass(read("doc://public/%7Ba%7D"));
    t.unseen("uri_dot_segment", complete("doc://public/../{a}"));
    // Canonical, and not public: names and hosts are compared whole.
    for uri in [
        "doc://secret/a",
        "doc://public",
        "doc://publicx/a",
        "doc://public.evil/a",
        "doc://PUBLIC/a",
        "doc:/public/a",
        "doc:public/a",
        "xdoc://public/a",
    ] {
        t.denied(read(uri));
        t.denied(complete(uri));
        t.denied(subscribe("resources/subscribe", uri));
        t.denied(listen(&format!(r#""doc://public/a","{uri}""#)));
        listening(&mut t);
    }
    for (slug, uri) in [
        ("uri_dot_segment", "doc://public/../secret/a"),
        ("uri_dot_segment", "doc://public/a/../../secret"),
        ("uri_dot_segment", "doc://public/./a"),
        ("uri_dot_segment", "doc://public/.."),
        ("uri_dot_segment", "doc://public/\\u002e\\u002e/secret"),
        ("uri_dot_segment", "doc://public/%2e%2e/secret"),
        ("uri_dot_segment", "doc://public/%2E%2E/secret"),
        ("uri_dot_segment", "doc://public/.%2e/secret"),
        ("uri_dot_segment", "doc://public/%2e"),
        ("uri_dot_segment", "doc://public/..;/secret"),
        ("uri_dot_segment", "doc://public/%EF%BC%8E%EF%BC%8E/secret"),
        ("uri_dot_segment", "doc://secret/../public/a"),
        ("uri_encoded_separator", "doc://public/a%2f..%2f..%2fsecret"),
        ("uri_encoded_separator", "doc://public/a%2Fb"),
        ("uri_encoded_separator", "doc://public/a%5cb"),
        ("uri_character", "doc://public\\\\..\\\\secret"),
        ("uri_character", "doc://public/a\\u0000"),
        ("uri_character", " doc://public/a"),
        ("uri_character", "doc://public/a\\n"),
        ("uri_character", "doc://public/a b"),
        ("uri_character", "doc://public/\\u00e9"),
        ("uri_character", "doc://public/．．/secret"),
        ("uri_character", "doc://public/a#/../secret"),
        ("uri_double_encoding", "doc://public/%252e%252e/secret"),
        ("uri_double_encoding", "doc://public/a%252fb"),
        ("uri_not_utf8", "doc://public/%C0%AE%C0%AE/secret"),
        ("uri_escape_case", "doc://public/%c0%ae%c0%ae/secret"),
        ("uri_encoded_control", "doc://public/a%00"),
        ("uri_encoded_control", "doc://public/a%0a"),
        ("uri_user_info", "doc://x@public/a"),
        ("uri_user_info", "doc://public@evil/a"),
        ("uri_scheme_case", "DOC://public/a"),
        ("uri_scheme", "//public/a"),
        ("uri_scheme", "../public/a"),
        ("uri_scheme", ""),
        ("uri_needless_escape", "doc://public/%7e"),
        ("uri_escape", "doc://public/%zz"),
        ("uri_empty_segment", "doc://public/a//b"),
        ("uri_empty_segment", "doc://public//a"),
        ("uri_host", "doc://public./a"),
        ("uri_port", "doc://public:/a"),
        ("uri_no_path", "https://public"),
    ] {
        t.unseen(slug, read(uri));
        t.unseen(slug, complete(uri));
        t.unseen(slug, subscribe("resources/subscribe", uri));
        t.unseen(slug, subscribe("resources/unsubscribe", uri));
        t.unseen(slug, listen(&format!(r#""doc://public/a","{uri}""#)));
        listening(&mut t);
    }
    // One among more than are kept.
    let many = r#""doc://public/a","#.repeat(70);
    t.denied(listen(&format!(r#"{many}"doc://public/b""#)));
    listening(&mut t);
    t.unseen("uri_dot_segment", listen(&format!(r#"{many}"doc://public/../b""#)));
    listening(&mut t);
    t.take()
}
