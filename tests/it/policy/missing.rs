//! Deciding with something missing: never more is said than is so, and what does not depend on it is said.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use mcpfw::policy::{
    Args, Call, Certainty, ClaimPath, ClientKind, Missing, Policy, Principal, SlotSet, Value,
};
use proptest::prelude::*;
use proptest::sample::select;

use super::decisions::{CONTEXT, NOW, call, compile, principal, value};
use super::properties::{CALLERS, contexts, policy, words};

/// The caller of whom `claims` is so, as far as it is known.
fn known_of(claims: &str, missing: &Missing) -> Principal {
    if claims.is_empty() {
        return Principal::anonymous();
    }
    let whole = principal(claims);
    let all = match value(claims) {
        Value::Map(members) => members,
        _ => Vec::new(),
    };
    let kept = all.into_iter().filter(|(name, _)| {
        let path: ClaimPath = Box::new([name.clone()]);
        !missing.misses_claim(&path)
    });
    let scopes: Vec<String> = whole.scopes().iter().map(|scope| scope.to_string()).collect();
    let id = whole.id().filter(|_| !missing.id);
    let issuer = whole.issuer().filter(|_| !missing.issuer);
    let scopes = if missing.scopes { Vec::new() } else { scopes };
    Principal::supposed(Value::map(kept)).changed(Some(ClientKind::Jwt), id, issuer, &scopes)
}

/// `call` without the arguments that are missing.
fn known_call(policy: &Policy, call: &Call, missing: &Missing) -> Call {
    let mut args = Args::new(policy.captures());
    for slot in 0..u8::try_from(policy.captures().len()).expect("there are few") {
        if !missing.args.contains(slot) {
            args.set(slot, call.args.slot(slot).clone());
        }
    }
    Call { args, is_retry: call.is_retry && !missing.is_retry, ..call.clone() }
}

fn is_certain(said: &Certainty) -> bool {
    !matches!(said, Certainty::Undecided { .. })
}

/// What can be missing, by bits.
fn missing(bits: u16) -> Missing {
    let has = |bit: u16| bits >> bit & 1 == 1;
    let mut args = SlotSet::EMPTY;
    (0..4).filter(|slot| has(*slot)).for_each(|slot| args.insert(u8::try_from(slot).unwrap_or(0)));
    let known: Vec<ClaimPath> = ["sub", "plan", "scope"]
        .into_iter()
        .zip(4..)
        .filter(|(_, bit)| !has(*bit))
        .map(|(name, _)| Box::from([Box::from(name)]))
        .collect();
    Missing {
        args,
        is_retry: has(7),
        claims: has(8).then(|| Arc::from(known)),
        scopes: has(9),
        id: has(10),
        issuer: has(11),
        host: has(12),
    }
}

proptest! {
    // Twelve calls by two ways: 5 280 decisions.
    #![proptest_config(ProptestConfig { cases: 220, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_without_it_is_so_with_it(
        text in policy(),
        calls in prop::collection::vec((words(), select(CALLERS), any::<bool>(), any::<u16>()), 12),
    ) {
        let policy = compile(&text);
        for (words, claims, is_retry, bits) in calls {
            let missing = missing(bits);
            let whole = Call { is_retry, ..call(&policy, &words) };
            let known = known_call(&policy, &whole, &missing);
            let (caller, seen) = (principal(claims), known_of(claims, &missing));
            for context in contexts() {
                let so = policy.decide(&caller, &context, &whole, NOW);
                let said = policy.decide_without(&seen, &context, &known, &missing, NOW);
                let is_so = match &said {
                    Certainty::Permitted(_) => so.is_ok(),
                    Certainty::Refused(_) => so.is_err(),
                    Certainty::Undecided { .. } => true,
                };
                prop_assert!(is_so, "{claims} {words} {missing:?}: {said:?}, and it is {so:?}\n{text}");
                if missing.is_nothing() {
                    prop_assert!(is_certain(&said), "{words}\n{text}");
                }
                if let Certainty::Undecided { .. } = said {
                    let open = policy.open_rules(&seen, &context, &known, &missing, NOW);
                    prop_assert!(!open.is_empty(), "{claims} {words} {missing:?}\n{text}");
                    for rule in open {
                        prop_assert!(!policy.lacks(rule, &missing).is_empty(), "{words}\n{text}");
                    }
                }
            }
        }
    }
}

