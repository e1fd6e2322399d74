//! `[[assert]]`: a property that must hold for every possible request.

use super::{Draft, codes};
use crate::diagnostic::Diagnostic;
use crate::diagnostic::document::Table;
use crate::policy::selector::Space;
use crate::policy::stanza::{Assert, Body, Stanza};
use crate::policy::{Effect, Mode};

/// What an assert can be about.
const VERDICTS: [(&str, ()); 1] = [("allow", ())];

impl Draft<'_> {
    /// Reads one `[[assert]]`. Its selectors and its condition are read as those of the rule that it is like: an
    /// unknown condition counts against the caller, and so does a name that only looks like one of the selectors.
    pub(super) fn read_assert(&mut self, mut table: Table<'_>) {
        let header = table.span();
        let name = self.read_name(&mut table);
        let never = table.has("never");
        let effect = if never { Effect::Deny } else { Effect::Allow };
        let selected = self.read_selectors(&mut table, effect, &Space::ALL);
        let when = table.string("when");
        let predicate = when.map(|text| self.predicate(text));
        let routes = self.read_routes(&mut table);
        let always = table.has("always");
        self.read_word(&mut table, "never", &VERDICTS);
        self.read_word(&mut table, "always", &VERDICTS);
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
}
