//! What is kept from one record to the next changes no verdict, and how logs are cut into parts changes no report.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::caller::Caller;
use super::record::{Record, is_cut};
use super::{Asked, Judge, Judged, Line, Place, Reader, Tally, Unjudged, Verdict};
use crate::diagnostic::Sources;
use crate::policy::{
    Arg, Args, Call, Certainty, CompileOptions, Context, Missing, Object, Policy, Refusal, SlotSet,
};

/// Everything that a verdict can depend on.
const POLICY: &str = r#"
[[allow]]
name = "plan"
tools = ["read", "read_*"]
when = 'claims.plan in ["pro", "team"]'

[[allow]]
name = "own"
tools = ["write"]
when = 'args.path.startsWith("/home/" + claims.sub + "/") && args.opts.mode != "x"'

[[allow]]
name = "staff"
tools = ["admin"]
when = '"staff" in claims.realm.roles && args.n <= 7'
scopes = ["admin"]

[[allow]]
name = "hosted"
tools = ["hosted"]
when = 'request.host == "a.example" && client.ip.startsWith("10.")'

[[allow]]
name = "first"
tools = ["first"]
when = '!mcp.is_retry && mcp.revision == "2025-11-25"'

[[allow]]
name = "routed"
tools = ["routed"]
routes = ["main"]

[[allow]]
name = "old"
tools = ["old"]
expires = 2026-11-22

[[allow]]
name = "followed"
methods = ["tasks/get", "prompts/list"]

[[allow]]
name = "who"
tools = ["who"]
when = 'client.id == "u1" || client.issuer == "https://b/" || size(client.scopes) > 1'

[[deny]]
name = "etc"
tools = ["read", "write"]
when = 'args.path.startsWith("/etc/")'

[[deny]]
name = "shadowed"
mode = "shadow"
tools = ["read"]
when = 'claims.other == 1'

[[limit]]
name = "slow"
tools = ["read"]
when = 'args.size > 5'
per = ["claims.tenant"]
rate = "1/min"
"#;

fn policy() -> std::sync::Arc<Policy> {
    let mut sources = Sources::new();
    sources.add("policy.toml", POLICY.to_owned());
    let compiled = Policy::compile(&sources, &CompileOptions::new(0));
    compiled.policy.expect("it compiles")
}

/// One of `choices`.
fn one(choices: Vec<Json>) -> impl Strategy<Value = Json> + Clone {
    prop::sample::select(choices)
}

