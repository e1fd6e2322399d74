//! What a swap changes, and what it leaves alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::Value;
use tokio::task::JoinSet;

use crate::support::gateway::{OPEN, Running, Setup, UNWATCHED};
use crate::support::wire::{Message, Upstream, Wire, call, json_reply, post};

const ALLOW: &str = "[[allow]]\nname = \"a\"\ntools = [\"t\"]\n";
const DENY: &str = "[[deny]]\nname = \"d\"\ntools = [\"t\"]\n";
const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;

async fn ask(gateway: &Running, body: &str) -> Message {
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", body)).await;
    client.reply().await
}

#[tokio::test]
async fn a_new_set_decides_what_begins_after_it() {
    let upstream = Upstream::start().await.answering(json_reply(RESULT));
    let mut gateway = Setup::new(ALLOW, upstream.address).start();
    assert!(ask(&gateway, &call("1", "t", "{}")).await.json()["error"].is_null());
    let first = gateway.log().await;
    let generation = gateway.swap(DENY);
    assert!(first["generation"].as_u64().unwrap() < generation);
    let refused = ask(&gateway, &call("1", "t", "{}")).await.json();
    assert_eq!(refused["error"]["code"], 403);
    let second = gateway.log().await;
    assert_eq!((&second["decision"], &second["rule"]), (&"deny".into(), &"d".into()));
    assert_eq!(second["generation"], generation);
    assert_ne!(first["digest"], second["digest"]);
    assert_eq!(second["digest"], gateway.policies.current().digest().as_str());
    // The same set again has another generation and the same digest.
    gateway.swap(ALLOW);
    ask(&gateway, &call("1", "t", "{}")).await;
    let third = gateway.log().await;
    assert_eq!((&third["decision"], &third["digest"]), (&"allow".into(), &first["digest"]));
}

/// Promise 8: what was admitted is answered, whatever has come in force meanwhile.
#[tokio::test]
async fn a_call_in_flight_is_not_lost() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(ALLOW, upstream.address()).start();
    let mut client = Wire::connect(gateway.address).await;
    client.send(post("", &call("1", "t", "{}"))).await;
    let mut server = upstream.accept().await;
    server.request().await;
    gateway.swap(DENY);
    server.send(json_reply(RESULT)).await;
    assert_eq!(client.reply().await.text(), RESULT);
    let line = gateway.log().await;
    assert_eq!((&line["decision"], &line["outcome"]), (&"allow".into(), &"complete".into()));
}

/// A request is decided by the set that was in force when it began, however late it is decided.
#[tokio::test]
async fn a_body_that_comes_late_is_decided_by_the_set_it_began_with() {
    let upstream = Upstream::start().await.answering(json_reply(RESULT));
    let gateway = Setup::new(ALLOW, upstream.address).start();
    let body = call("1", "t", "{}");
    let request = post("Expect: 100-continue\r\n", &body);
    let (head, body) = request.split_at(request.len() - body.len());
    let mut client = Wire::connect(gateway.address).await;
    client.send(head).await;
    // It asks for the body: it has begun.
    client.until("100 Continue\r\n\r\n").await;
    gateway.swap(DENY);
    client.send(body).await;
    assert!(client.reply().await.json()["error"].is_null());
    client.send(post("", body)).await;
    assert_eq!(client.reply().await.json()["error"]["code"], 403);
}

fn limited(name: &str, rate: &str) -> String {
    format!("{OPEN}[[limit]]\nname = \"{name}\"\nrate = \"{rate}\"\n")
}

/// threats.md, "Fairness and hot reload".
#[tokio::test]
async fn budgets_survive() {
    let upstream = Upstream::start().await.answering(json_reply(RESULT));
    let gateway = Setup::new(&limited("l", "2/h"), upstream.address).start();
    let ask = async || ask(&gateway, &call("1", "t", "{}")).await;
    assert_eq!(ask().await.status(), 200);
    assert_eq!(ask().await.status(), 200);
    assert_eq!(ask().await.status(), 429);
    // Another rule beside it, and the budget is as empty as it was.
    gateway.swap(&format!("{DENY}{}", limited("l", "2/h")).replace("[\"t\"]", "[\"other\"]"));
    assert_eq!(ask().await.status(), 429);
    // A larger budget keeps the debt: an hour of it, of two.
    gateway.swap(&limited("l", "4/h"));
    let reply = ask().await;
    assert_eq!(reply.status(), 429, "two at 30 min each are four at 15: {reply:?}");
    // What a smaller one cannot hold is forgiven.
    gateway.swap(&limited("l", "60/min"));
    let reply = ask().await;
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!(reply.status() == 429 && wait <= 1, "{reply:?}");
    // Another name is another bucket; the old one is gone, and full when it comes back.
    gateway.swap(&limited("m", "2/h"));
    assert_eq!(ask().await.status(), 200);
    gateway.swap(&limited("l", "2/h"));
    assert_eq!(ask().await.status(), 200);
    assert_eq!(ask().await.status(), 200);
    assert_eq!(ask().await.status(), 429);
}

