//! Posted responses through the whole gateway, with requests noted as the inspector of replies will note them.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::config::{Config, Outside, Overrides};
use crate::diagnostic::Sources;
use crate::gateway::Gateway;
use crate::gateway::state::Shared;
use crate::policy::{CompileOptions, Policy, Principal};
use crate::seal::Owner;

const SETUP: &str = "[log]\naccess = \"off\"\n[limits]\nmax_hold = \"1KiB\"\nmax_response = \"1KiB\"\n[listen]\naddress = \"127.0.0.1:0\"\n[[route]]\n\
    name = \"main\"\nsessions = \"plain\"\npath = \"/mcp\"\n";

fn policy(text: &str) -> Arc<Policy> {
    let mut sources = Sources::new();
    sources.add("policy.toml", text.to_owned());
    let options = CompileOptions::new(0);
    let compiled = Policy::compile(&sources, &options);
    compiled.policy.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

const MAY_ELICIT: &str = "[[allow]]\nname = \"ask\"\nserver_requests = [\"elicitation/create\"]\n";

/// A gateway that watches, before an upstream that says 202.
struct Stage {
    address: SocketAddr,
    shared: Arc<Shared>,
    upstream: TcpListener,
}

impl Stage {
    async fn set() -> Self {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let text = format!("{SETUP}upstream = \"http://{}/mcp\"\n", upstream.local_addr().unwrap());
        let mut sources = Sources::new();
        let id = sources.add("mcpfw.toml", text);
        let outside = Outside {
            folder: std::path::Path::new("/"),
            variable: &|_| None,
            file: &|_| Err(io::ErrorKind::NotFound.into()),
        };
        let (config, findings) =
            Config::parse(&mut sources, Some(id), &Overrides::default(), &outside);
        let config = config.unwrap_or_else(|| panic!("{findings:#?}"));
        let gateway = Gateway::bind_with(config, policy(MAY_ELICIT), None, None).unwrap();
        let address = gateway.local_addr().unwrap();
        let shared = Arc::clone(&gateway.shared);
        tokio::spawn(gateway.serve(std::future::pending()));
        Self { address, shared, upstream }
    }

    /// The server asks something in session `session`.
    fn ask(&self, session: &str, raw: &str, method: &str) {
        let owner = Owner::new("main", &Principal::anonymous()).with([session.as_bytes()]);
        let generation = self.shared.policy.load().generation();
        let id = Id::from_raw(raw).unwrap();
        let key = SessionKey(owner.digest());
        self.shared.outstanding.note(key, &id, method, generation, 0).unwrap();
    }

    /// Posts `body` in session `session`; the upstream, where it is reached, answers with `status`. Returns the status and
    /// the body of the reply, and whether the upstream was reached.
    async fn post(&self, session: &str, body: &str, status: &str) -> (u16, String, bool) {
        let mut client = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "POST /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMcp-Session-Id: {session}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        client.write_all(request.as_bytes()).await.unwrap();
        let serve = async {
            let (mut server, _) = self.upstream.accept().await.unwrap();
            let mut seen = Vec::new();
            while !seen.ends_with(body.as_bytes()) {
                assert!(server.read_buf(&mut seen).await.unwrap() > 0);
            }
            if status.is_empty() {
                return;
            }
            let reply =
                format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            server.write_all(reply.as_bytes()).await.unwrap();
        };
        let mut reply = String::new();
        let mut is_reached = false;
        {
            let mut serve = std::pin::pin!(serve);
            let mut read = std::pin::pin!(client.read_to_string(&mut reply));
            loop {
                tokio::select! {
                    () = &mut serve, if !is_reached => is_reached = true,
                    read = &mut read => {
                        read.unwrap();
                        break;
                    }
                }
            }
        }
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned(), is_reached)
    }
}

fn answer(raw: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{raw},"result":{{"action":"accept"}}}}"#)
}

#[tokio::test]
async fn a_response_passes_once_and_only_to_what_was_asked() {
    let stage = Stage::set().await;
    stage.ask("s1", "1", "elicitation/create");
    stage.ask("s1", "\"1\"", "ping");
    for (session, raw) in [("s2", "1"), ("s1", "2"), ("s1", "\"2\"")] {
        let (status, body, is_reached) = stage.post(session, &answer(raw), "202 Accepted").await;
        assert_eq!((status, is_reached), (403, false), "{session} {raw}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"]["data"]["reason"], "response_unasked");
        assert!(body["id"].is_null());
    }
    for raw in ["1", "\"1\""] {
        let passes = stage.post("s1", &answer(raw), "202 Accepted").await;
        assert_eq!((passes.0, passes.2), (202, true), "{raw}");
        let again = stage.post("s1", &answer(raw), "202 Accepted").await;
        assert_eq!((again.0, again.2), (403, false), "{raw}");
    }
    // An error is an answer as well.
    stage.ask("s1", "3", "elicitation/create");
    let refusal = r#"{"jsonrpc":"2.0","id":3,"error":{"code":-1,"message":"no"}}"#;
    assert_eq!(stage.post("s1", refusal, "202 Accepted").await.0, 202);
}

