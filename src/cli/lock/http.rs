//! Requests over HTTP, and the reply that belongs to each.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response};
use serde_json::json;
use url::Url;

use crate::lock::{Json, MAX_BYTES, Value};
use crate::wire::mcp::Revision;

use super::events::Events;
use super::fault::{Fault, cause};
use super::{Target, is_loopback};

/// Most bytes of all replies: four lists at the size of the largest lock file.
pub(super) const MAX_TOTAL: u64 = 64 << 20;

/// What may still be read.
#[derive(Debug)]
pub(super) struct Budget(Cell<u64>);

impl Budget {
    pub(super) fn spend(&self, bytes: usize) -> Result<(), Fault> {
        let left = self.0.get().checked_sub(bytes as u64).ok_or(Fault::TooMuch)?;
        self.0.set(left);
        Ok(())
    }
}

/// How a server is asked.
#[derive(Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    url: Url,
    credential: Option<HeaderValue>,
    budget: Budget,
    seed: u64,
    next_id: u64,
    /// What every request says from the handshake on.
    pub(super) revision: Option<Revision>,
    /// `Mcp-Session-Id`
    pub(super) session: Option<HeaderValue>,
    /// The two ends of HTTP+SSE (2024-11-05): where messages go, and where replies come from.
    stream: Option<(Url, Events)>,
}

/// The reply to a request.
#[derive(Debug)]
pub(super) enum Reply {
    /// `result`
    Result(Json),
    /// `error`
    Error {
        code: i64,
        message: String,
        /// `error.data.supported`
        supported: Vec<String>,
    },
}

const SESSION: &str = "mcp-session-id";
const BOTH: &str = "application/json, text/event-stream";

/// Longest session id that is sent back: beyond, no server takes the header.
const MAX_SESSION: usize = 8 << 10;

impl Http {
    pub(super) fn new(target: &Target) -> Result<Self, Fault> {
        let mut client = reqwest::Client::builder()
            // A token must not be carried to where the server points.
            .redirect(Policy::none())
            .user_agent(concat!("mcpfw/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&target.url) {
            client = client.no_proxy();
        }
        Ok(Self {
            client: client.build().map_err(|error| Fault::Connect(cause(&error)))?,
            url: target.url.clone(),
            credential: target.credential.clone(),
            budget: Budget(Cell::new(MAX_TOTAL)),
            seed: RandomState::new().hash_one(()),
            next_id: 0,
            revision: None,
            session: None,
            stream: None,
        })
    }

    /// Asks for `method`, and waits for its reply.
    pub(super) async fn request(
        &mut self,
        method: &str,
        mut params: serde_json::Value,
    ) -> Result<Reply, Fault> {
        self.next_id += 1;
        let id = self.next_id;
        if let (Some(Revision::V2026_07_28), Some(params)) = (self.revision, params.as_object_mut())
        {
            params.insert("_meta".into(), meta());
        }
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        if let Some((url, _)) = &self.stream {
            let response = self.post(url.clone(), method, &message).await?;
            let status = response.status();
            if !status.is_success() {
                return Err(refused(&response));
            }
            let Some((_, events)) = &mut self.stream else { return Err(Fault::NoReply) };
            return wait(events, &self.budget, self.seed, id).await;
        }
        let response = self.post(self.url.clone(), method, &message).await?;
        if let Some(session) = response.headers().get(SESSION)
            && method == "initialize"
            && session.len() <= MAX_SESSION
        {
            self.session = Some(session.clone());
        }
        self.reply(response, id).await
    }

    /// Sends a notification.
    pub(super) async fn notify(&mut self, method: &str) -> Result<(), Fault> {
        let message = json!({"jsonrpc": "2.0", "method": method});
        let url = self.stream.as_ref().map_or(&self.url, |(url, _)| url).clone();
        let response = self.post(url, method, &message).await?;
        if response.status().is_success() { Ok(()) } else { Err(refused(&response)) }
    }

    /// Ends the session, if there is one; a server need not take it.
    pub(super) async fn end(mut self) {
        if let Some(session) = self.session.take() {
            let request = self.client.delete(self.url.clone()).header(SESSION, session);
            let _ = self.common(request).send().await;
        }
    }

    /// Opens the stream of HTTP+SSE (2024-11-05). Whether the server has one.
    pub(super) async fn open_stream(&mut self) -> Result<bool, Fault> {
        let request = self.client.get(self.url.clone()).header(ACCEPT, "text/event-stream");
        let response = send(self.common(request)).await?;
        if response.status() != StatusCode::OK || !is(&response, "text/event-stream") {
            return Ok(false);
        }
        let mut events = Events::new(response);
        let Some(event) = events.next(&self.budget).await? else { return Ok(false) };
        if event.name != b"endpoint" {
            return Ok(false);
        }
        let place = String::from_utf8_lossy(&event.data).into_owned();
        match self.url.join(&place) {
            // Elsewhere would get the token, and could be a machine that only we can reach.
            Ok(url) if url.origin() == self.url.origin() => {
                self.stream = Some((url, events));
                Ok(true)
            }
            _ => Err(Fault::Origin(place)),
        }
    }

    async fn post(
        &self,
        url: Url,
        method: &str,
        message: &serde_json::Value,
    ) -> Result<Response, Fault> {
        let mut request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, BOTH)
            .body(message.to_string());
        if self.revision.is_some_and(Revision::is_modern) {
            request = request.header("mcp-method", method);
        }
        if let Some(session) = &self.session {
            request = request.header(SESSION, session);
        }
        let response = send(self.common(request)).await?;
        let status = response.status();
        match status.as_u16() {
            401 | 403 => Err(Fault::Credential(status.as_u16())),
            300..=399 | 500.. => Err(refused(&response)),
            _ => Ok(response),
        }
    }

