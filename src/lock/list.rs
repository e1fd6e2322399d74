//! The four lists of a server, and which members of an element a reader acts on.

use crate::wire::mcp::ObjectKind;
use crate::wire::mcp::fold::Folded;

/// A list that a server answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// `tools/list`
    Tools,
    /// `prompts/list`
    Prompts,
    /// `resources/list`
    Resources,
    /// `resources/templates/list`
    Templates,
}

impl List {
    /// Every list, in the order of the lock file.
    pub const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::Templates];

    /// The method that asks for it.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
        }
    }

    /// The member of `result` that holds it.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }

    /// What its elements are.
    #[must_use]
    pub const fn kind(self) -> ObjectKind {
        match self {
            Self::Tools => ObjectKind::Tool,
            Self::Prompts => ObjectKind::Prompt,
            Self::Resources | Self::Templates => ObjectKind::Resource,
        }
    }

    /// Its key in the lock file.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Templates => "templates",
            other => other.member(),
        }
    }

    /// What one element is called.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Tools => "tool",
            Self::Prompts => "prompt",
            Self::Resources => "resource",
            Self::Templates => "resource template",
        }
    }

    /// The member that names an element.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
        }
    }

    /// The members that the lock keeps and the digest covers, the one that names the element first: what a model
    /// reads, and what a client acts on. Not `icons`, `execution`, `size` and `_meta`, which servers fill with what differs
    /// from answer to answer, and which no model is shown.
    #[must_use]
    pub const fn members(self) -> &'static [&'static str] {
        match self {
            Self::Tools => {
                &["name", "title", "description", "inputSchema", "outputSchema", "annotations"]
            }
            Self::Prompts => &["name", "title", "description", "arguments"],
            Self::Resources => &["uri", "name", "title", "description", "mimeType"],
            Self::Templates => &["uriTemplate", "name", "title", "description", "mimeType"],
        }
    }

    /// Whether a member called `name` counts: one of [`List::members`], or a name that some parser takes for one (T2):
    /// beside a `description` as it was, a `Description` must not bring another text to those who read that.
    #[must_use]
    pub fn counts(self, name: &str) -> bool {
        let members = self.members();
        members.contains(&name) || {
            let folded = Folded::of(name);
            members.iter().any(|member| folded.is_alike(member))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts() {
        for (list, name, want) in [
            (List::Tools, "name", true),
            (List::Tools, "inputSchema", true),
            (List::Tools, "input_schema", true),
            (List::Tools, "Description", true),
            (List::Tools, "descr\u{131}ption", true),
            (List::Tools, "annotation", false),
            (List::Tools, "icons", false),
            (List::Tools, "_meta", false),
            (List::Tools, "arguments", false),
            (List::Prompts, "arguments", true),
            (List::Prompts, "inputSchema", false),
            (List::Resources, "uri", true),
            (List::Templates, "uriTemplate", true),
            (List::Templates, "uri", false),
        ] {
            assert_eq!(list.counts(name), want, "{list:?} {name}");
        }
        for list in List::ALL {
            assert_eq!(list.members().first(), Some(&list.id()));
        }
    }
}
