//! P020, warning: expired
//!
//! ## What it does
//! Reports a rule or pin whose last day is over.
//!
//! ## Why is this bad
//! It is no longer in force. A deny that has ended unnoticed leaves a door open, an allow that has ended puzzles
//! its readers.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "migration"
//! tools = ["import"]
//! expires = 2020-01-31
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "migration"
//! tools = ["import"]
//! expires = 2099-01-31
//! ```

use super::ends;
use crate::diagnostic::Diagnostic;
use crate::policy::language::{Draft, codes};

pub(super) fn check(draft: &Draft<'_>) {
    for end in ends::of(draft).filter(|end| end.at <= draft.options.now) {
        draft.report(
            Diagnostic::warning(codes::EXPIRED, format!("`{}` has expired", end.name))
                .primary(end.span, format!("since then it {} nothing any more", end.does))
                .help("remove the rule, or give it a later date"),
        );
    }
}
