//! From sources to a policy set.

use std::hash::RandomState;
use std::sync::Arc;

use super::{Policy, SetDigest, UnixTime, language};
use crate::diagnostic::{Diagnostic, Problems, Source, SourceId, Sources};
use crate::lock::Lock;

/// What compiling a set depends on besides its text.
#[derive(Clone, Debug)]
pub struct CompileOptions {
    /// The time at which rules are looked at for being past their end. Decisions take their own.
    pub now: UnixTime,
    /// Hashes the keys of limit buckets: take the same one for every reload, so that budgets survive it, and another
    /// one in every process, so that nobody can make keys collide (T46).
    pub hasher: RandomState,
    /// The names of the routes there are, to check `routes` against; `None` where they are not known.
    pub routes: Option<Vec<Box<str>>>,
    /// What the server offered when it was reviewed: what `[[pin]]` holds it to, and what names are checked against.
    pub lock: Option<Arc<Lock>>,
}

impl CompileOptions {
    /// At `now`, with keys of their own, unknown routes and no lock.
    #[must_use]
    pub fn new(now: UnixTime) -> Self {
        Self { now, hasher: RandomState::new(), routes: None, lock: None }
    }
}

/// The outcome of compiling.
#[derive(Debug)]
pub struct Compiled {
    /// The set; `None` where any finding is an error.
    pub policy: Option<Arc<Policy>>,
    /// Every finding, in the order in which they are to be shown.
    pub diagnostics: Vec<Diagnostic>,
}

impl Policy {
    /// Compiles all of `sources` as one set. Pure; the order of the sources does not matter.
    #[must_use]
    pub fn compile(sources: &Sources, options: &CompileOptions) -> Compiled {
        Self::compile_files(sources, sources.iter().map(|(id, _)| id), options)
    }

    /// Compiles `files` of `sources`, which may hold other texts.
    #[must_use]
    pub fn compile_files(
        sources: &Sources,
        files: impl IntoIterator<Item = SourceId>,
        options: &CompileOptions,
    ) -> Compiled {
        let problems = Problems::new();
        let files: Vec<SourceId> = files.into_iter().collect();
        let mut parts = language::read(sources, files.iter().copied(), options, &problems);
        let texts = files.iter().filter_map(|id| sources.source(*id)).map(Source::text);
        parts.digest = SetDigest::of(texts, options.lock.as_deref());
        let policy =
            (!problems.has_errors()).then(|| Self::assemble(parts, options.hasher.clone()));
        Compiled { policy, diagnostics: problems.into_sorted() }
    }
}
