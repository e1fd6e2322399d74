//! Characters that a model reads and its user does not see (threat T51).
//!
//! A description can carry a second text: written in tag characters, between zero-width characters, as a run of variation
//! selectors, turned around by directional controls, or painted over by a terminal that obeys an escape. [`Scan`] finds
//! them in text that comes in pieces of any cut.
//!
//! The same characters have honest uses, which are not told: a joiner inside an emoji or between letters of a script that
//! needs it, one variation selector behind what has variants, and the three flags that are spelt in tags. What stays
//! open is a text in such a script, or of such emoji, that hides a bit in each of its letters: the letters are there to
//! be seen.

use std::fmt;

/// What kind of hidden character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hidden {
    /// It has no width and no honest use where it stands: a space, a joiner, a filler, a mark.
    ZeroWidth,
    /// It turns the reading direction: U+200E, U+200F, U+061C, U+202A-U+202E, U+2066-U+2069.
    Bidi,
    /// A tag character, U+E0000-U+E007F: invisible ASCII.
    Tag,
    /// It begins an escape sequence of a terminal: U+001B, U+009B.
    Escape,
    /// Another control character but tab, line feed and carriage return.
    Control,
    /// A variation selector behind what has no variants, or behind another one: a byte each.
    Variation,
}

impl Hidden {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::ZeroWidth, Self::Bidi, Self::Tag, Self::Escape, Self::Control, Self::Variation];

    /// The stable name for logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ZeroWidth => "zero_width",
            Self::Bidi => "bidi",
            Self::Tag => "tag",
            Self::Escape => "escape",
            Self::Control => "control",
            Self::Variation => "variation",
        }
    }
}

/// Which kinds were found. Shown as their names with commas between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct HiddenSet(u8);

impl HiddenSet {
    /// Whether nothing was found.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `kind` was found.
    #[must_use]
    pub const fn contains(self, kind: Hidden) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// What was found in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn insert(&mut self, kind: Hidden) {
        self.0 |= 1 << kind as u8;
    }
}

impl fmt::Display for HiddenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut mark = "";
        for kind in Hidden::ALL.into_iter().filter(|kind| self.contains(*kind)) {
            write!(f, "{mark}{}", kind.as_str())?;
            mark = ", ";
        }
        Ok(())
    }
}

/// Looks for hidden characters. It is fed the pieces of a text and told of its end; then the next text may come.
///
/// # Example
/// ```
/// use mcpfw::wire::hidden::{Hidden, Scan};
///
/// let mut scan = Scan::default();
/// scan.text("Reads a file. \u{1F469}\u{200D}");
/// scan.text("\u{1F680}");
/// scan.end();
/// assert!(scan.found().is_empty());
/// scan.text("Reads\u{200B} a file.");
/// scan.end();
/// assert!(scan.found().contains(Hidden::ZeroWidth));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Scan {
    found: HiddenSet,
    before: Before,
}

/// What the next character follows: all that its verdict can depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    /// Nothing that changes a verdict.
    #[default]
    Plain,
    /// An emoji, or what continues one: a joiner, a selector or tags may follow.
    Emoji,
    /// A digit, `#` or `*`, which make a key with a selector.
    Key,
    /// An ideograph.
    Ideograph,
    /// A symbol with a standardised variant.
    Symbol,
    /// A letter or mark of a script whose letters join.
    Letter,
    /// A letter of Mongolian, which has selectors of its own.
    Mongolian,
    /// An emoji and its selector: a joiner may follow.
    Presented,
    /// A letter and its selector: a joiner may follow.
    Selected,
    /// A joiner behind an emoji: only an emoji may follow.
    JoinedEmoji,
    /// The black flag, how many tags have followed it, and which of [`FLAGS`] begin with them (a bit each).
    Flag { tags: u8, matching: u8 },
}

