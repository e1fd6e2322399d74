//! Which objects a rule speaks of: patterns, folded names, canonical URIs.
//!
//! An allow is matched against the bytes of a name, and its wildcards only stand for what may stand in a name. A deny
//! and a limit are matched against every form that somebody could take the name for. Where a name has no one
//! reading ([`Subject::is_regular`]), or was not read at all, no pattern of an allow matches and every pattern of
//! a deny or limit does.

mod fold;
mod glob;
mod uri;

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::LazyLock;

use smallvec::SmallVec;

pub(super) use self::fold::{Form, fold, folds};
use self::glob::TEMPLATE_FUEL;
pub(super) use self::glob::{Class, Dialect, Glob, GlobError, Step, is_name_character};
use super::Effect;
use crate::wire::mcp::{Method, ObjectKind, uri as wire_uri};

/// Longest tool, prompt or method name that patterns are compared with, in bytes: the specification's limit for tool
/// names (T11). A longer name is irregular.
pub(super) const MAX_NAME: usize = 128;

/// The five sets of names that selectors speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Space {
    Tools,
    Prompts,
    Resources,
    Methods,
    ServerRequests,
}

impl Space {
    pub(super) const ALL: [Self; 5] =
        [Self::Tools, Self::Prompts, Self::Resources, Self::Methods, Self::ServerRequests];

    /// The selector's key.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Methods => "methods",
            Self::ServerRequests => "server_requests",
        }
    }

    /// The names of objects of `kind`.
    pub(super) const fn of(kind: ObjectKind) -> Self {
        match kind {
            ObjectKind::Tool => Self::Tools,
            ObjectKind::Prompt => Self::Prompts,
            ObjectKind::Resource => Self::Resources,
        }
    }

    const fn dialect(self, effect: Effect) -> Dialect {
        match (self, effect) {
            (Self::Resources, _) => Dialect::Uri,
            (Self::Tools | Self::Prompts, Effect::Allow) => Dialect::RegularName,
            _ => Dialect::Name,
        }
    }
}

/// A pattern as a rule of a certain effect uses it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    /// Over the bytes of names.
    pub(super) plain: Glob,
    /// Over the forms of names ([`forms`]); for a deny or limit.
    pub(super) folded: Option<Glob>,
}

impl Pattern {
    pub(super) fn parse(text: &str, space: Space, effect: Effect) -> Result<Self, GlobError> {
        let plain = Glob::parse(text, space.dialect(effect))?;
        let folded = match (effect, space) {
            (Effect::Allow, _) => None,
            (_, Space::Resources) => {
                let text = text.trim_end_matches('/').to_ascii_lowercase();
                Some(Glob::parse(&text, Dialect::Uri).unwrap_or_else(|_| plain.clone()))
            }
            _ => Some(plain.rewritten(|part| fold(part).as_str().to_owned())?),
        };
        Ok(Self { plain, folded })
    }

    /// Whether it matches `subject`, asked in one way.
    pub(super) fn matches(&self, subject: &Subject<'_>, question: Question) -> bool {
        let Some(folded) = &self.folded else {
            if !subject.is_regular {
                return self.plain.exact() == Some(subject.name);
            }
            return self.plain.matches(subject.name)
                || question == Question::Listing && subject.is_met_by(&self.plain, subject.name);
        };
        if !subject.is_regular {
            return true;
        }
        self.plain.matches(subject.name)
            || forms(subject).iter().any(|form| folded.matches(form.as_str()))
            || question == Question::Use
                && subject.is_template()
                && subject.is_met_by(folded, &subject.name.to_ascii_lowercase())
    }
}

/// Whether an allow can name exactly `name`, an object of `kind` or else a method: not where it would be a pattern or is no
/// name that an allow reaches.
#[must_use]
pub fn is_exact_name(kind: Option<ObjectKind>, name: &str) -> bool {
    let space = kind.map_or(Space::Methods, Space::of);
    let is_regular =
        kind != Some(ObjectKind::Resource) || wire_uri::check(name, wire_uri::Form::Uri).is_ok();
    let pattern = Pattern::parse(name, space, Effect::Allow);
    is_regular && pattern.is_ok_and(|pattern| pattern.plain.exact() == Some(name))
}

