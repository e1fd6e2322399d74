//! How much of what is allowed may happen: request budgets, all of a request's or none. Pure: the clock is an
//! argument.
//!
//! - `gcra`: the arithmetic of one bucket, in whole microseconds.
//! - `table`: where buckets live, in memory that is fixed when it is made.
//! - [`Limiter`]: several buckets at once, atomically.
//! - [`headers`]: what the caller is told.
//!
//! Invariants: a refused request changes no bucket; a bucket in debt is never forgotten (T47); whatever the number of
//! keys, threads or flooders, no key is admitted more than its quota allows.

mod gcra;
pub mod headers;
mod limiter;
mod table;
mod verdict;

pub use limiter::Limiter;
pub use verdict::{Admitted, Outcome, Standing, Throttled, Wait};
