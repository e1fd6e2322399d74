//! What can come out when arguments are free.

use mcpfw::policy::expr::{Possible, Reads, Truth};
use proptest::prelude::*;

use super::{World, grammar, parse};

fn set(members: &str) -> Possible {
    let truth = |letter| match letter {
        'T' => Truth::True,
        'F' => Truth::False,
        _ => Truth::Unknown,
    };
    members.chars().map(truth).collect()
}

#[test]
fn atoms_are_exact() {
    for (text, members) in [
        // Nothing is free.
        ("claims.plan == 'free'", "T"),
        ("claims.plan == 'pro'", "F"),
        ("claims.absent == 'pro'", "U"),
        ("true", "T"),
        ("tool.read_only", "U"),
        // Anything can come.
        ("args.x == 'a'", "TFU"),
        ("args.x != 1", "TFU"),
        ("args.x == claims.plan", "TFU"),
        ("args.x == args.y", "TFU"),
        ("args.x == null", "TFU"),
        ("args.x", "TFU"),
        ("args.x < 3", "TFU"),
        ("args.x >= 'a'", "TFU"),
        ("args.x in ['a']", "TFU"),
        ("'a' in args.x", "TFU"),
        ("args.x in claims.roles", "TFU"),
        ("args.x.startsWith('/a/' + claims.sub)", "TFU"),
        ("args.x.matches('a')", "TFU"),
        ("cidr('10.0.0.0/8').containsIP(args.x)", "TFU"),
        ("size(args.x) == 3", "TFU"),
        ("size(args.x) < 3", "TFU"),
        // Presence is always known, and so is whether it is a retry.
        ("has(args.x)", "TF"),
        ("'x' in args", "TF"),
        ("mcp.is_retry", "TF"),
        ("mcp.is_retry == true", "TF"),
        // What it is compared with cannot be had.
        ("args.x == claims.absent", "U"),
        ("args.x.startsWith('/a/' + claims.absent)", "U"),
        ("args.x in claims.absent", "U"),
        ("args.x < claims.roles", "U"),
        ("args.x.startsWith(claims.level)", "U"),
        ("args.x in claims.plan", "U"),
        ("claims.absent in args.x", "U"),
        // Some answers are beyond any argument.
        ("args.x in []", "FU"),
        ("args.x in claims.empty", "FU"),
        ("args.x < ''", "FU"),
        ("args.x >= ''", "TU"),
        ("'' <= args.x", "TU"),
        ("'' > args.x", "FU"),
        ("args.x.contains('')", "TU"),
        ("size(args.x) < 0", "FU"),
        ("size(args.x) >= 0", "TU"),
        ("size(args.x) > -1", "TU"),
        ("size(args.x) == 1.5", "FU"),
        ("size(args.x) != -1", "TU"),
        ("size(args.x) in [-1, 0.5]", "FU"),
        ("size(args.x) in [-1, 1]", "TFU"),
        ("size(args.x) == claims.plan", "U"),
        ("'/a/' + args.x == '/a/b'", "TFU"),
        ("'/a/' + args.x == '/b'", "FU"),
        ("'/a/' + args.x + '/' != '/a/'", "TU"),
        ("'/a/' + args.x in ['/b', '/c']", "FU"),
        ("('/a/' + args.x).startsWith('/a/')", "TU"),
        ("('/a/' + args.x).startsWith('/b/')", "FU"),
        ("('/a/' + args.x).startsWith('/a/b')", "TFU"),
        ("(args.x + '.txt').endsWith('.txt')", "TU"),
        ("(args.x + '.txt').endsWith('.md')", "FU"),
        ("('ab' + args.x).contains('b')", "TU"),
        ("claims.plan.startsWith('x' + args.x)", "FU"),
        ("claims.plan.startsWith('f' + args.x)", "TFU"),
        // Loops.
        ("args.x.all(v, v == 'a')", "TFU"),
        ("args.x.exists(v, v == 'a')", "TFU"),
        ("args.x.all(v, true)", "TU"),
        ("args.x.exists(v, false)", "FU"),
        ("args.x.exists(v, claims.plan == 'pro')", "FU"),
        ("args.x.all(v, claims.plan == 'free')", "TU"),
        ("args.x.all(v, has(v.y))", "TFU"),
        ("claims.roles.exists(r, r == args.x)", "TFU"),
        ("claims.roles.exists(r, r == 'qa' && r == args.x)", "FU"),
        ("claims.roles.exists(r, r == 'dev')", "T"),
        ("claims.empty.all(r, r == args.x)", "TU"),
        ("claims.absent.all(r, r == args.x)", "U"),
        ("args.x.all(v, claims.roles.exists(r, r == v))", "TFU"),
        ("['a', args.x].exists(v, v == 'a')", "TU"),
        // Logic.
        ("claims.plan == 'free' && args.x == 'a'", "TFU"),
        ("claims.plan == 'pro' && args.x == 'a'", "F"),
        ("claims.plan == 'free' || args.x == 'a'", "T"),
        ("claims.absent == 1 && args.x == 'a'", "FU"),
        ("claims.absent == 1 || args.x == 'a'", "TU"),
        ("!has(args.x) && has(args.y)", "TF"),
        ("!(args.x in [])", "TU"),
        ("has(args.x) ? claims.admin : claims.absent", "TU"),
        ("claims.admin ? has(args.x) : args.x", "TF"),
        ("args.x == 'a' ? true : true", "TU"),
        ("(has(args.x) ? 'a' : 'b') == 'a'", "TF"),
        ("(has(args.x) ? 'a' : 'b') == 'c'", "F"),
        ("has(args.x) == has(args.y)", "TF"),
    ] {
        let (expr, captures) = parse(text);
        let possible = World::usual().with_scope(&captures, |scope| expr.possible(scope));
        assert_eq!(possible, set(members), "{text}");
    }
}

