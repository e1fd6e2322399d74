//! Reading the annotations of a tool while its element of a `tools/list` passes.

use super::{Annotated, MAX_TOOL_NAME, SchemaReader};
use crate::inspect::response::ElementPart;
use crate::wire::json::Kind;

/// The tool itself, and its name; the places of its schema are the reader's.
const TOOL: u16 = SchemaReader::PLACES;
const NAME: u16 = SchemaReader::PLACES + 1;

/// Reads one tool after the other, as [`crate::inspect::response::Judge::element`] is told of them, and remembers what they say
/// of headers. Holds a name, and of a schema what [`SchemaReader`] does.
#[derive(Debug, Default)]
pub struct ToolReader {
    schema: SchemaReader,
    /// The open values: where, and whether an array. As deep as the tokenizer lets JSON be.
    open: Vec<(u16, bool)>,
    /// Where the value of the member is that was named last.
    next: u16,
    name: String,
}

impl ToolReader {
    /// Takes the next part of a tool; at its end `annotated` learns of it.
    pub fn part(&mut self, part: ElementPart<'_>, annotated: &Annotated) {
        match part {
            ElementPart::Begin(kind) => {
                let place = match self.open.last() {
                    None => self.begin_tool(),
                    Some((place, true)) => self.schema.element(*place),
                    Some((_, false)) => self.next,
                };
                self.open.push((place, kind == Kind::Array));
                self.schema.begin(place, kind);
            }
            ElementPart::Key(name) => {
                let place = self.open.last().map_or(SchemaReader::IGNORE, |(place, _)| *place);
                self.next = match (place, name) {
                    (TOOL, "name") => NAME,
                    (TOOL, "inputSchema") => SchemaReader::SCHEMA,
                    (TOOL, _) => SchemaReader::IGNORE,
                    (place, name) => self.schema.key(place, name),
                };
            }
            ElementPart::Text(piece) => match self.open.last() {
                Some((NAME, _)) if self.name.len() <= MAX_TOOL_NAME => self.name.push_str(piece),
                Some((place, _)) if SchemaReader::wants_text(*place) => self.schema.text(piece),
                _ => {}
            },
            ElementPart::End(kind) => {
                let Some((place, _)) = self.open.pop() else { return };
                self.schema.end(place, kind);
                if place == TOOL {
                    annotated.learn(&self.name, self.schema.take().ok());
                }
            }
        }
    }

    fn begin_tool(&mut self) -> u16 {
        self.name.clear();
        let _ = self.schema.take();
        TOOL
    }
}
