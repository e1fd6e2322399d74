//! What the client of an open stream is told when a set changes what its lists show.

use super::{Opened, event, get, listen, open};
use crate::support::gateway::{Running, Setup};
use crate::support::wire::{Upstream, Wire, chunk, json_reply, post};

const NOTICE: &str = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
const PLAIN: &str = "sessions = \"plain\"";

fn allow(tools: &str) -> String {
    format!("[[allow]]\nname = \"a\"\ntools = [{tools}]\nprompts = [\"p\"]\n")
}

fn changed(list: &str) -> String {
    format!(
        "event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/{list}/list_changed\"}}\n\n"
    )
}

/// Somebody asks for a list, which is `elements`.
async fn relay_list(gateway: &Running, upstream: &Upstream, list: &str, elements: &str) {
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{list}/list"}}"#))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    let reply = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"{list}":[{elements}]}}}}"#);
    server.send(json_reply(&reply).replacen("\r\n", "\r\nConnection: close\r\n", 1)).await;
    assert_eq!(client.reply().await.status(), 200);
}

async fn relay_lists(gateway: &Running, upstream: &Upstream) {
    relay_list(gateway, upstream, "tools", r#"{"name":"t"},{"name":"u"}"#).await;
    relay_list(gateway, upstream, "prompts", r#"{"name":"p"}"#).await;
    relay_list(gateway, upstream, "resources", r#"{"uri":"doc://a","name":"n"}"#).await;
}

impl Opened {
    /// Lets the server send an event, and returns what came before it and with it.
    async fn next(&mut self) -> String {
        self.server.send(event(NOTICE)).await;
        self.client.until(&format!("data: {NOTICE}\n\n")).await
    }

    /// Nothing but an event of the server comes.
    async fn is_told_nothing(&mut self) {
        let out = self.next().await;
        assert!(!out.contains("list_changed"), "{out}");
    }
}

#[tokio::test]
async fn a_session_is_told_of_what_it_sees() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(&allow("\"t\""), upstream.address()).config(PLAIN).start();
    relay_lists(&gateway, &upstream).await;
    let mut stream = open(&gateway, &upstream, get("s")).await;
    // It is quiet, and hears at once: of tools alone.
    gateway.swap(&allow("\"t\", \"u\""));
    stream.client.until(&changed("tools")).await;
    stream.is_told_nothing().await;
    // Nothing visible has changed: a limit, a rule for arguments that may be met, a tool that there is not.
    gateway.swap(&format!("{}[[limit]]\nname = \"l\"\nrate = \"9/s\"\n", allow("\"t\", \"u\"")));
    stream.is_told_nothing().await;
    gateway.swap(&format!("{}when = 'args.x == 1'\n", allow("\"t\", \"u\", \"v\"")));
    stream.is_told_nothing().await;
    // Prompts and resources as well.
    gateway.swap(&format!(
        "{}resources = [\"doc://a\"]\n",
        allow("\"t\", \"u\"").replace("\"p\"", "\"q\"")
    ));
    let both = stream.client.until(&changed("resources")).await;
    assert!(both.contains(&changed("prompts")) && !both.contains("tools"), "{both}");
    stream.is_told_nothing().await;
}

/// Where nobody has asked for a list and there is no lock, nothing is known of what there is.
#[tokio::test]
async fn who_cannot_know_tells() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(&allow("\"t\""), upstream.address()).config(PLAIN).start();
    let mut stream = open(&gateway, &upstream, get("s")).await;
    gateway.swap(&allow("\"t\", \"u\""));
    stream.client.until(&changed("resources")).await;
    // But the same set again is the same.
    gateway.swap(&allow("\"t\", \"u\""));
    stream.is_told_nothing().await;
}

#[tokio::test]
async fn an_event_is_never_broken_and_has_no_id() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(&allow("\"t\""), upstream.address()).config(PLAIN).start();
    relay_lists(&gateway, &upstream).await;
    let mut stream = open(&gateway, &upstream, get("s")).await;
    // Every piece ends inside an event.
    let (half, rest) = NOTICE.split_at(30);
    let whole = format!("id: 4\ndata: {NOTICE}\n\n");
    stream.server.send(chunk(&format!("{whole}id: 5\ndata: {half}"))).await;
    stream.client.until("id: 5\n").await;
    gateway.swap(&allow("\"u\""));
    stream.server.send(chunk(&format!("{rest}\n\nid: 6\ndata: {half}"))).await;
    stream.server.send(chunk(&format!("{rest}\n\n"))).await;
    let out = stream.client.until("id: 6\n").await;
    let lines = out.split("\r\n").filter(|line| usize::from_str_radix(line, 16).is_err());
    let out: String = lines.collect();
    assert_eq!(out, format!("data: {NOTICE}\n\n{}id: 6\n", changed("tools")));
}

