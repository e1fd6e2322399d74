//! Values of lines that are plain: without escapes, white space, fractions and signs. They give the nodes that `simd_json` gives, or
//! nothing.

use simd_json::{Node, StaticNode};

/// Containers inside one another in a member. Lines of mcpfw have two.
const DEPTH: usize = 7;
/// Digits that fit into a `u64` whatever they are.
const DIGITS: usize = 18;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;

/// A container whose end has not come.
#[derive(Clone, Copy, Default)]
pub(super) struct Open {
    /// Where its node is.
    pub(super) node: usize,
    /// Members or elements so far.
    pub(super) len: usize,
    /// The byte that it ends with.
    pub(super) end: u8,
}

/// The nodes of the value that `text` is, which has been read before.
pub(super) fn nodes(text: &str) -> Vec<Node<'_>> {
    let mut nodes = Vec::new();
    value(text, 0, &mut nodes);
    nodes
}

/// The nodes of an object with the members that stand in `text`: the whole object, or its beginning up to one more member.
pub(super) fn members(text: &str) -> Vec<Node<'_>> {
    let (mut at, mut len) = (1, 0);
    let mut nodes = vec![container(b'}', 0, 0)];
    while let Some(name) = string(text, at) {
        nodes.push(Node::String(name));
        let Some(end) = value(text, at + name.len() + 3, &mut nodes) else { break };
        (at, len) = (end + 1, len + 1);
    }
    let count = nodes.len() - 1;
    if let Some(first) = nodes.first_mut() {
        *first = container(b'}', len, count);
    }
    nodes
}

/// Appends the nodes of the value at `at`, and says where it ends.
pub(super) fn value<'l>(text: &'l str, at: usize, nodes: &mut Vec<Node<'l>>) -> Option<usize> {
    let bytes = text.as_bytes();
    let first = *bytes.get(at)?;
    if !matches!(first, b'{' | b'[') {
        let (node, end) = scalar(text, at)?;
        nodes.push(node);
        return Some(end);
    }
    // The bytes that end them are the second next ones.
    let within = Open { node: nodes.len(), len: 0, end: first + 2 };
    nodes.push(container(within.end, 0, 0));
    if bytes.get(at + 1) == Some(&within.end) {
        return Some(at + 2);
    }
    contents(text, at + 1, nodes, within)
}

/// Appends the nodes of what stands in the container `within` from `at` on, where a member or an element begins, and says where
/// the container ends.
pub(super) fn contents<'l>(
    text: &'l str,
    mut at: usize,
    nodes: &mut Vec<Node<'l>>,
    mut within: Open,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut outer = [Open::default(); DEPTH];
    let mut depth = 0_usize;
    loop {
        if within.end == b'}' {
            let name = string(text, at)?;
            nodes.push(Node::String(name));
            at += name.len() + 3;
            if bytes.get(at - 1) != Some(&b':') {
                return None;
            }
        }
        match *bytes.get(at)? {
            first @ (b'{' | b'[') => {
                nodes.push(container(first + 2, 0, 0));
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
            _ => {
                let (node, end) = scalar(text, at)?;
                nodes.push(node);
                at = end;
            }
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
            let Some(inner) = depth.checked_sub(1) else { return Some(at) };
            depth = inner;
            within = *outer.get(depth)?;
        }
    }
}

/// The node of the value at `at`, which is no container, and where it ends.
#[inline(always)]
pub(super) fn scalar(text: &str, at: usize) -> Option<(Node<'_>, usize)> {
    let bytes = text.as_bytes();
    Some(match *bytes.get(at)? {
        b'"' => {
            let value = string(text, at)?;
            (Node::String(value), at + value.len() + 2)
        }
        b'0'..=b'9' => {
            let (number, end) = number(bytes, at)?;
            (Node::Static(StaticNode::U64(number)), end)
        }
        b't' if bytes.get(at..at + 4) == Some(b"true") => {
            (Node::Static(StaticNode::Bool(true)), at + 4)
        }
        b'f' if bytes.get(at..at + 5) == Some(b"false") => {
            (Node::Static(StaticNode::Bool(false)), at + 5)
        }
        b'n' if bytes.get(at..at + 4) == Some(b"null") => (Node::Static(StaticNode::Null), at + 4),
        _ => return None,
    })
}

pub(super) fn container<'l>(end: u8, len: usize, count: usize) -> Node<'l> {
    match end {
        b'}' => Node::Object { len, count },
        _ => Node::Array { len, count },
    }
}

/// Whether nothing in a line is a control or a backslash: then every string ends at the next quote.
pub(super) fn is_plain(line: &[u8]) -> bool {
    // Without a branch for each byte, so that many are looked at at once.
    let least =
        |(lowest, nearest): (u8, u8), byte: &u8| (lowest.min(*byte), nearest.min(*byte ^ b'\\'));
    let (lowest, nearest) = line.iter().fold((u8::MAX, u8::MAX), least);
    lowest >= b' ' && nearest > 0
}

/// The string at `at`, of a line that is plain.
#[inline(always)]
pub(super) fn string(text: &str, at: usize) -> Option<&str> {
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
