//! From a request's credential to a [`Verified`] caller. Driver: it reads the clock and waits for keys.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest;
use http::HeaderMap;
use moka::sync::Cache;

use super::fetch::Fetcher;
use super::jws::Jws;
use super::store::{KeyEvent, Standing, Store};
use super::trust::{Source, Trust};
use super::{AuthError, JwksError, claims, credential, jwks::KeySet};
use crate::policy::{ClientKind, Principal, UnixTime};

/// Tokens of up to 2 KiB whose verification is remembered (T42); a larger one takes the place of several.
const CACHED: u64 = 10_000;
/// Seconds for which it is remembered (T42).
const CACHED_FOR: u64 = 60;

/// Verifies bearer tokens of a fixed set of issuers.
///
/// A token that was verified within the last minute is recognised without cryptography: on the connection that brought it last by its
/// bytes, on others by its SHA-256. The hash must resist collisions, because a hit is an admission; the token itself is not
/// kept, so that a memory dump holds none that is not in use. Every hit still checks the expiry, and that no key of the issuer has
/// been withdrawn since.
pub struct Authenticator {
    issuers: Box<[Trust]>,
    /// In the order of `issuers`.
    stores: Box<[Store]>,
    cache: Cache<[u8; 32], Arc<Verified>>,
    /// Keys the hash of member names. It also tells this authenticator from others, in a [`Lease`].
    seed: u64,
}

/// A caller, and until when we know it.
pub struct Verified {
    /// Who it is.
    pub principal: Principal,
    /// `exp` of its token: streams that it opened end then.
    pub expires: Option<UnixTime>,
    lease: Lease,
}

/// For how long a verification counts.
struct Lease {
    /// Whose verification it is: a connection outlives a reload, and the next authenticator may have other rules.
    owner: u64,
    /// Whose keys it rests on, as an index.
    issuer: usize,
    /// The epoch of those keys.
    epoch: u64,
    verified: UnixTime,
    /// The first second at which the token has expired, leeway included.
    dies: UnixTime,
    /// How many entries of the cache its token is worth.
    weight: u32,
}

/// The credential that a downstream connection sent last. It lives, and dies, with the connection.
#[derive(Default)]
pub struct LastToken {
    authorization: Vec<u8>,
    verified: Option<Arc<Verified>>,
}

/// Why no [`Authenticator`] could be made.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Two entries for one issuer: which rules hold would depend on their order.
    #[error("issuer `{0}` is configured twice")]
    SameIssuer(Box<str>),
    /// A fixed document is no key set.
    #[error("the keys of `{0}`: {1}")]
    Document(Box<str>, JwksError),
    /// The HTTP client could not be made: no root certificates, for example.
    #[error("no HTTP client for keys")]
    Client(#[from] reqwest::Error),
}

impl Authenticator {
    /// Trusts `issuers`, and begins to fetch their keys. `tell` is called, from the fetching tasks, with an issuer's name
    /// and what happened to its keys. Inside a tokio runtime, unless all documents are fixed.
    ///
    /// # Errors
    /// [`StartError`]; an issuer that cannot be reached is none, see [`Authenticator::is_ready`].
    pub fn new(
        issuers: impl IntoIterator<Item = Trust>,
        tell: impl Fn(&str, KeyEvent) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let seed = rand_seed();
        let tell = Arc::new(tell);
        let issuers: Box<[Trust]> = issuers.into_iter().collect();
        let mut stores = Vec::with_capacity(issuers.len());
        for (at, trust) in issuers.iter().enumerate() {
            if issuers.iter().take(at).any(|other| other.issuer == trust.issuer) {
                return Err(StartError::SameIssuer(trust.issuer.clone()));
            }
            let name = trust.issuer.clone();
            let store = match (&trust.source, Fetcher::new(&trust.source)?) {
                (Source::Fixed(document), _) => {
                    let set = KeySet::parse(document, seed)
                        .map_err(|why| StartError::Document(name, why))?;
                    Store::fixed(set)
                }
                (_, Some(fetcher)) => {
                    let tell = Arc::clone(&tell);
                    Store::fetched(fetcher, seed, move |event| tell(&name, event))
                }
                (_, None) => Store::fixed(KeySet::default()),
            };
            stores.push(store);
        }
        let cache = Cache::builder()
            .max_capacity(CACHED)
            .weigher(|_, verified: &Arc<Verified>| verified.lease.weight)
            .time_to_live(Duration::from_secs(CACHED_FOR))
            .build();
        Ok(Self { issuers, stores: stores.into(), cache, seed })
    }

