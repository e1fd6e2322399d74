//! Functions and macros.

use ipnet::IpNet;
use regex::RegexBuilder;

use super::super::limits::{MAX_COMPILED_PATTERN, MAX_LOOPS, MAX_PATTERN};
use super::super::problem::ExprProblem;
use super::super::program::{Atom, Node, NodeId, Operand, OperandId, TextTest};
use super::super::reads::Reads;
use super::super::tree::{Call, Form, Tree};
use super::super::variable;
use super::typed::{Item, Type, Typed};
use super::{Bound, Lower, words};

/// Every function: its name, how many arguments it has, how it is written.
const FUNCTIONS: [(&str, usize, &str); 10] = [
    ("has", 1, "has(claims.plan)"),
    ("size", 1, "size(args.items)"),
    ("startsWith", 1, "args.path.startsWith(\"/tmp/\")"),
    ("endsWith", 1, "args.path.endsWith(\".txt\")"),
    ("contains", 1, "args.query.contains(\"..\")"),
    ("matches", 1, "args.id.matches(\"^[a-z]+$\")"),
    ("cidr", 1, "cidr(\"10.0.0.0/8\").containsIP(client.ip)"),
    ("containsIP", 1, "cidr(\"10.0.0.0/8\").containsIP(client.ip)"),
    ("all", 2, "args.paths.all(p, p.startsWith(\"/tmp/\"))"),
    ("exists", 2, "claims.roles.exists(r, r == \"admin\")"),
];

