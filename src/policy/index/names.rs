//! One set of names, such as all tools: which rules speak of a name.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::patterns::Patterns;
use super::set::RuleSet;
use crate::policy::selector::{Form, Pattern, Question, Space, Subject, forms};

/// The patterns of one selector key over all rules.
///
/// A name that some rule spells out is one look-up, whatever patterns match it besides. Another name runs through the
/// automata, and only where a deny or limit has patterns is it folded.
#[derive(Debug, Default)]
pub(in crate::policy) struct Names {
    /// Every name that a rule spells out, with all rules that speak of it. Callers look up and never insert, so that a quick
    /// hash will do.
    spelled: HashMap<Box<str>, RuleSet, RandomState>,
    /// Over the bytes of names.
    plain: Patterns,
    /// Over the forms of names.
    folded: Patterns,
    /// By form, the denies and limits that spell it out.
    folded_names: HashMap<Form, RuleSet, RandomState>,
    /// Every deny and limit with this selector: they apply to names that cannot be compared.
    against: RuleSet,
    /// Every pattern over resources, for templates.
    all: Vec<(Pattern, u32)>,
}

impl Names {
    /// Compiles `patterns`, each with its rule.
    pub(in crate::policy) fn new<'p>(
        space: Space,
        patterns: impl IntoIterator<Item = (&'p Pattern, u32)>,
    ) -> Self {
        let (mut plain, mut folded) = (Vec::new(), Vec::new());
        let mut this = Self::default();
        for (pattern, rule) in patterns {
            if space == Space::Resources {
                this.all.push((pattern.clone(), rule));
            }
            if let Some(name) = pattern.plain.exact() {
                this.spelled.entry(name.into()).or_default().insert(rule);
            } else {
                plain.push((pattern.plain.clone(), rule));
            }
            let Some(seen) = &pattern.folded else { continue };
            this.against.insert(rule);
            match seen.exact() {
                Some(name) => {
                    let form = [name].into_iter().collect();
                    this.folded_names.entry(form).or_default().insert(rule);
                }
                None => folded.push((seen.clone(), rule)),
            }
        }
        this.plain = Patterns::new(plain);
        this.folded = Patterns::new(folded);
        let names: Vec<Box<str>> = this.spelled.keys().cloned().collect();
        for name in names {
            let mut found = RuleSet::default();
            this.search(&Subject::new(space, &name), &mut found);
            if let Some(rules) = this.spelled.get_mut(&name) {
                rules.union(found.blocks());
            }
        }
        this
    }

    /// The rules that speak of `subject`, which is of this set.
    pub(in crate::policy) fn find(
        &self,
        subject: &Subject<'_>,
        question: Question,
    ) -> Cow<'_, RuleSet> {
        if subject.is_template() {
            let matching = self.all.iter().filter(|(p, _)| p.matches(subject, question));
            return Cow::Owned(matching.map(|(_, rule)| *rule).collect());
        }
        if let Some(rules) = self.spelled.get(subject.name) {
            return Cow::Borrowed(rules);
        }
        let mut found = RuleSet::default();
        self.search(subject, &mut found);
        Cow::Owned(found)
    }

    /// Every deny and limit with this selector, for a name that was not read.
    pub(in crate::policy) fn against(&self) -> &RuleSet {
        &self.against
    }

    /// Adds what is not spelled out.
    fn search(&self, subject: &Subject<'_>, found: &mut RuleSet) {
        if !subject.is_regular {
            found.union(self.against.blocks());
            return;
        }
        self.plain.find(subject.name, found);
        if self.against.blocks().is_empty() {
            return;
        }
        for form in forms(subject) {
            if let Some(rules) = self.folded_names.get(&form) {
                found.union(rules.blocks());
            }
            self.folded.find(form.as_str(), found);
        }
    }
}
