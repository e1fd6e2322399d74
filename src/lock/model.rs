//! What a lock file says.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::json::{Json, Step, Steps, Value};
use super::{Digest, List, MAX_ITEMS};
use crate::wire::hidden::{HiddenSet, Scan};
use crate::wire::mcp::Revision;

/// A server as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Who it said it was.
    pub server: Server,
    /// The revision in which it was asked.
    pub revision: Revision,
    /// By [`List`], each by the name of its elements.
    lists: [BTreeMap<Box<str>, Item>; 4],
}

/// What a server says of itself. Nobody verifies it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// `serverInfo.name`
    pub name: Box<str>,
    /// `serverInfo.version`
    pub version: Box<str>,
    /// What it wants every model to be told.
    pub instructions: Option<Box<str>>,
}

/// An element of a list: the members that count, and their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    list: List,
    id: Box<str>,
    digest: Digest,
    members: BTreeMap<Box<str>, Json>,
}

/// Why a value cannot be an element of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemFault {
    /// It is no object.
    #[error("not an object")]
    NotAnObject,
    /// It has no name, or one that is no string.
    #[error("`{0}` is not a string")]
    NoName(&'static str),
    /// It has more members or levels than a digest is made of.
    #[error("too large")]
    TooLarge,
}

impl Item {
    /// The element of `list` that `json` is. Members that do not count are left out.
    ///
    /// # Errors
    /// [`ItemFault`] where it has no name or is beyond the bounds of a digest.
    pub fn new(list: List, json: Json) -> Result<Self, ItemFault> {
        let digest = json.value.digest(list);
        let Value::Object(mut members) = json.value else { return Err(ItemFault::NotAnObject) };
        members.retain(|name, _| list.counts(name));
        let id = members.get(list.id()).and_then(Json::as_str);
        let id = id.ok_or(ItemFault::NoName(list.id()))?.into();
        Ok(Self { list, id, digest: digest.ok_or(ItemFault::TooLarge)?, members })
    }

    /// The list that it is an element of.
    #[must_use]
    pub fn list(&self) -> List {
        self.list
    }

    /// Its name, URI or URI template.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The digest of what it says.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The member `name`, where it counts and is there.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Json> {
        self.members.get(name)
    }

    /// The hidden characters in its texts and member names (T51).
    #[must_use]
    pub fn hidden(&self) -> HiddenSet {
        let mut scan = Scan::default();
        let mut look = |text: &str| {
            scan.text(text);
            scan.end();
        };
        for (name, member) in &self.members {
            look(name);
            for step in Steps::new(&member.value) {
                match step {
                    Step::Key(text) => look(text),
                    Step::Begin(Value::String(text)) => look(text),
                    Step::Begin(_) | Step::End(_) => {}
                }
            }
        }
        scan.found()
    }

    /// Every member that counts, in the order of the file: as [`List::members`] says, then look-alikes by name.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &Json)> {
        let known = self.list.members();
        let others = self.members.iter().filter(|(name, _)| !known.contains(&&***name));
        known
            .iter()
            .filter_map(|name| Some((*name, self.members.get(*name)?)))
            .chain(others.map(|(name, member)| (&**name, member)))
    }
}

/// An element that cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("the name stands twice")]
    Twice,
    #[error("more than {MAX_ITEMS} elements")]
    TooMany,
}

impl Lock {
    /// Of a server that offers nothing yet.
    #[must_use]
    pub fn new(server: Server, revision: Revision) -> Self {
        Self { server, revision, lists: Default::default() }
    }

    /// Adds `item`. Whether there was room: a name must be new in its list, and a list has at most [`MAX_ITEMS`].
    #[must_use = "an element that is not added is not pinned"]
    pub fn add(&mut self, item: Item) -> bool {
        self.insert(item).is_ok()
    }

    pub(super) fn insert(&mut self, item: Item) -> Result<(), Unfit> {
        let [tools, prompts, resources, templates] = &mut self.lists;
        let list = match item.list {
            List::Tools => tools,
            List::Prompts => prompts,
            List::Resources => resources,
            List::Templates => templates,
        };
        if list.len() >= MAX_ITEMS {
            return Err(Unfit::TooMany);
        }
        match list.entry(item.id.clone()) {
            Entry::Occupied(_) => Err(Unfit::Twice),
            Entry::Vacant(place) => {
                place.insert(item);
                Ok(())
            }
        }
    }

    fn list(&self, list: List) -> &BTreeMap<Box<str>, Item> {
        let [tools, prompts, resources, templates] = &self.lists;
        match list {
            List::Tools => tools,
            List::Prompts => prompts,
            List::Resources => resources,
            List::Templates => templates,
        }
    }

    /// The elements of `list`, by name.
    pub fn items(&self, list: List) -> impl ExactSizeIterator<Item = &Item> {
        self.list(list).values()
    }

    /// The element of `list` that is called `id`, byte for byte.
    #[must_use]
    pub fn find(&self, list: List, id: &str) -> Option<&Item> {
        self.list(list).get(id)
    }
}
