//! From what was written to what it means: defaults, cross-checks, warnings.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

use crate::diagnostic::document::Document;
use crate::diagnostic::{Code, Diagnostic, Problems, SourceId, Sources, Span, suggest};

use super::flags::Flags;
use super::raw::{Place, Raw, Text};
use super::{AccessLog, Audited, Auth, Config, Listen, Overrides, codes, headers, route, secret};

/// What a config may refer to outside of itself. [`super::load`] gives the real thing, tests give tables.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "functions have none")]
pub struct Outside<'a> {
    /// Where relative paths of the file start: the folder that it is in. Those of flags start at the working directory.
    pub folder: &'a Path,
    /// The value of an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The text of a small file that holds a secret.
    pub file: &'a dyn Fn(&Path) -> io::Result<String>,
}

/// What every resolver needs.
pub(super) struct Scope<'a> {
    pub(super) problems: &'a Problems,
    pub(super) outside: &'a Outside<'a>,
    /// The config file, where there is one.
    pub(super) file: Option<SourceId>,
    /// Secrets that stand in the file itself.
    pub(super) secrets: &'a RefCell<Vec<Span>>,
}

impl Config {
    /// The config that `file` (a text of `sources`) and `overrides` make, and everything that is wrong with them.
    ///
    /// The texts of the flags are added to `sources`, so that findings can point at them. There is a config unless a
    /// finding is an error. Findings come sorted.
    #[must_use]
    pub fn parse(
        sources: &mut Sources,
        file: Option<SourceId>,
        overrides: &Overrides,
        outside: &Outside<'_>,
    ) -> (Option<Self>, Vec<Diagnostic>) {
        let flags = Flags::add(overrides, sources);
        let problems = Problems::new();
        let secrets = RefCell::default();
        let scope = Scope { problems: &problems, outside, file, secrets: &secrets };
        let config = Self::read(sources, &flags, &scope);
        for span in secrets.take() {
            sources.hide(span);
        }
        let config = if problems.has_errors() { None } else { config };
        (config, problems.into_sorted())
    }

    fn read(sources: &Sources, flags: &Flags, scope: &Scope<'_>) -> Option<Self> {
        let problems = scope.problems;
        let document = match scope.file.and_then(|id| Some((id, sources.source(id)?))) {
            Some((id, source)) => {
                Some(Document::parse(source.text(), id, codes::DOCUMENT, problems)?)
            }
            None => None,
        };
        let mut raw = document.as_ref().map(|d| Raw::read(d, problems)).unwrap_or_default();
        flags.apply(&mut raw, sources, problems);
        Self::resolve(&raw, scope)
    }

    fn resolve(raw: &Raw<'_>, scope: &Scope<'_>) -> Option<Self> {
        let auth = Auth::resolve(raw, scope);
        let listen = Listen::resolve(raw, &auth, scope);
        let routes = route::resolve(raw, scope);
        let identity_headers = headers::resolve(&raw.identity_headers, &routes, scope);
        let session_key = raw.session_key.map(|text| secret::key(text, scope));
        let log = |text, what| log(text, what, scope);
        let access_log = raw.access.map_or(Some(AccessLog::Stdout), |text| log(text, "access log"));
        let audit_log = raw.audit.map_or(Some(AccessLog::Off), |text| log(text, "audit log"));
        let audited = audited(raw, &access_log, &audit_log, scope);
        let policies = match raw.policies {
            Some(text) => scope.path(text.value, text.span),
            None => scope.outside.folder.join("policies"),
        };
        Some(Self {
            policies,
            listen: listen?,
            routes,
            auth,
            identity_headers,
            limits: raw.limits.clone(),
            session_key: match session_key {
                Some(key) => Some(key?),
                None => None,
            },
            access_log: access_log?,
            audit_log: audit_log?,
            audited: audited?,
            reload: raw.reload,
        })
    }
}

/// A word, or a path that cannot be taken for a mistyped word.
fn log(text: Text<'_>, what: &str, scope: &Scope<'_>) -> Option<AccessLog> {
    let words = ["stdout", "stderr", "off"];
    match text.value {
        "stdout" => Some(AccessLog::Stdout),
        "stderr" => Some(AccessLog::Stderr),
        "off" => Some(AccessLog::Off),
        path if path.contains(['/', '.']) => Some(AccessLog::File(scope.path(path, text.span))),
        other => {
            let help = suggest(other, words).map_or_else(
                || format!("write `./{other}` for a file of that name"),
                |meant| format!("did you mean `{meant}`? a file of that name is `./{other}`"),
            );
            scope.error(codes::LOG, text, what, "`stdout`, `stderr`, `off` or a path", Some(help))
        }
    }
}

