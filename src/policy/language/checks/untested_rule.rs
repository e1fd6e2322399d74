//! P047, warning: a rule that no test exercises
//!
//! ## What it does
//! Reports a rule that applied in none of the tests, in a set that has tests.
//!
//! ## Why is this bad
//! Nobody has shown that it does what it says. The next change may take it out of force without a word.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//!
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_*"]
//!
//! [[test]]
//! name = "everybody searches"
//! call = { tool = "search" }
//! expect = "allow"
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//!
//! [[deny]]
//! name = "no-deletes"
//! tools = ["delete_*"]
//!
//! [[test]]
//! name = "everybody searches"
//! call = { tool = "search" }
//! expect = "allow"
//!
//! [[test]]
//! name = "nobody deletes"
//! call = { tool = "delete_file" }
//! expect = "deny"
//! by = "no-deletes"
//! ```

use crate::diagnostic::Diagnostic;
use crate::policy::language::codes;
use crate::policy::{Policy, UnixTime};

impl Policy {
    /// Warns of rules that applied in none of the tests, which are run from `now` on. Nothing where there is no test, and
    /// nothing of rules that have expired: those cannot apply.
    #[must_use]
    pub fn untested(&self, now: UnixTime) -> Vec<Diagnostic> {
        if self.tests().is_empty() {
            return Vec::new();
        }
        let mut applied = vec![false; self.rules().len()];
        for test in self.tests() {
            test.touch(self, now, &mut applied);
        }
        let rules = self.rules().iter().zip(applied);
        let untested =
            rules.filter(|(rule, applied)| !applied && rule.expires().is_none_or(|end| now < end));
        let told = untested.map(|(rule, _)| {
            let message = format!("no test exercises `{}`", rule.name());
            Diagnostic::warning(codes::UNTESTED_RULE, message).primary(rule.place(), "").help(
                format!("add a `[[test]]` whose call it decides, with `by = {:?}`", rule.name()),
            )
        });
        told.collect()
    }
}
