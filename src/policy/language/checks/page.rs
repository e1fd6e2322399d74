//! The page of a check.

use std::fmt::Write as _;

use crate::diagnostic::Code;
use crate::policy::language::codes;

/// What every page has, in this order.
pub const SECTIONS: [&str; 4] = ["What it does", "Why is this bad", "Example", "Use instead"];

/// What a code means.
#[derive(Clone, Copy, Debug)]
pub struct CodeInfo {
    /// The code.
    pub code: Code,
    /// The text of the file of its check.
    pub(in crate::policy::language) source: &'static str,
}

impl CodeInfo {
    /// The lines of its page, without the marks of a comment.
    fn lines(&self) -> impl Iterator<Item = &'static str> {
        let lines = self.source.lines().map_while(|line| line.strip_prefix("//!"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line))
    }

    /// Severity and title, from the first line: `P002, error: unknown key or stanza`.
    fn head(&self) -> (&'static str, &'static str) {
        let first = self.lines().next().unwrap_or_default();
        let rest = first.split_once(", ").map_or("", |(_, rest)| rest);
        rest.split_once(": ").unwrap_or(("", rest))
    }

    /// What is wrong, in a few words.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.head().1
    }

    /// `error`, `warning`, or `error or warning`.
    #[must_use]
    pub fn severity(&self) -> &'static str {
        self.head().0
    }

    /// Everything on it but the head, as Markdown; ends in a line feed.
    #[must_use]
    pub fn body(&self) -> String {
        let mut text = String::new();
        for line in self.lines().skip(2) {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// The text under the heading `title`; `None` where the page has no such.
    #[must_use]
    pub fn section(&self, title: &str) -> Option<String> {
        let body = self.body();
        let mut sections = body.split("## ").skip(1).filter_map(|part| part.split_once('\n'));
        sections.find(|(name, _)| *name == title).map(|(_, text)| text.trim().to_owned())
    }

    /// Whether some of its findings come with a change that `check --fix` can make.
    #[must_use]
    pub fn has_fix(&self) -> bool {
        self.lines().any(|line| line == "## Fix safety")
    }
}

/// What the code `text` means, in whatever case it is written.
#[must_use]
pub fn find(text: &str) -> Option<&'static CodeInfo> {
    codes::ALL.iter().find(|info| info.code.0.eq_ignore_ascii_case(text.trim()))
}

/// The codes that may have been meant by `text`: the nearest one, or those whose titles have the word.
#[must_use]
pub fn suggest(text: &str) -> Vec<&'static CodeInfo> {
    let word = text.trim().to_lowercase();
    let titled = codes::ALL.iter().filter(|info| !word.is_empty() && info.title().contains(&*word));
    let titled: Vec<_> = titled.take(MOST_SUGGESTED).collect();
    if !titled.is_empty() {
        return titled;
    }
    // `P12` for `P012`.
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    let padded = format!("P{digits:0>3}");
    let meant = find(&padded).filter(|_| !digits.is_empty());
    let near = || {
        let name = crate::diagnostic::suggest(&word, codes::ALL.iter().map(|info| info.code.0))?;
        find(name)
    };
    meant.or_else(near).into_iter().collect()
}

/// Most codes that are suggested.
const MOST_SUGGESTED: usize = 5;

/// The page of `info` by itself, as Markdown.
#[must_use]
pub fn page(info: &CodeInfo) -> String {
    format!("# {} ({}): {}\n\n{}", info.code, info.severity(), info.title(), info.body())
}

/// One row a code: code, severity, what is wrong, whether there is a fix. Of Markdown, with a head.
#[must_use]
pub fn table() -> String {
    let mut text = "| code | | what is found | fix |\n|---|---|---|---|\n".to_owned();
    for info in codes::ALL {
        let fix = if info.has_fix() { "sometimes" } else { "" };
        let (code, severity, title) = (info.code, info.severity(), info.title());
        let _ = writeln!(text, "| {code} | {severity} | {title} | {fix} |");
    }
    text
}

/// The pages of all codes behind a table of them, as Markdown.
#[must_use]
pub fn manual() -> String {
    let mut text = MANUAL.to_owned();
    text.push_str(&table());
    for info in codes::ALL {
        let _ = writeln!(text, "\n## {}: {}\n", info.code, info.title());
        let _ = writeln!(text, "Severity: {}.", info.severity());
        for line in info.body().lines() {
            let line =
                line.strip_prefix("## ").map_or(line.to_owned(), |head| format!("### {head}"));
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    // One empty line at a time.
    while text.contains("\n\n\n") {
        text = text.replace("\n\n\n", "\n\n");
    }
    text
}

const MANUAL: &str = "\
# What `mcpfw check` finds

`mcpfw check --explain P012` prints the page of one code. An error keeps the policies from being used; a warning does not,
unless `--strict` is given. `--fix` makes the changes that are safe: no other meaning is possible, and nothing passes that a
set in force would have refused. `--fix --unsafe-fixes` also makes those that probably say what was meant, `--dry-run` shows a
diff. Examples whose first line is `# schema.toml` are of that file, those in JSON of `mcp.lock.json`.

This page is made of the sources by `mcpfw check --explain all`.

";
