//! Everything on this host that we may read.

use crate::error::{Code, Error, Result};
use crate::semaphore::{SemaphoreInfo, list_posix, list_system_v};
use crate::sys;

/// Whether this platform can say what is there.
pub const CAN_LIST: bool = sys::sysv_sem::AVAILABLE;

/// Every semaphore that we may read, System V's first.
pub fn list_semaphores() -> Result<Vec<SemaphoreInfo>> {
    if !CAN_LIST {
        return Err(Error::new(Code::NotSupported, "this platform does not say which semaphores there are"));
    }
    let mut semaphores = list_system_v()?;
    semaphores.extend(list_posix());
    Ok(semaphores)
}
