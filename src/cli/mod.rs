//! The command line: one file a subcommand, closed exit codes, output that a pipe can read.

mod against;
mod check;
mod completions;
mod demo;
mod exit;
mod explain;
mod findings;
mod fix;
mod fmt;
mod learn;
mod lock;
mod logs;
mod lsp;
mod man;
mod output;
mod policies;
mod replay;
mod run;
mod schema;
mod startup;
mod stop;
mod test;
mod write;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::Exit;
use output::{Color, Output};

/// A firewall for the Model Context Protocol.
///
/// mcpfw stands in front of an MCP server, reads JSON-RPC bodies and SSE streams as they pass, and decides by policy
/// files which tools, arguments and callers may pass, and how often.
#[derive(Debug, Parser)]
#[command(name = "mcpfw", version, after_help = FIRST_STEPS, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// When to colour what is printed
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    color: Color,
}

const FIRST_STEPS: &str = "\
First steps:
  mcpfw demo                           see it work, with nothing else installed
  mcpfw check policies/                every mistake in your policies, at once
  mcpfw test policies/                 run the examples that stand beside the rules
  mcpfw run --upstream http://127.0.0.1:3000/mcp --policies policies/
                                       stand in front of your server, on 127.0.0.1:8080

Exit codes: 0 all is well, 1 there are findings, 2 it could not run.";

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Arguments>),
    Demo(demo::Arguments),
    Check(check::Arguments),
    Test(test::Arguments),
    Explain(Box<explain::Arguments>),
    Lock(Box<lock::Arguments>),
    Fmt(fmt::Arguments),
    Schema(schema::Arguments),
    Lsp(lsp::Arguments),
    Replay(replay::Arguments),
    Learn(learn::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no failure; clap writes each to its own stream.
            let exit = if error.use_stderr() { Exit::CouldNotRun } else { Exit::Clean };
            let _ = error.print();
            return exit.into();
        }
    };
    let output = Output::new(arguments.color);
    match arguments.command {
        Command::Run(arguments) => run::run(*arguments, &output),
        Command::Demo(arguments) => demo::run(&arguments, &output),
        Command::Check(arguments) => check::run(&arguments, &output),
        Command::Test(arguments) => test::run(&arguments, &output),
        Command::Explain(arguments) => explain::run(&arguments, &output),
        Command::Lock(arguments) => lock::run(&arguments, &output),
        Command::Fmt(arguments) => fmt::run(&arguments, &output),
        Command::Schema(arguments) => schema::run(&arguments, &output),
        Command::Lsp(arguments) => lsp::run(&arguments, &output),
        Command::Replay(arguments) => replay::run(&arguments, &output),
        Command::Learn(arguments) => learn::run(&arguments, &output),
        Command::Completions(arguments) => completions::run(&arguments, &output),
        Command::Man(arguments) => man::run(&arguments, &output),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    /// What stands below the flags is broken by hand: a longer line would be broken anew, in the middle, on a terminal of 80 columns.
    #[test]
    fn help_fits_a_terminal() {
        let main = Arguments::command();
        let mut seen = 0;
        for command in std::iter::once(&main).chain(main.get_subcommands()) {
            let Some(help) = command.get_after_help() else { continue };
            for line in help.to_string().lines() {
                // A command to paste stays on one line.
                let most = if line.starts_with("  ") { 100 } else { 80 };
                assert!(line.chars().count() <= most, "{}: {line}", command.get_name());
                seen += 1;
            }
        }
        assert!(seen > 50, "{seen}");
    }
}
