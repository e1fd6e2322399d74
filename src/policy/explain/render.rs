//! How an explanation looks, to people and to programs.

use std::fmt;

use serde_json::{Value as Json, json};

use super::{Considered, Explanation};
use crate::diagnostic::visible;
use crate::policy::expr::Truth;
use crate::policy::{Basis, Draw, Mode, Outcome, Quota, RuleId};
use crate::wire::mcp::uri::{self, Form, UriFault};
use crate::wire::mcp::{Method, ObjectKind};

impl Explanation {
    fn name(&self, rule: RuleId) -> &str {
        let found = self.rules.iter().find(|considered| considered.rule == rule);
        found.map_or("", |considered| considered.info.name())
    }

    /// The rule of the wire that the resource's URI breaks: the request never comes as far as these rules (T12).
    fn uri_fault(&self) -> Option<UriFault> {
        let object = self.object.as_ref().filter(|object| object.kind == ObjectKind::Resource)?;
        let form = match Method::from_wire(&self.method) {
            Method::CompletionComplete => Form::Template,
            _ => Form::Uri,
        };
        uri::check(&object.name, form).err()
    }

    /// The limit in force, if any, that never lets the call pass: even a full bucket holds less than it costs.
    fn over(&self) -> Option<&Considered> {
        self.rules.iter().find(|considered| {
            let is_over = |draw: &Draw| draw.cost > draw.quota.burst;
            considered.info.mode() == Mode::Enforce && considered.draw.as_ref().is_some_and(is_over)
        })
    }

    /// Whether no rule is ever asked of it, because of how its resource is written.
    #[must_use]
    pub fn is_refused_by_wire(&self) -> bool {
        self.uri_fault().is_some()
    }

    /// `allowed by \`read-files\``, `refused: default_deny`.
    fn headline(&self) -> String {
        if let Some(fault) = self.uri_fault() {
            return format!("refused before any rule is asked: {}: {fault}", fault.slug());
        }
        match &self.verdict {
            Ok(permitted) => match permitted.basis() {
                Basis::Lifecycle => "allowed: part of the protocol's lifecycle".into(),
                Basis::Rule(rule) => match self.over() {
                    Some(limit) => format!(
                        "allowed by `{}`, and refused by the limit `{}`: it costs more than a bucket holds",
                        self.name(rule),
                        limit.info.name()
                    ),
                    None => format!("allowed by `{}`", self.name(rule)),
                },
            },
            Err(refusal) => {
                let by = refusal.rule().map(|rule| format!(" by `{}`", self.name(rule)));
                format!("refused{}: {}", by.unwrap_or_default(), refusal.reason().slug())
            }
        }
    }

    /// The explanation as data.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let (verdict, reason, rule, scopes) = match &self.verdict {
            Ok(permitted) => match self.over() {
                Some(limit) => ("limit", "rate_limited", Some(limit.rule), &[][..]),
                None => ("allow", "allowed", permitted.basis().rule(), &[][..]),
            },
            Err(refusal) => ("deny", refusal.reason().slug(), refusal.rule(), refusal.scopes()),
        };
        let (verdict, reason, rule, scopes) = match self.uri_fault() {
            Some(fault) => ("deny", fault.slug(), None, &[][..]),
            None => (verdict, reason, rule, scopes),
        };
        json!({
            "method": self.method,
            "object": self.object.as_ref().map(|object| json!({
                "kind": format!("{:?}", object.kind).to_lowercase(),
                "name": object.name,
            })),
            "verdict": verdict,
            "reason": reason,
            "rule": rule.map(|rule| self.name(rule)),
            "scopes": scopes,
            "rules": self.rules.iter().map(Considered::to_json).collect::<Vec<_>>(),
        })
    }
}

