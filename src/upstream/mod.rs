//! The server behind: where it is, the connections to it, and one request on one of them.
//!
//! There is no task per upstream connection. Whoever has a connection polls it, so an exchange runs on one task from the
//! downstream socket to the upstream socket and back: no hand-over between threads, and back-pressure without a queue.
//! Dropping a reply that has not ended drops the connection, and so closes the upstream at once.
//!
//! [`headers`] and [`endpoint`] are pure; the rest is a driver.

mod connection;
pub mod endpoint;
mod error;
pub mod headers;
mod pool;
mod reply;
mod request;
mod wakeups;
mod watchdog;

pub use endpoint::Endpoint;
pub use error::{EndpointError, Failure};
pub use pool::{Timeouts, Upstream};
pub use reply::Reply;
pub use request::{Aborted, RequestBody};
pub(crate) use wakeups::{Wakeups, hushed};
pub(crate) use watchdog::Watchdog;
