//! The method table against the specification, row by row.

use mcpfw::wire::mcp::{Method, Mirrored, ObjectKind, Revision, Target};

/// A method, who sends it to whom in which revisions (A = 2024-11-05 … E = 2026-07-28), and what its
/// target and its name header are.
const TABLE: &str = "
initialize                               ABCD  -     request      -        -         lifecycle
server/discover                          E     -     request      -        -         lifecycle
ping                                     ABCD  ABCD  request      -        -         lifecycle
tools/list                               ABCDE -     request      -        -         lifecycle
tools/call                               ABCDE -     request      tool     required  -
resources/list                           ABCDE -     request      -        -         lifecycle
resources/templates/list                 ABCDE -     request      -        -         lifecycle
resources/read                           ABCDE -     request      uri      required  -
resources/subscribe                      ABCD  -     request      uri      -         -
resources/unsubscribe                    ABCD  -     request      uri      -         -
subscriptions/listen                     E     -     request      filter   -         -
prompts/list                             ABCDE -     request      -        -         lifecycle
prompts/get                              ABCDE -     request      prompt   required  -
completion/complete                      ABCDE -     request      ref      -         -
logging/setLevel                         ABCD  -     request      -        -         lifecycle
tasks/get                                DE    D     request      task     ifpresent -
tasks/result                             D     D     request      task     ifpresent -
tasks/cancel                             DE    D     request      task     ifpresent -
tasks/list                               D     D     request      -        -         -
tasks/update                             E     -     request      task     ifpresent -
sampling/createMessage                   -     ABCD  request      -        -         -
roots/list                               -     ABCD  request      -        -         -
elicitation/create                       -     CD    request      -        -         -
notifications/initialized                ABCD  -     notification -        -         lifecycle
notifications/cancelled                  ABCD  ABCDE notification -        -         lifecycle
notifications/progress                   ABCD  ABCDE notification -        -         lifecycle
notifications/message                    -     ABCDE notification -        -         -
notifications/roots/list_changed         ABCD  -     notification -        -         lifecycle
notifications/tools/list_changed         -     ABCDE notification -        -         -
notifications/prompts/list_changed       -     ABCDE notification -        -         -
notifications/resources/list_changed     -     ABCDE notification -        -         -
notifications/resources/updated          -     ABCDE notification uri      -         -
notifications/subscriptions/acknowledged -     E     notification filter   -         -
notifications/elicitation/complete       -     D     notification -        -         -
notifications/tasks/status               D     D     notification task     -         lifecycle
notifications/tasks                      -     E     notification task     -         -
";

fn letters(contains: impl Fn(Revision) -> bool) -> String {
    let letters: String = "ABCDE"
        .chars()
        .zip(Revision::ALL)
        .filter(|(_, revision)| contains(*revision))
        .map(|(letter, _)| letter)
        .collect();
    if letters.is_empty() { "-".to_owned() } else { letters }
}

#[test]
fn the_table_says_what_the_specification_says() {
    let rows: Vec<Vec<&str>> =
        TABLE.trim().lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), Method::all().len());
    for row in rows {
        let [name, to_server, to_client, kind, target, header, lifecycle] =
            row[..].try_into().unwrap();
        let info = Method::from_wire(name).info();
        assert_eq!(info.name, name);
        assert_eq!(letters(|revision| info.is_sent_to_server(revision)), to_server, "{name}");
        assert_eq!(letters(|revision| info.is_sent_to_client(revision)), to_client, "{name}");
        assert_eq!(info.is_notification, kind == "notification", "{name}");
        let expected = match target {
            "tool" => Target::Name(ObjectKind::Tool),
            "prompt" => Target::Name(ObjectKind::Prompt),
            "uri" => Target::Uri,
            "ref" => Target::Ref,
            "task" => Target::Task,
            "filter" => Target::Filter,
            _ => Target::None,
        };
        assert_eq!(info.target, expected, "{name}");
        let expected = match header {
            "required" => Mirrored::Required,
            "ifpresent" => Mirrored::IfPresent,
            _ => Mirrored::No,
        };
        assert_eq!(info.mirrored, expected, "{name}");
        assert_eq!(info.is_lifecycle, lifecycle == "lifecycle", "{name}");
    }
}

#[test]
fn lists_say_what_they_list() {
    let lists: Vec<_> =
        Method::all().iter().filter_map(|info| info.lists.map(|kind| (info.name, kind))).collect();
    assert_eq!(
        lists,
        [
            ("prompts/list", ObjectKind::Prompt),
            ("resources/list", ObjectKind::Resource),
            ("resources/templates/list", ObjectKind::Resource),
            ("tools/list", ObjectKind::Tool),
        ]
    );
}

#[test]
fn names_are_matched_byte_for_byte() {
    for name in [
        "",
        "Tools/Call",
        "tools/call ",
        "tools/call\0",
        "tools",
        "tools/",
        "tools//call",
        "TOOLS/CALL",
        "x",
    ] {
        assert_eq!(Method::from_wire(name), Method::Other, "{name}");
    }
}

#[test]
fn an_unknown_method_belongs_to_no_revision() {
    let info = Method::Other.info();
    for revision in Revision::ALL {
        assert!(!info.is_sent_to_server(revision) && !info.is_sent_to_client(revision));
    }
    assert!(!info.is_lifecycle && info.lists.is_none() && info.target == Target::None);
}

#[test]
fn what_a_server_asks_stands_in_input_requests() {
    let asked: Vec<_> =
        Method::all().iter().filter(|info| info.is_input_request).map(|info| info.name).collect();
    assert_eq!(asked, ["elicitation/create", "roots/list", "sampling/createMessage"]);
}
