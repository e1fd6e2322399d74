//! The bytes of a log, decompressed where it is compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::progress::Progress;

/// How a frame of zstd begins (RFC 8878 §3.1.1).
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Bytes that are read from a file at once.
const BUFFER: usize = 256 * 1024;

/// A log.
pub(super) enum Source {
    Plain(Input),
    /// A frame of zstd. The window that it may ask for is bounded by the decoder.
    Frame(Box<StreamingDecoder<Input, FrameDecoder>>),
    /// Nothing is left, or nothing that could be read.
    Ended,
}

type Input = BufReader<Box<dyn Read>>;

impl Source {
    /// Opens the log at `path`; `-` is standard input.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let raw: Box<dyn Read> = match path.to_str() {
            Some("-") => Box::new(io::stdin()),
            _ => Box::new(File::open(path)?),
        };
        let mut input = BufReader::with_capacity(BUFFER, raw);
        match input.fill_buf()?.starts_with(&ZSTD) {
            true => frame(input),
            false => Ok(Self::Plain(input)),
        }
    }

    /// Reads what there is, at most as much as `room` takes; nothing only at the end.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::InvalidData`], once, where the compressed data is broken.
    pub(super) fn read(&mut self, room: &mut [u8], progress: &mut Progress) -> io::Result<usize> {
        loop {
            let read = match self {
                Self::Plain(input) => input.read(room),
                Self::Frame(decoder) => decoder.read(room).map_err(|_| broken()),
                Self::Ended => return Ok(0),
            };
            let read = match read {
                Ok(read) => read,
                Err(error) => {
                    *self = Self::Ended;
                    return Err(error);
                }
            };
            progress.read(read);
            if read > 0 {
                return Ok(read);
            }
            let Self::Frame(decoder) = std::mem::replace(self, Self::Ended) else { return Ok(0) };
            // Rotated logs are often written as several frames, one after the other.
            let (mut input, _) = decoder.into_parts();
            if !input.fill_buf()?.is_empty() {
                *self = frame(input)?;
            }
        }
    }
}

/// The frame that `input` begins with.
fn frame(input: Input) -> io::Result<Source> {
    let decoder = StreamingDecoder::new(input).map_err(|_| broken())?;
    Ok(Source::Frame(Box::new(decoder)))
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the compressed data is damaged")
}
