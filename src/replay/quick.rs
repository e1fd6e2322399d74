//! The tape of a line as mcpfw writes most of them: without escapes, white space, fractions and signs.
//!
//! It gives the nodes that `simd_json` gives, in a third of the time, or nothing: then the line is for `simd_json` to read, which
//! takes whatever JSON is. So there is one meaning of a line, and nothing that is refused here is refused.

use simd_json::{Node, StaticNode};

use super::fields::{Fields, Names};

/// Containers inside one another. Lines of mcpfw have three.
const DEPTH: usize = 8;
/// Digits that fit into a `u64` whatever they are.
const DIGITS: usize = 18;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// A container whose end has not come.
#[derive(Clone, Copy, Default)]
struct Open {
    /// Where its node is.
    node: usize,
    /// Members or elements so far.
    len: usize,
    /// The byte that it ends with.
    end: u8,
}

/// Appends the nodes of `text`, an object, to `nodes`, and its members to `fields`, which are none; `None` where it is not as
/// mcpfw writes it.
pub(super) fn fill<'l>(
    text: &'l str,
    nodes: &mut Vec<Node<'l>>,
    fields: &mut Fields,
    names: &mut Names,
) -> Option<()> {
    let bytes = text.as_bytes();
    if !is_plain(bytes) || bytes.first() != Some(&b'{') || bytes.get(1) == Some(&b'}') {
        return None;
    }
    let mut outer = [Open::default(); DEPTH];
    let mut depth = 0_usize;
    let mut within = Open { node: 0, len: 0, end: b'}' };
    nodes.push(Node::Object { len: 0, count: 0 });
    let mut at = 1;
    loop {
        // A member or an element begins here.
        if within.end == b'}' {
            let rest = bytes.get(at..)?;
            let field = match names.expected(rest) {
                Some((name, field)) => {
                    nodes.push(Node::String(name));
                    at += name.len() + 3;
                    field
                }
                None => {
                    let name = string(text, at)?;
                    nodes.push(Node::String(name));
                    at += name.len() + 3;
                    if bytes.get(at - 1) != Some(&b':') {
                        return None;
                    }
                    names.came(name)
                }
            };
            if depth == 0 {
                fields.push((field, nodes.len()));
            }
        }
        match *bytes.get(at)? {
            b'"' => {
                let value = string(text, at)?;
                nodes.push(Node::String(value));
                at += value.len() + 2;
            }
            first @ (b'{' | b'[') => {
                nodes.push(container(first + 2, 0, 0));
                // The bytes that end them are the second next ones.
                if bytes.get(at + 1) == Some(&(first + 2)) {
                    at += 2;
                } else {
                    *outer.get_mut(depth)? = within;
                    depth += 1;
                    within = Open { node: nodes.len() - 1, len: 0, end: first + 2 };
                    at += 1;
                    continue;
                }
            }
            b'0'..=b'9' => {
                let (number, end) = number(bytes, at)?;
                nodes.push(Node::Static(StaticNode::U64(number)));
                at = end;
            }
            b't' if bytes.get(at..at + 4) == Some(b"true") => {
                nodes.push(Node::Static(StaticNode::Bool(true)));
                at += 4;
            }
            b'f' if bytes.get(at..at + 5) == Some(b"false") => {
                nodes.push(Node::Static(StaticNode::Bool(false)));
                at += 5;
            }
            b'n' if bytes.get(at..at + 4) == Some(b"null") => {
                nodes.push(Node::Static(StaticNode::Null));
                at += 4;
            }
            _ => return None,
        }
        // A value has ended here, and with it maybe what it is in.
        loop {
            within.len += 1;
            let byte = *bytes.get(at)?;
            at += 1;
            if byte == b',' {
                break;
            }
            if byte != within.end {
                return None;
            }
            let count = nodes.len() - within.node - 1;
            *nodes.get_mut(within.node)? = container(within.end, within.len, count);
            let Some(inner) = depth.checked_sub(1) else {
                return (at == bytes.len()).then_some(());
            };
            depth = inner;
            within = *outer.get(depth)?;
        }
    }
}

fn container<'l>(end: u8, len: usize, count: usize) -> Node<'l> {
    match end {
        b'}' => Node::Object { len, count },
        _ => Node::Array { len, count },
    }
}

