//! What would turn a verdict, as people and programs read it.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::diagnostic::visible;
use crate::policy::{Changed, Opposite, Turn};

impl Opposite {
    /// In words, for a call that `is_allowed` now.
    #[must_use]
    pub fn told(&self, is_allowed: bool) -> String {
        let other = if is_allowed { "refused" } else { "allowed" };
        match self {
            Self::Turned(turns) => {
                let mut text = match turns.len() {
                    1 => format!("It would be {other} if this were so:"),
                    _ => format!("It would be {other} if one of these were so:"),
                };
                for turn in turns {
                    let all: Vec<String> = turn.changes.iter().map(Changed::told).collect();
                    // Writing to a String cannot fail.
                    let _ = write!(text, "\n  {}", all.join(", and "));
                }
                text
            }
            Self::Fixed => format!(
                "It would not be {other} whoever asked, with whatever arguments: only other rules, or another target, change that."
            ),
            Self::NotFound(blame) if blame.is_empty() => {
                format!("What would have it {other} was not found.")
            }
            Self::NotFound(blame) => {
                let blame: Vec<String> =
                    blame.iter().take(3).map(|what| format!("`{}`", visible(what))).collect();
                format!(
                    "What would have it {other} was not found: it depends on {}.",
                    blame.join(", ")
                )
            }
        }
    }

    /// As data: `turned`, a list of sets of changes; whether the verdict is `fixed`; and what it `depends_on`, where neither
    /// could be told.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let (turned, fixed, blame) = match self {
            Self::Turned(turns) => (turns.as_slice(), false, &[][..]),
            Self::Fixed => (&[][..], true, &[][..]),
            Self::NotFound(blame) => (&[][..], false, blame.as_slice()),
        };
        json!({
            "turned": turned.iter().map(Turn::to_json).collect::<Vec<_>>(),
            "fixed": fixed,
            "depends_on": blame,
        })
    }
}

impl Turn {
    fn to_json(&self) -> Json {
        let value = |text: &Option<Box<str>>| {
            text.as_deref()
                .map(|text| serde_json::from_str(text).unwrap_or_else(|_| Json::from(text)))
        };
        let changes = self.changes.iter().map(|change| {
            json!({
                "what": change.what,
                "before": value(&change.before),
                "after": value(&change.after),
            })
        });
        changes.collect()
    }
}

impl Changed {
    fn told(&self) -> String {
        let what = visible(&self.what);
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                format!("{what} is {}, not {}", visible(after), visible(before))
            }
            (None, Some(after)) => format!("{what} is there, and is {}", visible(after)),
            (Some(_), None) => format!("{what} is not there"),
            (None, None) => what.into_owned(),
        }
    }
}
