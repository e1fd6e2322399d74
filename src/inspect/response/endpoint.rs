//! The first event of an HTTP+SSE stream (2024-11-05), which tells the client where to post: found, taken out, and replaced by
//! where it may post here. Everything else passes as it came.
//!
//! ```text
//! feed ─► comments pass; the first event is held until its kind is known
//!           ├─ `endpoint`: an event of ours takes its place, then the rest passes
//!           └─ anything else: it passes, and so does the rest
//! ```
//!
//! Clients take an `endpoint` event wherever it comes. One more would lead them past mcpfw, so it ends the stream before it
//! is whole (mcp-protocol.md §1.2).

use bytes::{Bytes, BytesMut};
use url::Url;

use crate::wire::sse::{Decoder, Field, Part};

/// The name of the event.
const NAME: &[u8] = b"endpoint";

/// Why a stream goes no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// An `endpoint` event where none may be: behind the first event, or on a stream of another transport.
    #[error("an endpoint is announced where none may be")]
    Unexpected,
    /// Not one line of data.
    #[error("the announced endpoint is not one line")]
    Malformed,
    /// The event, or what comes before its kind is known, is longer than the limit.
    #[error("the announced endpoint is too long, or comes too late")]
    TooLong,
    /// It is no URI, or one of another server.
    #[error("the announced endpoint is not the server's own")]
    Foreign,
}

impl EndpointError {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Unexpected => "endpoint_unexpected",
            Self::Malformed => "endpoint_malformed",
            Self::TooLong => "endpoint_too_long",
            Self::Foreign => "endpoint_foreign",
        }
    }
}

/// What may go on after a chunk, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// What came before the announcement: comments.
    pub before: Bytes,
    /// The event that takes the announcement's place.
    pub announced: Option<Bytes>,
    /// All the rest.
    pub rest: Bytes,
}

/// Watches one event stream.
#[derive(Debug)]
pub struct EndpointWatch {
    decoder: Decoder,
    state: State,
    /// Bytes of the first event that may come.
    limit: usize,
    /// How many have come.
    size: usize,
    /// The first event of earlier chunks, while its kind is not known.
    held: BytesMut,
    /// The value at hand, where it matters.
    value: Vec<u8>,
    /// Whether an event has begun that has not ended.
    in_event: bool,
    failed: Option<EndpointError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No event has come yet, or its kind is not known.
    First,
    /// The first event announces.
    Announcing { has_data: bool },
    /// The announcement has just ended: the LF of a CRLF still belongs to it.
    Announced,
    /// Nothing may be announced any more.
    Guarding,
}

/// What a piece of the first event says.
enum Said {
    Nothing,
    /// It is no event, or its kind is no announcement.
    Other,
    Announcement,
}

