//! Tests of: config. Fixtures in `tests/data/config`, one pair a code: `C0xx-….toml` has it, `C0xx-….ok.toml` has not,
//! and nothing else either. Lines that begin with `#!` set the scene: `--flag value`, `$VARIABLE=value`,
//! `file:name=text`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mcpfw::config::{
    AccessLog, Config, Credentials, Jwks, Limits, Outside, Overrides, codes, load,
};
use mcpfw::diagnostic::render::{Look, github, human, json};
use mcpfw::diagnostic::{Diagnostic, Sources};
use mcpfw::policy::RefusalStyle;
use proptest::prelude::*;

const FOLDER: &str = "/etc/mcpfw";

/// What a config may refer to.
#[derive(Default)]
struct Scene {
    overrides: Overrides,
    variables: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, String>,
}

impl Scene {
    /// The `#!` lines of a fixture.
    fn of(text: &str) -> Self {
        let mut scene = Self::default();
        for line in text.lines().filter_map(|line| line.strip_prefix("#! ")) {
            if let Some((name, value)) =
                line.strip_prefix('$').and_then(|rest| rest.split_once('='))
            {
                scene.variables.insert(name.into(), value.into());
            } else if let Some((name, value)) =
                line.strip_prefix("file:").and_then(|rest| rest.split_once('='))
            {
                scene.files.insert(Path::new(FOLDER).join(name), value.into());
            } else {
                let (flag, value) = line.split_once(' ').expect("a flag and its value");
                scene.flag(flag, value);
            }
        }
        scene
    }

    fn flag(&mut self, flag: &str, value: &str) {
        let value = value.to_owned();
        match flag {
            "--listen" => self.overrides.listen = Some(value),
            "--upstream" => self.overrides.upstream.push(value),
            "--policies" => self.overrides.policies = Some(value),
            "--jwks" => self.overrides.jwks = Some(value),
            "--issuer" => self.overrides.issuer = Some(value),
            "--audience" => self.overrides.audience = Some(value),
            "--log" => self.overrides.log = Some(value),
            "--no-watch" => self.overrides.no_watch = true,
            _ => panic!("no such flag: {flag}"),
        }
    }

    fn parse(&self, file: Option<&str>) -> (Sources, Option<Config>, Vec<Diagnostic>) {
        let mut sources = Sources::new();
        let id = file.map(|text| sources.add("mcpfw.toml", text));
        let read = |path: &Path| -> io::Result<String> {
            self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        let outside = Outside {
            folder: Path::new(FOLDER),
            variable: &|name| self.variables.get(name).cloned(),
            file: &read,
        };
        let (config, findings) = Config::parse(&mut sources, id, &self.overrides, &outside);
        assert_eq!(
            config.is_none(),
            findings.iter().any(Diagnostic::is_error),
            "a config unless an error"
        );
        (sources, config, findings)
    }
}

/// The config of `text`, which has nothing wrong.
fn clean(text: &str) -> Config {
    let (sources, config, findings) = Scene::of(text).parse(Some(text));
    assert!(findings.is_empty(), "{}", human(&sources, &findings, Look::PLAIN));
    config.unwrap()
}

/// The config of flags alone.
fn sidecar(flags: &[(&str, &str)]) -> Config {
    let mut scene = Scene::default();
    for (flag, value) in flags {
        scene.flag(flag, value);
    }
    let (sources, config, findings) = scene.parse(None);
    assert!(config.is_some(), "{}", human(&sources, &findings, Look::PLAIN));
    config.unwrap()
}

fn fixtures() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/config");
    let mut all: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), text)
        })
        .collect();
    all.sort();
    all
}

