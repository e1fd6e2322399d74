//! What two sets of policies decide differently.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::diagram::MAX_NODES;
use super::engine::{Answer, Engine};
use super::example::Example;
use crate::policy::{Policy, UnixTime};

/// Most names that a group lists.
const MOST_NAMES: usize = 8;

/// How one set differs from another.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Groups of calls that are decided differently: those allowed now first, then by what allows or refuses them.
    pub changes: Vec<Change>,
    /// What could not be told; empty where everything else is decided alike.
    pub undecided: Vec<Box<str>>,
}

/// Calls that one set allows and the other does not.
#[derive(Clone, Debug)]
pub struct Change {
    /// Whether it is the new set that allows them.
    pub is_allowed: bool,
    /// The rule of the new set that decides the example; `None` where that is the default.
    pub rule: Option<Box<str>>,
    /// What the calls are, one of each class: `tools/call search`.
    pub calls: Vec<String>,
    /// How many classes there are beyond those in `calls`.
    pub more: usize,
    /// One of them, which both sets have decided so.
    pub example: Box<Example>,
}

impl Policy {
    /// What this set allows and `old` does not, and the other way round, of all requests at `now` and after.
    #[must_use]
    pub fn against(&self, old: &Self, now: UnixTime) -> Difference {
        let (mut engine, classes) = Engine::new(&[self, old], now, MAX_NODES);
        let mut groups: BTreeMap<(bool, Option<Box<str>>), Change> = BTreeMap::new();
        let mut undecided: Vec<Box<str>> = Vec::new();
        for class in &classes {
            let (ours, theirs) = (engine.permits(0, class), engine.permits(1, class));
            for is_allowed in [true, false] {
                let question = if is_allowed {
                    engine.model.diagram.and(ours, !theirs)
                } else {
                    engine.model.diagram.and(theirs, !ours)
                };
                let confirms = |example: &Example| {
                    example.decide(self).is_ok() == is_allowed
                        && example.decide(old).is_ok() != is_allowed
                };
                let example = match engine.ask(class, question, &confirms) {
                    Answer::No => continue,
                    Answer::Yes(example) => example,
                    Answer::Perhaps(what) => {
                        undecided.extend(what);
                        continue;
                    }
                };
                let rule = match example.decide(self) {
                    Ok(permitted) => permitted.basis().rule(),
                    Err(refusal) => refusal.rule(),
                };
                let rule =
                    rule.and_then(|rule| self.rule(rule)).map(|info| Box::from(&**info.name()));
                let call = example.brief();
                let change = groups.entry((!is_allowed, rule.clone())).or_insert_with(|| Change {
                    is_allowed,
                    rule,
                    calls: Vec::new(),
                    more: 0,
                    example,
                });
                if change.calls.len() < MOST_NAMES {
                    change.calls.push(call);
                } else {
                    change.more += 1;
                }
            }
        }
        if !engine.is_sound() && undecided.is_empty() {
            undecided.push("the size of the rules".into());
        }
        undecided.sort_unstable();
        undecided.dedup();
        Difference { changes: groups.into_values().collect(), undecided }
    }
}

impl Difference {
    /// Whether no request is decided differently.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.changes.is_empty() && self.undecided.is_empty()
    }

    /// The difference for people; `new` and `old` are where the sets stand.
    #[must_use]
    pub fn to_text(&self, new: &str, old: &str) -> String {
        let mut text = String::new();
        for (is_allowed, title) in
            [(true, "allowed now, refused before"), (false, "refused now, allowed before")]
        {
            let of: Vec<&Change> =
                self.changes.iter().filter(|change| change.is_allowed == is_allowed).collect();
            if of.is_empty() {
                continue;
            }
            text += &format!("{title}:\n");
            for change in of {
                let by = match &change.rule {
                    Some(rule) => format!("by `{rule}`"),
                    None if is_allowed => "by the lifecycle set".into(),
                    None => "by default, no rule allows it".into(),
                };
                let more = if change.more > 0 {
                    format!(" and {} more", change.more)
                } else {
                    String::new()
                };
                text += &format!("  {}{more}  ({by})\n", change.calls.join(", "));
                text += &format!("    now:    {}\n", change.example.command(new));
                text += &format!("    before: {}\n", change.example.command(old));
            }
        }
        if self.is_none() {
            text += "the same: every request is decided alike\n";
        } else if !self.undecided.is_empty() {
            let what: Vec<String> = self.undecided.iter().map(|what| format!("`{what}`")).collect();
            text += &format!("undecided, it depends on {}\n", what.join(", "));
        }
        text
    }

    /// The difference for programs.
    #[must_use]
    pub fn to_json(&self, new: &str, old: &str) -> Json {
        let changes = self.changes.iter().map(|change| {
            json!({
                "change": if change.is_allowed { "allowed" } else { "refused" },
                "rule": change.rule,
                "calls": change.calls,
                "more": change.more,
                "example": {
                    "now": change.example.command(new),
                    "before": change.example.command(old),
                },
            })
        });
        json!({
            "same": self.is_none(),
            "changes": changes.collect::<Vec<_>>(),
            "undecided": self.undecided,
        })
    }
}
