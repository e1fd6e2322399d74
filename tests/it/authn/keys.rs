//! Key sets, and the bad days of those who serve them (T39, T40, T41).

use std::sync::Arc;
use std::time::Duration;

use mcpfw::identity::{
    AuthError, Authenticator, FetchError, Invalid, JwksError, KeyEvent, KeyFault, Source,
    StartError,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::{ISSUER, claims, fixed, good, keys, trust, verify};
use crate::support::idp::{Idp, Mode, TestKey, b64, jwks};

/// An authenticator whose keys come from a URL, and what it tells of them.
struct Remote {
    authenticator: Arc<Authenticator>,
    events: mpsc::UnboundedReceiver<KeyEvent>,
}

impl Remote {
    fn new(source: Source) -> Self {
        let (tell, events) = mpsc::unbounded_channel();
        let authenticator = Authenticator::new([trust(ISSUER, source)], move |issuer, event| {
            assert_eq!(issuer, ISSUER);
            let _ = tell.send(event);
        });
        Self { authenticator: Arc::new(authenticator.unwrap()), events }
    }

    fn at(idp: &Idp) -> Self {
        Self::new(Source::Url { url: idp.url(), allow_private: false })
    }

    async fn event(&mut self) -> KeyEvent {
        timeout(Duration::from_secs(10), self.events.recv()).await.unwrap().unwrap()
    }

    async fn verdict(&self, token: &str) -> Result<(), AuthError> {
        verify(&self.authenticator, token).await.map(|_| ())
    }
}

fn by(key: &TestKey, kid: &str) -> String {
    key.token("EdDSA", &format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#), &claims(&[]))
}

const UNKNOWN: Result<(), AuthError> = Err(AuthError::Invalid(Invalid::UnknownKey));
const UNAVAILABLE: Result<(), AuthError> = Err(AuthError::Unavailable);

#[tokio::test]
async fn keys_are_fetched_at_the_start_and_a_first_token_waits_for_them() {
    let idp = Idp::serving([&keys().ed]).await;
    let mut remote = Remote::at(&idp);
    assert_eq!(remote.verdict(&good(&[])).await, Ok(()));
    assert!(remote.authenticator.is_ready());
    assert_eq!(
        remote.event().await,
        KeyEvent::Fetched { keys: 1, revoked: false, skipped: vec![] }
    );
    assert_eq!(idp.requests(), 1);
    let seen = idp.seen().to_ascii_lowercase();
    assert!(
        seen.starts_with("get /jwks.json http/1.1\r\n") && seen.contains("user-agent: mcpfw/"),
        "{seen}"
    );
    assert!(!seen.contains("authorization") && !seen.contains("accept-encoding"), "{seen}");
}

#[tokio::test]
async fn without_keys_every_token_is_answered_by_unavailable() {
    for mode in [Mode::Hangup, Mode::Status("500 Oops", String::new())] {
        let idp = Idp::start(mode).await;
        let mut remote = Remote::at(&idp);
        remote.authenticator.asked().await;
        assert!(!remote.authenticator.is_ready());
        assert_eq!(remote.verdict(&good(&[])).await, UNAVAILABLE);
        // What no key could mend is refused as it always is, without one.
        let expired = remote.verdict(&good(&[("exp", "0")])).await;
        assert_eq!(expired, Err(AuthError::Invalid(Invalid::Expired)));
        assert!(matches!(remote.event().await, KeyEvent::Failed(_)));
        // And they come as soon as the issuer is back: the next try is a second away.
        idp.set(Mode::Document(jwks([&keys().ed]), ""));
        assert!(matches!(remote.event().await, KeyEvent::Fetched { .. }));
        assert_eq!(remote.verdict(&good(&[])).await, Ok(()));
    }
}

/// Time is virtual here: it jumps to the next deadline as soon as everybody waits, which is all that a silent server leaves to do.
#[tokio::test(start_paused = true)]
async fn a_request_waits_a_second_for_a_silent_issuer() {
    let idp = Idp::start(Mode::Stall).await;
    let mut remote = Remote::at(&idp);
    let began = Instant::now();
    assert_eq!(remote.verdict(&good(&[])).await, UNAVAILABLE);
    assert_eq!(began.elapsed().as_secs(), 1);
    assert_eq!(remote.event().await, KeyEvent::Failed(FetchError::Timeout));
    assert_eq!(began.elapsed().as_secs(), 2);
}

/// T39: as many unknown keys as anybody sends cost one fetch, and tokens with a known key do not wait for it.
#[tokio::test]
async fn a_storm_of_unknown_keys_costs_nothing() {
    let idp = Idp::serving([&keys().ed]).await;
    let remote = Remote::at(&idp);
    assert_eq!(remote.verdict(&good(&[])).await, Ok(()));
    let header = |n: u32| format!(r#"{{"alg":"EdDSA","kid":"random-{n}"}}"#);
    let storm = (0..2_000).map(|n| {
        // Unknown keys are found before any signature is looked at.
        let token = format!("{}.{}.{}", b64(header(n)), b64(claims(&[])), b64([0; 64]));
        let authenticator = Arc::clone(&remote.authenticator);
        tokio::spawn(async move { verify(&authenticator, &token).await.map(|_| ()) })
    });
    let storm: Vec<_> = storm.collect();
    assert_eq!(remote.verdict(&good(&[("sub", "\"while it rages\"")])).await, Ok(()));
    for task in storm {
        assert_eq!(task.await.unwrap(), UNKNOWN);
    }
    assert_eq!(idp.requests(), 1, "the first fetch was less than 30 s ago");
}

/// T39, T41: a hundred callers at a cold start share one fetch.
#[tokio::test]
async fn waiting_callers_share_a_fetch() {
    let idp = Idp::start(Mode::Stall).await;
    let remote = Remote::at(&idp);
    let callers: Vec<_> = (0..100)
        .map(|n| {
            let authenticator = Arc::clone(&remote.authenticator);
            let token = good(&[("sub", &format!("\"u{n}\""))]);
            tokio::spawn(async move { verify(&authenticator, &token).await.map(|_| ()) })
        })
        .collect();
    tokio::task::yield_now().await;
    idp.set(Mode::Document(jwks([&keys().ed]), ""));
    for caller in callers {
        assert_eq!(caller.await.unwrap(), Ok(()));
    }
    assert_eq!(idp.requests(), 1);
}

/// Pauses the clock, so that hours pass at once; while the document is in a file nothing waits for a socket.
struct Timelapse {
    remote: Remote,
    path: std::path::PathBuf,
    _directory: tempfile::TempDir,
}

impl Timelapse {
    async fn new(document: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jwks.json");
        std::fs::write(&path, document).unwrap();
        let mut remote = Remote::new(Source::File(path.clone()));
        remote.event().await;
        Self { remote, path, _directory: directory }
    }

    /// Lets `time` pass.
    async fn pass(&mut self, time: Duration) {
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_new_key_is_found_when_its_first_token_comes() {
    let (old, new) = (TestKey::ed("old"), TestKey::ed("new"));
    let mut lapse = Timelapse::new(&jwks([&old])).await;
    std::fs::write(&lapse.path, jwks([&old, &new])).unwrap();
    assert_eq!(lapse.remote.verdict(&by(&new, "new")).await, UNKNOWN, "within the cool-down");
    lapse.pass(30 * SECOND).await;
    assert_eq!(
        lapse.remote.verdict(&by(&new, "new")).await,
        Ok(()),
        "the token waited for the fetch"
    );
    assert_eq!(
        lapse.remote.event().await,
        KeyEvent::Fetched { keys: 2, revoked: false, skipped: vec![] }
    );
    assert_eq!(lapse.remote.verdict(&by(&old, "old")).await, Ok(()));
}

/// T41: a key that its issuer withdrew is worth nothing from that fetch on, whatever was remembered of it.
#[tokio::test]
async fn a_withdrawn_key_dies_at_once() {
    let (kept, gone) = (TestKey::ed("kept"), TestKey::ed("gone"));
    let mut lapse = Timelapse::new(&jwks([&kept, &gone])).await;
    let token = by(&gone, "gone");
    let mut last = mcpfw::identity::LastToken::default();
    let headers = super::bearer(&token);
    let authenticator = Arc::clone(&lapse.remote.authenticator);
    assert!(authenticator.authenticate_at(super::NOW, &headers, None, &mut last).await.is_ok());
    // A key of the same name and another's hand is no better.
    for (document, revoked) in
        [(jwks([&kept]), true), (jwks([&kept, &TestKey::ed("gone")]), false), (jwks([&kept]), true)]
    {
        std::fs::write(&lapse.path, document).unwrap();
        lapse.pass(49 * SECOND).await;
        let event = lapse.remote.event().await;
        assert!(
            matches!(event, KeyEvent::Fetched { revoked: seen, .. } if seen == revoked),
            "{event:?}"
        );
        let again = authenticator.authenticate_at(super::NOW, &headers, None, &mut last).await;
        assert!(matches!(
            again.err(),
            Some(AuthError::Invalid(Invalid::UnknownKey | Invalid::Signature))
        ));
        assert_eq!(lapse.remote.verdict(&by(&kept, "kept")).await, Ok(()));
    }
    // An empty set is a set: everything is withdrawn.
    std::fs::write(&lapse.path, r#"{"keys":[]}"#).unwrap();
    lapse.pass(49 * SECOND).await;
    assert_eq!(
        lapse.remote.event().await,
        KeyEvent::Fetched { keys: 0, revoked: true, skipped: vec![] }
    );
    assert_eq!(lapse.remote.verdict(&by(&kept, "kept")).await, UNKNOWN);
}

/// T41: whatever the issuer serves instead of keys, those at hand stay good, for a day.
#[tokio::test]
async fn an_outage_harms_nobody_for_a_day() {
    let mut lapse = Timelapse::new(&jwks([&keys().ed])).await;
    for rubbish in [
        "",
        "<html>down for maintenance</html>",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[1]}"#,
        "{\"keys\":[],",
    ] {
        std::fs::write(&lapse.path, rubbish).unwrap();
        lapse.pass(49 * SECOND).await;
        assert!(matches!(lapse.remote.event().await, KeyEvent::Failed(_)), "{rubbish}");
        let fresh = good(&[("jti", &format!("\"{}\"", rubbish.len()))]);
        assert_eq!(lapse.remote.verdict(&fresh).await, Ok(()), "{rubbish}");
    }
    std::fs::remove_file(&lapse.path).unwrap();
    lapse.pass(49 * SECOND).await;
    assert_eq!(
        lapse.remote.event().await,
        KeyEvent::Failed(FetchError::File(std::io::ErrorKind::NotFound))
    );
    lapse.pass(23 * 3600 * SECOND).await;
    assert_eq!(lapse.remote.verdict(&good(&[("jti", "\"late\"")])).await, Ok(()));
    lapse.pass(3600 * SECOND).await;
    assert!(!lapse.remote.authenticator.is_ready());
    assert_eq!(lapse.remote.verdict(&good(&[("jti", "\"too late\"")])).await, UNAVAILABLE);
}

/// T40: what a hostile or broken server may do to us is one line in the log, within two seconds.
#[tokio::test]
async fn hostile_servers() {
    let document = jwks([&keys().ed]);
    let elsewhere = Idp::serving([&keys().ed]).await;
    let json = format!("content-type: application/json\r\nx: {}\r\n", "y".repeat(2000));
    let json: &'static str = Box::leak(json.into_boxed_str());
    let padded = |size: usize| {
        let mut padded = document.clone();
        padded.push_str(&" ".repeat(size - document.len()));
        padded
    };
    let crowd = |keys: usize| json!({"keys": vec![super::keys().ec.jwk.clone(); keys]}).to_string();
    let fetched = |keys: usize| Ok(keys);
    let bad = |error: JwksError| Err(FetchError::Document(error));
    let redirect = |status| Mode::Status(status, format!("location: {}\r\n", elsewhere.url()));
    let cases: Vec<(&str, Mode, Result<usize, FetchError>)> = vec![
        ("a good one", Mode::Document(document.clone(), json), fetched(1)),
        ("without a type", Mode::Document(document.clone(), ""), fetched(1)),
        (
            "as plain text",
            Mode::Document(document.clone(), "content-type: text/plain\r\n"),
            fetched(1),
        ),
        (
            "as HTML",
            Mode::Document(document.clone(), "content-type: text/html\r\n"),
            Err(FetchError::ContentType),
        ),
        ("redirect 302", redirect("302 Found"), Err(FetchError::Redirect)),
        ("redirect 307", redirect("307 Temporary Redirect"), Err(FetchError::Redirect)),
        ("redirect 308", redirect("308 Permanent Redirect"), Err(FetchError::Redirect)),
        ("404", Mode::Status("404 Not Found", String::new()), Err(FetchError::Status(404))),
        ("500", Mode::Status("500 Oops", String::new()), Err(FetchError::Status(500))),
        ("201", Mode::Status("201 Created", String::new()), Err(FetchError::Status(201))),
        ("hangs up", Mode::Hangup, Err(FetchError::Connect)),
        ("a body cut short", Mode::Truncated(document.clone()), Err(FetchError::Connect)),
        ("a body without end", Mode::Endless, bad(JwksError::TooLarge)),
        ("as large as may be", Mode::Document(padded(256 * 1024), ""), fetched(1)),
        ("too large", Mode::Document(padded(256 * 1024 + 1), ""), bad(JwksError::TooLarge)),
        ("as many keys as may be", Mode::Document(crowd(64), ""), fetched(1)),
        ("too many keys", Mode::Document(crowd(65), ""), bad(JwksError::TooManyKeys)),
        ("HTML all the same", Mode::Document("<html></html>".into(), ""), bad(JwksError::Syntax)),
        ("nothing", Mode::Document(String::new(), ""), bad(JwksError::Syntax)),
        (
            "keys named twice",
            Mode::Document(r#"{"keys":[],"keys":[]}"#.into(), ""),
            bad(JwksError::Syntax),
        ),
        ("one key alone", Mode::Document(keys().ed.jwk.to_string(), ""), bad(JwksError::Shape)),
        ("a list", Mode::Document("[]".into(), ""), bad(JwksError::Shape)),
        (
            "keys that are no objects",
            Mode::Document(r#"{"keys":[null]}"#.into(), ""),
            bad(JwksError::Shape),
        ),
        (
            "too deep",
            Mode::Document(
                format!(r#"{{"keys":[],"x":{}{}}}"#, "[".repeat(20), "]".repeat(20)),
                "",
            ),
            bad(JwksError::Syntax),
        ),
        (
            "gzip that nobody asked for",
            Mode::Document(document.clone(), "content-encoding: gzip\r\n"),
            fetched(1),
        ),
    ];
    for (name, mode, want) in cases {
        let idp = Idp::start(mode).await;
        let mut remote = Remote::at(&idp);
        let got = match remote.event().await {
            KeyEvent::Fetched { keys, .. } => Ok(keys),
            KeyEvent::Failed(error) => Err(error),
        };
        assert_eq!(got, want, "{name}");
    }
    assert_eq!(elsewhere.requests(), 0, "no redirect was followed");
}

/// T40: addresses that no issuer's keys are at are not even connected to.
#[tokio::test]
async fn addresses_that_are_not_asked() {
    for url in [
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/jwks.json",
        "https://[::ffff:169.254.169.254]/jwks.json",
        "https://0.0.0.0/jwks.json",
        "https://224.0.0.1/jwks.json",
    ] {
        for allow_private in [false, true] {
            let mut remote = Remote::new(Source::Url { url: url.parse().unwrap(), allow_private });
            assert_eq!(remote.event().await, KeyEvent::Failed(FetchError::Address), "{url}");
        }
    }
    // `localhost` must be loopback, and is here; what listens there is reached by name as well.
    let idp = Idp::serving([&keys().ed]).await;
    let mut url = idp.url();
    url.set_host(Some("localhost")).unwrap();
    let mut remote = Remote::new(Source::Url { url, allow_private: false });
    assert!(matches!(remote.event().await, KeyEvent::Fetched { .. }));
    // A public name that leads to loopback: this machine's own name does, by its hosts file or not at all.
    let mut url = idp.url();
    url.set_host(Some("localhost.")).unwrap();
    let mut remote = Remote::new(Source::Url { url, allow_private: true });
    assert!(matches!(
        remote.event().await,
        KeyEvent::Failed(FetchError::Address | FetchError::Connect)
    ));
}

fn skipped(document: &Value) -> Vec<(usize, KeyFault)> {
    let seen = Arc::new(Mutex::new(None));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("jwks.json");
    std::fs::write(&path, document.to_string()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let tell = Arc::clone(&seen);
        let authenticator =
            Authenticator::new([trust(ISSUER, Source::File(path))], move |_, event| {
                *tell.lock() = Some(event);
            });
        authenticator.unwrap().asked().await;
    });
    let event = seen.lock().take();
    match event {
        Some(KeyEvent::Fetched { skipped, .. }) => skipped,
        other => vec![(usize::MAX, KeyFault::Malformed)]
            .into_iter()
            .filter(|_| other.is_some())
            .collect(),
    }
}

/// Which keys of a set are used. Each case changes one member of a good key; an empty text takes it out.
#[test]
fn keys_that_are_left_out() {
    let k = keys();
    let zeros = b64([0; 32]);
    let even = b64([0xFE; 256]);
    let short = b64([0xFF; 128]);
    let short_by_a_bit = b64([&[0x7F], &[0xFF; 255][..]].concat());
    let long = b64(vec![0xFF; 1025]);
    let off = b64([1; 32]);
    let cases: Vec<(&TestKey, &str, Value, Option<KeyFault>)> = vec![
        (&k.ed, "x-unknown", json!(1), None),
        (&k.ed, "kty", json!(""), Some(KeyFault::Kind)),
        (&k.ed, "kty", json!("oct"), Some(KeyFault::Kind)),
        (&k.ed, "kty", json!("okp"), Some(KeyFault::Kind)),
        (&k.ed, "kty", json!(1), Some(KeyFault::Malformed)),
        (&k.ed, "kty", json!("RSA"), Some(KeyFault::Malformed)),
        (&k.ed, "crv", json!("X25519"), Some(KeyFault::Kind)),
        (&k.ed, "crv", json!("Ed448"), Some(KeyFault::Kind)),
        (&k.ed, "crv", json!("P-256"), Some(KeyFault::Kind)),
        (&k.ed, "x", json!(b64([1; 31])), Some(KeyFault::Malformed)),
        (&k.ed, "x", json!("!"), Some(KeyFault::Malformed)),
        (&k.ed, "use", json!("enc"), Some(KeyFault::Use)),
        (&k.ed, "use", json!("SIG"), Some(KeyFault::Use)),
        (&k.ed, "use", json!(["sig"]), Some(KeyFault::Malformed)),
        (&k.ed, "key_ops", json!(["verify"]), None),
        (&k.ed, "key_ops", json!(["sign"]), Some(KeyFault::Use)),
        (&k.ed, "key_ops", json!("verify"), Some(KeyFault::Use)),
        (&k.ed, "alg", json!("EdDSA"), None),
        (&k.ed, "alg", json!("RS256"), Some(KeyFault::Kind)),
        (&k.ed, "alg", json!("HS256"), Some(KeyFault::Kind)),
        (&k.ed, "alg", json!("none"), Some(KeyFault::Kind)),
        (&k.ed, "kid", json!(""), Some(KeyFault::Malformed)),
        (&k.ed, "kid", json!(7), Some(KeyFault::Malformed)),
        (&k.ed, "kid", json!("k".repeat(256)), None),
        (&k.ed, "kid", json!("k".repeat(257)), Some(KeyFault::Malformed)),
        (&k.ed, "d", json!("AAAA"), Some(KeyFault::Private)),
        (&k.ec, "alg", json!("ES256"), None),
        (&k.ec, "alg", json!("ES384"), Some(KeyFault::Kind)),
        (&k.ec, "crv", json!("P-384"), Some(KeyFault::Malformed)),
        (&k.ec, "crv", json!("P-521"), Some(KeyFault::Kind)),
        (&k.ec, "crv", json!("secp256k1"), Some(KeyFault::Kind)),
        (&k.ec, "x", json!(off), Some(KeyFault::Weak)),
        (&k.ec, "y", json!(zeros), Some(KeyFault::Weak)),
        (&k.ec, "d", json!(zeros), Some(KeyFault::Private)),
        (&k.ec384, "alg", json!("ES384"), None),
        (&k.rsa, "alg", json!("PS512"), None),
        (&k.rsa, "n", json!(short), Some(KeyFault::Weak)),
        (&k.rsa, "n", json!(short_by_a_bit), Some(KeyFault::Weak)),
        (&k.rsa, "n", json!(long), Some(KeyFault::Weak)),
        (&k.rsa, "n", json!(even), Some(KeyFault::Weak)),
        (&k.rsa, "n", json!(""), Some(KeyFault::Weak)),
        (&k.rsa, "e", json!("AQ"), Some(KeyFault::Weak)), // 1
        (&k.rsa, "e", json!("Ag"), Some(KeyFault::Weak)), // 2
        (&k.rsa, "e", json!("Aw"), None),                 // 3
        (&k.rsa, "e", json!("AAEAAQ"), None),             // 65537 with a zero ahead
        (&k.rsa, "e", json!("AQAAAAE"), Some(KeyFault::Weak)), // 2^32 + 1
        (&k.rsa, "p", json!("AAAA"), Some(KeyFault::Private)),
    ];
    for (key, member, value, want) in cases {
        let mut jwk = key.jwk.clone();
        jwk[member] = value.clone();
        let faults = skipped(&json!({"keys": [jwk]}));
        assert_eq!(
            faults,
            want.map(|fault| (0, fault)).into_iter().collect::<Vec<_>>(),
            "{member}: {value}"
        );
    }
}

/// T35: who can add a key to a set must not thereby speak for another's name.
#[tokio::test]
async fn a_name_used_twice_is_nobodys() {
    let k = keys();
    let mut rsa_for_ps = k.rsa.jwk.clone();
    rsa_for_ps["alg"] = json!("PS256");
    let mut rsa_for_rs = k.rsa.jwk.clone();
    rsa_for_rs["alg"] = json!("RS256");
    let twice = vec![(0, KeyFault::Ambiguous), (1, KeyFault::Ambiguous)];
    let cases = [
        ("two hands", json!([k.ed.jwk, k.forger.jwk]), twice),
        ("one key twice", json!([k.ed.jwk, k.ed.jwk]), vec![(1, KeyFault::Ambiguous)]),
        (
            "two kinds",
            json!([k.ed.jwk, {"kty": "RSA", "kid": "ed", "n": k.rsa.jwk["n"], "e": "AQAB"}]),
            vec![],
        ),
        ("two algorithms", json!([rsa_for_ps, rsa_for_rs]), vec![]),
    ];
    for (name, list, want) in cases {
        let document = json!({"keys": list});
        let found = tokio::task::spawn_blocking(move || skipped(&document)).await.unwrap();
        assert_eq!(found, want, "{name}");
    }
    let set = json!({"keys": [k.ed.jwk, k.forger.jwk]}).to_string();
    let source = Source::Fixed(set.into_bytes().into());
    let authenticator = Authenticator::new([trust(ISSUER, source)], |_, _| {}).unwrap();
    for key in [&k.ed, &k.forger] {
        assert_eq!(verify(&authenticator, &by(key, "ed")).await.map(|_| ()), UNKNOWN);
    }
}

/// Without a name, a token's key is the only one that fits, or none.
#[tokio::test]
async fn tokens_without_a_kid() {
    let k = keys();
    let token = |key: &TestKey| key.token("EdDSA", r#"{"alg":"EdDSA"}"#, &claims(&[]));
    let second = TestKey::ed("second");
    let alone = Authenticator::new([trust(ISSUER, fixed([&k.ed, &k.rsa]))], |_, _| {}).unwrap();
    let crowd = Authenticator::new([trust(ISSUER, fixed([&k.ed, &second]))], |_, _| {}).unwrap();
    assert_eq!(verify(&alone, &token(&k.ed)).await.map(|_| ()), Ok(()));
    let unfit = Err(AuthError::Invalid(Invalid::UnfitKey));
    assert_eq!(verify(&crowd, &token(&k.ed)).await.map(|_| ()), unfit);
    // Nor is it a reason to ask the issuer again.
    let idp = Idp::serving([&k.rsa]).await;
    let remote = Remote::at(&idp);
    remote.authenticator.asked().await;
    assert_eq!(remote.verdict(&token(&k.ed)).await, unfit);
    assert_eq!(idp.requests(), 1);
}

#[tokio::test]
async fn what_cannot_start() {
    let k = keys();
    let twice = [trust(ISSUER, fixed([&k.ed])), trust(ISSUER, fixed([&k.other]))];
    assert!(matches!(Authenticator::new(twice, |_, _| {}), Err(StartError::SameIssuer(_))));
    let rubbish = trust(ISSUER, Source::Fixed(b"{}".as_slice().into()));
    let refused = Authenticator::new([rubbish], |_, _| {});
    assert!(matches!(refused, Err(StartError::Document(_, JwksError::Shape))));
    let nobody = Authenticator::new([], |_, _| {}).unwrap();
    assert_eq!(verify(&nobody, &good(&[])).await.err(), Some(AuthError::Invalid(Invalid::Issuer)));
}