#[test]
fn findings_of_fixtures() {
    let mut seen = BTreeSet::new();
    for (name, text) in
        fixtures().into_iter().filter(|(name, _)| name.starts_with('C') && !name.ends_with(".ok"))
    {
        let (sources, _, findings) = Scene::of(&text).parse(Some(&text));
        let code = &name[..4];
        assert!(
            findings.iter().any(|found| found.code.0 == code),
            "{name} has no {code}: {findings:?}"
        );
        seen.extend(findings.iter().map(|found| found.code));
        let shown = human(&sources, &findings, Look::PLAIN);
        assert!(!shown.contains("canary"), "{name} shows a secret:\n{shown}");
        for other in [json(&sources, &findings), github(&sources, &findings)] {
            assert!(!other.contains("canary"), "{name} shows a secret:\n{other}");
        }
        insta::with_settings!({snapshot_path => "../data/config", prepend_module_to_snapshot => false, omit_expression => true}, {
            insta::assert_snapshot!(name.as_str(), shown);
        });
    }
    // The rest is found by the driver: see the tests of files below.
    let files = [codes::UNREADABLE, codes::TOO_LARGE, codes::NOT_UTF8, codes::NO_POLICIES];
    let unseen: Vec<_> =
        codes::ALL.iter().filter(|code| !seen.contains(code) && !files.contains(code)).collect();
    assert!(unseen.is_empty(), "no fixture has {unseen:?}");
}

#[test]
fn no_findings_of_fixtures_that_are_right() {
    let all = fixtures();
    let right: Vec<_> =
        all.iter().filter(|(name, _)| name.ends_with(".ok") || name == "example").collect();
    for (_, text) in &right {
        let _ = clean(text);
    }
    let codes = codes::ALL.iter().filter(|code| code.0 < "C010" || code.0 >= "C020");
    for code in codes {
        assert!(right.iter().any(|(name, _)| name.starts_with(code.0)), "no {code}-….ok.toml");
    }
}

#[test]
fn codes_are_unique() {
    let unique: BTreeSet<_> = codes::ALL.iter().collect();
    assert_eq!(unique.len(), codes::ALL.len());
}

#[test]
fn the_example_resolves() {
    let (_, text) = fixtures().into_iter().find(|(name, _)| name == "example").unwrap();
    let config = clean(&text);
    // No part of it that Debug prints is a secret.
    let shown = format!("{config:?}");
    assert!(!shown.contains("canary"), "{shown}");

    assert_eq!(config.policies, Path::new("/etc/mcpfw/policies/"));
    assert_eq!(config.listen.address, "0.0.0.0:8443".parse().unwrap());
    assert!(config.listen.trusts("10.1.2.3".parse().unwrap()));
    assert!(
        config.listen.hosts.allows("mcp.example.com:443")
            && !config.listen.hosts.allows("localhost")
    );
    assert!(config.listen.origins.is_empty());
    assert!(config.auth.required);
    let issuer = &config.auth.jwt[0];
    assert_eq!(&*issuer.issuer, "https://id.example.com/");
    assert_eq!(issuer.audience, ["https://mcp.example.com/mcp".into()]);
    assert_eq!(issuer.jwks, Jwks::Url("https://id.example.com/jwks.json".parse().unwrap()));
    assert_eq!((issuer.typ.as_deref(), issuer.allow_private), (None, false));
    assert_eq!(issuer.leeway, Duration::from_secs(30));
    let headers: Vec<_> =
        config.identity_headers.iter().map(|h| (h.claim.join("/"), h.header.as_str())).collect();
    assert_eq!(headers, [("sub".into(), "x-user-id"), ("plan".into(), "x-user-plan")]);
    let route = &config.routes[0];
    assert_eq!(
        (&*route.name, &*route.path, route.refusal),
        ("files", "/mcp", RefusalStyle::JsonRpc)
    );
    assert_eq!(route.upstream, ["http://10.0.0.5:3000/mcp".parse().unwrap()]);
    assert_eq!(route.revisions.iter().count(), 5);
    let Credentials::Set { header, value } = &route.credentials else {
        panic!("{:?}", route.credentials)
    };
    assert_eq!((header.as_str(), value.to_str().unwrap()), ("authorization", "Bearer canary-8"));
    assert!(value.is_sensitive());
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.access_log, AccessLog::Stdout);
}

