//! The MCP server of the demo: four tools, no state, both eras of the protocol. It knows nothing of
//! callers, plans or limits; that is what the firewall before it is for.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How much of a body the demo's server reads.
const MAX_BODY: usize = 4 << 20;
/// How many progress events `report` sends, and the time between two.
const REPORT_STEPS: u32 = 5;
const REPORT_PACE: Duration = Duration::from_millis(600);

type Body = BoxBody<Bytes, Infallible>;

/// Serves MCP on `listener` until the task is dropped.
///
/// # Cancel safety
/// Dropping the future stops accepting; connections that it has spawned end with the runtime.
pub(super) async fn serve(listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let mut server = hyper::server::conn::http1::Builder::new();
            server.timer(TokioTimer::new());
            // A client that goes away is no news to this server.
            let _ = server.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    if request.method() != Method::POST {
        let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return Ok(response);
    }
    let Ok(body) = Limited::new(request.into_body(), MAX_BODY).collect().await else {
        return Ok(empty(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let Ok(message) = serde_json::from_slice::<Value>(&body.to_bytes()) else {
        return Ok(empty(StatusCode::BAD_REQUEST));
    };
    let Some(id) = message.get("id").cloned() else {
        return Ok(empty(StatusCode::ACCEPTED));
    };
    let params = message.get("params").cloned().unwrap_or(Value::Null);
    Ok(match message.get("method").and_then(Value::as_str) {
        Some("tools/call") if params.get("name").is_some_and(|name| name == "report") => {
            report(id, progress_token(&params))
        }
        Some(method) => reply(&match dispatch(method, &params) {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err((code, text)) => {
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": text}})
            }
        }),
        None => empty(StatusCode::BAD_REQUEST),
    })
}

fn dispatch(method: &str, params: &Value) -> Result<Value, (i64, String)> {
    let info = json!({"name": "mcpfw-demo", "version": env!("CARGO_PKG_VERSION")});
    match method {
        "initialize" => Ok(json!({
            "protocolVersion": params.get("protocolVersion").and_then(Value::as_str)
                .filter(|version| ["2025-03-26", "2025-06-18", "2025-11-25"].contains(version))
                .unwrap_or("2025-11-25"),
            "capabilities": {"tools": {}},
            "serverInfo": info,
        })),
        "server/discover" => Ok(json!({
            "resultType": "complete",
            "supportedVersions": ["2025-06-18", "2025-11-25", "2026-07-28"],
            "capabilities": {"tools": {}},
            "serverInfo": info,
            "ttlMs": 0,
            "cacheScope": "private",
        })),
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({
            "tools": tools(), "resultType": "complete", "ttlMs": 60_000, "cacheScope": "public",
        })),
        "tools/call" => call(params).map(
            |text| json!({"resultType": "complete", "content": [{"type": "text", "text": text}]}),
        ),
        other => Err((-32601, format!("method not found: {other}"))),
    }
}

fn call(params: &Value) -> Result<String, (i64, String)> {
    let argument = |name: &str| {
        params.pointer(&format!("/arguments/{name}")).and_then(Value::as_str).unwrap_or_default()
    };
    match params.get("name").and_then(Value::as_str) {
        Some("search") => Ok(format!("3 results for {:?}", argument("q"))),
        Some("write_file") => {
            Ok(format!("wrote {} bytes to {}", argument("content").len(), argument("path")))
        }
        Some("delete_file") => Ok(format!("deleted {}", argument("path"))),
        other => Err((-32602, format!("unknown tool: {}", other.unwrap_or("(no name)")))),
    }
}

fn tools() -> Value {
    let text = json!({"type": "string"});
    json!([
        {
            "name": "search", "description": "Searches the notes.",
            "inputSchema": {"type": "object", "properties": {"q": text}, "required": ["q"]},
            "annotations": {"readOnlyHint": true},
        },
        {
            "name": "write_file", "description": "Writes a file.",
            "inputSchema": {
                "type": "object",
                "properties": {"path": text, "content": text},
                "required": ["path", "content"],
            },
        },
        {
            "name": "delete_file", "description": "Deletes a file.",
            "inputSchema": {"type": "object", "properties": {"path": text}, "required": ["path"]},
            "annotations": {"destructiveHint": true},
        },
        {
            "name": "report", "description": "Writes a report, and tells of its progress.",
            "inputSchema": {"type": "object", "properties": {}},
            "annotations": {"readOnlyHint": true},
        },
    ])
}

fn progress_token(params: &Value) -> Value {
    params.pointer("/_meta/progressToken").cloned().unwrap_or_else(|| json!("report"))
}

/// A stream of progress events and then the result, one event every [`REPORT_PACE`].
fn report(id: Value, token: Value) -> Response<Body> {
    let (sender, receiver) = mpsc::channel::<Bytes>(1);
    tokio::spawn(async move {
        for step in 1..=REPORT_STEPS {
            let progress = json!({
                "jsonrpc": "2.0", "method": "notifications/progress",
                "params": {
                    "progressToken": token, "progress": step, "total": REPORT_STEPS,
                    "message": format!("chapter {step} of {REPORT_STEPS}"),
                },
            });
            if sender.send(event(&progress)).await.is_err() {
                return;
            }
            tokio::time::sleep(REPORT_PACE).await;
        }
        let result = json!({
            "jsonrpc": "2.0", "id": id,
            "result": {"resultType": "complete", "content": [{"type": "text", "text": "the report"}]},
        });
        let _ = sender.send(event(&result)).await;
    });
    let mut response = Response::new(Events(receiver).boxed());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

/// The body of a stream whose events come from a task of their own.
struct Events(mpsc::Receiver<Bytes>);

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|event| event.map(|bytes| Ok(Frame::data(bytes))))
    }
}

fn event(message: &Value) -> Bytes {
    Bytes::from(format!("event: message\ndata: {message}\n\n"))
}

fn reply(message: &Value) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(message.to_string())).boxed());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Full::default().boxed());
    *response.status_mut() = status;
    response
}
