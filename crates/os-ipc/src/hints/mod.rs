//! The hints of errors: the usual one of a call and its errno (`usual`), and one from the state of the object.
//!
//! The second kind takes system calls: it is for errors that leave this crate, not for those that a loop handles.

#[cfg(unix)]
pub(crate) mod posix;
mod remedy;
#[cfg(system_v_semaphores)]
pub(crate) mod sets;
#[cfg(unix)]
pub(crate) mod system_v;
mod usual;

use crate::error::OsCode;

pub use remedy::Remedy;
pub(crate) use usual::{usual, usual_remedy};

/// The intended use of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Finding and using it.
    Open,
    /// Creating it, with this number of bytes.
    Make(u64),
    /// Removing it.
    Remove,
}

/// The name of a user in a hint.
fn user(uid: u32) -> String {
    if uid == 0 { "root (uid 0)".to_owned() } else { format!("uid {uid}") }
}

/// The reason why user `own` may not use (`EACCES`) or remove (`EPERM`) another user's object.
pub(crate) fn may_not(errno: OsCode, uid: u32, mode: u32, own: u32) -> (String, Option<Remedy>) {
    let whose =
        format!("it belongs to {} and has mode {mode:03o}; this process runs as uid {own}", user(uid));
    if errno == OsCode::EPERM {
        (format!("{whose}: only its owner and root may remove it"), None)
    } else {
        let cure = "create it with mode 660 and a common group, or with mode 666 for all users";
        (format!("{whose}: {cure}"), Some(Remedy::Mode))
    }
}
