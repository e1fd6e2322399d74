//! The body that goes upstream.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use smallvec::SmallVec;
use thiserror::Error;

/// A streaming body ended itself: what came from downstream turned out bad, or ended too early. The upstream connection is
/// closed, so the upstream never sees a complete request (promise 4). The cause stays with whoever made the body.
#[derive(Clone, Copy, Debug, Error)]
#[error("the request body was aborted")]
pub struct Aborted;

impl From<Infallible> for Aborted {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// What goes upstream.
pub enum RequestBody {
    /// All of it is here, judged and admitted. Two pieces hold all but the oddest small call: the part before the tail that
    /// the inspector held, and the tail.
    Whole(SmallVec<[Bytes; 2]>),
    /// It comes as it is judged.
    Stream(Pin<Box<dyn Body<Data = Bytes, Error = Aborted> + Send>>),
}

impl RequestBody {
    /// A request without a body.
    #[must_use]
    pub fn empty() -> Self {
        Self::Whole(SmallVec::new())
    }
}

impl std::fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(pieces) => f.debug_tuple("Whole").field(&pieces.len()).finish(),
            Self::Stream(_) => f.debug_tuple("Stream").finish_non_exhaustive(),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        match self.get_mut() {
            Self::Whole(pieces) if pieces.is_empty() => Poll::Ready(None),
            Self::Whole(pieces) => Poll::Ready(Some(Ok(Frame::data(pieces.remove(0))))),
            Self::Stream(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(pieces) => pieces.is_empty(),
            Self::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            // An exact size keeps the request's framing a Content-Length, whatever the client's was.
            Self::Whole(pieces) => {
                SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum())
            }
            Self::Stream(body) => body.size_hint(),
        }
    }
}