#[tokio::test]
async fn the_id_may_stand_anywhere_within_limits() {
    let stage = Stage::set().await;
    let late = |id: &str, length: usize| {
        format!(r#"{{"jsonrpc":"2.0","result":{{"x":"{}"}},"id":{id}}}"#, "x".repeat(length))
    };
    stage.ask("s", "1", "elicitation/create");
    let (status, _, is_reached) = stage.post("s", &late("2", 900), "202 Accepted").await;
    assert_eq!((status, is_reached), (403, false));
    let (status, body, is_reached) = stage.post("s", &late("1", 2_000), "202 Accepted").await;
    assert_eq!((status, is_reached), (400, false));
    assert!(body.contains("hold_exceeded"), "{body}");
    let (status, _, is_reached) = stage.post("s", &late("1", 900), "202 Accepted").await;
    assert_eq!((status, is_reached), (202, true));
    // Behind its id, a result may be as long as it likes.
    stage.ask("s", "4", "elicitation/create");
    let early = format!(r#"{{"id":4,"jsonrpc":"2.0","result":"{}"}}"#, "x".repeat(100_000));
    assert_eq!(stage.post("s", &early, "202 Accepted").await.0, 202);
}

#[tokio::test]
async fn what_does_not_arrive_may_be_sent_again() {
    let stage = Stage::set().await;
    stage.ask("s", "1", "elicitation/create");
    let (status, _, is_reached) = stage.post("s", &answer("1"), "").await;
    assert_eq!((status, is_reached), (502, true));
    // Two documents, found behind the decision.
    let (status, _, is_reached) = stage.post("s", &(answer("1") + "{}"), "202 Accepted").await;
    assert_eq!((status, is_reached), (400, false));
    assert_eq!(stage.post("s", &answer("1"), "202 Accepted").await.0, 202);
    assert_eq!(stage.post("s", &answer("1"), "202 Accepted").await.0, 403);
}

/// A batch of responses (2025-03-26) passes where each of them would.
#[tokio::test]
async fn all_of_a_batch_answers_something_or_none_passes() {
    let stage = Stage::set().await;
    stage.ask("s", "1", "elicitation/create");
    stage.ask("s", "2", "ping");
    let batch = |ids: &[&str]| {
        let all: Vec<String> = ids.iter().map(|raw| answer(raw)).collect();
        format!("[{}]", all.join(","))
    };
    for ids in [&["1", "3"][..], &["3", "1"], &["1", "2", "\"2\""]] {
        let (status, body, is_reached) = stage.post("s", &batch(ids), "202 Accepted").await;
        assert_eq!((status, is_reached), (403, false), "{ids:?}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["error"]["data"]["reason"], "response_unasked");
    }
    // Nothing of a refused batch counts as answered.
    let passes = stage.post("s", &batch(&["2", "1"]), "202 Accepted").await;
    assert_eq!((passes.0, passes.2), (202, true));
    assert_eq!(stage.post("s", &batch(&["2"]), "202 Accepted").await.0, 403);
}

#[tokio::test]
async fn todays_policy_judges() {
    let stage = Stage::set().await;
    stage.ask("s", "1", "elicitation/create");
    stage.ask("s", "2", "ping");
    stage.shared.policy.store(policy("[[allow]]\nname = \"t\"\ntools = [\"t\"]\n"));
    let (status, body, is_reached) = stage.post("s", &answer("1"), "202 Accepted").await;
    assert_eq!((status, &*body, is_reached), (403, "", false));
    assert_eq!(stage.post("s", &answer("2"), "202 Accepted").await.0, 202);
    // It still waits, in case the policy comes back.
    stage.shared.policy.store(policy(MAY_ELICIT));
    assert_eq!(stage.post("s", &answer("1"), "202 Accepted").await.0, 202);
}

/// An id that stands for a permitted and a refused request answers neither.
#[tokio::test]
async fn every_request_of_an_id_must_be_permitted() {
    let stage = Stage::set().await;
    stage.ask("s", "1", "elicitation/create");
    stage.ask("s", "1", "sampling/createMessage");
    stage.shared.policy.store(policy(MAY_ELICIT));
    assert_eq!(stage.post("s", &answer("1"), "202 Accepted").await.0, 403);
}
