//! The limits of this host for sets.

use std::fs;

/// The limits in `/proc/sys/kernel/sem`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SemaphoreLimits {
    /// SEMMSL: the most semaphores of a set.
    pub(crate) per_set: usize,
    /// SEMMNS: the most semaphores of all sets.
    pub(crate) in_all: usize,
    /// SEMOPM: the most operations of a semop call.
    pub(crate) per_call: usize,
    /// SEMMNI: the most sets.
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

    /// Whether the host allows a set of this size: creating it takes one operation for each semaphore, and one before them
    /// that checks the mark.
    pub(crate) fn have_room_for(&self, size: usize) -> bool {
        size <= self.per_set && size < self.per_call
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
