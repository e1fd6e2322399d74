//! Refusals by policy and by limits.

use std::borrow::Cow;

use http::StatusCode;
use http::header::{self, HeaderValue};

use super::super::admit;
use super::{Reject, Shape};
use crate::identity::challenge;
use crate::limit::{Throttled, headers as limit_headers};
use crate::observe::Decision;
use crate::policy::{Call, PinInfo, Policy, Reason, Refusal, RefusalStyle};
use crate::wire::mcp::{Method, codes};

/// Bytes of a name that is quoted in a message: the longest tool name in the specification.
const QUOTED: usize = 128;

/// What a refusal is about.
pub(in crate::gateway) struct Asked<'a> {
    /// The call.
    pub(in crate::gateway) call: &'a Call,
    /// How refusals look on this route.
    pub(in crate::gateway) style: RefusalStyle,
    /// Whether somebody waits for an answer: the call is a request, or it is an element of a batch that has one.
    pub(in crate::gateway) is_awaited: bool,
}

impl<'a> Asked<'a> {
    /// A refusal of `call`, which is a message of its own.
    pub(in crate::gateway) fn single(call: &'a Call, style: RefusalStyle) -> Self {
        Self { call, style, is_awaited: call.is_request }
    }

    /// `tool_error` is for tools; elsewhere it is the default.
    fn style(&self, rule: Option<RefusalStyle>) -> RefusalStyle {
        match rule.unwrap_or(self.style) {
            RefusalStyle::ToolError if &*self.call.method != "tools/call" => RefusalStyle::JsonRpc,
            style => style,
        }
    }

    fn what(&self) -> String {
        let Some(object) = &self.call.object else {
            return format!("method '{}'", quoted(&self.call.method));
        };
        let kind = object.kind.as_str();
        format!("{kind} '{}'", quoted(&object.name))
    }
}

fn quoted(name: &str) -> &str {
    name.get(..name.floor_char_boundary(QUOTED)).unwrap_or_default()
}

impl Reject {
    /// Policy refuses.
    pub(in crate::gateway) fn refused(
        refusal: &Refusal,
        asked: &Asked<'_>,
        policy: &Policy,
    ) -> Box<Self> {
        let reason = refusal.reason();
        let public: Cow<'static, str> = match refusal.message() {
            Some(message) => String::from(&**message).into(),
            None if reason == Reason::PinChanged => {
                format!("{} is not what was reviewed", asked.what()).into()
            }
            None => format!("{} denied by policy", asked.what()).into(),
        };
        let code = Shape::Error(codes::FORBIDDEN);
        let mut reject = if !asked.is_awaited {
            // Nobody waits for an answer to a notification.
            Self::new(StatusCode::FORBIDDEN, Shape::Empty, reason.slug())
        } else if reason == Reason::InsufficientScope {
            // The one refusal that a new token cures, and so the only one with a challenge.
            Self::new(StatusCode::FORBIDDEN, code, reason.slug())
                .header(header::WWW_AUTHENTICATE, step_up(refusal.scopes()))
        } else {
            match asked.style(refusal.style()) {
                RefusalStyle::JsonRpc => Self::new(StatusCode::OK, code, reason.slug()),
                RefusalStyle::Http => Self::new(StatusCode::FORBIDDEN, code, reason.slug()),
                RefusalStyle::ToolError => {
                    let modern = asked.call.revision.is_modern();
                    Self::new(StatusCode::OK, Shape::ToolError { modern }, reason.slug())
                }
            }
        };
        let rule = refusal.rule().and_then(|id| policy.rule(id)).map(|rule| rule.name());
        let pin = refusal.pin().and_then(|pin| policy.pins().get(pin.index())).map(PinInfo::name);
        reject.rule = rule.or(pin).cloned();
        reject.says(public)
    }

    /// A budget is used up.
    pub(in crate::gateway) fn throttled(
        throttled: &Throttled,
        asked: &Asked<'_>,
        policy: &Policy,
    ) -> Box<Self> {
        let rule = throttled.blame().and_then(|standing| policy.rule(standing.rule));
        let wait_us = throttled.retry_after_us();
        let seconds = wait_us.map(limit_headers::retry_after);
        let public = match seconds {
            Some(seconds) => {
                format!("rate limit reached for {}; retry in {seconds} s", asked.what())
            }
            None => format!("{} costs more than its rate limit ever allows", asked.what()),
        };
        let tells_model =
            asked.style(rule.and_then(|rule| rule.style())) == RefusalStyle::ToolError;
        // Clients take a 429 to these for proof of a server that does not speak MCP (mcp-protocol.md §7.1).
        let is_handshake = matches!(
            Method::from_wire(&asked.call.method),
            Method::Initialize | Method::ServerDiscover
        );
        let mut reject = if is_handshake {
            let code = Shape::Error(codes::UNAVAILABLE);
            Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "rate_limited")
        } else if !asked.is_awaited {
            Self::new(StatusCode::TOO_MANY_REQUESTS, Shape::Empty, "rate_limited")
        } else if tells_model {
            let modern = asked.call.revision.is_modern();
            Self::new(StatusCode::OK, Shape::ToolError { modern }, "rate_limited")
        } else {
            let code = Shape::Error(codes::RATE_LIMITED);
            Self::new(StatusCode::TOO_MANY_REQUESTS, code, "rate_limited")
        };
        reject.decision = Decision::Limit;
        reject.rule = rule.map(|rule| rule.name().clone());
        admit::tell_budgets(&mut reject.headers, throttled.standings(), policy);
        if let (Some(seconds), Some(wait_us)) = (seconds, wait_us) {
            reject = reject.retry_after(seconds, wait_us.div_ceil(1000));
        }
        reject.says(public)
    }
}

/// The challenge for a token that lacks scopes.
fn step_up(scopes: &[Box<str>]) -> HeaderValue {
    let scopes: Vec<&str> = scopes.iter().map(|scope| &**scope).collect();
    let hints = challenge::Hints { scopes: &scopes, ..challenge::Hints::default() };
    HeaderValue::try_from(challenge::insufficient_scope(hints))
        .unwrap_or_else(|_| HeaderValue::from_static("Bearer error=\"insufficient_scope\""))
}
