//! Parts of the end-to-end bench: the processes that it compares, the load, and how their cost is read.

pub(crate) mod bare_proxy;
pub(crate) mod cost;
pub(crate) mod load;
pub(crate) mod memory;
mod server;
pub(crate) mod upstream;

pub(crate) use server::Server;
