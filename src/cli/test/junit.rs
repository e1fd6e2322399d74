//! What CI servers read: JUnit XML, as far as Jenkins, GitLab and GitHub's reporters agree on it.

use std::fmt::Write as _;

use crate::diagnostic::visible;

use super::Report;

/// One document: a `testsuite` for each set, a `testcase` for each test. What keeps a set from being run, and coverage below
/// `least` percent, are test cases too, so that no reader takes them for a success.
pub(super) fn document(reports: &[Report], least: Option<u8>) -> String {
    let mut suites = String::new();
    let (mut tests, mut failures, mut errors) = (0, 0, 0);
    for report in reports {
        let mut cases = String::new();
        let broken = report.broken.iter().filter(|found| found.is_error()).count();
        for found in report.broken.iter().filter(|found| found.is_error()) {
            let open = format!("<testcase classname=\"check\" name=\"{}\">", text(found.code.0));
            let message = text(&found.message);
            let _ = writeln!(cases, "    {open}<error message=\"{message}\"/></testcase>");
        }
        for case in &report.cases {
            let test = &case.test;
            let (file, name) = (text(test.file()), text(test.name()));
            let line = test.line();
            let open = format!(
                "<testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\" line=\"{line}\""
            );
            let Some(failure) = &case.tried.failure else {
                let _ = writeln!(cases, "    {open}/>");
                continue;
            };
            let (told, explain) = (text(&case.told()), text(&case.explain));
            let kind = text(failure.code.0);
            let _ = writeln!(cases, "    {open}>");
            let _ = writeln!(
                cases,
                "      <failure type=\"{kind}\" message=\"{told}\">{explain}</failure>"
            );
            let _ = writeln!(cases, "    </testcase>");
        }
        let (mut of_suite, mut failed) = (report.cases.len() + broken, report.failed());
        if let (Some(coverage), Some(least)) = (&report.coverage, least) {
            let percent = coverage.percent();
            let open = "<testcase classname=\"coverage\" name=\"coverage\"";
            of_suite += 1;
            if report.lacks(Some(least)).is_some() {
                failed += 1;
                let message = format!("{percent}% is covered, less than {least}%");
                let _ = writeln!(cases, "    {open}><failure message=\"{message}\"/></testcase>");
            } else {
                let _ = writeln!(cases, "    {open}/>");
            }
        }
        let folder = text(&report.folder);
        let _ = writeln!(
            suites,
            "  <testsuite name=\"{folder}\" tests=\"{of_suite}\" failures=\"{failed}\" errors=\"{broken}\">"
        );
        suites.push_str(&cases);
        suites.push_str("  </testsuite>\n");
        tests += of_suite;
        failures += failed;
        errors += broken;
    }
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mcpfw\" {counts}>\n{suites}</testsuites>\n"
    )
}

/// `raw` as text or as the value of an attribute: hidden characters shown, which XML 1.0 partly cannot hold at all (§2.2), and
/// the rest escaped (§2.4).
fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in visible(raw).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // No characters of XML, and not hidden.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn nothing_ends_an_attribute_or_an_element() {
        for (raw, want) in [
            ("plain", "plain"),
            ("a\"/><x y='", "a&quot;/&gt;&lt;x y=&apos;"),
            ("]]>&amp;", "]]&gt;&amp;amp;"),
            ("\0\u{1b}\n\u{202e}", r"\u{0}\u{1b}\u{a}\u{202e}"),
            ("\u{ffff}é", "\u{fffd}é"),
        ] {
            assert_eq!(text(raw), want, "{raw:?}");
        }
    }
}
