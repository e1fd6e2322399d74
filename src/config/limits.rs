//! Every bound of the data path that a config file can move: its unit, its default and why (threats.md §5).

use std::time::Duration;

use crate::diagnostic::document::Table;
use crate::inspect::annotation::Annotated;
use crate::inspect::request::RequestLimits;
use crate::seal::Sealer;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// The table `[limits]`. But for those of `request`, a field is the key of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bounds of one request body, with their defaults; of them these keys can move:
    ///
    /// - `max_body`, 4 MiB: the largest arguments that servers in the field accept. It costs no memory: bodies stream.
    /// - `max_hold`, 64 KiB (T8), is held back while a verdict is open: method, target and the arguments that rules read
    ///   come first in what clients write. This is the memory that one caller can pin.
    /// - `max_captured`, 16 KiB, of arguments is kept for rules to read. What is larger is not refused but unknown, and
    ///   so counts against the caller.
    /// - `max_batch`, 20 (T6), messages in one batch of 2025-03-26; 0 refuses all. A batch is held until its last message is
    ///   known, so that `max_hold` bounds its bytes.
    /// - `max_depth` (64), `max_key` (1 KiB), `max_number` (64 bytes), `max_values` (2^20), `max_open_keys` (4 096): bounds
    ///   of the JSON text itself (T5). Parsers behind us have bounds of their own, and lower ones than memory.
    pub request: RequestLimits,
    /// Bytes of one list element, or of one event, held back until its name or kind is known. Default 64 KiB: the
    /// largest tool descriptions seen are below 16 KiB (T51), and the name need not come first.
    pub max_element: usize,
    /// Bytes of one message of a reply, where replies are looked through. Default 64 MiB: nothing of it is held here, but
    /// clients hold all of it (T54); the largest results seen are screenshots of some 10 MiB.
    pub max_event: u64,
    /// Bytes of one event stream. Default 4 GiB (T48): it ends between two events then, and its client may ask anew.
    pub max_stream: u64,
    /// Header fields of a request. Default 100: as hyper and Envoy.
    pub max_headers: usize,
    /// Bytes of a request's head. Default 64 KiB: a token of 16 KiB (T38) and room.
    pub max_head: usize,
    /// Tools of a route whose mirrored arguments (`Mcp-Param-*`) are remembered. Default 1 000: ten times the longest lists in
    /// the field. One takes some hundred bytes; what does not fit is the server's to check (T9).
    pub max_mirrored_tools: usize,
    /// Connections from downstream at once. Default 8 000 (T31): 40 % of the 20 000 descriptors that a process usually
    /// may have; every streaming exchange needs a second one.
    pub max_connections: usize,
    /// Bytes of a session id that a server makes (T44). Default 1 KiB: most are 36 long, and some are tokens. Clients are
    /// given a sealed one, 4/3 as long and 52 bytes more; beyond some KiB it would no longer fit into a head.
    pub max_session_id: usize,
    /// Bytes of a `requestState` that a server makes (T14). Default 32 KiB: known servers keep far less in it. Clients are given
    /// a sealed one, 4/3 as long, which must fit into `max_hold`.
    pub max_state: usize,
    /// How long a client may take to come back with one (T14). Default 1 h: people answer what is asked, and pay.
    pub state_age: Duration,
    /// Bytes of the first event of a stream of 2024-11-05, which says where to post. Default 2 KiB: known servers write below
    /// 100. Clients are given a sealed one, 4/3 as long, in the first line of each post.
    pub max_endpoint: usize,
    /// Requests of servers that wait for an answer of a client (T16). Default 65 536, some 16 MiB: thousands of sessions with a
    /// few questions each. Where there is no room, a server cannot ask.
    pub max_outstanding: usize,
    /// The same of one session. Default 64: more questions than anybody answers at a time. The oldest gives way.
    pub max_outstanding_session: usize,
    /// How long a server's request waits for its answer. Default 1 h: people answer some of them.
    pub outstanding_ttl: Duration,
    /// Limit buckets at once. Default 1 000 000 (T47), about 64 MiB.
    pub max_limit_keys: usize,
    /// From a connection's first byte (or a request's, on a kept one) to the end of the head. Default 10 s (T29).
    pub header_timeout: Duration,
    /// Between two pieces of a request body. Default 30 s (T29).
    pub body_idle: Duration,
    /// To a TCP connection upstream. Default 1 s: upstreams are near, and a caller is waiting.
    pub connect_timeout: Duration,
    /// From the end of a request to the head of its reply. Default 30 s.
    pub first_byte: Duration,
    /// Between two pieces of a reply; comments count. Default 5 min: servers send a comment every 15 to 30 s.
    pub stream_idle: Duration,
    /// How long an event stream is quiet before mcpfw sends a comment of its own, between two events. Default 15 s: half of the
    /// shortest idle timeout that load balancers in the field have.
    pub stream_comment: Duration,
    /// How long a stream that ends only with its client may be open (T49). Default 4 h: it then ends between two events, and
    /// what its client may see is decided anew.
    pub stream_age: Duration,
    /// An idle connection from downstream. Default 75 s (T31): longer than a minute, so that clients that call once a
    /// minute keep theirs.
    pub keep_alive: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request: RequestLimits::default(),
            max_element: 64 << 10,
            max_event: 64 << 20,
            max_stream: 4 << 30,
            max_headers: 100,
            max_head: 64 << 10,
            max_mirrored_tools: Annotated::DEFAULT_TOOLS,
            max_connections: 8_000,
            max_session_id: 1 << 10,
            max_state: 32 << 10,
            state_age: Duration::from_secs(3_600),
            max_endpoint: 2 << 10,
            max_outstanding: 65_536,
            max_outstanding_session: 64,
            outstanding_ttl: Duration::from_secs(3_600),
            max_limit_keys: 1_000_000,
            header_timeout: Duration::from_secs(10),
            body_idle: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(1),
            first_byte: Duration::from_secs(30),
            stream_idle: Duration::from_secs(5 * 60),
            stream_comment: Duration::from_secs(15),
            stream_age: Duration::from_secs(4 * 3600),
            keep_alive: Duration::from_secs(75),
        }
    }
}

