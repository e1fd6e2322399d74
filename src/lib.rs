//! mcpfw: a firewall for the Model Context Protocol.
//!
//! It stands in front of one MCP server, reads JSON-RPC bodies and SSE streams as their bytes
//! arrive, and decides by policy files per tool, per argument and per token claim.
//!
//! ```text
//! socket ─ gateway ─ identity ───────────────────────────► Principal
//!   body ─ wire::json → inspect::request ────────────────► Call
//!          policy::decide(Principal, Call) ──────────────► Permitted | Refusal
//!          limit::admit(Permitted) ──────────────────────► Admitted
//!          upstream (streaming, tail-hold)
//!  reply ─ inspect::response (wire::json, wire::sse) ────► client
//! ```
//!
//! Two kinds of module live here. **Pure** ones take bytes and values and return bytes and values:
//! the clock is an argument, there is no socket, file or environment. **Drivers** own sockets, timers
//! and files. Imports run downwards only; `tests/it/architecture.rs` holds the table.

pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod editor;
#[doc(hidden)]
pub mod fuzz;
pub mod gateway;
pub mod identity;
pub mod inspect;
pub mod layout;
pub mod limit;
pub mod lock;
pub mod observe;
pub mod policy;
pub mod replay;
pub mod seal;
pub mod shape;
pub mod upstream;
pub mod wire;
