//! `mcpfw man`: manual pages, made from the same words as `--help`.

use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::exit::Exit;
use super::output::Output;
use super::write::write;

/// Print the manual page of mcpfw or of one of its commands, in roff
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mcpfw man check | man -l -
  mcpfw man --output /usr/local/share/man/man1")]
pub(super) struct Arguments {
    /// Which command; without, mcpfw itself
    #[arg(value_name = "COMMAND")]
    command: Option<String>,

    /// Write the pages of all commands into this directory: mcpfw.1, mcpfw-check.1 and so on
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let mut root = super::Arguments::command();
    // Gives the commands their full names.
    root.build();
    if let Some(folder) = &arguments.output {
        return match write_all(&root, folder) {
            Ok(()) => Exit::Clean,
            Err(error) => {
                let shown = folder.display();
                output.err(format_args!("error: cannot write pages into `{shown}`: {error}"));
                Exit::CouldNotRun
            }
        };
    }
    let command = match &arguments.command {
        None => Some(&root),
        Some(name) => root.find_subcommand(name),
    };
    match command.map(page) {
        Some(Ok(text)) => {
            output.out(text.trim_end());
            Exit::Clean
        }
        Some(Err(error)) => {
            output.err(format_args!("error: {error}"));
            Exit::CouldNotRun
        }
        None => {
            output.err("error: there is no such command");
            output.err("  help: `mcpfw --help` lists them");
            Exit::CouldNotRun
        }
    }
}

fn page(command: &clap::Command) -> io::Result<String> {
    let mut text = Vec::new();
    Man::new(command.clone()).render(&mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn write_all(root: &clap::Command, folder: &Path) -> io::Result<()> {
    let commands = root.get_subcommands().filter(|command| command.get_name() != "help");
    for command in std::iter::once(root).chain(commands) {
        let name = command.get_display_name().unwrap_or(command.get_name());
        write(&folder.join(format!("{name}.1")), &page(command)?)?;
    }
    Ok(())
}
