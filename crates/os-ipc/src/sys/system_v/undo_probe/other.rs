//! Where System V semaphores are not used: there is nothing to probe.

use crate::error::OsCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "the same face as Linux's")]
pub(crate) enum Seen {
    Undone,
    Stayed,
    Disturbed,
}

pub(crate) fn with_key(_key: i32, _user: u32) -> Result<Seen, OsCode> {
    Err(OsCode::ENOSYS)
}

pub(crate) fn with_private_set() -> Result<Seen, OsCode> {
    Err(OsCode::ENOSYS)
}
