//! Findings as the protocol has them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use url::Url;

use super::position::{Encoding, Lines};
use super::view::Checked;
use crate::diagnostic::{Diagnostic, Severity, SourceId, Span};

/// The findings of `checked` by the URI of the file that they are about. `uri` knows how the editor spells the
/// path of an open document; what has no place is told of `about`.
pub(super) fn by_file(
    checked: &Checked,
    encoding: Encoding,
    uri: &dyn Fn(&str) -> Option<String>,
    about: &str,
) -> BTreeMap<String, Vec<Value>> {
    let places = Places::new(checked, encoding, uri);
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for finding in &checked.findings {
        let place = finding.span().and_then(|span| places.of(span));
        let (file, range) = place.unwrap_or_else(|| (about.to_owned(), start()));
        all.entry(file).or_default().push(diagnostic(finding, &range, &places));
    }
    all
}

fn start() -> Value {
    let start = json!({ "line": 0, "character": 0 });
    json!({ "start": start, "end": start })
}

/// `finding`, which stands at `range`.
pub(super) fn diagnostic(finding: &Diagnostic, range: &Value, places: &Places<'_>) -> Value {
    let mut message = finding.message.clone();
    let place = finding.span();
    let own = finding.labels.iter().find(|label| Some(label.span) == place);
    if let Some(label) = own.filter(|label| !label.text.is_empty()) {
        message.push_str(&format!("\n{}", label.text));
    }
    if let Some(help) = &finding.help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    let related: Vec<Value> = finding
        .labels
        .iter()
        .filter(|label| Some(label.span) != place)
        .filter_map(|label| {
            let (uri, range) = places.of(label.span)?;
            let text = if label.text.is_empty() { &finding.message } else { &label.text };
            Some(json!({ "location": { "uri": uri, "range": range }, "message": text }))
        })
        .collect();
    let severity = match finding.severity {
        Severity::Error => 1,
        Severity::Warning => 2,
    };
    let mut value = json!({
        "range": range,
        "severity": severity,
        "code": finding.code.0,
        "source": "mcpfw",
        "message": message,
    });
    if let (false, Value::Object(members)) = (related.is_empty(), &mut value) {
        members.insert("relatedInformation".into(), Value::Array(related));
    }
    value
}

/// Where spans are, as the protocol has it.
pub(super) struct Places<'c> {
    files: BTreeMap<SourceId, (String, Lines<'c>)>,
}

impl<'c> Places<'c> {
    pub(super) fn new(
        checked: &'c Checked,
        encoding: Encoding,
        uri: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let files = checked.sources.iter().filter_map(|(id, source)| {
            let name = source.name();
            let uri = uri(name).or_else(|| Some(Url::from_file_path(name).ok()?.into()))?;
            Some((id, (uri, Lines::new(source.text(), encoding))))
        });
        Self { files: files.collect() }
    }

    /// The URI and the range of `span`.
    pub(super) fn of(&self, span: Span) -> Option<(String, Value)> {
        let (uri, lines) = self.files.get(&span.source)?;
        Some((uri.clone(), lines.range(span.range())))
    }
}
