//! What stands where in a TOML text, right or not: stanzas, keys, and the strings and numbers behind them.

use std::borrow::Cow;
use std::ops::Range;

use toml_parser::Source;
use toml_parser::parser::EventKind;

use crate::layout::events;

/// A text, as far as it can be told.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// The root first, then each header, in the order of the text.
    pub(super) stanzas: Vec<Stanza>,
    pub(super) keys: Vec<Key>,
    pub(super) leaves: Vec<Leaf>,
    /// Inline tables; an inner one stands behind the one that it is in.
    pub(super) inline: Vec<Inline>,
}

/// A table of the text and all below its header.
#[derive(Debug)]
pub(super) struct Stanza {
    /// As `["auth", "jwt"]`.
    pub(super) path: Vec<String>,
    /// Its header with brackets; empty for the root.
    pub(super) header: Range<usize>,
}

/// A key before a `=`.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) stanza: usize,
    /// Below the stanza.
    pub(super) path: Vec<String>,
    pub(super) range: Range<usize>,
}

/// A string, number or the like. Lists do not show in its path.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) stanza: usize,
    pub(super) path: Vec<String>,
    /// Quotes included.
    pub(super) range: Range<usize>,
    /// What a string says.
    pub(super) text: Option<String>,
}

/// `{ … }`
#[derive(Debug)]
pub(super) struct Inline {
    pub(super) stanza: usize,
    pub(super) path: Vec<String>,
    pub(super) range: Range<usize>,
}

/// A list or table that is open.
struct Open {
    /// Keys that came before it.
    depth: usize,
    inline: Option<usize>,
}

impl Outline {
    pub(super) fn of(text: &str) -> Self {
        let source = Source::new(text);
        let mut outline = Self::default();
        outline.stanzas.push(Stanza { path: Vec::new(), header: 0..0 });
        let mut path: Vec<String> = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        let mut in_header = false;
        // Keys of the path that belong to what is being read.
        let mut in_key = false;
        for event in events(text) {
            let range = event.span().start()..event.span().end();
            let stanza = outline.stanzas.len() - 1;
            match event.kind() {
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                    path.clear();
                    open.clear();
                    outline.stanzas.push(Stanza { path: Vec::new(), header: range });
                    in_header = true;
                }
                EventKind::StdTableClose | EventKind::ArrayTableClose => {
                    if let Some(stanza) = outline.stanzas.last_mut() {
                        stanza.header.end = range.end;
                    }
                    in_header = false;
                }
                EventKind::SimpleKey => {
                    let mut name = Cow::default();
                    if let Some(raw) = source.get(event) {
                        raw.decode_key(&mut name, &mut ());
                    }
                    if in_header {
                        if let Some(stanza) = outline.stanzas.last_mut() {
                            stanza.path.push(name.into_owned());
                            stanza.header.end = range.end;
                        }
                        continue;
                    }
                    if !in_key {
                        path.truncate(open.last().map_or(0, |it| it.depth));
                    }
                    in_key = true;
                    path.push(name.into_owned());
                    outline.keys.push(Key { stanza, path: path.clone(), range });
                }
                EventKind::KeyValSep => in_key = false,
                EventKind::Scalar => {
                    in_key = false;
                    let text = event.encoding().is_some().then(|| {
                        let mut text = Cow::default();
                        if let Some(raw) = source.get(event) {
                            let _ = raw.decode_scalar(&mut text, &mut ());
                        }
                        text.into_owned()
                    });
                    outline.leaves.push(Leaf { stanza, path: path.clone(), range, text });
                }
                EventKind::ArrayOpen | EventKind::InlineTableOpen => {
                    in_key = false;
                    let is_table = event.kind() == EventKind::InlineTableOpen;
                    let inline = is_table.then_some(outline.inline.len());
                    if is_table {
                        let range = range.start..text.len();
                        outline.inline.push(Inline { stanza, path: path.clone(), range });
                    }
                    open.push(Open { depth: path.len(), inline });
                }
                EventKind::ArrayClose | EventKind::InlineTableClose => {
                    if let Some(closed) = open.pop() {
                        path.truncate(closed.depth);
                        if let Some(it) = closed.inline.and_then(|at| outline.inline.get_mut(at)) {
                            it.range.end = range.end;
                        }
                    }
                }
                EventKind::Newline if open.is_empty() => {
                    path.clear();
                    in_key = false;
                }
                _ => {}
            }
        }
        outline
    }

    /// The stanza that byte `offset` is in.
    pub(super) fn stanza_at(&self, offset: usize) -> usize {
        self.stanzas.partition_point(|it| it.header.start <= offset).saturating_sub(1)
    }

    /// The string or number around byte `offset`, its ends included.
    pub(super) fn leaf_at(&self, offset: usize) -> Option<&Leaf> {
        self.leaves.iter().find(|it| it.range.start <= offset && offset <= it.range.end)
    }

    /// The key around byte `offset`.
    pub(super) fn key_at(&self, offset: usize) -> Option<&Key> {
        self.keys.iter().find(|it| it.range.start <= offset && offset <= it.range.end)
    }

    /// The innermost inline table around byte `offset`.
    pub(super) fn inline_at(&self, offset: usize) -> Option<&Inline> {
        self.inline.iter().rfind(|it| it.range.start < offset && offset < it.range.end)
    }

    /// The path of the table that `stanza` is.
    pub(super) fn path(&self, stanza: usize) -> &[String] {
        self.stanzas.get(stanza).map_or(&[], |it| &it.path)
    }

    /// The string of `stanza` at the key `name`, the first of a list.
    pub(super) fn text(&self, stanza: usize, name: &str) -> Option<&str> {
        self.strings(stanza, name).into_iter().next()
    }

    /// The strings of `stanza` at the key `name`.
    pub(super) fn strings(&self, stanza: usize, name: &str) -> Vec<&str> {
        let is_there = |it: &&Leaf| {
            it.stanza == stanza && it.path.len() == 1 && it.path.iter().any(|key| key == name)
        };
        self.leaves.iter().filter(is_there).filter_map(|it| it.text.as_deref()).collect()
    }
}
