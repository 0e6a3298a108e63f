//! Named semaphores as System V sets that carry their name.

mod counter;
mod initialise;
mod list;
mod opening;
// Where there are sets.
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::sync::Arc;
use std::time::Instant;

pub(crate) use list::{list, sets};
pub(super) use opening::{create, open, open_or_create, unlink};

use super::{SemaphoreId, SemaphoreInfo, VALUE_MAX};
use crate::error::{Errno, Error, Result};
use crate::sys::system_v::semaphore::{self as sys, SetId, Undo};
use crate::waiting::Queue;
use initialise::to_i16;

/// An open set.
pub(super) struct Set {
    id: SetId,
    /// What it was opened by.
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

    pub(super) fn post(&self, count: u16) -> Result<()> {
        sys::give(self.id, to_i16(count), Undo::No).map_err(|errno| {
            let what = match errno {
                Errno::ERANGE => format!("the counter would pass {VALUE_MAX}"),
                _ => "cannot post to the semaphore".to_owned(),
            };
            failure(&what, "semop", &self.opened_by, errno)
        })
    }

    /// The wait of the calling thread: straight into the kernel, which has the clock.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
        loop {
            let taken = match deadline {
                None => sys::take(self.id, Undo::No),
                Some(deadline) => {
                    sys::take_within(self.id, Undo::No, deadline.saturating_duration_since(Instant::now()))
                }
            };
            match taken {
                Ok(()) => return Ok(true),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(false),
                Err(errno) => {
                    return Err(failure("cannot wait for the semaphore", "semop", &self.opened_by, errno));
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

    pub(super) fn unlink(&self) -> Result<()> {
        match sys::remove(self.id) {
            Ok(()) | Err(Errno::EIDRM | Errno::EINVAL) => Ok(()),
            Err(errno) => Err(Error::system("cannot remove the semaphore", "semctl", &self.opened_by, errno)),
        }
    }
}

/// A removed set's id is EINVAL to every later call, and EIDRM to those that wait; it is one thing.
fn as_removed(errno: Errno) -> Errno {
    if errno == Errno::EINVAL { Errno::EIDRM } else { errno }
}

fn failure(what: &str, call: &'static str, id: &SemaphoreId, errno: Errno) -> Error {
    match as_removed(errno) {
        Errno::EIDRM => Error::system("the semaphore was removed", call, id, Errno::EIDRM).with_hint(
            "somebody unlinked it, or systemd-logind did at a logout (RemoveIPC of logind.conf); open it again",
        ),
        errno => Error::system(what, call, id, errno),
    }
}