impl EndpointWatch {
    /// A watch of a stream that may begin with an announcement, in an event of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            decoder: Decoder::new(),
            state: State::First,
            limit,
            size: 0,
            held: BytesMut::new(),
            value: Vec::new(),
            in_event: false,
            failed: None,
        }
    }

    /// A watch of a stream that may announce nothing.
    #[must_use]
    pub fn guard() -> Self {
        Self { state: State::Guarding, ..Self::new(0) }
    }

    /// Whether the stream has announced an endpoint.
    #[must_use]
    pub fn has_announced(&self) -> bool {
        self.size > 0 && matches!(self.state, State::Announced | State::Guarding)
    }

    /// Bytes that are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len() + self.value.len()
    }

    /// Reads the next chunk. `rewrite` is asked once in the life of a stream, for the announced URI, and says what to announce;
    /// `None` where that is not the server's own.
    ///
    /// # Errors
    /// [`EndpointError`]: the stream must be aborted, and nothing of this chunk may pass. The same again afterwards.
    pub fn feed(
        &mut self,
        chunk: &Bytes,
        rewrite: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<Fed, EndpointError> {
        let fed = match self.failed {
            Some(error) => Err(error),
            None => self.read(chunk, rewrite),
        };
        self.failed = fed.as_ref().err().copied();
        fed
    }

    /// What is held when the stream ends: an event that nobody will dispatch.
    pub fn finish(&mut self) -> Bytes {
        std::mem::take(&mut self.held).freeze()
    }

    fn read(
        &mut self,
        chunk: &Bytes,
        rewrite: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<Fed, EndpointError> {
        let mut fed = Fed::default();
        // Held bytes that pass, and where in the chunk that begins which passes behind them.
        let (mut freed, mut from) = (BytesMut::new(), 0);
        // Where in this chunk the open event begins.
        let mut open = self.in_event.then_some(0);
        let mut at = 0;
        while let Some(piece) = self.decoder.next(chunk, at) {
            let bytes = chunk.get(piece.range.clone()).unwrap_or_default();
            at = piece.range.end;
            match self.state {
                State::First => {
                    let was_open = self.in_event;
                    let said = self.first(piece.part, bytes)?;
                    if self.in_event && !was_open {
                        open = Some(piece.range.start);
                    }
                    match said {
                        Said::Nothing => {}
                        Said::Other => {
                            freed.unsplit(std::mem::take(&mut self.held));
                            open = None;
                        }
                        Said::Announcement => {
                            fed.before = joined(std::mem::take(&mut freed), chunk, from, open);
                            self.held.clear();
                        }
                    }
                }
                State::Announcing { .. } => {
                    if let Some(uri) = self.announcing(piece.part, bytes)? {
                        let uri = rewrite(&uri).ok_or(EndpointError::Foreign)?;
                        fed.announced = Some(format!("event: endpoint\ndata: {uri}\n\n").into());
                        (from, open) = (at, None);
                    }
                }
                State::Announced if piece.part == Part::LineFeed => {
                    self.state = State::Guarding;
                    from = at;
                }
                State::Announced | State::Guarding => {
                    self.state = State::Guarding;
                    self.guarding(piece.part, bytes)?;
                }
            }
        }
        match self.state {
            State::First => {
                fed.rest = joined(freed, chunk, from, open);
                let kept = open.and_then(|open| chunk.get(open..)).unwrap_or_default();
                self.held.extend_from_slice(kept);
            }
            State::Announcing { .. } => {}
            State::Announced | State::Guarding => fed.rest = joined(freed, chunk, from, None),
        }
        Ok(fed)
    }

    /// A piece before the kind of the first event is known.
    fn first(&mut self, part: Part, bytes: &[u8]) -> Result<Said, EndpointError> {
        match part {
            Part::Comment
            | Part::LineEnd(Field::Comment)
            | Part::LineFeed
            | Part::Dispatch { .. }
                if !self.in_event =>
            {
                return Ok(Said::Nothing);
            }
            // What began looked like an event and is none: a mark in pieces, or an event without data, of which no client
            // hears.
            Part::ByteOrderMark | Part::Dispatch { .. } => {
                (self.in_event, self.size) = (false, 0);
                return Ok(Said::Other);
            }
            // Servers name the event first. One that does not announces nothing.
            Part::Data | Part::LineEnd(Field::Data) => {
                (self.state, self.size) = (State::Guarding, 0);
                return Ok(Said::Other);
            }
            _ => {}
        }
        self.in_event = true;
        self.count(part, bytes)?;
        match part {
            Part::Event => self.keep_name(bytes),
            Part::LineEnd(Field::Event) => {
                if std::mem::take(&mut self.value) == NAME {
                    self.state = State::Announcing { has_data: false };
                    return Ok(Said::Announcement);
                }
                (self.state, self.size) = (State::Guarding, 0);
                return Ok(Said::Other);
            }
            _ => {}
        }
        Ok(Said::Nothing)
    }

    /// A piece of an announcement; the URI at its end.
    fn announcing(&mut self, part: Part, bytes: &[u8]) -> Result<Option<String>, EndpointError> {
        let State::Announcing { has_data } = self.state else { return Ok(None) };
        // What may not be there is that, before it is too long.
        let may_be = match part {
            Part::LineEnd(Field::Data) => !has_data,
            Part::Dispatch { has_data } => has_data,
            Part::LineEnd(Field::Event | Field::Unknown)
            | Part::Event
            | Part::Unknown
            | Part::ByteOrderMark => false,
            // A cursor or a pause means nothing to a stream that cannot be resumed.
            Part::Name
            | Part::Data
            | Part::Id
            | Part::Retry
            | Part::Comment
            | Part::LineEnd(Field::Id | Field::Retry | Field::Comment)
            | Part::LineFeed => true,
        };
        if !may_be {
            return Err(EndpointError::Malformed);
        }
        self.count(part, bytes)?;
        match part {
            Part::Data => self.value.extend_from_slice(bytes),
            Part::LineEnd(Field::Data) => self.state = State::Announcing { has_data: true },
            Part::Dispatch { .. } => {
                (self.state, self.in_event) = (State::Announced, false);
                let uri = String::from_utf8(std::mem::take(&mut self.value));
                return uri.map(Some).map_err(|_| EndpointError::Foreign);
            }
            _ => {}
        }
        Ok(None)
    }

    /// A piece where nothing may be announced.
    fn guarding(&mut self, part: Part, bytes: &[u8]) -> Result<(), EndpointError> {
        match part {
            Part::Event => self.keep_name(bytes),
            Part::LineEnd(Field::Event) if std::mem::take(&mut self.value) == NAME => {
                return Err(EndpointError::Unexpected);
            }
            _ => {}
        }
        Ok(())
    }

    /// Keeps as much of an event's name as tells it from [`NAME`].
    fn keep_name(&mut self, bytes: &[u8]) {
        let room = (NAME.len() + 1).saturating_sub(self.value.len());
        self.value.extend(bytes.iter().take(room));
    }

    /// Counts a piece of the first event. A line end is one byte, so that the LF of a CRLF does not count when it comes by itself.
    fn count(&mut self, part: Part, bytes: &[u8]) -> Result<(), EndpointError> {
        let length = match part {
            Part::LineFeed => 0,
            Part::LineEnd(_) | Part::Dispatch { .. } => 1,
            _ => bytes.len(),
        };
        self.size = self.size.saturating_add(length);
        if self.size > self.limit { Err(EndpointError::TooLong) } else { Ok(()) }
    }
}

/// `freed`, and what follows of `chunk`.
fn joined(mut freed: BytesMut, chunk: &Bytes, from: usize, to: Option<usize>) -> Bytes {
    let to = to.unwrap_or(chunk.len());
    if freed.is_empty() {
        return if from < to { chunk.slice(from..to) } else { Bytes::new() };
    }
    freed.extend_from_slice(chunk.get(from..to).unwrap_or_default());
    freed.freeze()
}

/// The path and query at which the server behind `stream` takes messages: `announced` is a reference that is resolved as clients
/// do (RFC 3986 §5), and must lead to the same scheme, host and port. `None` for everything else, or what no client could
/// mean: credentials, fragments, anything but visible ASCII.
#[must_use]
pub fn resolve(stream: &Url, announced: &str) -> Option<String> {
    if announced.is_empty() || !announced.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let url = stream.join(announced).ok()?;
    let is_plain =
        url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if !is_plain || url.origin() != stream.origin() {
        return None;
    }
    let (path, query) = (url.path(), url.query());
    Some(query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
}
