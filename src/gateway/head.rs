//! What the HTTP parser repairs, seen in the raw bytes and refused (T19). Pure.
//!
//! hyper follows RFC 9112 where that lets a server mend a message: a `Content-Length` beside `Transfer-Encoding` is dropped,
//! a line may end in a bare line feed. A proxy in front of us may have mended it differently, which is what request
//! smuggling lives from. So the bytes of each head are kept until it is parsed, and looked at once more.

/// Why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeadFault {
    /// A line that ends in LF without CR.
    #[error("a line of the head ends in a bare line feed")]
    BareLineFeed,
    /// Both ways of saying where the body ends.
    #[error("both Content-Length and Transfer-Encoding")]
    TwoLengths,
    /// The same field twice.
    #[error("a framing field is repeated")]
    Repeated,
    /// A coding other than `chunked`.
    #[error("a transfer coding other than chunked")]
    Coding,
    /// A chunked request was sent before the reply to the one before it: its head was not seen alone.
    #[error("a chunked request was pipelined")]
    Pipelined,
}

/// The raw bytes since the last exchange, from which the head at hand was parsed.
#[derive(Debug, Default)]
pub(super) struct RawHead(Vec<u8>);

impl RawHead {
    /// Bytes kept when the buffer is emptied: more than almost every head has.
    const KEPT: usize = 4 * 1024;

    /// Adds what was read, up to `limit` bytes in all; the parser refuses longer heads by itself.
    pub(super) fn push(&mut self, bytes: &[u8], limit: usize) {
        let room = limit.saturating_sub(self.0.len());
        self.0.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }

    /// Checks the head and forgets it: the next one is read anew. `chunked` is `Transfer-Encoding` as parsed, `method` the method.
    ///
    /// # Errors
    /// The first [`HeadFault`].
    pub(super) fn check(&mut self, method: &str, chunked: Option<&[u8]>) -> Result<(), HeadFault> {
        let verdict = self.verdict(method, chunked);
        self.0.clear();
        self.0.shrink_to(Self::KEPT);
        verdict
    }

    fn verdict(&self, method: &str, chunked: Option<&[u8]>) -> Result<(), HeadFault> {
        let head = trim_line_ends(&self.0);
        if !head.strip_prefix(method.as_bytes()).is_some_and(|rest| rest.starts_with(b" ")) {
            // The head came together with the body before it and was not kept. Its lengths are those that the parser
            // saw, which cannot be told for a chunked one.
            return if chunked.is_some() { Err(HeadFault::Pipelined) } else { Ok(()) };
        }
        check(head, chunked)
    }
}

fn trim_line_ends(bytes: &[u8]) -> &[u8] {
    // RFC 9112 §2.2: empty lines before the request line are to be ignored.
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    bytes.get(start.unwrap_or(bytes.len())..).unwrap_or_default()
}

fn check(head: &[u8], chunked: Option<&[u8]>) -> Result<(), HeadFault> {
    let (mut lengths, mut codings) = (0, 0);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', head) {
        let line = head.get(start..end).unwrap_or_default();
        start = end + 1;
        let line = line.strip_suffix(b"\r").ok_or(HeadFault::BareLineFeed)?;
        if line.is_empty() {
            break;
        }
        match line.first() {
            Some(b'c' | b'C') => lengths += usize::from(is_field(line, b"content-length")),
            Some(b't' | b'T') => codings += usize::from(is_field(line, b"transfer-encoding")),
            _ => {}
        }
    }
    if codings > 1 || lengths > 1 {
        return Err(HeadFault::Repeated);
    }
    if codings == 1 && lengths == 1 {
        return Err(HeadFault::TwoLengths);
    }
    match chunked {
        Some(coding) if !coding.eq_ignore_ascii_case(b"chunked") => Err(HeadFault::Coding),
        _ => Ok(()),
    }
}

fn is_field(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        && line.get(name.len()) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        let chunked = Some(&b"chunked"[..]);
        type Case = (&'static str, Option<&'static [u8]>, Result<(), HeadFault>);
        let cases: &[Case] = &[
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", None, Ok(())),
            ("\r\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n", None, Ok(())),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", chunked, Ok(())),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: CHUNKED\r\n\r\n", Some(b"CHUNKED"), Ok(())),
            ("POST / HTTP/1.1\nHost: a\r\n\r\n", None, Err(HeadFault::BareLineFeed)),
            ("POST / HTTP/1.1\r\nHost: a\n\r\n", None, Err(HeadFault::BareLineFeed)),
            (
                "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\nCONTENT-LENGTH: 2\r\n\r\n",
                chunked,
                Err(HeadFault::TwoLengths),
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n",
                None,
                Err(HeadFault::Repeated),
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                chunked,
                Err(HeadFault::Repeated),
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                Some(b"gzip, chunked"),
                Err(HeadFault::Coding),
            ),
            // Nothing behind the empty line is looked at.
            ("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\na\nContent-Length: 2\n", None, Ok(())),
            // Names that only begin alike.
            ("POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Lengths: 2\r\n\r\n", None, Ok(())),
            ("", None, Ok(())),
            ("", chunked, Err(HeadFault::Pipelined)),
            ("ost / HTTP/1.1\r\n\r\n", chunked, Err(HeadFault::Pipelined)),
        ];
        for (bytes, coding, expected) in cases {
            let mut raw = RawHead::default();
            raw.push(bytes.as_bytes(), 1024);
            assert_eq!(raw.check("POST", *coding), *expected, "{bytes:?}");
        }
    }

    #[test]
    fn no_more_is_kept_than_a_head_may_have() {
        let mut raw = RawHead::default();
        raw.push(b"abcdef", 4);
        raw.push(b"gh", 4);
        assert_eq!(raw.0, b"abcd");
        let _ = raw.check("POST", None);
        assert_eq!(raw.0, b"");
    }
}
