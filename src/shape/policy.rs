//! Policy files and `schema.toml`.

use super::Form::{
    Bool, Claim, Condition, Count, Date, Duration, Either, Json, Map, Name, Names, OneOrSome, Path,
    Rate, Revision, Routes, Rule, Size, Some, Table as Inner, Tables, Text, Words, Yes,
};
use super::Presence::{AnyOf, AtMostOne, Excludes, Needs, NeedsAnyOf, OneOf, TableNeeds};
use super::{Form, Key, Named, Table, key, required};

/// A policy file.
pub(super) static POLICY: Table = Table {
    name: "a policy file",
    about: "Rules for what passes mcpfw, and the tests that stand beside them.",
    keys: &[
        key("allow", Tables(&ALLOW), ALLOW.about),
        key("deny", Tables(&DENY), DENY.about),
        key("limit", Tables(&LIMIT), LIMIT.about),
        key("pin", Tables(&PIN), PIN.about),
        key("assert", Tables(&ASSERT), ASSERT.about),
        key("test", Tables(&TEST), TEST.about),
    ],
    rules: &[],
};

/// A policy file that changes nothing.
pub(super) static TEST_FILE: Table = Table {
    name: "a file of tests",
    about: "Tests and asserts about the rules in the files beside this one.",
    keys: &[key("assert", Tables(&ASSERT), ASSERT.about), key("test", Tables(&TEST), TEST.about)],
    rules: &[],
};

const NAME: Key = required(
    "name",
    Name,
    "What findings, replies and logs call it: one of its own in the whole set.",
);
const TOOLS: Key = key("tools", Names(Named::Tools), "Tools by name; `*` and `?` are wildcards.");
const PROMPTS: Key =
    key("prompts", Names(Named::Prompts), "Prompts by name; `*` and `?` are wildcards.");
const RESOURCES: Key = key(
    "resources",
    Names(Named::Resources),
    "Resources by URI; `*` stays within a segment, `**` does not.",
);
const METHODS: Key =
    key("methods", Names(Named::Methods), "Methods of JSON-RPC, such as `tools/call`.");
const SERVER_REQUESTS: Key = key(
    "server_requests",
    Names(Named::ServerRequests),
    "What the server may ask of the client: `sampling/createMessage`, `elicitation/create`, `roots/list`.",
);
const WHEN: Key = key(
    "when",
    Condition,
    "A condition over `claims`, `args`, `client`, `mcp` and `request`. Unknown counts against the caller.",
);
const ROUTES: Key = key("routes", Routes, "The routes it is for; without, all.");
const MODE: Key = key(
    "mode",
    Words(&["enforce", "shadow"]),
    "`shadow`: decided, logged and counted, not enforced.",
);
const EXPIRES: Key = key("expires", Date, "The last day (UTC) on which it is in force.");
const REFUSAL: Key = key(
    "refusal",
    Words(&["jsonrpc", "http", "tool_error"]),
    "How the caller is told: as a JSON-RPC error, by HTTP status, or as the result of a tool that failed.",
);
const EVERYTHING: Key = key("everything", Yes, "Said aloud where no selector narrows it.");

/// What may stand beside `everything`: nothing.
const EVERYTHING_ALONE: [super::Presence; 6] = [
    AnyOf(&["everything", "tools", "prompts", "resources", "methods", "server_requests"]),
    Excludes("everything", "tools"),
    Excludes("everything", "prompts"),
    Excludes("everything", "resources"),
    Excludes("everything", "methods"),
    Excludes("everything", "server_requests"),
];

static ALLOW: Table = Table {
    name: "allow",
    about: "This may happen.",
    keys: &[
        NAME,
        TOOLS,
        PROMPTS,
        RESOURCES,
        METHODS,
        SERVER_REQUESTS,
        EVERYTHING,
        WHEN,
        key(
            "scopes",
            Some(&Form::Like("^[!#-\\[\\]-~]+$")),
            "OAuth scopes that are needed, too: a caller without them is told which to ask for.",
        ),
        ROUTES,
        MODE,
        EXPIRES,
    ],
    rules: &EVERYTHING_ALONE,
};

static DENY: Table = Table {
    name: "deny",
    about: "This may not happen, whatever allows it. Without selectors: everything.",
    keys: &[
        NAME,
        TOOLS,
        PROMPTS,
        RESOURCES,
        METHODS,
        SERVER_REQUESTS,
        WHEN,
        key("message", Text, "What the caller is told."),
        REFUSAL,
        ROUTES,
        MODE,
        EXPIRES,
    ],
    rules: &[],
};

static LIMIT: Table = Table {
    name: "limit",
    about: "How much of it may happen. Without selectors: of everything.",
    keys: &[
        NAME,
        TOOLS,
        PROMPTS,
        RESOURCES,
        METHODS,
        SERVER_REQUESTS,
        WHEN,
        key(
            "per",
            Some(&Path),
            "One budget for each value of these; without, one for all callers.",
        ),
        key("tier", Path, "What picks the rate from the table, such as `claims.plan`."),
        key(
            "rate",
            Either(&Rate, &Map(&Rate)),
            "How fast the budget refills: `\"10/min\"`, or a table by tier with a `default`.",
        ),
        key(
            "burst",
            Count(1, 10_000_000),
            "How much the budget holds; without, the count of the rate.",
        ),
        key(
            "cost",
            Either(&Count(1, 10_000_000), &Path),
            "What a call draws: a number, or the path of one such as `args.pages`. Default 1.",
        ),
        key("timeout", Duration, "How long one call may take."),
        key("max_args", Size, "Bytes of the arguments of one call."),
        key("max_result", Size, "Bytes of the result of one call."),
        REFUSAL,
        ROUTES,
        MODE,
        EXPIRES,
    ],
    rules: &[
        AnyOf(&["rate", "timeout", "max_args", "max_result"]),
        Needs("per", "rate"),
        Needs("tier", "rate"),
        Needs("burst", "rate"),
        Needs("cost", "rate"),
        TableNeeds("rate", "tier"),
    ],
};

