//! P027, warning: a pattern that matches no resource
//!
//! ## What it does
//! Reports a pattern for resources that no canonical URI matches, and one that misses what it seems to be for: a path
//! in place of a URI, `file://etc/*` (behind two slashes stands a host), or `*.md` (`*` does not reach over a slash).
//!
//! ## Why is this bad
//! A URI that is not in its canonical form is refused before any rule is asked, so that the pattern has no effect. A
//! deny that misses what it was written for leaves it open. What the lock file has is never reported.
//!
//! ## Example
//! ```toml
//! [[deny]]
//! name = "no-docs"
//! resources = ["file:///my docs/**"]
//! ```
//!
//! ## Use instead
//! ```toml
//! [[deny]]
//! name = "no-docs"
//! resources = ["file:///my%20docs/**"]
//! ```
//!
//! ## Fix safety
//! Safe in a deny, a limit and a pin: the canonical form names the same resources. Unsafe in an allow, which then
//! opens what it did not open before, and wherever the pattern was a path or misses.