    /// What every request carries.
    fn common(&self, request: RequestBuilder) -> RequestBuilder {
        let request = match &self.credential {
            Some(credential) => request.header(AUTHORIZATION, credential),
            None => request,
        };
        match self.revision {
            // Before 2025-06-18 there was no such header.
            Some(revision) if revision >= Revision::V2025_06_18 => {
                request.header("mcp-protocol-version", revision.as_str())
            }
            _ => request,
        }
    }

    /// The reply to request `id` in `response`.
    async fn reply(&self, response: Response, id: u64) -> Result<Reply, Fault> {
        let status = response.status();
        if status.is_success() && is(&response, "text/event-stream") {
            return wait(&mut Events::new(response), &self.budget, self.seed, id).await;
        }
        if !is(&response, "application/json") {
            if !status.is_success() {
                return Err(Fault::Status(status.as_u16()));
            }
            let value = response.headers().get(CONTENT_TYPE);
            let value =
                value.map_or_else(String::new, |it| String::from_utf8_lossy(it.as_bytes()).into());
            return Err(Fault::ContentType(value));
        }
        let body = self.body(response).await?;
        let read = Json::parse(&body, self.seed).map_err(Fault::Json).and_then(|message| {
            // An error about a request that could not be read has no id.
            let is_ours = is_reply_to(&message, id) || message.member("error").is_some();
            if is_ours { outcome(message) } else { Err(Fault::NotRpc) }
        });
        match read {
            Err(_) if !status.is_success() => Err(Fault::Status(status.as_u16())),
            read => read,
        }
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|error| Fault::Broken(cause(&error)))?;
            let Some(chunk) = chunk else { return Ok(body) };
            self.budget.spend(chunk.len())?;
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(Fault::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
    }
}

/// What a request of 2026-07-28 says of its sender.
fn meta() -> serde_json::Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": Revision::V2026_07_28.as_str(),
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": client_info(),
    })
}

/// Who asks.
pub(super) fn client_info() -> serde_json::Value {
    json!({"name": "mcpfw", "version": env!("CARGO_PKG_VERSION")})
}

async fn send(request: RequestBuilder) -> Result<Response, Fault> {
    request.send().await.map_err(|error| Fault::Connect(cause(&error)))
}

/// Why `response` is none that can be used.
fn refused(response: &Response) -> Fault {
    let status = response.status();
    if !status.is_redirection() {
        return Fault::Status(status.as_u16());
    }
    let place = response.headers().get(LOCATION);
    Fault::Redirect(
        place.map_or_else(String::new, |it| String::from_utf8_lossy(it.as_bytes()).into()),
    )
}

/// Whether the content type of `response` is `essence`.
fn is(response: &Response, essence: &str) -> bool {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let written = value.unwrap_or_default().split(';').next().unwrap_or_default();
    written.trim().eq_ignore_ascii_case(essence)
}

/// Waits for the reply to request `id`; what else comes is not for us.
async fn wait(events: &mut Events, budget: &Budget, seed: u64, id: u64) -> Result<Reply, Fault> {
    while let Some(event) = events.next(budget).await? {
        // A stream that can be resumed begins with an event without text.
        if event.name != b"message" || event.data.is_empty() {
            continue;
        }
        let message = Json::parse(&event.data, seed)?;
        // A request of the server has an id of its own, which may be the same number.
        if is_reply_to(&message, id) && message.member("method").is_none() {
            return outcome(message);
        }
    }
    Err(Fault::NoReply)
}

fn is_reply_to(message: &Json, id: u64) -> bool {
    match message.member("id").map(|id| &id.value) {
        Some(Value::Number(number)) => number.parse() == Ok(id),
        _ => false,
    }
}

/// What a reply says.
fn outcome(message: Json) -> Result<Reply, Fault> {
    let Value::Object(mut members) = message.value else { return Err(Fault::NotRpc) };
    if let Some(error) = members.get("error") {
        let code = match error.member("code").map(|code| &code.value) {
            Some(Value::Number(code)) => code.parse().unwrap_or_default(),
            _ => return Err(Fault::NotRpc),
        };
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let data = error.member("data").and_then(|data| data.member("supported"));
        return Ok(Reply::Error {
            code,
            message: error.member("message").map(text).unwrap_or_default(),
            supported: data.and_then(Json::as_array).unwrap_or_default().iter().map(text).collect(),
        });
    }
    members.remove("result").map(Reply::Result).ok_or(Fault::NotRpc)
}
