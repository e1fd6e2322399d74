//! The folded form of a name: what a deny and a limit see of it beside its bytes (T11).
//!
//! Two names fold alike where some server, file system or reader could take one for the other: case, compatibility
//! forms, combining marks, invisible characters, spaces and controls, and letters that look alike (UTS #39). The
//! fold only ever makes a deny or a limit apply to more names; an allow sees bytes.

use std::borrow::Cow;
use std::sync::LazyLock;

use smallvec::SmallVec;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_security::skeleton;

/// A rewritten name. Most are short, and then cost no allocation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::policy) struct Form {
    /// INVARIANT: UTF-8, put together from whole strings only.
    bytes: SmallVec<[u8; 64]>,
}

impl Form {
    pub(in crate::policy) fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes).unwrap_or_default()
    }
}

impl<'a> FromIterator<&'a str> for Form {
    fn from_iter<I: IntoIterator<Item = &'a str>>(parts: I) -> Self {
        let mut bytes = SmallVec::new();
        for part in parts {
            bytes.extend_from_slice(part.as_bytes());
        }
        Self { bytes }
    }
}

/// Forms that one name may have: sixteen, from four characters of two readings each. A name of more is irregular.
const MAX_FORMS: usize = 16;

/// The fold of `name`, read in the likeliest way. `fold(fold(x)) == fold(x)`.
pub(in crate::policy) fn fold(name: &str) -> Form {
    if name.is_ascii() {
        let ascii = &*ASCII;
        let mut bytes = SmallVec::new();
        for letter in name.bytes().filter_map(|byte| ascii.get(usize::from(byte))) {
            match letter.as_bytes() {
                [byte] => bytes.push(*byte),
                other => bytes.extend_from_slice(other),
            }
        }
        Form { bytes }
    } else {
        [&*fold_any(name)].into_iter().collect()
    }
}

/// Every fold of `name`. More than one where a character looks like one letter and normalises to another (`ſ` is
/// an `s` and looks like an `f`); `None` where there are more than [`MAX_FORMS`].
pub(in crate::policy) fn folds(name: &str) -> Option<SmallVec<[Form; 2]>> {
    if name.is_ascii() {
        return Some(smallvec::smallvec![fold(name)]);
    }
    let mut texts = vec![String::new()];
    for c in name.chars() {
        let (likely, other) = readings(c);
        let copies = other.map(|other| texts.iter().map(|text| text.clone() + &other).collect());
        for text in &mut texts {
            text.push_str(&likely);
        }
        texts.append(&mut copies.unwrap_or_default());
        if texts.len() > MAX_FORMS {
            return None;
        }
    }
    Some(texts.iter().map(|text| [&**text].into_iter().collect()).collect())
}

/// What `c` folds to, and what else where it looks like something that it does not normalise to. A fold of a text is
/// the fold of its characters, since marks, which alone could change places, are left out.
fn readings(c: char) -> (Cow<'static, str>, Option<String>) {
    if let Some(form) = ASCII.get(c as usize) {
        return (Cow::Borrowed(form.as_str()), None);
    }
    let likely = fold_any(c.encode_utf8(&mut [0; 4]));
    let is_compatible = !std::iter::once(c).nfkd().eq(std::iter::once(c).nfd());
    let other = is_compatible.then(|| settle(c.to_string())).filter(|other| *other != likely);
    (Cow::Owned(likely), other)
}

/// What each ASCII character folds to, so that ordinary names cost one look-up per byte.
static ASCII: LazyLock<[Letter; 128]> = LazyLock::new(|| {
    std::array::from_fn(|code| {
        let c = u8::try_from(code).map_or('\0', char::from);
        Letter::new(&fold_any(c.encode_utf8(&mut [0; 4])))
    })
});

/// The fold of one ASCII character, in place.
#[derive(Clone, Copy, Debug)]
struct Letter {
    /// INVARIANT: UTF-8 up to `length`.
    bytes: [u8; 7],
    length: u8,
}

