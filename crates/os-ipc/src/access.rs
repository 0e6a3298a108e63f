//! Whose objects may be opened.

use std::fmt::Display;

use crate::error::{Code, Error, Result};

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
        let allowed = |uid| match self {
            Self::Any => true,
            Self::Uid(allowed) => uid == 0 || uid == allowed,
            Self::Default => uid == 0,
        };
        let mut others = controllers.iter().filter(|&&uid| !allowed(uid)).peekable();
        if others.peek().is_none() {
            return Ok(());
        }
        let own = nix::unistd::geteuid().as_raw();
        match others.find(|&&uid| uid != own) {
            None => Ok(()),
            Some(uid) => Err(Error::new(
                Code::ForeignOwner,
                format!("{object} belongs to uid {uid}, neither this process's user ({own}) nor root"),
            )
            .with_hint(format!("if it is meant to, open it with {{ owner: {uid} }} or {{ owner: 'any' }}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(refusal.hint().unwrap().contains(&format!("owner: {stranger}")));
        assert!(Owner::Uid(stranger).check("it", &[stranger + 1]).is_err());
    }
}
