//! Who called, as a record says it.

use simd_json::{Node, StaticNode};

use super::nodes;
use super::record::{Record, is_cut};
use crate::policy::{ClaimPath, ClientKind, Missing, Principal, Value};

/// A caller as recorded.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) principal: Principal,
    /// What is not known of it.
    pub(super) missing: Missing,
}

impl Caller {
    /// The caller with those of its claims that are `wanted`, by their path.
    pub(super) fn of(
        record: &Record<'_, '_>,
        kind: ClientKind,
        wanted: impl Fn(&[Box<str>]) -> bool,
    ) -> Self {
        let whole = |text: Option<&str>| text.filter(|text| !is_cut(text)).map(Box::<str>::from);
        let (id, issuer) = (whole(record.id), whole(record.issuer));
        let mut missing = Missing {
            id: id.is_none() && record.id.is_some(),
            issuer: issuer.is_none() && record.issuer.is_some(),
            ..Missing::default()
        };
        let mut claims = Value::Map(Vec::new());
        let mut known: Vec<ClaimPath> = Vec::new();
        for (name, value) in record.values() {
            if let Some(path) = claim(name).filter(|path| wanted(path)) {
                claims = with(claims, &path, value);
                known.push(path);
            }
        }
        let absent = record.absent.iter().filter_map(|name| claim(name));
        known.extend(absent.filter(|path| wanted(path)));
        if kind == ClientKind::Jwt {
            // RFC 9068: who a token is of and who made it are claims of it.
            for (name, value) in [("sub", &id), ("iss", &issuer)] {
                let path: ClaimPath = Box::new([name.into()]);
                if let Some(value) = value
                    && !known.contains(&path)
                {
                    claims = with(claims, &path, Value::from(&**value));
                    known.push(path);
                }
            }
        }
        let mut scopes = Vec::new();
        // Who proved nothing claims nothing.
        if kind != ClientKind::Anonymous {
            missing.claims = Some(known.into());
            match record.scopes() {
                Some(all) => scopes = all.into_iter().map(Box::from).collect(),
                None => missing.scopes = true,
            }
        }
        Self { principal: Principal::verified(kind, issuer, id, scopes, claims), missing }
    }
}

/// Most claims of an example.
const CLAIMS_KEPT: usize = 256;
/// Most names on the way to a claim: more than an expression can have. What is made of a deeper one would be let go of by
/// recursion.
const DEEP: usize = 32;
/// What begins the name of a claim.
pub(super) const CLAIMS: &str = "/claims/";

fn number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Appends what tells a caller that was met again from all others; `false` where the record tells of no such. Equal bytes are
/// equal callers, and are the bytes of none that [`write_key`] writes of.
pub(super) fn write_short_key(out: &mut Vec<u8>, record: &Record<'_, '_>) -> bool {
    let Some(again) = &record.again else { return false };
    // No kind of caller.
    out.push(u8::MAX);
    number(out, again.number);
    // INVARIANT: of what `write_key` reads, all but this is in the bytes that have the number.
    for names in [&record.absent[..], &record.cut[..]] {
        names.iter().filter(|name| name.starts_with(CLAIMS)).for_each(|name| text(out, name));
        number(out, u64::MAX);
    }
    true
}

/// Appends what is recorded of the caller: equal bytes are equal callers.
pub(super) fn write_key(out: &mut Vec<u8>, record: &Record<'_, '_>, kind: ClientKind) {
    // INVARIANT: what may be there or not, how many there are of something, how long a text is and what a value is stands
    // before it, so that no two callers have the same bytes, whatever a log has for names and values.
    out.push(kind as u8);
    for part in [record.id, record.issuer] {
        out.push(u8::from(part.is_some()));
        text(out, part.unwrap_or_default());
    }
    let scopes = record.scopes();
    out.push(u8::from(scopes.is_some()));
    let scopes = scopes.unwrap_or_default();
    number(out, scopes.len() as u64);
    scopes.iter().for_each(|scope| text(out, scope));
    let told = record.told();
    let is_claim = |name: &str| name.starts_with(CLAIMS) && !record.is_cut(name);
    for (name, nodes) in nodes::members(&told).filter(|(name, _)| is_claim(name)) {
        out.push(1);
        text(out, name);
        for node in nodes {
            let (kind, value) = match node {
                Node::String(value) => {
                    out.push(0);
                    text(out, value);
                    continue;
                }
                Node::Static(StaticNode::Null) => (1, 0),
                Node::Static(StaticNode::Bool(truth)) => (2, u64::from(*truth)),
                Node::Static(StaticNode::U64(number)) => (3, *number),
                Node::Static(StaticNode::I64(number)) => (4, number.cast_unsigned()),
                // No value that mcpfw writes, and none that is taken.
                Node::Static(StaticNode::F64(_)) => (5, 0),
                Node::Object { len, .. } => (6, *len as u64),
                Node::Array { len, .. } => (7, *len as u64),
            };
            out.push(kind);
            number(out, value);
        }
    }
    out.push(0);
    for name in record.absent.iter().filter(|name| name.starts_with(CLAIMS)) {
        text(out, name);
    }
}

