//! What mcpfw tells a server whose request it refused: a JSON-RPC error in the client's place, so that the server does not
//! wait for ever (T16). Legacy revisions only; from 2026-07-28 on nobody asks by sending a request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Request};
use smallvec::smallvec;

use super::forward;
use super::judge::ReplyJudge;
use super::reject;
use crate::upstream::headers::MCP_SESSION_ID;
use crate::upstream::{RequestBody, Upstream};
use crate::wire::jsonrpc::Id;
use crate::wire::mcp::headers::PROTOCOL_VERSION;

/// Most refused requests of one stream that wait to be answered. Beyond it the stream is not read on: a server that asks
/// faster than it listens waits for itself.
pub(super) const MOST_WAITING: usize = 16;

/// How an answer finds its way: what the client's own answer would have said.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    session: Option<HeaderValue>,
    version: Option<HeaderValue>,
    authorization: Option<HeaderValue>,
}

impl Way {
    /// As the request of `headers` went, which go upstream.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self {
            session: None,
            version: headers.get(PROTOCOL_VERSION).cloned(),
            authorization: headers.get(header::AUTHORIZATION).cloned(),
        }
    }

    /// In session `id`, the server's own name for it, which the reply may have begun.
    pub(super) fn within(mut self, id: Option<&HeaderValue>) -> Self {
        self.session = id.cloned();
        self
    }
}

/// The answers of one stream, one at a time.
pub(super) struct Answers {
    upstream: Arc<Upstream>,
    way: Way,
    /// What is asked of the server, where that is not its MCP endpoint.
    target: Option<PathAndQuery>,
    sending: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}

impl Answers {
    /// To `upstream`, which is where the requests come from.
    pub(super) fn new(upstream: Arc<Upstream>, way: Way) -> Self {
        Self { upstream, way, target: None, sending: None }
    }

    /// From now on they go to `target`, which the stream announced.
    pub(super) fn go_to(&mut self, target: PathAndQuery) {
        self.target = Some(target);
    }

    /// Sends what `judge` has refused. Ready when nothing is left to send.
    ///
    /// An answer that does not arrive is lost, as a client's would be: the server's own timeout ends its wait.
    pub(super) fn poll(&mut self, judge: &mut ReplyJudge, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(sending) = &mut self.sending {
                if sending.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.sending = None;
            }
            let Some(id) = judge.take_refused() else { return Poll::Ready(()) };
            let request = self.request(judge, &id);
            let upstream = Arc::clone(&self.upstream);
            self.sending = Some(Box::pin(async move {
                let _ = upstream.send(request).await;
            }));
        }
    }

    fn request(&self, judge: &ReplyJudge, id: &Id) -> Request<RequestBody> {
        let endpoint = self.upstream.endpoint();
        let bytes = Bytes::from(reject::request_refused(id, judge.request_id()));
        let mut request = Request::new(RequestBody::Whole(smallvec![bytes]));
        *request.method_mut() = Method::POST;
        let target = self.target.clone().unwrap_or_else(|| endpoint.target(None));
        *request.uri_mut() = target.into();
        let headers = request.headers_mut();
        headers.insert(header::HOST, endpoint.host_header().clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let both = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(header::ACCEPT, both);
        let Way { session, version, authorization } = self.way.clone();
        let ours = [
            (MCP_SESSION_ID, session),
            (PROTOCOL_VERSION, version),
            (header::AUTHORIZATION, authorization.filter(|_| judge.forwards_credentials())),
        ];
        for (name, value) in ours {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        forward::identify(headers, judge.shared(), judge.route(), judge.principal());
        request
    }
}
