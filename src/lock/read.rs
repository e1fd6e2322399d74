//! From the text of a lock file to a lock: strict, with every mistake at its place.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;

use super::json::{Json, Value};
use super::model::Unfit;
use super::write::VERSION;
use super::{Digest, Item, List, Lock, Server, codes};
use crate::diagnostic::{Code, Diagnostic, Problems, SourceId, Sources, Span, suggest};
use crate::wire::mcp::Revision;

/// What to do about a file that nobody should have written by hand.
const WRITE_ANEW: &str = "write the file anew with `mcpfw lock`, and review what changed";

/// Reads the lock file `file` of `sources`. `None` where a problem that was reported is an error.
#[must_use]
pub fn parse(sources: &Sources, file: SourceId, problems: &Problems) -> Option<Lock> {
    let text = sources.source(file)?.text();
    let reader = Reader { file, problems };
    let root = match Json::parse(text.as_bytes(), RandomState::new().hash_one(file)) {
        Ok(root) => root,
        Err(error) => {
            let at = usize::try_from(error.offset).unwrap_or(text.len()).min(text.len());
            let finding = Diagnostic::error(codes::SYNTAX, "the lock file is not JSON")
                .primary(Span::new(file, at..text.len().min(at + 1)), error.kind.to_string());
            problems.push(finding.help(
                "a merge that went wrong? take one side, or write the file anew with `mcpfw lock`",
            ));
            return None;
        }
    };
    reader.lock(&root)
}

/// What every step needs to report.
struct Reader<'p> {
    file: SourceId,
    problems: &'p Problems,
}

