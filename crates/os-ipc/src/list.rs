//! The objects of this host that we may read.

use crate::error::{Code, Error, OsCode, Result};
use crate::limit::{self, LimitInfo};
use crate::memory::{self, SharedMemoryInfo};
use crate::semaphore::{self, SemaphoreInfo};
use crate::sys;

/// Whether this platform can list its objects.
pub const CAN_LIST: bool = sys::host::CAN_LIST;

/// Every semaphore that we may read, those of System V first.
pub fn list_semaphores() -> Result<Vec<SemaphoreInfo>> {
    if !CAN_LIST {
        return Err(Error::new(Code::NotSupported, "this platform cannot list semaphores"));
    }
    semaphore::list()
}

/// Every limit that we may read.
pub fn list_limits() -> Result<Vec<LimitInfo>> {
    if !CAN_LIST {
        return Err(Error::new(Code::NotSupported, "this platform cannot list limits"));
    }
    limit::list()
}

/// Every memory object that we may read: POSIX objects, then System V segments.
pub fn list_segments() -> Result<Vec<SharedMemoryInfo>> {
    if !CAN_LIST {
        return Err(Error::new(Code::NotSupported, "this platform cannot list segments"));
    }
    memory::list()
}

/// Every call of System V IPC that is refused to this process, and its errno: a filter of its container or sandbox
/// refuses it, or the kernel does not have it.
#[must_use]
pub fn refused_calls() -> Vec<(&'static str, OsCode)> {
    #[cfg(system_v_semaphores)]
    return {
        let calls = ["semget", "semop", "semtimedop", "semctl", "shmget", "shmat", "shmctl"].into_iter();
        calls.filter_map(|call| Some((call, sys::system_v::probe::refusal(call)?))).collect()
    };
    #[cfg(not(system_v_semaphores))]
    Vec::new()
}
