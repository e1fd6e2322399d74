//! What a pin says of an object, and that the strictest of several speaks.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::{Arc, LazyLock};

use mcpfw::diagnostic::Sources;
use mcpfw::lock::{Item, Json, List, Lock, Server};
use mcpfw::policy::{CompileOptions, OnChange, Policy};
use mcpfw::wire::mcp::Revision;
use proptest::prelude::proptest;
use proptest::test_runner::Config;

use super::decisions::{NOW, options};

/// A lock with two tools, a prompt, a resource and a template.
fn lock() -> Arc<Lock> {
    let mut lock = Lock::new(Server::default(), Revision::V2025_11_25);
    for (list, text) in [
        (List::Tools, r#"{"name":"read_file"}"#),
        (List::Tools, r#"{"name":"write_file"}"#),
        (List::Prompts, r#"{"name":"read_file"}"#),
        (List::Resources, r#"{"uri":"file:///a","name":"a"}"#),
        (List::Templates, r#"{"uriTemplate":"file:///{name}","name":"b"}"#),
    ] {
        let json = Json::parse(text.as_bytes(), 1).unwrap();
        assert!(lock.add(Item::new(list, json).unwrap()));
    }
    Arc::new(lock)
}

fn policy(text: &str) -> Arc<Policy> {
    let mut sources = Sources::new();
    sources.add("pins.toml", text);
    let compiled = Policy::compile(&sources, &CompileOptions { lock: Some(lock()), ..options() });
    let shown = mcpfw::diagnostic::render::json(&sources, &compiled.diagnostics);
    compiled.policy.unwrap_or_else(|| panic!("{shown}"))
}

/// Name of the pin, what it does, whether the lock has the object.
fn asked(policy: &Policy, list: List, id: &str) -> Option<(String, &'static str, bool)> {
    let pin = policy.pin("main", list, id, NOW)?;
    assert_eq!(pin.digest, lock().find(list, id).map(Item::digest));
    Some((pin.name.to_string(), pin.on_change.as_str(), pin.digest.is_some()))
}

#[test]
fn a_pin_speaks_of_what_it_selects() {
    use List::{Prompts, Resources, Templates, Tools};
    type Case = (&'static str, List, &'static str, Option<(&'static str, &'static str, bool)>);
    let table: &[Case] = &[
        ("tools = ['read_file']", Tools, "read_file", Some(("p", "alert", true))),
        ("tools = ['read_file']", Tools, "write_file", None),
        ("tools = ['read_file']", Prompts, "read_file", None),
        ("prompts = ['read_file']", Prompts, "read_file", Some(("p", "alert", true))),
        // Without a selector it is everything.
        ("", Tools, "read_file", Some(("p", "alert", true))),
        ("", Templates, "file:///{name}", Some(("p", "alert", true))),
        ("", Resources, "file:///a", Some(("p", "alert", true))),
        // What the lock does not have is new.
        ("tools = ['*']", Tools, "rm", Some(("p", "alert", false))),
        ("", Tools, "rm", Some(("p", "alert", false))),
        // A look-alike is not what was reviewed, and is selected all the same.
        ("tools = ['read_file']", Tools, "Read_File", Some(("p", "alert", false))),
        ("tools = ['read_file']", Tools, "re\u{430}d_file", Some(("p", "alert", false))),
        ("tools = ['read_file']", Tools, "read_file\u{200b}", Some(("p", "alert", false))),
        // A name that has no one reading could be any.
        ("tools = ['read_file']", Tools, OVERLONG, Some(("p", "alert", false))),
        ("resources = ['file:///a']", Resources, "file:///a", Some(("p", "alert", true))),
        ("resources = ['file:///**']", Templates, "file:///{name}", Some(("p", "alert", true))),
        ("resources = ['http://**']", Templates, "file:///{name}", None),
        (
            "tools = ['read_file']\non_change = 'hide'",
            Tools,
            "read_file",
            Some(("p", "hide", true)),
        ),
        (
            "tools = ['read_file']\non_change = 'deny'",
            Tools,
            "read_file",
            Some(("p", "deny", true)),
        ),
        // In shadow it only tells.
        ("on_change = 'deny'\nmode = 'shadow'", Tools, "read_file", Some(("p", "alert", true))),
        ("on_change = 'deny'\nmode = 'enforce'", Tools, "read_file", Some(("p", "deny", true))),
        ("routes = ['main']", Tools, "read_file", Some(("p", "alert", true))),
        ("routes = ['other']", Tools, "read_file", None),
        ("expires = 2020-01-01", Tools, "read_file", None),
        ("expires = 2099-01-01", Tools, "read_file", Some(("p", "alert", true))),
    ];
    for (keys, list, id, want) in table {
        let policy = policy(&format!("[[pin]]\nname = 'p'\n{keys}\n"));
        let want = want.map(|(name, what, known)| (name.to_owned(), what, known));
        assert_eq!(asked(&policy, *list, id), want, "{keys} {list:?} {id}");
    }
    assert!(Policy::empty().pin("main", Tools, "read_file", NOW).is_none());
}

const OVERLONG: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// Pins have nothing to do with who may call: nothing is allowed or denied by one.
#[test]
fn a_pin_is_no_rule() {
    let policy = policy("[[pin]]\nname = 'p'\non_change = 'deny'\n");
    assert_eq!(policy.rules().len(), 0);
    let pins: Vec<_> = policy.pins().iter().map(|pin| (&**pin.name(), pin.line())).collect();
    assert_eq!(pins, [("p", 1)]);
    assert!(policy.lock().is_some());
}

/// Some pins of a few shapes, each as text, as what it does, and as a set of its own.
static SHAPES: LazyLock<Vec<(String, OnChange, Arc<Policy>)>> = LazyLock::new(|| {
    let mut shapes = Vec::new();
    for pattern in ["'*'", "'a'", "'b'", "'a*'", "'?b'", "'ab', 'b'"] {
        for change in [OnChange::Alert, OnChange::Hide, OnChange::Deny] {
            for (mode, effective) in [("enforce", change), ("shadow", OnChange::Alert)] {
                let change = change.as_str();
                let text =
                    format!("tools = [{pattern}]\non_change = '{change}'\nmode = '{mode}'\n");
                let alone = policy(&format!("[[pin]]\nname = 'p'\n{text}"));
                shapes.push((text, effective, alone));
            }
        }
    }
    shapes
});

proptest! {
    #![proptest_config(Config::with_cases(32))]

    /// Of several the strictest, and of equals the first: the index finds what asking one by one finds.
    #[test]
    fn the_strictest_speaks(pins in proptest::collection::vec(0..36_usize, 0..70), name in "[abc]{1,2}") {
        let mut all = String::new();
        let mut want: Option<(OnChange, String)> = None;
        for (at, shape) in pins.into_iter().enumerate() {
            let (text, change, alone) = &SHAPES[shape];
            let own = format!("p{at:03}");
            all += &format!("[[pin]]\nname = '{own}'\n{text}");
            let Some(pin) = alone.pin("main", List::Tools, &name, NOW) else { continue };
            assert_eq!(pin.on_change, *change);
            if want.as_ref().is_none_or(|(strictest, _)| change > strictest) {
                want = Some((*change, own));
            }
        }
        let all = policy(&all);
        let found = all.pin("main", List::Tools, &name, NOW);
        assert_eq!(found.map(|pin| (pin.on_change, pin.name.to_string())), want);
    }
}
