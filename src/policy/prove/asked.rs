//! A call that somebody asks about as an [`Example`]: its facts one by one, and the same call with one of them changed.

use super::classes::Words;
use super::example::{Caller, Example, Given, put};
use crate::policy::expr::formula::{Input, Root};
use crate::policy::{
    Arg, Call, Captures, ClientKind, Context, Number, Object, Principal, UnixTime, Value,
};
use crate::wire::mcp::{ObjectKind, Revision};

impl Example {
    /// `call` as it is asked about under a set whose captures are `captures`; of its arguments, those that some rule reads.
    /// `None` where it acts on several things, each of which is decided.
    pub(in crate::policy) fn asked(
        captures: &Captures,
        principal: &Principal,
        context: &Context<'_>,
        call: &Call,
        is_server: bool,
        at: UnixTime,
    ) -> Option<Self> {
        let object = match call.subscriptions.as_deref() {
            Some([uri]) if call.object.is_none() => {
                Some(Object { kind: ObjectKind::Resource, name: uri.clone() })
            }
            Some([_, _, ..]) => return None,
            _ => call.object.clone(),
        };
        let is_empty = call.subscriptions.as_ref().is_some_and(|uris| uris.is_empty());
        let mut paths: Vec<(Vec<Box<str>>, &Arg)> = (0_u8..)
            .take(captures.len())
            .map(|slot| (captures.path(slot).into_iter().map(Box::from).collect(), slot))
            .map(|(path, slot)| (path, call.args.slot(slot)))
            .collect();
        // What holds another comes first.
        paths.sort_by_key(|(path, _)| path.len());
        let mut args = Value::Map(Vec::new());
        let mut oversized: Vec<Box<[Box<str>]>> = Vec::new();
        for (path, arg) in paths {
            match arg {
                Arg::Absent => {}
                Arg::TooLarge => oversized.push(path.into()),
                // Nothing is in the way: what is captured below a value is in it.
                Arg::Value(value) => put(&mut args, &path, value).unwrap_or_default(),
            }
        }
        Some(Self {
            words: Words { method: call.method.clone(), object, is_server, is_empty },
            caller: Caller {
                kind: principal.kind(),
                id: principal.id().map(Into::into),
                issuer: principal.issuer().map(Into::into),
                scopes: principal.scopes().to_vec(),
                claims: principal.claims().clone(),
            },
            args,
            oversized,
            ip: context.ip,
            route: context.route.into(),
            host: context.host.into(),
            sni: context.sni.map(Into::into),
            revision: call.revision,
            is_retry: call.is_retry,
            at,
            is_now: true,
        })
    }

    /// The same call with `args`.
    pub(in crate::policy) fn with_args(self, args: Option<&Value>) -> Self {
        Self { args: args.cloned().unwrap_or(self.args), ..self }
    }

    /// The value of `input`.
    pub(super) fn given(&self, input: &Input) -> Given {
        let text = |text: &str| Given::Value(Value::from(text));
        let optional = |it: &Option<Box<str>>| it.as_deref().map_or(Given::Absent, text);
        let within = |root: &Value| {
            let found = input.names.iter().try_fold(root, |at, name| at.member(name));
            found.cloned().map_or(Given::Absent, Given::Value)
        };
        match input.root {
            Root::Claims => within(&self.caller.claims),
            Root::Args if self.oversized.contains(&input.names) => Given::TooLarge,
            Root::Args => within(&self.args),
            Root::Now => Given::Value(Value::Number(Number::from(self.at))),
            Root::Route => text(&self.route),
            Root::Host => text(&self.host),
            Root::Sni => optional(&self.sni),
            Root::ClientKind => text(self.caller.kind.as_str()),
            Root::ClientId => optional(&self.caller.id),
            Root::ClientIssuer => optional(&self.caller.issuer),
            Root::ClientIp => Given::Address(self.ip),
            Root::ClientScopes => {
                let scopes = self.caller.scopes.iter().cloned().map(Value::String);
                Given::Value(Value::List(scopes.collect()))
            }
            Root::Revision => text(self.revision.as_str()),
            Root::IsRetry => Given::Value(Value::Bool(self.is_retry)),
            Root::Method => text(&self.words.method),
            Root::Target => {
                self.words.object.as_ref().map_or(Given::Absent, |object| text(&object.name))
            }
            Root::Kind | Root::Element => Given::Absent,
        }
    }

