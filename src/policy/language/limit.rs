//! The keys of `[[limit]]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::rate::{self, MAX_COUNT, Rate, RateError};
use super::{Draft, Places, codes};
use crate::diagnostic::document::{Shape, Table, Value};
use crate::diagnostic::{Applicability, Diagnostic, Near, Span, Spanned};
use crate::policy::expr::{ExprFix, ExprProblem, Path, Reads};
use crate::policy::stanza::{Budget, Cost, Limit};
use crate::policy::{Bound, Bounds, Quota, RuleId};

/// Keys that are in the language and that nothing acts on yet.
const NOT_YET: [&str; 2] = ["concurrent", "on_store_failure"];

/// What `timeout` may be: a second at the least, so that a slip of the unit refuses no call at all.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);

/// What `max_args` and `max_result` may be: 64 B to 1 GiB.
const SIZE: RangeInclusive<u64> = 64..=1 << 30;

/// Most paths in `per`.
const MAX_PER: usize = 8;

/// Most tiers in a table.
const MAX_TIERS: usize = 64;

/// The name of the rate for a tier that is not in the table.
const OTHERWISE: &str = "default";

/// The quota of each tier, and that of everybody else.
struct Rates {
    tiers: Vec<(Box<str>, Quota)>,
    otherwise: Quota,
}

/// `problem` of `text`: where that is a name alone, the claim of that name is meant, and the caller where it is what others call one.
fn of_claim(text: &str, problem: ExprProblem) -> ExprProblem {
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let meant = match &problem.fix {
        _ if !is_name || text == "claims" || text == "args" => return problem,
        None => format!("claims.{text}"),
        Some(fix) if &*fix.replacement == "claims" => "claims.sub".to_owned(),
        Some(_) => return problem,
    };
    let fix = ExprFix {
        span: 0..text.len(),
        found: text.into(),
        replacement: (&*meant).into(),
        is_certain: false,
    };
    ExprProblem {
        help: Some(format!("did you mean `{meant}`?")),
        fix: Some(Box::new(fix)),
        ..problem
    }
}

