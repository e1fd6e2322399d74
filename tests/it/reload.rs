//! Policy reload (T59): a set is in force as a whole or not at all, and whatever has begun goes on.

mod files;
mod process;
mod swap;
