//! The text of an address, without an allocation.

use std::fmt;
use std::net::IpAddr;

/// An address as text, on the stack. IPv6-mapped IPv4 is written as IPv4, so that one caller has one name.
pub(super) struct AddressText {
    /// The longest is `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`, 45 bytes.
    bytes: [u8; 45],
    length: usize,
}

impl AddressText {
    pub(super) fn of(ip: IpAddr) -> Self {
        let mut text = Self { bytes: [0; 45], length: 0 };
        // A write that does not fit leaves the text empty, which is equal to no address.
        if fmt::write(&mut text, format_args!("{}", ip.to_canonical())).is_err() {
            text.length = 0;
        }
        text
    }

    pub(super) fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or(&[]);
        std::str::from_utf8(bytes).unwrap_or("")
    }
}

impl fmt::Write for AddressText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
