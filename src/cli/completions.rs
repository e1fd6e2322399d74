//! `mcpfw completions`: for a shell, on standard output.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::exit::Exit;
use super::output::Output;

/// Print what a shell needs to complete commands and flags
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mcpfw completions bash > ~/.local/share/bash-completion/completions/mcpfw
  mcpfw completions fish > ~/.config/fish/completions/mcpfw.fish")]
pub(super) struct Arguments {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "mcpfw", &mut text);
    output.out(String::from_utf8_lossy(&text).trim_end());
    Exit::Clean
}
