//! P011, error: bad condition
//!
//! ## What it does
//! Reports everything in a condition that is not of the language: a subset of CEL in which nothing can fail at run
//! time.
//!
//! Variables: `claims.plan`, `args.path`, `client.ip` (`kind`, `id`, `scopes`, `issuer`), `mcp.method` (`kind`, `target`,
//! `revision`, `is_retry`), `request.route` (`host`, `sni`). Operators: `== != < <= > >= in && || ! ? :`, and `+` on text.
//! Functions: `has(x)`, `size(x)`, `x.startsWith("a")`, `x.endsWith("a")`, `x.contains("a")`, `x.matches("^a")`,
//! `list.all(v, v != "a")`, `list.exists(v, v == "a")`, `cidr("10.0.0.0/8").containsIP(client.ip)`.
//!
//! ## Why is this bad
//! A condition that could fail would have to fail open or closed in the middle of traffic. Here it is refused
//! before.
//!
//! ## Example
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! when = 'claim.plan == "pro"'
//! ```
//!
//! ## Use instead
//! ```toml
//! [[allow]]
//! name = "search"
//! tools = ["search"]
//! when = 'claims.plan == "pro"'
//! ```
//!
//! ## Fix safety
//! Safe for `=`, `&`, `|`, `and` and `or`, which have one meaning, and where one letter of a variable, a field or a
//! function is wrong and only one is so near. Unsafe where more is wrong.
