//! `[[test]]`: an example and what is expected of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::stanza::meant_word;
use super::{Draft, codes, words};
use crate::diagnostic::document::{Shape, Table, Value as Written};
use crate::diagnostic::{Applicability, Diagnostic, Span, Spanned};

use crate::policy::example::{Counts, Example, PolicyTest};
use crate::policy::{Number, Object, Value};
use crate::wire::mcp::{ObjectKind, Revision};

/// Most calls of one test.
const MAX_REPEAT: u64 = 100_000;

/// Longest time between two calls of a test.
const MAX_EVERY: Duration = Duration::from_secs(366 * 86_400);

/// Levels of lists and tables in arguments and claims.
const MAX_DEPTH: usize = 64;

impl Draft<'_> {
    /// Reads one `[[test]]`.
    pub(super) fn read_test(&mut self, table: Table<'_>, file: &Arc<str>) {
        let mut table = table.elsewhere(words::TEST);
        let header = table.span();
        let name = self.read_name(&mut table);
        let claims = match table.value("as") {
            None => Some(None),
            Some(value) => value.table().map(|claims| Some(self.read_map(claims, 0))),
        };
        let call = table
            .required_as("call", "call = { tool = \"search\", args = { q = \"rust\" } }")
            .value("call")
            .and_then(|call| {
                // The name alone is what comes first to mind.
                match call.is_string() {
                    true => call.wrong_so("a table", "such as `call = { tool = \"search\" }`"),
                    false => call.table().and_then(|call| self.read_example(call)),
                }
            });
        let repeat = table.integer("repeat", 1..=MAX_REPEAT).map_or(1, |repeat| repeat.value);
        let every =
            table.duration("every", ..=MAX_EVERY).map_or(Duration::ZERO, |every| every.value);
        let expect = table
            .required_as("expect", "expect = \"allow\"")
            .value("expect")
            .and_then(|value| self.read_counts(value, repeat));
        let by = table.string("by").map(|by| (Arc::from(by.value), by.span));
        table.finish();
        let (Some(name), Some(claims), Some(call), Some(expect)) = (name, claims, call, expect)
        else {
            return;
        };
        let line = self.sources.source(header.source).map_or(0, |s| s.position(header.start).line);
        self.tests.push(PolicyTest {
            name: name.value.into(),
            file: Arc::clone(file),
            line: u32::try_from(line).unwrap_or(u32::MAX),
            span: name.span,
            claims,
            call,
            repeat: u32::try_from(repeat).unwrap_or(u32::MAX),
            every,
            expect,
            by,
        });
    }

    /// `call = { tool = "search", args = { q = "rust" } }`, or `call = { server_request = "roots/list" }`, whose `args`
    /// are the members of its `params`.
    fn read_example(&self, table: Table<'_>) -> Option<Example> {
        let mut table = table.elsewhere(words::CALL);
        let mut objects = Vec::new();
        for (key, kind) in [
            ("tool", ObjectKind::Tool),
            ("prompt", ObjectKind::Prompt),
            ("resource", ObjectKind::Resource),
        ] {
            if let Some(name) = table.string(key) {
                objects.push(Object { kind, name: name.value.into() });
            }
        }
        let method = table.string("method");
        let of_server = table.string("server_request");
        let args = table.table("args").map(|args| self.read_map(args, 0));
        let route = table.string("route").map(|route| Box::from(route.value));
        let host = table.string("host").map(|host| Box::from(host.value));
        let ip = table.string("ip").map(|ip| (ip.value.parse::<IpAddr>().ok(), ip.span));
        let revision = table.string("revision").map(|text| {
            let known = Revision::ALL.into_iter().find(|known| known.as_str() == text.value);
            (known, text.span)
        });
        let is_retry = table.bool("retry").is_some_and(|retry| retry.value);
        let span = table.span();
        table.finish();

        let is_one = match of_server {
            Some(_) => objects.is_empty() && method.is_none(),
            None => objects.len() == 1 || objects.is_empty() && method.is_some(),
        };
        if !is_one {
            self.bad_test(
                span,
                "a call has one of `tool`, `prompt`, `resource`, or a `method`, or a `server_request` alone",
            );
            return None;
        }
        let ip = match ip {
            Some((None, span)) => {
                self.bad_test(span, "this is no IP address");
                return None;
            }
            Some((ip, _)) => ip,
            None => None,
        };
        let revision = match revision {
            Some((None, span)) => {
                self.bad_test(span, "this is no revision of MCP");
                return None;
            }
            Some((revision, _)) => revision,
            None => None,
        };
        let object = objects.pop();
        let is_server = of_server.is_some();
        let method = of_server.or(method).map(|method| Box::from(method.value));
        Some(Example { method, is_server, object, args, route, host, ip, revision, is_retry })
    }

    /// `expect = "allow"` or `expect = { allow = 10, limit = 1 }`
    fn read_counts(&self, value: Written<'_>, repeat: u64) -> Option<Counts> {
        let repeat = u32::try_from(repeat).unwrap_or(u32::MAX);
        match value.shape()? {
            Shape::String("allow") => Some(Counts { allow: repeat, ..Counts::default() }),
            Shape::String("deny") => Some(Counts { deny: repeat, ..Counts::default() }),
            Shape::String("limit") => Some(Counts { limit: repeat, ..Counts::default() }),
            Shape::Table(mut table) => {
                let mut count = |key| {
                    let count = table.integer(key, 0..=MAX_REPEAT).map_or(0, |count| count.value);
                    u32::try_from(count).unwrap_or(u32::MAX)
                };
                let counts =
                    Counts { allow: count("allow"), deny: count("deny"), limit: count("limit") };
                table.finish();
                if counts.total() != u64::from(repeat) {
                    let message =
                        format!("{} outcomes are expected of {repeat} calls", counts.total());
                    self.bad_test(value.span(), &message);
                    return None;
                }
                Some(counts)
            }
            Shape::String(text) => {
                let written = Spanned::new(text, value.span());
                let meant =
                    meant_word(text, words::VERDICT, ["allow", "deny", "limit"].into_iter());
                let finding = Diagnostic::error(codes::BAD_TEST, "this test cannot be run")
                    .primary(value.span(), "expected `allow`, `deny` or `limit`");
                self.report(self.meant(finding, written, meant, Applicability::Safe));
                None
            }
            _ => {
                value.wrong("`\"allow\"`, `\"deny\"`, `\"limit\"`, or a table of how many of each")
            }
        }
    }

    fn bad_test(&self, span: Span, what: &str) {
        let finding = Diagnostic::error(codes::BAD_TEST, "this test cannot be run");
        self.report(finding.primary(span, what));
    }

    /// A table of arguments or claims.
    fn read_map(&self, mut table: Table<'_>, depth: usize) -> Value {
        let entries = table.entries();
        table.finish();
        let members = entries
            .into_iter()
            .filter_map(|(name, value)| Some((name.value, self.read_value(value, depth + 1)?)));
        Value::map(members)
    }

    /// A value as JSON has it.
    pub(super) fn read_value(&self, written: Written<'_>, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            self.bad_test(written.span(), "nested too deeply");
            return None;
        }
        Some(match written.shape()? {
            Shape::String(text) => Value::from(text),
            Shape::Boolean(truth) => Value::Bool(truth),
            Shape::Integer(number) => Value::Number(Number::from_token(&number.to_string())?),
            Shape::Float(number) => match Number::from_token(&number.to_string()) {
                Some(number) => Value::Number(number),
                None => return written.wrong("a number that JSON has"),
            },
            Shape::Datetime => return written.wrong("a value that JSON has"),
            Shape::Array(items) => Value::List(
                items.into_iter().filter_map(|item| self.read_value(item, depth + 1)).collect(),
            ),
            Shape::Table(table) => self.read_map(table, depth + 1),
        })
    }
}
