//! From a directory that changes to a set in force.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mcpfw::config::Reload;
use mcpfw::gateway::policies::Reading;
use mcpfw::gateway::{ReloadEvent, Reloader};
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::support::gateway::{Running, Setup};
use crate::support::soon;
use crate::support::wire::Upstream;

const ALLOW: &str = "[[allow]]\nname = \"a\"\ntools = [\"t\"]\n";
const DENY: &str = "[[deny]]\nname = \"d\"\ntools = [\"t\"]\n";

/// A gateway whose policies are read from a directory.
struct Scene {
    folder: TempDir,
    gateway: Running,
    asked: Arc<Notify>,
    events: mpsc::UnboundedReceiver<ReloadEvent>,
    task: JoinHandle<()>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scene {
    /// `files` are in force, and looked at every 20 ms if they are to be watched.
    async fn new(files: &[(&str, &str)], watch: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self::of(folder, "", watch).await
    }

    /// The same of what stands in `at` of `folder`.
    async fn of(folder: TempDir, at: &str, watch: bool) -> Self {
        let reading = Reading::new(None);
        let path = folder.path().join(at);
        let set = reading.read(&path).tried();
        let upstream = Upstream::start().await;
        let gateway = Setup::new("", upstream.address()).start();
        gateway.policies.swap(set.policy.unwrap());
        let when = Reload { watch, interval: Duration::from_millis(20) };
        let reloader = Reloader::new(gateway.policies.clone(), reading, path, set.stamp, when);
        let asked = Arc::new(Notify::new());
        let (tell, events) = mpsc::unbounded_channel();
        let told = move |event: &ReloadEvent| {
            let _ = tell.send(event.clone());
        };
        let task = tokio::spawn(reloader.run(Arc::clone(&asked), told));
        Self { folder, gateway, asked, events, task }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    async fn event(&mut self) -> ReloadEvent {
        soon(self.events.recv()).await.unwrap()
    }

    /// What comes of a reload that is asked for.
    async fn ask(&mut self) -> ReloadEvent {
        self.asked.notify_one();
        self.event().await
    }

    /// The names of the rules in force.
    fn rules(&self) -> Vec<String> {
        let policy = self.gateway.policies.current();
        policy.rules().iter().map(|rule| rule.name().to_string()).collect()
    }

    fn generation(&self) -> u64 {
        self.gateway.policies.current().generation()
    }
}

#[tokio::test]
async fn a_changed_file_is_in_force_when_it_rests() {
    let mut scene = Scene::new(&[("a.toml", ALLOW)], true).await;
    let first = scene.generation();
    scene.write("b.toml", DENY);
    let event = scene.event().await;
    assert!(event.is_new && event.generation > first, "{event:?}");
    assert_eq!(scene.rules(), ["d", "a"]);
    let head = format!(
        "policies reloaded: 2 rules, generation {}, digest {}",
        event.generation,
        scene.gateway.policies.current().digest()
    );
    assert_eq!(event.lines[0], head);
    // Gone again, and renamed over as editors do.
    fs::remove_file(scene.path().join("b.toml")).unwrap();
    assert!(scene.event().await.is_new);
    assert_eq!(scene.rules(), ["a"]);
    scene.write(".b.toml.swp", DENY);
    fs::rename(scene.path().join(".b.toml.swp"), scene.path().join("a.toml")).unwrap();
    assert!(scene.event().await.is_new);
    assert_eq!(scene.rules(), ["d"]);
    // As long as it was, at the same time of change: it is another file all the same.
    let time = fs::metadata(scene.path().join("a.toml")).unwrap().modified().unwrap();
    scene.write("a.toml", &DENY.replace("\"d\"", "\"e\""));
    fs::File::options()
        .write(true)
        .open(scene.path().join("a.toml"))
        .unwrap()
        .set_modified(time)
        .unwrap();
    assert!(scene.event().await.is_new);
    assert_eq!(scene.rules(), ["e"]);
}

/// As kubelet writes a volume: the files are links into `..data`, which is a link to a directory, and is replaced.
#[tokio::test]
async fn a_config_map_is_swapped() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("..2026_1")).unwrap();
    fs::write(at("..2026_1/a.toml"), ALLOW).unwrap();
    symlink("..2026_1", at("..data")).unwrap();
    symlink("..data/a.toml", at("a.toml")).unwrap();
    let mut scene = Scene::of(folder, "", true).await;
    assert_eq!(scene.rules(), ["a"]);
    let at = |name: &str| scene.path().join(name);
    fs::create_dir(at("..2026_2")).unwrap();
    fs::write(at("..2026_2/a.toml"), DENY).unwrap();
    symlink("..2026_2", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    fs::remove_dir_all(at("..2026_1")).unwrap();
    assert!(scene.event().await.is_new);
    assert_eq!(scene.rules(), ["d"]);
}

/// The directory itself may be a link that is made to lead elsewhere.
#[tokio::test]
async fn a_directory_is_exchanged() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("one", ALLOW), ("two", DENY)] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("a.toml"), text).unwrap();
    }
    symlink("one", folder.path().join("now")).unwrap();
    let mut scene = Scene::of(folder, "now", true).await;
    symlink("two", scene.path().join("then")).unwrap();
    fs::rename(scene.path().join("then"), scene.path().join("now")).unwrap();
    assert!(scene.event().await.is_new);
    assert_eq!(scene.rules(), ["d"]);
}

