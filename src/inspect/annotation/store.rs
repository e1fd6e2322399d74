//! The annotations of the tools of one route, as the lists that pass tell them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;

use super::{Annotations, MAX_TOOL_NAME};

/// Which tools of a route have annotations, and which. Shared by all its exchanges.
///
/// What the last list says counts: a stale entry refuses a request with -32020, at which clients ask for the list again.
#[derive(Debug)]
pub struct Annotated {
    tools: RwLock<HashMap<Box<str>, Arc<Annotations>>>,
    /// How many there are, to be read without the lock.
    len: AtomicUsize,
    most: usize,
}

impl Annotated {
    /// Tools with annotations that are remembered by default: ten times the largest lists in the field, in some MiB.
    pub const DEFAULT_TOOLS: usize = 1_000;

    /// Room for `most` tools. What comes when it is full is not remembered, and its headers are the server's to check.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { tools: RwLock::default(), len: AtomicUsize::new(0), most }
    }

    /// The list says that `tool` has `annotations`. No annotations, or none that mean anything, forget it.
    pub fn learn(&self, tool: &str, annotations: Option<Annotations>) {
        let annotations = annotations.filter(|all| !all.is_empty());
        if annotations.is_none() && self.is_empty() || tool.len() > MAX_TOOL_NAME {
            return;
        }
        let mut tools = self.tools.write();
        match annotations {
            None => {
                tools.remove(tool);
            }
            Some(annotations) if tools.len() < self.most || tools.contains_key(tool) => {
                tools.insert(tool.into(), Arc::new(annotations));
            }
            Some(_) => {}
        }
        self.len.store(tools.len(), Ordering::Relaxed);
    }

    /// The annotations of `tool`, where it is known and has any.
    #[must_use]
    pub fn of(&self, tool: &str) -> Option<Arc<Annotations>> {
        if self.is_empty() {
            return None;
        }
        self.tools.read().get(tool).cloned()
    }

    /// Tools that are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether no tool is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Annotated {
    fn default() -> Self {
        Self::new(Self::DEFAULT_TOOLS)
    }
}
