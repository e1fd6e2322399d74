//! What changed between two locks, in the words of who reviews it.

use std::fmt;

use super::json::Json;
use super::schema::{self, Hint};
use super::{Item, List, Lock, write};

/// How much a change matters to who trusts the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Nothing that a model or a client acts on: a version number.
    Note,
    /// Less is offered, or differently: callers may break.
    Review,
    /// More is offered, or models are told something else, or a client is told that it need not ask: what a rug pull
    /// needs (T52).
    Danger,
}

impl Weight {
    /// `note`, `review`, `danger`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Review => "review",
            Self::Danger => "danger",
        }
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// How much it matters.
    pub weight: Weight,
    /// The list and the name of what changed; none for the server itself.
    pub object: Option<(List, Box<str>)>,
    /// What changed, in a sentence without a full stop. Names are quoted as the server wrote them, hidden characters and all:
    /// see [`crate::diagnostic::visible`].
    pub text: String,
    /// What was there, as JSON on one line, cut after 2 000 characters.
    pub old: Option<String>,
    /// What is there now, likewise.
    pub new: Option<String>,
}

/// Most characters of a value that a change shows.
const MAX_SHOWN: usize = 2_000;
/// Most changes of one element that are told one by one. Beyond it, reading the file is quicker.
const MAX_CHANGES: usize = 50;

/// Every change from `old` to `new`: of the server, then by list and name. Empty where a digest cannot tell them apart.
#[must_use]
pub fn diff(old: &Lock, new: &Lock) -> Vec<Change> {
    let mut changes = Vec::new();
    server(old, new, &mut changes);
    for list in List::ALL {
        let gone = old.items(list).filter(|item| new.find(list, item.id()).is_none());
        for item in gone {
            let text = format!("{} `{}` is gone", list.noun(), item.id());
            changes.push(of(item, Weight::Review, text));
        }
        for item in new.items(list) {
            match old.find(list, item.id()) {
                None => {
                    let text = format!("{} `{}` is new", list.noun(), item.id());
                    let description = item.member("description");
                    changes.push(Change {
                        new: description.map(shown),
                        ..of(item, Weight::Danger, text)
                    });
                }
                Some(before) if before.digest() != item.digest() => {
                    changes.extend(element(before, item));
                }
                Some(_) => {}
            }
        }
    }
    changes
}

fn of(item: &Item, weight: Weight, text: String) -> Change {
    let object = Some((item.list(), item.id().into()));
    Change { weight, object, text, old: None, new: None }
}

fn server(old: &Lock, new: &Lock, changes: &mut Vec<Change>) {
    let mut tell = |weight, text: String, old: Option<&str>, new: Option<&str>| {
        let shown = |text: &str| shown(&Json::string(text));
        let (old, new) = (old.map(shown), new.map(shown));
        changes.push(Change { weight, object: None, text, old, new });
    };
    if (&old.server.name, &old.server.version) != (&new.server.name, &new.server.version) {
        let name = |lock: &Lock| format!("`{}` {}", lock.server.name, lock.server.version);
        tell(Weight::Note, format!("the server: {} -> {}", name(old), name(new)), None, None);
    }
    if old.revision != new.revision {
        let text = format!("the revision: {} -> {}", old.revision, new.revision);
        tell(Weight::Note, text, None, None);
    }
    let (before, now) = (&old.server.instructions, &new.server.instructions);
    if before != now {
        let text = "the instructions of the server changed".to_owned();
        tell(Weight::Danger, text, before.as_deref(), now.as_deref());
    }
}

/// What changed in an element whose digest changed.
fn element(old: &Item, new: &Item) -> Vec<Change> {
    let mut found: Vec<Change> = Vec::new();
    let mut names: Vec<&str> = new.members().map(|(name, _)| name).collect();
    names.extend(old.members().map(|(name, _)| name).filter(|it| new.member(it).is_none()));
    let (noun, id) = (new.list().noun(), new.id());
    let whose = format!("`{id}`");
    let mut tell = |weight, text, old: Option<&Json>, new_value: Option<&Json>| {
        let change = of(new, weight, text);
        found.push(Change { old: old.map(shown), new: new_value.map(shown), ..change });
    };
    for name in names {
        let (before, now) = (old.member(name), new.member(name));
        if schema::same(before, now) {
            continue;
        }
        match name {
            "inputSchema" => schema::arguments(&whose, before, now, &mut tell),
            "arguments" => schema::prompt_arguments(&whose, before, now, &mut tell),
            "outputSchema" => schema::output(&whose, before, now, &mut tell),
            "annotations" => {
                for (hint, old_hint, new_hint) in schema::members(before, now) {
                    let weight = Hint::weight(hint, old_hint, new_hint);
                    let word = |value: Option<&Json>| value.map_or_else(|| "unset".into(), shown);
                    let text = if Hint::is_known(hint) {
                        let (old, new) = (word(old_hint), word(new_hint));
                        format!("annotation {hint} of {whose}: {old} -> {new}")
                    } else {
                        format!("annotation {hint} of {whose} changed")
                    };
                    tell(weight, text, old_hint, new_hint);
                }
            }
            "mimeType" => {
                tell(Weight::Review, format!("MIME type of {whose} changed"), before, now);
            }
            _ if new.list().members().contains(&name) => {
                tell(
                    Weight::Danger,
                    format!("{name} of {whose} {}", verb(before, now)),
                    before,
                    now,
                );
            }
            _ => {
                let text = format!("member `{name}` of {whose} {}", verb(before, now));
                tell(Weight::Danger, text, before, now);
            }
        }
    }
    let left = found.len().saturating_sub(MAX_CHANGES);
    if left > 0 {
        // The worst first, so that it is not among those that are left out.
        found.sort_by_key(|change| std::cmp::Reverse(change.weight));
        let weight = found.get(MAX_CHANGES).map_or(Weight::Note, |change| change.weight);
        found.truncate(MAX_CHANGES);
        found.push(of(new, weight, format!("{left} more changes of {noun} {whose}")));
    }
    if found.is_empty() {
        // The digest covers all that is compared, so this is not reached; were it, silence would be wrong.
        found.push(of(new, Weight::Danger, format!("{noun} {whose} changed")));
    }
    found
}

/// What happened to a value.
pub(super) fn verb(old: Option<&Json>, new: Option<&Json>) -> &'static str {
    match (old, new) {
        (None, _) => "is new",
        (_, None) => "is gone",
        _ => "changed",
    }
}

/// `json` on one line, cut.
pub(super) fn shown(json: &Json) -> String {
    let mut text = write::compact(json);
    if let Some((at, _)) = text.char_indices().nth(MAX_SHOWN) {
        text.truncate(at);
        text.push('…');
    }
    text
}
