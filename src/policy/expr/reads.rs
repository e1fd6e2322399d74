//! What an expression reads, which says how long its truth holds.

/// A set of sources that an expression reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reads(u8);

impl Reads {
    /// `claims.*`, and `client.kind`, `.id`, `.scopes`, `.issuer`: fixed for a principal.
    pub const PRINCIPAL: Self = Self(1);
    /// `client.ip` and `request.*`: fixed for an exchange.
    pub const CONTEXT: Self = Self(1 << 1);
    /// `mcp.method`, `.kind`, `.target`, `.revision`: known as soon as method and target are.
    pub const CALL: Self = Self(1 << 2);
    /// `mcp.is_retry`: known when the parameters have been read.
    pub const IS_RETRY: Self = Self(1 << 3);
    /// `tool.*`: fixed for a target, by the lock.
    pub const TOOL: Self = Self(1 << 4);
    /// `args.*`.
    pub const ARGS: Self = Self(1 << 5);

    /// Whether it reads anything of `other`.
    #[must_use]
    pub const fn any_of(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it reads nothing but `other`.
    #[must_use]
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The sources of either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether its truth is the same for every call of one principal, and so can be kept with it.
    #[must_use]
    pub const fn only_principal(self) -> bool {
        self.within(Self::PRINCIPAL)
    }
}
