//! What claims and arguments can be: declared by `schema.toml`, and by the input schemas in the lock file.
//!
//! ```text
//! schema.toml ─ language ─► Claims ─┐
//! mcp.lock.json ────────────► Lock ─┴► Types ─ claim(path), arg(tool, path) ─► Type
//! ```
//!
//! A [`Type`] never says less than there can be: what a schema says in words that are not understood here is left out, so
//! that the type is wider, not wrong.
//!
//! **Nobody holds a caller to it.** The type of a claim is what the author of the policies expects of the issuer, and an
//! anonymous caller has no claims at all, not even required ones. The type of an argument is what the server told its
//! clients; a hostile one sends what it likes. What rests on a type is therefore advice: a proof may take the type of a
//! claim for an assumption that it names, and must not rest on the type of an argument.

mod claims;
mod kinds;
mod schema;

use std::sync::Arc;

use super::Value;
use crate::lock::{self, Json, List, Lock};

pub(super) use claims::Declared;
pub use claims::{Claims, MAX_DEPTH};
pub use kinds::{Kind, Kinds};

/// What is known of the value at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// What it can be, where it is there. Empty: nothing, so that it never is.
    pub kinds: Kinds,
    /// All that it can be, where that is a list of scalars; `None` where it can be anything of `kinds`.
    pub values: Option<Vec<Value>>,
    /// What the elements of a list can be, where that is known. They know nothing of their own elements.
    pub elements: Option<Box<Self>>,
    /// Whether it is there.
    pub presence: Presence,
}

/// Whether a value is there, in what fits the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// Always.
    Required,
    /// It may be left out.
    Optional,
    /// The schema names others beside it and not this one, and does not say that there are no more.
    Unnamed,
    /// Never: the schema names all there are, and not this one.
    Never,
    /// Nothing is said.
    Unknown,
}

impl Type {
    /// Of which nothing is known.
    pub const ANY: Self =
        Self { kinds: Kinds::ALL, values: None, elements: None, presence: Presence::Unknown };

    /// That of something that the schema names others beside.
    const fn absent(presence: Presence) -> Self {
        let kinds = match presence {
            Presence::Never => Kinds::NONE,
            _ => Kinds::ALL,
        };
        Self { kinds, values: None, elements: None, presence }
    }

    /// Whether nothing is known of what it can be.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.kinds == Kinds::ALL && self.values.is_none()
    }

    /// Whether it can be `value`, as far as it is known.
    #[must_use]
    pub fn admits(&self, value: &Value) -> bool {
        self.kinds.has(Kind::of(value))
            && self.values.as_ref().is_none_or(|values| values.contains(value))
    }

    /// What can be of either type. Of presence it says what holds for both.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        use Presence::{Never, Optional, Required, Unknown, Unnamed};
        let presence = match (self.presence, other.presence) {
            (a, b) if a == b => a,
            (Unknown, _) | (_, Unknown) => Unknown,
            (Required | Optional, _) | (_, Required | Optional) => Optional,
            (Unnamed | Never, _) => Unnamed,
        };
        // What is never there adds nothing to what it can be.
        if self.kinds == Kinds::NONE || other.kinds == Kinds::NONE {
            let there = if self.kinds == Kinds::NONE { other } else { self };
            return Self { presence, ..there };
        }
        let values = match (self.values, other.values) {
            (Some(mut all), Some(more)) => {
                for value in more {
                    if !all.contains(&value) {
                        all.push(value);
                    }
                }
                Some(all)
            }
            _ => None,
        };
        let is_list = |kinds: Kinds| kinds.has(Kind::List);
        let elements = match (self.elements, other.elements) {
            (Some(a), Some(b)) => Some(Box::new(a.or(*b))),
            (Some(a), None) if !is_list(other.kinds) => Some(a),
            (None, Some(b)) if !is_list(self.kinds) => Some(b),
            _ => None,
        };
        Self { kinds: self.kinds.or(other.kinds), values, elements, presence }
    }
}

/// What is declared of the claims of callers and of the arguments of tools and prompts.
#[derive(Clone, Debug, Default)]
pub struct Types {
    claims: Option<Arc<Claims>>,
    lock: Option<Arc<Lock>>,
}

impl Types {
    /// What `schema.toml` and the lock file say, as far as there are such.
    #[must_use]
    pub fn new(claims: Option<Claims>, lock: Option<Arc<Lock>>) -> Self {
        Self { claims: claims.map(Arc::new), lock }
    }

    /// The declared claims; `None` where there is no `schema.toml`.
    #[must_use]
    pub fn claims(&self) -> Option<&Claims> {
        self.claims.as_deref()
    }

    /// The claim at `path` in a verified token. [`Type::ANY`] where there is no `schema.toml`.
    #[must_use]
    pub fn claim<S: AsRef<str>>(&self, path: &[S]) -> Type {
        self.claims.as_ref().map_or(Type::ANY, |claims| claims.at(path))
    }

    /// The argument at `path` of a call of `tool`. [`Type::ANY`] where the lock does not have the tool, or there is none.
    #[must_use]
    pub fn arg<S: AsRef<str>>(&self, tool: &str, path: &[S]) -> Type {
        match self.schema_of(tool) {
            Some(schema) => schema::at(schema, path),
            None => Type::ANY,
        }
    }

    /// The argument at `path` of a use of `prompt`: a prompt's arguments are strings, and the lock names all of them.
    /// [`Type::ANY`] where the lock does not have the prompt, or there is none.
    #[must_use]
    pub fn prompt_arg<S: AsRef<str>>(&self, prompt: &str, path: &[S]) -> Type {
        let item = self.lock.as_ref().and_then(|lock| lock.find(List::Prompts, prompt));
        let Some(item) = item else { return Type::ANY };
        let arguments = match item.member("arguments") {
            None => &[][..],
            Some(json) => match json.as_array() {
                Some(arguments) => arguments,
                None => return Type::ANY,
            },
        };
        let [name] = path else {
            return Type::absent(if path.is_empty() { Presence::Unknown } else { Presence::Never });
        };
        let named = arguments
            .iter()
            .find(|argument| argument.member("name").and_then(Json::as_str) == Some(name.as_ref()));
        let Some(argument) = named else { return Type::absent(Presence::Unnamed) };
        let is_required =
            argument.member("required").is_some_and(|it| it.value == lock::Value::Bool(true));
        let presence = if is_required { Presence::Required } else { Presence::Optional };
        Type { kinds: Kinds::only(Kind::String), presence, ..Type::ANY }
    }

    /// The names that the input schema of `tool` has beside one another at `path`, sorted; empty where none is known.
    #[must_use]
    pub fn arg_names<S: AsRef<str>>(&self, tool: &str, path: &[S]) -> Vec<&str> {
        self.schema_of(tool).map_or(Vec::new(), |schema| schema::names(schema, path))
    }

    /// The names of the arguments of `prompt`, in the order of the lock.
    #[must_use]
    pub fn prompt_arg_names(&self, prompt: &str) -> Vec<&str> {
        let item = self.lock.as_ref().and_then(|lock| lock.find(List::Prompts, prompt));
        let arguments = item.and_then(|item| item.member("arguments")?.as_array());
        let names = arguments.into_iter().flatten().filter_map(|argument| argument.member("name"));
        names.filter_map(Json::as_str).collect()
    }

    fn schema_of(&self, tool: &str) -> Option<&Json> {
        self.lock.as_ref()?.find(List::Tools, tool)?.member("inputSchema")
    }
}

#[cfg(test)]
mod tests;
