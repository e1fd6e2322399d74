//! What other tools call the words of a policy file. Whoever comes from another gateway, from Cedar, Rego, XACML or a
//! firewall writes its words first: they are told ours, beside the slips of the pen that are found by their letters.
//!
//! A word stands here only where nothing else can well be meant. What becomes of it is never a safe fix.

use crate::diagnostic::{Elsewhere, Here};

const fn word(here: &'static str, words: &'static [&'static str]) -> Elsewhere {
    Elsewhere { words, here: Here::Word(here) }
}

const fn say(how: &'static str, words: &'static [&'static str]) -> Elsewhere {
    Elsewhere { words, here: Here::Say(how) }
}

/// Stanzas.
pub(super) const STANZAS: &[Elsewhere] = &[
    word("allow", &["permit", "accept", "grant", "whitelist", "allowlist", "allow_list"]),
    word(
        "deny",
        &["block", "forbid", "reject", "refuse", "drop", "blacklist", "denylist", "deny_list"],
    ),
    word(
        "limit",
        &["rate_limit", "ratelimit", "rate_limits", "throttle", "throttling", "quota", "quotas"],
    ),
    word("test", &["example", "case", "testcase", "test_case"]),
    word("assert", &["assertion", "invariant", "property", "always", "never"]),
    say(
        "a rule is an `[[allow]]`, a `[[deny]]` or a `[[limit]]`",
        &["rule", "rules", "policy", "policies", "statement", "statements", "acl"],
    ),
    say(
        "write `[[allow]]` with `tools = [\"…\"]`: what no allow names is refused",
        &["tool", "tools", "prompt", "prompts", "resource", "resources"],
    ),
    say("claims are declared in a file of their own, `schema.toml`", &["claims", "schema"]),
    say("what no allow names is refused; nothing else can be the default", &["default"]),
];

const WHO: &str =
    "who may is asked in `when`: 'claims.plan == \"pro\"', or '\"admin\" in claims.roles'";
const EFFECT: &str = "the header says it: `[[allow]]`, `[[deny]]` or `[[limit]]`";
const RATE: &str = "how much of it is what a `[[limit]]` says, in one text: `rate = \"10/min\"`";
const COMMENT: &str = "write it as a comment, behind a `#`";

/// Keys of an `allow`, a `deny`, a `limit`, a `pin` and an `assert`.
pub(super) const RULE: &[Elsewhere] = &[
    word("name", &["id", "rule", "title"]),
    word(
        "tools",
        &["functions", "operations", "commands", "allowed_tools", "tool_name", "tool_names"],
    ),
    word("resources", &["uri", "uris", "path", "paths"]),
    word(
        "when",
        &[
            "if",
            "condition",
            "conditions",
            "where",
            "expr",
            "expression",
            "match",
            "matches",
            "cel",
            "rego",
            "filter",
            "only_if",
        ],
    ),
    say("turn it round: `when = '!(…)'`", &["unless", "except", "not", "if_not", "exclude"]),
    say(
        WHO,
        &[
            "role",
            "roles",
            "group",
            "groups",
            "user",
            "users",
            "who",
            "principal",
            "principals",
            "subject",
            "subjects",
            "claims",
            "plan",
            "plans",
            "identity",
        ],
    ),
    say(
        "arguments are asked in `when`: 'args.path.startsWith(\"/docs/\")'",
        &["args", "arguments", "params", "parameters", "input"],
    ),
    say(EFFECT, &["effect", "action", "decision", "type", "kind"]),
    say(
        "order means nothing: a matching deny refuses, whatever allows",
        &["priority", "order", "weight"],
    ),
    say(
        "`mode = \"shadow\"` decides and logs a rule without enforcing it",
        &["enabled", "disabled", "dry_run", "audit", "log_only", "monitor"],
    ),
    word("expires", &["until", "expiry", "expires_at", "expires_on", "valid_until", "end"]),
    word("message", &["reason", "error", "response", "deny_message", "msg"]),
    word("per", &["key", "keys", "group_by", "partition_by", "bucket", "keyed_by", "limit_by"]),
    word("max_result", &["max_response", "max_output", "max_response_size", "max_bytes"]),
    word("max_args", &["max_request", "max_input", "max_request_size", "max_body"]),
    word("concurrent", &["concurrency", "max_concurrent", "parallel"]),
    say(
        RATE,
        &[
            "requests",
            "calls",
            "count",
            "max",
            "limit",
            "rps",
            "rpm",
            "requests_per_minute",
            "requests_per_second",
            "requests_per_hour",
            "requests_per_unit",
            "max_requests",
            "window",
            "period",
            "interval",
            "unit",
            "seconds",
            "quota",
            "rate",
            "rate_limit",
            "burst",
            "per",
        ],
    ),
    say(COMMENT, &["description", "comment", "note", "notes", "doc"]),
];

/// Keys of a `test`.
pub(super) const TEST: &[Elsewhere] = &[
    word("name", &["id", "title", "description"]),
    word("as", &["claims", "caller", "user", "who", "principal", "with", "token", "identity"]),
    word("call", &["request", "input", "given", "message"]),
    word("expect", &["result", "outcome", "decision", "want", "then", "verdict"]),
    word("by", &["rule", "decided_by"]),
    word("repeat", &["times", "count", "calls"]),
    word("every", &["interval", "pause", "delay"]),
    say(
        "it stands in the call: `call = { tool = \"search\", args = { q = \"rust\" } }`",
        &["tool", "prompt", "resource", "method", "args", "arguments", "params"],
    ),
];

/// Keys of the `call` of a test.
pub(super) const CALL: &[Elsewhere] = &[
    word("tool", &["name", "target", "tool_name"]),
    word("resource", &["uri", "path"]),
    word("args", &["arguments", "params", "parameters", "input"]),
    say(
        "claims stand beside the call: `as = { sub = \"ann\" }`",
        &["claims", "as", "caller", "user"],
    ),
];

/// What is expected of a test.
pub(super) const VERDICT: &[Elsewhere] = &[
    word(
        "allow",
        &["allowed", "permit", "permitted", "pass", "ok", "accept", "accepted", "success"],
    ),
    word(
        "deny",
        &[
            "denied",
            "refuse",
            "refused",
            "block",
            "blocked",
            "forbid",
            "forbidden",
            "reject",
            "fail",
            "403",
        ],
    ),
    word(
        "limit",
        &["limited", "throttle", "throttled", "rate_limit", "rate_limited", "wait", "429"],
    ),
];

/// `mode`, `refusal` and `on_change`: the words of each are apart.
pub(super) const OF_KEYS: &[Elsewhere] = &[
    word(
        "shadow",
        &["audit", "log", "dry_run", "dryrun", "monitor", "observe", "off", "permissive"],
    ),
    word("enforce", &["enforced", "enforcing", "on", "active", "strict"]),
    word("jsonrpc", &["json_rpc", "json", "rpc", "error"]),
    word("http", &["403", "status"]),
    word("tool_error", &["tool", "result", "is_error"]),
    word("alert", &["warn", "warning", "notify"]),
    word("deny", &["block", "reject", "refuse"]),
    word("hide", &["remove", "filter"]),
];

/// Keys of `schema.toml`.
pub(super) const SCHEMA: &[Elsewhere] = &[
    word("claims", &["claim", "properties", "token", "jwt", "user"]),
    say(
        "it stands below `[claims]`",
        &[
            "sub", "plan", "role", "roles", "group", "groups", "org", "team", "tenant", "email",
            "scope", "type",
        ],
    ),
];

/// Keys of a claim in `schema.toml`.
pub(super) const CLAIM: &[Elsewhere] = &[
    word("values", &["enum", "one_of", "oneof", "allowed", "options", "choices", "value"]),
    word("of", &["items", "item", "elements", "element"]),
    word("members", &["properties", "fields", "attributes"]),
    say(
        "a claim need not be there unless it says `required = true`",
        &["optional", "nullable", "default"],
    ),
];
