//! How findings look: one file a format. A renderer never decides what is said.
//!
//! All of them take findings in the order in which they are to be shown (see [`super::sort`]) and return text that
//! ends in a line feed, or nothing where there is nothing to show and the format has no frame.

mod github;
mod human;
mod json;
mod sarif;

pub use github::github;
pub use human::{Look, human};
pub use json::json;
pub use sarif::{RuleText, sarif};

use super::{Diagnostic, Severity};

/// `2 errors, 1 warning`; `None` where there is no finding.
#[must_use]
pub fn summary(findings: &[Diagnostic]) -> Option<String> {
    let errors = findings.iter().filter(|found| found.severity == Severity::Error).count();
    let count = |n: usize, what: &str| match n {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {what}s")),
    };
    match (count(errors, "error"), count(findings.len() - errors, "warning")) {
        (Some(errors), Some(warnings)) => Some(format!("{errors}, {warnings}")),
        (errors, warnings) => errors.or(warnings),
    }
}

#[cfg(test)]
mod tests;