/// A line of either log, of callers and calls that come again and again; null is a field that is not there.
fn line() -> impl Strategy<Value = (Json, bool)> {
    let tool = one([
        "read", "read_a", "write", "admin", "hosted", "first", "routed", "old", "who", "other",
        "READ",
    ]
    .map(Json::from)
    .to_vec());
    let plan = one(vec![
        Json::Null,
        "pro".into(),
        "free".into(),
        json!(["pro"]),
        json!(7),
        json!({"number": "1e3"}),
    ]);
    let roles = one(vec![Json::Null, json!(["staff"]), json!([]), "staff".into()]);
    let path = one(vec![
        Json::Null,
        "/home/u1/x".into(),
        "/home/u2/x".into(),
        "/etc/passwd".into(),
        "C:\\x\n".into(),
        json!(3),
    ]);
    let list = |names: &'static [&'static str]| prop::sample::subsequence(names, 0..=2);
    let absent = list(&[
        "/claims/plan",
        "/claims/realm",
        "/args/path",
        "/args/opts",
        "/args/n",
        "/args",
        "",
    ]);
    let cut = list(&["/claims/plan", "/args/path"]);
    let large = list(&["/args/path", "/args/n"]);
    let who = (
        one(vec!["jwt".into(), "api_key".into(), "anonymous".into()]),
        one(vec![Json::Null, "u1".into(), "u2".into(), format!("{}…", "u".repeat(1024)).into()]),
        one(vec![Json::Null, "https://b/".into()]),
        one(vec![Json::Null, json!([]), json!(["admin"]), json!(["admin", "x"])]),
    );
    let way = (
        one(vec!["10.0.0.1".into(), "192.0.2.1".into(), "::1".into(), "x".into()]),
        one(vec![Json::Null, "main".into(), "side".into()]),
        one(vec![Json::Null, "a.example".into(), "b.example".into()]),
        one(vec!["2025-11-25".into(), "2026-07-28".into()]),
        one(vec![
            "tools/call".into(),
            "tools/call".into(),
            "tasks/get".into(),
            "prompts/list".into(),
        ]),
    );
    let rest = (
        one(vec![json!(1), json!(1), Json::Null]),
        one(vec![Json::Null, true.into()]),
        one(vec!["allow".into(), "deny".into(), "limit".into()]),
        one(vec![json!(1_700_000_000), json!(1_795_300_000), json!(1_795_500_000), Json::Null]),
        any::<bool>(),
    );
    (tool, (plan, roles, path, absent, cut, large), who, way, rest).prop_map(
        |(tool, (plan, roles, path, absent, cut, large), who, way, rest)| {
            let (kind, id, issuer, scopes) = who;
            let (peer, route, host, revision, method) = way;
            let (audit, retry, decision, judged, is_spaced) = rest;
            let object = |members: Vec<(&str, Json)>| -> Json {
                let there = members.into_iter().filter(|(_, value)| !value.is_null());
                Json::Object(there.map(|(name, value)| (name.to_owned(), value)).collect())
            };
            let reason = if decision == "deny" { "default_deny".into() } else { Json::Null };
            let read = object(vec![
                ("/claims/plan", plan),
                ("/claims/realm/roles", roles),
                ("/args/n", path.as_u64().into()),
                ("/args/path", path),
            ]);
            let record = object(vec![
                ("time", "2026-11-22T10:00:00.000Z".into()),
                ("audit", audit),
                ("request_id", "r".into()),
                ("peer", peer),
                ("principal", object(vec![("kind", kind), ("id", id), ("issuer", issuer)])),
                ("route", route),
                ("host", host),
                ("revision", revision),
                ("retry", retry),
                ("method", method),
                ("kind", "tool".into()),
                ("target", tool),
                ("decision", decision),
                ("reason", reason),
                ("judged", judged),
                ("scopes", scopes),
                ("read", read),
                ("absent", json!(absent)),
                ("cut", json!(cut)),
                ("too_large", json!(large)),
            ]);
            (record, is_spaced)
        },
    )
}

