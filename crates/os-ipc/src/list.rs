//! Everything on this host that we may read.

use crate::error::{Code, Error, OsCode, Result};
use crate::limit::{self, LimitInfo};
use crate::memory::{self, SharedMemoryInfo};
use crate::semaphore::{SemaphoreInfo, list_posix, list_system_v};
use crate::sys;

/// Whether this platform can say what is there.
pub const CAN_LIST: bool = sys::system_v::semaphore::AVAILABLE;

/// Every semaphore that we may read, System V's first.
pub fn list_semaphores() -> Result<Vec<SemaphoreInfo>> {
    if !CAN_LIST {
        return Err(Error::new(Code::NotSupported, "this platform cannot list semaphores"));
    }
    let mut semaphores = list_system_v()?;
    semaphores.extend(list_posix());
    Ok(semaphores)
}

/// Every limit that we may read.
pub fn list_limits() -> Result<Vec<LimitInfo>> {
    if !CAN_LIST {
        return Err(Error::new(Code::NotSupported, "this platform does not say which limits there are"));
    }
    limit::list_system_v()
}

/// Every memory object that we may read: POSIX objects, then System V segments.
pub fn list_segments() -> Result<Vec<SharedMemoryInfo>> {
    if !CAN_LIST {
        return Err(Error::new(Code::NotSupported, "this platform cannot list segments"));
    }
    Ok([memory::list_posix(), memory::list_system_v()?].concat())
}

/// Every call of System V IPC that this process may not make, and the errno that it gets: a filter of its container or
/// sandbox refuses it, or the kernel has none of them.
#[must_use]
pub fn refused_calls() -> Vec<(&'static str, OsCode)> {
    const CALLS: [&str; 7] = ["semget", "semop", "semtimedop", "semctl", "shmget", "shmat", "shmctl"];
    let calls = CALLS.into_iter().filter(|_| CAN_LIST);
    calls.filter_map(|call| Some((call, sys::system_v::probe::refusal(call)?))).collect()
}
