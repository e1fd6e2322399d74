//! Refusals of what the server asks of the client (T16).

use crate::policy::Refusal;
use crate::wire::jsonrpc::{ErrorData, Id, error_reply};
use crate::wire::mcp::codes;

/// For the server: its request, which has `id`, does not reach the client.
pub(in crate::gateway) fn request_refused(id: &Id, request_id: &str) -> Vec<u8> {
    let data = ErrorData::new("server_request_refused", request_id);
    error_reply(Some(id), codes::FORBIDDEN, "the request is denied by policy", Some(&data))
}

/// For the client: `refusal` takes the right to a stream that answers the request `id`.
pub(in crate::gateway) fn revoked(id: &Id, refusal: &Refusal, request_id: &str) -> Vec<u8> {
    let data = ErrorData::new(refusal.reason().slug(), request_id);
    let text = refusal.message().map_or("no longer permitted by policy", |message| message);
    error_reply(Some(id), codes::FORBIDDEN, text, Some(&data))
}

/// For the client: the result asks for input that policy does not let the server ask for.
pub(in crate::gateway) fn input_refused(id: Option<&Id>, request_id: &str) -> Vec<u8> {
    let data = ErrorData::new("input_request_refused", request_id);
    let text = "the server asked for input that policy does not permit";
    error_reply(id, codes::FORBIDDEN, text, Some(&data))
}
