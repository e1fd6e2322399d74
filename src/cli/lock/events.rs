//! The events of a reply that is a stream.

use bytes::Bytes;

use crate::lock::MAX_BYTES;
use crate::wire::sse::{Decoder, Field, Part};

use super::fault::{Fault, cause};
use super::http::Budget;

/// A stream of events that is being read.
#[derive(Debug)]
pub(super) struct Events {
    response: reqwest::Response,
    decoder: Decoder,
    chunk: Bytes,
    at: usize,
    name: Vec<u8>,
    /// The `event` field that is being read.
    field: Vec<u8>,
    data: Vec<u8>,
}

/// One event.
#[derive(Debug)]
pub(super) struct Event {
    /// `message` where the stream does not say.
    pub(super) name: Vec<u8>,
    pub(super) data: Vec<u8>,
}

impl Events {
    pub(super) fn new(response: reqwest::Response) -> Self {
        Self {
            response,
            decoder: Decoder::new(),
            chunk: Bytes::new(),
            at: 0,
            name: Vec::new(),
            field: Vec::new(),
            data: Vec::new(),
        }
    }

    /// The next event that has data; `None` at the end of the stream.
    ///
    /// # Cancel safety
    /// What was read stays; the event comes with the next call.
    pub(super) async fn next(&mut self, budget: &Budget) -> Result<Option<Event>, Fault> {
        loop {
            while let Some(piece) = self.decoder.next(&self.chunk, self.at) {
                self.at = piece.range.end;
                let bytes = self.chunk.get(piece.range).unwrap_or_default();
                if self.data.len() + self.field.len() + bytes.len() > MAX_BYTES {
                    return Err(Fault::TooLarge);
                }
                match piece.part {
                    Part::Data => self.data.extend_from_slice(bytes),
                    Part::Event => self.field.extend_from_slice(bytes),
                    Part::LineEnd(Field::Data) => self.data.push(b'\n'),
                    Part::LineEnd(Field::Event) => self.name = std::mem::take(&mut self.field),
                    Part::Dispatch { has_data } => {
                        let name = std::mem::take(&mut self.name);
                        let mut data = std::mem::take(&mut self.data);
                        // The line end of the last line is none of the data's.
                        data.pop();
                        if has_data {
                            let name = if name.is_empty() { b"message".to_vec() } else { name };
                            return Ok(Some(Event { name, data }));
                        }
                    }
                    _ => {}
                }
            }
            let chunk = self.response.chunk().await;
            match chunk.map_err(|error| Fault::Broken(cause(&error)))? {
                None => return Ok(None),
                Some(chunk) => {
                    budget.spend(chunk.len())?;
                    (self.chunk, self.at) = (chunk, 0);
                }
            }
        }
    }
}
