//! Reading the annotations while a schema passes.

use http::header::HeaderName;

use super::{
    Annotations, MAX_HEADER_NAME, MAX_PATH_BYTES, MAX_SCHEMA_DEPTH, ParamKind, SchemaFault,
};
use crate::wire::json::{Kind, Limits, Node, Tokenizer, Visit};
use crate::wire::mcp::headers::PARAM_PREFIX;

/// Bytes of a `type` or `x-mcp-header` that are kept: one to be too long by.
const KEPT: usize = MAX_HEADER_NAME + 1;

/// Keywords whose values are data, in which nothing is an annotation.
const DATA: [&str; 4] = ["default", "const", "enum", "examples"];

/// Keywords whose values are schemas of something that has no one place in the arguments.
const ELSEWHERE: [&str; 22] = [
    "items",
    "prefixItems",
    "additionalItems",
    "contains",
    "unevaluatedItems",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "dependentSchemas",
    "dependencies",
    "extends",
    "contentSchema",
    "$defs",
    "definitions",
];

/// Reads the annotations of one `inputSchema` out of a stream of JSON events.
///
/// Its places are numbers below [`SchemaReader::PLACES`], which whoever drives it keeps for the open containers: the schema
/// itself is at [`SchemaReader::SCHEMA`], and of what is at [`SchemaReader::IGNORE`] it need not hear.
#[derive(Debug, Default)]
pub struct SchemaReader {
    found: Annotations,
    fault: Option<SchemaFault>,
    /// The open schemas, each reached from the one before it by `properties`.
    open: Vec<Open>,
    /// The names by which they are reached, one behind the other.
    names: String,
    /// Where in them the name of the property begins that is about to be read.
    next: usize,
    /// The string that is being read.
    text: String,
}

/// A schema that is being read.
#[derive(Debug)]
struct Open {
    /// Where in the names its own begins.
    name: usize,
    kind: Option<ParamKind>,
    header: Option<HeaderName>,
}

impl SchemaReader {
    /// A place of no interest.
    pub const IGNORE: u16 = 0;
    /// The place of the schema, and of the schemas of its properties.
    pub const SCHEMA: u16 = 1;
    /// All places are below.
    pub const PLACES: u16 = 6;

    const PROPERTIES: u16 = 2;
    const TYPE: u16 = 3;
    const HEADER: u16 = 4;
    const ELSEWHERE: u16 = 5;

    /// Whether the text of a string at `place` is wanted.
    #[must_use]
    pub const fn wants_text(place: u16) -> bool {
        matches!(place, Self::TYPE | Self::HEADER)
    }

    /// Where member `name` of the object at `place` is.
    pub fn key(&mut self, place: u16, name: &str) -> u16 {
        if self.fault.is_some() {
            return Self::IGNORE;
        }
        match place {
            Self::PROPERTIES => {
                self.next = self.names.len();
                if self.next + name.len() > MAX_PATH_BYTES {
                    // What is under it is not read, and might be annotated.
                    return self.refuse(SchemaFault::TooMany);
                }
                self.names.push_str(name);
                Self::SCHEMA
            }
            Self::SCHEMA => match name {
                "properties" => Self::PROPERTIES,
                "type" => Self::TYPE,
                "x-mcp-header" => Self::HEADER,
                _ if ELSEWHERE.contains(&name) => Self::ELSEWHERE,
                _ => Self::IGNORE,
            },
            Self::ELSEWHERE if name == "x-mcp-header" => self.refuse(SchemaFault::Misplaced),
            Self::ELSEWHERE if !DATA.contains(&name) => Self::ELSEWHERE,
            _ => Self::IGNORE,
        }
    }

    /// Where an element of the array at `place` is.
    #[must_use]
    pub fn element(&self, place: u16) -> u16 {
        if place == Self::ELSEWHERE { place } else { Self::IGNORE }
    }

    /// A value begins.
    pub fn begin(&mut self, place: u16, kind: Kind) {
        match (place, kind) {
            (Self::SCHEMA, Kind::Object) if self.open.len() == MAX_SCHEMA_DEPTH => {
                self.refuse(SchemaFault::TooMany);
            }
            (Self::SCHEMA, Kind::Object) => {
                self.open.push(Open { name: self.next, kind: None, header: None });
            }
            (Self::HEADER | Self::TYPE, _) => self.text.clear(),
            _ => {}
        }
    }

    /// A piece of the text of a string.
    pub fn text(&mut self, piece: &str) {
        let room = KEPT.saturating_sub(self.text.len());
        self.text.push_str(piece.get(..piece.floor_char_boundary(room)).unwrap_or_default());
    }

