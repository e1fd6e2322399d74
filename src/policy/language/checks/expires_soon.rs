//! P021, warning: expires soon
//!
//! ## What it does
//! Reports a rule or pin that ends within two weeks.
//!
//! ## Why is this bad
//! There is time now to ask whether it should.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "migration"
//! tools = ["import"]
//! expires = 2026-11-30
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
use crate::policy::UnixTime;
use crate::policy::language::{Draft, codes};

/// How long before its end a rule is warned of: two weeks, a sprint.
const SOON: UnixTime = 14 * 86_400;

pub(super) fn check(draft: &Draft<'_>) {
    for end in ends::of(draft) {
        let left = end.at.saturating_sub(draft.options.now);
        if left == 0 || left > SOON {
            continue;
        }
        let days = left.div_ceil(86_400);
        let told = if days == 1 {
            "today is its last day".into()
        } else {
            format!("{days} days are left")
        };
        draft.report(
            Diagnostic::warning(codes::EXPIRES_SOON, format!("`{}` expires soon", end.name))
                .primary(end.span, told),
        );
    }
}
