//! HTTP/1 as bytes: a client and an upstream that a test drives step by step, and that see what was really sent.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::soon;

/// One end of a connection, and everything that has come on it.
pub(crate) struct Wire {
    stream: TcpStream,
    /// What has come and has not been taken.
    buffer: Vec<u8>,
}

/// A message, as bytes.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Start line and header lines, without the empty line.
    pub(crate) head: String,
    /// The body without its framing, as far as it came.
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its end.
    pub(crate) complete: bool,
}

/// An upstream. Its connections are taken and driven one by one.
pub(crate) struct Upstream {
    listener: TcpListener,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> Wire {
        let (stream, _) = soon(self.listener.accept()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Wire { stream, buffer: Vec::new() }
    }

    /// Whether a connection waits to be taken.
    pub(crate) async fn was_called(&self) -> bool {
        std::future::poll_fn(|cx| std::task::Poll::Ready(self.listener.poll_accept(cx).is_ready()))
            .await
    }

    /// Answers every request on every connection with `reply`, and counts them in the end.
    pub(crate) fn answering(self, reply: String) -> Answering {
        let (seen, requests) = tokio::sync::mpsc::unbounded_channel();
        let address = self.address();
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = self.listener.accept().await else { return };
                let (seen, reply) = (seen.clone(), reply.clone());
                tokio::spawn(async move {
                    let mut wire = Wire { stream, buffer: Vec::new() };
                    while let Some(request) = wire.try_request().await {
                        let _ = seen.send(request);
                        if wire.stream.write_all(reply.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Answering { address, requests, task }
    }
}

/// An upstream that answers by itself.
pub(crate) struct Answering {
    pub(crate) address: SocketAddr,
    requests: tokio::sync::mpsc::UnboundedReceiver<Message>,
    task: tokio::task::JoinHandle<()>,
}

impl Answering {
    /// The next request that came.
    pub(crate) async fn request(&mut self) -> Message {
        soon(self.requests.recv()).await.expect("the upstream goes on")
    }

    /// Requests that came and were not taken.
    pub(crate) fn unseen(&mut self) -> Vec<Message> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Wire {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = soon(TcpStream::connect(address)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Sends, and says whether the other side still took it.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        soon(self.stream.write_all(bytes.as_ref())).await.is_ok()
    }

    /// Sends as much of `byte`s as the other side takes without reading more, and says how much.
    pub(crate) async fn flood(&mut self, byte: u8, most: usize) -> usize {
        let chunk = [byte; 16 * 1024];
        let mut sent = 0;
        while sent < most {
            // A second without room: the way is full to its end.
            let write = self.stream.write(&chunk);
            match tokio::time::timeout(std::time::Duration::from_secs(1), write).await {
                Ok(Ok(n)) => sent += n,
                Ok(Err(_)) | Err(_) => break,
            }
        }
        sent
    }

    /// Ends the sending half.
    pub(crate) async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Everything until the other side closes; `false` where it ended with an error.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, bool) {
        let clean = soon(self.stream.read_to_end(&mut self.buffer)).await.is_ok();
        (std::mem::take(&mut self.buffer), clean)
    }

    /// Waits until `text` has come, and takes everything up to its end.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        loop {
            let found =
                self.buffer.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = found {
                let taken = self.buffer.drain(..at + text.len()).collect();
                return String::from_utf8(taken).unwrap();
            }
            let more = soon(self.stream.read_buf(&mut self.buffer)).await.unwrap();
            let so_far = String::from_utf8_lossy(&self.buffer);
            assert!(more > 0, "closed while waiting for {text:?}; so far {so_far:?}");
        }
    }

    /// Waits until `byte` has come `count` times, whatever the framing puts between, and takes everything that came.
    pub(crate) async fn until_count(&mut self, byte: u8, count: usize) -> Vec<u8> {
        while self.buffer.iter().filter(|known| **known == byte).count() < count {
            assert!(soon(self.more()).await, "closed too early");
        }
        std::mem::take(&mut self.buffer)
    }

    /// Whether the other side has closed, or does so before it sends anything.
    pub(crate) async fn is_closed(&mut self) -> bool {
        matches!(soon(self.stream.read_buf(&mut self.buffer)).await, Ok(0) | Err(_))
    }

    /// A whole request, or as much as comes before the connection closes; `None` where that is nothing.
    pub(crate) async fn try_request(&mut self) -> Option<Message> {
        self.message(false).await
    }

    /// A whole request.
    pub(crate) async fn request(&mut self) -> Message {
        let message = soon(self.message(false)).await.expect("a request");
        assert!(message.complete, "{message:?}");
        message
    }

    /// A reply, or as much as comes before the connection closes; `None` where that is nothing.
    pub(crate) async fn try_reply(&mut self) -> Option<Message> {
        soon(self.message(true)).await
    }

    /// A reply, or as much as comes before the connection closes.
    pub(crate) async fn reply(&mut self) -> Message {
        soon(self.message(true)).await.expect("a reply")
    }

    /// The head of a message.
    pub(crate) async fn head(&mut self) -> String {
        let head = self.until("\r\n\r\n").await;
        head.trim_end_matches("\r\n").to_owned()
    }

    async fn more(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.buffer).await, Ok(n) if n > 0)
    }

    async fn message(&mut self, is_reply: bool) -> Option<Message> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if !self.more().await {
                return None;
            }
        };
        let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
        let head = String::from_utf8(head).unwrap().trim_end_matches("\r\n").to_owned();
        if is_reply && head.starts_with("HTTP/1.1 1") {
            return Box::pin(self.message(is_reply)).await;
        }
        let mut message = Message { head, body: Vec::new(), complete: true };
        if message.header("transfer-encoding").is_some() {
            message.complete = self.chunked(&mut message.body).await;
        } else if let Some(length) = message.header("content-length") {
            let length: usize = length.parse().unwrap();
            while self.buffer.len() < length {
                if !self.more().await {
                    message.complete = false;
                    break;
                }
            }
            message.body = self.buffer.drain(..length.min(self.buffer.len())).collect();
        }
        Some(message)
    }

    async fn chunked(&mut self, body: &mut Vec<u8>) -> bool {
        loop {
            let Some(at) = self.buffer.windows(2).position(|window| window == b"\r\n") else {
                if self.more().await {
                    continue;
                }
                return false;
            };
            let size = std::str::from_utf8(&self.buffer[..at]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            while self.buffer.len() < at + 2 + size + 2 {
                if !self.more().await {
                    body.extend(self.buffer.drain(..).skip(at + 2));
                    return false;
                }
            }
            let chunk: Vec<u8> = self.buffer.drain(..at + 2 + size + 2).collect();
            body.extend_from_slice(&chunk[at + 2..at + 2 + size]);
            if size == 0 {
                return true;
            }
        }
    }
}

