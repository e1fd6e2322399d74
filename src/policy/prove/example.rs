//! From a way through the diagram to a call that can be made.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::classes::Words;
use super::domain::{Region, Regions};
use super::model::Model;
use crate::policy::expr::Truth;
use crate::policy::expr::formula::{Input, Relation, RelationKind, Root, Term, Test};
use crate::policy::{
    Args, Call, Captures, ClientKind, Context, Object, Permitted, Policy, Principal, Refusal,
    UnixTime, Value,
};
use crate::wire::mcp::Revision;

/// A call with everything that a decision depends on.
#[derive(Clone, Debug)]
pub struct Example {
    pub(super) words: Words,
    pub(super) caller: Caller,
    pub(super) args: Value,
    /// Paths of arguments that are larger than what is kept.
    pub(super) oversized: Vec<Box<[Box<str>]>>,
    pub(super) ip: IpAddr,
    pub(super) route: Box<str>,
    pub(super) host: Box<str>,
    pub(super) sni: Option<Box<str>>,
    pub(super) revision: Revision,
    pub(super) is_retry: bool,
    pub(super) at: UnixTime,
    /// Whether `at` is the time of the question.
    pub(super) is_now: bool,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Caller {
    pub(super) kind: ClientKind,
    pub(super) id: Option<Box<str>>,
    pub(super) issuer: Option<Box<str>>,
    pub(super) scopes: Vec<Box<str>>,
    /// A [`Value::Map`].
    pub(super) claims: Value,
}

impl Caller {
    /// The caller whose token has `claims`; without claims it is anonymous.
    pub(super) fn of_token(claims: Value) -> Self {
        let kind = match &claims {
            Value::Map(members) if members.is_empty() => ClientKind::Anonymous,
            _ => ClientKind::Jwt,
        };
        let principal = Principal::supposed(claims.clone());
        Self {
            kind,
            id: principal.id().map(Into::into),
            issuer: principal.issuer().map(Into::into),
            scopes: principal.scopes().to_vec(),
            claims,
        }
    }

    /// Whether its claims say all the rest.
    pub(super) fn is_plain(&self) -> bool {
        *self == Self::of_token(self.claims.clone())
    }

    fn principal(&self) -> Principal {
        let Self { kind, id, issuer, scopes, claims } = self.clone();
        Principal::verified(kind, issuer, id, scopes, claims)
    }
}

/// The values of a call, by input, before they are put together.
pub(super) type Values = BTreeMap<Input, Given>;

/// The value of an input.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    Absent,
    TooLarge,
    Value(Value),
    Address(IpAddr),
}

impl Example {
    /// Calls that may be what `way` says, the likeliest first. Where values depend on each other, they are fitted.
    pub(super) fn along(
        model: &Model,
        way: &[(u32, bool)],
        words: &Words,
        now: UnixTime,
    ) -> Vec<Self> {
        let mut values = Values::new();
        let mut lists: Vec<(Input, Vec<Value>)> = Vec::new();
        for (input, domain, region, present) in model.chosen(way) {
            let given = match region {
                Region::Absent => Given::Absent,
                Region::TooLarge => Given::TooLarge,
                Region::Value(value) | Region::Open(value) => Given::Value(value.clone()),
                Region::Address(ip) => Given::Address(*ip),
                Region::Map => Given::Value(Value::Map(Vec::new())),
                Region::Wild | Region::Lost => Given::Value(Value::from("x")),
                Region::List => {
                    let elements = domain.regions.elements.as_deref();
                    let elements: Vec<Value> = elements
                        .into_iter()
                        .flat_map(|elements| elements.all.iter().zip(&present))
                        .filter(|(_, present)| **present)
                        .map(|(region, _)| of_element(region))
                        .collect();
                    lists.push((input.clone(), elements.clone()));
                    Given::Value(Value::List(elements))
                }
            };
            values.insert(input.clone(), given);
        }
        let mut tried: Vec<Values> = vec![values.clone()];
        let fitted = fit(model, way, &values, words);
        tried.extend(fitted);
        // Lists of other lengths: with what they have once more, or with something else in them.
        let sized = |input: &Input| {
            model.domain(input).is_some_and(|domain| {
                domain
                    .regions
                    .truths
                    .keys()
                    .any(|test| matches!(test, Test::Size(_) | Test::Equals(Value::List(_))))
            })
        };
        for (input, elements) in lists.iter().filter(|(input, _)| sized(input)) {
            let regions = model.domain(input).map(|domain| &domain.regions);
            for list in lengthened(regions, elements) {
                let mut other = values.clone();
                other.insert(input.clone(), Given::Value(Value::List(list)));
                tried.push(other);
            }
        }
        tried.into_iter().filter_map(|values| Self::of(&values, words, now)).collect()
    }