impl Lower<'_> {
    /// Lowers a call of a function that comes to true or false; `None` where it is `size`.
    pub(super) fn function(&mut self, at: &Tree, call: &Call) -> Option<NodeId> {
        let name = call.name.as_str();
        if name == "size" {
            return None;
        }
        let lowered = match (name, &call.target, call.args.as_slice()) {
            ("has", None, [path]) => self.has(path),
            ("startsWith", Some(subject), [part]) => {
                self.text(name, TextTest::StartsWith, subject, part)
            }
            ("endsWith", Some(subject), [part]) => {
                self.text(name, TextTest::EndsWith, subject, part)
            }
            ("contains", Some(subject), [part]) => {
                self.text(name, TextTest::Contains, subject, part)
            }
            ("matches", Some(subject), [pattern]) => self.matches(subject, pattern),
            ("containsIP", Some(net), [address]) => self.contains_ip(net, address),
            ("all", Some(list), [variable, body]) => self.run_loop(at, true, list, variable, body),
            ("exists", Some(list), [variable, body]) => {
                self.run_loop(at, false, list, variable, body)
            }
            _ => {
                let problem = self.no_such_call(at, call);
                self.problem(problem);
                // What stands inside may have problems of its own, unless it binds names that are not known here.
                for part in call.target.iter().map(|target| &**target).chain(&call.args) {
                    if !binds(name) {
                        self.operand(part);
                    }
                }
                None
            }
        };
        Some(match lowered {
            Some(atom) => self.node(Node::Atom(atom), at),
            None => self.node(Node::False, at),
        })
    }

    fn no_such_call(&self, at: &Tree, call: &Call) -> ExprProblem {
        let name = call.name.as_str();
        let span = at.name.clone();
        match FUNCTIONS.iter().find(|(known, ..)| *known == name) {
            Some(("cidr", 1, example)) if call.target.is_none() && call.args.len() == 1 => {
                ExprProblem::new(span, "a net is asked for an address")
                    .help(format!("write {example}"))
            }
            Some((_, wanted, example)) if call.args.len() != *wanted => {
                let (plural, found) = (if *wanted == 1 { "" } else { "s" }, call.args.len());
                let message = format!("`{name}` has {wanted} argument{plural}, not {found}");
                ExprProblem::new(span, message).help(format!("write {example}"))
            }
            Some((.., example)) => {
                ExprProblem::new(span, format!("`{name}` is not called in this way"))
                    .help(format!("write {example}"))
            }
            None if binds(name) => {
                ExprProblem::new(span, format!("`{name}` is not part of the policy language"))
                    .help("lists are asked with `in`, `all` and `exists`")
            }
            None => {
                let problem = ExprProblem::new(span, format!("unknown function `{name}`"));
                let problem = match problem.of_others(name, words::FUNCTIONS) {
                    Ok(problem) => return problem,
                    Err(problem) => problem,
                };
                let problem = problem.suggest(name, FUNCTIONS.iter().map(|(name, ..)| *name));
                match problem.help {
                    Some(_) => problem,
                    None => {
                        let known: Vec<&str> = FUNCTIONS.iter().map(|(name, ..)| *name).collect();
                        problem.help(format!("there are {}", known.join(", ")))
                    }
                }
            }
        }
    }

    /// Reports an operand of `name` that cannot be what it must be.
    fn expect(&mut self, name: &str, wanted: Type, typed: &Typed) -> Option<()> {
        if typed.is_broken() {
            return None;
        }
        if typed.kind.fits(wanted) {
            return Some(());
        }
        let (wants, is) = (wanted.words(), typed.kind.words());
        let problem =
            ExprProblem::new(typed.span.clone(), format!("`{name}` is for {wants}, this is {is}"));
        let source = self.source(&typed.span);
        self.problem(match typed.kind {
            Type::List(_) if wanted == Type::Text => {
                problem.help(format!("ask a list so: \"…\" in {source}"))
            }
            _ => problem,
        });
        None
    }

    fn has(&mut self, path: &Tree) -> Option<Atom> {
        let written = self.written(path).ok().filter(|written| !written.names.is_empty());
        if written.is_none() {
            let problem =
                ExprProblem::new(path.grouped.clone(), "`has` asks for a member of a path");
            self.problem(problem.help("write has(claims.plan)"));
            return None;
        }
        let typed = self.path(path);
        (!typed.is_broken()).then_some(Atom::Has(typed.id))
    }

    /// `size(x)`, `x.size()`
    pub(super) fn size(&mut self, at: &Tree, call: &Call) -> Typed {
        let sized = match (&call.target, call.args.as_slice()) {
            (None, [sized]) => sized,
            (Some(sized), []) => sized,
            _ => {
                let problem = self.no_such_call(at, call);
                return self.broken(problem, at);
            }
        };
        let sized = self.operand(sized);
        if sized.kind.fits(Type::Text) || sized.kind.fits(Type::List(Item::Any)) {
            let broken = sized.is_broken();
            let kind = if broken { Type::Broken } else { Type::Number };
            return self.typed(Operand::Size(sized.id), kind, at);
        }
        let message = format!("strings and lists have a size, this is {}", sized.kind.words());
        self.broken(ExprProblem::new(sized.span.clone(), message), at)
    }

    fn text(&mut self, name: &str, test: TextTest, subject: &Tree, part: &Tree) -> Option<Atom> {
        let (subject, part) = (self.operand(subject), self.operand(part));
        let fits = self.expect(name, Type::Text, &subject);
        self.expect(name, Type::Text, &part).and(fits)?;
        Some(Atom::Text { test, subject: subject.id, part: part.id })
    }

    fn matches(&mut self, subject: &Tree, pattern: &Tree) -> Option<Atom> {
        let (subject, pattern) = (self.operand(subject), self.operand(pattern));
        let fits = self.expect("matches", Type::Text, &subject);
        self.expect("matches", Type::Text, &pattern)?;
        let Some(text) = pattern.text() else {
            let message = "the pattern of `matches` is a constant";
            self.problem(ExprProblem::new(pattern.span, message));
            return None;
        };
        if text.len() > MAX_PATTERN {
            let message =
                format!("a pattern has at most {MAX_PATTERN} bytes, this one {}", text.len());
            self.problem(ExprProblem::new(pattern.span, message));
            return None;
        }
        let built = RegexBuilder::new(text)
            .size_limit(MAX_COMPILED_PATTERN)
            .dfa_size_limit(MAX_COMPILED_PATTERN)
            .build();
        match built {
            Ok(regex) => {
                fits?;
                let pattern = self.program.add_pattern(regex);
                Some(Atom::Matches { subject: subject.id, pattern })
            }
            Err(regex::Error::CompiledTooBig(_)) => {
                let message = "this pattern is too costly to search for";
                let problem = ExprProblem::new(pattern.span, message);
                self.problem(problem.help("make its repetitions {n,m} smaller"));
                None
            }
            Err(error) => {
                // The last line says what, those before point into a copy of the pattern.
                let shown = error.to_string();
                let reason =
                    shown.lines().last().unwrap_or("").trim().trim_start_matches("error: ");
                let message = format!("this is no regular expression: {reason}");
                self.problem(ExprProblem::new(pattern.span, message));
                None
            }
        }
    }

    fn contains_ip(&mut self, net: &Tree, address: &Tree) -> Option<Atom> {
        let net = self.net(net);
        let address = self.operand(address);
        self.expect("containsIP", Type::Text, &address)?;
        let net = self.program.add_net(net?);
        Some(Atom::InNet { net, address: address.id })
    }

    fn net(&mut self, at: &Tree) -> Option<IpNet> {
        let written = match &at.form {
            Form::Call(call) if call.name == "cidr" && call.target.is_none() => {
                match call.args.as_slice() {
                    [net] => Some(self.operand(net)),
                    _ => None,
                }
            }
            _ => None,
        };
        let Some(written) = written else {
            let problem = ExprProblem::new(at.grouped.clone(), "`containsIP` is asked of a net");
            self.problem(problem.help("write cidr(\"10.0.0.0/8\").containsIP(client.ip)"));
            return None;
        };
        let problem = |message: &str| ExprProblem::new(written.span.clone(), message);
        let problem = match written.text() {
            _ if written.is_broken() => return None,
            None => problem("a net is a constant string"),
            Some(text) => match (text.parse::<IpNet>(), text.parse::<std::net::IpAddr>()) {
                (Ok(net), _) if net.trunc() == net => return Some(net),
                (Ok(net), _) => problem("this net has bits beyond its prefix")
                    .help(format!("write \"{}\"", net.trunc())),
                (Err(_), Ok(address)) => problem("this is an address, not a net")
                    .help(format!("write \"{}\"", IpNet::from(address))),
                (Err(_), Err(_)) => problem("this is no net").help("write it as \"10.0.0.0/8\""),
            },
        };
        self.problem(problem);
        None
    }

    fn run_loop(
        &mut self,
        at: &Tree,
        every: bool,
        list: &Tree,
        variable: &Tree,
        body: &Tree,
    ) -> Option<Atom> {
        let name = if every { "all" } else { "exists" };
        let before = std::mem::take(&mut self.program.reads);
        let atom = self.loop_of(at, name, list, variable, body);
        let inside = std::mem::replace(&mut self.program.reads, before);
        self.program.reads = before.union(inside);
        let (list, body) = atom?;
        let free = inside.any_of(Reads::ARGS.union(Reads::IS_RETRY));
        Some(Atom::Loop { every, list, body, free })
    }

    fn loop_of(
        &mut self,
        at: &Tree,
        name: &str,
        list: &Tree,
        variable: &Tree,
        body: &Tree,
    ) -> Option<(OperandId, NodeId)> {
        let list = self.operand(list);
        let fits = self.expect(name, Type::List(Item::Any), &list);
        if self.bound.len() == MAX_LOOPS {
            let message = format!("`all` and `exists` nest at most {MAX_LOOPS} deep");
            self.problem(ExprProblem::new(at.name.clone(), message));
            return None;
        }
        let Form::Ident(bound) = &variable.form else {
            let span = variable.grouped.clone();
            let message = format!("the first argument of `{name}` names the element");
            let example = FUNCTIONS.iter().find(|(known, ..)| *known == name).map_or("", |f| f.2);
            self.problem(ExprProblem::new(span, message).help(format!("write {example}")));
            return None;
        };
        let taken = variable::ROOTS.contains(&bound.as_str())
            || self.bound.iter().any(|outer| outer.name == *bound);
        if taken || bound.starts_with('.') {
            let message = format!("`{bound}` already has a meaning here");
            self.problem(ExprProblem::new(variable.span.clone(), message));
            return None;
        }
        let item = match list.kind {
            Type::List(item) => Type::from(item),
            Type::Broken => Type::Broken,
            _ => Type::Any,
        };
        self.bound.push(Bound { name: bound.clone(), item });
        let body = self.truth(body);
        self.bound.pop();
        fits?;
        Some((list.id, body))
    }
}

/// Whether CEL has a macro of this name, whose arguments bind variables.
fn binds(name: &str) -> bool {
    matches!(
        name,
        "all" | "exists" | "exists_one" | "existsOne" | "map" | "filter" | "sortBy" | "bind"
    )
}
