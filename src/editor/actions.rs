//! Fixes as code actions.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Value, json};

use super::diagnostics::{Places, diagnostic};
use super::position::Encoding;
use super::view::Checked;
use crate::diagnostic::Applicability;

/// The fixes of findings that touch the bytes `range` of the document `name`.
pub(super) fn actions(
    checked: &Checked,
    name: &str,
    range: &Range<usize>,
    encoding: Encoding,
    uri: &dyn Fn(&str) -> Option<String>,
) -> Value {
    let Some((id, _)) = checked.source(name) else { return json!([]) };
    let places = Places::new(checked, encoding, uri);
    let mut all = Vec::new();
    for finding in &checked.findings {
        let (Some(span), Some(fix)) = (finding.span(), &finding.fix) else { continue };
        if span.source != id || span.start > range.end || range.start > span.end {
            continue;
        }
        let mut changes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for edit in &fix.edits {
            let Some((uri, range)) = places.of(edit.span) else { continue };
            let edit = json!({ "range": range, "newText": edit.replacement });
            changes.entry(uri).or_default().push(edit);
        }
        let Some((_, place)) = places.of(span) else { continue };
        let is_safe = fix.applicability == Applicability::Safe;
        let title = if is_safe {
            fix.title.clone()
        } else {
            format!("{} (look at what it does)", fix.title)
        };
        all.push(json!({
            "title": title,
            "kind": "quickfix",
            "isPreferred": is_safe,
            "diagnostics": [diagnostic(finding, &place, &places)],
            "edit": { "changes": changes },
        }));
    }
    Value::Array(all)
}