    /// The same call with `given` for `input`; `None` where there is no such call.
    pub(super) fn changed(&self, input: &Input, given: &Given) -> Option<Self> {
        let mut this = self.clone();
        let text = || match given {
            Given::Value(Value::String(text)) => Some(text.clone()),
            _ => None,
        };
        match input.root {
            Root::Claims => this.caller.claim(&input.names, given)?,
            Root::Args => {
                this.oversized.retain(|path| *path != input.names);
                match given {
                    Given::Value(value) => put(&mut this.args, &input.names, value)?,
                    Given::Absent => remove(&mut this.args, &input.names),
                    Given::TooLarge | Given::Address(_) => return None,
                }
            }
            Root::Now => {
                let Given::Value(Value::Number(number)) = given else { return None };
                (this.at, this.is_now) = (number.as_u64()?, false);
            }
            Root::Route => this.route = text()?,
            Root::Host => this.host = text()?,
            Root::Sni => this.sni = text(),
            Root::ClientKind => this.caller.prove(&text()?)?,
            Root::ClientId => this.caller.say("sub", text())?,
            Root::ClientIssuer => this.caller.say("iss", text())?,
            Root::ClientScopes => {
                let Given::Value(Value::List(list)) = given else { return None };
                let scopes: Vec<Box<str>> =
                    list.iter().filter_map(Value::as_str).map(Box::from).collect();
                if this.caller.is_by_token() {
                    let all = Some(scopes.join(" ")).filter(|text| !text.is_empty());
                    this.caller.say("scope", all.map(Into::into))?;
                } else {
                    this.caller.scopes = scopes;
                }
            }
            Root::ClientIp => match given {
                Given::Address(ip) => this.ip = *ip,
                _ => return None,
            },
            Root::Revision => {
                let wanted = text()?;
                let of = |revision: &Revision| revision.as_str() == &*wanted;
                this.revision = Revision::ALL.into_iter().find(of)?;
            }
            Root::IsRetry => this.is_retry = *given == Given::Value(Value::Bool(true)),
            Root::Target => this.words.object.as_mut()?.name = text()?,
            Root::Method | Root::Kind | Root::Element => return None,
        }
        Some(this)
    }
}

impl Caller {
    /// Whether a token says all that is known of it; nobody has one yet.
    fn is_by_token(&self) -> bool {
        let by_token = Self { kind: self.kind, ..Self::of_token(self.claims.clone()) };
        matches!(self.kind, ClientKind::Jwt | ClientKind::Anonymous) && *self == by_token
    }

    /// Its token claims `given` at `names`, and it is who that says.
    fn claim(&mut self, names: &[Box<str>], given: &Given) -> Option<()> {
        let is_by_token = self.is_by_token();
        match given {
            Given::Value(value) => put(&mut self.claims, names, value)?,
            Given::Absent => remove(&mut self.claims, names),
            Given::TooLarge | Given::Address(_) => return None,
        }
        if is_by_token {
            let kind = self.kind;
            *self = Self::of_token(std::mem::replace(&mut self.claims, Value::Null));
            if kind == ClientKind::Jwt {
                self.kind = kind;
            }
        } else if self.kind == ClientKind::Anonymous {
            return None;
        }
        Some(())
    }

    /// What the claim `name` says of it by itself.
    fn say(&mut self, name: &str, text: Option<Box<str>>) -> Option<()> {
        if self.is_by_token() {
            let given = text.map_or(Given::Absent, |text| Given::Value(Value::String(text)));
            return self.claim(&[name.into()], &given);
        }
        match name {
            "sub" => self.id = text,
            "iss" => self.issuer = text,
            _ => return None,
        }
        Some(())
    }

    /// It proves who it is in the way called `kind`.
    fn prove(&mut self, kind: &str) -> Option<()> {
        let kind = ClientKind::from_word(kind)?;
        if kind == ClientKind::Anonymous {
            *self = Self::of_token(Value::Map(Vec::new()));
        }
        self.kind = kind;
        Some(())
    }
}

/// Takes what is at `names` out of `root`.
fn remove(root: &mut Value, names: &[Box<str>]) {
    let Some((last, above)) = names.split_last() else { return };
    let mut at = root;
    for name in above {
        let Value::Map(members) = at else { return };
        let Some((_, next)) = members.iter_mut().find(|(key, _)| key == name) else { return };
        at = next;
    }
    if let Value::Map(members) = at {
        members.retain(|(key, _)| key != last);
    }
}