/// What is recorded of the caller's claims, of very many some; `None`: it proved nothing.
pub(super) fn claims(record: &Record<'_, '_>) -> Option<Value> {
    let kind = record.client.filter(|kind| *kind != ClientKind::Anonymous)?;
    let left = std::cell::Cell::new(CLAIMS_KEPT);
    let few = |_: &[Box<str>]| {
        left.set(left.get().saturating_sub(1));
        left.get() > 0
    };
    Some(Caller::of(record, kind, few).principal.claims().clone())
}

/// The path of the claim that records name `name`; `None` where it is deeper than any that a rule can read.
fn claim(name: &str) -> Option<ClaimPath> {
    let below = name.strip_prefix(CLAIMS)?;
    let depth = below.split('/').take(DEEP + 1).count();
    if depth > DEEP {
        return None;
    }
    names(below)
}

/// The names of the JSON Pointer `below` without its first `/`.
pub(super) fn names(below: &str) -> Option<ClaimPath> {
    Some(below.split('/').map(|name| name.replace("~1", "/").replace("~0", "~").into()).collect())
}

/// `map` with `value` at the end of `path`. As deep as the path is long, which the line's length bounds: no recursion. In place, for
/// a line may say the same claim again and again beside a long one.
pub(super) fn with(mut map: Value, path: &[Box<str>], value: Value) -> Value {
    let Some((last, above)) = path.split_last() else { return map };
    let place = above.iter().try_fold(&mut map, |at, name| member(at, name));
    if let Some(place) = place.and_then(|at| member(at, last)) {
        *place = value;
    }
    map
}

/// The member `name` of `value`, which is made an object that has it; always one.
fn member<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    if !matches!(value, Value::Map(_)) {
        *value = Value::Map(Vec::new());
    }
    let Value::Map(members) = value else { return None };
    let at = match members.binary_search_by(|(key, _)| (**key).cmp(name)) {
        Ok(at) => at,
        Err(at) => {
            members.insert(at, (name.into(), Value::Null));
            at
        }
    };
    members.get_mut(at).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_at_the_end_of_their_path() {
        let mut map = Value::Map(Vec::new());
        // Behind each, the paths that have a text now.
        for (path, value, all) in [
            ("b", "1", &["b=1"] as &[&str]),
            ("a/x", "2", &["a/x=2", "b=1"]),
            ("a/w", "3", &["a/w=3", "a/x=2", "b=1"]),
            ("a/x", "4", &["a/w=3", "a/x=4", "b=1"]),
            // What is no object becomes one, and the other way round.
            ("b/y/z", "5", &["a/w=3", "a/x=4", "b/y/z=5"]),
            ("b", "6", &["a/w=3", "a/x=4", "b=6"]),
        ] {
            map = with(map, &names(path).unwrap(), Value::from(value));
            for path in ["a", "a/w", "a/x", "b", "b/y", "b/y/z"] {
                let found = path.split('/').try_fold(&map, |at, name| at.member(name));
                let found = found.and_then(Value::as_str).map(|text| format!("{path}={text}"));
                let wanted = all.iter().find(|it| it.split('=').next() == Some(path));
                assert_eq!(found.as_deref(), wanted.copied(), "{path} in {map:?}");
            }
        }
        assert_eq!(with(map.clone(), &[], Value::Null), map);
    }
}