    /// A value ended.
    pub fn end(&mut self, place: u16, kind: Kind) {
        if self.fault.is_some() {
            return;
        }
        let ended = match (place, kind) {
            (Self::SCHEMA, Kind::Object) => self.end_schema(),
            (Self::SCHEMA, _) => {
                self.names.truncate(self.next);
                Ok(())
            }
            (Self::TYPE, Kind::String) => {
                let kind = ParamKind::from_type(&self.text);
                self.open.last_mut().into_iter().for_each(|open| open.kind = kind);
                Ok(())
            }
            (Self::HEADER, kind) => match header(&self.text).filter(|_| kind == Kind::String) {
                Some(name) => {
                    self.open
                        .last_mut()
                        .into_iter()
                        .for_each(|open| open.header = Some(name.clone()));
                    Ok(())
                }
                None => Err(SchemaFault::Name),
            },
            _ => Ok(()),
        };
        if let Err(fault) = ended {
            self.refuse(fault);
        }
    }

    /// The annotations, once the schema has ended. Ready for the next schema afterwards.
    ///
    /// # Errors
    /// [`SchemaFault`]: then nothing is compared.
    pub fn take(&mut self) -> Result<Annotations, SchemaFault> {
        let read = std::mem::take(self);
        // The room that it has is good for the next one.
        self.names = read.names;
        self.names.clear();
        self.text = read.text;
        match read.fault {
            Some(fault) => Err(fault),
            None => Ok(read.found),
        }
    }

    fn end_schema(&mut self) -> Result<(), SchemaFault> {
        let Some(ended) = self.open.pop() else { return Ok(()) };
        if let Some(header) = ended.header {
            // The root is no argument.
            let Some((_, way)) = self.open.split_first() else {
                return Err(SchemaFault::Misplaced);
            };
            let kind = ended.kind.ok_or(SchemaFault::Type)?;
            let starts = way.iter().map(|open| open.name).chain([ended.name]);
            let ends = starts.clone().skip(1).chain([self.names.len()]);
            let names = &self.names;
            let path = starts.zip(ends).filter_map(|(from, to)| names.get(from..to));
            self.found.add(path, header, kind)?;
        }
        self.names.truncate(ended.name);
        Ok(())
    }

    /// The first fault is the one. Nothing more is of interest.
    fn refuse(&mut self, fault: SchemaFault) -> u16 {
        self.fault.get_or_insert(fault);
        Self::IGNORE
    }
}

/// The header that annotation `name` (a token of RFC 9110 §5.6.2) stands for.
fn header(name: &str) -> Option<HeaderName> {
    if name.is_empty() || name.len() > MAX_HEADER_NAME {
        return None;
    }
    HeaderName::from_bytes(format!("{PARAM_PREFIX}{name}").as_bytes()).ok()
}

/// Reads a schema that is all there.
pub(super) fn read(json: &[u8]) -> Result<Annotations, SchemaFault> {
    let mut whole = Whole(SchemaReader::default());
    // Hashed with no secret: schemas come from the server or from a lock file, and their keys are bounded.
    let mut tokenizer = Tokenizer::new(Limits::default(), 0);
    let read = tokenizer.feed(json, &mut whole).and_then(|()| tokenizer.finish(&mut whole));
    read.map_err(|_| SchemaFault::Syntax)?;
    whole.0.take()
}

/// The reader as the visitor of a text of its own.
struct Whole(SchemaReader);

fn node(place: u16) -> Node {
    match place {
        SchemaReader::IGNORE => Node::IGNORE,
        place if SchemaReader::wants_text(place) => Node::new(place).with_text(),
        place => Node::new(place),
    }
}

impl Visit for Whole {
    type Stop = std::convert::Infallible;

    fn root(&mut self) -> Node {
        node(SchemaReader::SCHEMA)
    }

    fn key(&mut self, object: Node, name: &str) -> Result<Node, Self::Stop> {
        Ok(node(self.0.key(object.number(), name)))
    }

    fn element(&mut self, array: Node, _index: u32) -> Result<Node, Self::Stop> {
        Ok(node(self.0.element(array.number())))
    }

    fn begin(&mut self, node: Node, kind: Kind, _at: u64) -> Result<(), Self::Stop> {
        self.0.begin(node.number(), kind);
        Ok(())
    }

    fn text(&mut self, _node: Node, piece: &str) -> Result<(), Self::Stop> {
        self.0.text(piece);
        Ok(())
    }

    fn end(&mut self, node: Node, kind: Kind, _at: u64) -> Result<(), Self::Stop> {
        self.0.end(node.number(), kind);
        Ok(())
    }
}
