//! P022, warning: the caller chooses the bucket
//!
//! ## What it does
//! Reports a limit that counts by an argument of the call.
//!
//! ## Why is this bad
//! Every value that the caller makes up is a new budget, so that the limit holds nobody back.
//!
//! ## Example
//! ```toml
//! [[limit]]
//! name = "searches"
//! tools = ["search"]
//! per = ["args.session"]
//! rate = "10/min"
//! ```
//!
//! ## Use instead
//! ```toml
//! [[limit]]
//! name = "searches"
//! tools = ["search"]
//! per = ["claims.sub"]
//! rate = "10/min"
//! ```

use super::uses::keys;
use crate::diagnostic::Diagnostic;
use crate::policy::expr::Reads;
use crate::policy::language::{Draft, DraftRule, codes};

pub(super) fn check(draft: &Draft<'_>, rule: &DraftRule) {
    let keys = keys(rule);
    for (path, span, _) in keys.iter().filter(|(_, span, _)| rule.places.per.contains(span)) {
        if !path.reads().any_of(Reads::ARGS) {
            continue;
        }
        let message = format!("the caller chooses `{}`", path.text());
        draft.report(
            Diagnostic::warning(codes::CALLER_CHOOSES_KEY, message)
                .primary(*span, "every new value is a new budget")
                .help("count by a verified claim such as `claims.sub`, or add a second limit that does"),
        );
    }
}
