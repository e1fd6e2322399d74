//! `[[assert]]`: a property that must hold for every possible request.

use super::{Draft, codes, words};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::document::Table;
use crate::policy::selector::Space;
use crate::policy::stanza::{Assert, Body, Stanza};
use crate::policy::{Effect, Mode};

impl Draft<'_> {
    /// Reads one `[[assert]]`. Its selectors and its condition are read as those of the rule that it is like: an
    /// unknown condition counts against the caller, and so does a name that only looks like one of the selectors.
    pub(super) fn read_assert(&mut self, table: Table<'_>) {
        let mut table = table.elsewhere(words::RULE);
        let header = table.span();
        let name = self.read_name(&mut table);
        let never = table.has("never");
        let effect = if never { Effect::Deny } else { Effect::Allow };
        let selected = self.read_selectors(&mut table, effect, &Space::ALL);
        let when = table.string("when");
        let predicate = when.map(|text| self.predicate(text));
        let routes = self.read_routes(&mut table);
        let always = table.has("always");
        for key in ["never", "always"] {
            self.check_verdict(&mut table, key);
        }
        table.finish();
        if never == always {
            self.report(
                Diagnostic::error(codes::MISSING_KEY, "an assert has one of `never` and `always`")
                    .primary(header, if never { "both" } else { "neither" })
                    .help("write `never = \"allow\"`, or `always = \"allow\"`"),
            );
            return;
        }
        let (Some(name), Some(selected)) = (name, selected) else { return };
        if predicate == Some(None) {
            return;
        }
        let scopes = std::sync::Arc::default();
        self.asserts.push(Assert {
            stanza: Stanza {
                name: name.value.into(),
                mode: Mode::Enforce,
                is_everything: selected.patterns.is_empty(),
                patterns: selected.patterns.into(),
                when: predicate.flatten(),
                routes: routes.iter().map(|route| Box::from(route.value)).collect(),
                expires: None,
                body: if never { Body::Deny } else { Body::Allow { scopes } },
            },
            span: name.span,
        });
    }

    /// Reports a `never` or an `always` that is not about `allow`: nothing else can be asked.
    fn check_verdict(&self, table: &mut Table<'_>, key: &'static str) {
        const HELP: &str =
            "what nobody may is `never = \"allow\"`, what everybody may `always = \"allow\"`";
        let Some(value) = table.value(key) else { return };
        if !value.is_string() {
            return value.wrong_so("`\"allow\"`", HELP).unwrap_or_default();
        }
        if let Some(text) = value.string().filter(|text| text.value != "allow") {
            let message = format!("`{key}` cannot be `{}`", text.value);
            let finding = Diagnostic::error(codes::UNKNOWN_WORD, message);
            self.report(finding.primary(text.span, "expected `allow`").help(HELP));
        }
    }
}
