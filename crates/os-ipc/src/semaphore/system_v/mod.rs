//! Named semaphores as System V sets that store their name.

mod counter;
mod initialise;
mod list;
mod opening;
// Only where the platform has System V sets.
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::sync::Arc;
use std::time::Instant;

pub(crate) use list::{list, sets};
pub(super) use opening::{create, open, open_or_create, unlink};

use super::{SemaphoreId, SemaphoreIdentity, SemaphoreInfo, VALUE_MAX};
use crate::error::{Error, OsCode, Result};
use crate::sys::system_v::semaphore::{self as sys, SetId, Undo};
use crate::waiting::Queue;

/// An open set.
pub(super) struct Set {
    id: SetId,
    /// The identity that it was opened with.
    opened_by: SemaphoreId,
    verified: bool,
    queue: Arc<Queue>,
}

impl Set {
    fn new(set: SetId, id: &SemaphoreId, verified: bool) -> Self {
        Self { id: set, opened_by: id.clone(), verified, queue: counter::queue_of(set, id) }
    }

    pub(super) fn name(&self) -> &str {
        self.opened_by.name()
    }

    pub(super) fn verified(&self) -> bool {
        self.verified
    }

    pub(super) fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }

    pub(super) fn value(&self) -> Result<u32> {
        sys::value(self.id)
            .map(u32::from)
            .map_err(|errno| failure("cannot read the semaphore", "semctl", &self.opened_by, errno))
    }

    pub(super) fn post(&self, count: u32) -> Result<()> {
        sys::give(self.id, i16::try_from(count).unwrap_or(i16::MAX), Undo::No).map_err(|errno| {
            let what = match errno {
                OsCode::ERANGE => format!("the counter would pass {VALUE_MAX}"),
                _ => "cannot post to the semaphore".to_owned(),
            };
            let error = failure(&what, "semop", &self.opened_by, errno);
            if errno == OsCode::ERANGE { error.with_limit(u64::from(VALUE_MAX)) } else { error }
        })
    }

    /// A wait of the calling thread in the kernel, which has a clock.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
        loop {
            let (taken, call) = match deadline {
                None => (sys::take(self.id, Undo::No), "semop"),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    (sys::take_within(self.id, Undo::No, left), "semtimedop")
                }
            };
            match taken {
                Ok(()) => return Ok(true),
                Err(OsCode::EINTR) => {}
                Err(OsCode::EAGAIN) => return Ok(false),
                Err(errno) => {
                    return Err(failure("cannot wait for the semaphore", call, &self.opened_by, errno));
                }
            }
        }
    }

    pub(super) fn info(&self) -> Result<SemaphoreInfo> {
        let info = list::describe(self.id)
            .map_err(|errno| failure("cannot read the semaphore", "semctl", &self.opened_by, errno))?;
        let name = if self.name().is_empty() { info.name } else { Some(self.name().to_owned()) };
        Ok(SemaphoreInfo { name, verified: self.verified, ..info })
    }

    pub(super) fn identity(&self) -> SemaphoreIdentity {
        SemaphoreIdentity::system_v(self.id, &self.opened_by)
    }
}

/// Removes this set, unless it is already gone.
pub(super) fn remove_set(set: SetId, opened_by: &SemaphoreId) -> Result<()> {
    match sys::remove(set) {
        Ok(()) | Err(OsCode::EIDRM | OsCode::EINVAL) => Ok(()),
        Err(errno) => Err(Error::system("cannot remove the semaphore", "semctl", opened_by, errno)),
    }
}

/// Waits on a removed set fail with EIDRM, and later calls with EINVAL; both mean the same.
fn as_removed(errno: OsCode) -> OsCode {
    if errno == OsCode::EINVAL { OsCode::EIDRM } else { errno }
}

fn failure(what: &str, call: &'static str, id: &SemaphoreId, errno: OsCode) -> Error {
    match as_removed(errno) {
        OsCode::EIDRM => Error::system("the semaphore was removed", call, id, OsCode::EIDRM).with_hint(
            "a process unlinked it, or systemd-logind removed it at a logout (RemoveIPC of logind.conf): open it again",
        ),
        errno => super::explain::opening(Error::system(what, call, id, errno), id),
    }
}
