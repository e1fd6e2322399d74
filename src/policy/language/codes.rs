//! Every finding that reading a policy can raise, in one place. A code keeps its meaning forever.
//!
//! What a code means stands in the file of its check, `checks/<name>.rs`: [`CodeInfo`] reads it from there, so that
//! `mcpfw check --explain`, `docs/checks.md` and the source say the same.

use super::checks::CodeInfo;
use crate::diagnostic::Code;
use crate::diagnostic::document::Codes;

macro_rules! codes {
    ($($name:ident = $code:literal, $file:ident;)*) => {
        $(
            #[doc = concat!("`", $code, "`: see `checks/", stringify!($file), ".rs`.")]
            pub const $name: Code = Code($code);
        )*

        /// Every code, in order.
        pub const ALL: &[CodeInfo] = &[$(CodeInfo {
            code: $name,
            source: include_str!(concat!("checks/", stringify!($file), ".rs")),
        }),*];
    };
}

codes! {
    SYNTAX = "P001", syntax;
    UNKNOWN_KEY = "P002", unknown_key;
    MISSING_KEY = "P003", missing_key;
    WRONG_TYPE = "P004", wrong_type;
    OUT_OF_RANGE = "P005", out_of_range;
    DUPLICATE_NAME = "P006", duplicate_name;
    BAD_PATTERN = "P007", bad_pattern;
    EMPTY_LIST = "P008", empty_list;
    ALLOWS_NOTHING_NAMED = "P009", allows_nothing_named;
    EVERYTHING_AND_MORE = "P010", everything_and_more;
    BAD_CONDITION = "P011", bad_condition;
    BAD_PATH = "P012", bad_path;
    BAD_RATE = "P013", bad_rate;
    TIERS_DISAGREE = "P014", tiers_disagree;
    NOT_ENFORCED = "P015", not_enforced;
    UNKNOWN_WORD = "P016", unknown_word;
    UNKNOWN_ROUTE = "P017", unknown_route;
    UNKNOWN_RULE = "P018", unknown_rule;
    TOO_MANY = "P019", too_many;
    EXPIRED = "P020", expired;
    EXPIRES_SOON = "P021", expires_soon;
    CALLER_CHOOSES_KEY = "P022", caller_chooses_key;
    LOOK_ALIKE = "P023", look_alike;
    UNKNOWN_METHOD = "P024", unknown_method;
    BAD_TEST = "P025", bad_test;
    FAILED_TEST = "P026", failed_test;
    NEVER_MATCHES = "P027", never_matches;
    PIN_WITHOUT_LOCK = "P028", pin_without_lock;
    PINS_NOTHING = "P029", pins_nothing;
    UNKNOWN_OBJECT = "P030", unknown_object;
    NEVER_APPLIES = "P031", never_applies;
    OVERSHADOWED = "P032", overshadowed;
    SAME_RULE = "P033", same_rule;
    ALLOW_WITHIN_DENY = "P034", allow_within_deny;
    REFUTED = "P035", refuted;
    UNDECIDED = "P036", undecided;
    LIMIT_WITHIN_LIMIT = "P037", limit_within_limit;
    UNKNOWN_CLAIM = "P038", unknown_claim;
    UNKNOWN_ARGUMENT = "P039", unknown_argument;
    TYPE_CLASH = "P040", type_clash;
    KEY_NOT_THERE = "P041", key_not_there;
    UNBOUNDED_KEY = "P042", unbounded_key;
    DESTRUCTIVE_WITHOUT_LIMIT = "P043", destructive_without_limit;
    EVERYTHING_BESIDE = "P044", everything_beside;
    NO_SUCH_VALUE = "P045", no_such_value;
    UNKNOWN_DECIDES = "P046", unknown_decides;
    UNTESTED_RULE = "P047", untested_rule;
    UNMENTIONED_TOOL = "P048", unmentioned_tool;
}

/// The codes for what any TOML file can have wrong.
pub const DOCUMENT: Codes = Codes {
    syntax: SYNTAX,
    unknown_key: UNKNOWN_KEY,
    missing_key: MISSING_KEY,
    wrong_type: WRONG_TYPE,
    out_of_range: OUT_OF_RANGE,
};