/// The server must not send one message on several streams, and so do we not.
#[tokio::test]
async fn one_stream_of_a_session_is_told() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(&allow("\"t\""), upstream.address()).config(PLAIN).start();
    relay_lists(&gateway, &upstream).await;
    let mut streams = Vec::new();
    for session in ["s", "s", "other"] {
        streams.push(open(&gateway, &upstream, get(session)).await);
    }
    for tools in ["\"u\"", "\"t\"", "\"u\""] {
        gateway.swap(&allow(tools));
        let mut told = Vec::new();
        for stream in &mut streams {
            // The event of the server comes behind ours, where there is one.
            told.push(stream.next().await.matches("list_changed").count());
        }
        assert_eq!((told[0] + told[1], told[2]), (1, 1), "{told:?}");
    }
}

#[tokio::test]
async fn a_stream_of_the_first_transport_is_told_behind_its_endpoint() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(&allow("\"t\""), upstream.address()).start();
    relay_lists(&gateway, &upstream).await;
    let mut stream = open(&gateway, &upstream, get("")).await;
    gateway.swap(&allow("\"u\""));
    stream.server.send(chunk("event: endpoint\ndata: /messages/?session_id=ab12\n\n")).await;
    let out = stream.client.until(&changed("tools")).await;
    let (endpoint, told) = (out.find("event: endpoint"), out.find("list_changed"));
    assert!(endpoint.is_some() && endpoint < told, "{out}");
    gateway.swap(&allow("\"t\""));
    stream.client.until(&changed("tools")).await;
}

#[tokio::test]
async fn a_subscription_is_told_of_what_it_asked_for() {
    const ACK: &str =
        r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{}}"#;
    let upstream = Upstream::start().await;
    let listens = "[[allow]]\nname = \"l\"\nmethods = [\"subscriptions/listen\"]\n";
    let set = |tools: &str| format!("{}{listens}", allow(tools));
    let gateway = Setup::new(&set("\"t\""), upstream.address()).start();
    relay_lists(&gateway, &upstream).await;
    let tools = r#""toolsListChanged":true,"promptsListChanged":false"#;
    // (id, filter, whether it is told)
    let cases = [
        ("77", tools, true),
        ("\"a\\u000a77\"", tools, true),
        ("1", r#""promptsListChanged":true"#, false),
        ("2", "", false),
    ];
    let mut streams = Vec::new();
    for (id, filter, _) in cases {
        streams.push(open(&gateway, &upstream, listen(id, filter)).await);
    }
    gateway.swap(&set("\"t\", \"u\""));
    for ((id, _, is_told), stream) in cases.iter().zip(&mut streams) {
        // Never before the acknowledgement.
        stream.server.send(event(ACK)).await;
        let out = stream.client.until(&format!("data: {ACK}\n\n")).await;
        assert!(!out.contains("list_changed"), "{out}");
        if *is_told {
            let told = stream.client.until("\n\n").await;
            let wanted = format!(
                "\"method\":\"notifications/tools/list_changed\",\"params\":{{\"_meta\":{{\"io.modelcontextprotocol/subscriptionId\":{id}}}}}}}\n\n"
            );
            assert!(told.ends_with(&wanted), "{told}\n{wanted}");
        }
        stream.is_told_nothing().await;
    }
}

/// A POST that is answered with a stream is nobody's ear for such things.
#[tokio::test]
async fn a_call_is_told_nothing() {
    let upstream = Upstream::start().await;
    let gateway = Setup::new(&allow("\"t\""), upstream.address()).start();
    relay_lists(&gateway, &upstream).await;
    let call = crate::support::wire::call("1", "t", "{}");
    let mut stream = open(&gateway, &upstream, post("", &call)).await;
    gateway.swap(&allow("\"t\", \"u\""));
    stream.is_told_nothing().await;
}