impl Message {
    /// The only value of header `name`.
    pub(crate) fn header<'a>(&'a self, name: &str) -> Option<&'a str> {
        let mut values = self.headers(name);
        let value = values.next();
        assert_eq!(values.next(), None, "{name} is repeated");
        value
    }

    /// Every value of header `name`.
    pub(crate) fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_owned();
        self.head.lines().skip(1).filter_map(move |line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(&name).then(|| value.trim())
        })
    }

    /// The status of a reply.
    pub(crate) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A POST of `body` to `/mcp` with `headers`, each line ended by CRLF.
pub(crate) fn post(headers: &str, body: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The head of a POST to `/mcp` with `headers`, each line ended by CRLF; a body may follow.
pub(crate) fn post_head(headers: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n{headers}\r\n"
    )
}

/// A `tools/call` of `tool` under id `id`, its arguments as JSON.
pub(crate) fn call(id: &str, tool: &str, arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#
    )
}

/// The headers of [`modern_call`].
pub(crate) const MODERN: &str =
    "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: t\r\n";

/// A modern `tools/call` of tool `t`.
pub(crate) fn modern_call(id: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"t","arguments":{{}},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    )
}

/// A reply of an upstream: JSON with its length.
pub(crate) fn json_reply(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The head of a reply of an upstream: an event stream in chunks.
pub(crate) const STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// `text` as one chunk of a chunked body.
pub(crate) fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}