#[test]
fn flags_alone_make_a_sidecar() {
    let config = sidecar(&[("--upstream", "http://127.0.0.1:3000/tools/mcp")]);
    assert_eq!(config.policies, Path::new("/etc/mcpfw/policies"));
    assert_eq!(config.listen.address, "127.0.0.1:8080".parse().unwrap());
    assert!(
        config.listen.hosts.allows("localhost:8080") && !config.listen.hosts.allows("evil.example")
    );
    assert!(!config.auth.required && config.auth.jwt.is_empty());
    let route = &config.routes[0];
    assert_eq!((&*route.name, &*route.path), ("default", "/tools/mcp"));
    assert!(matches!(route.credentials, Credentials::Strip));

    let config = sidecar(&[
        ("--listen", "[::1]:0"),
        ("--upstream", "http://127.0.0.1:3000"),
        ("--policies", "rules"),
        ("--issuer", "https://id.example.com/"),
        ("--audience", "https://mcp.example.com/mcp"),
        ("--jwks", "file:keys.json"),
        ("--log", "off"),
    ]);
    assert_eq!(&*config.routes[0].path, "/mcp");
    // Paths of flags start at the working directory.
    assert_eq!(config.policies, Path::new("rules"));
    assert_eq!(config.auth.jwt[0].jwks, Jwks::File("keys.json".into()));
    assert!(config.auth.required);
    assert!(config.listen.hosts.allows("mcp.example.com"));
    assert_eq!(config.access_log, AccessLog::Off);
}

#[test]
fn flags_go_before_the_file() {
    let text = "#! --listen 127.0.0.1:9999\n#! --upstream http://127.0.0.1:9/other\n#! --audience two\n#! --log stderr\n\
        policies = 'p'\nlisten.address = '127.0.0.1:1'\nlog.access = 'off'\n\
        [[auth.jwt]]\nissuer = 'i'\naudience = ['one', 'three']\njwks = 'file:k.json'\n\
        [[route]]\nname = 'files'\npath = '/files'\nupstream = 'not even a URL'\n";
    let config = clean(text);
    assert_eq!(config.listen.address.port(), 9999);
    let route = &config.routes[0];
    assert_eq!(
        (&*route.name, &*route.path, route.upstream[0].path()),
        ("files", "/files", "/other")
    );
    assert_eq!(config.auth.jwt[0].audience, ["two".into()]);
    assert_eq!(config.auth.jwt[0].jwks, Jwks::File("/etc/mcpfw/k.json".into()));
    assert_eq!(config.access_log, AccessLog::Stderr);
    assert_eq!(config.policies, Path::new("/etc/mcpfw/p"));
}