impl Letter {
    /// Holds `text`, which is short: the longest, of `%`, has three bytes. A test goes through all.
    fn new(text: &str) -> Self {
        let mut bytes = [0; 7];
        let mut length = 0;
        for (place, byte) in bytes.iter_mut().zip(text.bytes()) {
            *place = byte;
            length += 1;
        }
        Self { bytes, length }
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    fn as_str(&self) -> &str {
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

/// The fold of what `name` normalises to.
fn fold_any(name: &str) -> String {
    settle(name.nfkd().filter(|c| is_kept(*c)).collect())
}

/// Repeats [`round`] until nothing changes.
fn settle(mut text: String) -> String {
    for _ in 0..MAX_ROUNDS {
        // Look-alikes are sought more than once: `Н` (Cyrillic) looks like `H` while `н` looks like no `h`, and
        // the other way round for letters whose small form is the similar one.
        let next = round(&text);
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// The chains in Unicode 16 end after three rounds; a bound, so that a table with a cycle cannot hang a call.
const MAX_ROUNDS: usize = 8;

fn round(name: &str) -> String {
    skeleton(name)
        .collect::<String>()
        .nfkd()
        // Upper before lower makes one form of letters with two small forms (`ß`, `ſ`, `ς`).
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .filter(|c| is_kept(*c))
        .map(alike)
        .collect()
}

/// UTS #39 leaves `i`, `l` and `1` apart in small letters, but `I` is `l` there and `i` in any fold of case.
const fn alike(c: char) -> char {
    match c {
        'i' | '1' | '|' => 'l',
        '0' => 'o',
        other => other,
    }
}

/// Whether `c` is seen at all: no space, no control, no mark on another letter, nothing invisible.
fn is_kept(c: char) -> bool {
    !(c.is_whitespace() || c.is_control() || is_combining_mark(c) || is_invisible(c))
}

/// Default-ignorable code points and format characters, by block where a whole block is such.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(name: &str) -> String {
        fold(name).as_str().to_owned()
    }

    #[test]
    fn look_alikes_fold_alike_and_others_do_not() {
        for (a, b) in [
            ("delete_file", "DELETE_FILE"),
            ("delete_file", "deIete_fi1e"),
            ("delete_file", "dеlеtе_filе"),            // Cyrillic
            ("delete_file", "ｄｅｌｅｔｅ＿ｆｉｌｅ"), // full width
            ("delete_file", "delete\u{200b}_file"),
            ("delete_file", "delete_file\u{0}"),
            ("delete_file", " delete_file\t"),
            ("delete_file", "de\u{301}lete_file"),
            ("delete_file", "𝐝𝐞𝐥𝐞𝐭𝐞_𝐟𝐢𝐥𝐞"),
            ("help", "Нelp"), // Cyrillic En
            ("file", "ﬁle"),  // ligature
            ("mask", "maſK"), // long s, Kelvin sign
        ] {
            assert_eq!(folded(a), folded(b), "{a:?} {b:?}");
        }
        for (a, b) in [
            ("delete_file", "delete_files"),
            ("delete_file", "deletefile"),
            ("tool_1", "tool_2"),
            ("read", "reap"),
        ] {
            assert_ne!(folded(a), folded(b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn folding_twice_changes_nothing() {
        // Every script with case or look-alikes among small letters; the rest in steps.
        let dense =
            (0..0x2d80).chain(0xa640..0xab70).chain(0xfb00..0x1_0000).chain(0x1d400..0x1d800);
        let sparse = (0..0x11_0000).step_by(101);
        for c in dense.chain(sparse).filter_map(char::from_u32) {
            let code = u32::from(c);
            let once = fold_any(c.encode_utf8(&mut [0; 4]));
            assert_eq!(fold_any(&once), once, "U+{code:04X}");
        }
    }

    #[test]
    fn a_character_of_two_readings_makes_two_forms() {
        let forms = |name: &str| {
            let forms = folds(name)?;
            Some(forms.iter().map(|form| form.as_str().to_owned()).collect::<Vec<_>>())
        };
        for (name, want) in [
            ("delete", &["delete"][..]),
            ("dеlete", &["delete"]),
            ("ma\u{17f}k", &["rnask", "rnafk"]),
            ("\u{17f}\u{fe31}", &["s\u{30fc}", "f\u{30fc}", "sl", "fl"]),
            ("日本", &["日本"]),
        ] {
            let want: Vec<String> = want.iter().map(|form| (*form).to_owned()).collect();
            assert_eq!(forms(name), Some(want), "{name}");
        }
        assert_eq!(forms(&"\u{17f}".repeat(4)).map(|forms| forms.len()), Some(MAX_FORMS));
        assert_eq!(forms(&"\u{17f}".repeat(5)), None);
    }

    #[test]
    fn a_name_in_ascii_folds_as_its_characters_do() {
        let all: String = (0..128_u8).map(char::from).collect();
        assert_eq!(folded(&all), fold_any(&all));
    }
}
