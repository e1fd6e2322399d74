//! What a stream costs: the delay that mcpfw adds to an event, and the memory of idle streams, beside a bare hyper proxy in the same
//! run.
//!
//! `cargo bench --bench streams`. Linux only: memory is read from `/proc`. It needs `ulimit -n 20000`.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::string_slice,
    reason = "a bench prints what it measured and fails by panicking"
)]

#[path = "support/bare_proxy.rs"]
mod bare_proxy;
#[path = "support/memory.rs"]
mod memory;
#[path = "support/server.rs"]
mod server;

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use server::Server;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

/// Streams at once, for the delay of events.
const CROWDS: [usize; 3] = [1, 100, 1_000];
/// Events of a crowd and round, over all of its streams.
const EVENTS: usize = 2_000;
/// Rounds; each drives both proxies, in turn first. The delay is that of the quietest round.
const ROUNDS: usize = 9;
/// Streams that say nothing, for the memory: nearly the 8 000 connections that mcpfw takes of 20 000 descriptors.
const IDLE: usize = 7_900;
/// To reach: microseconds that the 99th percentile may be beyond the bare proxy's, and KiB of an idle stream.
const TARGETS: (f64, f64) = (100.0, 25.0);

/// Tools are allowed, and the server may ask for nothing: every event is looked at.
const POLICY: &str = "[[allow]]\nname = \"all\"\ntools = [\"*\"]\n";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["upstream"] => runtime.block_on(upstream()),
        ["bare-proxy", address] => {
            let address = address.parse().expect("an address");
            runtime.block_on(bare_proxy::serve(address));
        }
        ["idle", address, count] => {
            runtime.block_on(hold(address, count.parse().expect("a number")));
        }
        // `cargo test --benches`: once and small, to see that it works.
        flags if flags.contains(&"--test") => compare(&runtime, 1, 20, 50),
        _ => compare(&runtime, ROUNDS, 1, IDLE),
    }
}

fn compare(runtime: &tokio::runtime::Runtime, rounds: usize, shrink: usize, idle: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let upstream = Server::role(&["upstream"]);
    let start = || {
        let bare = Server::role(&["bare-proxy", &upstream.address]);
        let firewall = Server::mcpfw(&config(folder.path(), &upstream.address));
        [bare, firewall]
    };
    println!(
        "{:14} {:>22} {:>22} {:>12}",
        "an event", "bare p50/p99 µs", "mcpfw p50/p99 µs", "p99 beyond"
    );
    for crowd in CROWDS {
        let crowd = (crowd / shrink).max(1);
        let proxies = start();
        let mut delays: [Vec<(f64, f64)>; 2] = Default::default();
        for round in 0..rounds {
            for turn in 0..2 {
                let which = (round + turn) % 2;
                let events = (EVENTS / shrink / crowd).max(1);
                let mut found = runtime.block_on(delays_of(&proxies[which].address, crowd, events));
                found.sort_by(f64::total_cmp);
                let at = |share: f64| found[((found.len() - 1) as f64 * share) as usize];
                delays[which].push((at(0.5), at(0.99)));
            }
        }
        // Whatever else the machine does can only add to a delay: the round that it disturbed least tells most.
        let [bare, ours] = delays.map(|rounds| {
            let half = rounds.iter().map(|round| round.0).fold(f64::MAX, f64::min);
            let most = rounds.iter().map(|round| round.1).fold(f64::MAX, f64::min);
            [half, most]
        });
        let shown = |[half, most]: [f64; 2]| format!("{half:.0} / {most:.0}");
        println!(
            "{:14} {:>22} {:>22} {:>12.0}   target {:.0}",
            format!("{crowd} streams"),
            shown(bare),
            shown(ours),
            ours[1] - bare[1],
            TARGETS.0
        );
    }
    println!("\n{:14} {:>14} {:>14}", "idle streams", "bare KiB each", "mcpfw KiB each");
    // An upstream for each: it learns that a stream is gone only when it writes.
    let each = [0, 1].map(|which| {
        let upstream = Server::role(&["upstream"]);
        let proxy = match which {
            0 => Server::role(&["bare-proxy", &upstream.address]),
            _ => Server::mcpfw(&config(folder.path(), &upstream.address)),
        };
        idle_kib(&proxy, idle)
    });
    println!("{idle:<14} {:>14.1} {:>14.1}   target {:.0}", each[0], each[1], TARGETS.1);
}

/// KiB of resident memory that each of `count` idle streams takes in `proxy`.
fn idle_kib(proxy: &Server, count: usize) -> f64 {
    let before = memory::memory_kib(proxy.pid(), "VmRSS");
    let mut holder = Holder::start(&proxy.address, count);
    holder.wait();
    let after = memory::memory_kib(proxy.pid(), "VmRSS");
    after.saturating_sub(before) as f64 / count as f64
}

/// Another process that holds streams open: this one has too few descriptors for both ends.
struct Holder(Child);

impl Holder {
    fn start(address: &str, count: usize) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("the path of this binary"));
        command.args(["idle", address, &count.to_string()]).stdout(Stdio::piped());
        Self(command.spawn().expect("a child of this binary"))
    }

    /// Until all streams are open.
    fn wait(&mut self) {
        let mut line = String::new();
        let out = self.0.stdout.take().expect("its standard output");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)
            .expect("the child speaks");
        assert_eq!(line.trim(), "open");
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn hold(address: &str, count: usize) {
    let mut open = Vec::with_capacity(count);
    for at in 0..count {
        open.push(listen(address, at).await);
    }
    println!("open");
    std::io::stdout().flush().expect("the parent listens");
    std::future::pending::<()>().await;
}

