//! Which revision a request speaks: each line of the decision, with its refusal.

use mcpfw::wire::mcp::headers::HeaderFault;
use mcpfw::wire::mcp::revision::{
    BodyVersion, Inputs, Revision, RevisionError, RevisionSet, decide, decide_bodyless,
};

const MODERN: &str = "2026-07-28";
const JUNE: &str = "2025-06-18";
const NOVEMBER: &str = "2025-11-25";

fn text(version: &str) -> BodyVersion<'_> {
    BodyVersion::Text(version)
}

/// A modern request that is all right.
fn modern() -> Inputs<'static> {
    Inputs {
        method: "tools/call",
        is_request: true,
        body_version: text(MODERN),
        has_capabilities: true,
        header: Some(MODERN),
        route: RevisionSet::ALL,
        ..Inputs::default()
    }
}

/// A legacy request that is all right.
fn legacy() -> Inputs<'static> {
    Inputs {
        method: "tools/call",
        is_request: true,
        header: Some(JUNE),
        route: RevisionSet::ALL,
        ..Inputs::default()
    }
}

fn initialize(requested: &str) -> Inputs<'_> {
    Inputs { method: "initialize", header: None, requested: Some(requested), ..legacy() }
}

/// Code and slug of a refusal.
fn refusal(inputs: &Inputs<'_>) -> Option<(i64, &'static str)> {
    decide(inputs).err().map(|error| (error.code(), error.slug()))
}

