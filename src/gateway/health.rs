//! `/healthz` and `/readyz`: public, outside of every route and limit (design.md §6).

use http::{Method, Response, StatusCode};

use super::body::Body;
use super::state::Shared;
use crate::identity::Authenticator;

/// The answer, where `path` is one of them.
///
/// Both stay true when every upstream is down: that is for the probe through the data path to find out, which tells
/// faults of the gateway from faults of the application (threats.md §2, health surface).
pub(super) fn answer(shared: &Shared, method: &Method, path: &str) -> Option<Response<Body>> {
    let is_well = match path {
        "/healthz" => true,
        "/readyz" => {
            !shared.is_draining()
                && shared.authenticator.as_ref().is_none_or(Authenticator::is_ready)
        }
        _ => return None,
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = if !matches!(*method, Method::GET | Method::HEAD) {
        StatusCode::METHOD_NOT_ALLOWED
    } else if is_well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Some(response)
}
