//! What the demo prints: where things are, two tokens, and calls to paste.

use std::fmt::Write as _;

/// What the script speaks of.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    /// URL of the MCP server itself.
    pub(super) server: &'a str,
    /// URL of the firewall before it.
    pub(super) firewall: &'a str,
    /// A token of `ann`, on the free plan.
    pub(super) free: &'a str,
    /// A token of `bob`, on the pro plan.
    pub(super) pro: &'a str,
}

/// One call to paste: a heading, who calls, and the JSON-RPC message.
struct Scenario {
    heading: &'static str,
    bearer: &'static str,
    /// How often.
    times: u8,
    message: &'static str,
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        heading: "allowed: the free plan may search",
        bearer: "FREE",
        times: 1,
        message: r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"q":"rust"}}}"#,
    },
    Scenario {
        heading: "refused by plan: deleting needs pro",
        bearer: "FREE",
        times: 1,
        message: r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"delete_file","arguments":{"path":"/sandbox/ann/a.txt"}}}"#,
    },
    Scenario {
        heading: "refused by argument: ann may not write into bob's sandbox",
        bearer: "FREE",
        times: 1,
        message: r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"write_file","arguments":{"path":"/sandbox/bob/a.txt","content":"hi"}}}"#,
    },
    Scenario {
        heading: "allowed by argument: into her own she may",
        bearer: "FREE",
        times: 1,
        message: r#"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"write_file","arguments":{"path":"/sandbox/ann/a.txt","content":"hi"}}}"#,
    },
    Scenario {
        heading: "limited: five searches a minute on the free plan, then the wait is told",
        bearer: "FREE",
        times: 6,
        message: r#"{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"search","arguments":{"q":"again"}}}"#,
    },
    Scenario {
        heading: "live: each progress event arrives when the server sends it",
        bearer: "PRO",
        times: 1,
        message: r#"{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"report","arguments":{}}}"#,
    },
    Scenario {
        heading: "a list hides what the caller may not call (compare with $PRO)",
        bearer: "FREE",
        times: 1,
        message: r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#,
    },
];

/// The whole text, for a shell to be pasted into.
pub(super) fn text(scene: &Scene<'_>) -> String {
    let mut text = format!(
        "mcpfw demo: an MCP server, the firewall before it, and policies/demo/ in force\n\n\
         \x20 server    {}   tools: search, write_file, delete_file, report\n\
         \x20 firewall  {}   callers: ann (free plan), bob (pro plan)\n\n\
         Paste these lines into another terminal, then any of the calls:\n\n\
         export MCP={}\nexport FREE={}\nexport PRO={}\n",
        scene.server, scene.firewall, scene.firewall, scene.free, scene.pro
    );
    for (number, scenario) in SCENARIOS.iter().enumerate() {
        let call = format!(
            "curl -sN \"$MCP\" -H \"Authorization: Bearer ${}\" -H 'Content-Type: application/json' -d '{}'",
            scenario.bearer, scenario.message
        );
        // Writing to a String cannot fail.
        let _ = write!(text, "\n# {}. {}\n", number + 1, scenario.heading);
        let _ = match scenario.times {
            1 => writeln!(text, "{call}; echo"),
            times => writeln!(text, "for i in $(seq {times}); do {call}; echo; done"),
        };
    }
    text.push_str("\nEach call is a line in the access log below. Ctrl-C ends the demo.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::{SCENARIOS, Scene, text};

    #[test]
    fn every_message_is_json_and_none_breaks_out_of_its_quotes() {
        for scenario in SCENARIOS {
            serde_json::from_str::<serde_json::Value>(scenario.message).unwrap();
            assert!(!scenario.message.contains('\''), "{}", scenario.heading);
        }
    }

    #[test]
    fn the_text_names_what_was_started() {
        let scene =
            Scene { server: "http://s/mcp", firewall: "http://f/mcp", free: "aa", pro: "bb" };
        let text = text(&scene);
        for part in ["http://s/mcp", "MCP=http://f/mcp", "FREE=aa", "PRO=bb", "seq 6"] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }
}