    /// Authenticates one request by its headers and query. A caller that `last` or the cache knows is known without waiting and
    /// without an allocation.
    ///
    /// # Errors
    /// [`AuthError`], one for each challenge of mcp-protocol.md §4.2.
    ///
    /// # Cancel safety
    /// Safe: a request that goes away leaves a fetch that it caused to others.
    pub async fn authenticate(
        &self,
        headers: &HeaderMap,
        query: Option<&str>,
        last: &mut LastToken,
    ) -> Result<Arc<Verified>, AuthError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        self.authenticate_at(now, headers, query, last).await
    }

    /// As [`Authenticator::authenticate`], at a time of the caller's choosing.
    ///
    /// # Errors
    /// As [`Authenticator::authenticate`].
    ///
    /// # Cancel safety
    /// As [`Authenticator::authenticate`].
    pub async fn authenticate_at(
        &self,
        now: UnixTime,
        headers: &HeaderMap,
        query: Option<&str>,
        last: &mut LastToken,
    ) -> Result<Arc<Verified>, AuthError> {
        let authorization = credential::authorization(headers, query)?.as_bytes();
        if let Some(verified) = last.recall(authorization)
            && self.is_current(verified, now)
        {
            return Ok(Arc::clone(verified));
        }
        let token = credential::bearer(authorization)?;
        let name = sha256(token);
        let verified = match self.cache.get(&name).filter(|verified| self.is_current(verified, now))
        {
            Some(verified) => verified,
            None => {
                let verified = Arc::new(self.verify(token, now).await?);
                self.cache.insert(name, Arc::clone(&verified));
                verified
            }
        };
        last.remember(authorization, &verified);
        Ok(verified)
    }

    /// Whether every issuer's keys are there. Until then some callers are answered by 503 (T41).
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.standings().all(|(_, standing)| standing == Standing::Good)
    }

    /// Each issuer and how its keys stand.
    pub fn standings(&self) -> impl Iterator<Item = (&str, Standing)> {
        self.issuers
            .iter()
            .zip(&self.stores)
            .map(|(trust, store)| (&*trust.issuer, store.standing()))
    }

    /// Waits until every issuer has been asked for its keys once, whatever came of it.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn asked(&self) {
        for store in &self.stores {
            store.first().await;
        }
    }

    /// Whether a verification still counts.
    fn is_current(&self, verified: &Verified, now: UnixTime) -> bool {
        let Lease { owner, issuer, epoch, verified: since, dies, weight: _ } = verified.lease;
        owner == self.seed
            && now < dies
            // Both ways: a clock that was set back must not prolong a lease.
            && now.abs_diff(since) <= CACHED_FOR
            && self.stores.get(issuer).is_some_and(|store| store.epoch() == epoch)
    }

    async fn verify(&self, token: &[u8], now: UnixTime) -> Result<Verified, AuthError> {
        let jws = Jws::parse(token, self.seed)?;
        let (issuer, trust) = claims::issuer(&jws, &self.issuers)?;
        // Before the signature: a token that would be refused anyway costs no cryptography and no fetch.
        let checked = claims::check(&jws, trust, now)?;
        let Some(store) = self.stores.get(issuer) else { return Err(AuthError::Unavailable) };
        let ((), epoch) = store
            .with_key(jws.kid.as_deref(), jws.algorithm, |key| {
                key.verify(jws.algorithm, jws.signed, &jws.signature)
            })
            .await?;
        let principal = Principal::verified(
            ClientKind::Jwt,
            Some(trust.issuer.clone()),
            Some(checked.subject),
            checked.scopes,
            jws.claims,
        );
        let dies = checked.expires.saturating_add(trust.leeway);
        let weight = u32::try_from(token.len().div_ceil(2048)).unwrap_or(u32::MAX);
        let lease = Lease { owner: self.seed, issuer, epoch, verified: now, dies, weight };
        Ok(Verified { principal, expires: Some(checked.expires), lease })
    }
}

impl LastToken {
    /// Who sent this very credential on this connection, if it was the last one. It takes as long wherever two credentials of
    /// one length differ: behind a proxy that shares connections, somebody else's token is here.
    fn recall(&self, authorization: &[u8]) -> Option<&Arc<Verified>> {
        let is_same = self.authorization.len() == authorization.len()
            && self
                .authorization
                .iter()
                .zip(authorization)
                .fold(0, |differs, (a, b)| differs | (a ^ b))
                == 0;
        self.verified.as_ref().filter(|_| is_same)
    }

    fn remember(&mut self, authorization: &[u8], verified: &Arc<Verified>) {
        self.authorization.clear();
        self.authorization.extend_from_slice(authorization);
        self.verified = Some(Arc::clone(verified));
    }
}

fn sha256(token: &[u8]) -> [u8; 32] {
    let mut name = [0; 32];
    let digest = digest::digest(&digest::SHA256, token);
    for (to, from) in name.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    name
}

/// A number that nobody can guess.
fn rand_seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0_u8)
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.standings()).finish()
    }
}

impl fmt::Debug for Verified {
    /// Who, and nothing that the token said of them (T58).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("issuer", &self.principal.issuer())
            .field("id", &self.principal.id())
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for LastToken {
    /// Never the token (T58).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LastToken").field(&self.verified).finish()
    }
}
