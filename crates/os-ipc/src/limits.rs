//! The host's limits, for the hints of errors and for what a set can hold.

use std::fs;

use crate::error::{Error, OsCode};

/// What `/proc/sys/kernel/sem` says; proc(5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SemaphoreLimits {
    /// SEMMSL: semaphores a set.
    pub(crate) per_set: usize,
    /// SEMMNS: semaphores in all sets.
    pub(crate) in_all: usize,
    /// SEMOPM: operations a semop call.
    pub(crate) per_call: usize,
    /// SEMMNI: sets.
    pub(crate) sets: usize,
}

impl SemaphoreLimits {
    /// `None` where there is no such file.
    pub(crate) fn of_host() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/sys/kernel/sem").ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<usize> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
        let [per_set, in_all, per_call, sets] = numbers[..] else { return None };
        Some(Self { per_set, in_all, per_call, sets })
    }
}

/// Adds the host's numbers where a set could not be made for want of room.
pub(crate) fn with_limits(error: Error) -> Error {
    if error.errno() != Some(OsCode::ENOSPC) {
        return error;
    }
    match SemaphoreLimits::of_host() {
        Some(SemaphoreLimits { in_all, sets, .. }) => error.with_hint(format!(
            "this is not the disk: the host allows {sets} sets (SEMMNI) with {in_all} semaphores (SEMMNS) in all, and \
             one of the two is used up; `ipcs -s` lists them, sysctl kernel.sem raises the limits"
        )),
        None => error.with_hint("this is not the disk: the limits of System V semaphores are reached"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_numbers_have_the_order_of_proc() {
        let limits = SemaphoreLimits::parse("32000\t1024000000\t500\t32001\n").unwrap();
        assert_eq!(
            limits,
            SemaphoreLimits { per_set: 32000, in_all: 1_024_000_000, per_call: 500, sets: 32001 }
        );
        assert_eq!(SemaphoreLimits::parse("1 2 3"), None);
    }
}
