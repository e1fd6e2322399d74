//! `x-mcp-header`: which arguments of a tool a modern client mirrors as `Mcp-Param-*` headers (SEP-2243; mcp-protocol.md
//! §3.2), learned from the tool's `inputSchema`.
//!
//! A router in front may have acted on such a header, so that a request whose header and argument differ is two requests (T9).
//! Only a tool whose whole schema places its annotations as the specification says is compared; clients drop any other.

mod schema;
mod store;
#[cfg(test)]
mod tests;
mod tool;

use http::header::HeaderName;

pub use self::schema::SchemaReader;
pub use self::store::Annotated;
pub use self::tool::ToolReader;
use crate::policy::Captures;

/// Annotations of one tool. A schema with more is no schema that a person wrote; all headers of a request are 100.
pub const MAX_ANNOTATIONS: usize = 32;
/// Bytes of the name that an annotation gives: with its prefix, a header name that every server takes.
pub const MAX_HEADER_NAME: usize = 128;
/// Bytes of the name of a tool that is remembered. The specification has at most 128; a longer one is compared with nothing.
pub const MAX_TOOL_NAME: usize = 256;
/// Objects around an annotated property, the schema itself included.
pub const MAX_SCHEMA_DEPTH: usize = 16;
/// Bytes of the property names on the way to one annotated property.
pub const MAX_PATH_BYTES: usize = 1024;

/// What the annotated property is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// `string`: compared as text.
    String,
    /// `integer`: compared as a number.
    Integer,
    /// `number`: outside of the specification, but in the field. Compared where the header is there, never missed.
    Number,
    /// `boolean`: `true` or `false`.
    Boolean,
}

impl ParamKind {
    fn from_type(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            _ => return None,
        })
    }
}

/// Why the annotations of a schema mean nothing. Clients then do not use the tool at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SchemaFault {
    /// Not JSON that says one thing.
    #[error("the schema is not strict JSON")]
    Syntax,
    /// `x-mcp-header` is not the name of a header.
    #[error("x-mcp-header is not a header name")]
    Name,
    /// Two properties have one header.
    #[error("two properties have the same x-mcp-header")]
    Repeated,
    /// The property is no string, integer, number or boolean, or is not only one of them.
    #[error("x-mcp-header at a property without a simple type")]
    Type,
    /// Not at a property that is reached from the root by `properties` alone.
    #[error("x-mcp-header where no property has one place")]
    Misplaced,
    /// More than [`MAX_ANNOTATIONS`], [`MAX_SCHEMA_DEPTH`] or [`MAX_PATH_BYTES`].
    #[error("too many, too deep or too long annotations")]
    TooMany,
}

/// The annotations of one tool.
#[derive(Clone, Debug, Default)]
pub struct Annotations {
    paths: Captures,
    /// By slot of `paths`.
    params: Vec<(HeaderName, ParamKind)>,
}

impl Annotations {
    /// The annotations of an `inputSchema` in JSON, as a lock file has it.
    ///
    /// # Errors
    /// [`SchemaFault`]: then nothing is compared.
    pub fn of_schema(json: &[u8]) -> Result<Self, SchemaFault> {
        schema::read(json)
    }

    /// Whether nothing is mirrored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// Where in `params.arguments` the mirrored values are.
    #[must_use]
    pub fn paths(&self) -> &Captures {
        &self.paths
    }

    /// By slot of [`Annotations::paths`]: the whole header name, and what the value is.
    #[must_use]
    pub fn params(&self) -> &[(HeaderName, ParamKind)] {
        &self.params
    }

    fn add<'a>(
        &mut self,
        path: impl IntoIterator<Item = &'a str>,
        header: HeaderName,
        kind: ParamKind,
    ) -> Result<(), SchemaFault> {
        if self.params.iter().any(|(known, _)| *known == header) {
            return Err(SchemaFault::Repeated);
        }
        if self.params.len() == MAX_ANNOTATIONS {
            return Err(SchemaFault::TooMany);
        }
        let slot = self.paths.insert(path).ok_or(SchemaFault::TooMany)?;
        // INVARIANT: names in an object are unique, so that every path is new and slots count up.
        if usize::from(slot) != self.params.len() {
            return Err(SchemaFault::Repeated);
        }
        self.params.push((header, kind));
        Ok(())
    }
}
