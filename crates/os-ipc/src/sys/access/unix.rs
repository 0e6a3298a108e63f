//! Users are numbers on Unix.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;

use super::Access;

impl Access {
    /// The access of a file: only its owner controls it.
    pub(in crate::sys) fn of_file(metadata: &Metadata) -> Self {
        let (uid, gid, mode) = (metadata.uid(), metadata.gid(), metadata.mode() & 0o777);
        Self { uid, creator_uid: uid, gid, mode }
    }
}

/// `geteuid()`
pub(crate) fn own_uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// The number of uids: all 32-bit numbers but -1.
const ALL_UIDS: u64 = 0xffff_ffff;

/// The users of a namespace that does not know every user: user_namespaces(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Users {
    /// The common number of the users that it does not know: `/proc/sys/kernel/overflowuid`.
    pub(crate) overflow: u32,
    /// Whether a user that it knows has that number too.
    pub(crate) overflow_is_mapped: bool,
}

impl Users {
    /// `None` where every number is one user: outside of user namespaces.
    pub(crate) fn of_namespace() -> Option<Self> {
        // Without /proc or without namespaces the users cannot be told apart.
        Self::parse(
            &fs::read_to_string("/proc/self/uid_map").ok()?,
            fs::read_to_string("/proc/sys/kernel/overflowuid").ok()?.trim().parse().ok()?,
        )
    }

    /// Lines of `FIRST-INSIDE FIRST-OUTSIDE COUNT`; a namespace without a map yet has none.
    fn parse(map: &str, overflow: u32) -> Option<Self> {
        let ranges = map.lines().filter_map(|line| {
            let mut numbers = line.split_whitespace().map_while(|word| word.parse::<u64>().ok());
            Some((numbers.next()?, numbers.nth(1)?))
        });
        let (mut known, mut overflow_is_mapped) = (0, false);
        for (first, count) in ranges {
            known += count;
            overflow_is_mapped |= (first..first + count).contains(&u64::from(overflow));
        }
        (known < ALL_UIDS).then_some(Self { overflow, overflow_is_mapped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_knows_every_user_has_no_anonymous_ones() {
        let of = |overflow_is_mapped| Some(Users { overflow: 65_534, overflow_is_mapped });
        assert_eq!(Users::parse("         0          0 4294967295\n", 65_534), None);
        assert_eq!(Users::parse("0 0 1000\n1000 1000 4294966295\n", 65_534), None);
        assert_eq!(Users::parse("", 65_534), of(false));
        assert_eq!(Users::parse("0 1000 1\n", 65_534), of(false));
        assert_eq!(Users::parse("0 100000 65536\n", 65_534), of(true));
    }
}
