//! The house rules, as tests: which module may import which, what a pure module must not name, and
//! how a file begins. ARCHITECTURE.md says why.

#![expect(clippy::expect_used, clippy::string_slice, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Module → the modules it may import. Whatever is not listed is forbidden, so that the direction stays one way.
const EDGES: &[(&str, &[&str])] = &[
    ("diagnostic", &[]),
    ("wire", &[]),
    ("layout", &["policy"]),
    ("shape", &["wire"]),
    ("editor", &["layout", "shape", "policy", "lock", "wire", "diagnostic"]),
    ("lock", &["wire", "diagnostic"]),
    ("policy", &["lock", "wire", "diagnostic"]),
    ("inspect", &["policy", "lock", "wire"]),
    ("seal", &["policy"]),
    ("config", &["inspect", "seal", "policy", "lock", "wire", "diagnostic"]),
    ("limit", &["policy", "wire"]),
    ("identity", &["config", "policy", "wire"]),
    ("upstream", &["config", "wire"]),
    ("observe", &["policy", "wire"]),
    ("replay", &["observe", "policy", "wire"]),
    (
        "gateway",
        &[
            "upstream",
            "limit",
            "identity",
            "observe",
            "config",
            "inspect",
            "seal",
            "policy",
            "lock",
            "wire",
            "diagnostic",
        ],
    ),
    (
        "cli",
        &[
            "replay",
            "gateway",
            "limit",
            "identity",
            "observe",
            "config",
            "inspect",
            "editor",
            "layout",
            "shape",
            "policy",
            "lock",
            "wire",
            "diagnostic",
        ],
    ),
    // Properties shared by the fuzz targets and the test that replays their corpus.
    ("fuzz", &["editor", "identity", "inspect", "policy", "lock", "wire", "diagnostic"]),
];

/// Files and folders that take bytes and values only. A path ending in `/` is a folder.
const PURE: &[&str] = &[
    "diagnostic/",
    "layout/",
    "shape/",
    "editor/",
    "wire/",
    "lock/",
    "policy/",
    "inspect/",
    "seal/",
    "limit/",
    "config/",
    "identity/",
    "upstream/",
    "replay/",
];

/// The drivers inside otherwise pure folders: they own a file, a socket or a timer.
const DRIVERS: &[&str] = &[
    "config/load.rs",
    "config/stamp.rs",
    "identity/authenticator.rs",
    "identity/fetch.rs",
    "identity/store.rs",
    "upstream/connection.rs",
    "upstream/error.rs",
    "upstream/pool.rs",
    "upstream/reply.rs",
    "upstream/watchdog.rs",
];

/// What a pure file must not name, and what to do in its place.
const FORBIDDEN: &[(&str, &str)] = &[
    ("tokio", "a pure module has no runtime: give the driver the bytes"),
    ("hyper::", "a pure module has no connection: take http::HeaderMap or bytes"),
    ("hyper_util", "a pure module has no connection"),
    ("reqwest", "a pure module does not fetch"),
    ("std::fs", "a pure module reads no file: take its text"),
    ("std::env", "a pure module has no environment: take the value"),
    ("std::thread", "a pure module starts nothing"),
    ("TcpStream", "a pure module has no socket"),
    ("TcpListener", "a pure module has no socket"),
    ("Instant::now", "the clock is an argument"),
    ("SystemTime::now", "the clock is an argument"),
];

struct File {
    /// Path below `src/`, with `/`.
    path: String,
    /// The text without comments and without its `#[cfg(test)]` tail.
    code: String,
    text: String,
}

fn sources() -> Vec<File> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("src/ can be read") {
            let path = entry.expect("an entry of src/").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source file can be read");
            let path =
                path.strip_prefix(&root).expect("below src/").to_string_lossy().replace('\\', "/");
            File { code: without_comments_and_tests(&text), path, text }
        })
        .collect()
}

fn without_comments_and_tests(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            break;
        }
        let line = line.trim_start();
        if line.starts_with("//") {
            continue;
        }
        code.push_str(line.split(" // ").next().unwrap_or(line));
        code.push('\n');
    }
    code
}

fn module_of(path: &str) -> &str {
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// Test modules in files of their own may use what they like.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// The first names behind `crate::`, also inside `crate::{...}`.
fn imported(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at]
            .chars()
            .next_back()
            .is_some_and(|before| before.is_alphanumeric() || before == '_')
        {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let heads: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => {
                let mut depth = 0;
                let end = group
                    .find(|c| {
                        depth += i32::from(c == '{') - i32::from(c == '}');
                        depth < 0
                    })
                    .unwrap_or(group.len());
                split_top_level(&group[..end])
            }
            None => vec![rest],
        };
        names.extend(heads.into_iter().map(|head| {
            head.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
        }));
    }
    names.retain(|name| !name.is_empty());
    names
}

fn split_top_level(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts
}