/// Whether nothing in a line is a control or a backslash: then every string ends at the next quote.
fn is_plain(line: &[u8]) -> bool {
    line.iter().copied().fold(u8::MAX, u8::min) >= b' ' && memchr::memchr(b'\\', line).is_none()
}

/// The string at `at`, of a line that is plain.
#[inline(always)]
fn string(text: &str, at: usize) -> Option<&str> {
    let (b'"', rest) = text.as_bytes().get(at..)?.split_first()? else { return None };
    let (mut length, mut tail) = (0, rest);
    while let Some((word, behind)) = tail.split_first_chunk() {
        // Bytes that are quotes become zero, and the lowest of those is found for sure.
        let word = u64::from_le_bytes(*word) ^ (ONES * 0x22);
        let found = word.wrapping_sub(ONES) & !word & HIGH;
        if found != 0 {
            length += (found.trailing_zeros() / 8) as usize;
            return text.get(at + 1..at + 1 + length);
        }
        (length, tail) = (length + 8, behind);
    }
    length += tail.iter().position(|byte| *byte == b'"')?;
    text.get(at + 1..at + 1 + length)
}

/// The number at `at`, which begins with a digit, and where it ends.
fn number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let (mut number, mut end) = (0_u64, at);
    while let Some(digit @ b'0'..=b'9') = bytes.get(end) {
        number = number.wrapping_mul(10).wrapping_add(u64::from(*digit - b'0'));
        end += 1;
    }
    let has_leading_zero = bytes.get(at) == Some(&b'0') && end > at + 1;
    let is_whole = !matches!(bytes.get(end), Some(b'.' | b'e' | b'E'));
    (end - at <= DIGITS && !has_leading_zero && is_whole).then_some((number, end))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use simd_json::{Buffers, Tape};

    use super::*;

    thread_local! {
        /// What was learnt from the lines before must not matter.
        static NAMES: std::cell::RefCell<Names> = std::cell::RefCell::default();
    }

    /// What is read here is what `simd_json` reads, and what `serde_json` does.
    fn agrees(text: &str) -> bool {
        let (mut nodes, mut fields) = (Vec::new(), Fields::new());
        let is_read = NAMES.with_borrow_mut(|names| {
            names.begin();
            fill(text, &mut nodes, &mut fields, names).is_some()
        });
        if is_read {
            let mut found = Fields::new();
            crate::replay::fields::find(&nodes, &mut found);
            assert_eq!(fields, found, "{text}");
            let (mut bytes, mut tape) = (text.as_bytes().to_vec(), Tape::null());
            simd_json::fill_tape(&mut bytes, &mut Buffers::new(0), &mut tape).unwrap();
            assert_eq!(nodes, tape.0, "{text}");
            let mut rest = nodes.as_slice();
            // The last of two members of one name is what both keep.
            let known: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(tree(&mut rest), known, "{text}");
            assert!(rest.is_empty(), "{text}");
        }
        is_read
    }

    fn tree(rest: &mut &[Node<'_>]) -> serde_json::Value {
        use serde_json::Value;
        let (first, behind) = rest.split_first().unwrap();
        *rest = behind;
        match first {
            Node::String(text) => Value::from(*text),
            Node::Static(StaticNode::U64(number)) => Value::from(*number),
            Node::Static(StaticNode::Bool(truth)) => Value::from(*truth),
            Node::Static(_) => Value::Null,
            Node::Array { len, .. } => (0..*len).map(|_| tree(rest)).collect(),
            Node::Object { len, .. } => {
                let member = |_| {
                    let name = tree(rest).as_str().unwrap().to_owned();
                    (name, tree(rest))
                };
                Value::Object((0..*len).map(member).collect())
            }
        }
    }

    #[test]
    fn lines_of_the_audit_log() {
        for line in include_str!("../../tests/data/replay/audit.jsonl").lines() {
            assert!(agrees(line), "{line}");
            // Names that are known in other places, and nearly.
            for name in ["kind", "time", "audit", "retryx", "id", "", "request_id_", "batch"] {
                for at in ["\"audit\"", "\"id\"", "\"target\"", "\"read\""] {
                    assert!(agrees(&line.replace(at, &format!("\"{name}\":1,{at}"))));
                    assert!(agrees(&line.replace(at, &format!("\"{name}\""))));
                }
            }
        }
    }

    #[test]
    fn what_is_read_and_what_is_left() {
        for (text, is_read) in [
            ("{}", false),
            (r#"{"a":{},"b":[],"c":[{}],"":""}"#, true),
            (r#"{"a":1,"a":2,"b":0,"c":999999999999999999}"#, true),
            (r#"{"a":true,"b":false,"c":null}"#, true),
            ("{\"a\":\"größe\u{7f}\u{2028}日本\"}", true),
            (r#"{"long":"0123456789abcdef0123456789"}"#, true),
            (r#"[[[[[[[[1]]]]]]]]"#, false),
            (r#"{"a":[[[[[[[[1]]]]]]]]}"#, true),
            (r#"{"a":[[[[[[[[[1]]]]]]]]]}"#, false),
            // Left to who can read them.
            (r#"{"a":9999999999999999999}"#, false),
            (r#"{"a":18446744073709551616}"#, false),
            (r#"{"a":-1}"#, false),
            (r#"{"a":1.5}"#, false),
            (r#"{"a":1e5}"#, false),
            (r#"{"a":1E5}"#, false),
            (r#"{"a":"\n"}"#, false),
            (r#"{"a": 1}"#, false),
            (r#"{"a":1} "#, false),
            // Nothing that anybody reads.
            ("", false),
            ("{", false),
            (r#"{"a"}"#, false),
            (r#"{"a":}"#, false),
            (r#"{"a":1,}"#, false),
            (r#"{,"a":1}"#, false),
            (r#"{"a":[1,]}"#, false),
            (r#"{"a":[1}"#, false),
            (r#"{"a":[1}]"#, false),
            (r#"{"a":1]"#, false),
            (r#"{"a":{"b"}}"#, false),
            (r#"{"a":01}"#, false),
            (r#"{"a":1x}"#, false),
            (r#"{"a":1"b":2}"#, false),
            (r#"{"a":tru}"#, false),
            (r#"{"a":truex}"#, false),
            (r#"{"a":nul"#, false),
            (r#"{"a":1}}"#, false),
            (r#"{"a":1}{}"#, false),
            (r#"{"a":"b"#, false),
            ("{\"a\":\"0123456\u{1f}\"}", false),
            ("{\"a\":\"\u{0}\"}", false),
            (r#"{1:2}"#, false),
            (r#"{"a":1:2}"#, false),
        ] {
            assert_eq!(agrees(text), is_read, "{text}");
        }
    }

    /// One byte of a line changed, left out or cut behind: read as others read it, or not at all.
    #[test]
    fn damaged_lines() {
        let line = include_str!("../../tests/data/replay/audit.jsonl").lines().next().unwrap();
        for at in 0..line.len() {
            let (before, rest) = line.split_at(at);
            let behind = rest.get(1..).unwrap();
            agrees(before);
            agrees(&format!("{before}{behind}"));
            for byte in ["\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", "é", "\u{1}", " ", "e"]
            {
                agrees(&format!("{before}{byte}{behind}"));
                agrees(&format!("{before}{byte}{rest}"));
            }
        }
    }

    proptest! {
        #[test]
        fn any_text(text in r#"\{("[a-c\\"é]{0,9}"|[\[\]{}:,0-9.e tfn-]|true|null|"[a-z]{0,3}":){0,12}\}"#) {
            agrees(&text);
        }

        #[test]
        fn any_object(members in prop::collection::vec(("[a-zé\\x00-\\x7f]{0,20}", 0..8_u8, any::<u64>()), 0..8)) {
            let mut text = String::from("{");
            for (at, (name, kind, number)) in members.iter().enumerate() {
                let name = serde_json::to_string(name).unwrap();
                let value = match kind {
                    0 => number.to_string(),
                    1 => format!("[{number},{name}]"),
                    2 => format!("{{{name}:{name}}}"),
                    3 => "true".into(),
                    4 => "[]".into(),
                    5 => format!("[{{{name}:[null,{number}]}}]"),
                    6 => format!("{}", *number as f64 / 7.0),
                    _ => name.clone(),
                };
                text.push_str(if at > 0 { "," } else { "" });
                text.push_str(&format!("{name}:{value}"));
            }
            text.push('}');
            agrees(&text);
        }
    }
}
