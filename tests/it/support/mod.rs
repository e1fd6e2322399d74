//! What several features need: a gateway on a free port, a scripted upstream, an issuer.

pub(crate) mod idp;
