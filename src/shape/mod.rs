//! What the files look like: every key with its form and what it is for. Pure.
//!
//! ```text
//! policy, config, lock (tables) ─┬─ json_schema ─► JSON Schema 2020-12, for editors and CI
//!                                └─ Key, Form ───► what a language server offers and explains
//! ```
//!
//! The parsers do not read these tables: they know more than a schema can say, and report it better. What keeps both
//! together is `tests/it/schema.rs`: every key of a parser is here and the other way round, and what one refuses for its shape
//! the other refuses, too.

mod config;
mod json_schema;
mod lock;
mod policy;

pub use json_schema::json_schema;
pub use policy::TYPES;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// A policy file: rules, tests, asserts.
    Policy,
    /// `schema.toml`: what the claims of callers are.
    Schema,
    /// `mcpfw.toml`
    Config,
    /// A policy file with nothing but tests and asserts.
    Test,
    /// `mcp.lock.json`
    Lock,
}

/// A key of a table.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What may stand behind it.
    pub form: Form,
    /// Whether it must be there.
    pub is_required: bool,
    /// What it is for: a sentence or two.
    pub about: &'static str,
}

/// What may stand behind a key.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Any text.
    Text,
    /// Text of 1 to 128 characters: a name.
    Name,
    /// Text with this look, a regular expression.
    Like(&'static str),
    /// One of these words.
    Words(&'static [&'static str]),
    /// A revision of MCP.
    Revision,
    /// `true` or `false`.
    Bool,
    /// `true`.
    Yes,
    /// A whole number within bounds.
    Count(u64, u64),
    /// `"10s"`
    Duration,
    /// `"4MiB"`
    Size,
    /// A date without quotes.
    Date,
    /// `"10/min"`
    Rate,
    /// A condition, in CEL.
    Condition,
    /// The path of a claim or argument.
    Path,
    /// The name of another stanza.
    Rule,
    /// What the rule is about: names or patterns of these objects, at least one.
    Names(Named),
    /// The names of routes, at least one.
    Routes,
    /// A list, empty or not.
    List(&'static Form),
    /// A list with something in it.
    Some(&'static Form),
    /// One, or a list with something in it.
    OneOrSome(&'static Form),
    /// A table.
    Table(&'static Table),
    /// A table whose keys are the author's words, at least one.
    Map(&'static Form),
    /// A list of tables.
    Tables(&'static Table),
    /// Either of two.
    Either(&'static Form, &'static Form),
    /// The declaration of a claim, which may hold others.
    Claim,
    /// Names of headers, by claims and claims within claims.
    Headers,
    /// Any value that JSON has.
    Json,
}

/// What a selector names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Tools, by name.
    Tools,
    /// Prompts, by name.
    Prompts,
    /// Resources, by URI.
    Resources,
    /// Methods of JSON-RPC.
    Methods,
    /// Methods that the server may call.
    ServerRequests,
}

/// A table: its keys, and what holds of several of them.
#[derive(Debug)]
pub struct Table {
    /// What it is called, as `allow`.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
    /// What must hold of which keys are there.
    pub rules: &'static [Presence],
}

/// Which keys of a table must be there, or not.
#[derive(Clone, Copy, Debug)]
pub enum Presence {
    /// At least one.
    AnyOf(&'static [&'static str]),
    /// Exactly one.
    OneOf(&'static [&'static str]),
    /// At most one.
    AtMostOne(&'static [&'static str]),
    /// Where the first is, the second is.
    Needs(&'static str, &'static str),
    /// Where the first is, the second is not.
    Excludes(&'static str, &'static str),
    /// Where the key is a table, the other is there; where it is text, the other is not.
    TableNeeds(&'static str, &'static str),
    /// Names that some parser takes for one of the keys may be there, too (T2).
    LookAlikes,
    /// Where the first is, at least one of the others is.
    NeedsAnyOf(&'static str, &'static [&'static str]),
}

impl File {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Policy, Self::Schema, Self::Config, Self::Test, Self::Lock];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Schema => "schema",
            Self::Config => "config",
            Self::Test => "test",
            Self::Lock => "lock",
        }
    }

    /// Its root table.
    #[must_use]
    pub const fn root(self) -> &'static Table {
        match self {
            Self::Policy => &policy::POLICY,
            Self::Schema => &policy::SCHEMA,
            Self::Config => &config::CONFIG,
            Self::Test => &policy::TEST_FILE,
            Self::Lock => &lock::LOCK,
        }
    }

    /// The table at `path` of keys below the root, such as `auth` and `jwt`.
    #[must_use]
    pub fn table<'p>(self, path: impl IntoIterator<Item = &'p str>) -> Option<&'static Table> {
        let mut table = self.root();
        let mut claims = false;
        for name in path {
            if claims {
                // Below `[claims]` the names are the author's; each leads to a declaration.
                table = &policy::CLAIM;
                claims = name == "members";
                continue;
            }
            table = match table.key(name)?.form {
                Form::Table(inner) | Form::Tables(inner) => inner,
                Form::Either(_, Form::Table(inner)) => inner,
                Form::Map(Form::Claim) => {
                    claims = true;
                    continue;
                }
                _ => return None,
            };
        }
        (!claims).then_some(table)
    }
}

impl Form {
    /// The words that it can be, where it can be one of a few.
    #[must_use]
    pub fn words(&self) -> Option<&'static [&'static str]> {
        match self {
            Self::Words(words)
            | Self::OneOrSome(Self::Words(words))
            | Self::Either(Self::Words(words), _) => Some(words),
            Self::Claim => Some(TYPES),
            _ => None,
        }
    }

    /// Whether it is the path of a claim or argument.
    #[must_use]
    pub fn is_path(&self) -> bool {
        matches!(self, Self::Path | Self::Some(Self::Path) | Self::Either(_, Self::Path))
    }
}

impl Table {
    /// The key called `name`.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&'static Key>
    where
        Self: 'static,
    {
        let keys: &'static [Key] = self.keys;
        keys.iter().find(|key| key.name == name)
    }
}

/// A key that may be left out.
const fn key(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, is_required: false, about }
}

/// A key that must be there.
const fn required(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, form, is_required: true, about }
}
