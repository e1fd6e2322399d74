//! A least-privilege policy from traffic: exactly the names that were called and allowed, for the callers that a claim tells
//! from the others, with limits from what was observed and a test from an example.
//!
//! What a name says is a caller's choice: names stand in TOML strings with every odd character escaped, and a name that would
//! be a pattern is proposed no rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::caller::{names, with};
use super::toml::{comment, inline, quoted, string, strings};
use super::traffic::{Called, Calls, Traffic, Values};
use crate::policy::{Value, is_exact_name};
use crate::wire::mcp::ObjectKind;

/// Most values that a proposed condition lists.
const LISTED: usize = 8;
/// Claims that tell one caller from another, and not one group from another.
const PERSONAL: &[&str] = &["/claims/sub", "/claims/jti", "/claims/email", "/claims/sid"];
/// How much more than 99 of 100 minutes had is allowed.
const HEADROOM: u32 = 2;
/// The least that a limit allows a minute: a log of a quiet day says little of a busy one.
const LEAST: u32 = 10;

/// What is wanted of a proposal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish {
    /// Allow also what was refused of what was allowed at other times.
    pub include_denied: bool,
    /// Conditions on arguments, from those that were recorded.
    pub arguments: bool,
}

/// A proposed policy.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    /// The file.
    pub text: String,
    /// Its allows.
    pub rules: usize,
    /// The names that it allows.
    pub names: BTreeSet<Called>,
    /// What is proposed no rule, with why, shown as it is.
    pub left_out: Vec<String>,
}

/// Things of one family with one condition.
#[derive(Default)]
struct Family<'t> {
    members: Vec<(&'t Called, &'t Calls)>,
}

/// Proposes a policy that allows what `traffic` shows as allowed.
#[must_use]
pub fn propose(traffic: &Traffic, wish: Wish) -> Proposal {
    let mut proposal = Proposal::default();
    let mut families: BTreeMap<(&str, String, Option<String>), Family<'_>> = BTreeMap::new();
    for (called, calls) in &traffic.allowed {
        if is_lifecycle(called) {
            continue;
        }
        if !is_exact_name(ObjectKind::from_word(called.0), &called.1) {
            proposal.leave_out(called, calls, "no pattern stands for exactly this name");
            continue;
        }
        if !wish.include_denied && !traffic.knows_denied(called) {
            let why = "more names were refused than are kept, and whether this was among them is not known; \
                       --include-denied takes it in";
            proposal.leave_out(called, calls, why);
            continue;
        }
        let denied = traffic.denied.get(called).filter(|_| !wish.include_denied);
        let Some(conditions) = conditions(traffic, calls, denied, wish) else {
            let why = "it was also refused, and nothing that is recorded tells the calls apart; \
                       --include-denied takes it in";
            proposal.leave_out(called, calls, why);
            continue;
        };
        let key = (called.0, family(called), conditions);
        families.entry(key).or_default().members.push((called, calls));
    }
    let mut taken = BTreeSet::new();
    for ((kind, family, when), found) in &families {
        let name = unique(kind, family, &mut taken);
        proposal.rule(&name, kind, when.as_deref(), &found.members);
    }
    proposal
}

/// Whether it needs no allow.
fn is_lifecycle((kind, name): &Called) -> bool {
    *kind == "method" && crate::wire::mcp::Method::from_wire(name).info().is_lifecycle
}

/// What names of one family begin with.
pub(super) fn family((kind, name): &Called) -> String {
    let end = match *kind {
        "resource" => name.find("://").map(|at| at + 3 + rest(name, at + 3)),
        _ => name.find(['_', '-', '.', '/', ':']),
    };
    name.get(..end.unwrap_or(name.len())).unwrap_or(name).to_owned()
}

/// The length of the authority of a URI that begins behind `from`.
fn rest(name: &str, from: usize) -> usize {
    name.get(from..).and_then(|after| after.find('/')).unwrap_or_default()
}

/// A name for a rule that is not taken.
pub(super) fn unique(kind: &str, family: &str, taken: &mut BTreeSet<String>) -> String {
    const LONG: usize = 40;
    let plain = family.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let plain: String = plain.take(LONG).collect::<String>().to_lowercase();
    let plain = plain.trim_matches('-');
    let base = if plain.is_empty() { format!("{kind}s") } else { plain.to_owned() };
    let mut name = base.clone();
    let mut at = 2;
    while !taken.insert(name.clone()) {
        name = format!("{base}-{at}");
        at += 1;
    }
    name
}

