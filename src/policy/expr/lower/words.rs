//! What other languages call the variables and functions of a condition.

use crate::diagnostic::{Elsewhere, Here};

const fn word(here: &'static str, words: &'static [&'static str]) -> Elsewhere {
    Elsewhere { words, here: Here::Word(here) }
}

const fn say(how: &'static str, words: &'static [&'static str]) -> Elsewhere {
    Elsewhere { words, here: Here::Say(how) }
}

/// Variables; of `request`, fields as well.
pub(super) const VARIABLES: &[Elsewhere] = &[
    word(
        "claims",
        &["user", "jwt", "token", "principal", "identity", "auth", "subject", "caller", "payload"],
    ),
    word("args", &["arguments", "argument", "params", "parameters", "input", "inputs", "body"]),
    word("mcp.method", &["method"]),
    word("mcp.target", &["resource", "uri", "tool_name", "name"]),
    word("client.ip", &["ip", "source_ip", "remote_addr", "remote_address"]),
    word("client.scopes", &["scopes", "scope"]),
    word("request.host", &["host"]),
    word("request.route", &["route"]),
];

/// Functions.
pub(super) const FUNCTIONS: &[Elsewhere] = &[
    word("size", &["len", "length", "count"]),
    word("startsWith", &["hasprefix", "has_prefix", "beginswith", "begins_with", "starts"]),
    word("endsWith", &["hassuffix", "has_suffix", "ends"]),
    word("matches", &["match", "regex", "regexp", "re_match", "test", "like"]),
    word("all", &["every", "each"]),
    word("exists", &["any", "some"]),
    word("has", &["defined", "is_defined", "present", "isset", "is_set"]),
    say(
        "in a list it is `\"admin\" in claims.roles`, in a text `args.query.contains(\"..\")`",
        &["includes", "include", "has_value", "indexof", "index_of", "contains_any"],
    ),
    say(
        "there is no change of case: name each spelling, as in `claims.plan in [\"pro\", \"Pro\"]`",
        &[
            "lower",
            "upper",
            "tolower",
            "toupper",
            "tolowercase",
            "touppercase",
            "lowerascii",
            "upperascii",
        ],
    ),
    say(
        "there is no clock in a condition: `expires` ends a rule, a `[[limit]]` counts over time",
        &["now", "timestamp", "duration", "date", "time", "today"],
    ),
];
