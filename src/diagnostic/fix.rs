//! Making the changes that findings offer. Pure: texts in, texts out.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Applicability, Diagnostic, Edit, Fix, SourceId, Sources};

/// What came of [`apply`].
#[derive(Debug, Default)]
pub struct Applied {
    /// The new text of every source that changed.
    pub texts: BTreeMap<SourceId, String>,
    /// How many fixes were made; one that several findings offer counts once.
    pub made: usize,
}

/// Makes every fix of `findings` that is no less safe than `most`, in the order of the text. A fix is made whole or not
/// at all; one that touches what another has changed is left for the next time, when its place is known again.
#[must_use]
pub fn apply(sources: &Sources, findings: &[Diagnostic], most: Applicability) -> Applied {
    let mut fixes: Vec<&Fix> = findings
        .iter()
        .filter_map(|found| found.fix.as_ref())
        .filter(|fix| fix.applicability <= most && !fix.edits.is_empty())
        .collect();
    fixes.sort_by_key(|fix| fix.edits.iter().map(|edit| edit.span).min());
    let mut taken: BTreeMap<SourceId, Vec<&Edit>> = BTreeMap::new();
    let mut made: Vec<&Fix> = Vec::new();
    for fix in fixes {
        if made.iter().any(|known| known.edits == fix.edits) || !is_possible(sources, fix, &taken) {
            continue;
        }
        for edit in &fix.edits {
            taken.entry(edit.span.source).or_default().push(edit);
        }
        made.push(fix);
    }
    let texts = taken.into_iter().filter_map(|(id, edits)| {
        let text = sources.source(id)?.text();
        Some((id, rewritten(text, edits)?))
    });
    Applied { texts: texts.collect(), made: made.len() }
}

/// Whether all edits of `fix` lie in texts, and apart from one another and from those that are `taken`.
fn is_possible(sources: &Sources, fix: &Fix, taken: &BTreeMap<SourceId, Vec<&Edit>>) -> bool {
    let is_inside = |edit: &Edit| {
        let source = sources.source(edit.span.source);
        source.is_some_and(|source| source.text().get(edit.span.range()).is_some())
    };
    let touches = |edit: &Edit, other: &Edit| {
        let (a, b) = (edit.span.range(), other.span.range());
        edit.span.source == other.span.source && a.start <= b.end && b.start <= a.end
    };
    fix.edits.iter().enumerate().all(|(at, edit)| {
        let others = taken.get(&edit.span.source);
        is_inside(edit)
            && !fix.edits.iter().skip(at + 1).any(|other| touches(edit, other))
            && !others.into_iter().flatten().any(|other| touches(edit, other))
    })
}

/// `text` with `edits`, which lie in it and apart from one another.
fn rewritten(text: &str, mut edits: Vec<&Edit>) -> Option<String> {
    edits.sort_by_key(|edit| edit.span);
    let mut out = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for edit in edits {
        let Range { start, end } = edit.span.range();
        out.push_str(text.get(at..start)?);
        out.push_str(&edit.replacement);
        at = end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::super::{Code, Span};
    use super::*;
    use proptest::prelude::*;

    fn finding(id: SourceId, edits: &[(Range<usize>, &str)], of: Applicability) -> Diagnostic {
        let edits = edits.iter().map(|(range, text)| Edit {
            span: Span::new(id, range.clone()),
            replacement: (*text).into(),
        });
        let fix = Fix { title: "t".into(), edits: edits.collect(), applicability: of };
        Diagnostic::error(Code("X1"), "m").fix(fix)
    }

    #[test]
    fn fixes_are_made_whole_and_never_over_one_another() {
        use Applicability::{Safe, Unsafe};
        let mut sources = Sources::new();
        let id = sources.add("a", "abcdef");
        let other = sources.add("b", "xyz");
        let findings = [
            finding(id, &[(4..5, "E")], Safe),
            finding(id, &[(0..1, "A"), (2..3, "C")], Safe),
            // The same again, from another finding.
            finding(id, &[(0..1, "A"), (2..3, "C")], Safe),
            // Its second part touches what has changed.
            finding(other, &[(0..1, "-")], Unsafe),
            finding(id, &[(1..2, "B"), (5..6, "F")], Safe),
            // Over itself; outside of the text.
            finding(other, &[(0..2, "1"), (1..3, "2")], Safe),
            finding(other, &[(0..1, "1"), (1..9, "2")], Safe),
        ];
        let applied = apply(&sources, &findings, Safe);
        assert_eq!(applied.made, 2);
        assert_eq!(applied.texts.into_iter().collect::<Vec<_>>(), [(id, "AbCdEf".to_owned())]);
        let applied = apply(&sources, &findings, Unsafe);
        assert_eq!(applied.made, 3);
        assert_eq!(applied.texts.get(&other).map(String::as_str), Some("-yz"));
    }

    proptest! {
        /// Whatever is offered: it ends, and what no fix touches stays.
        #[test]
        fn any_edits(
            text in "[a-zé日\n]{0,30}",
            all in prop::collection::vec((prop::collection::vec((0_usize..40, 0_usize..6, "[A-Z]{0,3}"), 0..3), any::<bool>()), 0..6),
        ) {
            let mut sources = Sources::new();
            let id = sources.add("a", text.as_str());
            let findings: Vec<Diagnostic> = all.iter().map(|(edits, safe)| {
                let edits: Vec<_> = edits.iter().map(|(at, length, text)| (*at..at + length, text.as_str())).collect();
                finding(id, &edits, if *safe { Applicability::Safe } else { Applicability::Unsafe })
            }).collect();
            let applied = apply(&sources, &findings, Applicability::Unsafe);
            if let Some(new) = applied.texts.get(&id) {
                let kept = |text: &str| text.chars().filter(|c| !c.is_ascii_uppercase()).count();
                prop_assert!(kept(new) <= kept(&text));
            } else {
                prop_assert_eq!(applied.made, 0);
            }
        }
    }
}
