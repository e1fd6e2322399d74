//! How a credential is presented (T38).

use http::{HeaderMap, HeaderValue};
use mcpfw::identity::{AuthError, Invalid, LastToken, Malformed};

use super::{NOW, authenticator, good};

/// What comes of these `Authorization` values and this query.
async fn verdict(values: &[&[u8]], query: Option<&str>) -> Result<(), AuthError> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append("authorization", HeaderValue::from_bytes(value).unwrap());
    }
    let mut last = LastToken::default();
    authenticator().authenticate_at(NOW, &headers, query, &mut last).await.map(|_| ())
}

#[tokio::test]
async fn presentations() {
    let token = good(&[]);
    let with = |text: &str| text.replace('$', &token).into_bytes();
    let malformed = |why: Malformed| Err(AuthError::Malformed(why));
    let scheme = malformed(Malformed::Scheme);
    let not_jws = Err(AuthError::Invalid(Invalid::NotJws));
    type Case = (&'static str, Vec<Vec<u8>>, Option<&'static str>, Result<(), AuthError>);
    let cases: Vec<Case> = vec![
        ("plain", vec![with("Bearer $")], None, Ok(())),
        ("scheme in another case", vec![with("bEaReR $")], None, Ok(())),
        ("several spaces", vec![with("Bearer   $")], None, Ok(())),
        ("a query of its own", vec![with("Bearer $")], Some("a=b&token=c"), Ok(())),
        (
            "like access_token, and not",
            vec![with("Bearer $")],
            Some("xaccess_token=1&access_tokens=2"),
            Ok(()),
        ),
        ("nothing", vec![], None, Err(AuthError::Missing)),
        (
            "the same twice",
            vec![with("Bearer $"), with("Bearer $")],
            None,
            malformed(Malformed::TwoCredentials),
        ),
        (
            "two different",
            vec![with("Bearer $"), b"Basic eDp5".to_vec()],
            None,
            malformed(Malformed::TwoCredentials),
        ),
        ("in the query alone", vec![], Some("access_token=x"), malformed(Malformed::QueryToken)),
        (
            "in the query too",
            vec![with("Bearer $")],
            Some("a=1&access_token=x"),
            malformed(Malformed::QueryToken),
        ),
        (
            "in the query, escaped",
            vec![with("Bearer $")],
            Some("access%5Ftoken=x"),
            malformed(Malformed::QueryToken),
        ),
        (
            "in the query, without value",
            vec![with("Bearer $")],
            Some("access_token"),
            malformed(Malformed::QueryToken),
        ),
        ("another scheme", vec![b"Basic eDp5".to_vec()], None, scheme),
        ("a DPoP token", vec![with("DPoP $")], None, scheme),
        ("no scheme", vec![with("$")], None, scheme),
        ("empty", vec![b"".to_vec()], None, scheme),
        ("scheme alone", vec![b"Bearer".to_vec()], None, scheme),
        ("scheme and space", vec![b"Bearer ".to_vec()], None, scheme),
        ("a tab", vec![with("Bearer\t$")], None, scheme),
        ("a space and a tab", vec![with("Bearer \t$")], None, scheme),
        ("something after", vec![with("Bearer $ x")], None, scheme),
        ("trailing space", vec![with("Bearer $ ")], None, scheme),
        ("two in one", vec![with("Bearer $, Bearer $")], None, scheme),
        ("quoted", vec![with("Bearer \"$\"")], None, scheme),
        ("not ASCII", vec![b"Bearer \xE9\xE9".to_vec()], None, scheme),
        ("padding alone", vec![b"Bearer ==".to_vec()], None, scheme),
        ("an opaque token", vec![b"Bearer 0a1b2c".to_vec()], None, not_jws),
        ("padded", vec![with("Bearer $=")], None, not_jws),
        (
            "too large",
            vec![[b"Bearer ".to_vec(), vec![b'a'; 16 * 1024 - 6]].concat()],
            None,
            malformed(Malformed::TooLarge),
        ),
        (
            "as large as may be",
            vec![[b"Bearer ".to_vec(), vec![b'a'; 16 * 1024 - 7]].concat()],
            None,
            not_jws,
        ),
    ];
    for (name, values, query, want) in cases {
        let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        assert_eq!(verdict(&values, query).await, want, "{name}");
    }
}

#[tokio::test]
async fn a_large_token_that_fits_is_read() {
    let filler = format!("\"{}\"", "x".repeat(11_000));
    assert_eq!(
        verdict(&[format!("Bearer {}", good(&[("filler", &filler)])).as_bytes()], None).await,
        Ok(())
    );
    let filler = format!("\"{}\"", "x".repeat(13_000));
    let refused =
        verdict(&[format!("Bearer {}", good(&[("filler", &filler)])).as_bytes()], None).await;
    assert_eq!(refused, Err(AuthError::Malformed(Malformed::TooLarge)));
}
