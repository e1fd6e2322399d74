//! What holds for every request: asserts proved or refuted, rules that can never matter, the difference of two sets.
//!
//! ```text
//! conditions ─ expr::formula ─► tests of inputs ─ domain ─► regions ─┐
//! selectors ─ classes (automaton) ─► classes of calls ───────────────┴► engine (model, diagram) ─► No | Yes(Example)
//! ```
//!
//! A decision depends on a method and a name, on the values of claims, arguments and the rest, and on the time. Names fall
//! into classes that no selector tells apart ([`classes`]), values into regions that no test tells apart ([`domain`]); what is
//! no test of one value is a free variable ([`model`]). Over these, each rule is a Boolean function in a decision diagram
//! ([`diagram`]), and a question is a conjunction: where it is false everywhere, nothing makes it true.
//!
//! Free variables make functions larger than they are, never smaller, so that "no" is always right. "Yes" is only said with
//! a call in hand that [`Policy::decide`] decided so. Anything else is "perhaps", with what was to blame.
//!
//! Said of all requests at this time and after. Not looked at: budgets and pins, which are not of the rules; URI templates in
//! `completion/complete`.

#![expect(
    clippy::mutable_key_type,
    reason = "a test may have a regular expression, which keeps scratch space and is compared by its text"
)]

mod asked;
mod asserts;
mod automaton;
mod classes;
mod command;
mod diagram;
mod difference;
mod domain;
mod engine;
mod example;
mod limits;
mod model;
mod opposite;
mod rules;
mod sample;

pub use difference::{Change, Difference};
pub use example::Example;
pub use opposite::{Changed, Opposite, Turn};

use self::diagram::MAX_NODES;
use self::engine::Engine;
use super::{Policy, UnixTime};
use crate::diagnostic::Diagnostic;

impl Policy {
    /// Everything that only all requests together show: refuted and undecided asserts, rules that can never matter. It holds
    /// at `now` and after. `folder` is where the policies stand, for commands that are printed.
    #[must_use]
    pub fn prove(&self, folder: &str, now: UnixTime) -> Vec<Diagnostic> {
        let (mut engine, classes) = Engine::new(&[self], now, MAX_NODES);
        let mut findings = asserts::findings(&mut engine, &classes, folder);
        findings.extend(rules::findings(&mut engine, &classes, now));
        findings
    }

    /// What the asserts come to, by name: proved, refuted, or undecided.
    #[must_use]
    pub fn asserts(&self, now: UnixTime) -> Vec<(&str, Verdict)> {
        let (mut engine, classes) = Engine::new(&[self], now, MAX_NODES);
        let verdicts = asserts::verdicts(&mut engine, &classes);
        self.asserts.iter().map(|assert| &*assert.stanza.name).zip(verdicts).collect()
    }

    /// How many asserts there are.
    #[must_use]
    pub fn assert_count(&self) -> usize {
        self.asserts.len()
    }
}

/// What an assert comes to.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It holds for every request.
    Proved,
    /// It does not hold for this one, as [`Policy::decide`] says.
    Refuted(Box<Example>),
    /// Neither was shown; what could not be told.
    Undecided(Vec<Box<str>>),
}
