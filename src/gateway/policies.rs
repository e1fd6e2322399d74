//! A directory of policy files: read, compiled and tried out. A driver: everything here blocks.
//!
//! The start, a reload and `mcpfw check` read a set in this one way, so that none takes what another refuses.

use std::hash::RandomState;
use std::path::Path;
use std::sync::Arc;

use super::clock::unix_seconds;
use crate::config::load;
use crate::config::stamp::{Stamp, stamp};
use crate::diagnostic::{Diagnostic, Problems, SourceId, Sources, sort};
use crate::limit::Limiter;
use crate::lock::{self, Lock};
use crate::policy::language::codes;
use crate::policy::{CompileOptions, Policy, PolicyTest, SetDigest, Tried, UnixTime};

/// What came of a policy directory.
#[derive(Debug)]
pub struct Set {
    /// The files.
    pub sources: Sources,
    /// Everything that was found, in order.
    pub findings: Vec<Diagnostic>,
    /// The compiled set, unless a finding is an error.
    pub policy: Option<Arc<Policy>>,
    /// Whether all files could be read, so that the findings speak of the rules.
    pub was_read: bool,
    /// What the directory looked like; `None` where it changed while it was read.
    pub stamp: Option<Stamp>,
}

/// How sets are read. One for all sets of a process, so that budgets survive a reload (T46).
#[derive(Clone, Debug)]
pub struct Reading {
    routes: Option<Vec<Box<str>>>,
    hasher: RandomState,
}

/// What [`Reading::read_unless`] comes to.
#[derive(Debug)]
pub enum Read {
    /// The set says what is known already.
    Known(Option<Stamp>),
    /// It is this.
    Set(Box<Set>),
}

/// Buckets that one test may touch: it has one caller and one call, so a handful.
const TEST_KEYS: usize = 1024;

impl Reading {
    /// Reads sets for `routes`, the names of the routes there are, where they are known.
    #[must_use]
    pub fn new(routes: Option<Vec<Box<str>>>) -> Self {
        Self { routes, hasher: RandomState::new() }
    }

    /// Reads and compiles `folder`.
    #[must_use]
    pub fn read(&self, folder: &Path) -> Set {
        match self.read_but(folder, None) {
            Read::Set(set) => *set,
            // Nothing is known.
            Read::Known(stamp) => self.compile_files(Texts { stamp, ..Texts::default() }),
        }
    }

    /// As [`Reading::read`], unless the files say what they said when their digest was `known`.
    #[must_use]
    pub fn read_unless(&self, folder: &Path, known: &SetDigest) -> Read {
        self.read_but(folder, Some(known))
    }

    fn read_but(&self, folder: &Path, known: Option<&SetDigest>) -> Read {
        let before = stamp(folder);
        let texts = Texts::read(folder);
        let stamp = (stamp(folder) == before).then_some(before);
        let texts = Texts { stamp, ..texts };
        if !texts.is_broken() && known.is_some_and(|known| texts.digest() == *known) {
            return Read::Known(texts.stamp);
        }
        Read::Set(Box::new(self.compile_files(texts)))
    }

    /// Compiles `sources`, all of which are policy files.
    #[must_use]
    pub fn compile(&self, sources: Sources) -> Set {
        let files = sources.iter().map(|(id, _)| id).collect();
        self.compile_files(Texts { sources, files, was_read: true, ..Texts::default() })
    }

    /// Compiles `sources`, which are the texts of a set that was read, or others in their place.
    #[must_use]
    pub fn again(&self, sources: Sources) -> Set {
        let is_lock = |id: &SourceId| {
            sources.source(*id).is_some_and(|source| source.name().ends_with(lock::FILE_NAME))
        };
        let (locks, files): (Vec<SourceId>, _) =
            sources.iter().map(|(id, _)| id).partition(is_lock);
        let problems = Problems::new();
        let lock = locks.first().and_then(|id| lock::parse(&sources, *id, &problems)).map(Arc::new);
        let findings = problems.into_sorted();
        let texts = Texts { files, lock, findings, was_read: true, ..Texts::default() };
        self.compile_files(Texts { sources, ..texts })
    }

    fn compile_files(&self, texts: Texts) -> Set {
        let is_broken = texts.is_broken();
        let Texts { sources, files, lock, mut findings, was_read, stamp } = texts;
        if !was_read {
            return Set { sources, findings, policy: None, was_read, stamp };
        }
        let options = CompileOptions {
            routes: self.routes.clone(),
            hasher: self.hasher.clone(),
            lock,
            ..CompileOptions::new(unix_seconds())
        };
        let compiled = Policy::compile_files(&sources, files, &options);
        findings.extend(compiled.diagnostics);
        let mut policy = compiled.policy;
        if is_broken {
            // What is wrong with the lock has been told; that pins have none would be told again.
            findings.retain(|found| found.code != codes::PIN_WITHOUT_LOCK);
            policy = None;
        }
        Set { sources, findings, policy, was_read, stamp }
    }
}

impl Set {
    /// The set, unless one of its own `[[test]]`s fails: then that is found, and there is no policy.
    #[must_use]
    pub fn tried(mut self) -> Self {
        let failed = self.policy.as_deref().map(failed_tests).unwrap_or_default();
        if failed.iter().any(Diagnostic::is_error) {
            self.policy = None;
        }
        self.findings.extend(failed);
        sort(&mut self.findings);
        self
    }
}

/// Runs every `[[test]]` of `policy`, as [`try_out`] does. What fails.
#[must_use]
pub fn failed_tests(policy: &Policy) -> Vec<Diagnostic> {
    let began = unix_seconds();
    policy.tests().iter().filter_map(|test| try_out(policy, test, began).failure).collect()
}

/// Runs `test` of `policy` from `began` on, with empty budgets and a clock of its own, by the evaluator and the limiter that
/// traffic meets.
#[must_use]
pub fn try_out(policy: &Policy, test: &PolicyTest, began: UnixTime) -> Tried {
    let limiter = Limiter::new(TEST_KEYS);
    test.try_out(policy, began, |permitted, since| {
        let refused = limiter.admit(permitted, since).err();
        refused.and_then(|throttled| throttled.blame().map(|it| it.rule)).map_or(Ok(()), Err)
    })
}

/// What stands in a directory.
#[derive(Debug, Default)]
struct Texts {
    sources: Sources,
    /// Those that are policy files.
    files: Vec<SourceId>,
    lock: Option<Arc<Lock>>,
    findings: Vec<Diagnostic>,
    was_read: bool,
    stamp: Option<Stamp>,
}

impl Texts {
    fn read(folder: &Path) -> Self {
        let (sources, findings) = load::policies(folder);
        let mut texts = Self { sources, findings, ..Self::default() };
        if texts.is_broken() {
            return texts;
        }
        texts.files = texts.sources.iter().map(|(id, _)| id).collect();
        let problems = Problems::new();
        let file = load::add_lock(&mut texts.sources, &folder.join(lock::FILE_NAME), &problems);
        texts.was_read = !problems.has_errors();
        if let Some(file) = file.filter(|_| texts.was_read) {
            texts.lock = lock::parse(&texts.sources, file, &problems).map(Arc::new);
        }
        texts.findings.extend(problems.into_sorted());
        texts
    }

    fn is_broken(&self) -> bool {
        self.findings.iter().any(Diagnostic::is_error)
    }

    fn digest(&self) -> SetDigest {
        let files = self.files.iter().filter_map(|id| self.sources.source(*id));
        SetDigest::of(files.map(|source| source.text()), self.lock.as_deref())
    }
}
