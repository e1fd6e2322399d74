//! A call as the command that explains it.

use std::fmt::Write as _;

use super::example::Example;
use crate::policy::{Number, Value};
use crate::wire::mcp::{Method, ObjectKind, Revision};

/// Longest text that a brief form shows, in characters.
const MAX_BRIEF: usize = 60;

impl Example {
    /// The call in a few words: `tools/call delete_file`.
    #[must_use]
    pub fn brief(&self) -> String {
        let mut text = self.words.method.to_string();
        if self.words.is_server {
            text = format!("server request {text}");
        }
        if let Some(object) = &self.words.object {
            let _ = write!(text, " {}", object.name);
        }
        let mut cut: String = text.chars().take(MAX_BRIEF).collect();
        if cut.len() < text.len() {
            cut.push('…');
        }
        crate::diagnostic::visible(&cut).to_string()
    }

    /// The `mcpfw explain` command that decides the same call by the policies in `folder`.
    #[must_use]
    pub fn command(&self, folder: &str) -> String {
        let words = self.flags(folder);
        let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        format!("mcpfw explain {}", quoted.join(" "))
    }

    /// The arguments of that command.
    #[must_use]
    pub fn flags(&self, folder: &str) -> Vec<String> {
        let mut flags = Flags(Vec::new());
        if folder != "policies" {
            flags.add("--policies", folder);
        }
        let usual = |method: Method| *self.words.method == *method.info().name;
        match &self.words.object {
            Some(object) => {
                let (flag, is_usual) = match object.kind {
                    ObjectKind::Tool => ("--tool", usual(Method::ToolsCall)),
                    ObjectKind::Prompt => ("--prompt", usual(Method::PromptsGet)),
                    ObjectKind::Resource => ("--resource", usual(Method::ResourcesRead)),
                };
                flags.add(flag, &object.name);
                if !is_usual {
                    flags.add("--method", &self.words.method);
                }
            }
            None if self.words.is_server => flags.add("--server-request", &self.words.method),
            None => flags.add("--method", &self.words.method),
        }
        if self.words.is_empty {
            flags.0.push("--no-subscriptions".into());
        }
        let is_object = |value: &Value| !matches!(value, Value::Map(members) if members.is_empty());
        let caller = &self.caller;
        if is_object(&caller.claims) {
            flags.add("--claims", &json(&caller.claims));
        }
        if !caller.is_plain() {
            flags.add("--client", caller.kind.as_str());
            if let Some(id) = &caller.id {
                flags.add("--client-id", id);
            }
            if let Some(issuer) = &caller.issuer {
                flags.add("--issuer", issuer);
            }
            caller.scopes.iter().for_each(|scope| flags.add("--scope", scope));
        }
        if is_object(&self.args) {
            flags.add("--args", &json(&self.args));
        }
        for path in &self.oversized {
            flags.add(
                "--oversized",
                &json(&Value::List(path.iter().map(|name| Value::String(name.clone())).collect())),
            );
        }
        if self.ip != std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST) {
            flags.add("--ip", &self.ip.to_string());
        }
        if &*self.route != "default" {
            flags.add("--route", &self.route);
        }
        if &*self.host != "localhost" {
            flags.add("--host", &self.host);
        }
        if let Some(sni) = &self.sni {
            flags.add("--sni", sni);
        }
        if self.revision != Revision::V2025_11_25 {
            flags.add("--revision", self.revision.as_str());
        }
        if self.is_retry {
            flags.0.push("--retry".into());
        }
        if !self.is_now {
            flags.add("--at", &self.at.to_string());
        }
        flags.0
    }
}

struct Flags(Vec<String>);

impl Flags {
    /// Adds a flag with its value, in one word where the value could be taken for a flag.
    fn add(&mut self, flag: &str, value: &str) {
        // `@` would name a file to some flags; none of them takes such a value.
        if value.starts_with('-') || value.is_empty() {
            self.0.push(format!("{flag}={value}"));
        } else {
            self.0.extend([flag.to_owned(), value.to_owned()]);
        }
    }
}

/// `word` as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    // What a terminal would not show is written so that a shell makes it again.
    let is_shown = |c: char| !crate::diagnostic::is_hidden(c) && !c.is_control();
    if !word.chars().all(is_shown) {
        let mut text = String::from("$'");
        for (at, c) in word.char_indices() {
            match c {
                '\'' | '\\' => text.extend(['\\', c]),
                c if !is_shown(c) || c == '[' && crate::diagnostic::is_command(word, at) => {
                    let _ = write!(text, "\\U{:08x}", u32::from(c));
                }
                c => text.push(c),
            }
        }
        return text + "'";
    }
    // `##[` is a command to some CI servers; two quotes in it say nothing to a shell.
    format!("'{}'", word.replace('\'', r"'\''").replace("##[", "##''["))
}

/// `value` as JSON on one line. Depth is that of paths in conditions and their constants.
pub(super) fn json(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number_text(number),
        Value::String(text) => serde_json::Value::from(&**text).to_string(),
        Value::List(list) => {
            format!("[{}]", list.iter().map(json).collect::<Vec<_>>().join(","))
        }
        Value::Map(members) => {
            let each = members.iter().map(|(name, value)| {
                format!("{}:{}", serde_json::Value::from(&**name), json(value))
            });
            format!("{{{}}}", each.collect::<Vec<_>>().join(","))
        }
    }
}

fn number_text(number: &Number) -> String {
    if number.is_beyond() { "1e99999999999999999999".into() } else { number.to_string() }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_reads_back_what_is_quoted() {
        for (word, want) in [
            ("search", "search"),
            ("", "''"),
            ("a b", "'a b'"),
            ("$(rm -rf ~)", "'$(rm -rf ~)'"),
            ("it's", r"'it'\''s'"),
            ("read_*", "'read_*'"),
            // Nothing that moves the cursor reaches a terminal.
            ("a\u{1b}[2Jb\n", r"$'a\U0000001b[2Jb\U0000000a'"),
            ("s\u{200b}earch", r"$'s\U0000200bearch'"),
            // Nor does what a CI server would obey reach its log.
            ("##[error]x", "'##''[error]x'"),
            ("##[a\n", r"$'##\U0000005ba\U0000000a'"),
        ] {
            assert_eq!(quoted(word), want);
        }
    }
}
