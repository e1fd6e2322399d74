//! The tape of a line as mcpfw writes most of them: without escapes, white space, fractions and signs.
//!
//! It gives the nodes that `simd_json` gives, in a third of the time, or nothing: then the line is for `simd_json` to read, which
//! takes whatever JSON is. So there is one meaning of a line, and nothing that is refused here is refused.

use simd_json::{Node, StaticNode};

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
    is_object: bool,
}

/// Appends the nodes of `text`, an object, to `nodes`, which are none; `None` where it is not as mcpfw writes it.
pub(super) fn fill<'l>(text: &'l str, nodes: &mut Vec<Node<'l>>) -> Option<()> {
    let bytes = text.as_bytes();
    let mut open = [Open::default(); DEPTH];
    let mut depth = 0_usize;
    let mut at = 0;
    if bytes.first() != Some(&b'{') {
        return None;
    }
    loop {
        // A value begins here. The name of a member has been read.
        match *bytes.get(at)? {
            b'"' => {
                let end = end_of_string(bytes, at + 1)?;
                nodes.push(Node::String(text.get(at + 1..end)?));
                at = end + 1;
            }
            first @ (b'{' | b'[') => {
                let is_object = first == b'{';
                let next = *bytes.get(at + 1)?;
                if next == first + 2 {
                    nodes.push(container(is_object, 0, 0));
                    at += 2;
                } else {
                    *open.get_mut(depth)? = Open { node: nodes.len(), len: 0, is_object };
                    depth += 1;
                    nodes.push(container(is_object, 0, 0));
                    at += 1;
                    if is_object {
                        at = name(text, at, nodes)?;
                    }
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
            let Some(inner) = depth.checked_sub(1) else {
                return (at == bytes.len()).then_some(());
            };
            let within = open.get_mut(inner)?;
            within.len += 1;
            let byte = *bytes.get(at)?;
            at += 1;
            if byte == b',' {
                if within.is_object {
                    at = name(text, at, nodes)?;
                }
                break;
            }
            if byte != if within.is_object { b'}' } else { b']' } {
                return None;
            }
            let count = nodes.len() - within.node - 1;
            *nodes.get_mut(within.node)? = container(within.is_object, within.len, count);
            depth = inner;
        }
    }
}

fn container<'l>(is_object: bool, len: usize, count: usize) -> Node<'l> {
    match is_object {
        true => Node::Object { len, count },
        false => Node::Array { len, count },
    }
}

/// Reads the name of a member and the colon behind it, and says where that ends.
#[inline]
fn name<'l>(text: &'l str, at: usize, nodes: &mut Vec<Node<'l>>) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let end = end_of_string(bytes, at + 1)?;
    nodes.push(Node::String(text.get(at + 1..end)?));
    (bytes.get(end + 1) == Some(&b':')).then_some(end + 2)
}

/// Where the quote is that ends the string whose first byte is at `from`; `None` where something else must be looked at before.
#[inline]
fn end_of_string(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            let stop = at + (stops.trailing_zeros() / 8) as usize;
            return (bytes.get(stop) == Some(&b'"')).then_some(stop);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    let stop = at + rest.iter().position(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\'))?;
    (bytes.get(stop) == Some(&b'"')).then_some(stop)
}

/// The upper bit of every byte that ends a string or keeps it from being taken as it is: quotes, backslashes, controls. Bits
/// above the lowest one may be wrong (a borrow).
#[inline]
fn stops(word: u64) -> u64 {
    // With bit 1 flipped, the controls and the quote are what is below 0x21.
    let low = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let slash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    (low | slash) & !word & HIGH
}

/// The number at `at`, which begins with a digit, and where it ends.
fn number(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let digits = bytes.get(at..)?.iter().take(DIGITS + 1).take_while(|byte| byte.is_ascii_digit());
    let (mut number, mut end) = (0_u64, at);
    for digit in digits {
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

    /// What is read here is what `simd_json` reads, and what `serde_json` does.
    fn agrees(text: &str) -> bool {
        let mut nodes = Vec::new();
        let is_read = fill(text, &mut nodes).is_some();
        if is_read {
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
        }
    }

    #[test]
    fn what_is_read_and_what_is_left() {
        for (text, is_read) in [
            ("{}", true),
            (r#"{"a":{},"b":[],"c":[{}],"":""}"#, true),
            (r#"{"a":1,"a":2,"b":0,"c":999999999999999999}"#, true),
            (r#"{"a":true,"b":false,"c":null}"#, true),
            ("{\"a\":\"größe\u{7f}\u{2028}日本\"}", true),
            (r#"{"long":"0123456789abcdef0123456789"}"#, true),
            (r#"[[[[[[[[1]]]]]]]]"#, false),
            (r#"{"a":[[[[[[[1]]]]]]]}"#, true),
            (r#"{"a":[[[[[[[[1]]]]]]]]}"#, false),
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
