//! What the claims of a token must say (RFC 7519 §4.1, RFC 9068 §4, RFC 8725). Pure: the clock is an argument.

use super::Invalid;
use super::jws::Jws;
use super::trust::Trust;
use crate::policy::{ClientKind, Principal, UnixTime, Value};

/// The longest time between `iat` and `exp`. A token that lives longer is a password (T36).
pub(super) const MAX_LIFE: u64 = 24 * 60 * 60;

/// The claims that decide about the token itself, all of them checked.
pub(super) struct Checked {
    pub(super) subject: Box<str>,
    pub(super) scopes: Vec<Box<str>>,
    pub(super) expires: UnixTime,
}

/// The issuer that a token names, before anything about it is believed: it chooses the keys and the rules.
pub(super) fn issuer<'a>(
    jws: &Jws<'_>,
    trusted: &'a [Trust],
) -> Result<(usize, &'a Trust), Invalid> {
    let name = jws.claims.member("iss").and_then(Value::as_str).ok_or(Invalid::Issuer)?;
    // Exact: a trailing slash or another case is another issuer (RFC 9207 §2.4, mcp-protocol.md §4.1).
    let found = trusted.iter().enumerate().find(|(_, trust)| *trust.issuer == *name);
    found.ok_or(Invalid::Issuer)
}

/// Checks a token against the rules of the issuer that it names.
pub(super) fn check(jws: &Jws<'_>, trust: &Trust, now: UnixTime) -> Result<Checked, Invalid> {
    if !trust.algorithms.contains(&jws.algorithm) {
        return Err(Invalid::Algorithm);
    }
    check_type(jws.typ.as_deref(), trust.typ.as_deref())?;
    let claims = &jws.claims;
    check_audience(claims, trust)?;
    let subject = claims.member("sub").and_then(Value::as_str).filter(|sub| !sub.is_empty());
    let subject = subject.ok_or(Invalid::Subject)?.into();
    let expires = check_dates(claims, trust.leeway, now)?;
    let scopes = scopes(claims)?;
    check_purpose(claims)?;
    Ok(Checked { subject, scopes, expires })
}

/// All of a verdict on `token` except the one thing that makes it worth anything, its signature: for the properties of
/// [`crate::fuzz`].
pub(crate) fn unsigned(token: &[u8], trust: &Trust, now: UnixTime) -> Result<Value, Invalid> {
    let jws = Jws::parse(token, 0)?;
    issuer(&jws, std::slice::from_ref(trust))?;
    check(&jws, trust, now)?;
    Ok(jws.claims)
}

/// Whom `token` speaks of, which nobody has verified: neither its signature nor that it is meant for anybody here, or still
/// valid. For `explain`, which asks about callers.
///
/// # Errors
/// It is not a JWT, or not one that could ever be verified here.
pub fn supposed(token: &[u8]) -> Result<Principal, Invalid> {
    let Jws { claims, .. } = Jws::parse(token, 0)?;
    let text = |name: &str| claims.member(name).and_then(Value::as_str).map(Box::from);
    let (issuer, id, scopes) = (text("iss"), text("sub"), scopes(&claims)?);
    Ok(Principal::verified(ClientKind::Jwt, issuer, id, scopes, claims))
}

fn check_type(typ: Option<&str>, wanted: Option<&str>) -> Result<(), Invalid> {
    let fits = match (typ, wanted) {
        (typ, Some(wanted)) => typ == Some(wanted),
        // An allow-list: whatever a new kind of token is called (`oauth-id-jag+jwt`, `logout+jwt`, `dpop+jwt`), it is not this.
        (None | Some("jwt" | "at+jwt"), None) => true,
        (Some(_), None) => false,
    };
    if fits { Ok(()) } else { Err(Invalid::Type) }
}

fn check_audience(claims: &Value, trust: &Trust) -> Result<(), Invalid> {
    let ours = |aud: &str| trust.audience.iter().any(|wanted| **wanted == *aud);
    let named = match claims.member("aud") {
        Some(Value::String(aud)) => ours(aud),
        Some(Value::List(list)) => {
            let all: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            all.ok_or(Invalid::Audience)?.into_iter().any(ours)
        }
        _ => false,
    };
    if named { Ok(()) } else { Err(Invalid::Audience) }
}