impl Considered {
    /// Why it applies or not, in words.
    fn why(&self) -> String {
        match self.outcome {
            None => "its selectors do not match".into(),
            Some(Outcome::Expired) => "it has expired".into(),
            Some(Outcome::OtherRoute) => "it is for other routes".into(),
            Some(Outcome::Condition(Truth::Unknown)) => {
                "its condition is unknown, and an allow needs it to be true".into()
            }
            Some(Outcome::Condition(truth)) => format!("its condition is {truth}"),
            Some(Outcome::MissingScopes) => "it applies, but the caller lacks its scopes".into(),
            Some(Outcome::Applies) if self.info.mode() == Mode::Shadow => {
                "it applies, in shadow: it changes nothing".into()
            }
            Some(Outcome::Applies) => "it applies".into(),
        }
    }

    fn slug(&self) -> &'static str {
        match self.outcome {
            None => "selector",
            Some(Outcome::Expired) => "expired",
            Some(Outcome::OtherRoute) => "route",
            Some(Outcome::Condition(_)) => "condition",
            Some(Outcome::MissingScopes) => "scopes",
            Some(Outcome::Applies) => "applies",
        }
    }

    fn to_json(&self) -> Json {
        json!({
            "rule": **self.info.name(),
            "effect": self.info.effect().as_str(),
            "mode": if self.info.mode() == Mode::Shadow { "shadow" } else { "enforce" },
            "file": **self.info.file(),
            "line": self.info.line(),
            "outcome": self.slug(),
            "when": self.when,
            "conditions": self.conditions.iter().map(|seen| json!({
                "start": seen.span.start,
                "end": seen.span.end,
                "value": seen.value,
                "truth": seen.truth.to_string(),
            })).collect::<Vec<_>>(),
            "draw": self.draw.as_ref().map(|draw| json!({
                "cost": draw.cost,
                "burst": draw.quota.burst,
                "interval_us": draw.quota.interval_us,
            })),
            "bucket": self.bucket.iter().map(|(path, value)| {
                json!({"path": path, "value": value})
            }).collect::<Vec<_>>(),
            "bounds": self.bounds,
        })
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", visible(&self.method))?;
        if let Some(object) = &self.object {
            write!(f, " {}", visible(&object.name))?;
        }
        writeln!(f, ": {}", visible(&self.headline()))?;
        if let Err(refusal) = &self.verdict
            && !refusal.scopes().is_empty()
        {
            writeln!(f, "  scopes needed: {}", visible(&refusal.scopes().join(" ")))?;
        }
        for considered in &self.rules {
            write!(f, "\n{considered}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Considered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = &self.info;
        let (effect, name) = (info.effect().as_str(), info.name());
        let (name, file) = (visible(name), visible(info.file()));
        writeln!(f, "{effect:<5} {name}  ({file}:{})", info.line())?;
        writeln!(f, "  {}", visible(&self.why().to_string()))?;
        if let Some(when) = &self.when
            && self.outcome.is_some()
        {
            for seen in &self.conditions {
                let text = visible(when.get(seen.span.clone()).unwrap_or(when));
                writeln!(f, "  {:<7} {text}    {}", seen.truth.to_string(), visible(&seen.value))?;
            }
        }
        match &self.draw {
            Some(draw) => writeln!(f, "  draws {}", Drawn(draw))?,
            None if self.bounds.is_empty() => return Ok(()),
            None => {}
        }
        if self.draw.is_some() {
            let named = self.bucket.iter().map(|(path, value)| format!("{path} = {value}"));
            let named: Vec<String> = named.collect();
            match named.as_slice() {
                [] => writeln!(f, "  from one bucket for all")?,
                named => writeln!(f, "  from the bucket of {}", visible(&named.join(", ")))?,
            }
        }
        for bound in &self.bounds {
            writeln!(f, "  bounds {bound}")?;
        }
        Ok(())
    }
}

struct Drawn<'d>(&'d Draw);

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Draw { cost, quota: Quota { interval_us, burst }, .. } = self.0;
        let every = crate::diagnostic::document::format_duration(std::time::Duration::from_micros(
            *interval_us,
        ));
        write!(f, "{cost} of at most {burst}, one comes back every {every}")?;
        if cost > burst { f.write_str(": more than it ever holds") } else { Ok(()) }
    }
}
