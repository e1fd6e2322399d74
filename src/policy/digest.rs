//! What a policy set says, as one short text: so that a line of the access log tells by which set it was decided, whatever
//! process wrote it.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256, digest};

use crate::lock::{List, Lock};

/// Hexadecimal digits: 128 bits of SHA-256, which nobody makes collide, and half the length in every line.
const DIGITS: usize = 32;

/// The digest of a set: of the bytes of its files, in whatever order and under whatever names, and of what its lock file says.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SetDigest([u8; DIGITS]);

impl SetDigest {
    /// Of the files `texts` and `lock`.
    #[must_use]
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>, lock: Option<&Lock>) -> Self {
        let mut files: Vec<[u8; 32]> =
            texts.into_iter().map(|text| bytes(&digest(&SHA256, text.as_bytes()))).collect();
        files.sort_unstable();
        let mut all = Context::new(&SHA256);
        all.update(b"mcpfw policy set 1\n");
        // With their number, so that no file can be taken for an element of the lock.
        all.update(&(files.len() as u64).to_be_bytes());
        files.iter().for_each(|file| all.update(file));
        if let Some(lock) = lock {
            for list in List::ALL {
                let items = lock.items(list);
                all.update(&(items.len() as u64).to_be_bytes());
                items.for_each(|item| all.update(item.digest().as_bytes()));
            }
        }
        let mut digits = [b'0'; DIGITS];
        let hash = bytes(&all.finish());
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
            if let [high, low] = pair {
                (*high, *low) = (digit(byte >> 4), digit(byte & 15));
            }
        }
        Self(digits)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // They are ASCII.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Default for SetDigest {
    /// Of a set without a file.
    fn default() -> Self {
        Self::of([], None)
    }
}

impl fmt::Display for SetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn bytes(hash: &aws_lc_rs::digest::Digest) -> [u8; 32] {
    hash.as_ref().first_chunk().copied().unwrap_or_default()
}

const fn digit(four: u8) -> u8 {
    if four < 10 { b'0' + four } else { b'a' + four - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::{Item, Json, Server};
    use crate::wire::mcp::Revision;

    #[test]
    fn a_digest_is_of_what_is_said() {
        let of = |texts: &[&str]| SetDigest::of(texts.iter().copied(), None);
        assert_eq!(of(&["a", "b"]), of(&["b", "a"]));
        let mut lock = Lock::new(Server::default(), Revision::V2025_11_25);
        let empty = lock.clone();
        let tool = Json::parse(br#"{"name":"t"}"#, 1).unwrap();
        assert!(lock.add(Item::new(List::Tools, tool).unwrap()));
        let all = [
            of(&[]),
            of(&["a"]),
            of(&["a", "a"]),
            of(&["ab"]),
            of(&["a", "b"]),
            SetDigest::of([], Some(&empty)),
            SetDigest::of([], Some(&lock)),
            SetDigest::of(["a"], Some(&lock)),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert!(all.iter().all(|digest| digest.as_str().len() == DIGITS));
    }
}
