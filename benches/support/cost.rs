//! What a process has cost so far, from `/proc`.

use std::fs;

/// CPU time of all threads of `pid`, in nanoseconds (`schedstat`, field 1; the ticks of `stat` are 10 ms coarse).
pub(crate) fn cpu_ns(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process lives");
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
        .filter_map(|line| line.split(' ').next()?.parse::<u64>().ok())
        .sum()
}

/// Forgets the peak of the resident memory of `pid` so far.
pub(crate) fn reset_peak(pid: u32) {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("the peak can be reset");
}
