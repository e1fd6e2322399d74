//! What can stand at a place.

use std::ops::Range;

use serde_json::{Value, json};

use super::outline::Leaf;
use super::view::View;
use super::words::{selected, stanza_kind};
use crate::lock::List;
use crate::shape::{File, Form, Key, Named};
use crate::wire::mcp::{Method, Revision};

/// Most that is offered at once; a client asks again when more has been typed.
const MOST: usize = 500;

/// Kinds of items (LSP 3.17 "CompletionItemKind").
const FUNCTION: u8 = 3;
const FIELD: u8 = 5;
const VARIABLE: u8 = 6;
const VALUE: u8 = 12;
const STANZA: u8 = 22;

/// Variables of conditions and what they are. What is below `claims` and `args` is declared elsewhere.
const VARIABLES: [(&str, &str); 18] = [
    ("claims", "what the caller's verified token says"),
    ("args", "the arguments of the call"),
    ("client", "who is calling"),
    ("client.kind", "`jwt`, `api_key`, `mtls` or `anonymous`"),
    ("client.id", "the client that the token was given to"),
    ("client.ip", "the address of the client"),
    ("client.scopes", "the OAuth scopes of the token"),
    ("client.issuer", "who gave the token"),
    ("mcp.method", "the method of JSON-RPC"),
    ("mcp.kind", "what is called: `tool`, `prompt`, `resource`"),
    ("mcp.target", "the name or URI of what is called"),
    ("mcp.revision", "the revision of MCP"),
    ("mcp.is_retry", "whether the client tries again with what it was asked for"),
    ("request.route", "the route"),
    ("request.host", "the host that the client named"),
    ("request.sni", "the host of the TLS handshake"),
    ("mcp", "the message"),
    ("request", "the request that carries it"),
];

/// Functions of conditions.
const FUNCTIONS: [(&str, &str); 8] = [
    ("has", "has(claims.plan): whether it is there"),
    ("size", "size(args.list): how long it is"),
    ("startsWith", "args.path.startsWith(\"/x/\")"),
    ("endsWith", "args.path.endsWith(\".md\")"),
    ("contains", "args.path.contains(\"..\")"),
    ("matches", "args.path.matches(\"^[a-z]+$\"), a regular expression"),
    ("cidr", "cidr(\"10.0.0.0/8\").containsIP(client.ip)"),
    ("exists", "args.to.exists(x, x.endsWith(\"@example.com\")); `all` likewise"),
];

/// What could stand at the place of `view`.
pub(super) fn completion(view: &View<'_>) -> Value {
    let mut items = found(view);
    items.truncate(MOST);
    json!({ "isIncomplete": false, "items": items })
}

fn found(view: &View<'_>) -> Vec<Value> {
    if view.file == File::Lock {
        return Vec::new();
    }
    let inside = |leaf: &&Leaf| leaf.text.is_some() && leaf.range.start < view.offset;
    if let Some(leaf) = view.outline.leaf_at(view.offset).filter(inside)
        && let Some(content) = content(view, leaf)
    {
        return in_string(view, leaf, content);
    }
    let line = view.line_before();
    let written = line.trim_start();
    let at_key = written.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let stanza = view.outline.stanza_at(view.offset);
    if let Some(inline) = view.outline.inline_at(view.offset) {
        let start = word_start(view);
        let before = view.text.get(inline.range.start..start).unwrap_or_default().trim_end();
        if before.ends_with(['{', ',']) {
            return keys(view, inline.stanza, &inline.path, start..view.offset);
        }
        return Vec::new();
    }
    if written.starts_with('[') {
        return headers(view, view.offset - written.len()..view.offset);
    }
    if at_key {
        let mut items = keys(view, stanza, &[], view.offset - written.len()..view.offset);
        items.extend(headers(view, view.offset - written.len()..view.offset));
        return items;
    }
    value(view, stanza, line)
}

/// The bytes of the string `leaf` from its first character to the place; `None` behind its end.
fn content(view: &View<'_>, leaf: &Leaf) -> Option<Range<usize>> {
    let raw = view.text.get(leaf.range.clone())?;
    let quote = ["'''", "\"\"\"", "'", "\""].into_iter().find(|it| raw.starts_with(it))?;
    let start = leaf.range.start + quote.len();
    let is_closed = raw.len() >= 2 * quote.len() && raw.ends_with(quote);
    let end = leaf.range.end - if is_closed { quote.len() } else { 0 };
    (start..=end).contains(&view.offset).then_some(start..view.offset)
}

