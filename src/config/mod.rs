//! What a process is told: `mcpfw.toml` and the flags of `run`, resolved into a [`Config`] with every problem at once.
//!
//! ```text
//! text ─ diagnostic::document ─► raw (what was written, with spans)
//! flags ────────────────────────► raw (written over the file)
//!                                  └─ resolve ─► Config, or findings (codes.rs)
//! ```
//!
//! Pure, but for [`load`] and [`stamp`], which read files and the environment. INVARIANT: nothing after [`Config::parse`] checks
//! any of this again; a `Config` that exists is one that can be run.

mod auth;
pub mod codes;
mod flags;
mod headers;
mod hosts;
mod limits;
mod listen;
pub mod load;
mod raw;
mod reload;
mod resolve;
mod route;
mod secret;
pub mod stamp;
mod target;

use std::path::PathBuf;

pub use auth::{Auth, Issuer, Jwks};
pub use flags::Overrides;
pub use headers::IdentityHeader;
pub use hosts::{Hosts, Origins};
pub use limits::Limits;
pub use listen::Listen;
pub use reload::Reload;
pub use resolve::Outside;
pub use route::{Credentials, HiddenCharacters, Route, Sealing};
pub use secret::Secret;

use crate::seal::Key;

/// Everything that a running firewall was told. Made by [`Config::parse`] only.
#[derive(Debug)]
pub struct Config {
    /// The directory of policy files. Default `policies` beside the config file.
    pub policies: PathBuf,
    /// Where to listen, and who may speak there.
    pub listen: Listen,
    /// Which path leads to which server; at least one, names and paths unique.
    pub routes: Vec<Route>,
    /// How callers prove who they are.
    pub auth: Auth,
    /// Verified claims that the server is told; no header stands here twice.
    pub identity_headers: Vec<IdentityHeader>,
    /// Sizes, counts and times.
    pub limits: Limits,
    /// Seals session ids. `None`: a random key, so that sessions end with the process.
    pub session_key: Option<Key>,
    /// Where the access log goes.
    pub access_log: AccessLog,
    /// Where the audit log goes; by default nowhere.
    pub audit_log: AccessLog,
    /// What of arguments the audit log holds.
    pub audited: Audited,
    /// When the policies are read again.
    pub reload: Reload,
}

/// Where a log goes, one JSON object a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccessLog {
    /// Standard output: the default.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
    /// Appended to a file.
    File(PathBuf),
    /// Nowhere.
    Off,
}

/// What the audit log holds of the arguments of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audited {
    /// Nothing: what a tool is asked may be anything (T58).
    #[default]
    Nothing,
    /// The scalars that some rule for the target reads.
    Read,
}