/// The condition that all of `calls` meet, none of `denied` and, where there is one, not all callers of other things; `None` in it:
/// none is needed. `None`: what was refused cannot be told from what was allowed.
fn conditions(
    traffic: &Traffic,
    calls: &Calls,
    denied: Option<&Calls>,
    wish: Wish,
) -> Option<Option<String>> {
    let mut terms = Vec::new();
    let mut is_apart = denied.is_none();
    if let Some((term, excludes)) = claim_term(traffic, calls, denied) {
        terms.push(term);
        is_apart |= excludes;
    }
    let is_proved = |calls: &Calls| calls.callers.iter().all(|(kind, _)| *kind != "anonymous");
    let is_nobody = |calls: &Calls| calls.callers.iter().all(|(kind, _)| *kind == "anonymous");
    if terms.is_empty() && is_proved(calls) {
        let sides = traffic.allowed.values().chain(traffic.denied.values());
        if sides.clone().any(|other| !is_proved(other)) {
            terms.push("client.kind != \"anonymous\"".to_owned());
            is_apart |= denied.is_some_and(is_nobody);
        }
    }
    if wish.arguments {
        for (name, values) in &calls.args {
            let of_denied = denied.and_then(|denied| denied.args.get(name).map(|of| (denied, of)));
            if let Some((term, excludes)) = argument_term(name, values, calls, of_denied) {
                terms.push(term);
                is_apart |= excludes;
            }
        }
    }
    if !is_apart {
        return None;
    }
    Some((!terms.is_empty()).then(|| terms.join(" && ")))
}

/// A condition on the claim that tells these callers from most others, and whether it excludes all that was `denied`.
fn claim_term(traffic: &Traffic, calls: &Calls, denied: Option<&Calls>) -> Option<(String, bool)> {
    let mut best: Option<(bool, usize, String)> = None;
    for name in calls.claims.keys().filter(|name| !PERSONAL.contains(&&***name)) {
        let Some(values) = calls.claim(name).filter(|values| values.len() <= LISTED) else {
            continue;
        };
        let Some(term) = path(name, "/claims/", "claims").and_then(|path| among(&path, values))
        else {
            continue;
        };
        let excludes = denied
            .is_some_and(|denied| denied.claim(name).is_some_and(|of| of.is_disjoint(values)));
        let tells = |other: &Calls| other.claim(name).is_none_or(|of| !of.is_subset(values));
        if !excludes && !traffic.allowed.values().chain(traffic.denied.values()).any(tells) {
            continue;
        }
        let found = (!excludes, values.len(), term);
        if best.as_ref().is_none_or(|best| found < *best) {
            best = Some(found);
        }
    }
    best.map(|(keeps, _, term)| (term, !keeps))
}

/// A condition on the argument `name` that all of `calls` meet, and whether it excludes all that was denied.
fn argument_term(
    name: &str,
    values: &Values,
    calls: &Calls,
    denied: Option<(&Calls, &Values)>,
) -> Option<(String, bool)> {
    if values.calls != calls.calls {
        return None;
    }
    let path = path(name, "/args/", "args")?;
    if !values.is_open && values.texts.len() <= LISTED {
        let excludes = denied.is_some_and(|(denied, of)| {
            of.calls == denied.calls && !of.is_open && of.texts.is_disjoint(&values.texts)
        });
        return Some((among(&path, &values.texts)?, excludes));
    }
    // A folder, and never a part of a name.
    let prefix = values.prefix.as_deref()?;
    let folder = prefix.get(..=prefix.rfind('/')?).filter(|folder| folder.len() > 1)?;
    let excludes = denied.is_some_and(|(denied, of)| {
        of.calls == denied.calls
            && !of.is_open
            && of.texts.iter().all(|text| !text.starts_with(folder))
    });
    Some((format!("{path}.startsWith({})", quoted(folder)?), excludes))
}

/// The expression that reads what records call `name`; `None` where it has odd names.
fn path(name: &str, root: &str, variable: &str) -> Option<String> {
    let mut path = variable.to_owned();
    for name in names(name.strip_prefix(root)?)? {
        let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_name = name.starts_with(is_first)
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            return None;
        }
        let _ = write!(path, ".{name}");
    }
    Some(path)
}

