//! The codes of what can be wrong with a lock file. A code keeps its meaning forever.

use crate::diagnostic::Code;

/// Not JSON, or JSON that two readers would read differently.
pub const SYNTAX: Code = Code("L001");
/// A key that is missing or unknown, or a value of the wrong type.
pub const FORM: Code = Code("L002");
/// A name that stands twice in one list.
pub const DUPLICATE: Code = Code("L003");
/// A digest that is not of what stands beside it.
pub const DIGEST: Code = Code("L004");
/// A version of the file that this program does not know.
pub const VERSION: Code = Code("L005");
/// More elements than a list may have.
pub const TOO_MANY: Code = Code("L006");
