//! `mcpfw schema`: the JSON Schema of a kind of file, on standard output.

use crate::shape::{File, json_schema};

use super::exit::Exit;
use super::output::Output;

/// Print the JSON Schema (2020-12) of policy files and of the files beside them, for editors and CI
///
/// It knows every key, type and word. What `mcpfw check` finds beyond that (conditions, names, ranges, what only the whole
/// set shows) no schema can say.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
An editor with TOML support (taplo, Even Better TOML) takes the schema from the
first line of a file:
  #:schema ./policy.schema.json

Examples:
  mcpfw schema policy > policies/policy.schema.json
  mcpfw schema config > mcpfw.schema.json
  mcpfw schema lock                    for mcp.lock.json")]
pub(super) struct Arguments {
    /// Which kind of file
    #[arg(value_enum, default_value_t, value_name = "FILE")]
    file: Kind,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Kind {
    /// A policy file: rules, tests, asserts
    #[default]
    Policy,
    /// schema.toml: what the claims of callers are
    Schema,
    /// mcpfw.toml
    Config,
    /// A policy file with nothing but tests and asserts
    Test,
    /// mcp.lock.json
    Lock,
}

impl From<Kind> for File {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Policy => Self::Policy,
            Kind::Schema => Self::Schema,
            Kind::Config => Self::Config,
            Kind::Test => Self::Test,
            Kind::Lock => Self::Lock,
        }
    }
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    output.out(format_args!("{:#}", json_schema(arguments.file.into())));
    Exit::Clean
}