#[test]
fn flags_that_lack_others_say_which() {
    let mut scene = Scene::default();
    scene.flag("--upstream", "http://127.0.0.1:3000/mcp");
    scene.flag("--jwks", "file:keys.json");
    let (sources, _, findings) = scene.parse(None);
    insta::assert_snapshot!(human(&sources, &findings, Look::PLAIN), @r#"
error[C003]: missing flag `--audience`
 --> --jwks:1:1
  |
1 | file:keys.json
  | ^^^^^^^^^^^^^^ needs `--audience` beside it
  |
  = help: `--issuer`, `--audience` and `--jwks` make an issuer together

error[C003]: missing flag `--issuer`
 --> --jwks:1:1
  |
1 | file:keys.json
  | ^^^^^^^^^^^^^^ needs `--issuer` beside it
  |
  = help: `--issuer`, `--audience` and `--jwks` make an issuer together
"#);
    let (sources, _, findings) = Scene::default().parse(None);
    insta::assert_snapshot!(human(&sources, &findings, Look::PLAIN), @r#"
error[C030]: no server to stand in front of
 |
 = help: give `--upstream http://…`, or write `[[route]]` with `upstream = "http://…"`
"#);
}

#[test]
fn secrets_are_read_where_they_are() {
    let (_, text) = fixtures().into_iter().find(|(name, _)| name == "C060-secret.ok").unwrap();
    let values: Vec<String> = clean(&text)
        .routes
        .iter()
        .map(|route| match &route.credentials {
            Credentials::Set { value, .. } => value.to_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(values, ["canary-3:canary-4", "canary-5"]);
}

#[test]
fn claims_are_named_by_toml_paths() {
    let (_, text) = fixtures().into_iter().find(|(name, _)| name == "C053-claim-path.ok").unwrap();
    let claims: Vec<_> = clean(&text).identity_headers.into_iter().map(|h| h.claim).collect();
    assert_eq!(claims[0], ["realm_access".into(), "roles".into()]);
    assert_eq!(claims[1], ["realm_access.roles".into()]);
    assert_eq!(claims[2].len(), 8);
}

/// Each limit at both ends, and a step beyond.
#[test]
fn limits_at_their_edges() {
    let table: &[(&str, &str, &str, &str, &str)] = &[
        // key, below, least, most, above
        ("max_body", "1023B", "1KiB", "1GiB", "1073741825B"),
        ("max_hold", "1023B", "1KiB", "16MiB", "16777217B"),
        ("max_batch", "-1", "0", "100", "101"),
        ("max_captured", "255B", "256B", "1MiB", "1048577B"),
        ("max_depth", "3", "4", "512", "513"),
        ("max_key", "31B", "32B", "32KiB", "32769B"),
        ("max_number", "19B", "20B", "1KiB", "1025B"),
        ("max_values", "63", "64", "67108864", "67108865"),
        ("max_open_keys", "63", "64", "1048576", "1048577"),
        ("max_element", "1023B", "1KiB", "16MiB", "16777217B"),
        ("max_headers", "15", "16", "1000", "1001"),
        ("max_head", "8191B", "8KiB", "1MiB", "1048577B"),
        ("max_mirrored_tools", "-1", "0", "100000", "100001"),
        ("max_connections", "0", "1", "1000000", "1000001"),
        ("max_session_id", "63B", "64B", "8KiB", "8193B"),
        ("max_endpoint", "255B", "256B", "16KiB", "16385B"),
        ("max_outstanding", "15", "16", "10000000", "10000001"),
        ("max_outstanding_session", "0", "1", "1024", "1025"),
        ("outstanding_ttl", "999ms", "1s", "1d", "86400001ms"),
        ("max_limit_keys", "999", "1000", "100000000", "100000001"),
        ("header_timeout", "999ms", "1s", "1h", "3600001ms"),
        ("body_idle", "999ms", "1s", "1h", "3600001ms"),
        ("connect_timeout", "9ms", "10ms", "1h", "3600001ms"),
        ("first_byte", "99ms", "100ms", "1d", "86400001ms"),
        ("stream_idle", "999ms", "1s", "1d", "86400001ms"),
        ("stream_comment", "999ms", "1s", "1h", "3600001ms"),
        ("keep_alive", "999ms", "1s", "1d", "86400001ms"),
    ];
    let with = |key: &str, value: &str| {
        let quote = if value.bytes().all(|b| b.is_ascii_digit() || b == b'-') { "" } else { "\"" };
        let text = format!(
            "limits.{key} = {quote}{value}{quote}\nroute = [{{ upstream = 'http://h/' }}]\n"
        );
        Scene::default().parse(Some(&text))
    };
    for (key, below, least, most, above) in table {
        for value in [least, most] {
            let (_, config, findings) = with(key, value);
            assert!(findings.is_empty(), "{key} = {value}: {findings:?}");
            assert_ne!(
                config.unwrap().limits,
                Limits::default(),
                "{key} = {value} changes nothing"
            );
        }
        for value in [below, above] {
            let (_, _, findings) = with(key, value);
            let found: Vec<_> = findings.iter().map(|found| found.code).collect();
            assert_eq!(found, [codes::OUT_OF_RANGE], "{key} = {value}");
            assert!(findings[0].labels[0].text.contains(least), "{:?}", findings[0]);
        }
    }
}

#[test]
fn limits_as_documented() {
    let limits = Limits::default();
    let seconds = Duration::from_secs;
    assert_eq!(
        (limits.request.body, limits.request.hold, limits.request.capture),
        (4 << 20, 64 << 10, 16 << 10)
    );
    assert_eq!(
        (limits.max_element, limits.max_headers, limits.max_head),
        (64 << 10, 100, 64 << 10)
    );
    assert_eq!((limits.max_connections, limits.max_limit_keys), (8_000, 1_000_000));
    assert_eq!((limits.max_session_id, limits.max_endpoint), (1024, 2048));
    assert_eq!((limits.max_outstanding, limits.max_outstanding_session), (65_536, 64));
    assert_eq!(limits.outstanding_ttl, seconds(3_600));
    assert_eq!((limits.header_timeout, limits.body_idle), (seconds(10), seconds(30)));
    assert_eq!((limits.connect_timeout, limits.first_byte), (seconds(1), seconds(30)));
    assert_eq!(limits.stream_comment, seconds(15));
    assert_eq!((limits.stream_idle, limits.keep_alive), (seconds(300), seconds(75)));
}

#[test]
fn lists_that_must_say_something_do() {
    let text = "[listen]\nhosts = []\n[[auth.jwt]]\nissuer = 'i'\naudience = []\njwks = 'file:k'\nalgorithms = []\n\
        [[route]]\nupstream = []\nrevisions = []\n";
    let (_, _, findings) = Scene::default().parse(Some(text));
    let found: Vec<_> = findings.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(
        found,
        [
            "`hosts` is empty",
            "`audience` is empty",
            "`algorithms` is empty",
            "`upstream` is empty",
            "`revisions` is empty"
        ]
    );
}

/// Files: what the driver finds.
mod files {
    use super::*;

    fn shown(sources: &Sources, findings: &[Diagnostic], root: &Path) -> String {
        human(sources, findings, Look::PLAIN).replace(root.to_str().unwrap(), "<root>")
    }

    fn policies(root: &Path) -> (Vec<String>, String) {
        let (sources, findings) = load::policies(root);
        let name = |name: &str| name.replace(root.to_str().unwrap(), "<root>");
        (sources.iter().map(|(_, s)| name(s.name())).collect(), shown(&sources, &findings, root))
    }

    #[test]
    fn a_config_file_is_loaded_with_what_it_refers_to() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("mcpfw.toml");
        fs::write(root.path().join("token"), "canary-9\n").unwrap();
        fs::write(
            &path,
            "[[route]]\nupstream = 'http://h/mcp'\ncredentials = { value = 'file:token' }\n",
        )
        .unwrap();
        let loaded = load::load(Some(&path), &Overrides::default());
        assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
        let config = loaded.config.unwrap();
        assert_eq!(config.policies, root.path().join("policies"));
        let Credentials::Set { value, .. } = &config.routes[0].credentials else { panic!() };
        assert_eq!(value.to_str().unwrap(), "canary-9");

        // Again, after a change: nothing is remembered.
        fs::write(&path, "[[route]]\nupstream = 'http://h/other'\n").unwrap();
        let again = load::load(Some(&path), &Overrides::default()).config.unwrap();
        assert_eq!(&*again.routes[0].path, "/other");
    }

    #[test]
    fn config_files_that_cannot_be_read() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("folder")).unwrap();
        fs::write(at("latin1.toml"), b"# caf\xe9\n").unwrap();
        fs::write(at("large.toml"), vec![b'#'; (1 << 20) + 1]).unwrap();
        fs::write(at("edge.toml"), vec![b'#'; 1 << 20]).unwrap();
        let found = |name: &str| {
            let loaded = load::load(Some(&at(name)), &Overrides::default());
            assert!(loaded.config.is_none());
            shown(&loaded.sources, &loaded.findings, root.path())
        };
        let all =
            ["missing.toml", "folder", "latin1.toml", "large.toml", "edge.toml/x", "edge.toml"]
                .map(found);
        insta::assert_snapshot!(all.join("\n"), @r#"
error[C010]: cannot read config file `<root>/missing.toml`: it does not exist

error[C010]: cannot read config file `<root>/folder`: not a file

error[C012]: cannot read config file `<root>/latin1.toml`: line 1, byte 6 of it is not UTF-8
 |
 = help: save it as UTF-8

error[C011]: cannot read config file `<root>/large.toml`: larger than 1MiB

error[C010]: cannot read config file `<root>/edge.toml/x`: it is not a directory

error[C030]: no server to stand in front of
 |
 = help: give `--upstream http://…`, or write `[[route]]` with `upstream = "http://…"`
"#);
    }

    #[test]
    fn policy_files_are_found_in_order() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("b/deep")).unwrap();
        fs::create_dir(at(".git")).unwrap();
        fs::create_dir(at("empty")).unwrap();
        for name in [
            "z.toml",
            "a.toml",
            "b/m.toml",
            "b/deep/x.toml",
            ".git/c.toml",
            ".a.toml.swp",
            ".hidden.toml",
            "README.md",
        ] {
            fs::write(at(name), "").unwrap();
        }
        std::os::unix::fs::symlink(at("a.toml"), at("linked.toml")).unwrap();
        let (names, findings) = policies(root.path());
        assert_eq!(
            names,
            [
                "<root>/a.toml",
                "<root>/b/deep/x.toml",
                "<root>/b/m.toml",
                "<root>/linked.toml",
                "<root>/z.toml"
            ]
        );
        assert_eq!(findings, "");
    }

    /// A ConfigMap: `..data` links to a folder with a date, files link into `..data`.
    #[test]
    fn a_kubernetes_volume_is_read_once() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("..2026_07_28")).unwrap();
        fs::write(at("..2026_07_28/a.toml"), "").unwrap();
        std::os::unix::fs::symlink("..2026_07_28", at("..data")).unwrap();
        std::os::unix::fs::symlink("..data/a.toml", at("a.toml")).unwrap();
        assert_eq!(policies(root.path()), (vec!["<root>/a.toml".to_owned()], String::new()));
    }

    #[test]
    fn policy_files_that_cannot_be_read() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in ["empty", "broken/folder.toml", "linked/real", "other"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        fs::write(at("other/notes.txt"), "").unwrap();
        fs::write(at("broken/latin1.toml"), b"\xff").unwrap();
        fs::write(at("broken/large.toml"), vec![b'#'; (1 << 20) + 1]).unwrap();
        fs::write(at("broken/good.toml"), "").unwrap();
        std::os::unix::fs::symlink("nowhere.toml", at("broken/dangling.toml")).unwrap();
        std::os::unix::fs::symlink("/dev/null", at("broken/device.toml")).unwrap();
        fs::write(at("linked/real/a.toml"), "").unwrap();
        std::os::unix::fs::symlink("real", at("linked/again")).unwrap();
        fs::write(at("file"), "").unwrap();
        let all = ["missing", "file", "empty", "other", "broken", "linked"].map(|name| {
            let (sources, findings) = load::policies(&at(name));
            shown(&sources, &findings, root.path())
        });
        insta::assert_snapshot!(all.join("---\n"), @r#"
error[C010]: cannot read policy directory `<root>/missing`: it does not exist
 |
 = help: name the directory of the policy files, as in `--policies DIR`, or as `policies` of mcpfw.toml
---
error[C010]: cannot read policy directory `<root>/file`: it is not a directory
 |
 = help: a policy set is a directory, all `*.toml` in it together: name that
---
error[C013]: no policy file in `<root>/empty`
 |
 = help: without an `[[allow]]` no call could pass: put one into a `*.toml` there, with `name` and `tools`; `mcpfw learn` proposes some
---
error[C013]: no policy file in `<root>/other`
 |
 = help: without an `[[allow]]` no call could pass: put one into a `*.toml` there, with `name` and `tools`; `mcpfw learn` proposes some
---
error[C010]: cannot read policy file `<root>/broken/dangling.toml`: it does not exist

error[C010]: cannot read policy file `<root>/broken/device.toml`: not a file

error[C011]: cannot read policy file `<root>/broken/large.toml`: larger than 1MiB

error[C012]: cannot read policy file `<root>/broken/latin1.toml`: line 1, byte 1 of it is not UTF-8
 |
 = help: save it as UTF-8
---
error[C010]: `<root>/linked/again` is a symbolic link to a directory
 |
 = help: put the directory itself there, or links to its files
"#);
    }

    #[test]
    fn a_tree_that_is_too_deep_is_given_up() {
        let root = tempfile::tempdir().unwrap();
        let deep = (0..20).fold(root.path().to_path_buf(), |path, _| path.join("d"));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("a.toml"), "").unwrap();
        let (_, findings) = load::policies(root.path());
        assert_eq!(findings.iter().map(|found| found.code).collect::<Vec<_>>(), [codes::TOO_LARGE]);
    }
}

