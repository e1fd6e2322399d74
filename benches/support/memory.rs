//! How much memory a process has, from `/proc`.

use std::fs;

/// Resident memory of `pid` in KiB: the field `VmRSS` (now) or `VmHWM` (peak).
pub(crate) fn memory_kib(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .expect("a field of /proc/pid/status")
}