/// `record` with its members in the order in which mcpfw writes them, but for two that take each other's places.
fn written(record: &Json, swap: (usize, usize)) -> String {
    const ORDER: [&str; 20] = [
        "time",
        "audit",
        "request_id",
        "peer",
        "principal",
        "route",
        "host",
        "revision",
        "method",
        "kind",
        "target",
        "retry",
        "decision",
        "reason",
        "judged",
        "scopes",
        "read",
        "absent",
        "cut",
        "too_large",
    ];
    let mut order = ORDER;
    order.swap(swap.0, swap.1);
    let members =
        order.iter().filter_map(|name| Some(format!("\"{name}\":{}", record.get(*name)?)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Lines of three calls, each told again and again with something else: what is kept of one must not be taken for the other.
fn lines() -> impl Strategy<Value = Vec<String>> {
    const CHANGES: [&[&str]; 10] = [
        &["peer"],
        &["host"],
        &["retry"],
        &["judged"],
        &["decision", "reason"],
        &["target"],
        &["audit"],
        &["revision"],
        &["route"],
        &["read", "absent", "cut", "too_large"],
    ];
    // Mostly in the order in which mcpfw writes them.
    let swap = prop_oneof![3 => Just((0, 0)), 1 => (0..20_usize, 0..20_usize)];
    let told = (0..3_usize, line(), 0..10_usize, any::<bool>(), swap);
    (prop::collection::vec(line(), 3), prop::collection::vec(told, 60)).prop_map(|(calls, told)| {
        let told = told.into_iter().map(|(call, (other, is_spaced), change, is_same, swap)| {
            let (mut record, _) = calls.get(call).cloned().expect("one of three");
            for name in CHANGES.get(change).into_iter().filter(|_| !is_same).copied().flatten() {
                match other.get(name) {
                    Some(value) => record[*name] = value.clone(),
                    None => drop(record.as_object_mut().map(|members| members.remove(*name))),
                }
            }
            let text = written(&record, swap);
            if is_spaced { text.replacen('{', "{ ", 1) } else { text }
        });
        told.collect()
    })
}

/// What is said of a call, to be compared.
type Said = Result<(Verdict, String), Unjudged>;

fn said(judged: Result<(Verdict, Judged), Unjudged>) -> Said {
    judged.map(|(then, judged)| (then, format!("{judged:?}")))
}

/// What the record says of the call, with nothing kept, nothing left out because no rule reads it, and all that is not recorded
/// missing.
fn plain(policy: &Policy, record: &Record<'_, '_>, asked: &Asked<'_>) -> Said {
    let then = Judge::then(record, asked)?;
    let (Some(route), Some(revision), Some(kind)) = (record.route, record.revision, record.client)
    else {
        return Err(Unjudged::Incomplete);
    };
    let ip = record.peer.parse().map_err(|_| Unjudged::Incomplete)?;
    let Caller { principal, missing } = Caller::of(record, kind, |_| true);
    let mut missing =
        Missing { host: record.host.is_none_or(is_cut), is_retry: !record.is_audit, ..missing };
    let mut args = Args::new(policy.captures());
    let mut known = SlotSet::EMPTY;
    for (slot, pointer) in (0_u8..).zip(policy.args_read()) {
        missing.args.insert(slot);
        let is_below = |name: &str| {
            pointer.strip_prefix(name).is_some_and(|it| it.is_empty() || it.starts_with('/'))
        };
        if !record.is_audit {
            continue;
        }
        for (name, value) in record.values().filter(|(name, _)| is_below(name)) {
            if **pointer == *name {
                args.set(slot, Arg::Value(value));
            }
            known.insert(slot);
        }
        if record.absent.iter().any(|name| is_below(name)) {
            known.insert(slot);
        } else if record.too_large.contains(&&**pointer) {
            args.set(slot, Arg::TooLarge);
            known.insert(slot);
        }
    }
    missing.args = missing.args.without(known);
    let call = Call {
        method: asked.method.into(),
        object: asked.object.map(|(kind, name)| Object { kind, name: name.into() }),
        revision,
        is_request: true,
        is_retry: record.is_retry,
        args,
        subscriptions: None,
    };
    let context = Context { route, host: record.host.unwrap_or_default(), sni: None, ip };
    let at = record.judged;
    let judged = match policy.decide_without(&principal, &context, &call, &missing, at) {
        Certainty::Permitted(_) if then == Verdict::Allow => Judged::Same(then),
        Certainty::Refused(_) if then == Verdict::Deny => Judged::Same(then),
        Certainty::Permitted(permitted) => {
            let rule = permitted.basis().rule();
            Judged::Changed { to: Verdict::Allow, rule, reason: None }
        }
        Certainty::Refused(refusal) => {
            let (rule, reason) = (Refusal::rule(&refusal), Some(refusal.reason()));
            Judged::Changed { to: Verdict::Deny, rule, reason }
        }
        Certainty::Undecided { .. } => {
            let rules = policy.open_rules(&principal, &context, &call, &missing, at);
            let mut needs: Vec<String> =
                rules.iter().flat_map(|rule| policy.lacks(*rule, &missing)).collect();
            needs.sort();
            needs.dedup();
            Judged::Open(super::Open { rules, needs }.into())
        }
    };
    said(Ok((then, judged)))
}

/// Where the line with the number `line` is.
fn index(line: u64) -> usize {
    usize::try_from(line).map_or(usize::MAX, |line| line - 1)
}

/// Gives every record of `lines` with its place to `each`.
fn records(lines: &[String], mut each: impl FnMut(Place, &Record<'_, '_>, &Asked<'_>)) {
    let mut reader = Reader::default();
    for (line, text) in (1..).zip(lines) {
        let mut bytes = text.clone().into_bytes();
        reader.read(&mut bytes, |read| {
            let Ok(Line::Record(record)) = read else { panic!("{read:?}: {text}") };
            for asked in &record.calls {
                each(Place { file: 0, line }, record, asked);
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever came before, and however often all was forgotten in between.
    #[test]
    fn what_is_kept_changes_no_verdict(lines in lines(), room in 0..20_000_usize) {
        let policy = policy();
        let mut kept = Judge::new(&policy, None);
        let mut forgetful = Judge::with_room(&policy, None, room, room);
        // Twice, so that every verdict that can be met again is.
        for _ in 0..2 {
            records(&lines, |place, record, asked| {
                let plain = plain(&policy, record, asked);
                assert_eq!(said(kept.judge(record, asked)), plain, "{:?}", lines.get(index(place.line)));
                assert_eq!(said(forgetful.judge(record, asked)), plain);
                if let (Ok(asking), Ok(_)) = (kept.ask(record, asked), &plain) {
                    let context = asking.context();
                    let decided =
                        policy.decide_without(asking.principal(), &context, &asking.call, &asking.missing, asking.at);
                    let text = plain.as_ref().map(|(_, text)| text.as_str()).unwrap_or_default();
                    assert_eq!(matches!(decided, Certainty::Undecided { .. }), text.starts_with("Open"));
                }
            });
        }
    }

    /// Each part judged on its own, and the parts put together in any order.
    #[test]
    fn parts_come_to_the_same_report(
        lines in lines(),
        parts in prop::collection::vec(0..4_usize, 60),
        order in Just([0, 1, 2, 3]).prop_shuffle(),
    ) {
        let policy = policy();
        let report = |part: &dyn Fn(u64) -> usize| {
            let mut states: Vec<_> =
                (0..4).map(|_| (Judge::new(&policy, None), Tally::default())).collect();
            records(&lines, |place, record, asked| {
                let (judge, tally) = states.get_mut(part(place.line)).expect("one of four");
                let judged = judge.judge(record, asked);
                tally.add(place, record, asked, judged);
            });
            let mut all = Tally::default();
            for at in order {
                all.merge(std::mem::take(&mut states.get_mut(at).expect("one of four").1));
            }
            let counts = [all.calls, all.still_allowed, all.still_denied, all.now_denied, all.now_allowed];
            let more = [all.open, all.limited, all.ungrouped()];
            format!("{counts:?} {more:?} {:?} {:?}", all.unjudged, all.groups())
        };
        let alone = report(&|_| 0);
        let cut = report(&|line| parts.get(index(line)).copied().unwrap_or(0));
        prop_assert_eq!(alone, cut);
    }
}

/// Lines made so that one caller's bytes could be read as another's.
#[test]
fn no_two_callers_have_one_key() {
    let head =
        "\"time\":\"2026-11-22T10:00:00.000Z\",\"audit\":1,\"peer\":\"::1\",\"decision\":\"allow\"";
    let long = "x".repeat(0x308);
    let callers = [
        r#""principal":{"kind":"jwt"}"#.to_owned(),
        r#""principal":{"kind":"api_key"}"#.to_owned(),
        r#""principal":{"kind":"jwt","id":""}"#.to_owned(),
        r#""principal":{"kind":"jwt","issuer":""}"#.to_owned(),
        r#""principal":{"kind":"jwt","id":"ab"}"#.to_owned(),
        r#""principal":{"kind":"jwt","id":"a","issuer":"b"}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"scopes":[]"#.to_owned(),
        r#""principal":{"kind":"jwt"},"scopes":[""]"#.to_owned(),
        r#""principal":{"kind":"jwt"},"scopes":["/claims/a"]"#.to_owned(),
        r#""principal":{"kind":"jwt"},"scopes":[],"read":{"/claims/a":""}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"scopes":["/claims/a","pro"]"#.to_owned(),
        r#""principal":{"kind":"jwt"},"scopes":[],"read":{"/claims/a":"pro"}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"scopes":[],"absent":["/claims/a"]"#.to_owned(),
        r#""principal":{"kind":"jwt"},"read":{"/claims/a":true}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"read":{"/claims/a":false}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"read":{"/claims/a":null}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"read":{"/claims/a":1}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"read":{"/claims/a":-1}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"read":{"/claims/a":"1"}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"read":{"/claims/a":{"number":"1"}}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"read":{"/claims/a":["number","1"]}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"read":{"/claims/a":[]}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"read":{"/claims/a":["b",["c"]]}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"read":{"/claims/a":["b",[],"c"]}"#.to_owned(),
        r#""principal":{"kind":"jwt"},"read":{"/claims/a":true,"/claims/b":1}"#.to_owned(),
        format!("\"principal\":{{\"kind\":\"jwt\"}},\"read\":{{\"/claims/a\":\"{long}\"}}"),
        format!("\"principal\":{{\"kind\":\"jwt\"}},\"scopes\":[\"/claims/a\",\"{long}\"]"),
    ];
    let mut keys = std::collections::BTreeMap::new();
    let mut reader = Reader::default();
    // In another order, too: then it is another line of the same caller.
    let turned = |caller: &str| {
        let (principal, rest) =
            caller.split_at(caller.find("},").map_or(caller.len(), |at| at + 1));
        rest.strip_prefix(',').map(|rest| format!("{rest},{principal}"))
    };
    for round in 0..6 {
        for caller in &callers {
            let told = if round % 2 == 0 { None } else { turned(caller) };
            let told = told.unwrap_or_else(|| caller.clone());
            let mut line = format!("{{{head},{told}}}").into_bytes();
            reader.read(&mut line, |read| {
                let Ok(Line::Record(record)) = read else { panic!("{read:?}: {caller}") };
                let (mut key, mut short) = (Vec::new(), Vec::new());
                super::caller::write_key(&mut key, record, record.client.expect("it is there"));
                let is_again = super::caller::write_short_key(&mut short, record);
                for key in [key, short].iter().take(1 + usize::from(is_again)) {
                    if let Some(other) = keys.insert(key.clone(), caller).filter(|it| it != &caller)
                    {
                        panic!("{caller} and {other} are one");
                    }
                }
            });
        }
    }
    // Told twice in a row, each is met again.
    for caller in &callers {
        let line = format!("{{{head},{caller}}}");
        let mut again = false;
        for _ in 0..2 {
            reader.read(&mut line.clone().into_bytes(), |read| {
                let Ok(Line::Record(record)) = read else { panic!("{read:?}: {caller}") };
                again = record.again.is_some();
            });
        }
        // Numbers below zero are not read quickly; of who claims nothing there is more to remember.
        let is_more = caller.contains("scopes") || caller.contains("read");
        assert!(again || !is_more || caller.contains("-1"), "{caller}");
    }
}

/// One line of a MiB takes no longer than other lines of a MiB, and no stack, whatever is in it.
#[test]
fn lines_made_to_take_long() {
    let policy = policy();
    let many = |name: &dyn Fn(usize) -> String, count: usize| -> Vec<String> {
        (0..count).map(name).collect()
    };
    let members = |names: &[String]| {
        names.iter().map(|name| format!("\"{name}\":0")).collect::<Vec<_>>().join(",")
    };
    let quoted = |names: &[String]| format!("\"{}\"", names.join("\",\""));
    let claims = many(&|at| format!("/claims/c{at}"), 20_000);
    let names = many(&|at| format!("/a{at}"), 20_000);
    let deep = format!("\"/claims{}\":1", "/a".repeat(400_000));
    let below = many(&|at| format!("/claims/plan/c{at}"), 20_000);
    for rest in [
        format!("\"read\":{{{deep}}}"),
        format!("\"read\":{{{}}}", members(&claims)),
        format!("\"read\":{{{}}}", members(&below)),
        format!("\"read\":{{{}}},\"cut\":[{}]", members(&names), quoted(&claims)),
        format!("\"absent\":[{}],\"too_large\":[{}]", quoted(&claims), quoted(&names)),
        format!("\"scopes\":[{}]", quoted(&names)),
        // A claim that a rule reads, again and again, beside a long one.
        format!(
            "\"read\":{{\"/claims/tenant\":[{}0],{}\"/claims/other\":2}}",
            "0,".repeat(200_000),
            "\"/claims/other\":1,".repeat(30_000)
        ),
    ] {
        let line = format!(
            "{{\"time\":\"2026-11-22T10:00:00.000Z\",\"audit\":1,\"peer\":\"::1\",\"principal\":{{\"kind\":\"jwt\"}},\
             \"route\":\"main\",\"host\":\"a\",\"revision\":\"2025-11-25\",\"method\":\"tools/call\",\"kind\":\"tool\",\
             \"target\":\"write\",\"decision\":\"allow\",{rest}}}"
        );
        assert!(line.len() < super::LINE, "{}", line.len());
        let (mut judge, mut traffic) = (Judge::new(&policy, None), super::Traffic::default());
        let lines: Vec<String> = (0..3).map(|at| line.replace("::1", &format!("::{at}"))).collect();
        records(&lines, |_, record, asked| {
            judge.judge(record, asked).expect("it is judged");
            traffic.add(record, asked);
        });
        assert_eq!(traffic.allowed.len(), 1);
    }
    // More calls than a batch can have.
    let call = "{\"method\":\"ping\"}";
    for (calls, is_read) in [(20, true), (10_000, false)] {
        let mut line = format!(
            "{{\"time\":\"2026-11-22T10:00:00.000Z\",\"decision\":\"allow\",\"calls\":[{}]}}",
            vec![call; calls].join(",")
        )
        .into_bytes();
        let read = Reader::default().read(&mut line, |read| read.is_ok());
        assert_eq!(read, is_read, "{calls}");
    }
}

/// Whatever the order of the records and however threads share them, what is learnt is the same to the byte; of more names than are
/// kept, the first in their order are.
#[test]
fn what_is_learnt_depends_on_no_order() {
    const MOST: usize = 5000;
    /// Of two that were called at one time, of many callers and claims.
    fn line(at: usize, decision: &str, tool: &str) -> String {
        let many: Vec<String> =
            (0..80).map(|n| format!("\"/args/a{}\":\"v{at}\"", (n * 31 + at) % 97)).collect();
        let args =
            if at.is_multiple_of(500) { format!(",{}", many.join(",")) } else { String::new() };
        format!(
            "{{\"time\":\"2026-11-22T10:0{}:00.000Z\",\"audit\":1,\"peer\":\"::1\",\"principal\":{{\"kind\":\"jwt\",\
             \"id\":\"u{}\"}},\"route\":\"main\",\"host\":\"a\",\"revision\":\"2025-11-25\",\"method\":\"tools/call\",\
             \"kind\":\"tool\",\"target\":\"{tool}\",\"decision\":\"{decision}\",\
             \"read\":{{\"/claims/plan\":\"p{}\"{args}}}}}",
            at % 3,
            at % 11,
            at % 40,
        )
    }
    let learnt = |lines: &[String]| {
        let mut traffic = super::Traffic::default();
        records(lines, |_, record, asked| traffic.add(record, asked));
        traffic
    };
    let name = |at: usize| format!("t{:05}", at * 7919 % (MOST + 1));
    let shown = |traffic: &super::Traffic| {
        let proposal =
            super::propose(traffic, super::Wish { arguments: true, ..Default::default() });
        (format!("{traffic:?}"), proposal.text, proposal.left_out)
    };

    // At the edge: all are kept, and one more is not.
    let mut lines: Vec<String> = (0..MOST).map(|at| line(at, "allow", &name(at))).collect();
    let edge = learnt(&lines);
    assert_eq!((edge.allowed.len(), edge.beyond), (MOST, 0));
    // The name that comes first, last of all, and again one that has to go.
    lines.push(line(MOST, "allow", &name(MOST)));
    lines.push(line(MOST + 1, "allow", "t05000"));
    lines.extend((0..200).map(|at| line(at, "allow", "a")));
    let whole = learnt(&lines);
    assert_eq!((whole.allowed.len(), whole.beyond), (MOST, 3));
    assert!(!whole.allowed.contains_key(&("tool", "t05000".into())));
    assert!(!whole.allowed.contains_key(&("tool", "t04999".into())));

    let whole = shown(&whole);
    let backwards: Vec<String> = lines.iter().rev().cloned().collect();
    assert_eq!(shown(&learnt(&backwards)), whole);
    let share = |thread| lines.iter().skip(thread).step_by(3).cloned().collect::<Vec<_>>();
    let mut all = super::Traffic::default();
    [2, 0, 1].into_iter().for_each(|thread| all.merge(learnt(&share(thread))));
    assert_eq!(shown(&all), whole);
}

/// Where more names were refused than are kept, what may be among them is not proposed.
#[test]
fn what_may_have_been_refused_is_left_out() {
    let line = |decision: &str, tool: &str| {
        format!(
            "{{\"time\":\"2026-11-22T10:00:00.000Z\",\"method\":\"tools/call\",\"kind\":\"tool\",\"target\":\"{tool}\",\
             \"decision\":\"{decision}\",\"reason\":\"default_deny\"}}"
        )
    };
    let proposed = |refused: usize| {
        let mut lines: Vec<String> =
            (0..refused).map(|at| line("deny", &format!("b{at:05}"))).collect();
        lines.extend(["a", "z"].map(|tool| line("allow", tool)));
        lines.push(line("deny", "z"));
        let mut traffic = super::Traffic::default();
        records(&lines, |_, record, asked| traffic.add(record, asked));
        let propose = |include_denied| {
            let wish = super::Wish { include_denied, ..Default::default() };
            let all = super::propose(&traffic, wish).names;
            all.into_iter().map(|(_, name)| String::from(name)).collect::<Vec<_>>().join(" ")
        };
        (propose(false), propose(true))
    };
    assert_eq!(proposed(4999), ("a".into(), "a z".into()));
    assert_eq!(proposed(5000), ("a".into(), "a z".into()));
    assert_eq!(proposed(5001), ("a".into(), "a z".into()));
}

/// What is called on another route or in another revision is another thing.
#[test]
fn no_two_aims_have_one_key() {
    use crate::wire::mcp::{ObjectKind, Revision};
    let mut keys = std::collections::BTreeSet::new();
    let objects = [None, Some((ObjectKind::Tool, "a")), Some((ObjectKind::Prompt, "a"))];
    let mut count = 0;
    for method in ["", "a", "tools/call"] {
        for object in objects.into_iter().chain([Some((ObjectKind::Tool, ""))]) {
            for route in ["", "a", "main"] {
                for revision in Revision::ALL {
                    let asked = Asked { method, object, rule: None };
                    let mut key = Vec::new();
                    super::aim::Aim::write_key(&mut key, &asked, route, revision);
                    keys.insert(key);
                    count += 1;
                }
            }
        }
    }
    assert_eq!(keys.len(), count);
}