/// Pieces of config files, so that arbitrary text gets past the syntax.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "[listen]",
        "[[route]]",
        "[auth]",
        "[[auth.jwt]]",
        "[limits]",
        "[log]",
        "[identity_headers]",
        "[tls]",
        "address = ",
        "upstream = ",
        "path = ",
        "name = ",
        "hosts = ",
        "issuer = ",
        "jwks = ",
        "credentials = ",
        "value = ",
        "max_body = ",
        "access = ",
        "sub = ",
        "policies = ",
        "required = ",
        "\"",
        "'",
        "\"\"\"",
        "[",
        "]",
        "{",
        "}",
        ",",
        "=",
        ".",
        "\n",
        "\r\n",
        "\n",
        "\n",
        "1",
        "true",
        "2026-07-28",
        "\"10s\"",
        "\"http://h/\"",
        "\"file:x\"",
        "\"${A}\"",
        "\"X-A\"",
        "\u{202e}",
        "é",
        "\u{0}",
        "\\u00e9",
    ];
    prop_oneof![4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => "(?s).{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Whatever a file or a flag says, there is a config or an error, every span lies in its text, and every renderer
    /// shows it.
    #[test]
    fn any_text_is_answered(pieces in prop::collection::vec(piece(), 0..40), flag in ".{0,20}") {
        let text = pieces.concat();
        let mut scene = Scene::default();
        scene.flag("--listen", &flag);
        scene.flag("--upstream", &flag);
        scene.flag("--jwks", &flag);
        scene.flag("--log", &flag);
        let (sources, _, findings) = scene.parse(Some(&text));
        for label in findings.iter().flat_map(|found| &found.labels) {
            let text = sources.source(label.span.source).unwrap().text();
            prop_assert!(text.get(label.span.range()).is_some(), "{label:?}");
        }
        let _ = human(&sources, &findings, Look::PLAIN);
        let parsed: serde_json::Value = serde_json::from_str(&json(&sources, &findings)).unwrap();
        prop_assert_eq!(parsed.as_array().unwrap().len(), findings.len());
    }

    /// One byte of a good file changed, removed or doubled.
    #[test]
    fn any_slip_is_answered(at in 0_usize..4_000, with in "(?s).{0,2}", removed in 0_usize..3) {
        let text = include_str!("../data/config/example.toml");
        let start = text.floor_char_boundary(at % text.len());
        let end = text.ceil_char_boundary((start + removed).min(text.len()));
        let broken = [&text[..start], &with, &text[end..]].concat();
        let (sources, _, findings) = Scene::of(text).parse(Some(&broken));
        let _ = human(&sources, &findings, Look::PLAIN);
    }
}

#[test]
fn when_policies_are_read_again() {
    use mcpfw::config::Reload;
    let route = "[[route]]\nupstream = 'http://127.0.0.1:9/mcp'\n";
    for (text, watch, millis) in [
        ("", true, 1_000),
        ("[reload]\n", true, 1_000),
        ("[reload]\nwatch = false\n", false, 1_000),
        ("[reload]\ninterval = \"100ms\"\n", true, 100),
        ("[reload]\nwatch = true\ninterval = \"1h\"\n", true, 3_600_000),
        ("#! --no-watch true\n[reload]\nwatch = true\n", false, 1_000),
    ] {
        let text = format!("{text}{route}");
        let interval = Duration::from_millis(millis);
        let (_, config, _) = Scene::of(&text).parse(Some(&text));
        assert_eq!(config.unwrap().reload, Reload { watch, interval }, "{text}");
    }
    for text in ["watch = 1", "interval = \"99ms\"", "interval = \"61m\"", "every = \"1s\""] {
        let text = format!("[reload]\n{text}\n{route}");
        assert!(Scene::of(&text).parse(Some(&text)).1.is_none(), "{text}");
    }
}
