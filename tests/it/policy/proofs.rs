//! What is proved of all requests is compared with what random ones come to: no rule that is called dead ever applies, no
//! rule that is called needless changes a verdict, no proved assert is violated, every example is real, and two sets that are
//! called the same decide alike. Conditions that compare with constants are never undecided.
//!
//! Vocabularies are small, so that rules and requests meet. `MCPFW_PROOF_CASES` asks for more requests than usual,
//! `MCPFW_PROOF_SEED` for others.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use mcpfw::policy::language::codes;
use mcpfw::policy::{
    Args, Basis, Call, ClientKind, Context, Example, Object, Opposite, Outcome, Policy, Principal,
    Value, Verdict, naive,
};
use mcpfw::wire::mcp::{ObjectKind, Revision, uri};

use super::decisions::{NOW, compile, value};

/// Requests that are asked of each set.
const REQUESTS: u64 = 250;

/// Of one request in so many it is asked what would turn its verdict.
const OPPOSITES: u64 = 125;

const NAMES: &[&str] = &[
    "read_file",
    "read_dir",
    "write_file",
    "delete_file",
    "DELETE_FILE",
    "dеlete_file",
    "search",
    "a",
    "é",
    "",
    "tool_1",
    "too1_l",
    "x y",
    "ｄｅｌｅｔｅ＿ｆｉｌｅ",
    "maſk",
    "read_é",
    "\u{fb01}le",
    "file",
];
const PATTERNS: &[&str] = &[
    "read_file",
    "read_*",
    "*_file",
    "*",
    "d*_f*e",
    "delete_file",
    "search",
    "?",
    "sea?ch",
    "Search",
    "tool_1",
    "é",
    "f?le",
    "??le",
];
const URIS: &[&str] = &[
    "file:///a",
    "file:///a/b",
    "file:///a/b/c",
    "file:///A/b",
    "file:///a/b?x",
    "file:///a/",
    "db://t/1",
    "file:///",
    "mem:x",
];
const URI_PATTERNS: &[&str] = &[
    "file:///a",
    "file:///a/*",
    "file:///**",
    "**",
    "file:///a/b/c",
    "db://*/?",
    "file:///a/../b",
    "*:x",
];
/// Methods that come without an object; what must name one and does not is refused before a rule is asked.
const METHODS: &[&str] = &[
    "ping",
    "tools/list",
    "subscriptions/listen",
    "tasks/get",
    "x/y",
    "Tools/Call",
    "initialize",
    // What a client may only be asked, and what it may only tell.
    "sampling/createMessage",
    "elicitation/create",
    "notifications/initialized",
    "notifications/message",
    "tasks/result",
];
const METHOD_PATTERNS: &[&str] = &[
    "tools/call",
    "tools/*",
    "*",
    "resources/read",
    "x/y",
    "completion/complete",
    "ping",
    "Tools/Call",
    "sampling/*",
    "notifications/*",
    "elicitation/create",
];
const SERVER: &[&str] = &["sampling/createMessage", "roots/list", "ping", "x/y", "Roots/List"];
const SERVER_PATTERNS: &[&str] = &["sampling/*", "roots/list", "*"];