impl Reader<'_> {
    fn lock(&self, root: &Json) -> Option<Lock> {
        let Value::Object(members) = &root.value else {
            self.report(codes::FORM, "a lock file is a JSON object", root, root.noun());
            return None;
        };
        // First of all: another version has other keys.
        match members.get("version").map(|version| &version.value) {
            Some(Value::Number(number)) if **number == *VERSION => {}
            _ => {
                let place = members.get("version").unwrap_or(root);
                let message = "not a version of the lock file that this program knows";
                self.report(codes::VERSION, message, place, &format!("expected {VERSION}"));
                return None;
            }
        }
        let keys: Vec<&str> =
            ["version", "server", "revision"].into_iter().chain(List::ALL.map(List::key)).collect();
        let mut is_right = self.knows(root, &keys, "the lock file");
        let server = self.server(root);
        let revision = self.revision(root);
        let mut lists = Vec::new();
        for list in List::ALL {
            match self.required(root, list.key()).map(|it| (it, it.as_array())) {
                Some((_, Some(elements))) => lists.push((list, elements)),
                Some((other, None)) => {
                    is_right = self.wrong_type(other, list.key(), "an array");
                }
                None => is_right = false,
            }
        }
        let mut lock = Lock::new(server?, revision?);
        for (list, elements) in lists {
            is_right &= self.list(&mut lock, list, elements);
        }
        is_right.then_some(lock)
    }

    fn server(&self, root: &Json) -> Option<Server> {
        let server = self.required(root, "server")?;
        if server.as_object().is_none() {
            self.wrong_type(server, "server", "an object");
            return None;
        }
        let is_known = self.knows(server, &["name", "version", "instructions"], "`server`");
        let name = self.text(server, "name");
        let version = self.text(server, "version");
        let instructions = match server.member("instructions") {
            Some(_) => Some(self.text(server, "instructions")?.into()),
            None => None,
        };
        let server = Server { name: name?.into(), version: version?.into(), instructions };
        is_known.then_some(server)
    }

    fn revision(&self, root: &Json) -> Option<Revision> {
        let text = self.text(root, "revision")?;
        let revision = text.parse().ok();
        if revision.is_none() {
            let place = root.member("revision").unwrap_or(root);
            let known = Revision::ALL.map(Revision::as_str).join(", ");
            let label = format!("the revisions are {known}");
            self.report(codes::FORM, &format!("no revision is called `{text}`"), place, &label);
        }
        revision
    }

    /// Adds `elements` to `lock`. Whether all could be added.
    fn list(&self, lock: &mut Lock, list: List, elements: &[Json]) -> bool {
        let mut is_right = true;
        let mut seen: HashMap<&str, Range<usize>> = HashMap::new();
        for element in elements {
            let Some((item, name)) = self.item(list, element) else {
                is_right = false;
                continue;
            };
            let id = name.as_str().unwrap_or_default();
            match lock.insert(item) {
                Ok(()) => {
                    seen.insert(id, name.range.clone());
                }
                Err(Unfit::Twice) => {
                    is_right = false;
                    let message = format!("two {}s are called `{id}`", list.noun());
                    let finding =
                        Diagnostic::error(codes::DUPLICATE, message).primary(self.span(name), "");
                    let first = seen.get(id).cloned().unwrap_or_default();
                    self.problems.push(
                        finding
                            .secondary(Span::new(self.file, first), "the first one")
                            .help(WRITE_ANEW),
                    );
                }
                Err(fault @ Unfit::TooMany) => {
                    let message = format!("`{}` has {fault}", list.key());
                    self.report(codes::TOO_MANY, &message, element, "");
                    return false;
                }
            }
        }
        is_right
    }

    /// An element of `list` and its name.
    fn item<'j>(&self, list: List, element: &'j Json) -> Option<(Item, &'j Json)> {
        let Some(members) = element.as_object() else {
            self.wrong_type(element, list.noun(), "an object");
            return None;
        };
        let mut is_right = true;
        for (key, value) in members {
            if &**key == "digest" || list.counts(key) {
                continue;
            }
            is_right = false;
            let message = format!("unknown key `{key}`");
            let finding = Diagnostic::error(codes::FORM, message)
                .primary(self.span(value), format!("a {} has no such key here", list.noun()));
            let meant = suggest(key, list.members().iter().copied().chain(["digest"]));
            let help = meant.map(|meant| format!("did you mean `{meant}`?"));
            self.problems.push(finding.maybe_help(help));
        }
        let name = self.required(element, list.id())?;
        let written = self.text(element, "digest")?;
        let mut bare = members.clone();
        bare.remove("digest");
        let json = Json { value: Value::Object(bare), range: element.range.clone() };
        let item = match Item::new(list, json) {
            Ok(item) => item,
            Err(fault) => {
                let message = format!("this is no {}: {fault}", list.noun());
                self.report(codes::FORM, &message, name, "");
                return None;
            }
        };
        if !is_right {
            return None;
        }
        let place = element.member("digest").unwrap_or(element);
        match written.parse::<Digest>() {
            Err(error) => {
                self.report(
                    codes::FORM,
                    &format!("`{written}` is no digest"),
                    place,
                    &error.to_string(),
                );
                None
            }
            Ok(digest) if digest != item.digest() => {
                let message = format!(
                    "the digest of {} `{}` is not of what stands here",
                    list.noun(),
                    item.id()
                );
                let label = format!("what stands here has {}", item.digest());
                let finding = Diagnostic::error(codes::DIGEST, message);
                self.problems.push(finding.primary(self.span(place), label).help(
                    "was the file edited by hand? write it anew with `mcpfw lock`, and review what changed",
                ));
                None
            }
            Ok(_) => Some((item, name)),
        }
    }

    /// The string at `key` of `object`; reported where there is none.
    fn text<'j>(&self, object: &'j Json, key: &str) -> Option<&'j str> {
        let value = self.required(object, key)?;
        if value.as_str().is_none() {
            self.wrong_type(value, key, "a string");
        }
        value.as_str()
    }

    fn required<'j>(&self, object: &'j Json, key: &str) -> Option<&'j Json> {
        let value = object.member(key);
        if value.is_none() {
            self.report(codes::FORM, &format!("missing key `{key}`"), object, "");
        }
        value
    }

    /// Whether `object`, which findings call `what`, has no other keys than `keys`.
    fn knows(&self, object: &Json, keys: &[&str], what: &str) -> bool {
        let mut knows_all = true;
        for (key, value) in object.as_object().into_iter().flatten() {
            if keys.contains(&&**key) {
                continue;
            }
            knows_all = false;
            let finding = Diagnostic::error(codes::FORM, format!("unknown key `{key}`"))
                .primary(self.span(value), format!("not a key of {what}"));
            let meant = suggest(key, keys.iter().copied());
            let help = meant.map(|meant| format!("did you mean `{meant}`?"));
            self.problems.push(finding.maybe_help(help));
        }
        knows_all
    }

    /// Reports that `value`, which is called `what`, is not `wanted`. Always false.
    fn wrong_type(&self, value: &Json, what: &str, wanted: &str) -> bool {
        let label = format!("this is {}", value.noun());
        self.report(codes::FORM, &format!("`{what}` must be {wanted}"), value, &label);
        false
    }

    fn report(&self, code: Code, message: &str, place: &Json, label: &str) {
        let finding = Diagnostic::error(code, message).primary(self.span(place), label);
        self.problems.push(finding.help(WRITE_ANEW));
    }

    /// The place of `json`; of a container its first byte, since nobody wants a file underlined.
    fn span(&self, json: &Json) -> Span {
        let range = match json.value {
            Value::Array(_) | Value::Object(_) => json.range.start..json.range.start + 1,
            _ => json.range.clone(),
        };
        Span::new(self.file, range)
    }
}