/// What the audit log holds, and that it is a log of its own: a reader of both would count each call twice.
fn audited(
    raw: &Raw<'_>,
    access: &Option<AccessLog>,
    audit: &Option<AccessLog>,
    scope: &Scope<'_>,
) -> Option<Audited> {
    if let (Some(text), Some(audit)) = (raw.audit, audit)
        && *audit != AccessLog::Off
        && access.as_ref() == Some(audit)
    {
        let finding = Diagnostic::error(codes::LOG, "the audit log goes where the access log goes")
            .primary(text.span, "expected a place of its own")
            .help("give it a file: `audit = \"audit.jsonl\"`");
        scope.problems.push(finding);
        return None;
    }
    let Some(text) = raw.arguments else { return Some(Audited::default()) };
    let words = [("none", Audited::Nothing), ("read", Audited::Read)];
    let meant = scope.choose(codes::WORD, text, "choice", &words)?;
    if raw.audit.is_none() {
        let finding = Diagnostic::error(codes::LOG, "`arguments` without an audit log")
            .primary(text.span, "no other log has arguments")
            .help("say where it goes: `audit = \"audit.jsonl\"`");
        scope.problems.push(finding);
        return None;
    }
    Some(meant)
}

impl Scope<'_> {
    /// A path that was written at `span`, from where it starts.
    pub(super) fn path(&self, written: &str, span: Span) -> PathBuf {
        if Some(span.source) == self.file {
            self.outside.folder.join(written)
        } else {
            PathBuf::from(written)
        }
    }

    /// Reports that `text` is no `what`; `expected` reads after "expected".
    pub(super) fn error<T>(
        &self,
        code: Code,
        text: Text<'_>,
        what: &str,
        expected: &str,
        help: Option<impl Into<String>>,
    ) -> Option<T> {
        let written = match text.value {
            "" => "an empty string".to_owned(),
            value => format!("`{value}`"),
        };
        let finding = Diagnostic::error(code, format!("{written} is not {} {what}", article(what)))
            .primary(text.span, format!("expected {expected}"))
            .maybe_help(help);
        self.problems.push(finding);
        None
    }

    /// Reports a password where none belongs, without quoting it.
    pub(super) fn password<T>(
        &self,
        code: Code,
        text: Text<'_>,
        what: &str,
        help: &str,
    ) -> Option<T> {
        self.secrets.borrow_mut().push(text.span);
        let finding = Diagnostic::error(code, format!("a password in the {what}"))
            .primary(text.span, "")
            .help(help);
        self.problems.push(finding);
        None
    }

    /// Reports a key that is missing from a table, or a flag from flags.
    pub(super) fn missing<T>(&self, key: &str, place: Place, table: &str) -> Option<T> {
        let finding = match place {
            Place::Table(span) => {
                Diagnostic::error(codes::MISSING_KEY, format!("missing key `{key}`"))
                    .primary(span, format!("`[[{table}]]` needs `{key}`"))
            }
            Place::Flag(span) => {
                Diagnostic::error(codes::MISSING_KEY, format!("missing flag `--{key}`"))
                    .primary(span, format!("needs `--{key}` beside it"))
                    .help("`--issuer`, `--audience` and `--jwks` make an issuer together")
            }
        };
        self.problems.push(finding);
        None
    }

    /// The meaning of one of a few words.
    pub(super) fn choose<T: Copy>(
        &self,
        code: Code,
        text: Text<'_>,
        what: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text.value) {
            return Some(*meaning);
        }
        let expected = listed(words.iter().map(|(word, _)| *word));
        let meant = suggest(text.value, words.iter().map(|(word, _)| *word));
        let help = meant.map(|meant| format!("did you mean `{meant}`?"));
        self.error(code, text, what, &expected, help)
    }
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" }
}

/// `` `a`, `b` or `c` ``.
pub(super) fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} or {last}", words.join(", ")) }
}