impl Limits {
    /// Reads `[limits]`; what is absent or wrong keeps its default.
    pub(super) fn read(table: Table<'_>) -> Self {
        let mut limits = Self::default();
        let mut from = Reader(table);
        // The upper ends keep a slip of the pen ("4GiB" for "4MiB") from undoing a limit; the lower ones keep real
        // requests alive.
        from.size("max_body", KIB, 1 << 30, &mut limits.request.body);
        from.size("max_hold", KIB, 16 * MIB, &mut limits.request.hold);
        from.count("max_batch", 0, 100, &mut limits.request.batch);
        from.size("max_response", KIB, 16 * MIB, &mut limits.request.response);
        from.count("max_depth", 4, 512, &mut limits.request.json.depth);
        from.size("max_key", 32, 32 * KIB, &mut limits.request.json.key_bytes);
        from.size("max_number", 20, KIB, &mut limits.request.json.number_bytes);
        from.count("max_values", 64, 1 << 26, &mut limits.request.json.values);
        from.count("max_open_keys", 64, 1 << 20, &mut limits.request.json.open_keys);
        from.size("max_captured", 256, MIB, &mut limits.request.capture);
        from.size("max_element", KIB, 16 * MIB, &mut limits.max_element);
        from.size("max_event", KIB, 1 << 40, &mut limits.max_event);
        from.size("max_stream", KIB, 1 << 50, &mut limits.max_stream);
        from.count("max_headers", 16, 1_000, &mut limits.max_headers);
        from.size("max_head", 8 * KIB, MIB, &mut limits.max_head);
        from.count("max_mirrored_tools", 0, 100_000, &mut limits.max_mirrored_tools);
        from.count("max_connections", 1, 1_000_000, &mut limits.max_connections);
        from.size("max_session_id", 64, 8 * KIB, &mut limits.max_session_id);
        from.size("max_state", 256, 48 * KIB, &mut limits.max_state);
        limits.request.state = Sealer::sealed_len(limits.max_state + 8);
        from.size("max_endpoint", 256, 16 * KIB, &mut limits.max_endpoint);
        from.count("max_outstanding", 16, 10_000_000, &mut limits.max_outstanding);
        // Looked through one by one for each answer.
        from.count("max_outstanding_session", 1, 1_024, &mut limits.max_outstanding_session);
        from.count("max_limit_keys", 1_000, 100_000_000, &mut limits.max_limit_keys);
        let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3_600));
        let day = 24 * hour;
        from.time("header_timeout", second, hour, &mut limits.header_timeout);
        from.time("body_idle", second, hour, &mut limits.body_idle);
        from.time("connect_timeout", second / 100, hour, &mut limits.connect_timeout);
        from.time("first_byte", second / 10, day, &mut limits.first_byte);
        from.time("stream_idle", second, day, &mut limits.stream_idle);
        from.time("stream_age", second, 30 * day, &mut limits.stream_age);
        from.time("stream_comment", second, hour, &mut limits.stream_comment);
        from.time("outstanding_ttl", second, day, &mut limits.outstanding_ttl);
        from.time("state_age", second, 30 * day, &mut limits.state_age);
        from.time("keep_alive", second, day, &mut limits.keep_alive);
        from.0.finish();
        limits
    }
}

struct Reader<'d>(Table<'d>);

impl Reader<'_> {
    fn size<T: TryFrom<u64>>(&mut self, key: &'static str, least: u64, most: u64, into: &mut T) {
        set(self.0.size(key, least..=most).map(|size| size.value), into);
    }

    fn count<T: TryFrom<u64>>(&mut self, key: &'static str, least: u64, most: u64, into: &mut T) {
        set(self.0.integer(key, least..=most).map(|count| count.value), into);
    }

    fn time(&mut self, key: &'static str, least: Duration, most: Duration, into: &mut Duration) {
        if let Some(time) = self.0.duration(key, least..=most) {
            *into = time.value;
        }
    }
}

/// INVARIANT: every range above fits into the field that it fills; a value that did not would keep the default.
fn set<T: TryFrom<u64>>(written: Option<u64>, into: &mut T) {
    if let Some(value) = written.and_then(|value| T::try_from(value).ok()) {
        *into = value;
    }
}
