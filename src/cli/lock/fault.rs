//! Why a server could not be asked.

use std::fmt;
use std::time::Duration;

use crate::diagnostic::document::{format_duration, format_size};
use crate::lock::{ItemFault, MAX_BYTES, MAX_ITEMS};
use crate::wire::json::SyntaxError;

use super::session::MAX_PAGES;

/// What went wrong, and with what.
#[derive(Debug)]
pub(super) struct Problem {
    /// A method, a file, a URL.
    pub(super) what: String,
    pub(super) fault: Fault,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("not the URL of an MCP server")]
    Url,
    #[error("cannot be read: {0}")]
    Token(std::io::Error),
    #[error("has characters that no token has")]
    TokenForm,
    #[error("does not start: {0}")]
    Runtime(std::io::Error),
    #[error("no answer within {}", format_duration(*.0))]
    Timeout(Duration),
    #[error("cannot connect: {0}")]
    Connect(String),
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("status {0}")]
    Status(u16),
    #[error("the server wants a credential, or does not take this one (status {0})")]
    Credential(u16),
    #[error("the server redirects to `{0}`")]
    Redirect(String),
    #[error("the reply is neither JSON nor an event stream, but `{0}`")]
    ContentType(String),
    #[error("the reply has more than {}", format_size(MAX_BYTES as u64))]
    TooLarge,
    #[error("all replies together have more than {}", format_size(super::http::MAX_TOTAL))]
    TooMuch,
    #[error("the reply is not JSON that every parser reads alike: {0}")]
    Json(#[from] SyntaxError),
    #[error("the stream ended before the reply")]
    NoReply,
    #[error("the reply is not one of JSON-RPC")]
    NotRpc,
    #[error("error {code}: {message}")]
    Rpc { code: i64, message: String },
    #[error("`{0}` is missing in the reply, or is not what it should be")]
    Shape(&'static str),
    #[error("the server speaks {0}, and not the revision that was asked for")]
    Revision(String),
    #[error("element {at} of the list: {fault}")]
    Item { at: usize, fault: ItemFault },
    #[error("two {noun}s are called `{id}`, or there are more than {MAX_ITEMS}")]
    Twice { noun: &'static str, id: String },
    #[error("the server sends a page twice")]
    RepeatedPage,
    #[error("more than {MAX_PAGES} pages")]
    Pages,
    #[error("the server sends its messages to another origin, `{0}`")]
    Origin(String),
}

impl Fault {
    /// What to do about it.
    pub(super) fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Url => "give it as https://host/path or http://host/path, without a user name",
            Self::TokenForm => "only the token itself, on one line",
            Self::Timeout(_) => "give it more time with `--timeout`",
            Self::Connect(_) => "is the server up, and is this the URL of its MCP endpoint?",
            Self::Status(_) => "is this the URL of its MCP endpoint?",
            Self::Credential(_) => "give a token with MCPFW_TOKEN, `--token-file` or `--token`",
            Self::Redirect(_) => {
                "redirects are not followed: a token must not go elsewhere; give that URL"
            }
            Self::ContentType(_) => "is this the URL of its MCP endpoint?",
            Self::Revision(_) => "leave out `--revision`, or ask for one that it speaks",
            Self::Twice { .. } => "a caller could not tell them apart, so neither can be pinned",
            _ => return None,
        })
    }
}

impl Problem {
    /// `fault`, which happened to `what`.
    pub(super) fn at(what: &str, fault: Fault) -> Self {
        Self { what: what.to_owned(), fault }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.fault)
    }
}

/// The last cause of an error of the HTTP client, which says more than the first.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
