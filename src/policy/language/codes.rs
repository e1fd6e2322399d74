//! Every finding that reading a policy can raise, in one place. A code keeps its meaning forever.

use crate::diagnostic::Code;
use crate::diagnostic::document::Codes;

/// What a code means.
#[derive(Clone, Copy, Debug)]
pub struct CodeInfo {
    /// The code.
    pub code: Code,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why it is a finding, and what to do.
    pub doc: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal, $doc:literal;)*) => {
        $(#[doc = $title] pub const $name: Code = Code($code);)*

        /// Every code, in order.
        pub const ALL: &[CodeInfo] =
            &[$(CodeInfo { code: $name, title: $title, doc: $doc }),*];
    };
}

codes! {
    SYNTAX = "P001", "not TOML",
        "The file does not parse; nothing in it is in force. All syntax errors are reported.";
    UNKNOWN_KEY = "P002", "unknown key or stanza",
        "A key that nothing reads is a control that somebody believes in and nobody enforces, so it is an error.";
    MISSING_KEY = "P003", "missing key",
        "Every rule has a `name`: replies, logs and tests speak of rules by name. A limit also needs a `rate`.";
    WRONG_TYPE = "P004", "wrong type or form",
        "The value is not what the key takes.";
    OUT_OF_RANGE = "P005", "out of range",
        "The number or duration is beyond its bounds.";
    DUPLICATE_NAME = "P006", "duplicate name",
        "Names are unique in the whole set, over all files, so that a log line leads to one stanza.";
    BAD_PATTERN = "P007", "bad pattern",
        "Names take `*` and `?`; resource URIs also `**`, which reaches over slashes.";
    EMPTY_LIST = "P008", "empty list",
        "An empty list selects nothing, so the rule would never apply; without the key it would apply to everything.";
    ALLOWS_NOTHING_NAMED = "P009", "an allow without selectors",
        "An allow of everything must say so aloud: `everything = true`.";
    EVERYTHING_AND_MORE = "P010", "`everything` that is not everything",
        "`everything` is only written as `true`, in an allow, and without selectors beside it.";
    BAD_CONDITION = "P011", "bad condition",
        "The expression is not of the language. It is a subset of CEL that cannot fail at run time.";
    BAD_PATH = "P012", "bad path",
        "`per`, `tier` and `cost` take paths such as `claims.sub` or `client.ip`.";
    BAD_RATE = "P013", "bad rate",
        "A rate is a count and a period: `10/min`, `100/s`, `5000/day`, `3/10s`.";
    TIERS_DISAGREE = "P014", "tiers without a table, or a table without tiers",
        "`tier` says which claim names the tier, the table in `rate` has a rate for each.";
    NOT_ENFORCED = "P015", "not enforced yet",
        "This version reads the key but does not act on it. A control that is written and not in force is \
         worse than none, so it is an error.";
    UNKNOWN_WORD = "P016", "unknown word",
        "The key takes one of a few words.";
    UNKNOWN_ROUTE = "P017", "unknown route",
        "The configuration has no route of this name, so the rule would never apply.";
    UNKNOWN_RULE = "P018", "unknown rule",
        "A test speaks of a rule that is not in the set.";
    TOO_MANY = "P019", "too many",
        "The set goes beyond a bound that keeps decisions fast.";
    EXPIRED = "P020", "expired",
        "The last day of the rule is over: it is no longer in force and can be removed.";
    EXPIRES_SOON = "P021", "expires soon",
        "The rule stops being in force within two weeks.";
    CALLER_CHOOSES_KEY = "P022", "the caller chooses the bucket",
        "A limit that counts by an argument is counted anew for each value that the caller makes up.";
    LOOK_ALIKE = "P023", "reaches a look-alike",
        "A deny and a limit apply to names that look like theirs, too; here that is a name which an allow spells out.";
    UNKNOWN_METHOD = "P024", "unknown method",
        "The specification has no method of this name.";
    BAD_TEST = "P025", "a test that tests nothing",
        "A test needs a call and an expectation that add up.";
    FAILED_TEST = "P026", "failed test",
        "The rules do not decide the example as it says.";
    NEVER_MATCHES = "P027", "a pattern that matches nothing",
        "A resource URI that is not in its canonical form is refused before any rule is asked, so a pattern \
         that only such URIs match has no effect.";
    PIN_WITHOUT_LOCK = "P028", "a pin without a lock file",
        "A pin holds the server to what the lock file says. `mcpfw lock` writes it, beside the policy files.";
    PINS_NOTHING = "P029", "a pin that pins nothing",
        "The lock file has nothing that the pattern matches. What the server has and the lock does not counts as changed.";
    UNKNOWN_OBJECT = "P030", "unknown tool or prompt",
        "The lock file has no tool or prompt of this name, so the rule does nothing.";
    // P031 to P037 are for what only the meaning of the whole set shows: a rule that never matches, is shadowed or stands
    // twice, an allow and a deny that coincide, an assert that is refuted or undecided, a limit behind a smaller one.
}

/// The codes for what any TOML file can have wrong.
pub(super) const DOCUMENT: Codes = Codes {
    syntax: SYNTAX,
    unknown_key: UNKNOWN_KEY,
    missing_key: MISSING_KEY,
    wrong_type: WRONG_TYPE,
    out_of_range: OUT_OF_RANGE,
};
