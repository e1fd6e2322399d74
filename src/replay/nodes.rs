//! The nodes of a line that was parsed: their members, elements and values. Nodes may go on behind the value they begin with.

use simd_json::{Node, StaticNode};
use smallvec::SmallVec;

use crate::policy::{Number, Value};

/// The members of the object that `nodes` begin with; none where they begin with something else.
pub(super) fn members<'t, 'l>(
    nodes: &'t [Node<'l>],
) -> impl Iterator<Item = (&'l str, &'t [Node<'l>])> {
    let (mut left, mut rest) = match nodes.split_first() {
        Some((Node::Object { len, .. }, rest)) => (*len, rest),
        _ => (0, nodes),
    };
    std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let (Node::String(name), after) = rest.split_first()? else { return None };
        let (value, after) = after.split_at_checked(size(after.first()?))?;
        rest = after;
        Some((*name, value))
    })
}

/// The elements of the list that `nodes` begin with.
pub(super) fn elements<'t, 'l>(nodes: &'t [Node<'l>]) -> impl Iterator<Item = &'t [Node<'l>]> {
    let (mut left, mut rest) = match nodes.split_first() {
        Some((Node::Array { len, .. }, rest)) => (*len, rest),
        _ => (0, nodes),
    };
    std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let (value, after) = rest.split_at_checked(size(rest.first()?))?;
        rest = after;
        Some(value)
    })
}

/// Nodes of a value.
pub(super) fn size(first: &Node<'_>) -> usize {
    match first {
        Node::Object { count, .. } | Node::Array { count, .. } => count.saturating_add(1),
        Node::String(_) | Node::Static(_) => 1,
    }
}

/// The text, where it is one.
pub(super) fn text<'l>(value: &[Node<'l>]) -> Option<&'l str> {
    match value {
        [Node::String(text), ..] => Some(text),
        _ => None,
    }
}

/// The texts of a list.
pub(super) fn texts<'l, A: smallvec::Array<Item = &'l str>>(value: &[Node<'l>]) -> SmallVec<A> {
    elements(value).filter_map(text).collect()
}

/// The number, where it is a whole one that is not negative.
pub(super) fn count(value: &[Node<'_>]) -> Option<u64> {
    match value {
        [Node::Static(StaticNode::U64(count)), ..] => Some(*count),
        [Node::Static(StaticNode::I64(count)), ..] => u64::try_from(*count).ok(),
        _ => None,
    }
}

/// A scalar or a list of scalars.
pub(super) fn value(nodes: &[Node<'_>]) -> Option<Value> {
    match nodes.first()? {
        Node::Array { .. } => {
            let items: Option<Vec<Value>> = elements(nodes).map(scalar).collect();
            items.map(Value::List)
        }
        _ => scalar(nodes),
    }
}

fn scalar(nodes: &[Node<'_>]) -> Option<Value> {
    match nodes {
        [Node::String(text), ..] => Some(Value::String((*text).into())),
        [Node::Static(StaticNode::Null), ..] => Some(Value::Null),
        [Node::Static(StaticNode::Bool(truth)), ..] => Some(Value::Bool(*truth)),
        // Numbers that a reader of JSON would round are written as text.
        [Node::Static(StaticNode::U64(_) | StaticNode::I64(_)), ..] => {
            let int = i64::try_from(count(nodes)?).ok()?;
            Some(Value::Number(int.into()))
        }
        [Node::Object { len: 1, .. }, Node::String("number"), Node::String(token), ..] => {
            Number::from_token(token).map(Value::Number)
        }
        _ => None,
    }
}
