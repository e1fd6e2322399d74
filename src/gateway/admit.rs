//! Budgets: whether they admit a permitted call, and what the caller is told of them.

use std::time::Instant;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::reject::{Asked, Reject};
use super::state::Shared;
use crate::limit::{Admitted, Standing, Throttled, headers as limit_headers};
use crate::policy::{Permitted, Policy};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Charges every budget of the call, or none.
///
/// # Errors
/// 429 where one refuses; 503 for a handshake.
pub(super) fn admit(
    shared: &Shared,
    permitted: Permitted,
    asked: &Asked<'_>,
    policy: &Policy,
) -> Result<Admitted, Box<Reject>> {
    draw(shared, permitted).map_err(|throttled| Reject::throttled(&throttled, asked, policy))
}

/// Charges every budget of `permitted`, or none.
///
/// # Errors
/// [`Throttled`] where one refuses.
pub(super) fn draw(shared: &Shared, permitted: Permitted) -> Result<Admitted, Throttled> {
    shared.limiter.admit(permitted, shared.clock.micros(Instant::now()))
}

/// Sets `RateLimit` and `RateLimit-Policy`, where there are budgets.
pub(super) fn tell_budgets(headers: &mut HeaderMap, standings: &[Standing], policy: &Policy) {
    if standings.is_empty() {
        return;
    }
    let named = || {
        standings
            .iter()
            .filter_map(|standing| Some((&**policy.rule(standing.rule)?.name(), standing)))
    };
    let budgets: smallvec::SmallVec<[(&str, &Standing); 4]> = named().collect();
    let told = [
        (RATE_LIMIT, limit_headers::rate_limit(budgets.iter().copied())),
        (RATE_LIMIT_POLICY, limit_headers::policy(budgets.iter().copied())),
    ];
    for (name, value) in told {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
}