#[test]
fn imports_run_one_way() {
    let edges: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let mut wrong = Vec::new();
    for file in sources().iter().filter(|file| !is_test_file(&file.path)) {
        let module = module_of(&file.path);
        if matches!(module, "lib" | "main") {
            continue;
        }
        let Some(allowed) = edges.get(module) else {
            wrong.push(format!("src/{}: module `{module}` has no row in EDGES", file.path));
            continue;
        };
        for name in imported(&file.code) {
            let known = edges.contains_key(name.as_str());
            if known && name != module && !allowed.contains(&name.as_str()) {
                wrong.push(format!("src/{}: `{module}` must not import `{name}`", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_of_edges_has_no_cycle() {
    // Every edge leads to a module that stands earlier in a topological order, or there is none.
    let mut left: Vec<_> = EDGES.to_vec();
    let mut placed: Vec<&str> = Vec::new();
    while !left.is_empty() {
        let before = left.len();
        left.retain(|(module, needs)| {
            let ready = needs.iter().all(|need| placed.contains(need));
            if ready {
                placed.push(module);
            }
            !ready
        });
        assert!(left.len() < before, "a cycle among {left:?}");
    }
}

#[test]
fn pure_modules_name_no_driver() {
    let mut wrong = Vec::new();
    for file in sources().iter().filter(|file| !is_test_file(&file.path)) {
        let pure = PURE.iter().any(|folder| file.path.starts_with(folder));
        if !pure || DRIVERS.contains(&file.path.as_str()) {
            continue;
        }
        for (name, instead) in FORBIDDEN {
            if file.code.contains(name) {
                wrong.push(format!("src/{}: names `{name}` ({instead})", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a verdict is made of, and the files that may make it: an evaluation begins in two places, ends in one, and no second
/// evaluator decides anything. `naive` is the oracle of properties.
const ONE_WAY: &[(&str, &[&str])] = &[
    ("Evaluation {", &["policy/evaluate.rs", "policy/set.rs", "policy/listing.rs"]),
    (".run(target, blocks, listener)", &["policy/set.rs"]),
    ("self.judge(scope", &["policy/set.rs", "policy/aimed.rs"]),
    ("Permitted {", &["policy/evaluate.rs", "policy/naive.rs", "policy/verdict.rs"]),
    // The last is another one, of a JSON text.
    (
        "Refusal {",
        &[
            "policy/evaluate.rs",
            "policy/naive.rs",
            "policy/verdict.rs",
            "policy/pin.rs",
            "fuzz/json.rs",
        ],
    ),
    ("naive::", &["fuzz/policy_file.rs"]),
    (".try_out(", &["gateway/policies.rs", "policy/example.rs"]),
];

/// Who judges, and by what: all of these come to `Policy::judge`.
const JUDGES: &[(&str, &str)] = &[
    ("gateway/message.rs", ".decide("),
    ("gateway/batch.rs", ".decide_each_of("),
    ("gateway/judge.rs", ".decide_server_request("),
    ("policy/explain/mod.rs", "self.decide_for("),
    ("policy/explain/mod.rs", "self.decide_request_for("),
    ("cli/explain/mod.rs", ".explain("),
    ("policy/example.rs", "policy.decide_for("),
    ("gateway/policies.rs", "test.try_out("),
    ("cli/test/mod.rs", "policies::try_out("),
    ("policy/prove/example/mod.rs", "policy.decide("),
    ("policy/missing.rs", "self.decide_supposing("),
    ("policy/missing.rs", "self.decide_aimed("),
    ("policy/aimed.rs", "self.judge("),
    ("replay/judge.rs", "self.policy.decide_aim_without("),
    ("cli/explain/log.rs", "policy.decide_without("),
];

/// `run`, `test`, `explain`, `check` and whatever comes judge in one way, so that what is tried out is what will be.
#[test]
fn there_is_one_way_to_a_verdict() {
    let sources = sources();
    let mut wrong = Vec::new();
    for (name, files) in ONE_WAY {
        // A return type is no verdict made: those stand before a body.
        let makes = |file: &File| {
            file.code.lines().any(|line| {
                line.match_indices(name).any(|(at, _)| {
                    let is_longer = line[..at].ends_with(char::is_alphanumeric);
                    let before = line[..at].trim_end_matches([' ', '&']);
                    !is_longer && !before.ends_with("->") && !before.ends_with("for")
                })
            })
        };
        let made = sources.iter().filter(|file| !is_test_file(&file.path) && makes(file));
        for file in made.filter(|file| !files.contains(&file.path.as_str())) {
            wrong.push(format!("src/{}: names `{name}`, which makes a verdict", file.path));
        }
    }
    for (path, call) in JUDGES {
        let file = sources.iter().find(|file| file.path == *path);
        if !file.is_some_and(|file| file.code.contains(call)) {
            wrong.push(format!("src/{path}: does not judge by `{call}`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn drivers_in_the_table_exist() {
    let paths: Vec<String> = sources().into_iter().map(|file| file.path).collect();
    for driver in DRIVERS {
        assert!(
            paths.iter().any(|path| path == driver),
            "src/{driver} is in DRIVERS but not in src/"
        );
    }
}

#[test]
fn files_say_what_they_are() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|file| !file.text.starts_with("//!"))
        .map(|file| file.path)
        .collect();
    assert!(silent.is_empty(), "these files do not open with `//!`: {silent:?}");
}

#[test]
fn main_is_thin() {
    let main = sources().into_iter().find(|file| file.path == "main.rs").expect("src/main.rs");
    assert!(main.code.lines().count() <= 10, "src/main.rs only calls the library");
}

/// The checker itself must see what it forbids.
#[test]
fn the_scanner_sees_imports() {
    let table: &[(&str, &[&str])] = &[
        ("use crate::wire::json;", &["wire"]),
        ("use crate::{policy::Call, wire::{json, sse}};", &["policy", "wire"]),
        ("let x = crate::limit::Limiter::new();", &["limit"]),
        ("use mycrate::wire;", &[]),
    ];
    for (code, expected) in table {
        assert_eq!(imported(code), *expected, "{code}");
    }
    let code = without_comments_and_tests(
        "// crate::gateway\nlet a = 1; // crate::cli\n#[cfg(test)]\nmod tests { use crate::cli; }\n",
    );
    assert!(imported(&code).is_empty());
}
