//! What to do about an error: what its call and errno mean by themselves (`usual`), and what was found out about the object.
//!
//! The second kind costs system calls: it is for errors that leave this crate, not for those that a loop acts upon.

pub(crate) mod posix;
pub(crate) mod system_v;
mod usual;

use crate::error::OsCode;

pub(crate) use usual::usual;

/// A kind of System V object, as `/proc/sysvipc` lists it.
pub(crate) struct Thing {
    table: &'static str,
    /// The title of the column that has its id.
    id: &'static str,
}

const SET: Thing = Thing { table: "/proc/sysvipc/sem", id: "semid" };
const SEGMENT: Thing = Thing { table: "/proc/sysvipc/shm", id: "shmid" };

/// How a hint calls a user.
fn user(uid: u32) -> String {
    if uid == 0 { "root (uid 0)".to_owned() } else { format!("uid {uid}") }
}

/// Why user `own` may not use (`EACCES`) or remove (`EPERM`) what is another's.
fn may_not(errno: OsCode, uid: u32, mode: u32, own: u32) -> String {
    let whose = format!("it belongs to {}, with mode {mode:03o}, and this process is uid {own}", user(uid));
    if errno == OsCode::EPERM {
        format!("{whose}: only its owner and root may remove it")
    } else {
        format!("{whose}: have it made with `mode: 0o660` and a common group, or `mode: 0o666` for everybody")
    }
}
