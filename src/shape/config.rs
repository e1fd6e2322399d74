//! `mcpfw.toml`.

use super::Form::{
    Bool, Count, Duration, Either, Headers, List, OneOrSome, Revision, Size, Table as Inner,
    Tables, Text, Words,
};
use super::{Table, key, required};

const MAX: u64 = 100_000_000;

/// `mcpfw.toml`
pub(super) static CONFIG: Table = Table {
    name: "the config file",
    about: "What `mcpfw run --config` is told.",
    keys: &[
        key(
            "policies",
            Text,
            "The directory of policy files. Default `policies` beside this file.",
        ),
        key("listen", Inner(&LISTEN), LISTEN.about),
        key("auth", Inner(&AUTH), AUTH.about),
        key(
            "identity_headers",
            Headers,
            "Verified claims that the server is told: claim = header. A client's own copies are removed.",
        ),
        key("route", Tables(&ROUTE), ROUTE.about),
        key("limits", Inner(&LIMITS), LIMITS.about),
        key("reload", Inner(&RELOAD), RELOAD.about),
        key("session", Inner(&SESSION), SESSION.about),
        key("log", Inner(&LOG), LOG.about),
    ],
    rules: &[],
};

static LISTEN: Table = Table {
    name: "listen",
    about: "Where to listen, and who may speak there.",
    keys: &[
        key("address", Text, "Address and port, such as `127.0.0.1:8080`."),
        key("trusted_proxies", List(&Text), "Networks whose `X-Forwarded-For` is believed."),
        key(
            "hosts",
            OneOrSome(&Text),
            "Values of `Host` that are answered; loopback names when bound to loopback.",
        ),
        key("origins", List(&Text), "Browser origins that may call; CORS follows from it."),
    ],
    rules: &[],
};

static AUTH: Table = Table {
    name: "auth",
    about: "How callers prove who they are.",
    keys: &[
        key("jwt", Tables(&JWT), JWT.about),
        key(
            "required",
            Bool,
            "Whether callers without a token are refused. Default true where an issuer is named.",
        ),
    ],
    rules: &[],
};

static JWT: Table = Table {
    name: "auth.jwt",
    about: "An issuer of tokens.",
    keys: &[
        required("issuer", Text, "What `iss` of its tokens says."),
        required("audience", OneOrSome(&Text), "What `aud` of its tokens says."),
        required("jwks", Text, "Where its keys are: an https URL, or `file:`."),
        key("allow_private", Bool, "Whether the URL may lead into a private network."),
        key(
            "algorithms",
            OneOrSome(&Words(&[
                "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
            ])),
            "The algorithms of its tokens. Default RS256, ES256, EdDSA.",
        ),
        key("typ", Text, "What `typ` of its tokens says."),
        key("leeway", Duration, "How far clocks may differ. Default 30s."),
    ],
    rules: &[],
};

static ROUTE: Table = Table {
    name: "route",
    about: "Which path leads to which server.",
    keys: &[
        key("name", Text, "Its name, for `routes` of rules; needed where there are several."),
        key("path", Text, "The path that clients call. Default `/mcp`."),
        required(
            "upstream",
            OneOrSome(&Text),
            "The URL of the server; of several the first that answers.",
        ),
        key(
            "credentials",
            Either(&Words(&["strip", "forward"]), &Inner(&CREDENTIALS)),
            "What the server is told of the caller's token: nothing, the token, or a credential of our own.",
        ),
        key(
            "refusal",
            Words(&["jsonrpc", "http", "tool_error"]),
            "How callers are told of a refusal.",
        ),
        key("revisions", OneOrSome(&Revision), "The revisions of MCP that are spoken."),
        key("sessions", Words(&["sealed", "plain"]), "Whether session ids reach clients sealed."),
        key(
            "handles",
            Words(&["sealed", "plain"]),
            "Whether task ids and `requestState` reach clients sealed.",
        ),
        key("elicitation_hosts", List(&Text), "Hosts of URLs to which the server may send users."),
        key(
            "hidden_characters",
            Words(&["flag", "hide", "allow"]),
            "What follows where a list holds characters that nobody sees.",
        ),
    ],
    rules: &[],
};

static CREDENTIALS: Table = Table {
    name: "credentials",
    about: "A header that the server is sent.",
    keys: &[
        key("header", Text, "Its name."),
        required("value", Text, "Its value; `${VARIABLE}` and `file:` keep the secret elsewhere."),
    ],
    rules: &[],
};

