//! Refusals. The only place that chooses a status, headers and a JSON-RPC error (mcp-protocol.md §7.2).
//!
//! `public` goes to the caller, `detail` to the log, `reason` to both.

mod batch;
mod decision;
mod request;
mod server;
#[cfg(test)]
mod tests;
mod upstream;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};

use self::batch::Requests;
pub(super) use self::decision::Asked;
pub(super) use self::server::{input_refused, request_refused, revoked};
pub(super) use self::upstream::ReplyFault;
use super::body::Body;
use super::record::Record;
use crate::observe::Decision;
use crate::wire::jsonrpc::{ErrorData, Id, error_reply, tool_error_reply};
use crate::wire::mcp::{RevisionSet, codes};

/// Retry-After of a passing condition of ours or the upstream's, in seconds.
const SHED_SECONDS: u64 = 1;

/// A refusal, made in one of the constructors below.
#[derive(Debug)]
pub(super) struct Reject {
    status: StatusCode,
    body: Shape,
    reason: &'static str,
    public: Cow<'static, str>,
    detail: Option<Box<str>>,
    headers: HeaderMap,
    rule: Option<Arc<str>>,
    retry_after_ms: Option<u64>,
    decision: Decision,
    /// The revisions served and the one asked for, for -32022.
    versions: Option<(RevisionSet, Box<str>)>,
    /// Whether a request with an id, if there is one, wants to be told under it.
    id: Option<Id>,
    /// The elements of a batch that it is about, by their places.
    elements: Vec<usize>,
    /// The requests of the batch that is refused: each is told under its id.
    batch: Option<Requests>,
}

/// What the body of a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Nothing.
    Empty,
    /// The public text.
    Text,
    /// A JSON-RPC error with this code.
    Error(i64),
    /// The same, never under an id.
    Nameless(i64),
    /// A result that tells the model.
    ToolError { modern: bool },
}

impl Reject {
    fn new(status: StatusCode, body: Shape, reason: &'static str) -> Box<Self> {
        Box::new(Self {
            status,
            body,
            reason,
            public: Cow::Borrowed(""),
            detail: None,
            headers: HeaderMap::new(),
            rule: None,
            retry_after_ms: None,
            decision: Decision::Deny,
            versions: None,
            id: None,
            elements: Vec::new(),
            batch: None,
        })
    }

    fn says(mut self: Box<Self>, public: impl Into<Cow<'static, str>>) -> Box<Self> {
        self.public = public.into();
        self
    }

    fn detail(mut self: Box<Self>, detail: impl Into<String>) -> Box<Self> {
        self.detail = Some(detail.into().into());
        self
    }

    fn header(mut self: Box<Self>, name: HeaderName, value: HeaderValue) -> Box<Self> {
        self.headers.insert(name, value);
        self
    }

    fn closing(self: Box<Self>) -> Box<Self> {
        self.header(header::CONNECTION, HeaderValue::from_static("close"))
    }

    fn retry_after(mut self: Box<Self>, seconds: u64, millis: u64) -> Box<Self> {
        self.retry_after_ms = Some(millis);
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// By this rule.
    pub(super) fn by(mut self: Box<Self>, rule: Option<Arc<str>>) -> Box<Self> {
        self.rule = rule;
        self
    }

    /// Answers under `id`, where it is known.
    pub(super) fn under(mut self: Box<Self>, id: Option<&Id>) -> Box<Self> {
        self.id = id.cloned();
        self
    }

    /// Tells whoever waits for an answer by an event, if `tell` takes it; the post is then merely accepted, as clients of
    /// 2024-11-05 expect. A challenge is for HTTP clients, and stays as it is.
    pub(super) fn told_by(
        mut self: Box<Self>,
        request_id: &str,
        tell: impl FnOnce(Bytes) -> bool,
    ) -> Box<Self> {
        let is_answer = matches!(self.body, Shape::Error(_) | Shape::ToolError { .. });
        let is_awaited = self.id.is_some() && is_answer && !self.is_closing();
        if !is_awaited || self.headers.contains_key(header::WWW_AUTHENTICATE) {
            return self;
        }
        let event = [b"event: message\ndata: ", &*self.write(request_id), b"\n\n"].concat();
        if tell(event.into()) {
            self.status = StatusCode::ACCEPTED;
            self.body = Shape::Empty;
            self.headers.clear();
        }
        self
    }

    /// Whether the connection ends with it.
    pub(super) fn is_closing(&self) -> bool {
        self.headers.contains_key(header::CONNECTION)
    }

    /// Writes the refusal, and the exchange into the log.
    pub(super) fn into_response(self: Box<Self>, mut record: Box<Record>) -> Response<Body> {
        let bytes = self.write(record.request_id());
        let is_json = self.batch.is_some() || !matches!(self.body, Shape::Empty | Shape::Text);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        *headers = self.headers;
        if !bytes.is_empty() {
            let media = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        }
        // The next caller may be allowed what this one is not.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if !record.is_http1() {
            headers.remove(header::CONNECTION);
        }
        record.refused(self.decision, self.reason, self.rule, self.detail);
        *response.body_mut() = Body::fixed(bytes, record, self.status);
        response
    }

    fn write(&self, request_id: &str) -> Bytes {
        match &self.batch {
            Some(requests) => requests.write(self, request_id),
            None => self.write_under(self.id.as_ref(), request_id),
        }
    }

    fn write_under(&self, id: Option<&Id>, request_id: &str) -> Bytes {
        match self.body {
            Shape::Empty => Bytes::new(),
            Shape::Text => format!("{}\n", self.public).into(),
            Shape::Error(code) | Shape::Nameless(code) => {
                let id = id.filter(|_| matches!(self.body, Shape::Error(_)));
                let supported: Vec<&str> = match &self.versions {
                    Some((served, _)) => served.iter().map(|revision| revision.as_str()).collect(),
                    None => Vec::new(),
                };
                let data = ErrorData {
                    rule: self.rule.as_deref(),
                    retry_after_ms: self.retry_after_ms,
                    supported: self.versions.as_ref().map(|_| &*supported),
                    requested: self.versions.as_ref().map(|(_, requested)| &**requested),
                    ..ErrorData::new(self.reason, request_id)
                };
                error_reply(id, code, &self.public, Some(&data)).into()
            }
            Shape::ToolError { modern } => match id {
                Some(id) => tool_error_reply(id, &self.public, modern).into(),
                // A result without an id is nothing; an error may do without.
                None => error_reply(None, codes::FORBIDDEN, &self.public, None).into(),
            },
        }
    }
}