#[tokio::test]
async fn a_set_that_is_not_watched_is_read_when_asked_for() {
    let mut scene = Scene::new(&[("a.toml", ALLOW)], false).await;
    let first = scene.generation();
    // Nothing has changed: nothing is swapped.
    let event = scene.ask().await;
    assert_eq!((event.is_new, event.generation), (false, first));
    assert_eq!(event.lines, [format!("policies unchanged; generation {first} stays in force")]);
    scene.write("a.toml", DENY);
    assert!(scene.ask().await.is_new);
    assert_eq!(scene.rules(), ["d"]);
}

/// What makes a set unfit, and what is told of it.
#[tokio::test]
async fn a_broken_set_leaves_the_old_one_in_force() {
    let deep = "a = ".to_owned() + &"[".repeat(100_000);
    let huge = "# ".to_owned() + &"x".repeat(2 << 20);
    let failing = format!(
        "{ALLOW}[[test]]\nname = \"not so\"\ncall = {{ tool = \"t\" }}\nexpect = \"deny\"\n"
    );
    let forged = "[[allow]]\nname = \"x\"\ntools = [\"t\"]\nwhen = 'clams.\u{202e}plan'\n";
    let line =
        "[[allow]]\nname = \"a\\nmcpfw: policies reloaded: 9 rules\\u001b[2J\"\ntools = [\"t\"]\n";
    // (text, what some line must say)
    let cases = [
        ("[[allow]\n", "a.toml:1:"),
        ("[[allow]]\nname = \"a\"\ntols = [\"t\"]\n", "a.toml:3:1: error[P002]: "),
        (&*failing, "a.toml:"),
        (&*deep, "a.toml:1:"),
        (&*huge, "error[C011]: "),
        (forged, "a.toml:4:"),
        (line, "a.toml:2:"),
        ("", ""),
    ];
    let mut scene = Scene::new(&[("a.toml", ALLOW)], true).await;
    let first = scene.generation();
    for (text, says) in cases {
        if text.is_empty() {
            fs::remove_file(scene.path().join("a.toml")).unwrap();
        } else {
            scene.write("a.toml", text);
        }
        let event = scene.event().await;
        assert!(!event.is_new && event.generation == first, "{event:?}");
        assert!(event.lines[0].starts_with("policies not reloaded: "), "{event:?}");
        assert!(event.lines[0].ends_with(&format!("; generation {first} stays in force")));
        assert!(event.lines.iter().skip(1).any(|line| line.contains(says)), "{says}: {event:#?}");
        for line in &event.lines {
            assert!(
                !line.chars().any(mcpfw::diagnostic::is_hidden) && !line.contains('\n'),
                "{line:?}"
            );
        }
        assert_eq!((scene.generation(), scene.rules()), (first, vec!["a".to_owned()]));
        // Put back, it is said once that all is well.
        scene.write("a.toml", ALLOW);
        let event = scene.event().await;
        assert!(!event.is_new && event.lines[0].starts_with("policies unchanged"), "{event:?}");
    }
}

