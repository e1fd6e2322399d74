//! What of an expression is not known.

use super::Expr;
use super::eval::Machine;
use super::program::Program;
use super::variable::Variable;
use crate::policy::Missing;

/// Something that an expression reads and that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missed {
    /// A claim, by its path.
    Claim(Vec<Box<str>>),
    /// An argument, by its slot.
    Arg(u8),
    /// Anything else, by its name.
    Named(&'static str),
}

impl Machine<'_> {
    /// Whether `variable` may be anything.
    pub(super) fn is_free(&self, variable: Variable) -> bool {
        match self.missing {
            None => matches!(variable, Variable::Arg(_) | Variable::McpIsRetry),
            Some(missing) => is_missing(self.program, variable, missing),
        }
    }
}

fn is_missing(program: &Program, variable: Variable, missing: &Missing) -> bool {
    match variable {
        Variable::Claims(names) => missing.misses_claim(program.names(names)),
        Variable::Arg(slot) => missing.args.contains(slot),
        Variable::McpIsRetry => missing.is_retry,
        Variable::ClientScopes => missing.scopes,
        Variable::ClientId => missing.id,
        Variable::ClientIssuer => missing.issuer,
        Variable::RequestHost | Variable::RequestSni => missing.host,
        Variable::ClientKind
        | Variable::ClientIp
        | Variable::McpMethod
        | Variable::McpKind
        | Variable::McpTarget
        | Variable::McpRevision
        | Variable::RequestRoute
        | Variable::ToolReadOnly
        | Variable::ToolDestructive
        | Variable::ToolIdempotent
        | Variable::ToolOpenWorld => false,
    }
}

impl Expr {
    /// Whether it reads anything that is missing.
    #[must_use]
    pub fn misses(&self, missing: &Missing) -> bool {
        self.program.variables().any(|variable| is_missing(&self.program, variable, missing))
    }

    /// What it reads of what is missing.
    #[must_use]
    pub fn missed(&self, missing: &Missing) -> Vec<Missed> {
        let variables = self.program.variables();
        let missed = variables.filter(|variable| is_missing(&self.program, *variable, missing));
        let named = missed.map(|variable| match variable {
            Variable::Claims(names) => Missed::Claim(self.program.names(names).to_vec()),
            Variable::Arg(slot) => Missed::Arg(slot),
            Variable::McpIsRetry => Missed::Named("mcp.is_retry"),
            Variable::ClientScopes => Missed::Named("client.scopes"),
            Variable::ClientId => Missed::Named("client.id"),
            Variable::ClientIssuer => Missed::Named("client.issuer"),
            _ => Missed::Named("request.host"),
        });
        named.collect()
    }
}
