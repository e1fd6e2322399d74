//! What a reader of a JSON text wants to be told.

/// A place in the document that the visitor knows, as a small number of its own choosing.
///
/// The tokenizer keeps one node for each open container; that is how a visitor knows the path
/// without keeping a stack of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node(u16);

impl Node {
    /// A place of no interest: its value is validated and skipped, and nothing in it is reported.
    pub const IGNORE: Self = Self(0);
    const TEXT: u16 = 0x8000;

    /// The place `number` (1 to 32 767) of which [`Visit::begin`] and [`Visit::end`] are told,
    /// and, where the value is a container, its keys or elements.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number & !Self::TEXT)
    }

    /// The same place, and [`Visit::text`] is given the text of its string or number.
    #[must_use]
    pub const fn with_text(self) -> Self {
        Self(self.0 | Self::TEXT)
    }

    /// The number given to [`Node::new`].
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0 & !Self::TEXT
    }

    /// Whether the text of a scalar at this place is wanted.
    #[must_use]
    pub const fn wants_text(self) -> bool {
        self.0 & Self::TEXT != 0
    }
}

/// The kind of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `{...}`
    Object,
    /// `[...]`
    Array,
    /// `"..."`
    String,
    /// A number, kept as its token.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

/// A reader of one JSON text. All offsets count bytes from the first byte fed.
///
/// Any method may stop the scan with a reason of its own; the tokenizer then returns
/// [`super::Error::Stop`] and is spent.
pub trait Visit {
    /// Why a visitor stops a scan.
    type Stop;

    /// The place of the root value.
    fn root(&mut self) -> Node;

    /// A member name (escapes decoded) of the object at `object`, which is not [`Node::IGNORE`].
    /// Returns the place of the member's value.
    ///
    /// # Errors
    /// The visitor's own reason to stop.
    fn key(&mut self, object: Node, name: &str) -> Result<Node, Self::Stop>;

    /// An element begins in the array at `array`, which is not [`Node::IGNORE`]; `index` counts
    /// from 0. Returns the place of the element.
    ///
    /// # Errors
    /// The visitor's own reason to stop.
    fn element(&mut self, array: Node, index: u32) -> Result<Node, Self::Stop> {
        let _ = (array, index);
        Ok(Node::IGNORE)
    }

    /// A comma between two elements of the array at `array`, at offset `at`.
    ///
    /// # Errors
    /// The visitor's own reason to stop.
    fn comma(&mut self, array: Node, at: u64) -> Result<(), Self::Stop> {
        let _ = (array, at);
        Ok(())
    }

    /// A value begins: `at` is the offset of its first byte.
    ///
    /// # Errors
    /// The visitor's own reason to stop.
    fn begin(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), Self::Stop> {
        let _ = (node, kind, at);
        Ok(())
    }

    /// A piece of the text of the value at `node`: decoded for a string, the token's own
    /// characters for a number. Pieces come in order; their cuts have no meaning. Only for nodes made by
    /// [`Node::with_text`].
    ///
    /// # Errors
    /// The visitor's own reason to stop.
    fn text(&mut self, node: Node, piece: &str) -> Result<(), Self::Stop> {
        let _ = (node, piece);
        Ok(())
    }

    /// The value at `node` ended: `at` is the offset one past its last byte. For a number this
    /// is known when the byte behind it arrives.
    ///
    /// # Errors
    /// The visitor's own reason to stop.
    fn end(&mut self, node: Node, kind: Kind, at: u64) -> Result<(), Self::Stop> {
        let _ = (node, kind, at);
        Ok(())
    }
}

/// Wants nothing: the whole text is validated and skipped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ignore;

impl Visit for Ignore {
    type Stop = std::convert::Infallible;

    fn root(&mut self) -> Node {
        Node::IGNORE
    }

    fn key(&mut self, _object: Node, _name: &str) -> Result<Node, Self::Stop> {
        Ok(Node::IGNORE)
    }
}