/// Conditions of the complete fragment: every input is compared with constants only.
const PLAIN: &[&str] = &[
    r#"claims.plan == "pro""#,
    r#"claims.plan != "pro""#,
    r#"!(claims.plan == "pro")"#,
    r#"claims.plan in ["pro", "team"]"#,
    r#"claims.plan == null"#,
    r#"has(claims.plan)"#,
    r#"has(claims.org.id)"#,
    r#"claims.org.id == 7"#,
    r#""id" in claims.org"#,
    r#"claims.level > 3"#,
    r#"claims.level <= 3"#,
    r#"claims.level == 9007199254740993"#,
    r#"claims.level in [0, 1, 3]"#,
    r#"claims.level == 0.1"#,
    r#""admin" in claims.roles"#,
    r#"!("banned" in claims.roles)"#,
    r#"1 in claims.roles"#,
    r#"claims.flag"#,
    r#"!claims.flag"#,
    r#"args.a == "x""#,
    r#"args.a.startsWith("/sandbox/")"#,
    r#"args.a.startsWith("/sandbox/u1")"#,
    r#"args.a < "x""#,
    r#"args.b > 3"#,
    r#"args.b < 9.5"#,
    r#"args.b == 3"#,
    r#"args.a == "1""#,
    r#"!has(args.a)"#,
    r#"args.a.endsWith(".txt")"#,
    r#"args.a.contains("..")"#,
    r#"mcp.is_retry"#,
    r#"mcp.target == "search""#,
    r#"mcp.target.startsWith("read")"#,
    r#"mcp.method == "tools/call""#,
    r#"mcp.kind == "tool""#,
    r#"mcp.revision == "2024-11-05""#,
    r#"client.kind == "anonymous""#,
    r#"client.kind == "api_key""#,
    r#""s" in client.scopes"#,
    r#"request.route == "files""#,
    r#"request.host == "h""#,
    r#"has(request.sni)"#,
    r#"cidr("10.0.0.0/8").containsIP(client.ip)"#,
    r#"client.ip == "10.1.2.3""#,
    r#"size(args.a) < 3"#,
    // Numbers in more than one spelling, and neighbours that no float tells apart.
    r#"claims.level == 3.0"#,
    r#"claims.level != 3"#,
    r#"claims.level in [3.0, 4, 0.1]"#,
    r#"claims.level > 9007199254740992"#,
    r#"claims.level >= -0.5"#,
    r#"claims.level < 3.000000000000000000001"#,
    r#"claims.level == -0.0"#,
    r#"claims.level < 1e300"#,
    r#"args.b == 3.0"#,
    r#"args.b >= 3 && args.b <= 3.0"#,
    r#"3 < args.b"#,
    // Texts that differ in case alone, and the order of texts.
    r#"claims.plan == "PRO""#,
    r#"claims.plan == "Pro""#,
    r#"claims.plan < "pro""#,
    r#"claims.plan >= "Pro""#,
    r#"args.a > "/""#,
    r#"args.a == """#,
    r#"args.a.endsWith(".TXT")"#,
    r#"args.a.startsWith("/Sandbox/")"#,
    r#"args.a in ["x", "1"]"#,
    r#"size(claims.plan) == 3"#,
    // What is below an argument, beside the argument itself.
    r#"has(args.a.b)"#,
    r#"args.a.b == 1"#,
    r#"args.a.b != 1"#,
    r#""b" in args.a"#,
    r#"claims.flag == true"#,
    r#"claims.org == null"#,
    r#"!has(claims.sub)"#,
    r#"mcp.target < "s""#,
    r#"mcp.target != "search""#,
    r#"mcp.target.endsWith("file")"#,
    r#"mcp.target.contains("_")"#,
    r#"mcp.kind != "resource""#,
    r#"mcp.method in ["tasks/get", "resources/read", "sampling/createMessage"]"#,
    r#"mcp.method.startsWith("notifications/")"#,
    r#"mcp.revision != "2025-11-25""#,
    r#"client.kind in ["jwt", "mtls"]"#,
    r#""s" in client.scopes && "t" in client.scopes"#,
    r#"request.host != "h""#,
    r#"request.sni == "s""#,
    r#"cidr("10.0.0.0/8").containsIP(client.ip) && !cidr("10.2.0.0/16").containsIP(client.ip)"#,
    r#"cidr("fe80::/10").containsIP(client.ip)"#,
    "true",
    "false",
];

