//! Which documents are open, which set each belongs to, and what the client was told of them.
//!
//! A change only marks sets as due. They are checked when nothing more is waiting, so that of many changes the last one is
//! compiled; and what comes of a set that has changed since is not told.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use url::Url;

use super::position::Encoding;
use super::protocol::{self, Document as Sent, Fault, INVALID_PARAMS, INVALID_REQUEST};
use super::view::{Checked, kind};
use super::{MAX_DOCUMENTS, MAX_TEXT, diagnostics};
use crate::shape::File;

/// What is read for a session: the part of it that is not pure.
pub trait Disk {
    /// The folder whose files are one set with the policy file, schema or lock file at `path`; `workspace` has the folders that
    /// the client has opened.
    fn set(&mut self, path: &Path, workspace: &[PathBuf]) -> PathBuf;

    /// What `due` comes to.
    fn check(&mut self, due: &Due) -> Checked;
}

/// A set that is to be checked.
#[derive(Clone, Debug)]
pub struct Due {
    /// Its folder, or the path of a config file.
    pub set: PathBuf,
    /// What is open below it, by path: in the place of what is on disk.
    pub texts: BTreeMap<String, String>,
    revision: u64,
}

/// What is open.
#[derive(Debug, Default)]
pub(super) struct Sets {
    pub(super) encoding: Encoding,
    /// Folders that the client has opened.
    pub(super) workspace: Vec<PathBuf>,
    /// By URI.
    documents: BTreeMap<String, Document>,
    /// Those that documents belong to.
    sets: BTreeMap<PathBuf, Set>,
    /// Counts changes.
    revision: u64,
}

#[derive(Debug)]
pub(super) struct Document {
    /// Its path.
    pub(super) name: String,
    pub(super) text: String,
    version: Option<i64>,
    set: PathBuf,
}

#[derive(Debug, Default)]
struct Set {
    /// What it came to last.
    checked: Option<Checked>,
    is_due: bool,
    /// When it changed last.
    revision: u64,
    /// The URI of what changed last: what has no place is told of it.
    about: String,
    /// URIs of files that the client was told something about.
    told: BTreeSet<String>,
}

impl Sets {
    /// Takes what the client `sent` as a document that is open from now on.
    pub(super) fn open(
        &mut self,
        sent: Sent,
        disk: &mut dyn Disk,
        out: &mut Vec<String>,
    ) -> Result<(), Fault> {
        let Sent { uri, version, text } = sent;
        if !self.documents.contains_key(&uri) && self.documents.len() >= MAX_DOCUMENTS {
            let message = format!("more than {MAX_DOCUMENTS} documents are open");
            return Err(Fault::new(INVALID_REQUEST, message));
        }
        bounded(&text)?;
        let path = path(&uri);
        let name = path.as_deref().and_then(Path::to_str).map(str::to_owned);
        let Some(name) = name else {
            return Err(Fault::new(INVALID_PARAMS, "only files on disk can be checked"));
        };
        // One that was open already leaves the set that it was of, which may be another by now.
        self.touch(&uri);
        let set = self.set_of(&name, disk);
        self.documents.insert(uri.clone(), Document { name, text, version, set });
        self.touch(&uri);
        self.drop_unused(out);
        Ok(())
    }

    /// Takes `text` as that of a document that is open.
    pub(super) fn change(&mut self, sent: &Sent, text: String) -> Result<(), Fault> {
        bounded(&text)?;
        let Some(document) = self.documents.get_mut(&sent.uri) else {
            return Err(not_open(&sent.uri));
        };
        document.text = text;
        document.version = sent.version;
        self.touch(&sent.uri);
        Ok(())
    }

    /// Forgets a document: what is on disk counts again.
    pub(super) fn close(&mut self, uri: &str, out: &mut Vec<String>) -> Result<(), Fault> {
        self.document(uri)?;
        self.touch(uri);
        self.documents.remove(uri);
        self.drop_unused(out);
        Ok(())
    }

    /// Something may have changed on disk, or the folders of the client have: every set is due, and may be another.
    pub(super) fn touch_all(&mut self, disk: &mut dyn Disk, out: &mut Vec<String>) {
        let names = self.documents.iter().map(|(uri, it)| (uri.clone(), it.name.clone()));
        for (uri, name) in names.collect::<Vec<_>>() {
            let set = self.set_of(&name, disk);
            if let Some(document) = self.documents.get_mut(&uri) {
                document.set = set;
            }
            self.touch(&uri);
        }
        self.drop_unused(out);
    }

    fn set_of(&self, name: &str, disk: &mut dyn Disk) -> PathBuf {
        let path = Path::new(name);
        if kind(name) == File::Config {
            return path.to_path_buf();
        }
        disk.set(path, &self.workspace)
    }

    /// Marks the set of the document `uri` as due, and those above that read it too.
    fn touch(&mut self, uri: &str) {
        let Some(document) = self.documents.get(uri) else { return };
        self.revision += 1;
        self.sets.entry(document.set.clone()).or_default();
        for (folder, set) in &mut self.sets {
            if Path::new(&document.name).starts_with(folder) {
                set.is_due = true;
                set.revision = self.revision;
                if *folder == document.set {
                    set.about = uri.to_owned();
                }
            }
        }
    }

