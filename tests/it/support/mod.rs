//! What several features need: a gateway on a free port, a scripted upstream, an issuer.

pub(crate) mod gateway;
pub(crate) mod idp;
pub(crate) mod process;
pub(crate) mod tokens;
pub(crate) mod wire;

use std::future::Future;
use std::time::Duration;

/// What `future` gives, unless it takes so long that something hangs.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.unwrap_or_else(|_| hangs())
}

#[expect(clippy::panic, reason = "a test fails by panicking")]
fn hangs() -> ! {
    panic!("something hangs")
}