static LIMITS: Table = Table {
    name: "limits",
    about: "Sizes, counts and times.",
    keys: &[
        key("max_body", Size, "Bytes of a request body. Default 4MiB."),
        key("max_hold", Size, "Bytes held back while a verdict is open. Default 64KiB."),
        key("max_batch", Count(0, 100), "Messages in one batch; 0 refuses all. Default 20."),
        key("max_response", Size, "Bytes of a response that a client posts."),
        key("max_depth", Count(4, 512), "Levels of a body. Default 64."),
        key("max_key", Size, "Bytes of a member name. Default 1KiB."),
        key("max_number", Size, "Bytes of a number. Default 64B."),
        key("max_values", Count(64, 1 << 26), "Values in a body. Default 1048576."),
        key("max_open_keys", Count(64, 1 << 20), "Members of open objects. Default 4096."),
        key("max_captured", Size, "Bytes of arguments kept for rules to read. Default 16KiB."),
        key("max_element", Size, "Bytes of one list element or event held back. Default 64KiB."),
        key("max_event", Size, "Bytes of one message of a reply. Default 64MiB."),
        key("max_stream", Size, "Bytes of one event stream. Default 4GiB."),
        key("max_headers", Count(16, 1_000), "Header fields of a request. Default 100."),
        key("max_head", Size, "Bytes of a request's head. Default 64KiB."),
        key(
            "max_mirrored_tools",
            Count(0, 100_000),
            "Tools whose mirrored arguments are remembered. Default 1000.",
        ),
        key("max_connections", Count(1, 1_000_000), "Connections at once. Default 8000."),
        key("max_session_id", Size, "Bytes of a session id. Default 1KiB."),
        key("max_state", Size, "Bytes of a `requestState`. Default 32KiB."),
        key(
            "max_endpoint",
            Size,
            "Bytes of the first event of a stream of 2024-11-05. Default 2KiB.",
        ),
        key(
            "max_outstanding",
            Count(16, 10_000_000),
            "Requests of servers that wait for an answer. Default 65536.",
        ),
        key("max_outstanding_session", Count(1, 1_024), "The same of one session. Default 64."),
        key("max_limit_keys", Count(1_000, MAX), "Limit buckets at once. Default 1000000."),
        key("header_timeout", Duration, "To the end of a request's head. Default 10s."),
        key("body_idle", Duration, "Between two pieces of a request body. Default 30s."),
        key("connect_timeout", Duration, "To a connection to the server. Default 1s."),
        key("first_byte", Duration, "To the head of the reply. Default 30s."),
        key("stream_idle", Duration, "Between two pieces of a reply. Default 5m."),
        key(
            "stream_age",
            Duration,
            "How long a stream that ends only with its client may be open. Default 4h.",
        ),
        key(
            "stream_comment",
            Duration,
            "How long a stream is quiet before a comment is sent. Default 15s.",
        ),
        key(
            "outstanding_ttl",
            Duration,
            "How long a server's request waits for its answer. Default 1h.",
        ),
        key(
            "state_age",
            Duration,
            "How long a client may take to come back with a `requestState`. Default 1h.",
        ),
        key("keep_alive", Duration, "An idle connection. Default 75s."),
    ],
    rules: &[],
};

static RELOAD: Table = Table {
    name: "reload",
    about: "When policies are read again.",
    keys: &[
        key(
            "watch",
            Bool,
            "Whether a change of the directory is in force by itself. Default true.",
        ),
        key("interval", Duration, "How often the directory is looked at. Default 1s."),
    ],
    rules: &[],
};

static SESSION: Table = Table {
    name: "session",
    about: "How handles are sealed.",
    keys: &[key(
        "key",
        Text,
        "32 bytes in base64 or hexadecimal, by `${VARIABLE}` or `file:`. Default: random at each start.",
    )],
    rules: &[],
};

static LOG: Table = Table {
    name: "log",
    about: "What is written down.",
    keys: &[
        key("access", Text, "Where the access log goes: `stdout`, `stderr`, `off` or a path."),
        key(
            "audit",
            Text,
            "Where the audit log goes, which `mcpfw replay` decides again: as `access`. Default: nowhere.",
        ),
        key(
            "arguments",
            Words(&["none", "read"]),
            "What the audit log has of arguments: nothing, or the scalars that rules read.",
        ),
    ],
    rules: &[],
};