/// The subdivision flags that are recommended for interchange (Unicode emoji-sequences, `RGI_Emoji_Tag_Sequence`):
/// England, Scotland, Wales. Only these, so that tags behind a flag carry nothing.
const FLAGS: [&[u8; 5]; 3] = [b"gbeng", b"gbsct", b"gbwls"];
const BLACK_FLAG: char = '\u{1F3F4}';
const CANCEL_TAG: char = '\u{E007F}';

impl Scan {
    /// What was found in all texts so far. What a text ends in the middle of is known at [`Scan::end`].
    #[must_use]
    pub fn found(&self) -> HiddenSet {
        self.found
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// The next piece of the text at hand.
    pub fn text(&mut self, piece: &str) {
        // Nearly every text is this one.
        if is_plain(piece.as_bytes()) && !self.before.waits() {
            if let Some(last) = piece.bytes().last() {
                self.before = Before::of(char::from(last));
            }
            return;
        }
        for c in piece.chars() {
            self.next(c);
        }
    }

    /// The text at hand ends.
    pub fn end(&mut self) {
        self.interrupt();
        self.before = Before::Plain;
    }

    fn next(&mut self, c: char) {
        if let Before::Flag { tags, matching } = self.before
            && let Some(tag) = tag(c)
        {
            return self.flag(tags, matching, tag);
        }
        let is_continued = match (self.before, c) {
            (Before::JoinedEmoji, c) => is_emoji(c),
            (Before::Flag { tags, .. }, _) => tags == 0,
            _ => true,
        };
        if !is_continued {
            self.interrupt();
        }
        let before = match self.before {
            Before::Flag { .. } => Before::Emoji,
            before => before,
        };
        self.before = match c {
            '\u{200C}' | '\u{200D}' => match before {
                Before::Letter | Before::Mongolian | Before::Selected => Before::Plain,
                Before::Emoji | Before::Presented if c == '\u{200D}' => Before::JoinedEmoji,
                _ => self.tell(Hidden::ZeroWidth),
            },
            '\u{FE0E}' | '\u{FE0F}' => match before {
                Before::Emoji => Before::Presented,
                Before::Key | Before::Symbol => Before::Plain,
                _ => self.tell(Hidden::Variation),
            },
            '\u{FE00}'..='\u{FE0D}' | '\u{E0100}'..='\u{E01EF}' => match before {
                Before::Ideograph => Before::Plain,
                Before::Symbol | Before::Letter if c < '\u{FE03}' => Before::Selected,
                _ => self.tell(Hidden::Variation),
            },
            '\u{180B}'..='\u{180D}' | '\u{180F}' => match before {
                Before::Mongolian => Before::Selected,
                _ => self.tell(Hidden::Variation),
            },
            BLACK_FLAG => Before::Flag { tags: 0, matching: 0b111 },
            _ => match hidden(c) {
                Some(kind) => self.tell(kind),
                None => Before::of(c),
            },
        };
    }

    /// A tag behind a flag and `tags` others, with which those in `matching` begin.
    fn flag(&mut self, tags: u8, matching: u8, tag: u8) {
        let ends = tags == 5 && tag == 0x7F;
        let still = FLAGS.iter().enumerate().filter(|(at, flag)| {
            matching & (1 << at) != 0 && flag.get(usize::from(tags)) == Some(&tag)
        });
        let still = still.fold(0, |set, (at, _)| set | 1 << at);
        self.before = match (ends, still) {
            (true, _) => Before::Emoji,
            (false, 0) => self.tell(Hidden::Tag),
            (false, still) => Before::Flag { tags: tags + 1, matching: still },
        };
    }

    /// What is not continued was hidden.
    fn interrupt(&mut self) {
        match self.before {
            Before::JoinedEmoji => self.found.insert(Hidden::ZeroWidth),
            Before::Flag { tags: 1.., .. } => self.found.insert(Hidden::Tag),
            _ => {}
        }
    }

    fn tell(&mut self, kind: Hidden) -> Before {
        self.found.insert(kind);
        Before::Plain
    }
}

impl Before {
    /// Whether the next character decides about what came before it.
    const fn waits(self) -> bool {
        matches!(self, Self::JoinedEmoji | Self::Flag { .. })
    }

