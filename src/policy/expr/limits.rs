//! Every bound of the language, so that no expression and no input can cost more than a known amount
//! (THREATS T59: a decision takes no more than a millisecond).

/// Bytes of an expression's text. A condition that is longer is a list that belongs into a claim.
pub const MAX_LENGTH: usize = 4096;

/// Brackets `( [ {` open at one time. The parser recurses ten frames for each.
pub const MAX_NESTING: usize = 16;

/// Operators and calls inside one another that are no chain of `&&`, `||` or `+`, which are flat. Evaluation
/// recurses so deep.
pub const MAX_DEPTH: usize = 64;

/// Operators, `.`, `?` and `:`. In a chain each nests the parser's tree once more, as `[0]` does: of those [`MAX_LENGTH`] has
/// room for some 1 300, and nothing recurses over them but letting go of the tree.
pub const MAX_OPERATORS: usize = 256;

/// Members of one path (`claims.a.b` has two).
pub const MAX_PATH: usize = 16;

/// Bytes of a regular expression (T59). [`MAX_LENGTH`] is reached first today.
pub const MAX_PATTERN: usize = 10 * 1024;

/// Bytes of a compiled regular expression: what a step of the search may have to look at.
pub const MAX_COMPILED_PATTERN: usize = 256 * 1024;

/// Elements of a list that `in`, `all` and `exists` look at; those after are unknown.
pub const MAX_LIST: usize = 1024;

/// Loops (`all`, `exists`) inside one another.
pub const MAX_LOOPS: usize = 2;

/// Steps that one outermost loop may take, a step being an element visited, or 64 bytes of text read for one.
/// Elements after are unknown. 16 384 steps are 1 MiB of text, some 100 µs.
pub const MAX_STEPS: u32 = 16 * 1024;

/// Bytes of text that a step of a loop pays for.
pub(super) const STEP_TEXT: usize = 64;

/// Depth to which lists and objects are compared; below it, they are unknown. JSON is read to depth 64.
pub const MAX_COMPARED_DEPTH: usize = 64;

/// Characters of a value that `explain` shows.
pub const MAX_SHOWN: usize = 80;