/// A stream, behind its head and the first event.
async fn listen(address: &str, at: usize) -> BufReader<TcpStream> {
    let mut stream = connect(address, at).await;
    stream.set_nodelay(true).expect("nodelay");
    let request = "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
    stream.write_all(request.as_bytes()).await.expect("the request is taken");
    let mut reader = BufReader::with_capacity(512, stream);
    while !line(&mut reader).await.contains("notifications/ready") {}
    reader
}

/// The connection of stream `at`: 200 from one address, since mcpfw takes 256 at the most.
async fn connect(address: &str, at: usize) -> TcpStream {
    let from = Ipv4Addr::from(
        u32::from(Ipv4Addr::new(127, 0, 1, 1)) + u32::try_from(at / 200).expect("few"),
    );
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from((from, 0))).expect("an address of loopback");
    socket.connect(address.parse().expect("an address")).await.expect("the proxy accepts")
}

async fn line(reader: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    let read = reader.read_line(&mut line).await.expect("a line");
    assert!(read > 0, "the stream ended");
    line
}

/// Opens `crowd` streams, has the upstream send `events` on each, and returns how long each took to come, in µs.
async fn delays_of(address: &str, crowd: usize, events: usize) -> Vec<f64> {
    let mut readers = Vec::with_capacity(crowd);
    for at in 0..crowd {
        readers.push(listen(address, at).await);
    }
    // The upstream sends an event on every stream for each of these.
    let start = TcpStream::connect(address).await.expect("the proxy accepts");
    let tasks: Vec<_> = readers
        .into_iter()
        .map(|mut reader| {
            tokio::spawn(async move {
                let mut found = Vec::with_capacity(events);
                while found.len() < events {
                    let text = line(&mut reader).await;
                    let Some((_, sent)) = text.split_once("\"sent\":") else { continue };
                    let sent = sent.split('}').next().and_then(|sent| sent.parse::<u64>().ok());
                    found.push((now_ns() - sent.expect("a time")) as f64 / 1000.0);
                }
                found
            })
        })
        .collect();
    tick(start, events, crowd).await;
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.expect("a stream's events"));
    }
    all
}

/// Tells the upstream to send, at a pace that neither proxy queues at.
async fn tick(mut stream: TcpStream, events: usize, crowd: usize) {
    let body = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{events},"progress":{crowd}}}}}"#
    );
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("the request is taken");
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.expect("an answer");
    assert_eq!(&head[9..], b"202");
}

fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_nanos()).expect("before 2554")
}

/// The streams that are or were open, by age.
type Streams = Arc<Mutex<Vec<mpsc::UnboundedSender<()>>>>;

/// A server of streams: a POST makes it send events on all streams that are open.
async fn upstream() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("its address"));
    let streams = Streams::default();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let streams = Arc::clone(&streams);
        tokio::spawn(async move {
            let _ = serve(stream, &streams).await;
        });
    }
}

async fn serve(mut stream: TcpStream, streams: &Streams) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        while !buffer.windows(4).any(|four| four == b"\r\n\r\n") {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        if buffer.starts_with(b"GET") {
            let (say, said) = mpsc::unbounded_channel();
            streams.lock().push(say);
            return events(stream, said).await;
        }
        let text = loop {
            let text = String::from_utf8_lossy(&buffer).into_owned();
            if text.ends_with("}}") {
                break text;
            }
            stream.read_buf(&mut buffer).await?;
        };
        stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await?;
        let number = |key: &str| {
            let rest = text.split(key).nth(1).unwrap_or_default();
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest[..end].parse::<u64>().unwrap_or(0)
        };
        let (events, crowd) = (number("\"progressToken\":"), number("\"progress\":"));
        // The youngest streams are those of this round. One event at a time, a thousand a second: what is measured is an event and
        // not a queue of them.
        let all = streams.lock().clone();
        let ours = &all[all.len().saturating_sub(usize::try_from(crowd).unwrap_or(usize::MAX))..];
        let mut pace = tokio::time::interval(Duration::from_millis(1));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for _ in 0..events {
            for say in ours {
                pace.tick().await;
                let _ = say.send(());
            }
        }
    }
}

async fn events(
    mut stream: TcpStream,
    mut said: mpsc::UnboundedReceiver<()>,
) -> std::io::Result<()> {
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let ready = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/ready\"}\n\n";
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all((head.to_owned() + &chunk(ready)).as_bytes()).await?;
    while said.recv().await.is_some() {
        let event = format!(
            "event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{{\"level\":\"info\",\"data\":\"{}\",\"sent\":{}}}}}\n\n",
            "words ".repeat(40),
            now_ns()
        );
        stream.write_all(chunk(&event).as_bytes()).await?;
    }
    Ok(())
}

fn config(folder: &std::path::Path, upstream: &str) -> std::path::PathBuf {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file of the bench");
        path
    };
    std::fs::create_dir_all(folder.join("policies")).expect("a folder of the bench");
    write("policies/bench.toml", POLICY);
    write(
        "mcpfw.toml",
        &format!(
            "policies = \"{}\"\n[listen]\naddress = \"127.0.0.1:0\"\n[[route]]\npath = \"/mcp\"\nupstream = \"http://{upstream}/mcp\"\n\
             [limits]\nmax_connections = 20000\n[log]\naccess = \"off\"\n",
            folder.join("policies").display()
        ),
    )
}
