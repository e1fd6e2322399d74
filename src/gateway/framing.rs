//! Heads that mean one thing only.

use http::header::{self, HeaderMap};
use http::request::Parts;
use http::{Method, Version};

use super::head::RawHead;
use super::reject::Reject;
use crate::upstream::headers::{LAST_EVENT_ID, is_ambiguous_name};

/// Whether the head can be read in one way only: framing (T19), upgrades and expectations (T20), names (T23).
///
/// # Errors
/// 400, 501 or 417.
pub(super) fn unambiguous(head: &Parts, raw: &mut RawHead) -> Result<(), Box<Reject>> {
    if head.version <= Version::HTTP_11 {
        let mut codings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
        let coding = codings.next().map(|value| value.as_bytes());
        raw.check(head.method.as_str(), coding).map_err(Reject::head)?;
    }
    if head.method == Method::CONNECT {
        return Err(Reject::upgrade());
    }
    // One walk over the few names that there are, instead of a search for each name that there may be.
    for name in head.headers.keys() {
        let is_repeated = || head.headers.get_all(name).iter().nth(1).is_some();
        if name == header::UPGRADE {
            return Err(Reject::upgrade());
        } else if name == header::EXPECT {
            let mut values = head.headers.get_all(name).iter();
            if values.any(|value| !value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
                return Err(Reject::expectation());
            }
        } else if is_ambiguous_name(name) {
            return Err(Reject::header_name(name));
        } else if name == LAST_EVENT_ID && is_repeated() {
            return Err(Reject::repeated(name));
        }
    }
    Ok(())
}

/// Whether the client waits for `100 Continue`: then no body comes unless it is read.
pub(super) fn expects_continue(headers: &HeaderMap) -> bool {
    headers.contains_key(header::EXPECT)
}