/// Checks `exp`, `nbf` and `iat`, and returns `exp`.
fn check_dates(claims: &Value, leeway: u64, now: UnixTime) -> Result<UnixTime, Invalid> {
    // A fraction is rounded to the side that is valid for less time.
    let whole = |date: Option<&Value>, up: bool| date.map(|date| seconds(date, up)).transpose();
    let expires = whole(claims.member("exp"), false)?.ok_or(Invalid::Date)?;
    let not_before = whole(claims.member("nbf"), true)?;
    let issued = whole(claims.member("iat"), true)?;
    if now >= expires.saturating_add(leeway) {
        return Err(Invalid::Expired);
    }
    if not_before.into_iter().chain(issued).any(|from| from > now.saturating_add(leeway)) {
        return Err(Invalid::Early);
    }
    // Without `iat`, what is left must be short. A token that ends before it begins is nobody's honest work.
    let from = issued.unwrap_or(now);
    let ends = if issued.is_some() { expires } else { expires.max(now) };
    match ends.checked_sub(from) {
        Some(0..=MAX_LIFE) => Ok(expires),
        _ => Err(Invalid::Lifetime),
    }
}

/// A NumericDate (RFC 7519 §2) as whole seconds. A number and nothing else: a string is what CVE-2026-25537 took for absent.
fn seconds(date: &Value, up: bool) -> Result<UnixTime, Invalid> {
    // The end of the year 9999.
    const LAST: u64 = 253_402_300_799;
    let Value::Number(number) = date else { return Err(Invalid::Date) };
    let whole = match number.as_u64() {
        Some(whole) => whole,
        None => {
            let text = number.to_string();
            let (whole, fraction) = text.split_once('.').ok_or(Invalid::Date)?;
            // `1e99` and `1.5e99` are no dates, nor is `-1.5`.
            if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Invalid::Date);
            }
            whole.parse::<u64>().map_err(|_| Invalid::Date)?.saturating_add(u64::from(up))
        }
    };
    if whole <= LAST { Ok(whole) } else { Err(Invalid::Date) }
}

/// The scopes of `scope` (RFC 9068 §2.2.3, a string), else of `scp` (a list, or a string).
fn scopes(claims: &Value) -> Result<Vec<Box<str>>, Invalid> {
    let words =
        |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(Into::into).collect();
    match (claims.member("scope"), claims.member("scp")) {
        (Some(Value::String(text)), _) | (None, Some(Value::String(text))) => Ok(words(text)),
        (None, Some(Value::List(list))) => {
            list.iter().map(|scope| scope.as_str().map(Into::into).ok_or(Invalid::Scope)).collect()
        }
        (None, None) => Ok(Vec::new()),
        _ => Err(Invalid::Scope),
    }
}

/// Refuses tokens of a trusted issuer that were made for something else and carry no `typ` that says so.
fn check_purpose(claims: &Value) -> Result<(), Invalid> {
    // RFC 9449 §6, RFC 8705 §3: bound to a key, of which a bearer header is no proof. Taking it would turn a stolen DPoP token
    // into a good one.
    if claims.member("cnf").is_some() {
        return Err(Invalid::Bound);
    }
    // OpenID Connect Core §3.1.3.6 and §3.3.2.11: only ID tokens have these. `nonce` proves nothing, Keycloak's access tokens had it.
    // RFC 8417 §2.2: `events` makes it a security event or logout token.
    if ["at_hash", "c_hash", "s_hash", "events"].iter().any(|name| claims.member(name).is_some()) {
        return Err(Invalid::Purpose);
    }
    // Keycloak says it in a claim.
    match claims.member("typ") {
        Some(Value::String(typ)) if matches!(&**typ, "ID" | "Refresh" | "Offline" | "Logout") => {
            Err(Invalid::Purpose)
        }
        _ => Ok(()),
    }
}
