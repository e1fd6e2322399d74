//! The expressions of policies: against tables, the `cel` crate's interpreter, and hostile texts.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod grammar;
mod limits;
mod oracle;
mod possible;
mod problems;
mod seen;
mod truth;

use std::net::IpAddr;

use mcpfw::policy::expr::{Expr, Scope, ToolHints};
use mcpfw::policy::{Arg, Args, Call, Captures, Context, Object, Principal, Value};
use mcpfw::wire::mcp::{ObjectKind, Revision};
use serde_json::{Value as Json, json};

/// Everything an expression can see, as JSON where it can be.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) claims: Json,
    pub(crate) args: Json,
    /// Names of arguments that are larger than the capture limit.
    pub(crate) too_large: &'static [&'static str],
    pub(crate) ip: IpAddr,
    pub(crate) is_retry: bool,
    pub(crate) tool: Option<ToolHints>,
    pub(crate) target: Option<&'static str>,
}

impl World {
    pub(crate) fn new(claims: Json, args: Json) -> Self {
        Self {
            claims,
            args,
            too_large: &[],
            ip: IpAddr::from([10, 1, 2, 3]),
            is_retry: false,
            tool: None,
            target: Some("search"),
        }
    }

    /// The world that tables are written for.
    pub(crate) fn usual() -> Self {
        let claims = json!({
            "sub": "u1", "iss": "https://id.example", "scope": "files:read files:write",
            "plan": "free", "admin": true, "level": 3, "price": 1.50, "text3": "3",
            "big": 9_007_199_254_740_993_u64, "roles": ["dev", "ops"], "empty": [], "numbers": [1, 2, 3],
            "mixed": ["a", 1], "org": {"id": "acme", "tags": {"eu": true}}, "nothing": null,
            "https://example.com/role": "admin", "address": "192.168.7.1", "name": "Zoë",
        });
        let args = json!({
            "path": "/sandbox/u1/a.txt", "query": "rust", "count": 5, "ratio": 0.1, "force": false,
            "tags": ["x", "y"], "items": [{"sku": "a", "price": 5}, {"sku": "b"}],
            "where": {"city": "Graz", "zip": null}, "nothing": null, "x-y": 1, "host": "10.9.9.9",
        });
        Self { too_large: &["huge"], ..Self::new(claims, args) }
    }

    /// Calls `see` with the scope of this world, whose arguments are captured as `captures` says.
    pub(crate) fn with_scope<T>(
        &self,
        captures: &Captures,
        see: impl FnOnce(&Scope<'_>) -> T,
    ) -> T {
        let principal = Principal::supposed(Value::from(&self.claims));
        let context = Context { route: "files", host: "mcp.example.com", sni: None, ip: self.ip };
        let object = self.target.map(|name| Object { kind: ObjectKind::Tool, name: name.into() });
        let mut args = Args::capture(captures, Some(&Value::from(&self.args)));
        for name in self.too_large {
            if let Some(slot) = captures.child(0, name).and_then(|at| captures.slot(at)) {
                args.set(slot, Arg::TooLarge);
            }
        }
        let call = Call {
            method: "tools/call".into(),
            object,
            revision: Revision::V2025_06_18,
            is_request: true,
            is_retry: self.is_retry,
            args,
            subscriptions: None,
        };
        see(&Scope {
            principal: &principal,
            context: &context,
            call: &call,
            tool: self.tool.as_ref(),
        })
    }
}

/// The expression `text`, which has no problems.
pub(crate) fn parse(text: &str) -> (Expr, Captures) {
    let mut captures = Captures::new();
    match Expr::parse(text, &mut captures) {
        Ok(expr) => (expr, captures),
        Err(problems) => panic!("{text}: {problems:?}"),
    }
}