/// While sets are swapped as fast as they can be, each exchange is decided wholly by one of them: verdict, rule, budget and list
/// agree with the generation in its line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_exchange_is_of_two_generations() {
    const CLIENTS: usize = 10;
    /// Swaps that must have been made before a client ends.
    const SWAPS: u64 = 20;
    /// Lists of each set that must have been seen before a client ends.
    const OF_EACH: u64 = 100;
    /// Requests of one client, however slowly a busy machine swaps.
    const AT_MOST: usize = 2000;
    let tools = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"even"},{"name":"odd"}]}}"#;
    let upstream = Upstream::start().await.answering(json_reply(tools));
    // Everything in it has one name.
    let set = |which: &str, other: &str| {
        format!(
            "[[allow]]\nname = \"{which}\"\nmethods = [\"tools/list\"]\ntools = [\"{which}\"]\n\
             [[deny]]\nname = \"not-in-{which}\"\ntools = [\"{other}\"]\n\
             [[limit]]\nname = \"limit-{which}\"\nrate = \"1000000/s\"\n"
        )
    };
    let (even, odd) = (set("even", "odd"), set("odd", "even"));
    let mut gateway = Setup::new(&even, upstream.address).config(UNWATCHED).start();
    let mut generations = HashMap::from([(gateway.policies.current().generation(), "even")]);
    let address = gateway.address;
    let mut clients = JoinSet::new();
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    // Neither side is paced by a clock: clients go on until enough has happened.
    let swaps = Arc::new(AtomicU64::new(0));
    let lists = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    for client in 0..CLIENTS {
        let (swaps, lists) = (swaps.clone(), lists.clone());
        clients.spawn(async move {
            let enough = || {
                swaps.load(Relaxed) >= SWAPS && lists.iter().all(|of| of.load(Relaxed) >= OF_EACH)
            };
            let mut wire = Wire::connect(address).await;
            let mut seen = Vec::new();
            for request in (0..AT_MOST).take_while(|_| !enough()) {
                let id = format!("request-{client:02}-{request:04}");
                let headers = format!("X-Request-Id: {id}\r\n");
                let body = if request % 2 == 0 { list.to_owned() } else { call("1", "even", "{}") };
                wire.send(post(&headers, &body)).await;
                let reply = wire.reply().await;
                if body == list {
                    let odd = reply.body.windows(3).any(|bytes| bytes == b"odd");
                    lists[usize::from(odd)].fetch_add(1, Relaxed);
                }
                seen.push((id, reply));
            }
            seen
        });
    }
    let mut seen = HashMap::new();
    while let Some(done) = loop {
        // As fast as it goes, until the next client is done.
        if let Some(done) = clients.try_join_next() {
            break Some(done);
        }
        if clients.is_empty() {
            break None;
        }
        let made = swaps.fetch_add(1, Relaxed);
        let (text, which) = if made.is_multiple_of(2) { (&odd, "odd") } else { (&even, "even") };
        generations.insert(gateway.swap(text), which);
        tokio::task::yield_now().await;
    } {
        seen.extend(done.unwrap());
    }
    let mut both = [0_u64; 2];
    for _ in 0..seen.len() {
        let line = gateway.log().await;
        let which = generations[&line["generation"].as_u64().unwrap()];
        both[usize::from(which == "odd")] += 1;
        let reply = &seen[line["request_id"].as_str().unwrap()];
        let limit = reply.header("ratelimit-policy").unwrap_or_default();
        let told = reply.json();
        match (line["method"].as_str().unwrap(), which) {
            ("tools/call", "odd") => {
                assert_eq!(
                    (&line["rule"], &told["error"]["code"]),
                    (&"not-in-odd".into(), &403.into())
                );
            }
            ("tools/call", _) => {
                assert_eq!(line["rule"], "even");
                assert!(limit.contains("limit-even") && told["error"].is_null(), "{limit} {told}");
            }
            (_, which) => {
                let names: Vec<&Value> = told["result"]["tools"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|tool| &tool["name"])
                    .collect();
                assert_eq!(names, vec![which]);
                assert!(limit.contains(which), "{limit}");
            }
        }
    }
    let swaps = swaps.load(Relaxed);
    assert!(swaps >= SWAPS && both.iter().all(|of| *of >= OF_EACH), "{swaps} swaps, {both:?}");
}

/// A policy may be swapped by who holds the handle when the gateway has long stopped.
#[tokio::test]
async fn the_handle_outlives_the_gateway() {
    let upstream = Upstream::start().await;
    let mut gateway = Setup::new(ALLOW, upstream.address()).start();
    let policies = gateway.policies.clone();
    gateway.stop();
    gateway.stopped().await;
    let before = policies.current();
    assert!(Arc::ptr_eq(&policies.swap(mcpfw::policy::Policy::empty()), &before));
}
