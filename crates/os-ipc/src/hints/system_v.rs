//! Hints from the state of a System V object that a call failed at: its row in the kernel's table.

use super::usual::{SEGMENTS_REFUSED, SETS_REFUSED};
use super::{Remedy, may_not};
use crate::error::{Error, OsCode};
use crate::sys::access::own_uid;
use crate::sys::system_v::probe;
pub(crate) use crate::sys::system_v::table::By;
use crate::sys::system_v::table::{SEGMENTS, SETS, Table};

/// Explains an error of shmget, shmat or shmctl.
pub(crate) fn segment(error: Error, by: By) -> Error {
    explain(error, SEGMENTS, by, || None)
}

/// Explains an error of a call about sets that is refused for every set.
pub(crate) fn refused_set(error: Error) -> Error {
    error.with_hint(SETS_REFUSED).with_remedy(Remedy::Posix)
}

/// Explains an error of a call about segments that is refused for every segment.
pub(crate) fn refused_segment(error: Error) -> Error {
    error.with_hint(SEGMENTS_REFUSED)
}

pub(super) fn explain(
    error: Error,
    table: Table,
    by: By,
    elsewhere: impl FnOnce() -> Option<(String, Remedy)>,
) -> Error {
    let (Some(call), Some(errno)) = (error.syscall(), error.errno()) else { return error };
    if error.is_explained() {
        return error;
    }
    match errno {
        OsCode::EPERM | OsCode::EACCES | OsCode::ENOSYS => refused(error, table, by, call, errno),
        OsCode::EEXIST => match table.access(by) {
            Some(row) => error
                .with_hint(format!(
                    "it exists, belongs to {} and has mode {:03o}: open it instead",
                    super::user(row.uid),
                    row.mode
                ))
                .with_remedy(Remedy::Open)
                .with_owner(row.uid, Some(row.mode)),
            None => error,
        },
        OsCode::ENOENT => match elsewhere() {
            Some((hint, remedy)) => error.with_hint(hint).with_remedy(remedy),
            None => error,
        },
        _ => error,
    }
}

/// Only the mode causes `EACCES`, and only the owner `EPERM`: if neither is possible here, a filter refuses the call.
fn refused(error: Error, table: Table, by: By, call: &str, errno: OsCode) -> Error {
    let everybody = |error| if table == SETS { refused_set(error) } else { refused_segment(error) };
    let row = table.access(by).filter(|_| errno != OsCode::ENOSYS && probe::refusal(call).is_none());
    let Some(row) = row else { return everybody(error) };
    let own = own_uid();
    if errno == OsCode::EPERM && (own == 0 || own == row.uid || own == row.creator_uid) {
        return everybody(error);
    }
    let (hint, remedy) = may_not(errno, row.uid, row.mode, own);
    error.with_hint(hint).with_remedy(remedy).with_owner(row.uid, Some(row.mode))
}