#[test]
fn a_version_in_the_body_is_modern() {
    assert_eq!(decide(&modern()), Ok(Revision::V2026_07_28));
    let table: &[(&str, Inputs<'_>, (i64, &str))] = &[
        ("header missing", Inputs { header: None, ..modern() }, (-32020, "header_missing")),
        (
            "header legacy",
            Inputs { header: Some(NOVEMBER), ..modern() },
            (-32020, "header_mismatch"),
        ),
        (
            "header unknown",
            Inputs { header: Some("2027-01-01"), ..modern() },
            (-32020, "header_mismatch"),
        ),
        ("header empty", Inputs { header: Some(""), ..modern() }, (-32020, "header_mismatch")),
        (
            "header longer",
            Inputs { header: Some("2026-07-28.1"), ..modern() },
            (-32020, "header_mismatch"),
        ),
        (
            "both unknown",
            Inputs { body_version: text("2027-01-01"), header: Some("2027-01-01"), ..modern() },
            (-32022, "version_unsupported"),
        ),
        (
            "a legacy revision in the modern place",
            Inputs { body_version: text(JUNE), header: Some(JUNE), ..modern() },
            (-32022, "version_unsupported"),
        ),
        (
            "not served here",
            Inputs { route: RevisionSet::LEGACY, ..modern() },
            (-32022, "version_unsupported"),
        ),
        (
            "no capabilities",
            Inputs { has_capabilities: false, ..modern() },
            (-32602, "envelope_missing"),
        ),
        (
            "no capabilities comes before the header",
            Inputs { has_capabilities: false, header: Some(JUNE), ..modern() },
            (-32602, "envelope_missing"),
        ),
        (
            "the header comes before the version",
            Inputs { body_version: text("2027-01-01"), ..modern() },
            (-32020, "header_mismatch"),
        ),
        (
            "not a string",
            Inputs { body_version: BodyVersion::Malformed, ..modern() },
            (-32602, "envelope_missing"),
        ),
        (
            "not a string, legacy header",
            Inputs { body_version: BodyVersion::Malformed, ..legacy() },
            (-32602, "envelope_missing"),
        ),
        (
            "empty",
            Inputs { body_version: text(""), header: Some(""), ..modern() },
            (-32022, "version_unsupported"),
        ),
        (
            "initialize with an envelope is no handshake",
            Inputs { method: "initialize", header: None, requested: Some(JUNE), ..modern() },
            (-32020, "header_missing"),
        ),
        (
            "a session does not make it legacy",
            Inputs { session: Some(Revision::V2025_06_18), header: Some(JUNE), ..modern() },
            (-32020, "header_mismatch"),
        ),
    ];
    for (name, inputs, expected) in table {
        assert_eq!(refusal(inputs), Some(*expected), "{name}");
    }
}

#[test]
fn a_modern_notification_needs_neither_header_nor_envelope() {
    let notification = Inputs { method: "notifications/x", is_request: false, ..modern() };
    let table: &[(Inputs<'_>, Option<(i64, &str)>)] = &[
        (notification, None),
        (Inputs { header: None, ..notification }, None),
        (Inputs { has_capabilities: false, ..notification }, None),
        (Inputs { body_version: BodyVersion::Absent, ..notification }, None),
        // What is there must agree.
        (Inputs { header: Some(JUNE), ..notification }, Some((-32020, "header_mismatch"))),
        (
            Inputs { route: RevisionSet::LEGACY, ..notification },
            Some((-32022, "version_unsupported")),
        ),
        (
            Inputs {
                body_version: BodyVersion::Absent,
                route: RevisionSet::LEGACY,
                ..notification
            },
            Some((-32022, "version_unsupported")),
        ),
        (
            Inputs { body_version: BodyVersion::Malformed, ..notification },
            Some((-32602, "envelope_missing")),
        ),
    ];
    for (inputs, expected) in table {
        match expected {
            Some(expected) => assert_eq!(refusal(inputs), Some(*expected), "{inputs:?}"),
            None => assert_eq!(decide(inputs), Ok(Revision::V2026_07_28), "{inputs:?}"),
        }
    }
}

#[test]
fn a_modern_header_without_envelope_names_the_missing_keys() {
    let bare = Inputs { body_version: BodyVersion::Absent, has_capabilities: false, ..modern() };
    let table: &[(Inputs<'_>, &str)] = &[
        (
            bare,
            "params._meta lacks io.modelcontextprotocol/protocolVersion and io.modelcontextprotocol/clientCapabilities",
        ),
        (
            Inputs { has_capabilities: true, ..bare },
            "params._meta lacks io.modelcontextprotocol/protocolVersion",
        ),
        (
            Inputs { has_capabilities: false, ..modern() },
            "params._meta lacks io.modelcontextprotocol/clientCapabilities",
        ),
        // Some servers would run it as modern, some as a handshake.
        (
            Inputs { method: "initialize", requested: Some(JUNE), ..bare },
            "params._meta lacks io.modelcontextprotocol/protocolVersion and io.modelcontextprotocol/clientCapabilities",
        ),
    ];
    for (inputs, message) in table {
        let error = decide(inputs).unwrap_err();
        assert_eq!(error.code(), -32602);
        assert_eq!(error.to_string(), *message);
    }
}

#[test]
fn a_legacy_header_is_the_revision() {
    for revision in RevisionSet::LEGACY.iter() {
        let inputs = Inputs { header: Some(revision.as_str()), ..legacy() };
        assert_eq!(decide(&inputs), Ok(revision));
        assert_eq!(decide(&Inputs { session: Some(revision), ..inputs }), Ok(revision));
        let other = Inputs { route: RevisionSet::MODERN, ..inputs };
        assert_eq!(refusal(&other), Some((-32022, "version_unsupported")));
    }
    let contradicts = Inputs { session: Some(Revision::V2025_03_26), ..legacy() };
    assert_eq!(decide(&contradicts), Err(RevisionError::Session));
    assert_eq!(refusal(&contradicts), Some((-32600, "version_not_negotiated")));
}

#[test]
fn an_unknown_header_is_unsupported() {
    for header in
        ["2027-01-01", "", "latest", "2025-06-18, 2025-06-18", "2025-06-18\t;x", "DRAFT-2026-v1"]
    {
        for inputs in [
            Inputs { header: Some(header), ..legacy() },
            Inputs { header: Some(header), is_request: false, ..legacy() },
            Inputs { header: Some(header), ..initialize(JUNE) },
        ] {
            let error = decide(&inputs).unwrap_err();
            assert_eq!(error.code(), -32022, "{header}");
            assert_eq!(error.requested(), Some(header));
        }
    }
}

#[test]
fn without_a_header_the_session_or_the_path_or_the_default_says() {
    let bare = Inputs { header: None, ..legacy() };
    let table: &[(Inputs<'_>, Revision)] = &[
        (bare, Revision::V2025_03_26),
        (Inputs { is_request: false, ..bare }, Revision::V2025_03_26),
        (Inputs { session: Some(Revision::V2025_11_25), ..bare }, Revision::V2025_11_25),
        (Inputs { announced: true, ..bare }, Revision::V2024_11_05),
        (
            Inputs { announced: true, session: Some(Revision::V2025_06_18), ..bare },
            Revision::V2025_06_18,
        ),
    ];
    for (inputs, expected) in table {
        assert_eq!(decide(inputs), Ok(*expected));
    }
    let route = RevisionSet::between(Revision::V2025_06_18, Revision::V2026_07_28);
    let error = decide(&Inputs { route, ..bare }).unwrap_err();
    assert_eq!((error.code(), error.requested()), (-32022, Some("2025-03-26")));
}

#[test]
fn initialize_is_the_legacy_handshake() {
    let all = RevisionSet::ALL;
    let since_june = RevisionSet::between(Revision::V2025_06_18, Revision::V2026_07_28);
    type Row<'a> = (&'a str, RevisionSet, Result<Revision, (i64, Option<&'a str>)>);
    let table: &[Row<'_>] = &[
        ("2024-11-05", all, Ok(Revision::V2024_11_05)),
        (JUNE, all, Ok(Revision::V2025_06_18)),
        (NOVEMBER, all, Ok(Revision::V2025_11_25)),
        // The server answers with what it has.
        (MODERN, all, Ok(Revision::V2025_11_25)),
        ("2027-01-01", all, Ok(Revision::V2025_11_25)),
        ("", all, Ok(Revision::V2025_11_25)),
        ("2027-01-01", RevisionSet::only(Revision::V2025_03_26), Ok(Revision::V2025_03_26)),
        // Every later request of that session would be refused.
        ("2024-11-05", since_june, Err((-32602, Some("2024-11-05")))),
        // A modern-only route names what it has.
        (JUNE, RevisionSet::MODERN, Err((-32022, Some(JUNE)))),
        (MODERN, RevisionSet::MODERN, Err((-32022, Some(MODERN)))),
    ];
    for (requested, route, expected) in table {
        let decided = decide(&Inputs { route: *route, ..initialize(requested) });
        match (decided, expected) {
            (Ok(revision), Ok(expected)) => assert_eq!(revision, *expected, "{requested}"),
            (Err(error), Err(expected)) => {
                assert_eq!((error.code(), error.requested()), *expected, "{requested}");
            }
            (decided, expected) => assert_eq!(format!("{decided:?}"), format!("{expected:?}")),
        }
    }
    // A client that comes back may still send the version of its last session.
    assert_eq!(
        decide(&Inputs { header: Some(NOVEMBER), ..initialize(JUNE) }),
        Ok(Revision::V2025_06_18)
    );
    assert_eq!(
        decide(&Inputs {
            session: Some(Revision::V2025_11_25),
            header: Some(JUNE),
            ..initialize(JUNE)
        }),
        Ok(Revision::V2025_06_18)
    );
}

#[test]
fn get_and_delete_are_legacy() {
    let all = RevisionSet::ALL;
    let session = Some(Revision::V2025_06_18);
    assert_eq!(decide_bodyless(None, None, all), Ok(Revision::V2025_03_26));
    assert_eq!(decide_bodyless(None, session, all), Ok(Revision::V2025_06_18));
    assert_eq!(decide_bodyless(Some(JUNE), session, all), Ok(Revision::V2025_06_18));
    assert_eq!(decide_bodyless(Some(JUNE), None, all), Ok(Revision::V2025_06_18));
    assert_eq!(decide_bodyless(Some(NOVEMBER), session, all), Err(RevisionError::Session));
    let modern = decide_bodyless(Some(MODERN), None, all).unwrap_err();
    assert_eq!((modern.status().as_u16(), modern.slug()), (405, "no_stream"));
    assert_eq!(decide_bodyless(Some("x"), None, all).unwrap_err().code(), -32022);
    assert_eq!(decide_bodyless(Some(JUNE), None, RevisionSet::MODERN).unwrap_err().code(), -32022);
}

#[test]
fn a_refusal_repeats_little() {
    let long = "é".repeat(100);
    let error = decide(&Inputs { header: Some(&long), ..legacy() }).unwrap_err();
    assert_eq!(error.requested(), Some("é".repeat(32).as_str()));
    assert_eq!(error.status().as_u16(), 400);
    let missing = decide(&Inputs { header: None, ..modern() }).unwrap_err();
    assert!(matches!(missing, RevisionError::Header(error) if error.fault == HeaderFault::Missing));
}