    /// Behind `c`, which is not hidden.
    fn of(c: char) -> Self {
        match c {
            '0'..='9' | '#' | '*' => Self::Key,
            _ if c.is_ascii() => Self::Plain,
            _ if is_emoji(c) => Self::Emoji,
            _ if is_ideograph(c) => Self::Ideograph,
            '\u{1820}'..='\u{18AA}' | '\u{11660}'..='\u{1166C}' => Self::Mongolian,
            _ if joins(c) => Self::Letter,
            // Operators, arrows, brackets and full-width punctuation.
            '\u{2190}'..='\u{2BFF}' | '\u{3001}'..='\u{3002}' | '\u{FF01}'..='\u{FF1F}' => {
                Self::Symbol
            }
            _ => Self::Plain,
        }
    }
}

/// Whether `bytes` are ASCII without a control that is hidden.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r'))
}

/// The ASCII character that the tag `c` stands for.
fn tag(c: char) -> Option<u8> {
    let ascii = u32::from(c).checked_sub(0xE_0000)?;
    u8::try_from(ascii).ok().filter(u8::is_ascii)
}

/// What kind of hidden character `c` is, wherever it stands.
const fn hidden(c: char) -> Option<Hidden> {
    Some(match c {
        '\t' | '\n' | '\r' => return None,
        '\u{1B}' | '\u{9B}' => Hidden::Escape,
        // Line and paragraph separator end a line where no editor shows one.
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' | '\u{2028}' | '\u{2029}' => Hidden::Control,
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            Hidden::Bidi
        }
        '\u{E0000}'..=CANCEL_TAG => Hidden::Tag,
        // Soft hyphen, grapheme joiner, fillers, vowels without a shape, separator, zero width space, word joiner and
        // invisible operators, shaping controls, byte-order mark, annotations, shorthand and musical controls.
        '\u{AD}'
        | '\u{34F}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{17B4}'
        | '\u{17B5}'
        | '\u{180E}'
        | '\u{200B}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206A}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0080}'..='\u{E0FFF}' => Hidden::ZeroWidth,
        _ => return None,
    })
}

/// Whether `c` is an emoji or continues one (Unicode `Extended_Pictographic`, modifiers, regional indicators, the
/// enclosing key): by blocks, which hold them and symbols that look like them.
const fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{20E3}' | '\u{2122}' | '\u{2139}'
        | '\u{2194}'..='\u{21AA}' | '\u{231A}'..='\u{231B}' | '\u{2328}' | '\u{23CF}'..='\u{23FA}'
        | '\u{24C2}' | '\u{25AA}'..='\u{25AB}' | '\u{25B6}' | '\u{25C0}' | '\u{25FB}'..='\u{25FE}'
        | '\u{2600}'..='\u{27BF}' | '\u{2934}'..='\u{2935}' | '\u{2B05}'..='\u{2B07}'
        | '\u{2B1B}'..='\u{2B1C}' | '\u{2B50}' | '\u{2B55}' | '\u{3030}' | '\u{303D}' | '\u{3297}'
        | '\u{3299}' | '\u{1F000}'..='\u{1FAFF}')
}

const fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFD}')
}

/// Whether `c` is of a script in which a joiner between letters, or behind one, changes their shape: Arabic and its
/// kin, the scripts of India and South-East Asia, Tibetan.
const fn joins(c: char) -> bool {
    matches!(c,
        '\u{620}'..='\u{6FF}' | '\u{710}'..='\u{8FF}' | '\u{900}'..='\u{DFF}' | '\u{E00}'..='\u{109F}'
        | '\u{1700}'..='\u{17B3}' | '\u{17B6}'..='\u{17FF}' | '\u{1900}'..='\u{1CFF}'
        | '\u{A840}'..='\u{ABFF}' | '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
        | '\u{10A00}'..='\u{10FFF}' | '\u{11000}'..='\u{11FFF}')
}