fn in_string(view: &View<'_>, leaf: &Leaf, content: Range<usize>) -> Vec<Value> {
    let all = |names: Vec<String>, detail: &str| -> Vec<Value> {
        let item = |name: String| item(view, &name, VALUE, detail, &name, content.clone());
        names.into_iter().map(item).collect()
    };
    let of = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let Some(key) = view.key(leaf.stanza, &leaf.path) else {
        return Vec::new();
    };
    if let Some(words) = key.form.words() {
        return all(of(words), "");
    }
    match (key.form, key.name) {
        (Form::Condition, _) => expression(view, leaf, &content, true),
        (form, _) if form.is_path() => expression(view, leaf, &content, false),
        (Form::Revision | Form::OneOrSome(Form::Revision), _) => {
            all(of(&Revision::ALL.map(Revision::as_str)), "")
        }
        (Form::Rule, _) => all(rules(view), "rule"),
        (Form::Names(Named::Tools), _) | (_, "tool") => all(locked(view, &[List::Tools]), "tool"),
        (Form::Names(Named::Prompts), _) | (_, "prompt") => {
            all(locked(view, &[List::Prompts]), "prompt")
        }
        (Form::Names(Named::Resources), _) | (_, "resource") => {
            all(locked(view, &[List::Resources, List::Templates]), "resource")
        }
        (Form::Names(Named::Methods), _) | (_, "method") => all(methods(false), "method"),
        (Form::Names(Named::ServerRequests), _) | (_, "server_request") => {
            all(methods(true), "what the server asks")
        }
        _ => Vec::new(),
    }
}

fn locked(view: &View<'_>, lists: &[List]) -> Vec<String> {
    let Some(lock) = view.checked.lock.as_deref() else { return Vec::new() };
    lists.iter().flat_map(|list| lock.items(*list)).map(|item| item.id().to_owned()).collect()
}

fn methods(of_server: bool) -> Vec<String> {
    let is_asked = |info: &&crate::wire::mcp::MethodInfo| {
        let revisions = if of_server { info.to_client } else { info.to_server };
        let is_sent = revisions.iter().next().is_some() || of_server && info.is_input_request;
        is_sent && !info.is_notification
    };
    Method::all().iter().filter(is_asked).map(|info| info.name.to_owned()).collect()
}

/// The names of the rules of the set.
fn rules(view: &View<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for (_, source) in view.checked.sources.iter() {
        if super::view::kind(source.name()) != File::Policy {
            continue;
        }
        let outline = super::outline::Outline::of(source.text());
        for leaf in &outline.leaves {
            let is_rule =
                matches!(stanza_kind(&outline, leaf.stanza), "allow" | "deny" | "limit" | "pin");
            if is_rule && leaf.path == ["name"] {
                names.extend(leaf.text.clone());
            }
        }
    }
    names
}

/// Variables and functions, within a condition or path.
fn expression(
    view: &View<'_>,
    leaf: &Leaf,
    content: &Range<usize>,
    is_condition: bool,
) -> Vec<Value> {
    let before = view.text.get(content.clone()).unwrap_or_default();
    let token = last_token(before);
    let (path, partial) = token.rsplit_once('.').unwrap_or(("", token));
    let range = view.offset - partial.len()..view.offset;
    let fields = |names: Vec<String>, detail: &str| -> Vec<Value> {
        let item = |name: String| item(view, &name, FIELD, detail, &name, range.clone());
        names.into_iter().map(item).collect()
    };
    let parts: Vec<&str> = path.split('.').collect();
    match parts.split_first() {
        Some((&"claims", rest)) => fields(view.checked.claims(rest), "claim"),
        Some((&"args", rest)) => {
            let mut names: Vec<String> =
                selected(view.checked, &view.outline, leaf.stanza, "tools")
                    .iter()
                    .flat_map(|tool| view.checked.arguments(tool, rest))
                    .collect();
            if rest.is_empty() {
                let prompts = selected(view.checked, &view.outline, leaf.stanza, "prompts");
                names.extend(prompts.iter().flat_map(|it| view.checked.prompt_arguments(it)));
            }
            names.sort_unstable();
            names.dedup();
            fields(names, "argument")
        }
        Some((&"", _)) | None => {
            let top = VARIABLES.iter().filter(|(name, _)| !name.contains('.'));
            let mut items: Vec<Value> = top
                .map(|(name, about)| item(view, name, VARIABLE, about, name, range.clone()))
                .collect();
            if is_condition {
                let of = |(name, about): &(&str, &str)| {
                    item(view, name, FUNCTION, about, &format!("{name}("), range.clone())
                };
                items.extend(FUNCTIONS.iter().map(of));
            }
            items
        }
        Some(_) => {
            let below = VARIABLES.iter().filter_map(|(name, about)| {
                let (above, last) = name.rsplit_once('.')?;
                (above == path).then(|| item(view, last, FIELD, about, last, range.clone()))
            });
            below.collect()
        }
    }
}

/// The name and members that `text` ends in.
fn last_token(text: &str) -> &str {
    let start = text
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        .last();
    start.and_then(|(at, _)| text.get(at..)).unwrap_or("")
}