/// Conditions beyond it.
const RICH: &[&str] = &[
    r#"args.a.startsWith("/sandbox/" + claims.sub + "/")"#,
    r#"args.a == claims.sub"#,
    r#"args.a == args.c"#,
    r#"claims.plan == claims.sub"#,
    r#"args.b == claims.level"#,
    r#"args.b < claims.level"#,
    r#"args.a in claims.roles"#,
    r#"claims.roles.exists(r, r == "admin")"#,
    r#"claims.roles.all(r, r != "banned")"#,
    r#"claims.roles.all(r, r.startsWith("a"))"#,
    r#"claims.roles.exists(r, r.matches("^a+$"))"#,
    r#"args.a.matches("^[a-z]+$")"#,
    r#"args.a.matches("x")"#,
    r#"size(claims.roles) > 1"#,
    r#"size(args.a) > 60"#,
    r#"cidr("10.0.0.0/8").containsIP(args.a)"#,
    r#"mcp.target == args.a"#,
    r#"mcp.target.matches("^read")"#,
    r#"client.id == claims.sub"#,
    r#"client.id == "u1""#,
    r#"client.issuer == "i""#,
    r#"claims.roles == ["admin"]"#,
    r#"(claims.flag ? args.a : args.c) == "x""#,
    r#"size(claims.org) == 1"#,
    r#"claims.org == args.c"#,
    r#"client.ip.startsWith("10.")"#,
    r#"args.a.contains(claims.sub)"#,
    r#"("a" + args.a) == "ax""#,
    r#"args.a.startsWith("/sandbox/" + claims.sub)"#,
    r#"args.a.endsWith(claims.sub + ".txt")"#,
    r#"args.a < claims.plan"#,
    r#"args.b >= claims.level"#,
    r#"claims.roles.all(r, r == "admin" || r == 1)"#,
    r#"claims.roles.exists(r, size(r) > 4)"#,
    r#"size(claims.roles) == 2"#,
    r#"args.a.matches("^/sandbox/[a-z0-9]+/")"#,
    r#"mcp.target == "notes://" + claims.sub"#,
    r#"mcp.target.startsWith(claims.sub)"#,
    r#"client.id != claims.sub"#,
    r#"args.c == args.a || args.c == claims.plan"#,
];