impl Draft<'_> {
    /// The limit of a stanza; `None` where something is wrong with it.
    pub(super) fn read_limit(
        &mut self,
        table: &mut Table<'_>,
        places: &mut Places,
    ) -> Option<Limit> {
        for key in NOT_YET {
            if table.value(key).is_some() {
                self.not_enforced(key, table.key_span(key).unwrap_or_else(|| table.span()));
            }
        }
        let bounds = self.read_bounds(table);
        // What only bounds single calls counts none of them.
        let is_counted = ["rate", "per", "tier", "burst", "cost"].iter().any(|key| table.has(key));
        let is_bound = ["timeout", "max_args", "max_result"].iter().any(|key| table.has(key));
        if is_bound && !is_counted {
            return Some(Limit { budget: None, bounds });
        }
        let budget = Some(self.read_budget(table, places)?);
        Some(Limit { budget, bounds })
    }

    /// `timeout`, `max_args`, `max_result`. Whose they are is said when they apply.
    fn read_bounds(&self, table: &mut Table<'_>) -> Bounds {
        fn bound<T>(most: Option<Spanned<T>>) -> Option<Bound<T>> {
            most.map(|most| Bound { most: most.value, rule: RuleId::new(0) })
        }
        Bounds {
            timeout: bound(table.duration("timeout", TIMEOUT)),
            max_args: bound(table.size("max_args", SIZE)),
            max_result: bound(table.size("max_result", SIZE)),
        }
    }

    fn read_budget(&mut self, table: &mut Table<'_>, places: &mut Places) -> Option<Budget> {
        let per = self.read_per(table, places);
        let tier_span = table.key_span("tier");
        let tier = table.string("tier");
        places.tier = tier.map(|text| text.span);
        let tier = tier.map(|text| self.path(text));
        let burst = table.integer("burst", 1..=MAX_COUNT);
        let burst = burst.map(|burst| u32::try_from(burst.value).unwrap_or(u32::MAX));
        let cost = self.read_cost(table);
        places.cost = cost.as_ref().map(|cost| cost.span);
        let rates = table.required_as("rate", "rate = \"10/min\"").value("rate");
        let Rates { tiers, otherwise } = self.read_rates(rates?, burst, tier_span, places)?;
        let tier = match tier {
            Some(path) => Some(path?),
            None => None,
        };
        self.check_cost(&cost, &tiers, otherwise)?;
        let cost = cost?.value;
        Some(Budget { per: per?.into(), tier, tiers: tiers.into(), otherwise, cost })
    }

    fn read_per(&mut self, table: &mut Table<'_>, places: &mut Places) -> Option<Vec<Path>> {
        let Some(value) = table.value("per") else { return Some(Vec::new()) };
        let span = value.span();
        let texts = value.strings()?;
        if texts.len() > MAX_PER {
            self.report(
                Diagnostic::error(codes::TOO_MANY, format!("more than {MAX_PER} paths in `per`"))
                    .primary(span, ""),
            );
        }
        if texts.is_empty() {
            self.report(
                Diagnostic::error(codes::EMPTY_LIST, "`per` is empty")
                    .primary(span, "")
                    .help("leave `per` out for one budget that all callers share"),
            );
        }
        let mut paths = Vec::new();
        let mut is_right = !texts.is_empty();
        for text in texts {
            match self.path(text) {
                Some(path) => {
                    places.per.push(text.span);
                    paths.push(path);
                }
                None => is_right = false,
            }
        }
        is_right.then_some(paths)
    }

    fn path(&mut self, text: Spanned<&str>) -> Option<Path> {
        match Path::parse(text.value, &mut self.captures) {
            Ok(path) if path.reads().any_of(Reads::TOOL) => {
                self.not_enforced("tool", text.span);
                None
            }
            Ok(path) => Some(path),
            Err(problems) => {
                let problems = problems.into_iter().map(|problem| of_claim(text.value, problem));
                self.report_expression(codes::BAD_PATH, text, problems.collect());
                None
            }
        }
    }

    /// `cost`: a number, or the path of one.
    fn read_cost(&mut self, table: &mut Table<'_>) -> Option<Spanned<Cost>> {
        let Some(value) = table.value("cost") else {
            return Some(Spanned::new(Cost::Fixed(1), table.span()));
        };
        let span = value.span();
        match value.shape()? {
            Shape::String(text) => {
                let path = self.path(Spanned::new(text, span))?;
                Some(Spanned::new(Cost::At(Box::new(path)), span))
            }
            Shape::Integer(_) => {
                let cost = value.integer(1..=MAX_COUNT)?;
                Some(cost.map(|cost| Cost::Fixed(u32::try_from(cost).unwrap_or(u32::MAX))))
            }
            _ => value.wrong("a whole number, or the path of one such as \"args.count\""),
        }
    }

    /// Reports a fixed cost that some tier can never admit.
    fn check_cost(
        &self,
        cost: &Option<Spanned<Cost>>,
        tiers: &[(Box<str>, Quota)],
        otherwise: Quota,
    ) -> Option<()> {
        let least = tiers.iter().map(|(_, quota)| quota.burst).chain([otherwise.burst]).min()?;
        match cost {
            Some(Spanned { value: Cost::Fixed(cost), span }) if *cost > least => {
                let message = format!("a call costs {cost}, and the budget holds {least}");
                self.report(
                    Diagnostic::error(codes::OUT_OF_RANGE, message)
                        .primary(*span, "no call would ever be admitted")
                        .help("give a larger `burst`, or write a deny"),
                );
                None
            }
            _ => Some(()),
        }
    }

    fn read_rates(
        &self,
        value: Value<'_>,
        burst: Option<u32>,
        tier: Option<Span>,
        places: &mut Places,
    ) -> Option<Rates> {
        match value.shape()? {
            Shape::String(text) => {
                if let Some(tier) = tier {
                    self.report(
                        Diagnostic::error(codes::TIERS_DISAGREE, "`tier` without a table of rates")
                            .primary(tier, "nothing depends on it")
                            .help("write `rate = { free = \"10/min\", default = \"5/min\" }`"),
                    );
                }
                let quota = self.quota(Spanned::new(text, value.span()), burst)?;
                Some(Rates { tiers: Vec::new(), otherwise: quota })
            }
            Shape::Table(mut rates) => {
                if tier.is_none() {
                    self.report(
                        Diagnostic::error(codes::TIERS_DISAGREE, "a table of rates without `tier`")
                            .primary(value.span(), "nothing says which rate is whose")
                            .help("add `tier`, the path of the claim that names the tier"),
                    );
                }
                self.read_tiers(&mut rates, burst, value.span(), places)
            }
            _ => value.wrong("a rate such as \"10/min\", or a table of them by tier"),
        }
    }

    fn read_tiers(
        &self,
        rates: &mut Table<'_>,
        burst: Option<u32>,
        span: Span,
        places: &mut Places,
    ) -> Option<Rates> {
        let entries = rates.entries();
        if entries.is_empty() || entries.len() > MAX_TIERS {
            self.report(
                Diagnostic::error(codes::TOO_MANY, format!("a table has 1 to {MAX_TIERS} tiers"))
                    .primary(span, format!("this one has {}", entries.len())),
            );
            return None;
        }
        let mut tiers: Vec<(Box<str>, Quota)> = Vec::new();
        let mut otherwise = None;
        let mut is_right = true;
        for (tier, value) in entries {
            match value.string().and_then(|text| self.quota(text, burst)) {
                Some(quota) if tier.value == OTHERWISE => otherwise = Some(quota),
                Some(quota) => {
                    places.tiers.push(tier.span);
                    tiers.push((tier.value.into(), quota));
                }
                None => is_right = false,
            }
        }
        // A caller of no known tier has no claim to more than the least of them.
        let least = tiers
            .iter()
            .map(|(_, quota)| *quota)
            .max_by_key(|quota| (quota.interval_us, std::cmp::Reverse(quota.burst)));
        let otherwise = otherwise.or(least)?;
        is_right.then_some(Rates { tiers, otherwise })
    }

    fn quota(&self, text: Spanned<&str>, burst: Option<u32>) -> Option<Quota> {
        let quota = Rate::parse(text.value)
            .and_then(|rate| rate.quota(burst.unwrap_or(rate.count)))
            .map_err(|error| self.report_rate(text, error));
        quota.ok()
    }

    fn report_rate(&self, text: Spanned<&str>, error: RateError) {
        let finding = Diagnostic::error(codes::BAD_RATE, error.to_string());
        let finding = finding.primary(text.span, "").help(error.help());
        let Some(written) = rate::respelt(text.value) else { return self.report(finding) };
        let near = Near { word: &written, is_certain: true };
        self.report(self.meant(finding, text, Some(near), Applicability::Safe));
    }
}
