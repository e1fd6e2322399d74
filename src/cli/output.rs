//! Where the commands write: standard output for what was asked for, standard error for the rest.

use std::fmt::{Display, Write as _};
use std::io::{self, IsTerminal, Write};

use crate::diagnostic::{is_command, is_hidden};

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The two streams of a command.
#[derive(Debug)]
pub(super) struct Output {
    color: Color,
}

impl Output {
    pub(super) fn new(color: Color) -> Self {
        Self { color }
    }

    /// Writes `text` and a line end to standard output. A reader that has gone away (`| head`) is no error.
    pub(super) fn out(&self, text: impl Display) {
        let _ = writeln!(io::stdout().lock(), "{text}");
    }

    /// Writes `text` and a line end to standard error.
    pub(super) fn err(&self, text: impl Display) {
        Self::note(text);
    }

    /// Writes a line to standard error from anywhere: what a running command notes by the way.
    pub(super) fn note(text: impl Display) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Whether standard output takes colour.
    pub(super) fn out_color(&self) -> bool {
        self.color_for(io::stdout().is_terminal())
    }

    /// Whether standard error takes colour.
    pub(super) fn err_color(&self) -> bool {
        self.color_for(io::stderr().is_terminal())
    }

    fn color_for(&self, terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            // https://no-color.org: present and not empty.
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
        }
    }
}

/// `json` with every hidden character escaped, and the bracket of a command to a CI server; such stand in strings only.
pub(super) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for (at, c) in json.char_indices() {
        if is_hidden(c) || c == '[' && is_command(json, at) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// `text` without what a GitHub runner takes for the beginning of a command, wherever in a line it stands (T65).
pub(super) fn harmless(text: &str) -> String {
    text.replace("##[", "##\\u{5b}")
}