#[test]
fn sources_and_slots_are_those_read() {
    for (text, reads, slots) in [
        ("true", Reads::default(), 0),
        ("claims.a == client.id && client.kind == 'jwt'", Reads::PRINCIPAL, 0),
        ("client.ip == request.host", Reads::CONTEXT, 0),
        ("mcp.method == 'x'", Reads::CALL, 0),
        ("mcp.is_retry", Reads::IS_RETRY, 0),
        ("tool.read_only", Reads::TOOL, 0),
        ("args.a == 1 && args.b.c == 1 && args['a'] == 2", Reads::ARGS, 2),
        ("has(args.a) || claims.x.all(v, v == args.b)", Reads::ARGS.union(Reads::PRINCIPAL), 2),
        ("'a' in args", Reads::ARGS, 1),
    ] {
        let (expr, captures) = parse(text);
        assert_eq!(expr.reads(), reads, "{text}");
        assert_eq!(expr.slots().iter().count(), slots, "{text}");
        assert_eq!(captures.len(), slots, "{text}");
        assert_eq!(expr.reads().only_principal(), reads.within(Reads::PRINCIPAL), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    /// Whatever the arguments are, what comes out was possible.
    #[test]
    fn nothing_else_comes_out(
        text in grammar::condition(),
        mut world in grammar::worlds(),
        wild_claims in grammar::wild_args(),
        wild in prop::collection::vec((grammar::wild_args(), any::<bool>()), 24),
    ) {
        world.claims = wild_claims.0;
        let (expr, captures) = parse(&text);
        let possible = world.with_scope(&captures, |scope| expr.possible(scope));
        for ((args, too_large), is_retry) in wild {
            let world = World { args, too_large, is_retry, ..world.clone() };
            let truth = world.with_scope(&captures, |scope| expr.eval(scope));
            prop_assert!(possible.contains(truth), "{text}: {truth} is not in {possible:?}, in {world:?}");
        }
    }
}
