//! What is told of a lock and of what changed since.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use crate::diagnostic::visible;
use crate::lock::{Change, Item, List, Lock, Weight};
use crate::wire::hidden::{Hidden, HiddenSet};

use super::super::output::{Output, escaped};
use super::Format;

/// What there is to tell.
pub(super) struct Report<'r> {
    pub(super) path: &'r Path,
    pub(super) live: &'r Lock,
    /// What changed since the file was written; `None` where there was no file.
    pub(super) changes: Option<&'r [Change]>,
}

impl Report<'_> {
    /// Whether the server is no longer what was reviewed.
    pub(super) fn is_drift(&self) -> bool {
        self.changes.unwrap_or_default().iter().any(|change| change.weight > Weight::Note)
    }

    /// Prints it. `shows_values`: with what was there and what is there now. `is_written`: whether the file was written;
    /// `None` where it was only compared.
    pub(super) fn tell(
        &self,
        format: Format,
        shows_values: bool,
        is_written: Option<bool>,
        output: &Output,
    ) {
        match format {
            Format::Human => {
                self.warn(output);
                output.out(self.human(shows_values, is_written).trim_end());
            }
            Format::Json => output.out(self.json(is_written)),
        }
    }

    /// What its reader does not see, and every model does (T51).
    fn hidden(&self) -> impl Iterator<Item = (&Item, HiddenSet)> {
        let items = List::ALL.into_iter().flat_map(|list| self.live.items(list));
        items.map(|item| (item, item.hidden())).filter(|(_, found)| !found.is_empty())
    }

    fn warn(&self, output: &Output) {
        for (item, found) in self.hidden() {
            let name = visible(item.id());
            let noun = item.list().noun();
            output.err(format_args!("warning: {noun} `{name}` has hidden characters: {found}"));
        }
    }

    fn human(&self, shows_values: bool, is_written: Option<bool>) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        for change in self.changes.unwrap_or_default() {
            let _ = writeln!(text, "{:<6}  {}", change.weight.as_str(), visible(&change.text));
            if shows_values {
                for (mark, value) in [('-', &change.old), ('+', &change.new)] {
                    if let Some(value) = value {
                        let _ = writeln!(text, "        {mark} {}", visible(value));
                    }
                }
            }
        }
        let path = self.path.display();
        let what = self.what();
        let _ = match is_written {
            Some(true) => writeln!(text, "wrote {path}: {what}"),
            Some(false) => writeln!(text, "{path} is up to date: {what}"),
            None if self.is_drift() => {
                writeln!(text, "the server is no longer what {path} says: {what}")
            }
            None => writeln!(text, "the server is what {path} says: {what}"),
        };
        text
    }

    /// `4 tools, 1 prompt`, and of whom.
    fn what(&self) -> String {
        let counts: Vec<String> = List::ALL
            .into_iter()
            .filter_map(|list| match self.live.items(list).len() {
                0 => None,
                1 => Some(format!("1 {}", list.noun())),
                n => Some(format!("{n} {}s", list.noun())),
            })
            .collect();
        let counts = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
        let server = &self.live.server;
        let name =
            format!("{counts} of `{}` {} ({})", server.name, server.version, self.live.revision);
        visible(&name).into_owned()
    }

    fn json(&self, is_written: Option<bool>) -> String {
        let changes = self.changes.map(|changes| changes.iter().map(one).collect::<Vec<_>>());
        let counts: serde_json::Map<String, serde_json::Value> = List::ALL
            .into_iter()
            .map(|list| (list.key().to_owned(), self.live.items(list).len().into()))
            .collect();
        let hidden: Vec<serde_json::Value> = self
            .hidden()
            .map(|(item, found)| {
                let kinds = Hidden::ALL.into_iter().filter(|kind| found.contains(*kind));
                let kinds: Vec<&str> = kinds.map(Hidden::as_str).collect();
                json!({"list": item.list().key(), "name": item.id(), "kinds": kinds})
            })
            .collect();
        let document = json!({
            "file": self.path.to_string_lossy(),
            "written": is_written.unwrap_or(false),
            "drift": self.is_drift(),
            "server": {"name": &*self.live.server.name, "version": &*self.live.server.version},
            "revision": self.live.revision.as_str(),
            "counts": counts,
            "changes": changes,
            "hidden": hidden,
        });
        escaped(&format!("{document:#}"))
    }
}

fn one(change: &Change) -> serde_json::Value {
    let (list, name) = change.object.as_ref().map(|(list, name)| (list.key(), &**name)).unzip();
    json!({
        "weight": change.weight.as_str(),
        "list": list,
        "name": name,
        "text": change.text,
        "old": change.old,
        "new": change.new,
    })
}
