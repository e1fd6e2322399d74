//! One file a check: what it finds, why that is bad, and how to write it instead.
//!
//! The head of each file is its page, in a fixed form (`## What it does`, `## Why is this bad`, `## Example`, `## Use
//! instead`, and `## Fix safety` where there is a fix). `mcpfw check --explain` prints it, `docs/checks.md` is made of it,
//! and a test runs its examples. Below stands the check itself where it looks at the whole set; what is found while a
//! stanza is read is reported there.

mod page;

mod allows_nothing_named;
mod bad_condition;
mod bad_path;
mod bad_pattern;
mod bad_rate;
mod bad_test;
mod caller_chooses_key;
mod duplicate_name;
mod empty_list;
mod everything_and_more;
mod expired;
mod expires_soon;
mod failed_test;
mod look_alike;
mod missing_key;
mod never_matches;
mod not_enforced;
mod out_of_range;
mod pin_without_lock;
mod pins_nothing;
mod syntax;
mod tiers_disagree;
mod too_many;
mod unknown_key;
mod unknown_method;
mod unknown_object;
mod unknown_route;
mod unknown_rule;
mod unknown_word;
mod wrong_type;

pub use page::{CodeInfo, SECTIONS, find, manual, page, suggest, table};
