//! MCP servers to ask: one that a test scripts, and one of the official SDK.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures::channel::mpsc;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use rmcp::model::{
    ErrorData, ListPromptsResult, ListToolsResult, PaginatedRequestParams, Prompt,
    ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What a server was asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// `POST`, `GET`, `DELETE`
    pub(super) http: String,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    /// The message; null where there is none.
    pub(super) body: Value,
}

impl Asked {
    pub(super) fn method(&self) -> &str {
        self.body["method"].as_str().unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn cursor(&self) -> Option<&str> {
        self.body["params"]["cursor"].as_str()
    }

    /// A reply with this `result`.
    pub(super) fn result(&self, result: &Value) -> Answer {
        Answer::json(&json!({"jsonrpc": "2.0", "id": self.body["id"], "result": result}))
    }

    /// A reply with an error.
    pub(super) fn error(&self, code: i64, data: &Value) -> Answer {
        let error = json!({"code": code, "message": "no", "data": data});
        Answer::json(&json!({"jsonrpc": "2.0", "id": self.body["id"], "error": error}))
    }
}

/// How it answers.
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: BoxBody<Bytes, Infallible>,
}

impl Answer {
    pub(super) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status, headers, body: Full::new(body.into()).boxed() }
    }

    pub(super) fn status(status: u16) -> Self {
        Self::new(status, "text/plain", "no")
    }

    pub(super) fn json(message: &Value) -> Self {
        Self::new(200, "application/json; charset=utf-8", message.to_string())
    }

    pub(super) fn events(text: impl Into<Bytes>) -> Self {
        Self::new(200, "text/event-stream", text)
    }

    pub(super) fn stream(events: mpsc::UnboundedReceiver<Bytes>) -> Self {
        let frames = futures::StreamExt::map(events, |bytes| Ok(Frame::data(bytes)));
        Self { body: StreamBody::new(frames).boxed(), ..Self::events("") }
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn code(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

/// A server on a free port that answers by `script`, and remembers what it was asked.
pub(super) struct Scripted {
    pub(super) url: String,
    pub(super) asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    pub(super) async fn start(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (asked, script) = (Arc::new(Mutex::new(Vec::new())), Arc::new(script));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, script) = (Arc::clone(&log), Arc::clone(&script));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (log, script) = (Arc::clone(&log), Arc::clone(&script));
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.map(|it| it.to_bytes()).unwrap_or_default();
                        let asked = Asked {
                            http: head.method.to_string(),
                            path: head.uri.to_string(),
                            headers: head.headers,
                            body: serde_json::from_slice(&body).unwrap_or_default(),
                        };
                        log.lock().push(asked.clone());
                        let answer = script(&asked);
                        let mut response = Response::builder().status(answer.status);
                        for (name, value) in answer.headers {
                            response = response.header(name, value);
                        }
                        Ok::<_, Infallible>(response.body(answer.body).unwrap())
                    }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { url, asked }
    }

    /// Everything that it was asked: HTTP method, MCP method.
    pub(super) fn calls(&self) -> Vec<String> {
        let asked = self.asked.lock();
        asked.iter().map(|it| format!("{} {}", it.http, it.method()).trim().to_owned()).collect()
    }
}

/// A server of the official SDK, with one tool, one prompt, and no resources.
#[derive(Clone)]
struct Notes;

impl ServerHandler for Notes {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_prompts().build())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = json!({"type": "object"}).as_object().cloned().unwrap();
        Ok(ListToolsResult::with_all_items(vec![Tool::new("search", "Searches.", schema)]))
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(vec![Prompt::new("greet", Some("Greets."), None)]))
    }
}

/// Serves [`Notes`] on a free port.
pub(super) async fn sdk(replies_are_json: bool) -> SocketAddr {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(true)
        .with_json_response(replies_are_json);
    let service: StreamableHttpService<Notes, LocalSessionManager> =
        StreamableHttpService::new(|| Ok(Notes), Arc::default(), config);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}