fn among(path: &str, values: &BTreeSet<Box<str>>) -> Option<String> {
    let texts: Option<Vec<String>> = values.iter().map(|text| quoted(text)).collect();
    match texts?.as_slice() {
        [] => None,
        [one] => Some(format!("{path} == {one}")),
        several => Some(format!("{path} in [{}]", several.join(", "))),
    }
}

impl Proposal {
    fn leave_out(&mut self, (kind, name): &Called, calls: &Calls, why: &str) {
        self.left_out.push(format!(
            "{kind} {}, {}: {why}",
            comment(name),
            counted(calls.calls, "call")
        ));
    }

    /// Writes the allow, the limit and the tests of one family.
    fn rule(&mut self, name: &str, kind: &str, when: Option<&str>, members: &[(&Called, &Calls)]) {
        self.rules += 1;
        self.names.extend(members.iter().map(|(called, _)| (*called).clone()));
        let calls: u64 = members.iter().map(|(_, calls)| calls.calls).sum();
        let callers: BTreeSet<_> = members.iter().flat_map(|(_, calls)| &calls.callers).collect();
        let days: BTreeSet<_> = members.iter().flat_map(|(_, calls)| &calls.days).collect();
        let out = &mut self.text;
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "# Seen: {} of {} by {} on {}.",
            counted(calls, "call"),
            counted(members.len() as u64, kind),
            counted(callers.len() as u64, "caller"),
            counted(days.len() as u64, "day"),
        );
        let selector = format!("{kind}s = {}", strings(members.iter().map(|(of, _)| &*of.1)));
        let _ = writeln!(out, "[[allow]]\nname = {}\n{selector}", string(name));
        if let Some(when) = when {
            let _ = writeln!(out, "when = '{when}'");
        }
        let rates = members.iter().map(|(_, calls)| calls.rates());
        let (usual, most) = rates.fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
        // Several tools share the budget, so that what was seen of each must fit at once.
        let many = u32::try_from(members.len()).unwrap_or(u32::MAX);
        let rate = (usual.saturating_mul(HEADROOM)).max(most).max(LEAST).saturating_mul(many);
        let is_of_tokens = members.iter().all(|(_, calls)| calls.is_of_tokens());
        let per = if is_of_tokens { "client.id" } else { "client.ip" };
        let _ = writeln!(
            out,
            "\n# A caller made at most {} of one of them in 99 of 100 minutes, and never more than {most}.\n\
             [[limit]]\nname = {}\n{selector}\nper = [\"{per}\"]\nrate = \"{rate}/min\"",
            counted(u64::from(usual), "call"),
            string(&format!("{name}-rate")),
        );
        for (called, calls) in members {
            if let Some(test) = test(name, called, calls, when.is_some()) {
                let _ = write!(out, "\n{test}");
            }
        }
        out.push('\n');
    }
}

/// A test of what was seen.
fn test(rule: &str, (kind, name): &Called, calls: &Calls, has_when: bool) -> Option<String> {
    let sample = calls.sample.as_ref()?;
    let who = match &sample.claims {
        None => String::new(),
        Some(claims) => format!("as = {}\n", inline(claims, 0)?),
    };
    let mut call = Vec::new();
    let usual = match *kind {
        "tool" => "tools/call",
        "prompt" => "prompts/get",
        "resource" => "resources/read",
        _ => "",
    };
    if &*sample.method != usual {
        call.push(format!("method = {}", string(&sample.method)));
    }
    if *kind != "method" {
        call.push(format!("{kind} = {}", string(name)));
    }
    if has_when && !sample.args.is_empty() {
        let mut args = Value::Map(Vec::new());
        for (name, value) in &sample.args {
            args = with(args, &names(name.strip_prefix("/args/")?)?, value.clone());
        }
        call.push(format!("args = {}", inline(&args, 0)?));
    }
    Some(format!(
        "[[test]]\nname = {}\n{who}call = {{ {} }}\nexpect = \"allow\"\nby = {}\n",
        string(&format!("seen: {kind} {name}")),
        call.join(", "),
        string(rule),
    ))
}

pub(super) fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
