//! System V sets with a counter that carry their name: those of semaphores and those of limits.
//!
//! Both kinds share the key of a name, since a program in Go counts in either. What a set is, its mark tells; as long as it has
//! none, its size does. So an unfinished set is only finished as what its creator wanted.

mod initialise;
mod kind;
mod opening;

#[cfg(test)]
pub(crate) use initialise::initialise;
pub(crate) use kind::{Kind, SetName};
pub(crate) use opening::{Creation, Opened, Ready, create, open, open_or_create, unlink};

use crate::error::{Error, OsCode, Result};
use crate::sys::system_v::semaphore::{self as sys, SetId};

/// Waits on a removed set fail with EIDRM, and later calls with EINVAL; both mean the same.
pub(crate) fn as_removed(errno: OsCode) -> OsCode {
    if errno == OsCode::EINVAL { OsCode::EIDRM } else { errno }
}

/// Removes this set, unless it is gone.
pub(crate) fn remove(set: SetId, name: &SetName) -> Result<()> {
    match sys::remove(set) {
        Ok(()) | Err(OsCode::EIDRM | OsCode::EINVAL) => Ok(()),
        Err(errno) => {
            Err(Error::system(format!("cannot remove the {}", name.kind().noun()), "semctl", name, errno))
        }
    }
}

/// The error of a call on an open set.
pub(crate) fn failure(what: &str, call: &'static str, name: &SetName, errno: OsCode) -> Error {
    match as_removed(errno) {
        OsCode::EIDRM => {
            let what = format!("the {} was removed", name.kind().noun());
            Error::system(what, call, name, OsCode::EIDRM).with_hint(
                "a process unlinked it, or systemd-logind removed it at a logout (RemoveIPC of logind.conf): open it again",
            )
        }
        errno => Error::system(what, call, name, errno),
    }
}
