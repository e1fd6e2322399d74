//! Refusals of a batch: one answer for each request in it, as an array (mcp-protocol.md §7.2).
//!
//! Status and headers are those that the refused element alone would have had, but that a notification is refused like a
//! request where one waits beside it. The element is told why; the others, of which none was sent either, are told that it
//! was not for their own sake.

use bytes::Bytes;

use super::{Reject, Shape};
use crate::inspect::request::Batch;
use crate::wire::jsonrpc::{ErrorData, Id, batch_reply, error_reply};
use crate::wire::mcp::codes;

/// The requests of a batch, each with whether the refusal is about it.
#[derive(Debug)]
pub(super) struct Requests(Vec<(Id, bool)>);

impl Requests {
    pub(super) fn write(&self, reject: &Reject, request_id: &str) -> Bytes {
        let reply = |(id, is_own): &(Id, bool)| {
            if *is_own && reject.body != Shape::Empty {
                return reject.write_under(Some(id), request_id);
            }
            let data = ErrorData::new("batch_refused", request_id);
            let public = "refused because of another message in the batch";
            error_reply(Some(id), codes::FORBIDDEN, public, Some(&data)).into()
        };
        batch_reply(&self.0.iter().map(reply).collect::<Vec<Bytes>>()).into()
    }
}

impl Reject {
    /// It is about these elements of a batch, by their places.
    pub(in crate::gateway) fn about(mut self: Box<Self>, elements: Vec<usize>) -> Box<Self> {
        self.elements = elements;
        self
    }

    /// Answers every request of `batch`. Where the refusal is about no element, it is about the whole. Where there is no
    /// request, it is that of a single message without an id.
    pub(in crate::gateway) fn under_each(mut self: Box<Self>, batch: &Batch) -> Box<Self> {
        if self.elements.is_empty() {
            self.elements.extend(batch.refused());
        }
        let is_own = |index: usize| self.elements.is_empty() || self.elements.contains(&index);
        let requests = batch.requests().map(|(index, id)| (id.clone(), is_own(index))).collect();
        self.under_requests(requests)
    }

    /// Answers each of `ids`, the requests of a batch, alike. Does nothing where there are none.
    pub(in crate::gateway) fn under_batch(self: Box<Self>, ids: &[Id]) -> Box<Self> {
        self.under_requests(ids.iter().map(|id| (id.clone(), true)).collect())
    }

    fn under_requests(mut self: Box<Self>, requests: Vec<(Id, bool)>) -> Box<Self> {
        if !requests.is_empty() && !matches!(self.body, Shape::Nameless(_)) {
            self.batch = Some(Requests(requests));
        }
        self
    }
}
