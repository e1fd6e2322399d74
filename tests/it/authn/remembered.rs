//! What is remembered of a verified token, for how long, and that nothing prints one (T42, T58).

use std::sync::Arc;

use mcpfw::identity::issuer::DemoIssuer;
use mcpfw::identity::{AuthError, Authenticator, Invalid, LastToken};
use serde_json::json;

use super::{AUDIENCE, NOW, authenticator, bearer, good, keys, verify};

#[tokio::test]
async fn a_token_is_verified_once_a_minute() {
    let authenticator = authenticator();
    let headers = bearer(&good(&[]));
    let mut here = LastToken::default();
    let mut there = LastToken::default();
    let first = authenticator.authenticate_at(NOW, &headers, None, &mut here).await.unwrap();
    for (last, now) in [(&mut here, NOW), (&mut there, NOW + 59)] {
        let again = authenticator.authenticate_at(now, &headers, None, last).await.unwrap();
        assert!(Arc::ptr_eq(&first, &again), "at {now}");
    }
    for last in [&mut here, &mut there] {
        let anew = authenticator.authenticate_at(NOW + 61, &headers, None, last).await.unwrap();
        assert!(!Arc::ptr_eq(&first, &anew));
    }
    // A clock that was set back does not prolong what is remembered.
    let back = authenticator.authenticate_at(NOW - 10, &headers, None, &mut here).await.unwrap();
    assert!(!Arc::ptr_eq(&first, &back));
}

#[tokio::test]
async fn expiry_is_checked_on_every_hit() {
    let authenticator = authenticator();
    let headers = bearer(&good(&[("exp", &(NOW + 5).to_string())]));
    let mut last = LastToken::default();
    for (now, want) in [(NOW, true), (NOW + 34, true), (NOW + 35, false), (NOW + 34, true)] {
        for last in [&mut last, &mut LastToken::default()] {
            let verdict = authenticator.authenticate_at(now, &headers, None, last).await;
            assert_eq!(verdict.is_ok(), want, "at {now}");
            assert!(want || verdict.err() == Some(AuthError::Invalid(Invalid::Expired)));
        }
    }
}

/// A hit must mean the very same token: not one with the same claims, the same prefix, or the same signature.
#[tokio::test]
async fn a_near_miss_is_no_hit() {
    let authenticator = authenticator();
    let token = good(&[]);
    let mut last = LastToken::default();
    authenticator.authenticate_at(NOW, &bearer(&token), None, &mut last).await.unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let forged = keys().forger.token(
        "EdDSA",
        r#"{"alg":"EdDSA","kid":"ed","typ":"at+jwt"}"#,
        &super::claims(&[]),
    );
    let other = good(&[("sub", "\"u2\"")]);
    let (other_signed, _) = other.rsplit_once('.').unwrap();
    for near in [
        forged,
        format!("{other_signed}.{signature}"),
        format!("{signed}.{}", &signature[1..]),
        format!("{token}A"),
    ] {
        let verdict = authenticator.authenticate_at(NOW, &bearer(&near), None, &mut last).await;
        assert!(matches!(verdict, Err(AuthError::Invalid(_))), "{verdict:?}");
        assert!(verify(&authenticator, &near).await.is_err());
    }
    // Neither does a refusal spoil what is remembered of the good one.
    authenticator.authenticate_at(NOW, &bearer(&token), None, &mut last).await.unwrap();
}

/// One connection, two callers behind a proxy: each gets their own.
#[tokio::test]
async fn callers_on_one_connection_are_told_apart() {
    let authenticator = authenticator();
    let mut last = LastToken::default();
    for _ in 0..3 {
        for sub in ["u1", "u2"] {
            let headers = bearer(&good(&[("sub", &format!("\"{sub}\""))]));
            let verified =
                authenticator.authenticate_at(NOW, &headers, None, &mut last).await.unwrap();
            assert_eq!(verified.principal.id(), Some(sub));
        }
    }
    let missing =
        authenticator.authenticate_at(NOW, &http::HeaderMap::new(), None, &mut last).await;
    assert_eq!(
        missing.err(),
        Some(AuthError::Missing),
        "the last caller's token is not the next one's"
    );
}

/// A connection outlives a reload, and what it remembers was verified by yesterday's rules.
#[tokio::test]
async fn what_another_authenticator_verified_counts_for_nothing() {
    let before = authenticator();
    let mut moved = super::trust(super::ISSUER, super::fixed([&keys().ed]));
    moved.audience = vec!["https://elsewhere.example/mcp".into()];
    let after = Authenticator::new([moved], |_, _| {}).unwrap();
    let headers = bearer(&good(&[]));
    let mut last = LastToken::default();
    assert!(before.authenticate_at(NOW, &headers, None, &mut last).await.is_ok());
    let verdict = after.authenticate_at(NOW, &headers, None, &mut last).await;
    assert_eq!(verdict.err(), Some(AuthError::Invalid(Invalid::Audience)));
}

#[tokio::test]
async fn nothing_prints_a_token() {
    let authenticator = authenticator();
    let token = good(&[("email", "\"canary@example\"")]);
    let mut last = LastToken::default();
    let verified =
        authenticator.authenticate_at(NOW, &bearer(&token), None, &mut last).await.unwrap();
    let refused = verify(&authenticator, &format!("{token}A")).await;
    let issuer = DemoIssuer::generate("https://demo/", AUDIENCE).unwrap();
    let printed = format!(
        "{authenticator:?} {last:?} {verified:?} {refused:?} {issuer:?} {:?}",
        refused.as_ref().err()
    );
    for part in token.split('.').chain(["canary"]) {
        assert!(!printed.contains(part), "{printed}");
    }
    assert!(printed.contains("u1"), "who it is may be told");
}

#[tokio::test]
async fn the_demo_issuer_is_judged_like_any_other() {
    let demo = DemoIssuer::generate("https://demo.mcpfw/", AUDIENCE).unwrap();
    let authenticator = Authenticator::new([demo.trust()], |_, _| {}).unwrap();
    assert!(authenticator.is_ready());
    let claims = json!({"plan": "pro", "sub": "somebody else", "exp": 99_999_999_999_u64});
    let claims = claims.as_object().unwrap().clone();
    let token = demo.sign("ada", claims.clone(), NOW, 3600).unwrap();
    let verified = verify(&authenticator, &token).await.unwrap();
    assert_eq!(verified.principal.id(), Some("ada"), "registered claims are the issuer's own");
    assert_eq!(verified.expires, Some(NOW + 3600));
    assert_eq!(verified.principal.claims().member("plan"), Some(&"pro".into()));

    let twin = DemoIssuer::generate("https://demo.mcpfw/", AUDIENCE).unwrap();
    let forged = twin.sign("ada", claims, NOW, 3600).unwrap();
    assert_eq!(
        verify(&authenticator, &forged).await.err(),
        Some(AuthError::Invalid(Invalid::Signature))
    );
    let expired = demo.sign("ada", serde_json::Map::new(), NOW - 7200, 3600).unwrap();
    assert_eq!(
        verify(&authenticator, &expired).await.err(),
        Some(AuthError::Invalid(Invalid::Expired))
    );
}
