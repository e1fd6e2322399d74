//! What a question of the editor is answered from: the folder as it was checked, and the document at hand.

use std::sync::Arc;

use serde_json::Value;

use super::outline::Outline;
use super::position::{Encoding, Lines, Position};
use crate::diagnostic::{Diagnostic, Source, SourceId, Sources};
use crate::lock::Lock;
use crate::policy::Policy;
use crate::policy::types::{Claims, Types};
use crate::shape::{File, Key};

/// A folder, or a config file, as `mcpfw check` sees it with the texts that are on the screen. The names of sources are
/// absolute paths.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Everything that was read, the lock file included.
    pub sources: Sources,
    /// Everything that was found.
    pub findings: Vec<Diagnostic>,
    /// The lock file, where it can be read.
    pub lock: Option<Arc<Lock>>,
    /// What its `schema.toml` and lock file declare: a set without rules, so that it is there while rules are wrong.
    pub declared: Option<Arc<Policy>>,
}

impl Checked {
    /// The source called `name`.
    pub(super) fn source(&self, name: &str) -> Option<(SourceId, &Source)> {
        self.sources.iter().find(|(_, source)| source.name() == name)
    }

    fn types(&self) -> Option<&Types> {
        self.declared.as_deref().map(Policy::types)
    }

    /// The names of claims below `path`.
    pub(super) fn claims(&self, path: &[&str]) -> Vec<String> {
        let none = Claims::default();
        let claims = self.types().and_then(Types::claims).unwrap_or(&none);
        claims.names(path).into_iter().map(str::to_owned).collect()
    }

    /// What the claim at `path` is declared to be, in words.
    pub(super) fn claim(&self, path: &[&str]) -> Option<String> {
        let types = self.types()?;
        let declared = types.claim(path);
        (!declared.is_any()).then(|| declared.kinds.to_string())
    }

    /// Where the claim at `path` is declared.
    pub(super) fn claim_place(&self, path: &[&str]) -> Option<crate::diagnostic::Span> {
        self.types()?.claims()?.span(path)
    }

    /// The names of the arguments of `tool` below `path`.
    pub(super) fn arguments(&self, tool: &str, path: &[&str]) -> Vec<String> {
        let names = self.types().map(|types| types.arg_names(tool, path)).unwrap_or_default();
        names.into_iter().map(str::to_owned).collect()
    }

    /// The names of the arguments of `prompt`.
    pub(super) fn prompt_arguments(&self, prompt: &str) -> Vec<String> {
        let names = self.types().map(|types| types.prompt_arg_names(prompt)).unwrap_or_default();
        names.into_iter().map(str::to_owned).collect()
    }
}

/// A place in a document.
#[derive(Debug)]
pub(super) struct View<'a> {
    pub(super) checked: &'a Checked,
    pub(super) text: &'a str,
    pub(super) file: File,
    pub(super) lines: Lines<'a>,
    pub(super) outline: Outline,
    /// Where in the text.
    pub(super) offset: usize,
}

impl<'a> View<'a> {
    pub(super) fn new(
        checked: &'a Checked,
        name: &'a str,
        text: &'a str,
        encoding: Encoding,
        position: Position,
    ) -> Self {
        let lines = Lines::new(text, encoding);
        let offset = lines.offset(position);
        let file = kind(name);
        let outline = if file == File::Lock { Outline::of("") } else { Outline::of(text) };
        Self { checked, text, file, lines, outline, offset }
    }

    /// What the key at `path` below `stanza` is.
    pub(super) fn key(&self, stanza: usize, path: &[String]) -> Option<&'static Key> {
        let (name, above) = path.split_last()?;
        let whole = self.outline.path(stanza).iter().chain(above).map(String::as_str);
        self.file.table(whole)?.key(name)
    }

    /// These bytes of the text, as the protocol has them.
    pub(super) fn range(&self, bytes: std::ops::Range<usize>) -> Value {
        self.lines.range(bytes)
    }

    /// The line up to the place.
    pub(super) fn line_before(&self) -> &'a str {
        let before = self.text.get(..self.offset).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or(before)
    }
}

/// What the file at `name` is.
pub(super) fn kind(name: &str) -> File {
    match name.rsplit(['/', '\\']).next().unwrap_or(name) {
        "schema.toml" => File::Schema,
        "mcpfw.toml" => File::Config,
        file if file.ends_with(".json") => File::Lock,
        _ => File::Policy,
    }
}
