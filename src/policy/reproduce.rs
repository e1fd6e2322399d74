//! A test's call as the `mcpfw explain` that asks about the same call.

use super::{Captures, Example, PolicyTest};

impl PolicyTest {
    /// The command that explains its first call by the policies in `folder`, as a shell reads it.
    #[must_use]
    pub fn explain_command(&self, folder: &str) -> String {
        self.as_asked().map_or_else(String::new, |asked| asked.command(folder))
    }

    /// The arguments of that command, word for word.
    #[must_use]
    pub fn explain_flags(&self, folder: &str) -> Vec<String> {
        self.as_asked().map_or_else(Vec::new, |asked| asked.flags(folder))
    }

    /// Its call, with all of the arguments that it is written with.
    fn as_asked(&self) -> Option<Example> {
        let captures = Captures::new();
        let (call, context) = (self.call.call(&captures), self.call.context());
        let (principal, is_server) = (self.principal(), self.call.is_server);
        // Decided at the time of whoever runs the command.
        let asked = Example::asked(&captures, &principal, &context, &call, is_server, 0)?;
        Some(asked.with_args(self.call.args.as_ref()))
    }
}