/// A link that leads out of the directory is followed, as `run` and `check` follow it; what is no file is not waited for.
#[tokio::test]
async fn links_lead_to_files() {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("deny"), DENY).unwrap();
    let mut scene = Scene::new(&[("a.toml", ALLOW)], true).await;
    symlink(elsewhere.path().join("deny"), scene.path().join("b.toml")).unwrap();
    assert!(scene.event().await.is_new);
    assert_eq!(scene.rules(), ["d", "a"]);
    // A change behind it is seen.
    fs::write(elsewhere.path().join("deny"), DENY.replace("\"d\"", "\"e\"")).unwrap();
    assert!(scene.event().await.is_new);
    assert_eq!(scene.rules(), ["e", "a"]);
    for target in ["/dev/zero", "/nowhere", "b.toml"] {
        fs::remove_file(scene.path().join("b.toml")).unwrap();
        symlink(target, scene.path().join("b.toml")).unwrap();
        let event = scene.event().await;
        assert!(!event.is_new && event.lines[1].contains("b.toml"), "{target}: {event:?}");
        assert_eq!(scene.rules(), ["e", "a"]);
    }
}

/// The lock is of the set: what it says is in force from the same moment on.
#[tokio::test]
async fn the_lock_is_read_with_the_set() {
    let pin = format!("{ALLOW}[[pin]]\nname = \"p\"\n");
    let mut scene = Scene::new(&[("a.toml", ALLOW)], true).await;
    scene.write("a.toml", &pin);
    assert!(scene.event().await.lines[1].contains("error[P"));
    let lock = r#"{"mcpfw_lock":1}"#;
    scene.write("mcp.lock.json", lock);
    assert!(scene.event().await.lines[1].contains("mcp.lock.json"));
    fs::remove_file(scene.path().join("mcp.lock.json")).unwrap();
    assert!(!scene.event().await.is_new);
}

/// A storm of requests and of changes: every set that is taken is whole, and the last one is in force in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_ends_with_the_last_set() {
    // Two files that belong together.
    let pair = |n: u32| {
        [
            ("a.toml", format!("[[allow]]\nname = \"a{n}\"\ntools = [\"t\"]\n")),
            ("b.toml", format!("[[deny]]\nname = \"d{n}\"\ntools = [\"u\"]\n")),
        ]
    };
    let texts = pair(0);
    let files: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, &**text)).collect();
    let mut scene = Scene::new(&files, true).await;
    let path = scene.path().to_owned();
    let asked = Arc::clone(&scene.asked);
    let writer = tokio::task::spawn_blocking(move || {
        for n in 1..=200 {
            for (name, text) in pair(n) {
                // Half of it first, which is no policy, then all; each renamed over, since a file that is cut to be written anew
                // is a whole file without a rule for a moment.
                let (half, _) = text.split_at(12);
                for text in [half, &text] {
                    fs::write(path.join("new"), text).unwrap();
                    fs::rename(path.join("new"), path.join(name)).unwrap();
                    asked.notify_one();
                }
            }
        }
    });
    writer.await.unwrap();
    while scene.rules() != ["d200", "a200"] {
        scene.event().await;
        let rules = scene.rules();
        assert_eq!(rules.len(), 2);
    }
}
