//! `mcpfw explain`: why one call is allowed or refused. One file for each way in which a call is told ([`words`]), which makes
//! a [`Question`] of it; what is said of it stands here.

mod caller;
mod json;
mod words;

use std::path::PathBuf;

use crate::lock::List;
use crate::policy::{Call, Explanation, Object, Policy, Principal};
use crate::wire::mcp::Revision;

use self::caller::{Caller, Setting};
use self::words::{Details, Words};
use super::exit::Exit;
use super::findings::{self, Format};
use super::output::Output;
use super::policies;

/// Show why one call is allowed or refused: every rule that was looked at, and what it saw
///
/// Asks the same engine as `run`, with a caller and a call made of words.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mcpfw explain --tool delete_file --claims '{\"plan\":\"free\",\"sub\":\"u1\"}' --args '{\"path\":\"/x\"}'
  mcpfw explain --policies policies/ --method tools/list --claims @claims.json

Exit codes: 0 it was decided, whatever the verdict; 1 the policies have errors; 2 it could not run.")]
pub(super) struct Arguments {
    /// Directory of policy files
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,

    #[command(flatten)]
    words: Words,

    #[command(flatten)]
    details: Details,

    #[command(flatten)]
    caller: Caller,

    #[command(flatten)]
    setting: Setting,

    /// Revision of the protocol
    #[arg(long, value_name = "DATE", default_value_t = Revision::V2025_11_25)]
    revision: Revision,

    /// Who reads what is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// One call, and all that its decision depends on besides the policies.
struct Question {
    call: Call,
    /// Whether the server asks it of the client.
    is_server: bool,
    principal: Principal,
    setting: Setting,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let set = policies::read(&arguments.policies, None);
    findings::complain(output, &set.sources, &set.findings);
    let Some(policy) = set.policy else {
        return if set.was_read { Exit::Findings } else { Exit::CouldNotRun };
    };
    match arguments.question(&policy) {
        Ok(question) => {
            question.tell(&policy, arguments.format, output);
            Exit::Clean
        }
        Err(problem) => {
            output.err(problem);
            Exit::CouldNotRun
        }
    }
}

impl Arguments {
    /// What is asked, from where it is told.
    ///
    /// # Errors
    /// What is wrong with it, as it is printed.
    fn question(&self, policy: &Policy) -> Result<Question, String> {
        Ok(Question {
            call: self.words.call(&self.details, self.revision, policy)?,
            is_server: self.words.is_server(),
            principal: self.caller.principal()?,
            setting: self.setting.clone(),
        })
    }
}

impl Question {
    fn explain(&self, policy: &Policy) -> Explanation {
        let (context, at) = (self.setting.context(), self.setting.time());
        match self.is_server {
            true => policy.explain_server_request(&self.principal, &context, &self.call, at),
            false => policy.explain(&self.principal, &context, &self.call, at),
        }
    }

    /// Decides it, and prints why so.
    fn tell(&self, policy: &Policy, format: Format, output: &Output) {
        let explanation = self.explain(policy);
        match format {
            Format::Json => output.out(explanation.to_json()),
            Format::Human | Format::Github | Format::Sarif => {
                output.out(explanation.to_string().trim_end());
                if let Some(object) = &self.call.object {
                    tell_pins(policy, &self.setting.route, object, output);
                }
            }
        }
    }
}

/// Says what pins say of `object`: they hold in `run`, where it is known what the server shows.
fn tell_pins(policy: &Policy, route: &str, object: &Object, output: &Output) {
    let lists = List::ALL.into_iter().filter(|list| list.kind() == object.kind);
    for list in lists {
        let Some(pin) = policy.pin(route, list, &object.name, policies::now()) else { continue };
        let (name, on_change) = (pin.name, pin.on_change.as_str());
        match pin.digest {
            Some(digest) => output.out(format_args!(
                "pinned by `{name}`, on_change {on_change}: the server must show it with {digest}"
            )),
            None => output.out(format_args!(
                "pinned by `{name}`, on_change {on_change}: the lock file does not have it, which counts as changed"
            )),
        }
    }
}