/// The variable around byte `offset`, up to the end of the member that it is in.
pub(super) fn variable_at(text: &str, offset: usize) -> String {
    let (before, after) = text.split_at_checked(offset).unwrap_or((text, ""));
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
    format!("{}{}", last_token(before), after.get(..end).unwrap_or_default())
}

/// What the variable `path` is.
pub(super) fn about(path: &str) -> Option<&'static str> {
    VARIABLES.iter().find(|(name, _)| *name == path).map(|(_, about)| *about)
}

/// Where the bare word before the place begins.
fn word_start(view: &View<'_>) -> usize {
    let before = view.text.get(..view.offset).unwrap_or_default();
    let word = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
    word.len()
}

/// The keys of a table that are not there yet.
fn keys(view: &View<'_>, stanza: usize, below: &[String], range: Range<usize>) -> Vec<Value> {
    let path: Vec<&str> =
        view.outline.path(stanza).iter().chain(below).map(String::as_str).collect();
    let item_of = |key: &Key| {
        item(view, key.name, FIELD, key.about, &format!("{} = ", key.name), range.clone())
    };
    // The keys of `as` are claims.
    if let ["test", "as"] = path.as_slice() {
        let names = view.checked.claims(&[]);
        let of =
            |name: &String| item(view, name, FIELD, "claim", &format!("{name} = "), range.clone());
        return names.iter().map(of).collect();
    }
    if let ["test", "call", "args"] = path.as_slice() {
        // The tool stands beside the arguments, under whatever header.
        let is_tool = |leaf: &&Leaf| {
            let above = view.outline.path(leaf.stanza);
            leaf.stanza == stanza
                && above.iter().chain(&leaf.path).map(String::as_str).eq(["test", "call", "tool"])
        };
        let tool = view.outline.leaves.iter().find(is_tool);
        let tool = tool.and_then(|it| it.text.as_deref()).unwrap_or_default();
        let names = view.checked.arguments(tool, &[]);
        let of = |name: &String| {
            item(view, name, FIELD, "argument", &format!("{name} = "), range.clone())
        };
        return names.iter().map(of).collect();
    }
    let Some(table) = view.file.table(path) else { return Vec::new() };
    let is_there = |name: &str| {
        view.outline.keys.iter().any(|key| {
            key.stanza == stanza
                && !key.range.contains(&range.start)
                && key.path.split_last().is_some_and(|(last, above)| last == name && above == below)
        })
    };
    let is_header = |key: &Key| matches!(key.form, Form::Tables(_));
    table.keys.iter().filter(|key| !is_there(key.name) && !is_header(key)).map(item_of).collect()
}

/// The headers that a file of this kind can have.
fn headers(view: &View<'_>, range: Range<usize>) -> Vec<Value> {
    let root = view.file.root();
    let of = |key: &Key| {
        let written = match key.form {
            Form::Tables(_) => format!("[[{}]]", key.name),
            Form::Table(_) | Form::Map(_) | Form::Headers => format!("[{}]", key.name),
            _ => return None,
        };
        // What is typed already is replaced up to the end of the line.
        let rest = view.text.get(range.end..).unwrap_or_default();
        let closed = rest.len() - rest.trim_start_matches(']').len();
        Some(item(view, &written, STANZA, key.about, &written, range.start..range.end + closed))
    };
    root.keys.iter().filter_map(of).collect()
}

/// What can stand behind the `=` of the line `line`.
fn value(view: &View<'_>, stanza: usize, line: &str) -> Vec<Value> {
    let Some((name, written)) = line.split_once('=') else { return Vec::new() };
    let written = written.trim_start();
    if !written.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Vec::new();
    }
    let name = name.trim().to_owned();
    let Some(key) = view.key(stanza, &[name]) else { return Vec::new() };
    let words: Vec<String> = match key.form {
        form if form.words().is_some() => {
            form.words().unwrap_or_default().iter().map(|word| format!("\"{word}\"")).collect()
        }
        Form::Bool => vec!["true".into(), "false".into()],
        Form::Yes => vec!["true".into()],
        Form::Revision => Revision::ALL.iter().map(|it| format!("\"{}\"", it.as_str())).collect(),
        _ => Vec::new(),
    };
    let range = view.offset - written.len()..view.offset;
    words.iter().map(|word| item(view, word, VALUE, "", word, range.clone())).collect()
}

fn item(
    view: &View<'_>,
    label: &str,
    kind: u8,
    detail: &str,
    text: &str,
    range: Range<usize>,
) -> Value {
    json!({
        "label": crate::diagnostic::visible(label),
        "kind": kind,
        "detail": detail,
        "textEdit": { "range": view.range(range), "newText": text },
    })
}