const CLAIMS: &[(&str, &[&str])] = &[
    (
        "plan",
        &[
            r#""pro""#,
            r#""free""#,
            r#""team""#,
            "1",
            "null",
            r#"["pro"]"#,
            r#""""#,
            r#""Pro""#,
            r#""PRO""#,
            r#""prp""#,
        ],
    ),
    ("sub", &[r#""u1""#, r#""x""#, r#""pro""#, r#""""#]),
    ("iss", &[r#""i""#, r#""j""#]),
    (
        "level",
        &[
            "0",
            "-0",
            "3",
            "3.0",
            "4",
            "9007199254740993",
            "9007199254740992",
            "0.1",
            r#""3""#,
            "1e99999999999999999999",
            "30e-1",
            "2.9999999999999999999999",
            "-0.5",
            "-1",
            "1e300",
            "1e301",
        ],
    ),
    (
        "roles",
        &[
            "[]",
            r#"["admin"]"#,
            r#"["admin", "banned"]"#,
            r#"["aa", 1]"#,
            "[1]",
            r#""admin""#,
            r#"{"admin": 1}"#,
            r#"[["admin"]]"#,
        ],
    ),
    ("org", &["{}", r#"{"id": 7}"#, r#"{"id": 7.0, "x": 1}"#, r#"{"id": null}"#, "[]", "7"]),
    ("flag", &["true", "false", "1", "null"]),
    ("scope", &[r#""s""#, r#""s t""#, r#""t""#]),
];
const ARGS: &[(&str, &[&str])] = &[
    (
        "a",
        &[
            r#""x""#,
            r#""/sandbox/u1/f.txt""#,
            r#""/sandbox/..""#,
            r#""1""#,
            "1",
            "1.0",
            "[]",
            r#""10.2.3.4""#,
            r#""u1""#,
            r#""search""#,
            r#""aé""#,
            r#""""#,
            "null",
            r#"{"b": 1}"#,
            r#"{"b": 1.0, "c": 2}"#,
            r#"{"b": null}"#,
            "{}",
            r#""/Sandbox/u1/F.TXT""#,
            r#""/sandbox/x/u1.txt""#,
        ],
    ),
    ("b", &["3", "3.5", "4", "9.5", "10", r#""4""#, "true", "-0.0"]),
    ("c", &[r#""x""#, r#""/sandbox/u1/f.txt""#, "{}", "[]"]),
];

/// Words of orders, of ends and of patterns that are made up as the sets are: neighbours of each other, and letters that a
/// reader takes for two.
const WORDS: &[&str] =
    &["v1", "v3", "v5", "v", "v10", "/", "a", "x", "x/", "u1", "pro", "get_m", "get_rn", "w", "vv"];
const PIECES: &[&str] =
    &["v", "w", "vv", "?", "??", "*", "_", "get_", "m", "rn", "1", "5", "x", "G"];
/// Letters that take the place of others, so that requests have what no set spells.
const LETTERS: &[&str] =
    &["a", "m", "r", "n", "v", "w", "0", "2", "4", "9", "/", ".", "_", "~", " ", "é", "V", "ﬁ"];

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.roll() % most as u64).expect("small")
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    /// A word, one time in three with another letter in it.
    fn word(&mut self, of: &[&str]) -> String {
        let word = self.pick(of);
        if !self.one_in(3) {
            return word.to_owned();
        }
        let mut letters: Vec<String> = word.chars().map(String::from).collect();
        let at = self.below(letters.len() + 1);
        let end = (at + self.below(2)).min(letters.len());
        letters.splice(at..end, [self.pick(LETTERS).to_owned()]);
        letters.concat()
    }

    /// A text in JSON: as it is picked, one time in three with another letter in it.
    fn json(&mut self, of: &[&str]) -> String {
        let text = self.pick(of);
        match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(inner) => format!("{:?}", self.word(&[inner])),
            None => text.to_owned(),
        }
    }
}

/// A comparison with a word.
fn comparison(dice: &mut Dice) -> String {
    let input = dice.pick(&["args.a", "claims.plan", "mcp.target"]);
    let word = dice.pick(WORDS);
    match dice.below(9) {
        0 => format!("{input} == {word:?}"),
        1 => format!("{input} != {word:?}"),
        2 => format!("{input}.startsWith({word:?})"),
        3 => format!("{input}.endsWith({word:?})"),
        4 => format!("{input}.contains({word:?})"),
        at => format!("{input} {} {word:?}", ["<", "<=", ">", ">="][at - 5]),
    }
}

/// A pattern of names of some pieces.
fn pattern(dice: &mut Dice) -> String {
    let pieces: String = (0..1 + dice.below(3)).map(|_| dice.pick(PIECES)).collect();
    pieces.replace("***", "*").replace("**", "*")
}

/// A condition; of the complete fragment unless `rich`.
fn condition(dice: &mut Dice, rich: bool, depth: usize) -> String {
    match dice.below(if depth == 0 { 1 } else { 4 }) {
        1 => format!(
            "({}) && ({})",
            condition(dice, rich, depth - 1),
            condition(dice, rich, depth - 1)
        ),
        2 => format!(
            "({}) || ({})",
            condition(dice, rich, depth - 1),
            condition(dice, rich, depth - 1)
        ),
        3 if dice.one_in(3) => {
            let [a, b, c] = [0; 3].map(|_| condition(dice, rich, depth - 1));
            format!("({a}) ? ({b}) : ({c})")
        }
        3 => format!("!({})", condition(dice, rich, depth - 1)),
        _ if rich && dice.one_in(2) => dice.pick(RICH).to_owned(),
        _ if dice.one_in(3) => comparison(dice),
        _ => dice.pick(PLAIN).to_owned(),
    }
}

fn selector(dice: &mut Dice) -> String {
    let mut text = String::new();
    for _ in 0..=usize::from(dice.one_in(4)) {
        let (key, of) = match dice.below(10) {
            0..=4 => ("tools", PATTERNS),
            5 => ("prompts", PATTERNS),
            6 | 7 => ("resources", URI_PATTERNS),
            8 => ("methods", METHOD_PATTERNS),
            _ => ("server_requests", SERVER_PATTERNS),
        };
        if text.contains(key) {
            continue;
        }
        let mut one = || match of == PATTERNS && dice.one_in(4) {
            true => pattern(dice),
            false => dice.pick(of).to_owned(),
        };
        let (first, second) = (one(), one());
        let second = if dice.one_in(3) { format!(", {second:?}") } else { String::new() };
        writeln!(text, "{key} = [{first:?}{second}]").expect("a string takes all");
    }
    text
}

/// The keys that every rule has.
fn common(dice: &mut Dice, rich: bool, is_allow: bool) -> String {
    let mut text = if dice.one_in(8) { String::new() } else { selector(dice) };
    if text.is_empty() && is_allow {
        text += "everything = true\n";
    }
    if !dice.one_in(3) {
        writeln!(text, "when = '{}'", condition(dice, rich, 2)).expect("a string takes all");
    }
    if dice.one_in(8) {
        text += "routes = [\"files\"]\n";
    }
    text
}

/// The stanzas of a set, each with its kind; and the asserts.
struct Written {
    rules: Vec<(String, String)>,
    asserts: Vec<(bool, String)>,
}

impl Written {
    fn new(dice: &mut Dice, rich: bool) -> Self {
        let rules = (0..1 + dice.below(6))
            .map(|_| {
                if dice.one_in(10) {
                    // It never makes a verdict another one.
                    let text = common(dice, rich, false);
                    return ("limit".to_owned(), format!("{text}rate = \"1/min\"\n"));
                }
                let is_allow = !dice.one_in(3);
                let mut text = common(dice, rich, is_allow);
                if dice.one_in(8) {
                    text += "mode = \"shadow\"\n";
                }
                if dice.one_in(8) {
                    text += if dice.one_in(2) {
                        "expires = 2027-06-01\n"
                    } else {
                        "expires = 2020-01-01\n"
                    };
                }
                if is_allow && dice.one_in(6) {
                    text += "scopes = [\"s\"]\n";
                }
                ((if is_allow { "allow" } else { "deny" }).to_owned(), text)
            })
            .collect();
        let asserts = (0..2)
            .map(|_| {
                let is_never = !dice.one_in(3);
                (is_never, common(dice, rich, !is_never))
            })
            .collect();
        Self { rules, asserts }
    }

    /// The set without the rules called as in `without`.
    fn text(&self, without: &[String]) -> String {
        let mut text = String::new();
        for (at, (kind, rest)) in self.rules.iter().enumerate() {
            let name = format!("r{at}");
            if !without.contains(&name) {
                writeln!(text, "[[{kind}]]\nname = \"{name}\"\n{rest}")
                    .expect("a string takes all");
            }
        }
        text
    }

    fn with_asserts(&self) -> String {
        let mut text = self.text(&[]);
        for (at, (is_never, rest)) in self.asserts.iter().enumerate() {
            let key = if *is_never { "never" } else { "always" };
            writeln!(text, "[[assert]]\nname = \"a{at}\"\n{rest}{key} = \"allow\"\n")
                .expect("a string takes all");
        }
        text
    }

    /// A set that tells whether assert `at` is violated: where it is `never`, the rules with a deny of its words; where it is
    /// `always`, an allow of its words alone.
    fn judge(&self, at: usize) -> Arc<Policy> {
        let (is_never, rest) = &self.asserts[at];
        compile(&match is_never {
            true => format!("{}[[deny]]\nname = \"judge\"\n{rest}", self.text(&[])),
            false => format!("[[allow]]\nname = \"judge\"\n{rest}"),
        })
    }

    /// Whether the assert does not hold for a request that `policy` and `judge` decided so.
    fn is_violated(&self, at: usize, is_allowed: bool, judge: &Decided) -> bool {
        match self.asserts[at].0 {
            true => is_allowed && judge.is_err(),
            false => !is_allowed && matches!(judge, Ok(basis) if basis.rule().is_some()),
        }
    }
}

type Decided = Result<Basis, ()>;

/// A request in words that any set can be asked about.
struct Request {
    claims: Option<Value>,
    kind: Option<ClientKind>,
    method: String,
    object: Option<Object>,
    is_server: bool,
    args: Value,
    oversized: Option<&'static str>,
    route: &'static str,
    host: &'static str,
    sni: Option<&'static str>,
    ip: IpAddr,
    revision: Revision,
    is_retry: bool,
    /// Of `subscriptions/listen`.
    subscriptions: Option<Vec<&'static str>>,
    at: u64,
}

impl Request {
    fn new(dice: &mut Dice) -> Self {
        let object_of = |dice: &mut Dice, kind: ObjectKind| {
            let name = match kind {
                ObjectKind::Resource => dice.word(URIS),
                _ if dice.one_in(20) => "x".repeat(129),
                _ if dice.one_in(3) => dice.word(WORDS),
                _ => dice.word(NAMES),
            };
            Some(Object { kind, name: name.into() })
        };
        let mut is_server = false;
        let (method, object) = match dice.below(13) {
            12 => (dice.pick(&["tasks/get", "tasks/cancel"]), object_of(dice, ObjectKind::Tool)),
            0..=4 => ("tools/call", object_of(dice, ObjectKind::Tool)),
            5 => ("prompts/get", object_of(dice, ObjectKind::Prompt)),
            6 => ("completion/complete", object_of(dice, ObjectKind::Prompt)),
            7 => ("resources/read", object_of(dice, ObjectKind::Resource)),
            8 => ("resources/subscribe", object_of(dice, ObjectKind::Resource)),
            9 => {
                is_server = true;
                (dice.pick(SERVER), None)
            }
            _ => (dice.pick(METHODS), None),
        };
        let subscriptions = (method == "subscriptions/listen" && !dice.one_in(3))
            .then(|| (0..dice.below(3)).map(|_| dice.pick(URIS)).collect());
        let mut members = |of: &[(&str, &[&str])], rare: usize| {
            let mut each = Vec::new();
            for (name, values) in of {
                if dice.one_in(rare) {
                    let value = match dice.one_in(6) {
                        true => format!("{:?}", dice.word(WORDS)),
                        false => dice.json(values),
                    };
                    each.push(format!("{name:?}: {value}"));
                }
            }
            format!("{{{}}}", each.join(", "))
        };
        let (claims, args) = (value(&members(CLAIMS, 2)), value(&members(ARGS, 2)));
        let claims = (!dice.one_in(6)).then_some(claims);
        let kind = match dice.below(8) {
            0 if claims.is_some() => Some(ClientKind::ApiKey),
            1 => Some(ClientKind::Mtls),
            _ => None,
        };
        Self {
            claims,
            kind,
            method: method.into(),
            object,
            is_server,
            args,
            oversized: dice.one_in(12).then(|| dice.pick(&["a", "b", "c"])),
            route: dice.pick(&["files", "other"]),
            host: dice.pick(&["h", "localhost"]),
            sni: dice.one_in(3).then_some("s"),
            ip: dice
                .pick(&["10.1.2.3", "10.2.3.4", "127.0.0.1", "::ffff:10.1.2.3", "::1", "fe80::1"])
                .parse()
                .expect("an address"),
            revision: Revision::ALL[dice.below(Revision::ALL.len())],
            is_retry: dice.one_in(3),
            subscriptions,
            // Some day of the year 2027.
            at: if dice.one_in(4) { NOW + 300 * 86_400 } else { NOW },
        }
    }

    /// Asks `then` about the request under a set.
    fn with<T>(
        &self,
        policy: &Policy,
        then: impl FnOnce(&Principal, &Context<'_>, &Call) -> T,
    ) -> T {
        let mut args = Args::capture(policy.captures(), Some(&self.args));
        if let Some(name) = self.oversized {
            args.enlarge(policy.captures(), &[name.into()]);
        }
        let principal = match &self.claims {
            Some(claims) => Principal::supposed(claims.clone()),
            None => Principal::anonymous(),
        };
        let principal = match self.kind {
            Some(kind) => principal.changed(Some(kind), Some("u1"), None, &["s".to_owned()]),
            None => principal,
        };
        let call = Call {
            method: self.method.as_str().into(),
            object: self.object.clone(),
            revision: self.revision,
            is_request: true,
            is_retry: self.is_retry,
            args,
            subscriptions: self
                .subscriptions
                .as_ref()
                .map(|uris| uris.iter().map(|uri| Box::from(*uri)).collect()),
        };
        let context = Context { route: self.route, host: self.host, sni: self.sni, ip: self.ip };
        then(&principal, &context, &call)
    }

    /// Whether it is about a resource whose URI has no one reading (T12).
    fn is_ambiguous(&self) -> bool {
        self.object.as_ref().is_some_and(|object| {
            object.kind == ObjectKind::Resource && uri::check(&object.name, uri::Form::Uri).is_err()
        })
    }

    fn decide(&self, policy: &Policy) -> Decided {
        self.with(policy, |principal, context, call| {
            if self.is_server {
                let decided = policy.decide_server_request(principal, context, call, self.at);
                return decided.map(|permitted| permitted.basis()).map_err(|_| ());
            }
            let decided = policy.decide(principal, context, call, self.at);
            decided.map(|permitted| permitted.basis()).map_err(|_| ())
        })
    }

    /// Whether the obvious evaluator says the same.
    fn is_as_scanned(&self, policy: &Policy) -> bool {
        self.with(policy, |principal, context, call| {
            // Several URIs are several decisions, of which the obvious evaluator makes one.
            self.is_server
                || self.subscriptions.as_ref().is_some_and(|uris| !uris.is_empty())
                || policy.decide(principal, context, call, self.at)
                    == naive::decide(policy, principal, context, call, self.at)
        })
    }

    /// Asks what would have to be true for the opposite verdict: each answer is a call that is decided so, and where nothing is
    /// said to turn it no other caller and no other arguments do. Whether something does.
    fn is_turned_as_told(
        &self,
        policy: &Policy,
        rich: bool,
        dice: &mut Dice,
        shown: &dyn Fn() -> String,
    ) -> bool {
        let is_allowed = self.decide(policy).is_ok();
        let opposite = self.with(policy, |principal, context, call| {
            policy.opposite(principal, context, call, self.is_server, self.at)
        });
        match opposite {
            Opposite::Turned(turns) => {
                assert!(!turns.is_empty(), "{}", shown());
                for turn in &turns {
                    assert_ne!(turn.example.decide(policy).is_ok(), is_allowed, "{}", shown());
                    assert!(!turn.changes.is_empty(), "{}", shown());
                    assert!(turn.changes.iter().all(|it| it.before != it.after), "{turn:?}");
                }
                true
            }
            Opposite::Fixed => {
                for _ in 0..20 {
                    let other = Self {
                        method: self.method.clone(),
                        object: self.object.clone(),
                        is_server: self.is_server,
                        subscriptions: self.subscriptions.clone(),
                        at: self.at,
                        ..Self::new(dice)
                    };
                    assert_eq!(other.decide(policy).is_ok(), is_allowed, "{}", shown());
                }
                false
            }
            Opposite::NotFound(blame) => {
                let is_told = rich || blame.iter().any(|what| **what == *"several resources");
                assert!(is_told, "{blame:?}: {}", shown());
                false
            }
        }
    }

    /// The rules that apply, or would with more scopes.
    fn applying(&self, policy: &Policy) -> Vec<String> {
        let explained = self.with(policy, |principal, context, call| {
            if self.is_server {
                policy.explain_server_request(principal, context, call, self.at)
            } else {
                policy.explain(principal, context, call, self.at)
            }
        });
        let applies = |outcome| matches!(outcome, Some(Outcome::Applies));
        let of = explained.rules().iter().filter(|rule| applies(rule.outcome));
        of.map(|rule| rule.info.name().to_string()).collect()
    }
}

fn decided(example: &Example, policy: &Policy) -> Decided {
    example.decide(policy).map(|permitted| permitted.basis()).map_err(|_| ())
}

/// Rules that findings of `policy` call dead, and those that they call needless.
pub(super) fn told(policy: &Policy) -> (Vec<String>, Vec<String>) {
    let (mut dead, mut needless) = (Vec::new(), Vec::new());
    for finding in policy.prove("policies", NOW) {
        let name = finding.message.split('`').nth(1).unwrap_or_default().to_owned();
        match finding.code {
            codes::NEVER_APPLIES => dead.push(name),
            codes::OVERSHADOWED | codes::SAME_RULE | codes::ALLOW_WITHIN_DENY => {
                needless.push(name);
            }
            _ => {}
        }
    }
    (dead, needless)
}

/// How often each thing was seen, so that a generator that shows nothing fails.
#[derive(Debug, Default)]
struct Seen {
    proved: u32,
    refuted: u32,
    undecided: u32,
    dead: u32,
    needless: u32,
    same: u32,
    differ: u32,
    turned: u32,
}

fn run(sets: u64, seed: u64) -> Seen {
    let mut seen = Seen::default();
    for set in 0..sets {
        let mut dice = Dice(seed ^ set.wrapping_mul(0x1234_5678_9abc_def1));
        let rich = dice.one_in(2);
        let written = Written::new(&mut dice, rich);
        let text = written.with_asserts();
        let policy = compile(&text);
        // How many members an object has is not known of it.
        let rich = rich || text.contains("size(");
        let verdicts = policy.asserts(NOW);
        let judges: Vec<Arc<Policy>> = (0..verdicts.len()).map(|at| written.judge(at)).collect();
        let mut examples: Vec<&Example> = Vec::new();
        for (at, (_, verdict)) in verdicts.iter().enumerate() {
            match verdict {
                Verdict::Proved => seen.proved += 1,
                Verdict::Refuted(example) => {
                    seen.refuted += 1;
                    let judged = decided(example, &judges[at]);
                    let is_allowed = decided(example, &policy).is_ok();
                    // What belongs to the lifecycle is allowed before an allow is asked, so that the judge says nothing of it.
                    let is_untold =
                        !written.asserts[at].0 && !is_allowed && judged == Ok(Basis::Lifecycle);
                    assert!(
                        is_untold || written.is_violated(at, is_allowed, &judged),
                        "{}\n{text}",
                        example.command("p")
                    );
                    examples.push(example);
                }
                Verdict::Undecided(blame) => {
                    seen.undecided += 1;
                    assert!(rich, "a{at} is undecided: {blame:?}\n{text}");
                }
            }
        }
        let (dead, needless) = told(&policy);
        seen.dead += u32::try_from(dead.len()).expect("few");
        seen.needless += u32::try_from(needless.len()).expect("few");
        let pruned = compile(&written.text(&[dead.clone(), needless.clone()].concat()));
        // The other set differs in one rule.
        let mut other = Written { rules: written.rules.clone(), asserts: Vec::new() };
        let at = dice.below(other.rules.len());
        let is_allow = other.rules[at].0 == "allow";
        if other.rules[at].0 != "limit" {
            other.rules[at].1 = common(&mut dice, rich, is_allow);
        }
        let other_text = other.text(&[]);
        let other = compile(&other_text);
        let difference = policy.against(&other, NOW);
        // Lists longer than are looked at may use up all tries: that is told, and nothing is claimed.
        let is_long = |what: &str| what.starts_with("a very long list");
        assert!(
            rich || difference.undecided.iter().all(|what| is_long(what)),
            "{:?}\n{text}\n# {other_text}",
            difference.undecided
        );
        if difference.is_none() {
            seen.same += 1;
        } else {
            seen.differ += 1;
        }
        for change in &difference.changes {
            let (ours, theirs) =
                (decided(&change.example, &policy), decided(&change.example, &other));
            assert_eq!((ours.is_ok(), theirs.is_ok()), (change.is_allowed, !change.is_allowed));
        }
        let has = |is_allowed| {
            !difference.undecided.is_empty()
                || difference.changes.iter().any(|change| change.is_allowed == is_allowed)
        };
        for example in &examples {
            assert_eq!(
                decided(example, &policy).is_ok(),
                decided(example, &pruned).is_ok(),
                "{}\n{text}",
                example.command("p")
            );
        }
        for turn in 0..REQUESTS {
            let request = Request::new(&mut dice);
            let ours = request.decide(&policy);
            assert!(request.is_as_scanned(&policy), "{text}");
            let shown = || {
                format!(
                    "{:?} {:?} {:?} {:?} {:?}\n{text}",
                    request.method, request.object, request.claims, request.args, request.oversized
                )
            };
            if turn % OPPOSITES == 0 {
                seen.turned +=
                    u32::from(request.is_turned_as_told(&policy, rich, &mut dice, &shown));
            }
            for (at, (_, verdict)) in verdicts.iter().enumerate() {
                let judged = request.decide(&judges[at]);
                if written.is_violated(at, ours.is_ok(), &judged) {
                    assert!(!matches!(verdict, Verdict::Proved), "a{at} was proved: {}", shown());
                }
            }
            assert_eq!(
                ours.is_ok(),
                request.decide(&pruned).is_ok(),
                "without {dead:?} {needless:?}: {}",
                shown()
            );
            // A deny of resources applies to every URI that has no one reading, which is refused without it.
            if !dead.is_empty() && !request.is_ambiguous() {
                let applying = request.applying(&policy);
                assert!(!dead.iter().any(|rule| applying.contains(rule)), "{dead:?}: {}", shown());
            }
            let theirs = request.decide(&other);
            if ours.is_ok() != theirs.is_ok() {
                assert!(has(ours.is_ok()), "{}\n# {other_text}", shown());
            }
        }
    }
    seen
}

#[test]
fn what_is_proved_holds_for_every_request() {
    let asked = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let sets = asked("MCPFW_PROOF_CASES").unwrap_or(10_000) / REQUESTS;
    let seen = run(sets, asked("MCPFW_PROOF_SEED").unwrap_or(0x5eed));
    println!("{sets} sets: {seen:?}");
    let Seen { proved, refuted, dead, needless, same, differ, turned, .. } = seen;
    assert!(
        [proved, refuted, dead, needless, same, differ, turned].iter().all(|count| *count > 0),
        "{seen:?}"
    );
}
