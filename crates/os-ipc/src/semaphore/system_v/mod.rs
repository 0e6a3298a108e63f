//! Named semaphores as System V sets that carry their name.

mod counter;
mod list;
// Where there are sets.
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::sync::Arc;
use std::time::Instant;

pub(crate) use list::{list, sets};

use super::{Creation, SemaphoreId, SemaphoreIdentity, SemaphoreInfo, VALUE_MAX};
use crate::access::Owner;
use crate::counter_set::{self, Opened};
use crate::error::{Error, OsCode, Result};
use crate::sys::system_v::semaphore::{self as sys, SetId, Undo};
use crate::waiting::Queue;

/// An open set.
pub(super) struct Set {
    id: SetId,
    /// What it was opened by.
    opened_by: SemaphoreId,
    verified: bool,
    queue: Arc<Queue>,
}

impl Set {
    fn new(Opened { set, verified, .. }: Opened, id: &SemaphoreId) -> Self {
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

    /// The wait of the calling thread: straight into the kernel, which has the clock.
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

pub(super) fn create(id: &SemaphoreId, creation: Creation) -> Result<Set> {
    counter_set::create(&id.set_name()?, creation.of_set()).map(|opened| Set::new(opened, id))
}

pub(super) fn open(id: &SemaphoreId, owner: Owner) -> Result<Set> {
    counter_set::open(&id.set_name()?, owner).map(|opened| Set::new(opened, id))
}

pub(super) fn open_or_create(id: &SemaphoreId, creation: Creation, owner: Owner) -> Result<(Set, bool)> {
    let opened = counter_set::open_or_create(&id.set_name()?, creation.of_set(), owner)?;
    Ok((Set::new(opened, id), opened.created))
}

pub(super) fn unlink(id: &SemaphoreId) -> Result<bool> {
    counter_set::unlink(&id.set_name()?)
}

/// Removes this set, unless it is gone.
pub(super) fn remove_set(set: SetId, opened_by: &SemaphoreId) -> Result<()> {
    counter_set::remove(set, &opened_by.set_name()?)
}

fn failure(what: &str, call: &'static str, id: &SemaphoreId, errno: OsCode) -> Error {
    match id.set_name() {
        Ok(name) => super::explain::opening(counter_set::failure(what, call, &name, errno), id),
        Err(error) => error,
    }
}
