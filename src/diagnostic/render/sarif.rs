//! For code scanning: SARIF 2.1.0 (OASIS), one run for all texts.

use std::collections::BTreeMap;

use serde::Serialize as _;
use serde_json::ser::Serializer;
use serde_json::{Map, Value, json};

use super::super::{Diagnostic, Edit, Fix, Label, Severity, Sources, Span};
use super::json::Visible;

/// What a code means, for tools that show it beside a finding.
#[derive(Clone, Debug)]
pub struct RuleText {
    /// The code, such as `P002`.
    pub id: &'static str,
    /// What is wrong, in a few words.
    pub title: String,
    /// All that is to be said of it, as Markdown.
    pub markdown: String,
    /// How bad it is where nothing else is said.
    pub severity: Severity,
}

/// The sets of findings `sets`, each of its texts, as one SARIF log. `rules` has the codes in the order of their names; one
/// that is not there is only named.
#[must_use]
pub fn sarif(sets: &[(&Sources, &[Diagnostic])], rules: &[RuleText]) -> String {
    let results: Vec<Value> = sets
        .iter()
        .flat_map(|(sources, findings)| findings.iter().map(|found| result(sources, found, rules)))
        .collect();
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "mcpfw",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(rule).collect::<Vec<_>>(),
            } },
            // Lines and columns from 1, columns in characters.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut out = Vec::new();
    // Neither a Vec nor this value can fail.
    let _ = log.serialize(&mut Serializer::with_formatter(&mut out, Visible));
    let mut out = String::from_utf8(out).unwrap_or_default();
    out.push('\n');
    out
}

fn rule(rule: &RuleText) -> Value {
    json!({
        "id": rule.id,
        "shortDescription": { "text": text(&rule.title) },
        // Examples are pasted: viewers show Markdown as it is, without the escapes of messages.
        "help": { "text": text(&rule.markdown), "markdown": rule.markdown },
        "defaultConfiguration": { "level": rule.severity.as_str() },
    })
}

fn result(sources: &Sources, found: &Diagnostic, rules: &[RuleText]) -> Value {
    let primary = found.labels.iter().find(|label| label.is_primary).or(found.labels.first());
    let mut message = found.message.clone();
    let said = primary.map(|label| label.text.as_str()).filter(|said| !said.is_empty());
    for more in said.into_iter().chain(found.help.as_deref()) {
        message.push_str("; ");
        message.push_str(more);
    }
    let mut result = Map::new();
    result.insert("ruleId".into(), found.code.0.into());
    if let Ok(index) = rules.binary_search_by_key(&found.code.0, |rule| rule.id) {
        result.insert("ruleIndex".into(), index.into());
    }
    result.insert("level".into(), found.severity.as_str().into());
    result.insert("message".into(), json!({ "text": text(&message) }));
    let place = primary.and_then(|label| physical(sources, label.span));
    result.insert(
        "locations".into(),
        place.map(|place| json!({ "physicalLocation": place })).into_iter().collect(),
    );
    let others = found.labels.iter().filter(|label| !primary.is_some_and(|it| it == *label));
    let others: Vec<Value> = others.filter_map(|label| related(sources, label)).collect();
    if !others.is_empty() {
        result.insert("relatedLocations".into(), others.into());
    }
    if let Some(fix) = &found.fix {
        result.insert("fixes".into(), json!([self::fix(sources, fix)]));
    }
    result.into()
}

fn related(sources: &Sources, label: &Label) -> Option<Value> {
    let mut place = json!({ "physicalLocation": physical(sources, label.span)? });
    if let (false, Some(object)) = (label.text.is_empty(), place.as_object_mut()) {
        object.insert("message".into(), json!({ "text": text(&label.text) }));
    }
    Some(place)
}

fn fix(sources: &Sources, fix: &Fix) -> Value {
    let mut by_source: BTreeMap<_, Vec<&Edit>> = BTreeMap::new();
    for edit in &fix.edits {
        by_source.entry(edit.span.source).or_default().push(edit);
    }
    let changes = by_source.into_values().filter_map(|edits| {
        let name = sources.source(edits.first()?.span.source)?.name();
        let replacements = edits.into_iter().filter_map(|edit| {
            Some(json!({
                "deletedRegion": region(sources, edit.span)?,
                "insertedContent": { "text": edit.replacement },
            }))
        });
        Some(json!({
            "artifactLocation": { "uri": uri(name) },
            "replacements": replacements.collect::<Vec<_>>(),
        }))
    });
    let title = format!("{} ({})", fix.title, fix.applicability.as_str());
    json!({
        "description": { "text": text(&title) },
        "artifactChanges": changes.collect::<Vec<_>>(),
    })
}

fn physical(sources: &Sources, span: Span) -> Option<Value> {
    let name = sources.source(span.source)?.name();
    Some(json!({ "artifactLocation": { "uri": uri(name) }, "region": region(sources, span)? }))
}

fn region(sources: &Sources, span: Span) -> Option<Value> {
    let source = sources.source(span.source)?;
    let (start, end) = (source.position(span.start), source.position(span.end));
    Some(json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    }))
}

/// A path as a URI reference (RFC 3986): slashes stay, what is not unreserved is escaped.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            b'\\' if cfg!(windows) => uri.push('/'),
            byte => {
                uri.push('%');
                uri.extend([byte >> 4, byte & 15].map(|half| {
                    char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase()
                }));
            }
        }
    }
    uri
}

/// `plain` as a message: braces would be placeholders (SARIF §3.11.5), brackets links (§3.11.6).
fn text(plain: &str) -> String {
    let mut text = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '{' | '}' => text.extend([c, c]),
            '[' | ']' | '\\' => text.extend(['\\', c]),
            c => text.push(c),
        }
    }
    text
}
