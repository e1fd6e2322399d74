//! `mcpfw explain`: why one call is allowed or refused. One file for each way in which a call is told ([`words`], [`message`]),
//! which makes a [`Question`] of it; what is said of it stands here.

mod caller;
mod json;
mod log;
mod message;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::diagnostic::{near, visible};
use crate::inspect::request::Violation;
use crate::lock::{Item, List};
use crate::policy::{Call, Explanation, Object, Opposite, Policy, Principal};
use crate::wire::mcp::{Method, ObjectKind, Revision, Target};

use self::caller::{Caller, Setting};
use self::message::Message;
use self::words::{Details, Words};
use super::exit::Exit;
use super::findings::{self, Format};
use super::output::{Output, escaped};
use super::policies;

/// What is spoken where nobody says.
const USUAL: Revision = Revision::V2025_11_25;

/// Show why one call is allowed or refused: every rule that was looked at, what it saw, and what would turn the verdict
///
/// Asks the same engine as `run`, with a caller and a call made of words, or with a message and a token from files. What would
/// have to be true for the opposite verdict is tried before it is printed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mcpfw explain --tool delete_file --claims '{\"plan\":\"free\",\"sub\":\"u1\"}' --args '{\"path\":\"/x\"}'
  mcpfw explain --policies policies/ --method tools/list --claims @claims.json
  mcpfw explain --request call.json --token token.jwt
  mcpfw explain --log audit.jsonl --request-id 01a205c5-7bd8-75a2-880d-000000000007

Exit codes: 0 it was decided, whatever the verdict; 1 the policies have errors;
2 it could not run.")]
pub(super) struct Arguments {
    /// Directory of policy files
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,

    #[command(flatten)]
    words: Words,

    #[command(flatten)]
    logged: log::Logged,

    #[command(flatten)]
    details: Details,

    /// The message of --request is one that the server sends: what it asks of the client is asked
    #[arg(long, requires = "request")]
    from_server: bool,

    #[command(flatten)]
    caller: Caller,

    #[command(flatten)]
    setting: Setting,

    /// Revision of the protocol, where the message does not say it [default: 2025-11-25]
    #[arg(long, value_name = "DATE")]
    revision: Option<Revision>,

    /// Who reads what is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Calls, and all that their decision depends on besides the policies.
struct Question {
    /// More than one are a batch, or what the server asks in one message.
    calls: Vec<Call>,
    /// Whether the server asks them of the client.
    is_server: bool,
    principal: Principal,
    setting: Setting,
}

/// What there is to say.
enum Told {
    Question(Question),
    /// Something that comes to no rule: why.
    Refused(Violation),
    Response,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Exit {
    let set = policies::read(&arguments.policies, None);
    findings::complain(output, &set.sources, &set.findings);
    let Some(policy) = set.policy else {
        return if set.was_read { Exit::Findings } else { Exit::CouldNotRun };
    };
    if let Some(log) = &arguments.logged.log {
        return arguments.logged.tell(log, &policy, arguments.format, output);
    }
    let told = match arguments.told(&policy) {
        Ok(told) => told,
        Err(problem) => {
            output.err(problem);
            return Exit::CouldNotRun;
        }
    };
    let is_json = arguments.format == Format::Json;
    match told {
        Told::Question(question) if is_json => {
            output.out(escaped(&question.to_json(&policy).to_string()));
        }
        Told::Question(question) => question.tell(&policy, output),
        Told::Refused(violation) if is_json => {
            output.out(json!({"verdict": "deny", "reason": violation.slug()}));
        }
        Told::Refused(violation) => output.out(format_args!(
            "refused before any rule is asked: {}: {violation}",
            violation.slug()
        )),
        Told::Response if is_json => output.out(json!({"verdict": "allow", "reason": "response"})),
        Told::Response => output.out(
            "an answer to what the server asked: no rule is asked\n  help: --from-server, where the server sends it",
        ),
    }
    Exit::Clean
}

impl Arguments {
    /// What is asked, from where it is told.
    ///
    /// # Errors
    /// What is wrong with it, as it is printed.
    fn told(&self, policy: &Arc<Policy>) -> Result<Told, String> {
        let principal = self.caller.principal()?;
        let setting = self.setting.clone();
        let revision = self.revision.unwrap_or(USUAL);
        let Some(file) = &self.words.request else {
            let call = self.words.call(&self.details, revision, policy)?;
            let is_server = self.words.is_server();
            return Ok(Told::Question(Question {
                calls: vec![call],
                is_server,
                principal,
                setting,
            }));
        };
        let body = message::read(file)?;
        let message = match self.from_server {
            true => message::of_server(policy, &body, revision)?,
            false => message::of_client(policy, body, self.revision),
        };
        let question = |calls, is_server| Question { calls, is_server, principal, setting };
        Ok(match message {
            Message::Calls(calls) => Told::Question(question(calls, false)),
            Message::Asked(calls) => Told::Question(question(calls, true)),
            Message::Response => Told::Response,
            Message::Refused(violation) => Told::Refused(violation),
        })
    }
}

impl Question {
    fn explain(&self, policy: &Policy, call: &Call) -> (Explanation, Opposite) {
        let (context, at) = (self.setting.context(), self.setting.time());
        let explanation = match self.is_server {
            true => policy.explain_server_request(&self.principal, &context, call, at),
            false => policy.explain(&self.principal, &context, call, at),
        };
        let opposite = policy.opposite(&self.principal, &context, call, self.is_server, at);
        (explanation, opposite)
    }

