//! Verdicts on tokens, as tables: what must not pass stands beside its nearest neighbour that must (T35, T36, RFC 8725).

use jsonwebtoken::Algorithm;
use mcpfw::identity::{AuthError, Authenticator, Invalid};
use mcpfw::policy::{Number, Value};

use super::{
    AUDIENCE, ISSUER, NOW, OTHER, authenticator, claims, fixed, good, keys, trust, verify,
};
use crate::support::idp::{TestKey, b64};

type Verdict = Result<(), Invalid>;

async fn check(
    authenticator: &Authenticator,
    cases: impl IntoIterator<Item = (String, String, Verdict)>,
) {
    let mut wrong = Vec::new();
    for (name, token, want) in cases {
        let got = verify(authenticator, &token).await.map(|_| ());
        if got != want.map_err(AuthError::Invalid) {
            wrong.push(format!("{name}: {got:?}, not {want:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn at(offset: i64) -> String {
    NOW.saturating_add_signed(offset).to_string()
}

#[tokio::test]
async fn claims_table() {
    let deep = format!("{}1{}", "[".repeat(15), "]".repeat(15));
    let deeper = format!("{}1{}", "[".repeat(16), "]".repeat(16));
    let many = |n: usize| format!("[{}]", vec!["1"; n].join(","));
    // (changes to the claims of a good token, verdict); an empty value leaves a claim out
    let cases: Vec<(&[(&str, &str)], Verdict)> = vec![
        (&[], Ok(())),
        // iss: exact
        (&[("iss", "")], Err(Invalid::Issuer)),
        (&[("iss", "null")], Err(Invalid::Issuer)),
        (&[("iss", "[\"https://id.example/\"]")], Err(Invalid::Issuer)),
        (&[("iss", "\"https://id.example\"")], Err(Invalid::Issuer)),
        (&[("iss", "\"https://ID.example/\"")], Err(Invalid::Issuer)),
        (&[("iss", "\"https://id.example/ \"")], Err(Invalid::Issuer)),
        (&[("iss", "\"https://id.example/\\u0000\"")], Err(Invalid::Issuer)),
        (&[("iss", "\"https:\\/\\/id.example\\/\"")], Ok(())),
        // aud: a string or a list of strings, naming us
        (&[("aud", "")], Err(Invalid::Audience)),
        (&[("aud", "null")], Err(Invalid::Audience)),
        (&[("aud", "\"\"")], Err(Invalid::Audience)),
        (&[("aud", "\"https://mcp.example/\"")], Err(Invalid::Audience)),
        (&[("aud", "\"https://mcp.example/mcp/\"")], Err(Invalid::Audience)),
        (&[("aud", "\"https://mcp.example/MCP\"")], Err(Invalid::Audience)),
        (&[("aud", "\"https://mcp.example/mcp https://x/\"")], Err(Invalid::Audience)),
        (&[("aud", "[]")], Err(Invalid::Audience)),
        (&[("aud", "[\"x\"]")], Err(Invalid::Audience)),
        (&[("aud", "[[\"https://mcp.example/mcp\"]]")], Err(Invalid::Audience)),
        (&[("aud", "[\"https://mcp.example/mcp\",1]")], Err(Invalid::Audience)),
        (&[("aud", "{\"https://mcp.example/mcp\":1}")], Err(Invalid::Audience)),
        (&[("aud", "true")], Err(Invalid::Audience)),
        (&[("aud", "[\"https://mcp.example/mcp\"]")], Ok(())),
        (&[("aud", "[\"x\",\"https://mcp.example/mcp\"]")], Ok(())),
        (&[("aud", "\"urn:second\"")], Ok(())),
        // sub
        (&[("sub", "")], Err(Invalid::Subject)),
        (&[("sub", "\"\"")], Err(Invalid::Subject)),
        (&[("sub", "1")], Err(Invalid::Subject)),
        (&[("sub", "null")], Err(Invalid::Subject)),
        (&[("sub", "\"0\"")], Ok(())),
        // exp: required, a number, 30 s of leeway
        (&[("exp", "")], Err(Invalid::Date)),
        (&[("exp", "null")], Err(Invalid::Date)),
        (&[("exp", "\"1700000600\"")], Err(Invalid::Date)),
        (&[("exp", "\"never\"")], Err(Invalid::Date)),
        (&[("exp", "true")], Err(Invalid::Date)),
        (&[("exp", "[1700000600]")], Err(Invalid::Date)),
        (&[("exp", "{}")], Err(Invalid::Date)),
        (&[("exp", "-1")], Err(Invalid::Date)),
        (&[("exp", "-1700000600.5")], Err(Invalid::Date)),
        (&[("exp", "1e400")], Err(Invalid::Date)),
        (&[("exp", "1.5e300")], Err(Invalid::Date)),
        (&[("exp", "99999999999999999999999")], Err(Invalid::Date)),
        (&[("exp", "18446744073709551616")], Err(Invalid::Date)),
        (&[("exp", "253402300800")], Err(Invalid::Date)),
        (&[("exp", "1700000600000")], Err(Invalid::Date)), // milliseconds
        (&[("exp", "0")], Err(Invalid::Expired)),
        (&[("exp", "1699999970"), ("iat", "1699999000")], Err(Invalid::Expired)),
        (&[("exp", "1699999970.999"), ("iat", "1699999000")], Err(Invalid::Expired)),
        (&[("exp", "1699999971"), ("iat", "1699999000")], Ok(())),
        (&[("exp", "1699999971.5"), ("iat", "1699999000")], Ok(())),
        (&[("exp", "1700000600.0")], Ok(())),
        (&[("exp", "17000006e2")], Ok(())),
        // nbf
        (&[("nbf", "1700000030")], Ok(())),
        (&[("nbf", "1700000029.5")], Ok(())),
        (&[("nbf", "1700000031")], Err(Invalid::Early)),
        (&[("nbf", "1700000030.1")], Err(Invalid::Early)),
        (&[("nbf", "\"1600000000\"")], Err(Invalid::Date)),
        (&[("nbf", "null")], Err(Invalid::Date)),
        (&[("nbf", "0")], Ok(())),
        // iat
        (&[("iat", "1700000030")], Ok(())),
        (&[("iat", "1700000031")], Err(Invalid::Early)),
        (&[("iat", "\"1700000000\"")], Err(Invalid::Date)),
        (&[("iat", "null")], Err(Invalid::Date)),
        // life: at most 24 h
        (&[("exp", "1700086400")], Ok(())),
        (&[("exp", "1700086401")], Err(Invalid::Lifetime)),
        (&[("iat", "1699913600"), ("exp", "1700000000")], Ok(())),
        (&[("iat", "1699913599"), ("exp", "1700000000")], Err(Invalid::Lifetime)),
        (&[("iat", ""), ("exp", "1700086400")], Ok(())),
        (&[("iat", ""), ("exp", "1700086401")], Err(Invalid::Lifetime)),
        (&[("iat", ""), ("exp", "1699999980")], Ok(())),
        (&[("iat", "0")], Err(Invalid::Lifetime)),
        (&[("iat", "1700000020"), ("exp", "1700000010")], Err(Invalid::Lifetime)),
        // scope, scp
        (&[("scope", "\"a b\"")], Ok(())),
        (&[("scope", "\"\"")], Ok(())),
        (&[("scope", "[\"a\"]")], Err(Invalid::Scope)),
        (&[("scope", "1")], Err(Invalid::Scope)),
        (&[("scope", "null")], Err(Invalid::Scope)),
        (&[("scp", "[\"a\",\"b\"]")], Ok(())),
        (&[("scp", "\"a b\"")], Ok(())),
        (&[("scp", "[1]")], Err(Invalid::Scope)),
        (&[("scp", "{\"a\":1}")], Err(Invalid::Scope)),
        (&[("scp", "[\"a\"]"), ("scope", "null")], Err(Invalid::Scope)),
        // not meant for this
        (&[("cnf", "{\"jkt\":\"x\"}")], Err(Invalid::Bound)),
        (&[("cnf", "null")], Err(Invalid::Bound)),
        (&[("at_hash", "\"x\"")], Err(Invalid::Purpose)),
        (&[("c_hash", "\"x\"")], Err(Invalid::Purpose)),
        (&[("s_hash", "\"x\"")], Err(Invalid::Purpose)),
        (&[("events", "{}")], Err(Invalid::Purpose)),
        (&[("typ", "\"ID\"")], Err(Invalid::Purpose)),
        (&[("typ", "\"Refresh\"")], Err(Invalid::Purpose)),
        (&[("typ", "\"Bearer\"")], Ok(())),
        (&[("nonce", "\"x\""), ("azp", "\"c\"")], Ok(())),
        // JSON that is understood in one way only
        (&[("x", "1"), ("x", "1")], Err(Invalid::Claims)),
        (&[("x", "{\"a\":1,\"a\":2}")], Err(Invalid::Claims)),
        (&[("x", "{\"a\":1,\"\\u0061\":2}")], Err(Invalid::Claims)),
        (&[("e\\u0078p", "9999999999")], Err(Invalid::Claims)),
        (&[("x", "\"\\ud800\"")], Err(Invalid::Claims)),
        (&[("x", "01")], Err(Invalid::Claims)),
        (&[("x", "NaN")], Err(Invalid::Claims)),
        (&[("EXP", "\"never\"")], Ok(())),
        (&[("x", "{\"a\":{\"a\":1}}")], Ok(())),
    ];
    let named =
        cases.into_iter().map(|(changes, want)| (format!("{changes:?}"), good(changes), want));
    check(&authenticator(), named).await;

    let sizes = [
        (&*deep, Ok(())),
        (&deeper, Err(Invalid::Claims)),
        (&many(1_000), Ok(())),
        (&many(1_017), Ok(())),
        (&many(1_018), Err(Invalid::Claims)),
    ];
    let named = sizes.map(|(value, want)| (value.len().to_string(), good(&[("x", value)]), want));
    check(&authenticator(), named).await;
}

#[tokio::test]
async fn payloads_that_are_no_objects() {
    let header = r#"{"alg":"EdDSA","kid":"ed"}"#;
    let whole = claims(&[]);
    let cases = [
        ("an array", format!("[{whole}]"), Err(Invalid::Claims)),
        ("a string", "\"x\"".into(), Err(Invalid::Claims)),
        ("empty", String::new(), Err(Invalid::Claims)),
        ("two objects", format!("{whole}{whole}"), Err(Invalid::Claims)),
        ("something after", format!("{whole}x"), Err(Invalid::Claims)),
        ("cut", whole[..whole.len() - 1].into(), Err(Invalid::Claims)),
        ("a byte-order mark", format!("\u{feff}{whole}"), Err(Invalid::Claims)),
        ("space around", format!(" \n{whole}\t "), Ok(())),
    ];
    let cases = cases.map(|(name, payload, want)| {
        (name.into(), keys().ed.token("EdDSA", header, &payload), want)
    });
    check(&authenticator(), cases).await;
}

#[tokio::test]
async fn headers_table() {
    let k = keys();
    let cases: Vec<(&TestKey, &str, &str, Verdict)> = vec![
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed"}"#, Ok(())),
        (&k.ed, "EdDSA", r#"{"alg":"Ed25519","kid":"ed"}"#, Ok(())),
        (&k.rsa, "RS256", r#"{"alg":"RS256","kid":"rsa"}"#, Ok(())),
        (&k.ec, "ES256", r#"{"alg":"ES256","kid":"ec"}"#, Ok(())),
        // typ: an allow-list
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","typ":"JWT"}"#, Ok(())),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","typ":"AT+JWT"}"#, Ok(())),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","typ":"application/at+jwt"}"#, Ok(())),
        (
            &k.ed,
            "EdDSA",
            r#"{"alg":"EdDSA","kid":"ed","typ":"oauth-id-jag+jwt"}"#,
            Err(Invalid::Type),
        ),
        (
            &k.ed,
            "EdDSA",
            r#"{"alg":"EdDSA","kid":"ed","typ":"application/OAuth-ID-JAG+jwt"}"#,
            Err(Invalid::Type),
        ),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","typ":"logout+jwt"}"#, Err(Invalid::Type)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","typ":"dpop+jwt"}"#, Err(Invalid::Type)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","typ":"id_token"}"#, Err(Invalid::Type)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","typ":""}"#, Err(Invalid::Type)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","typ":1}"#, Err(Invalid::Header)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","cty":"JWT"}"#, Err(Invalid::Type)),
        // alg
        (&k.ed, "EdDSA", r#"{"kid":"ed"}"#, Err(Invalid::Header)),
        (&k.ed, "EdDSA", r#"{"alg":null,"kid":"ed"}"#, Err(Invalid::Header)),
        (&k.ed, "EdDSA", r#"{"alg":["EdDSA"],"kid":"ed"}"#, Err(Invalid::Header)),
        (&k.ed, "EdDSA", r#"{"alg":"","kid":"ed"}"#, Err(Invalid::Algorithm)),
        (&k.ed, "EdDSA", r#"{"alg":"none","kid":"ed"}"#, Err(Invalid::Algorithm)),
        (&k.ed, "EdDSA", r#"{"alg":"nOnE","kid":"ed"}"#, Err(Invalid::Algorithm)),
        (&k.ed, "EdDSA", r#"{"alg":"eddsa","kid":"ed"}"#, Err(Invalid::Algorithm)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA ","kid":"ed"}"#, Err(Invalid::Algorithm)),
        (&k.ed, "EdDSA", r#"{"alg":"HS256","kid":"ed"}"#, Err(Invalid::Algorithm)),
        (&k.ed, "EdDSA", r#"{"alg":"HS384","kid":"rsa"}"#, Err(Invalid::Algorithm)),
        (&k.ed, "EdDSA", r#"{"alg":"ES512","kid":"ec"}"#, Err(Invalid::Algorithm)),
        (&k.ed, "EdDSA", r#"{"alg":"ES256K","kid":"ec"}"#, Err(Invalid::Algorithm)),
        (&k.ed, "EdDSA", r#"{"alg":"Ed448","kid":"ed"}"#, Err(Invalid::Algorithm)),
        (&k.ed, "EdDSA", r#"{"alg":"RSA-OAEP","kid":"rsa"}"#, Err(Invalid::Algorithm)),
        // real algorithms that this issuer is not trusted with, over good signatures
        (&k.rsa, "RS512", r#"{"alg":"RS512","kid":"rsa"}"#, Err(Invalid::Algorithm)),
        (&k.rsa, "PS256", r#"{"alg":"PS256","kid":"rsa"}"#, Err(Invalid::Algorithm)),
        (&k.ec384, "ES384", r#"{"alg":"ES384","kid":"ec384"}"#, Err(Invalid::Algorithm)),
        // alg and key do not belong together
        (&k.ed, "EdDSA", r#"{"alg":"RS256","kid":"ed"}"#, Err(Invalid::UnfitKey)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"rsa"}"#, Err(Invalid::UnfitKey)),
        (&k.rsa, "RS256", r#"{"alg":"ES256","kid":"rsa"}"#, Err(Invalid::UnfitKey)),
        (&k.ec384, "ES384", r#"{"alg":"ES256","kid":"ec384"}"#, Err(Invalid::UnfitKey)),
        // alg says one thing, the signature was made by another of the same key
        (&k.rsa, "PS256", r#"{"alg":"RS256","kid":"rsa"}"#, Err(Invalid::Signature)),
        (&k.rsa, "RS512", r#"{"alg":"RS256","kid":"rsa"}"#, Err(Invalid::Signature)),
        // kid
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA"}"#, Ok(())), // one key fits
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ED"}"#, Err(Invalid::UnknownKey)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":""}"#, Err(Invalid::UnknownKey)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"../ed"}"#, Err(Invalid::UnknownKey)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed\u0000"}"#, Err(Invalid::UnknownKey)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":1}"#, Err(Invalid::Header)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":null}"#, Err(Invalid::Header)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"\u0065d"}"#, Ok(())),
        // extensions
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","crit":["exp"]}"#, Err(Invalid::Extension)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","crit":[]}"#, Err(Invalid::Extension)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","crit":null}"#, Err(Invalid::Extension)),
        (
            &k.ed,
            "EdDSA",
            r#"{"alg":"EdDSA","kid":"ed","crit":["b64"],"b64":false}"#,
            Err(Invalid::Extension),
        ),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","b64":false}"#, Err(Invalid::Extension)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","zip":"DEF"}"#, Err(Invalid::Extension)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","enc":"A128GCM"}"#, Err(Invalid::Extension)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","x":"unknown, not critical"}"#, Ok(())),
        // header JSON
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed","kid":"ed"}"#, Err(Invalid::Header)),
        (&k.ed, "EdDSA", r#"{"alg":"none","alg":"EdDSA","kid":"ed"}"#, Err(Invalid::Header)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","\u0061lg":"none","kid":"ed"}"#, Err(Invalid::Header)),
        (&k.ed, "EdDSA", r#"["alg","EdDSA"]"#, Err(Invalid::Header)),
        (&k.ed, "EdDSA", r#"{"alg":"EdDSA","kid":"ed"},"#, Err(Invalid::Header)),
        (&k.ed, "EdDSA", "", Err(Invalid::Header)),
        // right name, wrong hand
        (&k.forger, "EdDSA", r#"{"alg":"EdDSA","kid":"ed"}"#, Err(Invalid::Signature)),
        (&k.other, "EdDSA", r#"{"alg":"EdDSA","kid":"ed"}"#, Err(Invalid::Signature)),
    ];
    let named = cases.into_iter().map(|(key, alg, header, want)| {
        (format!("{header} by {alg}"), key.token(alg, header, &claims(&[])), want)
    });
    check(&authenticator(), named).await;

    for (length, want) in [(256, Err(Invalid::UnknownKey)), (257, Err(Invalid::UnknownKey))] {
        let header = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, "k".repeat(length));
        check(
            &authenticator(),
            [(length.to_string(), keys().ed.token("EdDSA", &header, &claims(&[])), want)],
        )
        .await;
    }
}

/// RFC 8725 §2.1 and §3.10: everything in a token that offers a key of its own is not looked at.
#[tokio::test]
async fn keys_in_the_token_are_ignored() {
    let k = keys();
    for member in [
        format!(r#""jwk":{}"#, k.forger.jwk),
        r#""jku":"https://attacker.example/jwks.json""#.into(),
        r#""x5u":"https://attacker.example/cert.pem""#.into(),
        r#""x5c":["MIIB"]"#.into(),
        r#""x5t#S256":"AAAA""#.into(),
    ] {
        let header = format!(r#"{{"alg":"EdDSA","kid":"ed",{member}}}"#);
        let forged = k.forger.token("EdDSA", &header, &claims(&[]));
        let honest = k.ed.token("EdDSA", &header, &claims(&[]));
        let cases = [(member.clone(), forged, Err(Invalid::Signature)), (member, honest, Ok(()))];
        check(&authenticator(), cases).await;
    }
}

/// The classic: HMAC with the public key, which everybody has, as the secret (T35).
#[tokio::test]
async fn a_public_key_is_nobodys_secret() {
    let k = keys();
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for key in [&k.rsa, &k.ec, &k.ed] {
        secrets.push(key.jwk.to_string().into_bytes());
        for member in ["n", "x", "y"] {
            if let Some(text) = key.jwk[member].as_str() {
                secrets.push(text.as_bytes().to_vec());
            }
        }
    }
    secrets.push(Vec::new());
    for (kid, algorithm) in
        [("rsa", Algorithm::HS256), ("ed", Algorithm::HS512), ("ec", Algorithm::HS384)]
    {
        for secret in &secrets {
            let mut header = jsonwebtoken::Header::new(algorithm);
            header.kid = Some(kid.into());
            let payload: serde_json::Value = serde_json::from_str(&claims(&[])).unwrap();
            let key = jsonwebtoken::EncodingKey::from_secret(secret);
            let token = jsonwebtoken::encode(&header, &payload, &key).unwrap();
            check(
                &authenticator(),
                [(format!("{algorithm:?} {kid}"), token, Err(Invalid::Algorithm))],
            )
            .await;
        }
    }
    // Even where the configuration says so.
    let mut trusted = trust(ISSUER, fixed([&k.ed]));
    trusted.algorithms = vec![Algorithm::HS256, Algorithm::EdDSA];
    let lax = Authenticator::new([trusted], |_, _| {}).unwrap();
    let forged = k.ed.token("EdDSA", r#"{"alg":"HS256","kid":"ed"}"#, &claims(&[]));
    check(
        &lax,
        [
            ("HS256 configured".into(), forged, Err(Invalid::Algorithm)),
            ("EdDSA".into(), good(&[]), Ok(())),
        ],
    )
    .await;
}

#[tokio::test]
async fn serialisations() {
    let token = good(&[]);
    let parts: Vec<&str> = token.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let ec = keys().ec.token("ES256", r#"{"alg":"ES256","kid":"ec"}"#, &claims(&[]));
    let (ec_signed, _) = ec.rsplit_once('.').unwrap();
    // The last character of 64 bytes in base64url has two bits that mean nothing; another spelling must not pass.
    let mut respelt = signature.to_owned();
    let last = respelt.pop().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.find(last).unwrap();
    respelt.push(alphabet.as_bytes()[at ^ 1].into());
    let flipped = |text: &str, at: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let der = [vec![0x30, 0x44, 0x02, 0x20], vec![1; 32], vec![0x02, 0x20], vec![1; 32]].concat();
    let cases = [
        ("whole", token.clone(), Ok(())),
        ("no signature", format!("{header}.{payload}."), Err(Invalid::Signature)),
        ("two parts", format!("{header}.{payload}"), Err(Invalid::NotJws)),
        ("four parts", format!("{token}."), Err(Invalid::NotJws)),
        (
            "five parts, a JWE",
            format!("{header}.{header}.{payload}.{payload}.{signature}"),
            Err(Invalid::NotJws),
        ),
        ("empty header", format!(".{payload}.{signature}"), Err(Invalid::Header)),
        ("only dots", "..".into(), Err(Invalid::Header)),
        (
            "standard base64",
            format!("{header}.{payload}.{}", signature.replace(['-', '_'], "+")),
            Err(Invalid::NotJws),
        ),
        (
            "signature spelt otherwise",
            format!("{header}.{payload}.{respelt}"),
            Err(Invalid::NotJws),
        ),
        (
            "signature of another",
            format!("{header}.{payload}.{}", flipped(signature, 3)),
            Err(Invalid::Signature),
        ),
        (
            "signature cut",
            format!("{header}.{payload}.{}", &signature[..40]),
            Err(Invalid::Signature),
        ),
        (
            "signature longer",
            format!("{header}.{payload}.{signature}AAAA"),
            Err(Invalid::Signature),
        ),
        (
            "ECDSA of zeros (CVE-2022-21449)",
            format!("{ec_signed}.{}", b64([0; 64])),
            Err(Invalid::Signature),
        ),
        ("ECDSA in DER", format!("{ec_signed}.{}", b64(der)), Err(Invalid::Signature)),
        ("ECDSA empty", format!("{ec_signed}."), Err(Invalid::Signature)),
        ("ECDSA whole", ec.clone(), Ok(())),
    ];
    let cases = cases.map(|(name, token, want)| (name.to_owned(), token, want));
    let cases = cases
        .into_iter()
        .filter(|(name, token, _)| name != "standard base64" || token.contains('+'));
    check(&authenticator(), cases).await;

    // Every byte of header and payload is signed.
    let strict = authenticator();
    for at in (0..header.len() + 1 + payload.len()).filter(|at| *at != header.len()) {
        assert!(verify(&strict, &flipped(&token, at)).await.is_err(), "byte {at}");
    }
}

/// T35: a kid is a name within its issuer. Two issuers may use one name.
#[tokio::test]
async fn issuers_do_not_vouch_for_each_other() {
    let k = keys();
    let header = r#"{"alg":"EdDSA","kid":"ed"}"#;
    let theirs = claims(&[("iss", &format!("\"{OTHER}\""))]);
    let unknown = claims(&[("iss", "\"https://evil.example/\"")]);
    let cases = [
        ("ours", k.ed.token("EdDSA", header, &claims(&[])), Ok(())),
        ("theirs", k.other.token("EdDSA", header, &theirs), Ok(())),
        (
            "ours, by their key",
            k.other.token("EdDSA", header, &claims(&[])),
            Err(Invalid::Signature),
        ),
        ("theirs, by our key", k.ed.token("EdDSA", header, &theirs), Err(Invalid::Signature)),
        ("a stranger's, by our key", k.ed.token("EdDSA", header, &unknown), Err(Invalid::Issuer)),
        (
            "theirs, by a kind of key that only we have",
            k.rsa.token("RS256", r#"{"alg":"RS256","kid":"rsa"}"#, &theirs),
            Err(Invalid::UnknownKey),
        ),
    ];
    // In both orders, so that what is remembered of one issuer's token would show.
    let authenticator = authenticator();
    check(&authenticator, cases.clone().map(|(name, token, want)| (name.to_owned(), token, want)))
        .await;
    check(
        &authenticator,
        cases.into_iter().rev().map(|(name, token, want)| (name.to_owned(), token, want)),
    )
    .await;

    let principal = |verified: std::sync::Arc<mcpfw::identity::Verified>| {
        verified.principal.issuer().map(str::to_owned)
    };
    let ours = verify(&authenticator, &good(&[])).await.unwrap();
    assert_eq!(principal(ours).as_deref(), Some(ISSUER));
}

#[tokio::test]
async fn a_configured_type_is_required() {
    let mut trusted = trust(ISSUER, fixed([&keys().ed]));
    trusted.typ = Some("at+jwt".into());
    let strict = Authenticator::new([trusted], |_, _| {}).unwrap();
    let with = |typ: &str| {
        keys().ed.token("EdDSA", &format!(r#"{{"alg":"EdDSA","kid":"ed"{typ}}}"#), &claims(&[]))
    };
    let cases = [
        (r#","typ":"at+jwt""#, Ok(())),
        (r#","typ":"application/at+jwt""#, Ok(())),
        (r#","typ":"JWT""#, Err(Invalid::Type)),
        ("", Err(Invalid::Type)),
    ];
    check(&strict, cases.map(|(typ, want)| (typ.to_owned(), with(typ), want))).await;
}

#[tokio::test]
async fn other_algorithms_where_they_are_configured() {
    let k = keys();
    let mut trusted = trust(ISSUER, fixed([&k.rsa, &k.ec384]));
    use Algorithm as A;
    trusted.algorithms = vec![A::RS256, A::RS384, A::RS512, A::PS256, A::PS384, A::PS512, A::ES384];
    let wide = Authenticator::new([trusted], |_, _| {}).unwrap();
    for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] {
        let header = format!(r#"{{"alg":"{alg}","kid":"rsa"}}"#);
        check(&wide, [(alg.to_owned(), k.rsa.token(alg, &header, &claims(&[])), Ok(()))]).await;
    }
    let header = r#"{"alg":"ES384","kid":"ec384"}"#;
    check(&wide, [("ES384".to_owned(), k.ec384.token("ES384", header, &claims(&[])), Ok(()))])
        .await;
}

#[tokio::test]
async fn claims_reach_the_principal_exactly() {
    let changes = [
        ("scope", "\" tools:read  tools:write \""),
        ("plan", "\"pro\""),
        ("quota", "9007199254740993"),
        ("org", r#"{"id":7,"roles":["a",null,true]}"#),
    ];
    let verified = verify(&authenticator(), &good(&changes)).await.unwrap();
    let principal = &verified.principal;
    assert_eq!((principal.issuer(), principal.id()), (Some(ISSUER), Some("u1")));
    let scopes: Vec<&str> = principal.scopes().iter().map(|scope| &**scope).collect();
    assert_eq!(scopes, ["tools:read", "tools:write"]);
    assert_eq!(verified.expires, Some(NOW + 600));
    let number = |token: &str| Value::Number(Number::from_token(token).unwrap());
    let claims = principal.claims();
    assert_eq!(claims.member("quota"), Some(&number("9007199254740993")));
    assert_ne!(claims.member("quota"), Some(&number("9007199254740992")));
    assert_eq!(claims.member("aud").and_then(Value::as_str), Some(AUDIENCE));
    let org = claims.member("org").unwrap();
    assert_eq!(org.member("id"), Some(&number("7")));
    assert_eq!(org.member("roles"), Some(&Value::List(vec!["a".into(), Value::Null, true.into()])));
    assert!(matches!(claims, Value::Map(members) if members.is_sorted_by(|(a, _), (b, _)| a < b)));

    let listed = verify(&authenticator(), &good(&[("scp", r#"["a","b c"]"#)])).await.unwrap();
    assert_eq!(listed.principal.scopes(), ["a".into(), "b c".into()] as [Box<str>; 2]);
    let both =
        verify(&authenticator(), &good(&[("scope", "\"a\""), ("scp", r#"["b"]"#)])).await.unwrap();
    assert_eq!(
        both.principal.scopes(),
        ["a".into()] as [Box<str>; 1],
        "`scp` adds nothing to `scope`"
    );
}

#[tokio::test]
async fn leeway_is_the_issuers() {
    for leeway in [0, 300] {
        let mut trusted = trust(ISSUER, fixed([&keys().ed]));
        trusted.leeway = leeway;
        let authenticator = Authenticator::new([trusted], |_, _| {}).unwrap();
        let expired = -(leeway as i64);
        let cases = [
            ("exp", expired, Err(Invalid::Expired)),
            ("exp", expired + 1, Ok(())),
            ("nbf", leeway as i64 + 1, Err(Invalid::Early)),
            ("nbf", leeway as i64, Ok(())),
        ];
        let named = cases.map(|(claim, offset, want)| {
            let changes = [(claim, &*at(offset)), ("iat", &*at(-3600))];
            (format!("{claim} {offset} with {leeway}"), good(&changes), want)
        });
        check(&authenticator, named).await;
    }
}
