//! From a target to the rules that mention it, whatever the number of those that do not.

mod names;
mod patterns;
mod set;

use std::borrow::Cow;

use self::names::Names;
pub(super) use self::set::{Block, Merged, RuleSet, members};
use super::Effect;
use super::selector::{Pattern, Question, Space, Subject};
use super::target::{Acts, Target};
use crate::wire::mcp::Method;

/// The index of a policy set.
#[derive(Debug)]
pub(super) struct Index {
    /// Rules without selectors.
    everything: RuleSet,
    /// Those of them that deny or limit: what is left of them for a method that has no one reading.
    everything_against: RuleSet,
    /// By [`Space`].
    names: [Names; Space::ALL.len()],
    /// By [`Method`]: what `names` has for it.
    methods: Box<[RuleSet]>,
}

/// What the index reads of a rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'r> {
    pub(super) effect: Effect,
    pub(super) is_everything: bool,
    pub(super) patterns: &'r [(Space, Pattern)],
}

impl Index {
    /// Indexes the rules of a set, in order.
    pub(super) fn new<'r>(rules: impl Iterator<Item = Entry<'r>> + Clone) -> Self {
        let rules = (0_u32..).zip(rules);
        let everything: RuleSet =
            rules.clone().filter(|(_, rule)| rule.is_everything).map(|(id, _)| id).collect();
        let everything_against = rules
            .clone()
            .filter(|(_, rule)| rule.is_everything && rule.effect != Effect::Allow)
            .map(|(id, _)| id)
            .collect();
        let names = Space::ALL.map(|space| {
            let patterns = rules.clone().flat_map(|(id, rule)| {
                rule.patterns.iter().map(move |(of, pattern)| (*of, pattern, id))
            });
            let here = patterns.filter(|(of, ..)| *of == space);
            Names::new(space, here.map(|(_, pattern, id)| (pattern, id)))
        });
        let mut this = Self { everything, everything_against, names, methods: Box::default() };
        this.methods = Method::all()
            .iter()
            .map(|info| {
                let subject = Subject::method(info.name, info.method);
                this.find(&subject, Question::Use).into_owned()
            })
            .collect();
        this
    }

    /// Every rule that speaks of `target`.
    pub(super) fn candidates(&self, target: &Target<'_>, question: Question) -> Candidates<'_> {
        let method = match self.methods.get(target.method as usize) {
            Some(known) if !target.is_server_request() => Cow::Borrowed(known),
            _ => self.find(&target.subject, question),
        };
        let everything =
            if target.subject.is_regular { &self.everything } else { &self.everything_against };
        let mut candidates =
            Candidates { everything: everything.blocks(), method, object: None, unread: [&[]; 3] };
        match &target.acts {
            Acts::OnNothing => {}
            Acts::On(subject) => candidates.object = Some(self.find(subject, question)),
            Acts::OnUnread(kinds) => {
                for (place, kind) in candidates.unread.iter_mut().zip(*kinds) {
                    *place = self.names(Space::of(*kind)).against().blocks();
                }
            }
        }
        candidates
    }

    fn find(&self, subject: &Subject<'_>, question: Question) -> Cow<'_, RuleSet> {
        self.names(subject.space).find(subject, question)
    }

    fn names(&self, space: Space) -> &Names {
        let [tools, prompts, resources, methods, server_requests] = &self.names;
        match space {
            Space::Tools => tools,
            Space::Prompts => prompts,
            Space::Resources => resources,
            Space::Methods => methods,
            Space::ServerRequests => server_requests,
        }
    }
}

/// The rules that speak of one target.
#[derive(Debug)]
pub(super) struct Candidates<'i> {
    everything: &'i [Block],
    method: Cow<'i, RuleSet>,
    object: Option<Cow<'i, RuleSet>>,
    unread: [&'i [Block]; 3],
}

impl Candidates<'_> {
    /// The rules, 64 at a time, in their order.
    pub(super) fn blocks(&self) -> Merged<'_> {
        let object = self.object.as_ref().map_or(&[][..], |rules| rules.blocks());
        let [a, b, c] = self.unread;
        Merged::new([self.everything, self.method.blocks(), object, a, b, c])
    }
}
