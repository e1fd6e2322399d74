//! Properties of mirrored header values: the sentinel has one spelling of each text, and a header that is let through says what
//! the argument says.

#![expect(clippy::panic, reason = "a property panics where it does not hold")]

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::envelope::{Verdict, compile, exchange, run_annotated};
use crate::inspect::annotation::{Annotated, Annotations};
use crate::inspect::request::RequestLimits;
use crate::policy::Policy;
use crate::wire::mcp::sentinel;

const SCHEMA: &[u8] = br#"{"type":"object","properties":{"s":{"type":"string","x-mcp-header":"S"},"i":{"type":"integer","x-mcp-header":"I"},"b":{"type":"boolean","x-mcp-header":"B"},"o":{"properties":{"n":{"type":"number","x-mcp-header":"N"}}}}}"#;

static TOOL: LazyLock<Arc<Annotated>> = LazyLock::new(|| {
    let annotated = Annotated::default();
    let Ok(annotations) = Annotations::of_schema(SCHEMA) else { panic!("the schema is good") };
    annotated.learn("t", Some(annotations));
    Arc::new(annotated)
});

static OPEN: LazyLock<Arc<Policy>> =
    LazyLock::new(|| compile("[[allow]]\nname = \"all\"\neverything = true\n"));

/// Target `header_base64`: the first byte chooses which argument is mirrored, and how the header is written; up to the first
/// line feed stands the header's value, behind it the argument in JSON.
pub fn header_base64(data: &[u8]) {
    let [choice, rest @ ..] = data else { return };
    let split = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (header, argument) = rest.split_at(split);
    let argument = argument.get(1..).unwrap_or_default();
    if let Ok(text) = std::str::from_utf8(header) {
        one_spelling(text);
        // What is not plain travels encoded, and the other way round.
        let written = if choice & 4 == 0 { text.to_owned() } else { encode(text) };
        agreement(*choice, &written, argument);
    }
}

/// Encoding and decoding are each other's inverse.
fn one_spelling(text: &str) {
    let encoded = encode(text);
    match sentinel::decode(&encoded) {
        Ok(decoded) => assert_eq!(decoded, text),
        Err(error) => panic!("{error}: {encoded}"),
    }
    match sentinel::decode(text) {
        Ok(decoded) if sentinel::is_encoded(text) => {
            assert_eq!(encode(&decoded), text, "canonical");
        }
        Ok(decoded) => assert_eq!(decoded, text, "what is not marked stands for itself"),
        Err(_) => assert!(sentinel::is_encoded(text)),
    }
}

fn encode(text: &str) -> String {
    format!("=?base64?{}?=", STANDARD.encode(text))
}

/// What passes, agrees; and what agrees and is written as it should be, passes.
fn agreement(choice: u8, header: &str, argument: &[u8]) {
    let (name, member) = match choice & 3 {
        0 => ("mcp-param-s", "s"),
        1 => ("mcp-param-i", "i"),
        2 => ("mcp-param-b", "b"),
        _ => ("mcp-param-n", "n"),
    };
    let Some(exchange) = exchange(&[
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "t"),
        (name, header),
    ]) else {
        return;
    };
    let pair = [b"\"", member.as_bytes(), b"\":", argument].concat();
    let arguments = if member == "n" {
        [b"{\"o\":{", &pair[..], b"}}"].concat()
    } else {
        [b"{", &pair[..], b"}"].concat()
    };
    let meta: &[u8] = br#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let body = [
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":"#,
        &arguments[..],
        b",",
        meta,
        b"}}",
    ]
    .concat();
    let limits = RequestLimits::default();
    let run = |chunks: &[&[u8]]| {
        run_annotated(&OPEN, &exchange, limits, Some(&TOOL), chunks.iter().copied())
    };
    let whole = run(&[&body]);
    for at in [body.len() / 3, body.len() / 2, body.len() - meta.len() - 4] {
        let (a, b) = body.split_at(at);
        assert_eq!(run(&[a, b]).verdict, whole.verdict);
    }
    let Ok(raw) = serde_json::from_slice::<Box<RawValue>>(argument) else {
        // Not one value: the body is no JSON, or it has members that nobody asked for.
        return;
    };
    let Ok(claim) = sentinel::decode(header.trim_matches([' ', '\t'])) else {
        return assert_ne!(whole.verdict, Verdict::Passed, "malformed");
    };
    let is_legal = header.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    let agrees = is_legal && says(member, &claim, raw.get());
    match whole.verdict.slug() {
        None => assert!(agrees, "{claim:?} let through beside {}", raw.get()),
        Some("header_mismatch") => assert!(!agrees, "{claim:?} refused beside {}", raw.get()),
        Some(_) => {}
    }
}

/// Whether `claim` is what JSON value `raw` is mirrored as.
fn says(member: &str, claim: &str, raw: &str) -> bool {
    match member {
        "s" => serde_json::from_str::<String>(raw).is_ok_and(|text| text == claim),
        "b" => matches!(raw, "true" | "false") && raw == claim,
        _ => {
            let is_number = raw.starts_with(|first: char| first == '-' || first.is_ascii_digit());
            let has_exponent = claim.contains(['e', 'E']);
            is_number && !has_exponent && decimal(claim).is_some_and(|it| Some(it) == decimal(raw))
        }
    }
}

/// Sign, significant digits and the place of the point. `None` for what is no number, or has an exponent beyond writing out.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (unsigned, ""),
    };
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent: i64 = exponent.parse().ok().filter(|e: &i64| e.abs() < 1 << 40)?;
    let point = i64::try_from(whole.len()).ok()? + exponent;
    let leading = digits.bytes().take_while(|byte| *byte == b'0').count();
    let significant = digits.trim_matches('0').to_owned();
    if significant.is_empty() {
        // -0 is 0.
        return Some((false, significant, 0));
    }
    let is_negative = mantissa.len() != unsigned.len();
    Some((is_negative, significant, point - i64::try_from(leading).ok()?))
}
