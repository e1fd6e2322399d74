//! CPU per request of the release binary, everything on (JWT, policy, one limit, access log), beside a bare hyper
//! pass-through proxy, round by round in one run; and the memory that a 64 MiB body costs.
//!
//! `cargo bench --bench end_to_end`. Linux only: the cost is read from `/proc`.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench prints what it measured and fails by panicking"
)]

mod support;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use mcpfw::identity::issuer::DemoIssuer;
use support::{Server, cost, load, memory};

/// Keep-alive connections at once.
const CONNECTIONS: u32 = 16;
/// Rounds; each drives both proxies, in turn first. The ratio is the median over rounds.
const ROUNDS: usize = 25;
const MIB: usize = 1 << 20;

/// Name of the row, bytes of the argument, requests a round, the highest ratio that we accept.
const ROWS: &[(&str, usize, u32, f64)] = &[
    ("100 B argument", 100, 6_400, 1.25),
    ("2 KiB argument", 2048, 6_400, 1.25),
    ("64 KiB argument", 64 << 10, 1_600, 1.35),
    ("1 MiB argument", MIB, 160, 1.35),
];

const ISSUER: &str = "https://issuer.bench/";
const AUDIENCE: &str = "https://mcp.bench/mcp";

const POLICY: &str = r#"
[[allow]]
name = "pro-searches"
tools = ["search"]
when = 'claims.plan == "pro"'

[[limit]]
name = "searches"
tools = ["search"]
per = ["claims.sub"]
rate = "1000000/s"
"#;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["upstream"] => runtime.block_on(support::upstream::serve()),
        ["bare-proxy", upstream] => {
            let upstream = upstream.parse().expect("an address");
            runtime.block_on(support::bare_proxy::serve(upstream));
        }
        // `cargo test --benches`: one short round, to see that it works.
        flags if flags.contains(&"--test") => compare(&runtime, 1, 20),
        _ => compare(&runtime, ROUNDS, 1),
    }
}

fn compare(runtime: &tokio::runtime::Runtime, rounds: usize, shrink: u32) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let upstream = Server::role(&["upstream"]);
    let bare = Server::role(&["bare-proxy", &upstream.address]);
    let issuer = DemoIssuer::generate(ISSUER, AUDIENCE).expect("a key");
    let firewall = Server::mcpfw(&config(folder.path(), &issuer, &upstream.address));
    let claims = serde_json::Map::from_iter([("plan".to_owned(), "pro".into())]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let token = issuer.sign("ann", claims, now, 3600).expect("a token");

    println!("{:16} {:>12} {:>12} {:>8}   target", "", "bare µs", "mcpfw µs", "ratio");
    for (name, size, count, target) in ROWS {
        let request = request(&token, *size);
        let count = (count / shrink).max(CONNECTIONS);
        let measure = |server: &Server| {
            let before = cost::cpu_ns(server.pid());
            let load = load::drive(&server.address, &request, CONNECTIONS, count, "three results");
            runtime.block_on(load);
            let requests = f64::from(count / CONNECTIONS * CONNECTIONS);
            (cost::cpu_ns(server.pid()) - before) as f64 / requests / 1000.0
        };
        measure(&bare);
        measure(&firewall);
        let mut pairs: Vec<(f64, f64)> = (0..rounds)
            .map(|round| {
                if round % 2 == 0 {
                    let bare = measure(&bare);
                    (bare, measure(&firewall))
                } else {
                    let firewall = measure(&firewall);
                    (measure(&bare), firewall)
                }
            })
            .collect();
        pairs.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
        let (bare, firewall) = pairs[pairs.len() / 2];
        let ratio = firewall / bare;
        println!("{name:16} {bare:>12.1} {firewall:>12.1} {ratio:>8.2}   ≤ {target}");
    }

    let size = 64 * MIB / shrink as usize;
    let idle = memory::memory_kib(firewall.pid(), "VmRSS");
    cost::reset_peak(firewall.pid());
    let big = request(&token, size);
    runtime.block_on(load::drive(&firewall.address, &big, 1, 1, "three results"));
    let peak = memory::memory_kib(firewall.pid(), "VmHWM");
    println!(
        "{} MiB body: peak RSS {} KiB above idle ({} KiB)   target ≤ 2048 KiB",
        size / MIB,
        peak.saturating_sub(idle),
        idle
    );
}

/// One `tools/call` as raw HTTP, with an argument of `size` bytes.
fn request(token: &str, size: usize) -> Vec<u8> {
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"search","arguments":{{"q":"{}"}}}}}}"#,
        "abcdefghijklmnopqrstuvwxyz0123456789 +".chars().cycle().take(size).collect::<String>()
    );
    format!(
        "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nAuthorization: Bearer {token}\r\n\
         MCP-Protocol-Version: 2025-11-25\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn config(folder: &Path, issuer: &DemoIssuer, upstream: &str) -> std::path::PathBuf {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file of the bench");
        path
    };
    std::fs::create_dir(folder.join("policies")).expect("a folder of the bench");
    write("policies/bench.toml", POLICY);
    let jwks = write("jwks.json", &issuer.jwks());
    write(
        "mcpfw.toml",
        &format!(
            r#"
policies = "{policies}"
[listen]
address = "127.0.0.1:0"
[[auth.jwt]]
issuer = "{iss}"
audience = "{aud}"
jwks = "file:{jwks}"
algorithms = ["EdDSA"]
[[route]]
name = "bench"
path = "/mcp"
upstream = "http://{upstream}/mcp"
[limits]
max_body = "128MiB"
[log]
access = "{log}"
"#,
            policies = folder.join("policies").display(),
            iss = ISSUER,
            aud = AUDIENCE,
            jwks = jwks.display(),
            log = folder.join("access.jsonl").display(),
        ),
    )
}