const RULES: &str = "
[[allow]]
name = 'read'
tools = ['read']

[[allow]]
name = 'own'
tools = ['write']
when = 'args.path.startsWith(\"/home/\" + claims.sub + \"/\")'

[[deny]]
name = 'no-etc'
tools = ['read', 'write']
when = 'args.path.startsWith(\"/etc/\") && claims.plan != \"root\"'

[[allow]]
name = 'scoped'
tools = ['admin']
scopes = ['admin']

[[allow]]
name = 'list'
tools = ['each']
when = 'args.paths.all(p, p.startsWith(\"/tmp/\")) || claims.plan == \"root\"'
";

/// What is said of a call with something missing, and what it would need.
#[test]
fn what_is_certain_and_what_is_not() {
    let no_args = |policy: &Policy| {
        let mut args = SlotSet::EMPTY;
        (0..u8::try_from(policy.captures().len()).expect("few")).for_each(|slot| args.insert(slot));
        Missing { args, ..Missing::default() }
    };
    let no_claims = Missing { claims: Some(Arc::new([])), ..Missing::default() };
    let root = r#"{"sub": "u1", "plan": "root"}"#;
    let free = r#"{"sub": "u1", "plan": "free"}"#;
    let policy = compile(RULES);
    let no_scopes = Missing { scopes: true, ..Missing::default() };
    for (claims, words, missing, want) in [
        // No deny can apply to root, whatever the arguments were.
        (root, "tool read", no_args(&policy), "allow"),
        (free, "tool read", no_args(&policy), "open args.path"),
        (free, "tool write", no_args(&policy), "open args.path"),
        // Nothing allows it, whatever is missing.
        (free, "tool shell", no_args(&policy), "deny"),
        (free, "tools/list", no_args(&policy), "allow"),
        // The path is known, and no claim makes it good.
        ("{}", "tool read with {\"path\": \"/srv/x\"}", no_claims.clone(), "allow"),
        ("{}", "tool read with {\"path\": \"/etc/x\"}", no_claims.clone(), "open claims.plan"),
        ("{}", "tool write with {\"path\": \"/srv/x\"}", no_claims.clone(), "deny"),
        ("{}", "tool write with {\"path\": \"/home/u1/x\"}", no_claims.clone(), "open claims.sub"),
        (free, "tool admin", no_scopes.clone(), "open client.scopes"),
        (free, "tool read with {\"path\": \"/srv\"}", no_scopes, "allow"),
        (root, "tool each", no_args(&policy), "allow"),
        (free, "tool each", no_args(&policy), "open args.paths"),
        ("{}", "tool each with {\"paths\": [\"/tmp/a\"]}", no_claims, "open claims.plan"),
    ] {
        let whole = call(&policy, words);
        let known = known_call(&policy, &whole, &missing);
        let caller = known_of(claims, &missing);
        let said = match policy.decide_without(&caller, &CONTEXT, &known, &missing, NOW) {
            Certainty::Permitted(_) => "allow".to_owned(),
            Certainty::Refused(_) => "deny".to_owned(),
            Certainty::Undecided { .. } => {
                let open = policy.open_rules(&caller, &CONTEXT, &known, &missing, NOW);
                let mut needs: Vec<String> =
                    open.iter().flat_map(|rule| policy.lacks(*rule, &missing)).collect();
                needs.dedup();
                format!("open {}", needs.join(", "))
            }
        };
        assert_eq!(said, want, "{claims} {words}");
    }
}
