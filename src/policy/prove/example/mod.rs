//! From a way through the diagram to a call that can be made.

mod caller;
mod fit;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

pub(super) use self::caller::Caller;
use self::caller::caller;
pub(super) use self::fit::attempts;
use self::fit::{fit, lengthened};
use super::classes::Words;
use super::domain::Region;
use super::model::Model;
use crate::policy::expr::formula::{Input, Root, Test};
use crate::policy::{
    Args, Call, Captures, Context, Object, Permitted, Policy, Principal, Refusal, UnixTime, Value,
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
