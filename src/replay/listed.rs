//! A least-privilege policy from what a server lists: what says of itself that it only reads, or does nothing else by the
//! protocol, by its exact name.
//!
//! A URI template is proposed where its variables are names of one segment (`{name}`, RFC 6570 §3.2.2) behind the host: a
//! condition then holds its expansions to the characters that such a variable makes, and to no other place.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::propose::{Proposal, counted, family, unique};
use super::toml::{comment, quoted, string, strings};
use crate::policy::is_exact_name;
use crate::wire::mcp::ObjectKind;
use crate::wire::mcp::uri::{Form, check};

/// What a server lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A tool, and whether it says that it only reads.
    Tool(Box<str>, bool),
    /// A prompt. To get one changes nothing.
    Prompt(Box<str>),
    /// A resource, by its URI. To read one changes nothing.
    Resource(Box<str>),
    /// A URI template.
    Template(Box<str>),
}

impl Listed {
    /// What it is, as a test says it, and what names it.
    #[must_use]
    pub fn called(&self) -> (&'static str, &str) {
        match self {
            Self::Tool(name, _) => ("tool", name),
            Self::Prompt(name) => ("prompt", name),
            Self::Resource(uri) | Self::Template(uri) => ("resource", uri),
        }
    }

    fn noun(&self) -> &'static str {
        match self {
            Self::Template(_) => "resource template",
            other => other.called().0,
        }
    }
}

/// Proposes to allow those of `listed` that only read, and names the others.
#[must_use]
pub fn propose_listed(listed: &[Listed]) -> Proposal {
    let mut proposal = Proposal::default();
    let mut families: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    let mut templates = Vec::new();
    for item in listed {
        let (kind, name) = item.called();
        let why = match item {
            Listed::Tool(_, false) => "it does not say that it only reads",
            Listed::Template(_) => match Expansions::of(name) {
                Ok(expansions) => {
                    templates.push((name, expansions));
                    continue;
                }
                Err(why) => why,
            },
            _ if is_exact_name(ObjectKind::from_word(kind), name) => {
                families.entry((kind, family(&(kind, name.into())))).or_default().push(name);
                continue;
            }
            _ => "no pattern stands for exactly this name",
        };
        let _ = writeln!(proposal.text, "# Not allowed: {} {}: {why}.", item.noun(), comment(name));
    }
    let mut taken = std::collections::BTreeSet::new();
    for ((kind, family), mut names) in families {
        names.dedup();
        let rule = unique(kind, &family, &mut taken);
        proposal.exact(kind, &rule, &names);
    }
    for (template, expansions) in templates {
        let rule = unique("template", &family(&("resource", template.into())), &mut taken);
        proposal.template(&rule, template, &expansions);
    }
    proposal
}

impl Proposal {
    /// Writes the allow of `names`, and a test for each.
    fn exact(&mut self, kind: &'static str, rule: &str, names: &[&str]) {
        self.rules += 1;
        self.names.extend(names.iter().map(|name| (kind, Box::from(*name))));
        let count = counted(names.len() as u64, kind);
        let why = match (kind, names.len()) {
            ("tool", 1) => " that only reads",
            ("tool", _) => " that only read",
            _ => "",
        };
        let _ = write!(
            self.text,
            "\n# By the lock: {count}{why}.\n[[allow]]\nname = {}\n{kind}s = {}\n",
            string(rule),
            strings(names.iter().copied()),
        );
        for name in names {
            self.try_out(&format!("reads: {kind} {name}"), (kind, name), Some(rule));
        }
    }

    /// Writes the allow of what `template` expands to, and a test on each side of its edge.
    fn template(&mut self, rule: &str, template: &str, expansions: &Expansions) {
        self.rules += 1;
        self.names.insert(("resource", template.into()));
        let Expansions { pattern, when, inside, outside } = expansions;
        let _ = write!(
            self.text,
            "\n# By the lock: the resource template {}, its variables being names of one segment.\n\
             [[allow]]\nname = {}\nresources = [{}]\nwhen = '{when}'\n",
            comment(template),
            string(rule),
            string(pattern),
        );
        self.try_out(&format!("reads: {template}"), ("resource", inside), Some(rule));
        self.try_out(&format!("no more than: {template}"), ("resource", outside), None);
    }

    /// Writes a test: `rule` allows this, or nothing does.
    fn try_out(&mut self, test: &str, (kind, name): (&str, &str), rule: Option<&str>) {
        let (test, name) = (string(test), string(name));
        let by = rule.map_or_else(
            || "expect = \"deny\"".to_owned(),
            |rule| format!("expect = \"allow\"\nby = {}", string(rule)),
        );
        let _ =
            write!(self.text, "\n[[test]]\nname = {test}\ncall = {{ {kind} = {name} }}\n{by}\n");
    }
}

/// What a template stands for.
struct Expansions {
    /// What all of them match.
    pattern: String,
    /// What they and the template itself meet, and nothing else does.
    when: String,
    /// One of them.
    inside: String,
    /// What is none of them.
    outside: String,
}

impl Expansions {
    fn of(template: &str) -> Result<Self, &'static str> {
        const ODD: &str = "no condition stands for exactly this template";
        check(template, Form::Template).map_err(|_| "it can be read in more than one way")?;
        let behind_host = match template.find("://") {
            Some(at) => {
                template.get(at + 3..).and_then(|rest| rest.find('/')).map(|end| at + 3 + end)
            }
            None => template.find(':'),
        };
        if template.find('{').zip(behind_host).is_none_or(|(first, end)| first < end) {
            return Err("a variable stands for its host");
        }
        let (mut pattern, mut regex) = (String::new(), "^".to_owned());
        let (mut inside, mut outside) = (String::new(), String::new());
        let mut rest = template;
        while let Some((literal, after)) = rest.split_once('{') {
            let (variable, after) = after.split_once('}').ok_or(ODD)?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
            if variable.is_empty() || !variable.chars().all(is_name) {
                return Err("a variable of it is more than a name of one segment");
            }
            let exact = exact(literal).ok_or(ODD)?;
            let _ = write!(pattern, "{literal}*");
            // RFC 6570 §3.2.2: what is not unreserved (RFC 3986 §2.3) is percent-encoded.
            let _ = write!(regex, "{exact}[-A-Za-z0-9._~%]+");
            let _ = write!(inside, "{literal}x");
            let _ = write!(outside, "{literal}x?y");
            rest = after;
        }
        let exact = exact(rest).ok_or(ODD)?;
        let _ = write!(regex, "{exact}$");
        for text in [&mut pattern, &mut inside, &mut outside] {
            text.push_str(rest);
        }
        let itself = quoted(template).ok_or(ODD)?;
        let regex = quoted(&regex).ok_or(ODD)?;
        let when = format!("mcp.target == {itself} || mcp.target.matches({regex})");
        Ok(Self { pattern, when, inside, outside })
    }
}

/// `literal` as a regular expression; `None` where it has what is a sign of one, or of a pattern, and cannot be put in
/// brackets.
fn exact(literal: &str) -> Option<String> {
    let mut out = String::new();
    for c in literal.chars() {
        match c {
            '.' | '+' | '(' | ')' | '$' | '|' => write!(out, "[{c}]").ok()?,
            '*' | '?' | '[' | ']' | '^' | '\\' | '{' | '}' | '#' => return None,
            c => out.push(c),
        }
    }
    Some(out)
}
