//! P042, warning: a key without bound
//!
//! ## What it does
//! Reports a limit that counts by what is new with each token (`claims.jti`, `iat`, `exp`, `nbf`, `nonce`,
//! `auth_time`), or by `mcp.target` where that is a resource.
//!
//! ## Why is this bad
//! A caller who fetches another token, or reads another URI, has a full budget again.
//!
//! ## Example
//! ```toml
//! [[limit]]
//! name = "searches"
//! tools = ["search"]
//! per = ["claims.jti"]
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
use crate::policy::language::{Draft, DraftRule, codes};
use crate::policy::selector::Space;

/// Claims that are new with each token (RFC 7519 §4.1, OpenID Connect Core §2).
const PER_TOKEN: [&str; 8] = [
    "claims.jti",
    "claims.iat",
    "claims.exp",
    "claims.nbf",
    "claims.nonce",
    "claims.auth_time",
    "claims.at_hash",
    "claims.c_hash",
];

pub(super) fn check(draft: &Draft<'_>, rule: &DraftRule) {
    let keys = keys(rule);
    for (path, span, _) in keys.iter().filter(|(_, span, _)| rule.places.per.contains(span)) {
        let selects_resources = rule.stanza.is_everything
            || rule.stanza.patterns.iter().any(|(space, _)| *space == Space::Resources);
        let label = match path.text() {
            text if PER_TOKEN.contains(&text) => "each token is a new budget",
            "mcp.target" if selects_resources => "each URI is a new budget",
            _ => continue,
        };
        let message = format!("there is no bound to the values of `{}`", path.text());
        draft.report(
            Diagnostic::warning(codes::UNBOUNDED_KEY, message)
                .primary(*span, label)
                .help("count by what stays the same for a caller, such as `claims.sub`"),
        );
    }
}
