//! The sets of this host.

use crate::error::{Error, OsCode, Result};
use crate::hints::sets as hints;
use crate::record::{self, Record};
use crate::semaphore::{Backend, SemaphoreInfo};
use crate::sys::system_v::probe;
use crate::sys::system_v::semaphore::{self as sys, SetId};
use crate::sys::system_v::table::SETS;

/// Every set that we may read and that is neither a lock nor a limit.
pub(crate) fn list() -> Result<Vec<SemaphoreInfo>> {
    // The list leaves out sets that are gone by now, and sets that we may not read.
    Ok(sets()?.into_iter().filter(|set| !is_another(*set)).filter_map(|set| describe(set).ok()).collect())
}

/// Every set.
pub(crate) fn sets() -> Result<Vec<SetId>> {
    let failed = |call, errno| {
        Error::system("cannot list the semaphores", call, format_args!("'{}'", SETS.path), errno)
    };
    let ids = match (SETS.ids(), probe::refusal("semctl")) {
        // A kernel without System V IPC has no sets.
        (Err(OsCode::ENOENT | OsCode::ENOSYS), None | Some(OsCode::ENOSYS)) => return Ok(Vec::new()),
        // Every process may read the table. Here its rows would all look like sets that we may not read.
        (_, Some(errno)) => return Err(hints::refused(failed("semctl", errno))),
        (Err(errno), None) => return Err(failed("open", errno)),
        (Ok(ids), None) => ids,
    };
    Ok(ids.into_iter().map(sys::by_id).collect())
}

fn is_another(set: SetId) -> bool {
    let values = sys::status(set).and_then(|status| sys::values(set, status.size));
    values.is_ok_and(|values| matches!(record::read(&values), Record::Lock(_) | Record::Limit(_)))
}

pub(super) fn describe(set: SetId) -> std::result::Result<SemaphoreInfo, OsCode> {
    let status = sys::status(set)?;
    let values = sys::values(set, status.size)?;
    let (name, verified) = match record::read(&values) {
        Record::Named(name) => (Some(name).filter(|name| !name.is_empty()), true),
        Record::Lock(_) | Record::Limit(_) | Record::Absent | Record::Damaged => (None, false),
    };
    Ok(SemaphoreInfo {
        backend: Backend::SystemV,
        name,
        key: Some(status.key),
        id: Some(set.raw()),
        value: values.first().copied().map(u32::from),
        waiters: Some(u32::from(sys::waiters(set)?)),
        pending: 0,
        last_pid: Some(sys::last_pid(set)?).filter(|pid| *pid != 0),
        uid: Some(status.access.uid),
        gid: Some(status.access.gid),
        mode: Some(status.access.mode),
        operated_at: Some(status.operated).filter(|time| *time != 0),
        changed_at: Some(status.changed),
        verified,
        removed: false,
    })
}
