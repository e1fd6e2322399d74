//! A real MCP client through mcpfw to a real MCP server, both from the official Rust SDK: every verdict, JSON and SSE
//! replies, the stateful and the stateless era.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use mcpfw::identity::Authenticator;
use mcpfw::identity::issuer::DemoIssuer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion,
    ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{NotificationContext, RequestContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{
    ClientHandler, ClientLifecycleMode, ClientServiceExt as _, RoleClient, RoleServer,
    ServerHandler, ServiceError,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::support::gateway::{Running, Setup};
use crate::support::soon;

/// Four tools. `report` sends a progress event and then waits until the test has seen it: no event can
/// be held back without the test standing still.
#[derive(Clone)]
struct Notes {
    seen: Arc<Notify>,
}

impl ServerHandler for Notes {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let schema = json!({"type": "object"}).as_object().cloned().unwrap();
        let tools = ["search", "write_file", "delete_file", "report"];
        Ok(ListToolsResult::with_all_items(
            tools.map(|name| Tool::new(name, "A tool.", schema.clone())).to_vec(),
        ))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if request.name == "report" {
            let token = context.meta.get_progress_token().expect("the client asks for progress");
            for step in 1..=3 {
                let progress = ProgressNotificationParam::new(token.clone(), f64::from(step));
                context.peer.notify_progress(progress).await.expect("progress is sent");
                self.seen.notified().await;
            }
        }
        let text = format!("{} was run", request.name);
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
    }
}

/// Serves [`Notes`] by rmcp on a free port of this machine.
async fn serve(seen: Arc<Notify>, replies: Replies) -> SocketAddr {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(true)
        .with_json_response(replies == Replies::Json)
        .with_sse_keep_alive(None);
    let service: StreamableHttpService<Notes, LocalSessionManager> = StreamableHttpService::new(
        move || Ok(Notes { seen: Arc::clone(&seen) }),
        Arc::default(),
        config,
    );
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

/// How the server answers where it may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replies {
    Json,
    EventStream,
}

/// Tells the server that an event has arrived, and remembers it.
#[derive(Clone)]
struct Watcher {
    seen: Arc<Notify>,
    events: Arc<AtomicU32>,
}

impl ClientHandler for Watcher {
    async fn on_progress(
        &self,
        _progress: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.events.fetch_add(1, Ordering::SeqCst);
        self.seen.notify_one();
    }
}

const POLICY: &str = r#"
[[allow]]
name  = "searches"
tools = ["search", "report"]
when  = 'claims.plan in ["free", "pro"]'

[[allow]]
name  = "own-files"
tools = ["write_file"]
when  = 'args.path.startsWith("/sandbox/" + claims.sub + "/")'

[[allow]]
name  = "deletes"
tools = ["delete_file"]
when  = 'claims.plan == "pro"'

[[limit]]
name  = "two-searches"
tools = ["search"]
per   = ["claims.sub"]
rate  = "2/h"
"#;

/// A server, the firewall before it, and how to reach it as somebody.
struct Stage {
    issuer: DemoIssuer,
    gateway: Running,
    seen: Arc<Notify>,
}

impl Stage {
    async fn set(replies: Replies) -> Self {
        let issuer = DemoIssuer::generate("https://issuer.test/", "https://mcp.test/mcp").unwrap();
        let seen = Arc::new(Notify::new());
        let server = serve(Arc::clone(&seen), replies).await;
        let authenticator = Authenticator::new([issuer.trust()], |_, _| {}).unwrap();
        let gateway = Setup::new(POLICY, server).authenticator(authenticator).start();
        Self { issuer, gateway, seen }
    }

    /// A client of `sub` on `plan` that has shaken hands.
    async fn client(&self, era: Era, sub: &str, plan: &str) -> RunningService<RoleClient, Watcher> {
        let claims = serde_json::Map::from_iter([("plan".to_owned(), json!(plan))]);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let token = self.issuer.sign(sub, claims, now, 600).unwrap();
        let url = format!("http://{}/mcp", self.gateway.address);
        let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
        let watcher = Watcher { seen: Arc::clone(&self.seen), events: Arc::default() };
        let lifecycle = match era {
            Era::Legacy => ClientLifecycleMode::Initialize,
            Era::Modern => ClientLifecycleMode::Discover {
                preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            },
        };
        let transport = StreamableHttpClientTransport::from_config(config);
        soon(watcher.serve_with_lifecycle(transport, lifecycle)).await.expect("a handshake")
    }
}

/// With sessions and a handshake, or each request for itself.
#[derive(Clone, Copy, Debug)]
enum Era {
    Legacy,
    Modern,
}

type Client = RunningService<RoleClient, Watcher>;

async fn call(client: &Client, tool: &'static str, args: Value) -> Result<String, ServiceError> {
    let mut params = CallToolRequestParams::new(tool);
    params.arguments = args.as_object().cloned();
    let result = soon(client.call_tool(params)).await?;
    Ok(serde_json::to_string(&result).unwrap())
}

/// The code and message of the JSON-RPC error that the SDK showed.
fn refusal(result: Result<String, ServiceError>) -> (i32, String) {
    match result {
        Err(ServiceError::McpError(error)) => (error.code.0, error.message.to_string()),
        other => panic!("not a JSON-RPC error: {other:?}"),
    }
}

async fn every_verdict(era: Era, replies: Replies) {
    let stage = Stage::set(replies).await;
    let free = stage.client(era, "ann", "free").await;
    let pro = stage.client(era, "bob", "pro").await;

    // Allowed, and refused by plan.
    assert!(call(&free, "search", json!({"q": "a"})).await.unwrap().contains("search was run"));
    let (code, message) = refusal(call(&free, "delete_file", json!({"path": "/x"})).await);
    assert_eq!(code, 403, "{message}");
    assert!(call(&pro, "delete_file", json!({"path": "/x"})).await.unwrap().contains("was run"));

    // By argument.
    let own = json!({"path": "/sandbox/ann/a.txt", "content": "hi"});
    assert!(call(&free, "write_file", own.clone()).await.unwrap().contains("was run"));
    assert_eq!(refusal(call(&pro, "write_file", own).await).0, 403);

    // Limited: the second search passes, the third waits; bob's budget is his own.
    assert!(call(&free, "search", json!({"q": "b"})).await.is_ok());
    let limited = call(&free, "search", json!({"q": "c"})).await.unwrap_err().to_string();
    assert!(limited.contains("429") || limited.contains("retry in"), "{limited}");
    assert!(call(&pro, "search", json!({"q": "c"})).await.is_ok());

    // A list shows what could be called.
    let names =
        |tools: Vec<Tool>| tools.iter().map(|tool| tool.name.to_string()).collect::<Vec<_>>();
    let listed = soon(free.list_all_tools()).await.unwrap();
    assert_eq!(names(listed), ["search", "write_file", "report"]);
    let listed = soon(pro.list_all_tools()).await.unwrap();
    assert_eq!(names(listed), ["search", "write_file", "delete_file", "report"]);

    soon(free.cancel()).await.unwrap();
    soon(pro.cancel()).await.unwrap();
}

#[tokio::test]
async fn every_verdict_legacy_json() {
    every_verdict(Era::Legacy, Replies::Json).await;
}

#[tokio::test]
async fn every_verdict_legacy_event_stream() {
    every_verdict(Era::Legacy, Replies::EventStream).await;
}

#[tokio::test]
async fn every_verdict_modern_json() {
    every_verdict(Era::Modern, Replies::Json).await;
}

#[tokio::test]
async fn every_verdict_modern_event_stream() {
    every_verdict(Era::Modern, Replies::EventStream).await;
}

/// The server sends each progress event only after the client has said that it got the one before: a firewall that
/// held an event back would stand still here.
async fn events_are_live(era: Era) {
    let stage = Stage::set(Replies::EventStream).await;
    let client = stage.client(era, "bob", "pro").await;
    let text = call(&client, "report", json!({})).await.unwrap();
    assert!(text.contains("report was run"), "{text}");
    assert_eq!(client.service().events.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn events_are_live_legacy() {
    events_are_live(Era::Legacy).await;
}

#[tokio::test]
async fn events_are_live_modern() {
    events_are_live(Era::Modern).await;
}

/// Without a good token there is no handshake, in either era.
#[tokio::test]
async fn nobody_gets_nothing() {
    let stage = Stage::set(Replies::Json).await;
    let url = format!("http://{}/mcp", stage.gateway.address);
    for bearer in [None, Some("eyJhbGciOiJub25lIn0.e30.")] {
        let mut config = StreamableHttpClientTransportConfig::with_uri(url.clone());
        config.auth_header = bearer.map(str::to_owned);
        let transport = StreamableHttpClientTransport::from_config(config);
        let watcher = Watcher { seen: Arc::default(), events: Arc::default() };
        let shaken = soon(watcher.serve_with_lifecycle(transport, ClientLifecycleMode::Initialize));
        assert!(shaken.await.is_err(), "{bearer:?}");
    }
}
