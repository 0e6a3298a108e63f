//! The owners whose objects may be opened.

use std::fmt::Display;
#[cfg(unix)]
use std::sync::OnceLock;

use crate::error::{Code, Error, Remedy, Result};
#[cfg(windows)]
use crate::sys::access::{Access, Owned};
#[cfg(unix)]
use crate::sys::access::{Access, Users, own_uid};

/// The owners whose objects a call opens.
///
/// Any user can create an object under a name that a service is going to open, and so share its content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// The effective user of this process, and root.
    #[default]
    Default,
    /// These two and this user.
    Uid(u32),
    /// Every user.
    Any,
}

#[cfg(unix)]
impl Owner {
    /// Refuses `object` if a user who controls it is neither this process's, nor root, nor allowed.
    pub(crate) fn check(self, object: impl Display, access: Access) -> Result<()> {
        // A namespace never loses users, so the cached list is never less strict than the current one.
        static USERS: OnceLock<Option<Users>> = OnceLock::new();
        let users = *USERS.get_or_init(Users::of_namespace);
        self.check_within(object, [access.uid, access.creator_uid], own_uid(), users)
    }

    fn check_within(
        self,
        object: impl Display,
        controllers: [u32; 2],
        own: u32,
        users: Option<Users>,
    ) -> Result<()> {
        let anonymous = |uid| users.is_some_and(|users| uid == users.overflow);
        let trusted = |uid| match self {
            Self::Any => true,
            // A number that a user of this namespace has too is a number that a caller can mean.
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
                "no call tells which user it is (see /proc/self/uid_map): if you trust every owner, allow all of them",
            )
            .with_remedy(Remedy::AnyOwner)
        } else {
            refused(&format!("which is neither this process's user ({own}) nor root"))
                .with_hint("if you trust this owner, pass its uid")
                .with_remedy(Remedy::Owner)
        }
        .with_owner(uid, None))
    }
}

#[cfg(windows)]
impl Owner {
    /// Refuses `object` if its owner is neither this process's user, nor SYSTEM or the administrators, nor allowed.
    pub(crate) fn check(self, object: impl Display, access: Access) -> Result<()> {
        match self {
            Self::Any => return Ok(()),
            Self::Uid(_) => {
                return Err(Error::new(
                    Code::NotSupported,
                    "Windows has no uids: no owner can be given as one",
                )
                .with_hint("if you trust every owner, allow all of them")
                .with_remedy(Remedy::AnyOwner));
            }
            Self::Default => {}
        }
        let whose = match access.owned {
            Owned::Trusted => return Ok(()),
            Owned::Foreign(sid) => sid.to_string(),
            Owned::Unknown => "a user that this process may not know".to_owned(),
        };
        let what =
            format!("{object} belongs to {whose}, who is neither this process's user nor an administrator");
        Err(Error::new(Code::ForeignOwner, what)
            .with_hint("if you trust every owner, allow all of them")
            .with_remedy(Remedy::AnyOwner))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const MAPPED: Users = Users { overflow: 65_534, overflow_is_mapped: true };
    const UNMAPPED: Users = Users { overflow: 65_534, overflow_is_mapped: false };

    #[test]
    fn only_this_user_root_and_the_allowed_user_are_trusted() {
        let own = own_uid();
        let stranger = own + 1;
        let of = |uid, creator_uid| Access { uid, creator_uid, gid: 0, mode: 0o600 };
        assert!(Owner::Default.check("it", of(own, 0)).is_ok());
        assert!(Owner::Uid(stranger).check("it", of(stranger, stranger)).is_ok());
        assert!(Owner::Any.check("it", of(stranger, stranger)).is_ok());
        let refusal = Owner::Default.check("the semaphore '/jobs'", of(own, stranger)).unwrap_err();
        assert_eq!(refusal.code(), Code::ForeignOwner);
        assert!(
            refusal.to_string().starts_with(&format!("the semaphore '/jobs' belongs to uid {stranger},"))
        );
        assert_eq!((refusal.remedy(), refusal.details().uid), (Some(Remedy::Owner), Some(stranger)));
        assert!(Owner::Uid(stranger).check("it", of(stranger + 1, own)).is_err());
    }

    #[test]
    fn a_user_without_a_uid_in_the_namespace_is_not_trusted() {
        for users in [MAPPED, UNMAPPED] {
            for (own, controllers) in [(65_534, [65_534, 65_534]), (0, [65_534, 0]), (1000, [1000, 65_534])] {
                let refusal = Owner::Default.check_within("it", controllers, own, Some(users)).unwrap_err();
                assert_eq!(refusal.code(), Code::ForeignOwner);
                assert_eq!(refusal.remedy(), Some(Remedy::AnyOwner));
                assert!(Owner::Any.check_within("it", controllers, own, Some(users)).is_ok());
                let named = Owner::Uid(65_534).check_within("it", controllers, own, Some(users));
                assert_eq!(named.is_ok(), users == MAPPED);
            }
            assert!(Owner::Default.check_within("it", [1000, 0], 1000, Some(users)).is_ok());
            assert!(Owner::Uid(7).check_within("it", [7, 1000], 1000, Some(users)).is_ok());
        }
        assert!(Owner::Default.check_within("it", [65_534; 2], 65_534, None).is_ok());
    }
}
