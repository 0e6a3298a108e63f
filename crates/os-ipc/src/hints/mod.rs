//! What to do about an error: what its call and errno mean by themselves (`usual`), and what was found out about the object.
//!
//! The second kind costs system calls: it is for errors that leave this crate, not for those that a loop acts upon.

pub(crate) mod posix;
mod remedy;
pub(crate) mod system_v;
mod usual;

use crate::error::OsCode;

pub use remedy::Remedy;
pub(crate) use usual::{usual, usual_remedy};

/// How a hint calls a user.
fn user(uid: u32) -> String {
    if uid == 0 { "root (uid 0)".to_owned() } else { format!("uid {uid}") }
}

/// Why user `own` may not use (`EACCES`) or remove (`EPERM`) what is another's.
fn may_not(errno: OsCode, uid: u32, mode: u32, own: u32) -> (String, Option<Remedy>) {
    let whose =
        format!("it belongs to {} and has mode {mode:03o}; this process runs as uid {own}", user(uid));
    if errno == OsCode::EPERM {
        (format!("{whose}: only its owner and root may remove it"), None)
    } else {
        let cure = "create it with mode 660 and a common group, or with mode 666 for all users";
        (format!("{whose}: {cure}"), Some(Remedy::Mode))
    }
}
