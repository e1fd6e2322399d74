//! What a server asks of its client, in replies: fixtures at every split, failures, and a judge of the parsed reply as oracle.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use mcpfw::fuzz::reply::{Fate, Outcome, naive, options, run, same_in};
use mcpfw::inspect::response::{Framing, ReplyError, ReplyOptions};
use proptest::prelude::*;
use serde_json::{Value, json};

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

fn text(outcome: &Outcome) -> &str {
    std::str::from_utf8(&outcome.out).unwrap()
}

fn asked(outcome: &Outcome) -> Vec<(&str, Option<&str>, bool)> {
    let asked = outcome.asked.iter();
    asked
        .map(|(method, id, passes)| (&**method, id.as_ref().map(|id| id.as_raw()), *passes))
        .collect()
}

const SAMPLING: &str = r#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{"messages":[],"maxTokens":5}}"#;
const ROOTS: &str = r#"{"jsonrpc":"2.0","id":"r","method":"roots/list"}"#;
const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;

/// Messages of a legacy stream, and whether each passes.
const MESSAGES: &[(&str, bool)] = &[
    (RESULT, true),
    (ROOTS, true),
    (r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m"}}"#, true),
    (r#"{"method":"notifications/progress","params":{"progress":1}}"#, true),
    (r#"{"method":"notifications/sampling/createMessage"}"#, true),
    (r#"{"jsonrpc":"2.0","id":1}"#, true),
    (r#"{}"#, true),
    (r#"{"result":"sampling/createMessage"}"#, true),
    (r#"{"params":{"method":"sampling/createMessage"},"id":2,"method":"ping"}"#, true),
    (
        r#"{"id":3,"method":"elicitation/create","params":{"message":"m","requestedSchema":{}}}"#,
        true,
    ),
    (
        r#"{"id":3,"method":"elicitation/create","params":{"mode":"form","url":"https://evil.example/"}}"#,
        true,
    ),
    (
        r#"{"id":3,"method":"elicitation/create","params":{"mode":"url","url":"https://ok.example/"}}"#,
        true,
    ),
    (
        r#"{"params":{"url":"https:\/\/ok.example\/","mode":"\u0075rl"},"id":3,"method":"elicitation/create"}"#,
        true,
    ),
    (SAMPLING, false),
    (r#"{"method":"sampling\/createMessage","id":1}"#, false),
    (r#"{"params":{"a":[1,{"b":2}]},"id":1,"method":"sampling/createMessage"}"#, false),
    // A request without an id is still what it asks for.
    (r#"{"method":"sampling/createMessage"}"#, false),
    (
        r#"{"id":3,"method":"elicitation/create","params":{"mode":"url","url":"https://evil.example/"}}"#,
        false,
    ),
    (r#"{"id":3,"method":"elicitation/create","params":{"mode":"url"}}"#, false),
    (
        r#"{"id":3,"method":"elicitation/create","params":{"mode":"url","url":["https://ok.example/"]}}"#,
        false,
    ),
    (
        r#"{"id":3,"method":"elicitation/create","params":{"mode":"URL","url":"https://ok.example/"}}"#,
        false,
    ),
    (
        r#"{"id":3,"method":"elicitation/create","params":{"mode":null,"url":"https://evil.example/"}}"#,
        false,
    ),
    (
        r#"{"id":3,"method":"elicitation/create","params":{"mode":"url","url":"https://ok.example/","URL":"https://evil.example/"}}"#,
        false,
    ),
];

#[test]
fn messages_pass_or_go_whole() {
    for (message, passes) in MESSAGES {
        for (before, after) in
            [("", ""), ("id: 5\r\n", ": x\r\n"), ("event: message\n", "retry: 3\n")]
        {
            for carried in [message.to_string(), message.replace(",\"", ",\ndata: \"")] {
                let stream =
                    format!(": hi\n\n{before}data: {carried}\n{after}\ndata: {RESULT}\n\n");
                let got = outcome(Framing::EventStream, options(false, false), stream.as_bytes());
                assert_eq!(got.verdict, Ok(()), "{stream}");
                let expected = match passes {
                    true => stream.clone(),
                    false => format!(": hi\n\n{before}{after}\ndata: {RESULT}\n\n"),
                };
                assert_eq!(text(&got), expected, "{stream}");
            }
        }
        let fate = naive(&serde_json::from_str(message).unwrap());
        assert_eq!(fate != Fate::Goes, *passes, "the oracle: {message}");
    }
}

#[test]
fn who_asks_is_told_of_under_its_id() {
    let stream = format!(
        "data: {SAMPLING}\n\ndata: {ROOTS}\n\ndata: {RESULT}\n\ndata: {{\"method\":\"ping\"}}\n\n"
    );
    let got = outcome(Framing::EventStream, options(false, false), stream.as_bytes());
    assert_eq!(
        asked(&got),
        [
            ("sampling/createMessage", Some("7"), false),
            ("roots/list", Some("\"r\""), true),
            ("ping", None, true),
        ]
    );
}

#[test]
fn a_batch_loses_what_is_refused() {
    let note = r#"{"method":"notifications/x"}"#;
    let table = [
        (format!("[{SAMPLING}]"), "[]".to_owned()),
        (format!("[{SAMPLING},{RESULT}]"), format!("[{RESULT}]")),
        (format!("[ {RESULT} , {SAMPLING} ]"), format!("[ {RESULT} ]")),
        (format!("[{RESULT},{SAMPLING},{SAMPLING},{note}]"), format!("[{RESULT},{note}]")),
        (format!("[{note}, {ROOTS}]"), format!("[{note}, {ROOTS}]")),
        ("[]".to_owned(), "[]".to_owned()),
    ];
    for (before, after) in table {
        let got = outcome(Framing::Json, options(false, true), before.as_bytes());
        assert_eq!((got.verdict, text(&got)), (Ok(()), &*after), "{before}");
        let stream = |text: &str| format!("data: {text}\n\n");
        let got = outcome(Framing::EventStream, options(false, true), stream(&before).as_bytes());
        assert_eq!((got.verdict, text(&got)), (Ok(()), &*stream(&after)), "{before}");
        // Elsewhere there are none.
        let got = outcome(Framing::Json, options(false, false), before.as_bytes());
        assert_eq!(got.verdict, Err(ReplyError::NotAMessage));
        assert_eq!(text(&got), "");
    }
}

/// Modern results, and what comes of each: it passes, an error takes its place, or it is cut off.
#[test]
fn results_ask_for_input() {
    let form = r#"{"method":"elicitation/create","params":{"message":"m"}}"#;
    let sampling = r#"{"method":"sampling/createMessage","params":{}}"#;
    let passes = [
        r#"{"id":1,"result":{"resultType":"complete","content":[]}}"#.to_owned(),
        format!(
            r#"{{"id":1,"result":{{"resultType":"input_required","inputRequests":{{"k":{form}}},"requestState":"s"}}}}"#
        ),
        format!(
            r#"{{"id":1,"result":{{"_meta":{{}},"inputRequests":{{"k":{form},"l":{form}}},"resultType":"input_required"}}}}"#
        ),
        r#"{"id":1,"result":{"resultType":"input_required","requestState":"s"}}"#.to_owned(),
        // A task that asks, and some that do not.
        format!(
            r#"{{"id":1,"result":{{"resultType":"complete","taskId":"t","status":"input_required","ttlMs":1,"inputRequests":{{"k":{form}}}}}}}"#
        ),
        r#"{"id":1,"result":{"taskId":"t","status":"working","createdAt":"c"}}"#.to_owned(),
        r#"{"id":1,"result":{"taskId":"t","status":"input_required"}}"#.to_owned(),
        r#"{"method":"notifications/tasks","params":{"taskId":"t","status":"working"}}"#.to_owned(),
        r#"{"method":"notifications/tasks","params":{"status":"completed","result":{"content":[]}}}"#
            .to_owned(),
        r#"{"method":"notifications/tasks"}"#.to_owned(),
        r#"{"method":"notifications/tasks","params":[]}"#.to_owned(),
        format!(
            r#"{{"method":"notifications/tasks","params":{{"status":"input_required","inputRequests":{{"k":{form}}}}}}}"#
        ),
        r#"{"id":1,"result":{"inputRequests":{}}}"#.to_owned(),
        r#"{"id":1,"result":{"inputRequests":null}}"#.to_owned(),
        r#"{"id":1,"result":{}}"#.to_owned(),
        // Not where input requests stand.
        format!(
            r#"{{"id":1,"result":{{"structuredContent":{{"inputRequests":{{"k":{sampling}}}}}}}}}"#
        ),
    ];
    let replaced = [
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"input_required","inputRequests":{{"k":{sampling}}}}}}}"#),
        format!(r#"{{"result":{{"inputRequests":{{"a":{form},"k":{sampling},"z":{form}}},"tools":[{{}}],"content":[1]}},"id":1,"jsonrpc":"2.0"}}"#),
        format!(r#"{{"id":1,"result":{{"_meta":{{"x":1}},"requestState":"s","inputRequests":{{"k":{sampling}}}}}}}"#),
        r#"{"id":1,"result":{"inputRequests":{"k":{"params":{"mode":"url","url":"https://evil.example/"},"method":"elicitation/create"}}}}"#.to_owned(),
        r#"{"id":1,"result":{"inputRequests":{"k":{}}}}"#.to_owned(),
        format!(
            r#"{{"id":1,"result":{{"resultType":"complete","inputRequests":{{"k":{sampling}}}}}}}"#
        ),
        format!(
            r#"{{"id":1,"result":{{"resultType":"complete","taskId":"t","status":"input_required","statusMessage":"m","createdAt":"c","lastUpdatedAt":"u","ttlMs":1,"pollIntervalMs":2,"inputRequests":{{"k":{sampling}}}}}}}"#
        ),
        format!(
            r#"{{"id":1,"result":{{"taskId":"t","inputRequests":{{"k":{sampling}}},"status":"working"}}}}"#
        ),
    ];
    // A notification that asks goes, and nothing takes its place.
    let dropped = [
        format!(
            r#"{{"method":"notifications/tasks","params":{{"result":{{"inputRequests":{{"k":{sampling}}}}}}}}}"#
        ),
        format!(
            r#"{{"method":"notifications/tasks","params":{{"inputRequests":{{"k":{sampling}}}}}}}"#
        ),
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/tasks","params":{{"taskId":"t","status":"input_required","inputRequests":{{"a":{form},"k":{sampling}}}}}}}"#
        ),
    ];
    let cut = [
        // What it is comes too late.
        format!(r#"{{"id":1,"result":{{"content":[],"inputRequests":{{"k":{sampling}}}}}}}"#),
        format!(
            r#"{{"id":1,"result":{{"resultType":"complete","content":[],"inputRequests":{{"k":{sampling}}}}}}}"#
        ),
        // It says that it does not ask.
        format!(
            r#"{{"id":1,"result":{{"resultType":"complete","status":"working","inputRequests":{{"k":{sampling}}}}}}}"#
        ),
        format!(
            r#"{{"id":1,"result":{{"status":"x","result":{{"inputRequests":{{"k":{sampling}}}}}}}}}"#
        ),
        format!(
            r#"{{"params":{{"inputRequests":{{"k":{sampling}}}}},"method":"notifications/tasks"}}"#
        ),
    ];
    for message in passes {
        for (framing, reply) in both(&message) {
            let got = outcome(framing, options(true, false), reply.as_bytes());
            assert_eq!((got.verdict, text(&got)), (Ok(()), &*reply));
        }
    }
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":403,"message":"refused"}}"#;
    for message in replaced {
        for ((framing, reply), (_, expected)) in both(&message).into_iter().zip(both(error)) {
            let got = outcome(framing, options(true, false), reply.as_bytes());
            assert_eq!((got.verdict, text(&got)), (Ok(()), &*expected), "{reply}");
        }
        // A legacy client knows nothing of this; what could be taken for it does not pass either.
        let got = outcome(Framing::Json, options(false, false), message.as_bytes());
        assert_eq!(got.verdict, Err(ReplyError::InputRefused), "{message}");
    }
    // What a complete result says beside its content may be more than is held.
    let message = format!(
        r#"{{"id":1,"result":{{"resultType":"complete","_meta":{{"x":"{}"}},"content":[]}}}}"#,
        "m".repeat(300)
    );
    for (framing, reply) in both(&message) {
        let small = ReplyOptions { hold: 200, ..options(true, false) };
        let got = outcome(framing, small, reply.as_bytes());
        assert_eq!((got.verdict, text(&got)), (Ok(()), &*reply));
    }
    for message in dropped {
        for (framing, reply) in both(&message) {
            let got = outcome(framing, options(true, false), reply.as_bytes());
            if framing == Framing::Json {
                assert_eq!(got.verdict, Err(ReplyError::InputRefused), "{reply}");
                assert!(!text(&got).contains("sampling"), "{reply}");
            } else {
                // An event without data is none (WHATWG HTML §9.2.6).
                assert_eq!((got.verdict, text(&got)), (Ok(()), "event: message\n\n"), "{reply}");
            }
        }
    }
    for message in cut {
        for (framing, reply) in both(&message) {
            let got = outcome(framing, options(true, false), reply.as_bytes());
            assert!(got.verdict.is_err(), "{reply}");
            assert!(!text(&got).contains("sampling"), "{reply}");
        }
    }
}

/// -32042 of 2025-11-25 sends the user to URLs: without a method, and under any code (T16).
#[test]
fn errors_send_the_user_to_urls() {
    let error = |elicitations: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-32042,"message":"m","data":{{"x":[{{}}],"elicitations":{elicitations}}}}}}}"#
        )
    };
    let ok = r#"{"mode":"url","elicitationId":"e","url":"https://ok.example/","message":"m"}"#;
    let evil = ok.replace("ok.", "evil.");
    let passes = [
        error(&format!("[{ok},{ok}]")),
        error("[]"),
        error("null"),
        error(r#"[{"message":"m"}]"#),
        r#"{"id":1,"error":{"code":1,"message":"m","data":"elicitations"}}"#.to_owned(),
        r#"{"id":1,"error":{"data":[{"elicitations":[{"url":"https://evil.example/"}]}]}}"#
            .to_owned(),
        r#"{"id":1,"error":"m"}"#.to_owned(),
    ];
    for message in passes {
        for is_modern in [false, true] {
            for (framing, reply) in both(&message) {
                let got = outcome(framing, options(is_modern, false), reply.as_bytes());
                assert_eq!((got.verdict, text(&got)), (Ok(()), &*reply));
            }
        }
    }
    let refused = [
        error(&format!("[{ok},{evil}]")),
        error(&format!("[{evil},{ok}]")),
        error(r#"[{"url":"https:\/\/evil.example/"}]"#),
        error(r#"[{"url":7}]"#),
        error(r#"[{"mode":"url"}]"#),
        error(&format!("[{}]", evil.replace("{", r#"{"URL":"https://ok.example/","#))),
        format!(
            r#"{{"error":{{"data":{{"elicitations":[{evil}]}},"code":1}},"id":1,"jsonrpc":"2.0"}}"#
        ),
    ];
    let replaced = r#"{"jsonrpc":"2.0","id":1,"error":{"code":403,"message":"refused"}}"#;
    for message in refused {
        for ((framing, reply), (_, expected)) in both(&message).into_iter().zip(both(replaced)) {
            for is_modern in [false, true] {
                let got = outcome(framing, options(is_modern, false), reply.as_bytes());
                assert!(!text(&got).contains("evil"), "{reply}");
                if is_modern || framing == Framing::EventStream {
                    assert_eq!((got.verdict, text(&got)), (Ok(()), &*expected), "{reply}");
                } else {
                    // Its length has been told.
                    assert_eq!(got.verdict, Err(ReplyError::InputRefused), "{reply}");
                }
            }
            let batch = format!("[{message}]");
            let got = outcome(Framing::Json, options(false, true), batch.as_bytes());
            assert_eq!(got.verdict, Err(ReplyError::InputRefused), "{batch}");
        }
        // As a task's own outcome, too.
        let message: Value = serde_json::from_str(&message).unwrap();
        let params = json!({"status": "failed", "error": message["error"]});
        for task in [
            json!({"id": 1, "result": params}),
            json!({"method": "notifications/tasks", "params": params}),
        ] {
            for (framing, reply) in both(&task.to_string()) {
                let got = outcome(framing, options(true, false), reply.as_bytes());
                assert!(!text(&got).contains("evil"), "{reply}");
            }
        }
    }
}

fn both(message: &str) -> [(Framing, String); 2] {
    [
        (Framing::Json, message.to_owned()),
        (Framing::EventStream, format!("event: message\ndata: {message}\n\n")),
    ]
}

#[test]
fn what_is_two_things_is_nothing() {
    let table = [
        (r#"{"id":1,"result":{},"method":"sampling/createMessage"}"#, "request_and_response"),
        (r#"{"id":1,"method":"ping","result":{}}"#, "request_and_response"),
        (r#"{"id":1,"method":"notifications/x","error":{}}"#, "request_and_response"),
        (
            r#"{"id":1,"method":"elicitation/create","params":{"mode":"form","MODE":"url","url":"https://evil.example/"}}"#,
            "folded_key",
        ),
        (r#"{"id":1,"Method":"sampling/createMessage"}"#, "folded_key"),
        (r#"{"id":1,"result":{"InputRequests":{}}}"#, "folded_key"),
        (r#"{"id":1,"result":{"inputRequests":{"k":{"Method":"x"}}}}"#, "folded_key"),
        (r#"{"id":1,"method":["sampling/createMessage"]}"#, "reply_not_a_message"),
        (r#"{"id":1,"method":"ping","method":"sampling/createMessage"}"#, "reply_not_json"),
        (r#"{"id":1,"result":{"inputRequests":[]}}"#, "input_not_object"),
        (r#"{"id":1,"result":{"inputRequests":{"k":[]}}}"#, "input_not_object"),
        (r#"{"id":1,"error":{"data":{"elicitations":{}}}}"#, "input_not_object"),
        (
            r#"{"id":1,"error":{"data":{"elicitations":["https://evil.example/"]}}}"#,
            "input_not_object",
        ),
        (r#"{"id":1,"error":{"data":{"Elicitations":[]}}}"#, "folded_key"),
        (r#"{"id":1,"error":{"Data":{"elicitations":[]}}}"#, "folded_key"),
    ];
    for (message, slug) in table {
        for (framing, reply) in both(message) {
            let got = outcome(framing, options(true, false), reply.as_bytes());
            assert_eq!(got.verdict.unwrap_err().slug(), slug, "{message}");
            assert!(serde_json::from_str::<Value>(text(&got)).is_err() || text(&got).is_empty());
        }
    }
    // A request where the response must stand.
    let got = outcome(Framing::Json, options(false, false), SAMPLING.as_bytes());
    assert_eq!((got.verdict, text(&got)), (Err(ReplyError::RequestRefused), ""));
}

/// The hold property: an event whose kind stands at its beginning is hardly held.
#[test]
fn a_large_event_is_hardly_held() {
    let large = "x".repeat(1 << 20);
    let heads = [
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":""#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":""#,
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"a":{"data":""#,
        r#"{"id":1,"method":"elicitation/create","params":{"mode":"form","a":{"message":""#,
    ];
    for head in heads {
        let message = format!("data: {head}{large}\"}}}}}}\n\n").replace("\"}}}\n", &tail(head));
        for is_modern in [false, true] {
            for size in [1 << 20, 1000, 17] {
                let got = run(
                    Framing::EventStream,
                    options(is_modern, false),
                    message.as_bytes().chunks(size),
                );
                assert_eq!((got.verdict, got.out.len()), (Ok(()), message.len()), "{head}");
                assert!(got.max_held <= 512, "{head}: {}", got.max_held);
            }
        }
    }
}

fn tail(head: &str) -> String {
    let open = head.matches('{').count() - head.matches('}').count();
    format!("\"{}\n", "}".repeat(open))
}

#[test]
fn the_hold_has_an_edge() {
    let message = |pad: usize| format!(r#"{{"pad":"{}","method":"ping"}}"#, "p".repeat(pad));
    let at = 300;
    // To the end of the method's name; in an event with the name of the field, too.
    let payload = message(at).len() - 1;
    let limits = |hold| ReplyOptions { hold, ..options(false, false) };
    let got = outcome(Framing::Json, limits(payload), message(at).as_bytes());
    assert_eq!((got.verdict, got.max_held), (Ok(()), payload));
    let got = outcome(Framing::Json, limits(payload), message(at + 1).as_bytes());
    assert_eq!(got.verdict, Err(ReplyError::HoldExceeded));
    let event = |pad| format!("data: {}\n\n", message(pad));
    let got = outcome(Framing::EventStream, limits(payload + 6), event(at).as_bytes());
    assert_eq!((got.verdict, got.max_held), (Ok(()), payload + 6));
    let got = outcome(Framing::EventStream, limits(payload + 6), event(at + 1).as_bytes());
    assert_eq!((got.verdict, text(&got)), (Err(ReplyError::HoldExceeded), ""));
    // A result that is long in coming to its kind goes its way, and is cut off where it asks.
    let result = |asks: &str| {
        let pad = "p".repeat(400);
        format!(
            r#"{{"id":1,"result":{{"_meta":{{"pad":"{pad}"}},"inputRequests":{{"k":{{"method":"{asks}"}}}}}}}}"#
        )
    };
    let limits = ReplyOptions { hold: 300, ..options(true, false) };
    let got = outcome(Framing::Json, limits, result("roots/list").as_bytes());
    assert_eq!((got.verdict, text(&got)), (Ok(()), &*result("roots/list")));
    let got = outcome(Framing::Json, limits, result("sampling/createMessage").as_bytes());
    assert_eq!(got.verdict, Err(ReplyError::InputRefused));
}

#[test]
fn a_message_may_be_limited() {
    let limits = ReplyOptions { message: Some(RESULT.len() as u64), ..options(false, false) };
    let stream = format!("data: {RESULT}\n\ndata: {RESULT}\n\n");
    let got = outcome(Framing::EventStream, limits, stream.as_bytes());
    assert_eq!((got.verdict, text(&got)), (Ok(()), &*stream));
    let stream = format!("data: {RESULT}\n\ndata: {RESULT} \n\n");
    let got = outcome(Framing::EventStream, limits, stream.as_bytes());
    assert_eq!(got.verdict, Err(ReplyError::TooLarge));
    assert!(!text(&got).ends_with("\n\n") || text(&got).matches(RESULT).count() == 1);
}

fn message() -> impl Strategy<Value = Value> {
    let request = prop_oneof![
        Just(json!({"method": "sampling/createMessage", "id": 1, "params": {"x": [1, 2]}})),
        Just(json!({"method": "roots/list", "id": "a"})),
        Just(
            json!({"method": "elicitation/create", "id": 2, "params": {"mode": "url", "url": "https://ok.example/"}})
        ),
        Just(
            json!({"method": "elicitation/create", "id": 2, "params": {"mode": "url", "url": "https://x.example/"}})
        ),
        Just(json!({"method": "elicitation/create", "params": {"message": "m"}})),
    ];
    let result = prop_oneof![
        Just(json!({"content": []})),
        Just(json!({"resultType": "complete"})),
        proptest::collection::vec(request.clone(), 0..3).prop_map(|asked| {
            let inputs: serde_json::Map<_, _> =
                asked.into_iter().enumerate().map(|(at, asked)| (at.to_string(), asked)).collect();
            json!({"resultType": "input_required", "inputRequests": inputs})
        }),
    ];
    prop_oneof![
        request,
        result.prop_map(|result| json!({"jsonrpc": "2.0", "id": 9, "result": result})),
        Just(json!({"method": "notifications/progress", "params": {}})),
        Just(json!({"id": 1, "error": {"code": 1, "message": "m"}})),
        proptest::collection::vec(any::<bool>(), 0..3).prop_map(|hosts| {
            let url = |is_ok| if is_ok { "https://ok.example/" } else { "https://x.example/" };
            let asked: Vec<_> = hosts.into_iter().map(|is_ok| json!({"mode": "url", "url": url(is_ok)})).collect();
            json!({"id": 1, "error": {"code": -32042, "message": "m", "data": {"elicitations": asked}}})
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The oracle agrees on any stream at any cut, spelt out over one line or many.
    #[test]
    fn a_judge_of_the_parsed_stream_agrees(
        messages in proptest::collection::vec((message(), any::<bool>()), 0..5),
        choice in 0_u8..8,
    ) {
        let mut data = vec![choice & 6];
        for (message, is_pretty) in &messages {
            let text = if *is_pretty { serde_json::to_string_pretty(message) } else { serde_json::to_string(message) };
            let lines = text.unwrap().replace('\n', "\ndata: ");
            data.extend_from_slice(format!("event: message\ndata: {lines}\n\n").as_bytes());
        }
        mcpfw::fuzz::reply::filter(&data);
    }
}
