//! Whose objects may be opened.

use std::fmt::Display;
use std::fs;
use std::sync::OnceLock;

use crate::error::{Code, Error, Remedy, Result};

/// Whose objects a call opens.
///
/// Anybody can make an object under a name that a service is going to open, and then holds the other end of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// This process's effective user, and root.
    #[default]
    Default,
    /// This user too.
    Uid(u32),
    /// Anybody.
    Any,
}

impl Owner {
    /// Refuses `object` when one of the users who control it is neither this process's, nor root, nor allowed.
    pub(crate) fn check(self, object: impl Display, controllers: &[u32]) -> Result<()> {
        // Nothing makes a process forget users that it knew: what is cached is never less strict than what is.
        static USERS: OnceLock<Option<Users>> = OnceLock::new();
        let users = *USERS.get_or_init(Users::of_namespace);
        self.check_within(object, controllers, nix::unistd::geteuid().as_raw(), users)
    }

    fn check_within(
        self,
        object: impl Display,
        controllers: &[u32],
        own: u32,
        users: Option<Users>,
    ) -> Result<()> {
        let anonymous = |uid| users.is_some_and(|users| uid == users.overflow);
        let trusted = |uid| match self {
            Self::Any => true,
            // A number that stands for a user of this namespace too is one that a caller can mean.
            Self::Uid(allowed) if anonymous(uid) => {
                uid == allowed && users.is_some_and(|users| users.overflow_is_mapped)
            }
            Self::Uid(allowed) => uid == 0 || uid == allowed || uid == own,
            Self::Default => !anonymous(uid) && (uid == 0 || uid == own),
        };
        let Some(&uid) = controllers.iter().find(|&&uid| !trusted(uid)) else { return Ok(()) };
        let refused =
            |why: &str| Error::new(Code::ForeignOwner, format!("{object} belongs to uid {uid}, {why}"));
        Err(if anonymous(uid) {
            refused("which stands for all users without a uid in this user namespace").with_hint(
                "no call tells which user it is (see /proc/self/uid_map): trust every owner, if that is what you want",
            )
            .with_remedy(Remedy::AnyOwner)
        } else {
            refused(&format!("which is neither this process's user ({own}) nor root"))
                .with_hint("trust this owner, if that is what you want")
                .with_remedy(Remedy::Owner)
        }
        .with_owner(uid, None))
    }
}

/// How many uids there are: all 32-bit numbers but -1.
const ALL_UIDS: u64 = 0xffff_ffff;

/// Of a user namespace that does not know every user: user_namespaces(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Users {
    /// The number that the users it does not know have in common: `/proc/sys/kernel/overflowuid`.
    overflow: u32,
    /// Whether a user that it does know has that number too.
    overflow_is_mapped: bool,
}

impl Users {
    /// `None` where every number is one user: outside of user namespaces.
    fn of_namespace() -> Option<Self> {
        // Without /proc or without namespaces there is nothing to tell them apart by.
        Self::parse(
            &fs::read_to_string("/proc/self/uid_map").ok()?,
            fs::read_to_string("/proc/sys/kernel/overflowuid").ok()?.trim().parse().ok()?,
        )
    }

    /// Lines of `FIRST-INSIDE FIRST-OUTSIDE COUNT`; a namespace that nobody has mapped yet has none.
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

    const MAPPED: Users = Users { overflow: 65_534, overflow_is_mapped: true };
    const UNMAPPED: Users = Users { overflow: 65_534, overflow_is_mapped: false };

    #[test]
    fn only_this_user_root_and_who_was_named_are_trusted() {
        let own = nix::unistd::geteuid().as_raw();
        let stranger = own + 1;
        assert!(Owner::Default.check("it", &[own, 0]).is_ok());
        assert!(Owner::Uid(stranger).check("it", &[stranger]).is_ok());
        assert!(Owner::Any.check("it", &[stranger]).is_ok());
        let refusal = Owner::Default.check("the semaphore '/jobs'", &[own, stranger]).unwrap_err();
        assert_eq!(refusal.code(), Code::ForeignOwner);
        assert!(
            refusal.to_string().starts_with(&format!("the semaphore '/jobs' belongs to uid {stranger},"))
        );
        assert_eq!((refusal.remedy(), refusal.details().uid), (Some(Remedy::Owner), Some(stranger)));
        assert!(Owner::Uid(stranger).check("it", &[stranger + 1]).is_err());
    }

    #[test]
    fn a_user_whom_the_namespace_does_not_know_is_nobody_s_equal() {
        for users in [MAPPED, UNMAPPED] {
            for (own, controllers) in [(65_534, [65_534, 65_534]), (0, [65_534, 0]), (1000, [1000, 65_534])] {
                let refusal = Owner::Default.check_within("it", &controllers, own, Some(users)).unwrap_err();
                assert_eq!(refusal.code(), Code::ForeignOwner);
                assert_eq!(refusal.remedy(), Some(Remedy::AnyOwner));
                assert!(Owner::Any.check_within("it", &controllers, own, Some(users)).is_ok());
                let named = Owner::Uid(65_534).check_within("it", &controllers, own, Some(users));
                assert_eq!(named.is_ok(), users == MAPPED);
            }
            assert!(Owner::Default.check_within("it", &[1000, 0], 1000, Some(users)).is_ok());
            assert!(Owner::Uid(7).check_within("it", &[7, 1000], 1000, Some(users)).is_ok());
        }
        assert!(Owner::Default.check_within("it", &[65_534; 2], 65_534, None).is_ok());
    }

    #[test]
    fn a_namespace_that_knows_every_user_has_no_anonymous_ones() {
        assert_eq!(Users::parse("         0          0 4294967295\n", 65_534), None);
        assert_eq!(Users::parse("0 0 1000\n1000 1000 4294966295\n", 65_534), None);
        assert_eq!(Users::parse("", 65_534), Some(UNMAPPED));
        assert_eq!(Users::parse("0 1000 1\n", 65_534), Some(UNMAPPED));
        assert_eq!(Users::parse("0 100000 65536\n", 65_534), Some(MAPPED));
    }
}