    fn of(values: &Values, words: &Words, now: UnixTime) -> Option<Self> {
        let text = |root| match values.get(&Input::root(root)) {
            Some(Given::Value(Value::String(text))) => Some(text.clone()),
            _ => None,
        };
        let (mut claims, mut args) = (Value::Map(Vec::new()), Value::Map(Vec::new()));
        let mut oversized = Vec::new();
        for (input, given) in values {
            let root = match input.root {
                Root::Claims => &mut claims,
                Root::Args => &mut args,
                _ => continue,
            };
            match given {
                Given::Value(value) => put(root, &input.names, value)?,
                Given::TooLarge => oversized.push(input.names.clone()),
                Given::Absent | Given::Address(_) => {}
            }
        }
        let at = match values.get(&Input::root(Root::Now)) {
            Some(Given::Value(Value::Number(number))) => number.as_u64()?,
            _ => now,
        };
        let revision = text(Root::Revision).and_then(|text| {
            Revision::ALL.into_iter().find(|revision| revision.as_str() == &*text)
        });
        let ip = match values.get(&Input::root(Root::ClientIp)) {
            Some(Given::Address(ip)) => *ip,
            _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        Some(Self {
            words: words.clone(),
            caller: caller(values, claims)?,
            args,
            oversized,
            ip,
            route: text(Root::Route).unwrap_or_else(|| "default".into()),
            host: text(Root::Host).unwrap_or_else(|| "localhost".into()),
            sni: text(Root::Sni),
            revision: revision.unwrap_or(Revision::V2025_11_25),
            is_retry: values.get(&Input::root(Root::IsRetry))
                == Some(&Given::Value(Value::Bool(true))),
            at,
            is_now: at == now,
        })
    }

    /// Asks `then` about the call under a set whose captures are `captures`.
    pub(super) fn with<T>(
        &self,
        captures: &Captures,
        then: impl FnOnce(&Principal, &Context<'_>, &Call) -> T,
    ) -> T {
        let mut args = Args::capture(captures, Some(&self.args));
        for path in &self.oversized {
            args.enlarge(captures, path);
        }
        let call = Call {
            method: self.words.method.clone(),
            object: self.words.object.clone(),
            revision: self.revision,
            is_request: true,
            is_retry: self.is_retry,
            args,
            subscriptions: self.words.is_empty.then(Default::default),
        };
        let context =
            Context { route: &self.route, host: &self.host, sni: self.sni.as_deref(), ip: self.ip };
        then(&self.caller.principal(), &context, &call)
    }

    /// Decides the call as [`Policy::decide`] or [`Policy::decide_server_request`] does.
    ///
    /// # Errors
    /// As there.
    pub fn decide(&self, policy: &Policy) -> Result<Permitted, Refusal> {
        self.with(policy.captures(), |principal, context, call| {
            if self.words.is_server {
                policy.decide_server_request(principal, context, call, self.at)
            } else {
                policy.decide(principal, context, call, self.at)
            }
        })
    }

    /// What the call acts on, where it acts on one thing.
    #[must_use]
    pub fn object(&self) -> Option<&Object> {
        self.words.object.as_ref()
    }

    /// The method of the call.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.words.method
    }
}

pub(super) fn of_element(region: &Region) -> Value {
    match region {
        Region::Value(value) | Region::Open(value) => value.clone(),
        Region::Map => Value::Map(Vec::new()),
        Region::List => Value::List(Vec::new()),
        _ => Value::from("x"),
    }
}

/// Puts `value` at the end of `names`; `None` where something that is no object is in the way.
pub(super) fn put(root: &mut Value, names: &[Box<str>], value: &Value) -> Option<()> {
    let (last, above) = names.split_last()?;
    let mut at = root;
    for name in above {
        let Value::Map(members) = at else { return None };
        let place = match members.binary_search_by(|(key, _)| key.cmp(name)) {
            Ok(place) => place,
            Err(place) => {
                members.insert(place, (name.clone(), Value::Map(Vec::new())));
                place
            }
        };
        at = &mut members.get_mut(place)?.1;
    }
    let Value::Map(members) = at else { return None };
    match members.binary_search_by(|(key, _)| key.cmp(last)) {
        Ok(place) => members.get_mut(place)?.1 = value.clone(),
        Err(place) => members.insert(place, (last.clone(), value.clone())),
    }
    Some(())
}

/// The caller that `values` describe: one by token, if that can be; `None` where there can be none.
fn caller(values: &Values, mut claims: Value) -> Option<Caller> {
    let kind = match values.get(&Input::root(Root::ClientKind)) {
        Some(Given::Value(Value::String(kind))) => {
            Some(ClientKind::from_word(kind).unwrap_or(ClientKind::Anonymous))
        }
        _ => None,
    };
    let wanted = |root| {
        values.get(&Input::root(root)).map(|given| match given {
            Given::Value(Value::String(text)) => Some(text.clone()),
            _ => None,
        })
    };
    let (id, issuer) = (wanted(Root::ClientId), wanted(Root::ClientIssuer));
    let scopes: Option<Vec<Box<str>>> = match values.get(&Input::root(Root::ClientScopes)) {
        Some(Given::Value(Value::List(list))) => {
            Some(list.iter().filter_map(Value::as_str).map(Box::from).collect())
        }
        _ => None,
    };
    if kind.is_none_or(|kind| kind == ClientKind::Jwt) {
        // A token says all of this in its claims, where these are not spoken for.
        let joined = scopes.as_ref().map(|scopes| Box::<str>::from(scopes.join(" ")));
        let joined = joined.filter(|text| !text.is_empty());
        for (name, text) in
            [("sub", id.clone().flatten()), ("iss", issuer.clone().flatten()), ("scope", joined)]
        {
            let input = Input { root: Root::Claims, names: Box::new([name.into()]) };
            let is_free = !values.contains_key(&input);
            if let (Some(text), true) = (text, is_free) {
                put(&mut claims, &input.names, &Value::String(text))?;
            }
        }
    }
    let mut caller = Caller::of_token(claims);
    let by_token = caller.clone();
    caller.id = id.unwrap_or(caller.id);
    caller.issuer = issuer.unwrap_or(caller.issuer);
    caller.scopes = scopes.unwrap_or(caller.scopes);
    let fits = caller == by_token;
    match kind {
        None if fits => {}
        // Some other credential, of which the claims do not say the rest.
        None => caller.kind = ClientKind::ApiKey,
        Some(ClientKind::Jwt) if !fits => return None,
        Some(kind) => caller.kind = kind,
    }
    let is_nobody = caller.kind == ClientKind::Anonymous;
    let has_claims = !matches!(&caller.claims, Value::Map(members) if members.is_empty());
    if is_nobody && (has_claims || caller.id.is_some() || caller.issuer.is_some()) {
        return None;
    }
    Some(caller)
}

/// Values like `values` in which comparisons of inputs come out as `way` says.
fn fit(model: &Model, way: &[(u32, bool)], values: &Values, words: &Words) -> Vec<Values> {
    let decided = model.decided(way);
    let relations: Vec<(&Relation, bool)> = decided
        .iter()
        .filter_map(|(other, wanted)| Some((other.relation.as_ref()?, *wanted)))
        .collect();
    if relations.is_empty() {
        return Vec::new();
    }
    let mut all = Vec::new();
    // First with texts that differ, so that what must not be equal is not.
    for is_spread in [false, true] {
        let mut now = values.clone();
        if is_spread {
            spread(model, &mut now);
        }
        for _ in 0..MAX_ROUNDS {
            for (relation, wanted) in &relations {
                settle(model, &mut now, relation, *wanted, words);
            }
        }
        all.push(now);
    }
    all
}

/// Rounds of fitting: one value may depend on another that depends on a third.
const MAX_ROUNDS: usize = 3;

/// Makes texts differ where nothing asks for a certain one.
fn spread(model: &Model, values: &mut Values) {
    let inputs: Vec<Input> = values.keys().cloned().collect();
    for (at, input) in inputs.iter().enumerate() {
        if let Some(Given::Value(Value::String(text))) = values.get(input) {
            for other in [format!("{text}{at}"), format!("v{at}")] {
                if replace(model, values, input, &Value::from(&*other)) {
                    break;
                }
            }
        }
    }
}

/// Gives `input` the value `value`, where no test tells the two apart.
fn replace(model: &Model, values: &mut Values, input: &Input, value: &Value) -> bool {
    let Some(Given::Value(old)) = values.get(input) else { return false };
    let Some(domain) = model.domain(input) else { return false };
    let is_same = domain
        .regions
        .truths
        .keys()
        .all(|test| test.on(Some(Some(old))) == test.on(Some(Some(value))));
    if is_same {
        values.insert(input.clone(), Given::Value(value.clone()));
    }
    is_same
}

/// Changes `values` so that `relation` comes out as `wanted`, where that is easily done.
fn settle(model: &Model, values: &mut Values, relation: &Relation, wanted: bool, words: &Words) {
    let (Some(left), Some(right)) =
        (value_of(&relation.left, values, words), value_of(&relation.right, values, words))
    else {
        return;
    };
    let holds = match (relation.kind, &right) {
        (RelationKind::Equal, _) => Test::Equals(right.clone()),
        (RelationKind::Less, _) => Test::Less(right.clone()),
        (RelationKind::Greater, _) => Test::Greater(right.clone()),
        (RelationKind::StartsWith, Value::String(text)) => Test::StartsWith(text.clone()),
        (RelationKind::EndsWith, Value::String(text)) => Test::EndsWith(text.clone()),
        (RelationKind::Contains, Value::String(text)) => Test::Contains(text.clone()),
        _ => return,
    };
    let holds = holds.on(Some(Some(&left)));
    if holds == Truth::from(wanted) {
        return;
    }
    for (input, value) in attempts(relation, values, words, wanted) {
        if replace(model, values, input, &value) {
            return;
        }
    }
}

/// Values of one input with which `relation` may come out as `wanted`, where all others stay as they are in `values`.
pub(super) fn attempts<'r>(
    relation: &'r Relation,
    values: &Values,
    words: &Words,
    wanted: bool,
) -> Vec<(&'r Input, Value)> {
    let (left, right) =
        (value_of(&relation.left, values, words), value_of(&relation.right, values, words));
    let mut tries: Vec<(&Input, Value)> = Vec::new();
    let text_of = |value: &Option<Value>| {
        value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let texts = (text_of(&left), text_of(&right));
    let text = |text: String| Value::String(text.into());
    if let (Term::Input(input), Some(right)) = (&relation.left, &right) {
        let (old, new) = (&*texts.0, &*texts.1);
        let rest = old.strip_prefix(relation.right.beginning()).unwrap_or(old);
        let rest = if new.ends_with('/') { rest.trim_start_matches('/') } else { rest };
        let head = old.strip_suffix(relation.right.end()).unwrap_or(old);
        if let Value::Number(right) = right {
            let beside = [right.below(), right.above(), Some(right.clone())];
            tries.extend(beside.into_iter().flatten().map(|it| (input, Value::Number(it))));
        }
        match (relation.kind, wanted) {
            (RelationKind::Equal, true) => tries.push((input, right.clone())),
            (RelationKind::StartsWith, true) => tries.extend([
                (input, text(format!("{new}{rest}"))),
                (input, text(new.to_owned())),
                (input, text(format!("{new}x"))),
                (input, text(format!("{new}{old}"))),
            ]),
            (RelationKind::EndsWith, true) => tries.extend([
                (input, text(format!("{head}{new}"))),
                (input, text(new.to_owned())),
                (input, text(format!("{old}{new}"))),
            ]),
            (RelationKind::Contains, true) => tries.extend([
                (input, text(format!("{old}{new}"))),
                (input, text(new.to_owned())),
                (input, text(format!("{new}{old}"))),
            ]),
            (RelationKind::Less, true) => tries.push((input, Value::from(""))),
            (RelationKind::Greater, true) => tries.push((input, text(format!("{new}x")))),
            (_, false) => tries.extend([
                (input, text(format!("{old}x"))),
                (input, text(format!("x{old}"))),
                (input, Value::from("")),
            ]),
        }
    }
    if let (Term::Input(input), Some(left)) = (&relation.right, &left) {
        let (new, old) = (&*texts.0, &*texts.1);
        match (relation.kind, wanted) {
            (_, true) => tries.push((input, left.clone())),
            (_, false) => {
                tries.extend([(input, text(format!("{old}y"))), (input, text(format!("{new}y")))]);
            }
        }
    }
    // Of what is put together, the inputs.
    if let (Term::Concat(parts), false) = (&relation.right, wanted) {
        for part in parts {
            if let Term::Input(input) = part {
                tries.push((input, text(format!("{}y", texts.1))));
            }
        }
    }
    let joins = [(&relation.right, &texts.0), (&relation.left, &texts.1)];
    let sides = if relation.kind == RelationKind::Equal { 2 } else { 1 };
    for (term, whole) in joins.into_iter().take(sides).filter(|_| wanted) {
        let Term::Concat(parts) = term else { continue };
        for (at, part) in parts.iter().enumerate() {
            let Term::Input(input) = part else { continue };
            let joined = |parts: &[Term]| value_of(&Term::Concat(parts.to_vec()), values, words);
            let (before, after) = parts.split_at_checked(at).unwrap_or_default();
            let (Some(before), Some(after)) =
                (joined(before), joined(after.get(1..).unwrap_or_default()))
            else {
                continue;
            };
            let (before, after) = (text_of(&Some(before)), text_of(&Some(after)));
            let found = between(relation.kind, whole, &before, &after);
            tries.extend(found.into_iter().map(|found| (input, text(found))));
        }
    }
    tries
}

/// Texts that `whole` has between `before` and `after`, as a comparison of `kind` asks.
fn between(kind: RelationKind, whole: &str, before: &str, after: &str) -> Vec<String> {
    match kind {
        RelationKind::Equal => {
            let inner = whole.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            inner.map(str::to_owned).into_iter().collect()
        }
        RelationKind::StartsWith => {
            let Some(rest) = whole.strip_prefix(before) else { return Vec::new() };
            // Up to what follows; where nothing does, of any length.
            let first = rest.chars().next().map(String::from).unwrap_or_default();
            match rest.split_once(after) {
                Some((inner, _)) if !after.is_empty() => vec![inner.to_owned()],
                _ if after.is_empty() => vec![first, rest.to_owned()],
                _ => Vec::new(),
            }
        }
        RelationKind::EndsWith => {
            let Some(rest) = whole.strip_suffix(after) else { return Vec::new() };
            let last = rest.chars().next_back().map(String::from).unwrap_or_default();
            match rest.rsplit_once(before) {
                Some((_, inner)) if !before.is_empty() => vec![inner.to_owned()],
                _ if before.is_empty() => vec![last, rest.to_owned()],
                _ => Vec::new(),
            }
        }
        RelationKind::Contains | RelationKind::Less | RelationKind::Greater => Vec::new(),
    }
}

/// The value of `term`; `None` where it has none.
fn value_of(term: &Term, values: &Values, words: &Words) -> Option<Value> {
    match term {
        Term::Text(text) => Some(Value::String(text.clone())),
        Term::Input(input) => match (input.root, values.get(input)) {
            (Root::Target, _) => words.object.as_ref().map(|object| Value::from(&*object.name)),
            (Root::Method, _) => Some(Value::from(&*words.method)),
            (_, Some(Given::Value(value))) => Some(value.clone()),
            (_, Some(Given::Address(ip))) => Some(Value::from(&*ip.to_canonical().to_string())),
            _ => None,
        },
        Term::Concat(parts) => {
            let parts: Option<Vec<Value>> =
                parts.iter().map(|part| value_of(part, values, words)).collect();
            let texts: Option<Vec<String>> =
                parts?.iter().map(|part| part.as_str().map(str::to_owned)).collect();
            Some(Value::String(texts?.concat().into()))
        }
    }
}

/// Lists with the elements of `elements`, of lengths that tests ask for.
fn lengthened(regions: Option<&Regions>, elements: &[Value]) -> Vec<Vec<Value>> {
    let mut lists = Vec::new();
    let Some(regions) = regions else { return lists };
    for test in regions.truths.keys() {
        match test {
            Test::Equals(Value::List(list)) => lists.push(list.clone()),
            Test::Size(test) => {
                let (Test::Equals(value) | Test::Less(value) | Test::Greater(value)) = &**test
                else {
                    continue;
                };
                let Value::Number(number) = value else { continue };
                let size = number.as_u64().unwrap_or(0).min(MAX_ELEMENTS);
                let filler = elements.first().cloned().unwrap_or_else(|| Value::from("x"));
                for size in [size.saturating_sub(1), size, size + 1] {
                    let size = usize::try_from(size).unwrap_or(0);
                    if size > elements.len() {
                        let mut list = elements.to_vec();
                        list.resize(size, filler.clone());
                        lists.push(list);
                    }
                }
            }
            _ => {}
        }
    }
    lists
}

/// Longest list of an example.
const MAX_ELEMENTS: u64 = 200;
