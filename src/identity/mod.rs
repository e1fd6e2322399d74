//! Who is calling: credentials taken from a request, verified, and turned into a [`Principal`](crate::policy::Principal).
//!
//! ```text
//! headers, query ─ credential ─► bearer token ─ cache ─► Verified            (hit: no cryptography)
//!                                     └─ jws (strict parse) ─ claims (rules of the issuer)
//!                                          └─ keys of that issuer (jwks, schedule) ─ signature ─► Verified
//! document at a URL or in a file ─ fetch ─ jwks ─► keys
//! ```
//!
//! Pure: `json`, `credential`, `jws`, `claims`, `jwks`, `schedule`, `address`, [`challenge`], [`issuer`]. Drivers: `fetch`,
//! `store` (one task for each issuer, which alone fetches), [`Authenticator`].
//!
//! Invariants: the key decides which algorithms it is good for, the issuer's configuration which are allowed, the token only
//! which of these it claims (T35). Keys belong to one issuer and are never tried for another. A claim that is not understood to
//! the letter is not understood at all (T36). No token is ever printed, or kept beyond its connection (T58).

mod address;
mod authenticator;
pub mod challenge;
mod claims;
mod credential;
mod error;
mod fetch;
pub mod issuer;
mod json;
mod jwks;
mod jws;
mod schedule;
mod store;
mod trust;

pub use claims::supposed;
pub(crate) use claims::unsigned;
pub(crate) use jwks::usable;

pub use authenticator::{Authenticator, LastToken, StartError, Verified};
pub use error::{AuthError, Invalid, Malformed};
pub use fetch::FetchError;
pub use jwks::{JwksError, KeyFault};
pub use store::{KeyEvent, Standing};
pub use trust::{Source, Trust};