    /// Decides each call, and prints why so.
    fn tell(&self, policy: &Policy, output: &Output) {
        let all = self.calls.len();
        for (at, call) in self.calls.iter().enumerate() {
            let (explanation, opposite) = self.explain(policy, call);
            let place = if all > 1 { format!("[{} of {all}] ", at + 1) } else { String::new() };
            output.out(format_args!("{place}{}", explanation.to_string().trim_end()));
            if let Some(object) = &call.object {
                tell_pins(policy, &self.setting.route, object, output);
            }
            if !explanation.is_refused_by_wire() {
                output.out(format_args!("\n{}", opposite.told(explanation.verdict().is_ok())));
            }
            if let Some(note) = self.note(call).or_else(|| not_locked(policy, call)) {
                output.out(format_args!("\nnote: {note}"));
            }
            if at + 1 < all {
                output.out("");
            }
        }
        if all > 1 && !self.is_server {
            let refused =
                self.calls.iter().filter(|call| self.explain(policy, call).0.verdict().is_err());
            output.out(match refused.count() {
                0 => "\nthe batch: allowed".to_owned(),
                refused => format!("\nthe batch: refused, for {refused} of its {all}"),
            });
        }
    }

    /// What the call alone does not say.
    fn note(&self, call: &Call) -> Option<String> {
        let info = Method::from_wire(&call.method).info();
        if !self.is_server
            && info.target == Target::Task
            && call.object.is_none()
            && !info.is_notification
        {
            return Some(
                "which tool made the task is not in the message: `--tool NAME --method tasks/get` asks about that".into(),
            );
        }
        let is_sent = Revision::ALL.into_iter().any(|revision| info.is_sent_to_server(revision));
        (!self.is_server && info.method != Method::Other && !is_sent).then(|| {
            let method = visible(&call.method);
            format!("clients do not send `{method}`: `--server-request`, or `--from-server`, asks about the server's")
        })
    }

    fn to_json(&self, policy: &Policy) -> Json {
        let mut calls: Vec<Json> = Vec::new();
        let mut is_allowed = true;
        for call in &self.calls {
            let (explanation, opposite) = self.explain(policy, call);
            let mut one = explanation.to_json();
            if let Json::Object(members) = &mut one {
                let is_on_wire = explanation.is_refused_by_wire();
                members.insert(
                    "opposite".into(),
                    if is_on_wire { Json::Null } else { opposite.to_json() },
                );
            }
            is_allowed &= one.get("verdict").and_then(Json::as_str) == Some("allow");
            calls.push(one);
        }
        match calls.pop() {
            Some(one) if calls.is_empty() => one,
            last => {
                calls.extend(last);
                json!({"verdict": if is_allowed { "allow" } else { "deny" }, "calls": calls})
            }
        }
    }
}

/// That the lock file does not have what is called: a slip, or the file is old.
fn not_locked(policy: &Policy, call: &Call) -> Option<String> {
    let (lock, object) = (policy.lock()?, call.object.as_ref()?);
    // Lists of resources are rarely complete.
    let list = match object.kind {
        ObjectKind::Tool => List::Tools,
        ObjectKind::Prompt => List::Prompts,
        ObjectKind::Resource => return None,
    };
    let names = || lock.items(list).map(Item::id);
    if names().any(|name| *name == *object.name) {
        return None;
    }
    let meant = near(&object.name, names()).map(|near| visible(near.word));
    let meant = meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    Some(format!("the lock file has no {} `{}`{meant}", list.noun(), visible(&object.name)))
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
