//! What goes wrong with an upstream, by cause.

use thiserror::Error;

/// Why a URL cannot be an endpoint.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum EndpointError {
    /// Not `http://`.
    #[error("the scheme must be http")]
    Scheme,
    /// No host, or one that cannot stand in a header.
    #[error("there is no usable host")]
    Host,
    /// `user:password@`.
    #[error("credentials in the URL are not used")]
    Credentials,
    /// A query or a fragment.
    #[error("a query or fragment in the URL is not used")]
    Query,
    /// A path that cannot stand in a request line.
    #[error("the path cannot stand in a request")]
    Path,
}

/// Why an exchange with the upstream failed. Every variant is the upstream's or the network's fault but
/// [`Failure::Aborted`], which is ours: the request body was cut off on purpose.
#[derive(Debug, Error)]
pub enum Failure {
    /// No connection could be made. Nothing was sent.
    #[error("cannot connect: {0}")]
    Connect(#[source] std::io::Error),
    /// Connecting took longer than [`super::Timeouts::connect`]. Nothing was sent.
    #[error("connecting took too long")]
    ConnectTimeout,
    /// No reply head within [`super::Timeouts::first_byte`].
    #[error("no reply in time")]
    FirstByteTimeout,
    /// The call took longer than a limit lets it.
    #[error("the call took longer than it may")]
    CallTimeout,
    /// An event stream of more bytes than it may have.
    #[error("the event stream is larger than it may be")]
    StreamTooLong,
    /// Nothing came for [`super::Timeouts::stream_idle`] in the middle of a reply.
    #[error("the reply stalled")]
    StreamIdle,
    /// The connection ended or broke after the request was on its way; it may have been executed.
    #[error("the connection was lost: {0}")]
    Lost(#[source] hyper::Error),
    /// The connection ended without a word.
    #[error("the connection was closed")]
    Closed,
    /// The request body was aborted; see [`super::Aborted`].
    #[error("the request was aborted")]
    Aborted,
}
