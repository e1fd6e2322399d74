//! The language server: what an editor is told of policy files while they are written. Pure.
//!
//! ```text
//! stdin ─ frame ─► protocol (JSON-RPC) ─► server ─┬─ sets: documents as they are on the screen, and what is due:
//!                                                 │  read by the driver, judged as `mcpfw check` does
//!                                                 └─ outline, position ─► diagnostics, hover, completion, definition, actions
//! ```
//!
//! The client is a program of the user, and still nothing that it sends is believed: lengths and texts are bounded, what it
//! asks of documents that are not open is an error, and there is no state in which a message ends the server.

mod actions;
mod completion;
mod definition;
mod diagnostics;
mod frame;
mod hover;
mod outline;
mod position;
mod protocol;
mod server;
mod sets;
mod view;
mod words;

pub use frame::{FrameError, Frames, MAX_HEADER, MAX_MESSAGE, frame};
pub use server::{After, Server};
pub use sets::{Disk, Due};
pub use view::Checked;

/// Most documents that are open at a time. Each is held whole; an editor has some dozens.
pub const MAX_DOCUMENTS: usize = 256;

/// Most bytes of a document: as `check` reads of a file.
pub const MAX_TEXT: usize = 1 << 20;

/// Most folders that a client has opened at a time. Each costs a comparison when a document is opened; an editor has a few.
const MAX_WORKSPACE: usize = 64;
