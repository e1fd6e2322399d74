//! One file a check: what it finds, why that is bad, and how to write it instead.
//!
//! The head of each file is its page, in a fixed form (`## What it does`, `## Why is this bad`, `## Example`, `## Use
//! instead`, and `## Fix safety` where there is a fix). `mcpfw check --explain` prints it, `docs/checks.md` is made of it,
//! and a test runs its examples. Below stands the check itself where it looks at the whole set; what is found while a
//! stanza is read is reported there.

mod allow_within_deny;
mod allows_nothing_named;
mod bad_condition;
mod bad_path;
mod bad_pattern;
mod bad_rate;
mod bad_test;
mod caller_chooses_key;
mod destructive_without_limit;
mod duplicate_name;
mod empty_list;
mod ends;
mod everything_and_more;
mod everything_beside;
mod expired;
mod expires_soon;
mod failed_test;
mod key_not_there;
mod limit_within_limit;
mod look_alike;
mod missing_key;
mod never_applies;
mod never_matches;
mod no_such_value;
mod not_enforced;
mod out_of_range;
mod overshadowed;
mod page;
mod pin_without_lock;
mod pins_nothing;
mod refuted;
mod same_rule;
mod syntax;
mod tiers_disagree;
mod too_many;
mod type_clash;
mod unbounded_key;
mod undecided;
mod unknown_argument;
mod unknown_claim;
mod unknown_decides;
mod unknown_key;
mod unknown_method;
mod unknown_object;
mod unknown_route;
mod unknown_rule;
mod unknown_word;
mod unmentioned_tool;
mod untested_rule;
mod uses;
mod wrong_type;

use super::Draft;

pub use page::{CodeInfo, SECTIONS, find, manual, page, suggest, table};

/// Reports what the rules of `draft` say of claims, arguments and tools that is wrong or odd.
pub(super) fn check(draft: &Draft<'_>) {
    // A rule that has an error is not among the rules: what is said of all of them would not be true.
    let is_whole = !draft.problems.has_errors();
    expired::check(draft);
    expires_soon::check(draft);
    look_alike::check(draft);
    let work = uses::Work::default();
    for rule in &draft.rules {
        caller_chooses_key::check(draft, rule);
        unbounded_key::check(draft, rule);
        let all = uses::asked(draft, rule, &work);
        for asked in &all {
            unknown_claim::check(draft, asked);
            unknown_argument::check(draft, asked);
            type_clash::check(draft, asked);
            no_such_value::check(draft, rule, asked);
        }
        unknown_decides::check(draft, rule, &all);
        key_not_there::check(draft, rule, &all);
    }
    if !is_whole {
        return;
    }
    everything_beside::check(draft);
    destructive_without_limit::check(draft, &uses::Work::default());
    unmentioned_tool::check(draft, &uses::Work::default());
}
