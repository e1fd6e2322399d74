//! What mcpfw tells the client of an open stream when a policy set changes what its lists show: `list_changed`, as the server
//! itself would say it (mcp-protocol.md §6).
//!
//! The events have no id: the last one that the client has remains the server's own, and a stream is resumed from there.

use super::looks::Kinds;
use crate::wire::jsonrpc::Id;
use crate::wire::mcp::ObjectKind;

/// Who reads a stream, as far as changes of lists go.
#[derive(Debug)]
pub(super) enum Audience {
    /// Somebody who waits for something else.
    Nobody,
    /// A legacy session, on whichever of its streams is first: a message goes on one of them alone (2025-03-26 and later).
    Session,
    /// Who reads this stream, which is all that there is of a session, and which may begin with the server's endpoint.
    Stream,
    /// A subscription under this id to lists of these kinds.
    Listen(Id, Kinds),
}

impl Audience {
    /// The kinds of list whose changes it is told of.
    pub(super) fn kinds(&self) -> Kinds {
        match self {
            Self::Nobody => Kinds::default(),
            Self::Session | Self::Stream => Kinds::ALL,
            Self::Listen(_, kinds) => *kinds,
        }
    }

    /// What must come before the first of them.
    pub(super) fn opening(&self) -> Opening {
        match self {
            Self::Nobody | Self::Session => Opening::over(),
            // The server's endpoint, or its acknowledgement.
            Self::Stream | Self::Listen(..) => Opening::awaited(),
        }
    }

    /// The event that tells of a change of what it may see of `kind`.
    pub(super) fn list_changed(&self, kind: ObjectKind) -> Vec<u8> {
        let list = match kind {
            ObjectKind::Tool => "tools",
            ObjectKind::Prompt => "prompts",
            ObjectKind::Resource => "resources",
        };
        let params = match self {
            Self::Listen(id, _) => {
                let id = id.as_raw();
                format!(
                    r#","params":{{"_meta":{{"io.modelcontextprotocol/subscriptionId":{id}}}}}"#
                )
            }
            _ => String::new(),
        };
        let method = format!("notifications/{list}/list_changed");
        format!("event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"{method}\"{params}}}\n\n")
            .into_bytes()
    }
}

/// Whether the first event with data has begun to go out: the rest follows from where the stream stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    /// Bytes of `data` at the start of the line at hand; beyond its length where it is another line.
    matched: usize,
}

const DATA: &[u8] = b"data";
const OTHER: usize = DATA.len() + 1;

impl Opening {
    const fn over() -> Self {
        Self { matched: DATA.len() }
    }

    const fn awaited() -> Self {
        Self { matched: 0 }
    }

    pub(super) const fn is_over(self) -> bool {
        self.matched == DATA.len()
    }

    pub(super) fn passes(&mut self, piece: &[u8]) {
        for byte in piece {
            if self.is_over() {
                return;
            }
            self.matched = match byte {
                b'\n' | b'\r' => 0,
                byte if DATA.get(self.matched) == Some(byte) => self.matched + 1,
                _ => OTHER,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_open_when_data_has_come() {
        for (text, want) in [
            ("", false),
            (":\n\n", false),
            ("event: data\n", false),
            (": data\n\nid: 1\n", false),
            ("dat", false),
            ("datadata", true),
            (":\n\ndata: 1\n\n", true),
            ("event: endpoint\rdata: /x", true),
        ] {
            let (mut whole, mut bytewise) = (Opening::awaited(), Opening::awaited());
            whole.passes(text.as_bytes());
            text.bytes().for_each(|byte| bytewise.passes(&[byte]));
            assert_eq!((whole.is_over(), bytewise.is_over()), (want, want), "{text:?}");
        }
        assert!(Opening::over().is_over());
    }

    #[test]
    fn notices() {
        let id = |raw| Id::from_raw(raw).unwrap();
        let text =
            |audience: Audience, kind| String::from_utf8(audience.list_changed(kind)).unwrap();
        assert_eq!(
            text(Audience::Session, ObjectKind::Tool),
            "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n"
        );
        // The id as the client wrote it, type and all.
        for raw in ["77", "\"77\"", "\"a\\u000ab\""] {
            let event = text(Audience::Listen(id(raw), Kinds::ALL), ObjectKind::Resource);
            let wanted = format!(
                "event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/list_changed\",\
                 \"params\":{{\"_meta\":{{\"io.modelcontextprotocol/subscriptionId\":{raw}}}}}}}\n\n"
            );
            assert_eq!(event, wanted);
        }
    }
}