    /// Forgets sets of which no document is open, and takes back what was told of them.
    fn drop_unused(&mut self, out: &mut Vec<String>) {
        let used: BTreeSet<&PathBuf> = self.documents.values().map(|it| &it.set).collect();
        let mut gone = BTreeSet::new();
        self.sets.retain(|folder, set| {
            let is_used = used.contains(folder);
            if !is_used {
                gone.append(&mut set.told);
            }
            is_used
        });
        let is_told = |uri: &String| self.sets.values().any(|set| set.told.contains(uri));
        for uri in gone.iter().filter(|uri| !is_told(uri)) {
            out.push(self.published(uri, &[]));
        }
    }

    /// Whether anything is to be checked.
    pub(super) fn is_due(&self) -> bool {
        self.sets.values().any(|set| set.is_due)
    }

    /// What is to be checked next.
    pub(super) fn due(&self) -> Option<Due> {
        let (folder, set) = self.sets.iter().find(|(_, set)| set.is_due)?;
        let below = self.documents.values().filter(|it| Path::new(&it.name).starts_with(folder));
        let texts = below.map(|it| (it.name.clone(), it.text.clone())).collect();
        Some(Due { set: folder.clone(), texts, revision: set.revision })
    }

    /// Takes what `due` came to, and tells it; nothing, where the set has changed since.
    pub(super) fn take(&mut self, due: &Due, checked: Checked) -> Vec<String> {
        let is_new = |set: &&mut Set| set.is_due && set.revision == due.revision;
        let Some(set) = self.sets.get_mut(&due.set).filter(is_new) else { return Vec::new() };
        set.is_due = false;
        let before = std::mem::take(&mut set.told);
        let mut own = self.documents.iter().filter(|(_, it)| it.set == due.set).map(|(uri, _)| uri);
        let about = own.clone().find(|uri| **uri == set.about).or_else(|| own.next());
        let about = about.cloned().unwrap_or_default();
        let mut found =
            diagnostics::by_file(&checked, self.encoding, &|name| self.uri(name), &about);
        // A document is told of by its own set alone.
        let is_others =
            |uri: &String| self.documents.get(uri).is_some_and(|document| document.set != due.set);
        found.retain(|uri, _| !is_others(uri));
        // What is open is told even if nothing is wrong with it; what was told before is taken back.
        let open = self.documents.iter().filter(|(_, it)| it.set == due.set);
        let quiet = before.into_iter().chain(open.map(|(uri, _)| uri.clone()));
        let quiet = quiet.filter(|uri| !found.contains_key(uri) && !is_others(uri));
        let mut out: Vec<String> =
            quiet.collect::<BTreeSet<_>>().iter().map(|uri| self.published(uri, &[])).collect();
        out.extend(found.iter().map(|(uri, found)| self.published(uri, found)));
        if let Some(set) = self.sets.get_mut(&due.set) {
            set.told = found.into_keys().collect();
            set.checked = Some(checked);
        }
        out
    }

    /// Checks what is due, and tells it.
    pub(super) fn settle(&mut self, disk: &mut dyn Disk) -> Vec<String> {
        let mut out = Vec::new();
        while let Some(due) = self.due() {
            let checked = disk.check(&due);
            out.extend(self.take(&due, checked));
        }
        out
    }

    pub(super) fn document(&self, uri: &str) -> Result<&Document, Fault> {
        self.documents.get(uri).ok_or_else(|| not_open(uri))
    }

    /// What the set of `document` came to last; `None` where it was not checked yet.
    pub(super) fn checked(&self, document: &Document) -> Option<&Checked> {
        self.sets.get(&document.set)?.checked.as_ref()
    }

    /// The URI under which the client has opened the file `name`.
    pub(super) fn uri(&self, name: &str) -> Option<String> {
        self.documents.iter().find(|(_, it)| it.name == name).map(|(uri, _)| uri.clone())
    }

    fn published(&self, uri: &str, found: &[Value]) -> String {
        let mut params = json!({ "uri": uri, "diagnostics": found });
        let version = self.documents.get(uri).and_then(|it| it.version);
        if let (Some(version), Value::Object(members)) = (version, &mut params) {
            members.insert("version".into(), version.into());
        }
        protocol::notification("textDocument/publishDiagnostics", &params)
    }
}

/// The path that `uri` names, where it names one.
pub(super) fn path(uri: &str) -> Option<PathBuf> {
    Url::parse(uri).ok()?.to_file_path().ok()
}

fn bounded(text: &str) -> Result<(), Fault> {
    if text.len() > MAX_TEXT {
        let message = format!("a text of more than {MAX_TEXT} bytes");
        return Err(Fault::new(INVALID_PARAMS, message));
    }
    Ok(())
}

fn not_open(uri: &str) -> Fault {
    Fault::new(INVALID_PARAMS, format!("`{}` is not open", crate::diagnostic::visible(uri)))
}
