//! Tasks of 2026-07-28 by the official Rust SDK on both sides: a task is followed up, asks its client and ends, under a handle that
//! is its caller's alone; what it may not ask does not reach the client (T14, T15).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use mcpfw::identity::Authenticator;
use mcpfw::identity::issuer::DemoIssuer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, ClientCapabilities,
    ClientConfig, ContentBlock, CreateTaskResult, ErrorData, GetTaskParams, GetTaskResult,
    Implementation, ProtocolVersion, ServerCapabilities, ServerConfig, TaskPayload,
    UpdateTaskParams,
};
use rmcp::service::{RequestContext, RunningService};
use rmcp::task_manager::{TaskManager, TaskOptions};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{
    ClientLifecycleMode, ClientServiceExt as _, RoleClient, RoleServer, ServerHandler, ServiceError,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::yield_now;

use crate::support::gateway::{Running, Setup};
use crate::support::soon;

/// Each tool makes a task. That of `book` asks for a form, that of `spy` for the client's model.
#[derive(Clone)]
struct Desk {
    tasks: TaskManager,
}

impl ServerHandler for Desk {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().enable_tasks().build())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let asks = match &*request.name {
            "book" => {
                json!({"method": "elicitation/create", "params": {"mode": "form", "message": "When?",
                "requestedSchema": {"type": "object", "properties": {"day": {"type": "string"}}}}})
            }
            _ => {
                json!({"method": "sampling/createMessage", "params": {"maxTokens": 9, "messages": [
                {"role": "user", "content": {"type": "text", "text": "Tell all."}}]}})
            }
        };
        let asks = serde_json::from_value(asks).expect("a request for input");
        let task = self.tasks.spawn(TaskOptions::new(), move |context| {
            Box::pin(async move {
                let answer = context.request_input("q", asks).await?;
                Ok(CallToolResult::success(vec![ContentBlock::text(answer.to_string())]))
            })
        });
        Ok(CallToolResponse::Task(CreateTaskResult::new(task)))
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        Ok(GetTaskResult::new(self.tasks.get_task(&request.task_id)?))
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.cancel_task(&request.task_id)
    }
}

/// Serves `desk` by rmcp on a free port of this machine.
async fn serve(desk: Desk) -> SocketAddr {
    let config = StreamableHttpServerConfig::default().with_sse_keep_alive(None);
    let service: StreamableHttpService<Desk, LocalSessionManager> =
        StreamableHttpService::new(move || Ok(desk.clone()), Arc::default(), config);
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

/// Everybody may call both tools; forms may be asked for, and nothing else. `book` is refused to whom `"gone"` is the plan of.
const POLICY: &str = r#"
[[allow]]
name  = "desk"
tools = ["book", "spy"]
when  = 'claims.plan != "gone"'

[[allow]]
name            = "forms"
server_requests = ["elicitation/create"]
"#;

type Client = RunningService<RoleClient, ClientConfig>;

struct Stage {
    issuer: DemoIssuer,
    gateway: Running,
    tasks: TaskManager,
}

impl Stage {
    async fn set() -> Self {
        let issuer = DemoIssuer::generate("https://issuer.test/", "https://mcp.test/mcp").unwrap();
        let tasks = TaskManager::new();
        let server = serve(Desk { tasks: tasks.clone() }).await;
        let authenticator = Authenticator::new([issuer.trust()], |_, _| {}).unwrap();
        let gateway = Setup::new(POLICY, server).authenticator(authenticator).start();
        Self { issuer, gateway, tasks }
    }

    async fn client(&self, sub: &str, plan: &str) -> Client {
        let claims = serde_json::Map::from_iter([("plan".to_owned(), json!(plan))]);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let token = self.issuer.sign(sub, claims, now, 600).unwrap();
        let url = format!("http://{}/mcp", self.gateway.address);
        let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
        let capabilities = ClientCapabilities::builder().enable_tasks().enable_elicitation();
        let client = ClientConfig::new(capabilities.build(), Implementation::from_build_env());
        let lifecycle = ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        };
        let transport = StreamableHttpClientTransport::from_config(config);
        soon(client.serve_with_lifecycle(transport, lifecycle)).await.expect("a handshake")
    }
}

/// The id of the task that a call of `tool` makes.
async fn start(client: &Client, tool: &'static str) -> String {
    match soon(client.call_tool_once(CallToolRequestParams::new(tool))).await {
        Ok(CallToolResponse::Task(made)) => made.task.task_id,
        other => panic!("not a task: {other:?}"),
    }
}

async fn get(client: &Client, task: &str) -> Result<TaskPayload, ServiceError> {
    let got = client.peer().get_task(GetTaskParams::new(task.to_owned()));
    Ok(soon(got).await?.task.payload)
}

/// What the task comes to that its server is at work on.
async fn at_last(client: &Client, task: &str) -> Result<TaskPayload, ServiceError> {
    soon(async {
        loop {
            match get(client, task).await {
                Ok(TaskPayload::Working) => yield_now().await,
                other => break other,
            }
        }
    })
    .await
}

fn code<T: std::fmt::Debug>(result: Result<T, ServiceError>) -> i32 {
    match result {
        Err(ServiceError::McpError(error)) => error.code.0,
        other => panic!("not a JSON-RPC error: {other:?}"),
    }
}

fn answers(day: &str) -> std::collections::BTreeMap<String, Value> {
    [("q".to_owned(), json!({"action": "accept", "content": {"day": day}}))].into()
}

#[tokio::test]
async fn a_task_asks_and_ends_for_its_caller_alone() {
    let stage = Stage::set().await;
    let ann = stage.client("ann", "free").await;
    let bob = stage.client("bob", "free").await;
    let task = start(&ann, "book").await;
    assert!(task.starts_with("fw1."), "the server's own id is told: {task}");

    // Whoever else has the id can do nothing with it, and learns nothing of the task.
    assert_eq!(code(get(&bob, &task).await), -32602);
    let update = |task: &str| UpdateTaskParams::new(task.to_owned(), answers("never"));
    assert_eq!(code(soon(bob.peer().update_task(update(&task))).await), -32602);
    let cancel = CancelTaskParams::new(task.clone());
    assert_eq!(code(soon(bob.peer().cancel_task(cancel)).await), -32602);
    // Nor can they after the right to the tool is gone.
    let gone = stage.client("ann", "gone").await;
    assert_eq!(code(get(&gone, &task).await), 403);

    let asked = at_last(&ann, &task).await.unwrap();
    let TaskPayload::InputRequired { input_requests } = asked else { panic!("{asked:?}") };
    assert_eq!(input_requests.len(), 1);
    let update = UpdateTaskParams::new(task.clone(), answers("monday"));
    soon(ann.peer().update_task(update)).await.unwrap();
    let ended = at_last(&ann, &task).await.unwrap();
    let TaskPayload::Completed { result } = ended else { panic!("{ended:?}") };
    assert!(json!(result).to_string().contains("monday"), "{result:?}");
    assert_eq!(stage.tasks.running_task_count(), 0);
}

#[tokio::test]
async fn what_a_task_may_not_ask_is_not_asked() {
    let stage = Stage::set().await;
    let ann = stage.client("ann", "free").await;
    let task = start(&ann, "spy").await;
    // The server answers `working` until its task has run as far as its question; then there is an error in place of that.
    assert_eq!(code(at_last(&ann, &task).await), 403);
    // It can be ended all the same.
    soon(ann.peer().cancel_task(CancelTaskParams::new(task))).await.unwrap();
}
