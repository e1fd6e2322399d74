//! Messages in a stream of bytes, as the base protocol of LSP has them: a header with `Content-Length`, a blank line, JSON.
//!
//! Written here rather than taken from `lsp-server`, which makes room for whatever length a header names.

/// Most bytes of a message: a document of [`super::MAX_TEXT`], each byte of it escaped (`\u0000`), and room.
pub const MAX_MESSAGE: usize = 8 << 20;

/// Most bytes of a header. A client sends less than a hundred.
pub const MAX_HEADER: usize = 4 << 10;

/// Why the stream cannot be read on, or a message was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Where the next message begins is not known any more.
    #[error("a header without a `Content-Length` that is a number")]
    Length,
    /// The same.
    #[error("a header of more than {MAX_HEADER} bytes")]
    Header,
    /// It is passed over, and the next one is read.
    #[error("a message of more than {MAX_MESSAGE} bytes")]
    TooLarge,
}

impl FrameError {
    /// Whether nothing more can be read.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::TooLarge)
    }
}

/// A push decoder of messages. After a final error it stays where it is.
#[derive(Debug, Default)]
pub struct Frames {
    /// What has come and is not read: at most a header and a message.
    held: Vec<u8>,
    /// Bytes of the message that comes next, once its header was read.
    length: Option<usize>,
    /// Bytes of a message that is passed over.
    skip: usize,
    failed: Option<FrameError>,
}

impl Frames {
    /// Takes `bytes`, and gives what is complete to `each`.
    pub fn feed(&mut self, bytes: &[u8], mut each: impl FnMut(Result<&[u8], FrameError>)) {
        if self.failed.is_some() {
            return;
        }
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        self.held.extend_from_slice(bytes.get(skipped..).unwrap_or_default());
        loop {
            let Some(length) = self.length else {
                match self.header() {
                    Ok(None) => return,
                    Ok(Some(length)) if length > MAX_MESSAGE => {
                        each(Err(FrameError::TooLarge));
                        let here = length.min(self.held.len());
                        self.held.drain(..here);
                        self.skip = length - here;
                    }
                    Ok(Some(length)) => self.length = Some(length),
                    Err(error) => {
                        self.failed = Some(error);
                        self.held = Vec::new();
                        return each(Err(error));
                    }
                }
                continue;
            };
            let Some(message) = self.held.get(..length) else { return };
            each(Ok(message));
            self.held.drain(..length);
            self.length = None;
        }
    }

    /// Whether what comes next is the header of a message.
    #[must_use]
    pub const fn is_between(&self) -> bool {
        self.failed.is_none() && self.held.is_empty() && self.length.is_none() && self.skip == 0
    }

    /// Bytes that are held.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.held.len()
    }

    /// Takes a header from what is held, where all of it is there. The length that it names.
    fn header(&mut self) -> Result<Option<usize>, FrameError> {
        let end = memchr::memmem::find(&self.held, b"\r\n\r\n");
        if end.unwrap_or(self.held.len()) > MAX_HEADER {
            return Err(FrameError::Header);
        }
        let Some(end) = end else { return Ok(None) };
        let header = self.held.get(..end).unwrap_or_default();
        let lines = header.split(|byte| *byte == b'\n').filter_map(|line| {
            let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-length").then(|| value.trim())
        });
        let mut lengths = lines;
        let (first, second) = (lengths.next(), lengths.next());
        let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let length = first.filter(is_number).and_then(|text| text.parse().ok());
        let length = length.filter(|_| second.is_none()).ok_or(FrameError::Length)?;
        self.held.drain(..end + 4);
        Ok(Some(length))
    }
}

/// `message` with its header.
#[must_use]
pub fn frame(message: &str) -> Vec<u8> {
    format!("Content-Length: {}\r\n\r\n{message}", message.len()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(chunks: &[&[u8]]) -> Vec<Result<Vec<u8>, FrameError>> {
        let mut frames = Frames::default();
        let mut all = Vec::new();
        for chunk in chunks {
            frames.feed(chunk, |it| all.push(it.map(<[u8]>::to_vec)));
        }
        all
    }

    #[test]
    fn messages_do_not_depend_on_where_they_are_cut() {
        let text = b"Content-Length: 2\r\n\r\n{}content-length:3\r\nContent-Type: x\r\n\r\n[1]Content-Length: 0\r\n\r\n";
        let want = vec![Ok(b"{}".to_vec()), Ok(b"[1]".to_vec()), Ok(Vec::new())];
        assert_eq!(read(&[text]), want);
        for at in 0..=text.len() {
            let (a, b) = text.split_at(at);
            assert_eq!(read(&[a, b]), want, "cut at {at}");
        }
        assert_eq!(read(&text.chunks(1).collect::<Vec<_>>()), want);
    }

    #[test]
    fn hostile_headers() {
        for (header, want) in [
            ("\r\n\r\n", FrameError::Length),
            ("Content-Length: x\r\n\r\n", FrameError::Length),
            ("Content-Length: -1\r\n\r\n", FrameError::Length),
            ("Content-Length: +1\r\n\r\n", FrameError::Length),
            ("Content-Length:\r\n\r\n", FrameError::Length),
            ("Content-Length: 99999999999999999999999999\r\n\r\n", FrameError::Length),
            ("Content-Length: 1\r\nContent-Length: 2\r\n\r\n", FrameError::Length),
            ("Content-Type: x\r\n\r\n{}", FrameError::Length),
            (&"x".repeat(MAX_HEADER + 1), FrameError::Header),
        ] {
            let all = read(&[header.as_bytes(), b"Content-Length: 2\r\n\r\n{}"]);
            assert_eq!(all, [Err(want)], "{}", header.get(..30).unwrap_or(header));
            assert!(want.is_final());
        }
    }

    /// Both sides of the bound; and a message that is too large takes no memory, and the next one is read.
    #[test]
    fn a_message_that_is_too_large_is_passed_over() {
        let header = |n: usize| format!("Content-Length: {n}\r\n\r\n").into_bytes();
        let most = vec![b' '; MAX_MESSAGE];
        assert_eq!(read(&[&header(MAX_MESSAGE), &most]), [Ok(most.clone())]);
        let mut frames = Frames::default();
        let mut all = Vec::new();
        frames.feed(&header(MAX_MESSAGE + 1), |it| all.push(it.map(<[u8]>::len)));
        frames.feed(&most, |it| all.push(it.map(<[u8]>::len)));
        assert!(frames.held.capacity() <= 1 << 10, "{}", frames.held.capacity());
        frames.feed(b" Content-Length: 2\r\n\r\n{}", |it| all.push(it.map(<[u8]>::len)));
        assert_eq!(all, [Err(FrameError::TooLarge), Ok(2)]);
        frames.feed(&header(usize::MAX), |it| all.push(it.map(<[u8]>::len)));
        assert_eq!(all.last(), Some(&Err(FrameError::TooLarge)));
    }
}