static PIN: Table = Table {
    name: "pin",
    about: "It must be what the lock file says. Without selectors: everything that the lock has.",
    keys: &[
        NAME,
        TOOLS,
        PROMPTS,
        RESOURCES,
        key(
            "on_change",
            Words(&["alert", "hide", "deny"]),
            "What follows where it is not: it is told (`alert`), also left out of lists (`hide`), or also refused (`deny`).",
        ),
        ROUTES,
        MODE,
        EXPIRES,
    ],
    rules: &[],
};

static ASSERT: Table = Table {
    name: "assert",
    about: "A property that must hold for every possible request; `mcpfw check` proves or refutes it.",
    keys: &[
        NAME,
        TOOLS,
        PROMPTS,
        RESOURCES,
        METHODS,
        SERVER_REQUESTS,
        EVERYTHING,
        WHEN,
        key("never", Words(&["allow"]), "No such request may pass."),
        key("always", Words(&["allow"]), "Every such request must pass."),
        ROUTES,
    ],
    rules: &[
        OneOf(&["never", "always"]),
        Excludes("never", "everything"),
        NeedsAnyOf(
            "always",
            &["everything", "tools", "prompts", "resources", "methods", "server_requests"],
        ),
        Excludes("everything", "tools"),
        Excludes("everything", "prompts"),
        Excludes("everything", "resources"),
        Excludes("everything", "methods"),
        Excludes("everything", "server_requests"),
    ],
};

static TEST: Table = Table {
    name: "test",
    about: "An example: a caller, a call, and what becomes of it.",
    keys: &[
        NAME,
        key("as", Inner(&ANY), "The claims of the caller's token; without, an anonymous caller."),
        required("call", Inner(&CALL), CALL.about),
        key("repeat", Count(1, 100_000), "How many times the call is made. Default 1."),
        key("every", Duration, "The time between two calls, on a clock of the test's own."),
        required(
            "expect",
            Either(&Words(&["allow", "deny", "limit"]), &Inner(&EXPECT)),
            "What becomes of the call, or how many of the calls come to what.",
        ),
        key("by", Rule, "The rule that must be the one to decide."),
    ],
    rules: &[],
};

static CALL: Table = Table {
    name: "call",
    about: "What is called.",
    keys: &[
        key("tool", Text, "The tool that is called."),
        key("prompt", Text, "The prompt that is asked for."),
        key("resource", Text, "The URI that is read."),
        key("method", Text, "The method, where it is not the usual one of the object."),
        key("server_request", Text, "What the server asks of the client."),
        key("args", Inner(&ANY), "The arguments."),
        key("route", Text, "The route. Default `default`."),
        key("host", Text, "The host that the client named."),
        key("ip", Text, "The address of the client."),
        key("revision", Revision, "The revision of MCP."),
        key("retry", Bool, "Whether the client tries again with what it was asked for."),
    ],
    rules: &[
        AnyOf(&["tool", "prompt", "resource", "method", "server_request"]),
        AtMostOne(&["tool", "prompt", "resource", "server_request"]),
        Excludes("server_request", "method"),
    ],
};

static EXPECT: Table = Table {
    name: "expect",
    about: "How many calls come to what; all of `repeat` together.",
    keys: &[
        key("allow", Count(0, 100_000), "Pass."),
        key("deny", Count(0, 100_000), "Are refused by a rule."),
        key("limit", Count(0, 100_000), "Are refused by a limit."),
    ],
    rules: &[],
};

/// A table whose keys are the author's.
pub(super) static ANY: Table = Table { name: "", about: "", keys: &[], rules: &[] };

/// `schema.toml`
pub(super) static SCHEMA: Table = Table {
    name: "`schema.toml`",
    about: "What the claims of callers are, so that a slip in a claim is found before traffic.",
    keys: &[key("claims", Map(&Claim), "The claims by name: a type, or a table with one.")],
    rules: &[],
};

/// The words for types of claims.
pub const TYPES: &[&str] = &["string", "number", "bool", "list", "table"];

/// What is said of a claim.
pub(super) static CLAIM: Table = Table {
    name: "a claim",
    about: "What a claim is.",
    keys: &[
        required("type", OneOrSome(&Words(TYPES)), "Its type, or its types."),
        key(
            "values",
            Some(&Json),
            "All values that it can have; of a list, those of its elements.",
        ),
        key("required", Bool, "Whether every caller has it."),
        key("of", OneOrSome(&Words(TYPES)), "The type of the elements, where it is a list."),
        key("members", Map(&Claim), "The claims within it, where it is a table."),
    ],
    rules: &[],
};
