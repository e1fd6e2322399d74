//! `schema.toml`: what the claims of callers are.
//!
//! ```toml
//! [claims]
//! sub = "string"
//!
//! [claims.plan]
//! type     = "string"
//! values   = ["free", "pro"]
//! required = true
//!
//! [claims.roles]
//! type   = "list"
//! of     = "string"
//! values = ["admin", "reader"]   # of its elements
//!
//! [claims.org]
//! type    = "table"
//! members = { id = "string", seats = { type = "number" } }
//! ```

use std::collections::BTreeMap;

use super::{Draft, codes, words};
use crate::diagnostic::document::{Document, Shape, Table, Value as Written};
use crate::diagnostic::{Applicability, Diagnostic, Near, SourceId, Spanned, near};
use crate::policy::Value;
use crate::policy::types::{Claims, Declared, Kind, Kinds, MAX_DEPTH};

/// What the file is called, in whatever directory of the set.
const FILE_NAME: &str = "schema.toml";

/// The words for kinds. `null` is no word: a claim that is null is like one that is not there.
const KINDS: [(&str, Kind); 5] = [
    ("string", Kind::String),
    ("number", Kind::Number),
    ("bool", Kind::Bool),
    ("list", Kind::List),
    ("table", Kind::Table),
];

/// Whether the file `name` declares claims, rather than rules.
pub(super) fn is_schema(name: &str) -> bool {
    name.rsplit(['/', '\\']).next() == Some(FILE_NAME)
}

impl Draft<'_> {
    /// Reads `files`, all of which are called `schema.toml`. `None` where there is none.
    pub(super) fn read_schemas(&mut self, files: &[SourceId]) -> Option<Claims> {
        let mut claims = Claims::default();
        for file in files {
            let Some(source) = self.sources.source(*file) else { continue };
            let document = Document::parse(source.text(), *file, codes::DOCUMENT, self.problems);
            let Some(document) = document else { continue };
            let mut root = document.root("`schema.toml`").elsewhere(words::SCHEMA);
            if let Some(table) = root.table("claims") {
                for (name, declared) in self.declared(table, 0) {
                    if let Some(first) = claims.top.get(&name) {
                        let message = format!("claim `{name}` is declared twice");
                        let finding = Diagnostic::error(codes::DUPLICATE_NAME, message);
                        self.report(
                            finding
                                .primary(declared.span, "")
                                .secondary(first.span, "the first one"),
                        );
                        continue;
                    }
                    claims.top.insert(name, declared);
                }
            }
            root.finish();
        }
        (!files.is_empty()).then_some(claims)
    }

    /// The declarations in `table`, whose keys are names of claims or members.
    fn declared(&self, mut table: Table<'_>, depth: usize) -> BTreeMap<Box<str>, Declared> {
        let entries = table.entries();
        table.finish();
        let all = entries.into_iter().filter_map(|(name, value)| {
            Some((Box::from(name.value), self.declaration(name, value, depth)?))
        });
        all.collect()
    }

    fn declaration(
        &self,
        name: Spanned<&str>,
        value: Written<'_>,
        depth: usize,
    ) -> Option<Declared> {
        let plain = |kinds| Declared {
            kinds,
            values: None,
            is_required: false,
            of: None,
            members: None,
            span: name.span,
        };
        let mut table = match value.shape()? {
            Shape::String(word) => {
                return Some(plain(Kinds::only(self.kind(Spanned::new(word, value.span()))?)));
            }
            Shape::Table(table) => table.elsewhere(words::CLAIM),
            _ => return value.wrong("a type such as \"string\", or a table with `type`"),
        };
        if depth >= MAX_DEPTH {
            table.ignore();
            return value.wrong("a claim with fewer levels");
        }
        let kinds = self.kinds(&mut table, "type");
        let values = table.value("values");
        let is_required = table.bool("required").is_some_and(|it| it.value);
        let of_place = table.value("of");
        let of = self.kinds(&mut table, "of");
        let members = table.value("members");
        table.required_as("type", "type = \"string\"");
        table.finish();
        let kinds = kinds?;
        let is_list = kinds.has(Kind::List);
        match of_place {
            Some(_) if is_list => {
                of?;
            }
            Some(place) => return place.wrong("`of` only where `type` is \"list\""),
            None => {}
        }
        let members = match members {
            Some(members) if kinds.has(Kind::Table) => {
                Some(self.declared(members.table()?, depth + 1))
            }
            Some(members) => return members.wrong("`members` only where `type` is \"table\""),
            None => None,
        };
        let of_values = if is_list { of.unwrap_or(Kinds::ALL) } else { kinds };
        let values = match values {
            Some(values) => Some(self.values(values, of_values)?),
            None => None,
        };
        Some(Declared { values, is_required, of, members, ..plain(kinds) })
    }

    /// The kinds under `key`: one word or a list of them.
    fn kinds(&self, table: &mut Table<'_>, key: &'static str) -> Option<Kinds> {
        let value = table.value(key)?;
        let words = value.string_or_list()?;
        if words.is_empty() {
            self.check_not_empty(key, true, value.span());
        }
        let kinds: Option<Kinds> = words.into_iter().map(|word| self.kind(word)).collect();
        kinds.filter(|kinds| *kinds != Kinds::NONE)
    }

    fn kind(&self, word: Spanned<&str>) -> Option<Kind> {
        if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == word.value) {
            return Some(*kind);
        }
        let all: Vec<String> = KINDS.iter().map(|(name, _)| format!("`{name}`")).collect();
        let message = format!("no type is called `{}`", word.value);
        let finding = Diagnostic::error(codes::UNKNOWN_WORD, message)
            .primary(word.span, format!("expected {}", all.join(", ")));
        // What other languages call them.
        let known = match word.value {
            "boolean" => Some("bool"),
            "integer" | "int" | "float" => Some("number"),
            "array" => Some("list"),
            "object" | "map" => Some("table"),
            _ => None,
        };
        let known = known.map(|word| Near { word, is_certain: true });
        let meant = known.or_else(|| near(word.value, KINDS.iter().map(|(name, _)| *name)));
        self.report(self.meant(finding, word, meant, Applicability::Safe));
        None
    }

    /// The values that a claim can have, each of one of `kinds`.
    fn values(&self, list: Written<'_>, kinds: Kinds) -> Option<Vec<Value>> {
        let span = list.span();
        let elements = list.list()?;
        if elements.is_empty() {
            self.report(
                Diagnostic::error(codes::EMPTY_LIST, "`values` is empty")
                    .primary(span, "the claim could have no value")
                    .help("list its values, or leave `values` out to mean any"),
            );
            return None;
        }
        let mut values: Vec<Value> = Vec::new();
        let mut is_right = true;
        for element in elements {
            let value = match element.shape() {
                Some(Shape::Array(_) | Shape::Table(_)) => {
                    element.wrong("a string, a number or a boolean")
                }
                Some(_) => self.read_value(element, 0),
                None => None,
            };
            match value {
                Some(value) if kinds.has(Kind::of(&value)) => values.push(value),
                Some(_) => {
                    let _ = element.wrong::<()>(&format!("{kinds}, as `type` says"));
                    is_right = false;
                }
                None => is_right = false,
            }
        }
        is_right.then_some(values)
    }
}
