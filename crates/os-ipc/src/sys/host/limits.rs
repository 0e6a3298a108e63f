//! What this host allows: proc(5), and nothing where there is no such file.

use std::fs;

/// What `/proc/sys/kernel/sem` says.
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

/// SHMMNI: how many segments there can be.
pub(crate) fn segments() -> Option<u64> {
    limit("/proc/sys/kernel/shmmni")
}

/// SHMALL: how many pages all segments can have together.
pub(crate) fn segment_pages() -> Option<u64> {
    limit("/proc/sys/kernel/shmall")
}

/// SHMMAX: the most bytes that a segment can have.
pub(crate) fn segment_bytes() -> Option<u64> {
    limit("/proc/sys/kernel/shmmax")
}

fn limit(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
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
