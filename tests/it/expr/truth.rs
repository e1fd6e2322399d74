//! What expressions come to: for each operator and function what must be true beside what must be false and what
//! must be unknown.

use mcpfw::policy::expr::{ToolHints, Truth};

use super::{World, parse};

fn eval(text: &str, world: &World) -> Truth {
    let (expr, captures) = parse(text);
    world.with_scope(&captures, |scope| expr.eval(scope))
}

fn check(world: &World, rows: &[(&str, Truth)]) {
    for (text, truth) in rows {
        assert_eq!(eval(text, world), *truth, "{text}");
    }
}

/// One operator or function: expressions that are true, false and unknown.
struct Of(&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const OPERATORS: &[Of] = &[
    Of(
        "a value",
        &["claims.admin", "true", "(claims.admin)"],
        &["args.force", "false"],
        &[
            "claims.absent",
            "claims.plan",
            "claims.level",
            "claims.nothing",
            "args.huge",
            "claims.roles",
        ],
    ),
    Of(
        "==",
        &[
            "claims.plan == \"free\"",
            "'free' == claims.plan",
            "claims.level == 3",
            "claims.level == 3.0",
            "claims.price == 1.5",
            "claims.admin == true",
            "claims.roles == ['dev', 'ops']",
            "claims.empty == []",
            "claims.org == claims.org",
            "args.ratio == 0.1",
            "claims.https == 1 || true",
            "claims['https://example.com/role'] == 'admin'",
            "args['x-y'] == 1",
            "args.where.city == 'Graz'",
            "claims['org'].id == 'acme'",
            "claims.org.tags.eu == true",
            "(claims.plan == 'free') == claims.admin",
            "claims.level == 0x3",
            "claims.level == 3u",
            "claims.name == 'Zo\\u00eb'",
            "args.items == args.items || true",
            "claims.plan == r'free'",
        ],
        &[
            "claims.plan == 'pro'",
            "claims.plan == 'Free'",
            "claims.level == 4",
            "claims.admin == false",
            "claims.roles == ['ops', 'dev']",
            "claims.roles == ['dev']",
            "claims.empty == [1]",
            "claims.org == claims.org.tags",
            "claims.mixed == ['b', claims.level]",
            "claims.mixed == [1, 2, 3]",
            "args.ratio == 0.1000000000000000055511151231257827",
        ],
        &[
            "claims.absent == 'free'",
            "claims.level == 'x'",
            "claims.level == claims.text3",
            "claims.plan == 3",
            "claims.plan == true",
            "claims.nothing == 'free'",
            "claims.plan == claims.absent",
            "claims.plan.absent == 'x'",
            "args.huge == 'x'",
            "claims.plan == claims.roles",
            "claims.roles == claims.org",
            "claims.mixed == ['a', 'b']",
            "claims.roles == [claims.absent, 'ops']",
            "args.items.sku == 'a'",
        ],
    ),
    Of(
        "!=",
        &["claims.plan != 'pro'", "claims.level != 4", "claims.roles != []"],
        &["claims.plan != 'free'", "claims.level != 3.00", "claims.org != claims.org"],
        &[
            "claims.absent != 'pro'",
            "claims.level != '4'",
            "claims.level != claims.text3",
            "args.huge != 'x'",
            "claims.nothing != 1",
        ],
    ),
    Of(
        "null",
        &[
            "claims.nothing == null",
            "null == args.nothing",
            "claims.plan != null",
            "args.where.zip == null",
            "null == null",
        ],
        &["claims.plan == null", "claims.nothing != null", "claims.roles == null"],
        &["claims.absent == null", "claims.absent != null", "args.huge == null"],
    ),
    Of(
        "<",
        &[
            "claims.level < 4",
            "1 < claims.level",
            "claims.price < 1.51",
            "claims.plan < 'fref'",
            "size(claims.roles) < claims.level",
            "claims.plan < 'z'",
        ],
        &["claims.level < 3", "claims.level < -4", "claims.plan < 'free'", "claims.plan < ''"],
        &[
            "claims.absent < 4",
            "claims.plan < 4",
            "claims.roles < 4",
            "claims.admin < 4",
            "claims.text3 < claims.level",
            "args.huge < 4",
        ],
    ),
    Of(
        "<=",
        &["claims.level <= 3", "claims.level <= 3.5", "'dev' <= claims.plan"],
        &["claims.level <= 2.999", "claims.plan <= 'fre'"],
        &["claims.absent <= 3", "claims.nothing <= 3"],
    ),
    Of(
        ">",
        &["claims.level > 2", "claims.plan > 'fre'", "mcp.revision > '2025-03-26'"],
        &["claims.level > 3", "claims.level > 3.0000000000000000000001"],
        &["claims.absent > 2", "claims.level > claims.plan"],
    ),
    Of(
        ">=",
        &["claims.level >= 3", "claims.big >= 9007199254740993", "claims.plan >= ''"],
        &["claims.level >= 4", "claims.big >= 9007199254740994"],
        &["claims.absent >= 3", "claims.admin >= claims.admin"],
    ),
    Of(
        "in",
        &[
            "claims.plan in ['free', 'pro']",
            "claims.level in [1, 2, 3.0]",
            "'dev' in claims.roles",
            "2 in claims.numbers",
            "2.0 in claims.numbers",
            "'files:read' in client.scopes",
            "claims.plan in [claims.plan]",
            "claims.plan in [claims.absent, 'free']",
            "'a' in claims.mixed",
            "'id' in claims.org",
            "'plan' in claims",
            "'path' in args",
            "claims.admin in [true]",
            "claims.roles in [['dev', 'ops']]",
            "'https://example.com/role' in claims",
            "'huge' in args",
            "claims.plan in ['z', 'y', 'x', 'pro', 'free', 'a']",
        ],
        &[
            "claims.plan in ['pro']",
            "claims.plan in []",
            "claims.level in [1, 2]",
            "'qa' in claims.roles",
            "4 in claims.numbers",
            "'files' in client.scopes",
            "'name' in claims.org",
            "'absent' in claims",
            "'absent' in args",
            "'x' in claims.empty",
            "claims.admin in [false]",
        ],
        &[
            "claims.absent in ['free']",
            "claims.absent in []",
            "claims.level in ['a']",
            "claims.plan in [1]",
            "'b' in claims.mixed",
            "'x' in claims.absent",
            "'f' in claims.plan",
            "'x' in claims.level",
            "claims.plan in [claims.absent, 'pro']",
            "3 in claims.org",
            "args.huge in ['x']",
            "'x' in args.huge",
            "claims.nothing in ['x']",
            "claims.roles in ['dev']",
            "claims.absent in claims.roles",
            "claims.absent in claims.org",
        ],
    ),
    Of(
        "&&",
        &["claims.admin && claims.level == 3", "true && true && true"],
        &[
            "claims.admin && false",
            "claims.absent == 1 && false",
            "false && claims.absent == 1",
            "claims.level == 4 && claims.admin",
        ],
        &[
            "claims.admin && claims.absent == 1",
            "claims.absent == 1 && true",
            "claims.absent && claims.absent",
        ],
    ),
    Of(
        "||",
        &[
            "claims.level == 4 || claims.admin",
            "claims.absent == 1 || true",
            "true || claims.absent == 1",
        ],
        &["claims.level == 4 || false", "false || false || false"],
        &[
            "claims.level == 4 || claims.absent == 1",
            "claims.absent || false",
            "claims.absent || claims.absent",
        ],
    ),
    Of(
        "!",
        &["!args.force", "!(claims.plan == 'pro')", "!!claims.admin", "!has(claims.absent)"],
        &["!claims.admin", "!(claims.plan == 'free')", "!!!claims.admin"],
        &["!claims.absent", "!(claims.absent == 'x')", "!claims.plan", "!!claims.absent"],
    ),
    Of(
        "? :",
        &[
            "claims.admin ? claims.level == 3 : claims.absent == 1",
            "args.force ? false : true",
            "claims.plan == (claims.admin ? 'free' : 'pro')",
            "args.path.startsWith(claims.plan == 'free' ? '/sandbox/' : '/')",
            "claims.admin ? claims.admin : args.force",
            "(claims.admin ? 1 : 2) < 2",
            "claims.level == 1 ? false : claims.level == 2 ? false : true",
        ],
        &[
            "claims.admin ? false : true",
            "args.force ? true : claims.level == 4",
            "claims.plan == (args.force ? 'free' : 'pro')",
        ],
        &[
            "claims.absent ? true : true",
            "claims.admin ? claims.absent == 1 : true",
            "claims.plan == (claims.absent ? 'free' : 'free')",
            "claims.admin ? claims.absent : true",
            "claims.plan == (claims.admin ? claims.absent : 'free')",
        ],
    ),
    Of(
        "+",
        &[
            "'/sandbox/' + claims.sub + '/a.txt' == args.path",
            "claims.plan + '' == 'free'",
            "'a' + 'b' == 'ab'",
            "claims.plan + claims.sub == 'freeu1'",
            "claims.sub + claims.plan < 'u2'",
            "claims.plan + '!' in ['free!']",
            "size(claims.plan + 'ë') == 5",
            "(claims.sub + '.x').endsWith('1.x')",
            "'x' + claims.plan in ['y', 'xfree']",
            "'or' + 'g' in claims",
            "'i' + claims.absent == 'x' || true",
            "(claims.plan + 'dom').matches('^freedom$')",
        ],
        &["'/sandbox/' + claims.sub == args.path", "claims.plan + 'x' == claims.plan"],
        &[
            "claims.absent + 'x' == 'x'",
            "claims.level + 'x' == '3x'",
            "claims.level + claims.level == claims.big",
            "claims.roles + claims.roles == claims.roles",
            "args.huge + 'x' == 'x'",
        ],
    ),
];

const FUNCTIONS: &[Of] = &[
    Of(
        "has",
        &[
            "has(claims.plan)",
            "has(claims.org.id)",
            "has(claims.nothing)",
            "has(args.path)",
            "has(args.where.zip)",
            "has(args.huge)",
            "has(client.id)",
            "has(client.ip)",
            "has(mcp.target)",
            "has(args.items)",
        ],
        &[
            "has(claims.absent)",
            "has(claims.absent.deeper)",
            "has(claims.plan.deeper)",
            "has(claims.roles.deeper)",
            "has(args.absent)",
            "has(args.where.street)",
            "has(request.sni)",
            "has(tool.read_only)",
            "has(args.items.sku)",
            "has(args.path.x)",
        ],
        &[],
    ),
    Of(
        "size",
        &[
            "size(claims.plan) == 4",
            "claims.plan.size() == 4",
            "size(claims.name) == 3",
            "size(claims.roles) == 2",
            "size(claims.empty) == 0",
            "claims.org.size() == 2",
            "size('') == 0",
            "size([1, 2]) == 2",
            "size(client.scopes) >= 2",
            "size(claims.roles) in [1, 2]",
            "claims.level > claims.roles.size()",
        ],
        &[
            "size(claims.plan) == 5",
            "size(claims.roles) > 2",
            "size(claims.name) == 4",
            "size(claims.roles) == 2.5",
            "size(claims.roles) in [1]",
        ],
        &[
            "size(claims.absent) == 0",
            "size(claims.level) == 1",
            "size(claims.nothing) == 0",
            "size(args.huge) > 0",
        ],
    ),
    Of(
        "startsWith",
        &[
            "args.path.startsWith('/sandbox/')",
            "args.path.startsWith('/sandbox/' + claims.sub + '/')",
            "args.path.startsWith('')",
            "(claims.plan + 'x').startsWith(claims.plan)",
        ],
        &[
            "args.path.startsWith('/etc')",
            "args.path.startsWith('/sandbox/' + claims.plan)",
            "claims.plan.startsWith('freedom')",
            "''.startsWith('a')",
        ],
        &[
            "args.absent.startsWith('/')",
            "args.count.startsWith('5')",
            "args.path.startsWith(claims.absent)",
            "args.path.startsWith(claims.level)",
            "args.huge.startsWith('')",
            "claims.roles.startsWith('dev')",
        ],
    ),
    Of(
        "endsWith",
        &[
            "args.path.endsWith('.txt')",
            "args.path.endsWith(claims.absent == 1 ? 'x' : 'y') || true",
            "claims.name.endsWith('ë')",
        ],
        &["args.path.endsWith('.md')", "claims.plan.endsWith('xfree')"],
        &[
            "args.absent.endsWith('')",
            "args.count.endsWith('5')",
            "args.path.endsWith(claims.absent)",
        ],
    ),
    Of(
        "contains",
        &[
            "args.path.contains('/u1/')",
            "args.path.contains('/' + claims.sub + '/')",
            "args.path.contains('')",
            "claims.name.contains('o')",
        ],
        &["args.path.contains('..')", "claims.plan.contains('FREE')"],
        &[
            "args.absent.contains('x')",
            "args.tags.contains('x')",
            "args.path.contains(claims.level)",
            "args.huge.contains('x')",
        ],
    ),
    Of(
        "matches",
        &[
            "args.path.matches('^/sandbox/[a-z0-9]+/')",
            "claims.plan.matches('re')",
            "claims.plan.matches('')",
            "claims.name.matches(r'^\\w{3}$')",
            "claims.plan.matches('(?i)FREE')",
        ],
        &["args.path.matches('^/etc/')", "claims.plan.matches('^re')"],
        &[
            "args.absent.matches('.')",
            "args.count.matches('5')",
            "args.huge.matches('.')",
            "claims.roles.matches('dev')",
        ],
    ),
    Of(
        "containsIP",
        &[
            "cidr('10.0.0.0/8').containsIP(client.ip)",
            "cidr('192.168.0.0/16').containsIP(claims.address)",
            "cidr('10.9.9.9/32').containsIP(args.host)",
            "cidr('0.0.0.0/0').containsIP(client.ip)",
            "cidr('10.0.0.0/8').containsIP('10.1.1.1')",
            "cidr('10.0.0.0/8').containsIP('::ffff:10.1.1.1')",
            "cidr('::ffff:0:0/96').containsIP('::ffff:10.1.1.1')",
            "cidr('2001:db8::/32').containsIP('2001:DB8::1')",
        ],
        &[
            "cidr('10.0.0.0/16').containsIP(client.ip)",
            "cidr('2001:db8::/32').containsIP(client.ip)",
            "cidr('::/0').containsIP(client.ip)",
            "cidr('10.0.0.0/8').containsIP(claims.address)",
        ],
        &[
            "cidr('10.0.0.0/8').containsIP(claims.absent)",
            "cidr('10.0.0.0/8').containsIP(claims.plan)",
            "cidr('10.0.0.0/8').containsIP(claims.level)",
            "cidr('10.0.0.0/8').containsIP('10.0.0.0/8')",
            "cidr('0.0.0.0/0').containsIP(args.huge)",
            "cidr('0.0.0.0/0').containsIP('010.1.1.1')",
        ],
    ),
    Of(
        "all",
        &[
            "claims.roles.all(r, r in ['dev', 'ops', 'qa'])",
            "claims.empty.all(r, r == 'x')",
            "claims.numbers.all(n, n < 4)",
            "args.items.all(i, has(i.sku))",
            "client.scopes.all(s, s.startsWith('files:'))",
            "['a', claims.plan].all(x, x != 'b')",
            "claims.empty.all(r, claims.absent == 1)",
            "args.tags.all(t, claims.roles.all(r, r != t))",
            "claims.roles.all(r, size(r) == 3)",
        ],
        &[
            "claims.roles.all(r, r == 'dev')",
            "claims.numbers.all(n, n != 2)",
            "args.items.all(i, has(i.price))",
            "claims.mixed.all(m, m == 'b')",
            "args.tags.all(t, claims.roles.all(r, r == t))",
        ],
        &[
            "claims.absent.all(r, true)",
            "claims.mixed.all(m, m == 'a')",
            "args.items.all(i, i.price == 5)",
            "claims.plan.all(c, true)",
            "claims.org.all(k, true)",
            "args.huge.all(x, true)",
            "claims.roles.all(r, claims.absent == 1)",
        ],
    ),
    Of(
        "exists",
        &[
            "claims.roles.exists(r, r == 'ops')",
            "claims.mixed.exists(m, m == 'a')",
            "args.items.exists(i, i.price == 5)",
            "['u1', 'u2'].exists(s, s == claims.sub)",
            "args.items.exists(i, i['sku'] == 'b')",
        ],
        &[
            "claims.roles.exists(r, r == 'qa')",
            "claims.empty.exists(r, true)",
            "args.items.exists(i, has(i.size))",
            "claims.empty.exists(r, claims.absent == 1)",
        ],
        &[
            "claims.absent.exists(r, true)",
            "claims.mixed.exists(m, m == 'b')",
            "args.items.exists(i, i.price == 6)",
            "claims.level.exists(x, true)",
            "args.huge.exists(x, true)",
        ],
    ),
];

#[test]
fn operators_and_functions() {
    let world = World::usual();
    for Of(name, holds, fails, unknown) in OPERATORS.iter().chain(FUNCTIONS) {
        for (texts, truth) in
            [(holds, Truth::True), (fails, Truth::False), (unknown, Truth::Unknown)]
        {
            for text in *texts {
                assert_eq!(eval(text, &world), truth, "{name}: {text}");
                assert_eq!(eval(&format!("!({text})"), &world), !truth, "{name}: !({text})");
            }
        }
    }
}

#[test]
fn variables() {
    let world = World::usual();
    check(
        &world,
        &[
            ("client.kind == 'jwt'", Truth::True),
            ("client.kind in ['api_key', 'mtls']", Truth::False),
            ("client.id == 'u1'", Truth::True),
            ("client.issuer == 'https://id.example'", Truth::True),
            ("client.ip == '10.1.2.3'", Truth::True),
            ("client.ip == '::ffff:10.1.2.3'", Truth::True),
            ("client.ip.startsWith('10.1.')", Truth::True),
            ("mcp.method == 'tools/call'", Truth::True),
            ("mcp.kind == 'tool'", Truth::True),
            ("mcp.kind != 'prompt'", Truth::True),
            ("mcp.target == 'search'", Truth::True),
            ("mcp.revision == '2025-06-18'", Truth::True),
            ("mcp.is_retry", Truth::False),
            ("request.route == 'files' && request.host == 'mcp.example.com'", Truth::True),
            ("request.sni == 'x'", Truth::Unknown),
            ("tool.destructive", Truth::Unknown),
        ],
    );
    let hints =
        ToolHints { read_only: Some(false), destructive: Some(true), ..ToolHints::default() };
    let world = World { tool: Some(hints), target: None, is_retry: true, ..world };
    check(
        &world,
        &[
            ("tool.destructive", Truth::True),
            ("tool.read_only", Truth::False),
            ("tool.idempotent || tool.open_world", Truth::Unknown),
            ("has(tool.read_only) && !has(tool.idempotent)", Truth::True),
            ("mcp.kind == 'tool'", Truth::Unknown),
            ("mcp.target == 'search'", Truth::Unknown),
            ("has(mcp.target)", Truth::False),
            ("mcp.is_retry == true", Truth::True),
        ],
    );
    let mapped = World { ip: "::ffff:10.1.2.3".parse().unwrap(), ..World::usual() };
    let six = World { ip: "2001:db8::1".parse().unwrap(), ..World::usual() };
    check(
        &mapped,
        &[
            ("client.ip == '10.1.2.3'", Truth::True),
            ("cidr('10.0.0.0/8').containsIP(client.ip)", Truth::True),
        ],
    );
    check(
        &six,
        &[
            ("client.ip == '2001:DB8:0::1'", Truth::True),
            ("cidr('10.0.0.0/8').containsIP(client.ip)", Truth::False),
        ],
    );
}

#[test]
fn numbers_are_exact() {
    check(
        &World::usual(),
        &[
            ("claims.big == 9007199254740993", Truth::True),
            ("claims.big == 9007199254740992", Truth::False),
            ("claims.big == 9007199254740993.0", Truth::True),
            ("claims.big in [9007199254740992, 9007199254740994]", Truth::False),
            ("claims.big > 9007199254740992.5", Truth::True),
            ("claims.big < 1e308", Truth::True),
            ("claims.level == 300e-2", Truth::True),
            ("claims.level == 3.0000000000000000000000000000000000001", Truth::False),
            ("claims.level > -0.0", Truth::True),
            ("0 == -0.0", Truth::True),
            ("claims.level > -9223372036854775808", Truth::True),
            ("claims.price == 1.50", Truth::True),
            ("args.ratio < .1000000000000000000001", Truth::True),
        ],
    );
}

/// A number written with an exponent beyond all bounds, and one that is merely huge.
#[test]
fn huge_exponents_cost_nothing() {
    let world = World::new(serde_json::json!({}), serde_json::json!({}));
    let (expr, captures) = parse("args.n < 1 || args.n >= 1");
    for (token, truth) in [
        ("1e999999999", Truth::True),
        ("1e-999999999", Truth::True),
        ("1e1000000000000000", Truth::True),
        ("1e1000000000000001", Truth::Unknown),
        ("-1e99999999999999999999999999", Truth::Unknown),
    ] {
        let number = mcpfw::policy::Number::from_token(token).unwrap();
        let mut args = mcpfw::policy::Args::new(&captures);
        args.set(0, mcpfw::policy::Arg::Value(mcpfw::policy::Value::Number(number)));
        let found = world.with_scope(&captures, |scope| {
            let call = mcpfw::policy::Call { args, ..scope.call.clone() };
            expr.eval(&mcpfw::policy::expr::Scope { call: &call, ..*scope })
        });
        assert_eq!(found, truth, "{token}");
    }
}

#[test]
fn anonymous_callers_claim_nothing() {
    let (expr, captures) = parse(
        "client.kind == 'anonymous' && !has(client.id) && !has(claims.sub) && size(client.scopes) == 0",
    );
    World::usual().with_scope(&captures, |scope| {
        let principal = mcpfw::policy::Principal::anonymous();
        let scope = mcpfw::policy::expr::Scope { principal: &principal, ..*scope };
        assert_eq!(expr.eval(&scope), Truth::True);
    });
}
