//! The codes of what can be wrong with a config file, a flag or the files that they name. A code is never used for
//! another meaning; one that falls out of use stays out.

use crate::diagnostic::Code;
use crate::diagnostic::document;

/// Not TOML.
pub const SYNTAX: Code = Code("C001");
/// A key or table that nothing reads.
pub const UNKNOWN_KEY: Code = Code("C002");
/// A key that must be there and is not.
pub const MISSING_KEY: Code = Code("C003");
/// A value of the wrong type or form.
pub const WRONG_TYPE: Code = Code("C004");
/// A number, duration or size beyond its bounds.
pub const OUT_OF_RANGE: Code = Code("C005");
/// A key that a later version will read.
pub const NOT_YET: Code = Code("C006");
/// A flag that does not say which of several tables it means.
pub const AMBIGUOUS_FLAG: Code = Code("C007");
/// A file or directory that cannot be read.
pub const UNREADABLE: Code = Code("C010");
/// A file, or a tree of files, beyond what is read.
pub const TOO_LARGE: Code = Code("C011");
/// A file that is not UTF-8.
pub const NOT_UTF8: Code = Code("C012");
/// A policy directory without a policy file.
pub const NO_POLICIES: Code = Code("C013");
/// `listen.address` is no IP address with a port.
pub const ADDRESS: Code = Code("C020");
/// `listen.trusted_proxies` has something that is no network.
pub const NETWORK: Code = Code("C021");
/// `listen.hosts` has something that is no host.
pub const HOST: Code = Code("C022");
/// `listen.origins` has something that is no origin.
pub const ORIGIN: Code = Code("C023");
/// Warning: tokens would travel in the clear.
pub const PLAINTEXT: Code = Code("C024");
/// Warning: no name is accepted in `Host`.
pub const NO_HOSTS: Code = Code("C025");
/// Warning: everybody who can reach the listener is anonymous.
pub const NOBODY_KNOWN: Code = Code("C026");
/// Nothing says where the server is.
pub const NO_UPSTREAM: Code = Code("C030");
/// `route.name` is no name.
pub const ROUTE_NAME: Code = Code("C031");
/// `route.path` is no path, or one that is taken.
pub const ROUTE_PATH: Code = Code("C032");
/// Two routes with one name or one path.
pub const SAME_ROUTE: Code = Code("C033");
/// `route.upstream` has something that is no address of a server.
pub const UPSTREAM: Code = Code("C034");
/// Warning: more than one address, between which load is not shared.
pub const ONE_UPSTREAM: Code = Code("C035");
/// `route.credentials`, `route.refusal`, `route.revisions`, `route.sessions` or `route.hidden_characters` has an unknown
/// word.
pub const WORD: Code = Code("C036");
/// `auth.jwt.issuer`, `audience` or `typ` that no token can have.
pub const CLAIM: Code = Code("C040");
/// `auth.jwt.jwks` is no place to take keys from.
pub const JWKS: Code = Code("C041");
/// `auth.jwt.algorithms` has something that is not to be trusted.
pub const ALGORITHM: Code = Code("C042");
/// Two issuers with one name.
pub const SAME_ISSUER: Code = Code("C043");
/// `auth.required` without a way to authenticate.
pub const NOBODY_PASSES: Code = Code("C044");
/// A header name that is none.
pub const HEADER_NAME: Code = Code("C050");
/// A header that is not ours to set.
pub const HEADER_TAKEN: Code = Code("C051");
/// A header that is set twice.
pub const SAME_HEADER: Code = Code("C052");
/// A claim that cannot be named like this.
pub const CLAIM_PATH: Code = Code("C053");
/// A reference to a secret that leads nowhere.
pub const SECRET: Code = Code("C060");
/// Warning: a secret in plain sight.
pub const PLAIN_SECRET: Code = Code("C061");
/// `session.key` is not a key.
pub const SESSION_KEY: Code = Code("C062");
/// `log.access` or `log.audit` is neither a word nor a path, or both are one place.
pub const LOG: Code = Code("C070");

/// What every TOML file can have wrong.
pub(super) const DOCUMENT: document::Codes = document::Codes {
    syntax: SYNTAX,
    unknown_key: UNKNOWN_KEY,
    missing_key: MISSING_KEY,
    wrong_type: WRONG_TYPE,
    out_of_range: OUT_OF_RANGE,
};

/// All of them.
pub const ALL: &[Code] = &[
    SYNTAX,
    UNKNOWN_KEY,
    MISSING_KEY,
    WRONG_TYPE,
    OUT_OF_RANGE,
    NOT_YET,
    AMBIGUOUS_FLAG,
    UNREADABLE,
    TOO_LARGE,
    NOT_UTF8,
    NO_POLICIES,
    ADDRESS,
    NETWORK,
    HOST,
    ORIGIN,
    PLAINTEXT,
    NO_HOSTS,
    NOBODY_KNOWN,
    NO_UPSTREAM,
    ROUTE_NAME,
    ROUTE_PATH,
    SAME_ROUTE,
    UPSTREAM,
    ONE_UPSTREAM,
    WORD,
    CLAIM,
    JWKS,
    ALGORITHM,
    SAME_ISSUER,
    NOBODY_PASSES,
    HEADER_NAME,
    HEADER_TAKEN,
    SAME_HEADER,
    CLAIM_PATH,
    SECRET,
    PLAIN_SECRET,
    SESSION_KEY,
    LOG,
];