/// What is asked of a selector. The two differ for a URI template, which stands for many resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether this may be done: all that the template stands for must be allowed, none denied.
    Use,
    /// Whether this is shown: some of it must be allowed, and not all denied.
    Listing,
}

/// A name that selectors are compared with.
#[derive(Clone, Debug)]
pub(super) struct Subject<'a> {
    pub(super) space: Space,
    pub(super) name: &'a str,
    /// Whether it can be read in one way only, and is not overlong.
    pub(super) is_regular: bool,
    /// For a URI template with variables: the steps that comparing it may still take.
    template: Option<Cell<u32>>,
}

impl<'a> Subject<'a> {
    /// The name `name` of `space`.
    pub(super) fn new(space: Space, name: &'a str) -> Self {
        match space {
            Space::Tools => Self::object(ObjectKind::Tool, name),
            Space::Prompts => Self::object(ObjectKind::Prompt, name),
            Space::Resources => Self::object(ObjectKind::Resource, name),
            Space::Methods => Self::method(name, Method::from_wire(name)),
            Space::ServerRequests => Self::server_request(name, Method::from_wire(name)),
        }
    }

    /// A method that downstream sends.
    pub(super) fn method(name: &'a str, method: Method) -> Self {
        let is_regular = is_name(name) && (method != Method::Other || !resembles_a_method(name));
        Self { space: Space::Methods, name, is_regular, template: None }
    }

    /// A method that the server sends.
    pub(super) fn server_request(name: &'a str, method: Method) -> Self {
        Self { space: Space::ServerRequests, ..Self::method(name, method) }
    }

    /// An object of `kind`.
    pub(super) fn object(kind: ObjectKind, name: &'a str) -> Self {
        let is_regular = match kind {
            ObjectKind::Tool | ObjectKind::Prompt => is_name(name),
            ObjectKind::Resource => uri::is_canonical(name),
        };
        let is_template = kind == ObjectKind::Resource && is_regular && uri::is_template(name);
        let template = is_template.then(|| Cell::new(TEMPLATE_FUEL));
        Self { space: Space::of(kind), name, is_regular, template }
    }

    /// Whether it is a URI template, which stands for many.
    pub(super) fn is_template(&self) -> bool {
        self.template.is_some()
    }

    /// Whether it is a template of which, written as `text`, some expansion matches `glob`.
    fn is_met_by(&self, glob: &Glob, text: &str) -> bool {
        self.template.as_ref().is_some_and(|fuel| glob.meets(text, fuel))
    }
}

/// What a regular name could be taken for, as deny and limit see it.
pub(super) fn forms(subject: &Subject<'_>) -> SmallVec<[Form; 2]> {
    match subject.space {
        Space::Resources => {
            let lower = subject.name.to_ascii_lowercase();
            let form = |text: &str| [text].into_iter().collect();
            smallvec::smallvec![form(&lower), form(uri::reduced(&lower))]
        }
        _ => folds(subject.name).unwrap_or_default(),
    }
}

/// Whether `name` is short enough and has forms few enough to be compared.
fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME && (name.is_ascii() || folds(name).is_some())
}

/// Whether a lenient server could take `name` for a method of the specification, which it is not.
pub(super) fn resembles_a_method(name: &str) -> bool {
    static METHODS: LazyLock<HashSet<Form>> =
        LazyLock::new(|| Method::all().iter().map(|info| fold(info.name)).collect());
    folds(name).is_none_or(|forms| forms.iter().any(|form| METHODS.contains(form)))
}

/// The bits that are set in `word`, lowest first.
pub(super) fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros();
        word &= word.wrapping_sub(1);
        (bit < 64).then_some(bit as usize)
    })
}
