//! Tests of: gateway. One request at a time, and what becomes of it.

use serde_json::json;

use crate::support::gateway::{OPEN, Setup};
use crate::support::wire::{Upstream, Wire, call, json_reply, post};

#[tokio::test]
async fn a_call_goes_through() {
    let mut upstream =
        Upstream::start().await.answering(json_reply(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#));
    let mut gateway = Setup::new(OPEN, upstream.address).start();
    let mut client = Wire::connect(gateway.address).await;
    let body = call("7", "search", r#"{"q":"rust"}"#);
    client.send(post("X-Request-Id: abcd-1234\r\n", &body)).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 200, "{reply:?}");
    assert_eq!(reply.text(), r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
    assert_eq!(reply.header("x-request-id"), Some("abcd-1234"));
    let request = upstream.request().await;
    assert_eq!(request.text(), body);
    assert_eq!(request.header("x-request-id"), Some("abcd-1234"));
    assert_eq!(request.header("x-forwarded-for"), Some("127.0.0.1"));
    let line = gateway.log().await;
    assert_eq!(line["method"], "tools/call");
    assert_eq!(line["target"], "search");
    assert_eq!(line["decision"], "allow");
    assert_eq!(line["rule"], "all");
    assert_eq!(line["status"], 200);
    assert_eq!(line["outcome"], "complete");
    assert_eq!(line["bytes_in"], json!(body.len()));
}

#[tokio::test]
async fn a_refused_call_is_told_under_its_id_and_never_sent() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new("", upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("\"a\"", "wipe", "{}"))).await;
    let reply = client.reply().await;
    assert_eq!(reply.status(), 200, "{reply:?}");
    let error = reply.json();
    assert_eq!(error["id"], "a");
    assert_eq!(error["error"]["code"], 403);
    assert_eq!(error["error"]["message"], "tool 'wipe' denied by policy");
    assert_eq!(error["error"]["data"]["reason"], "default_deny");
    assert!(!upstream.was_called().await);
    let line = gateway.log().await;
    assert_eq!(line["decision"], "deny");
    assert_eq!(line["reason"], "default_deny");
}

/// An issuer, and the gateway's way to know its callers.
fn issuer() -> (DemoIssuer, Authenticator) {
    let issuer = DemoIssuer::generate("https://id.test/", "https://mcp.test/mcp").unwrap();
    let authenticator = Authenticator::new([issuer.trust()], |_, _| {}).unwrap();
    (issuer, authenticator)
}
