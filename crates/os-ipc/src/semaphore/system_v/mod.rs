//! Named semaphores as System V sets that store their name.

mod counter;
mod initialise;
mod list;
mod opening;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

pub(crate) use list::sets;
use opening::{create, open, open_or_create, unlink};

use super::backend::{Engine, Facts, Identity, Object};
use super::explain::elsewhere;
use super::{Backend, Creation, SemaphoreId, SemaphoreInfo, VALUE_MAX};
use crate::access::Owner;
use crate::error::{Error, OsCode, Result};
use crate::hints::system_v::By;
use crate::hints::{Wanted, sets as hints};
use crate::key::Key;
use crate::name::Name;
use crate::sys::system_v::semaphore::{self as sys, SetId, Undo};
use crate::undo::kernel_undo;
use crate::waiting::Queue;

/// semget(2): found by key, crash-safe permits.
pub(super) struct SystemV;

impl Engine for SystemV {
    fn facts(&self) -> Facts {
        Facts {
            has_value: true,
            has_timed_wait: true,
            unlink_wakes: true,
            value_max: u32::from(VALUE_MAX),
            post_max: None,
            foreign_name_max: None,
        }
    }

    fn recovers_permits(&self) -> bool {
        kernel_undo().is_trusted()
    }

    fn create(&self, id: &SemaphoreId, creation: Creation) -> Result<Box<dyn Object>> {
        Ok(Box::new(create(id, creation)?))
    }

    fn open(&self, id: &SemaphoreId, owner: Owner) -> Result<Box<dyn Object>> {
        Ok(Box::new(open(id, owner)?))
    }

    fn open_or_create(
        &self,
        id: &SemaphoreId,
        creation: Creation,
        owner: Owner,
    ) -> Result<(Box<dyn Object>, bool)> {
        let (set, created) = open_or_create(id, creation, owner)?;
        Ok((Box::new(set), created))
    }

    fn unlink(&self, id: &SemaphoreId) -> Result<bool> {
        unlink(id)
    }

    fn list(&self) -> Result<Vec<SemaphoreInfo>> {
        list::list()
    }

    fn has(&self, name: &Name) -> bool {
        Key::of_name(name).is_ok_and(|key| sys::find_any(key.raw()).is_ok())
    }

    fn explain(&self, error: Error, id: &SemaphoreId, _: Wanted) -> Error {
        match id.key() {
            Ok(key) => hints::explained(error, By::Key(key.raw()), || elsewhere(id)),
            Err(_) => error,
        }
    }
}

/// An open set.
pub(super) struct Set {
    id: SetId,
    /// The identity that it was opened with.
    opened_by: SemaphoreId,
    verified: bool,
    queue: Arc<Queue>,
}

/// Which set, and what it was opened by.
#[derive(Debug)]
struct Which(SetId, SemaphoreId);

impl Set {
    fn new(set: SetId, id: &SemaphoreId, verified: bool) -> Self {
        Self { id: set, opened_by: id.clone(), verified, queue: counter::queue_of(set, id) }
    }
}

impl Object for Set {
    fn backend(&self) -> Backend {
        Backend::SystemV
    }

    fn name(&self) -> &str {
        self.opened_by.name()
    }

    fn verified(&self) -> bool {
        self.verified
    }

    fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.queue)
    }

    fn value(&self) -> Result<u32> {
        sys::value(self.id)
            .map(u32::from)
            .map_err(|errno| failure("cannot read the semaphore", "semctl", &self.opened_by, errno))
    }

    fn post(&self, count: u32) -> Result<()> {
        sys::give(self.id, i16::try_from(count).unwrap_or(i16::MAX), Undo::No).map_err(|errno| {
            let what = match errno {
                OsCode::ERANGE => format!("the counter would pass {VALUE_MAX}"),
                _ => "cannot post to the semaphore".to_owned(),
            };
            let error = failure(&what, "semop", &self.opened_by, errno);
            if errno == OsCode::ERANGE { error.with_limit(u64::from(VALUE_MAX)) } else { error }
        })
    }

    /// Straight into the kernel, which has the clock.
    fn may_block(&self, _: Option<Instant>) -> bool {
        true
    }

    fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
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

    fn info(&self) -> Result<SemaphoreInfo> {
        let info = list::describe(self.id)
            .map_err(|errno| failure("cannot read the semaphore", "semctl", &self.opened_by, errno))?;
        let name = if self.name().is_empty() { info.name } else { Some(self.name().to_owned()) };
        Ok(SemaphoreInfo { name, verified: self.verified, ..info })
    }

    fn identity(&self) -> Arc<dyn Identity> {
        Arc::new(Which(self.id, self.opened_by.clone()))
    }
}

impl Identity for Which {
    fn remove(&self) -> Result<()> {
        let Self(set, opened_by) = self;
        match sys::remove(*set) {
            Ok(()) | Err(OsCode::EIDRM | OsCode::EINVAL) => Ok(()),
            Err(errno) => {
                let error = Error::system("cannot remove the semaphore", "semctl", opened_by, errno);
                Err(hints::explained(error, By::Id(set.raw()), || None))
            }
        }
    }
}

/// A removed set's id is EINVAL to every later call, and EIDRM to those that wait; it is one thing.
fn as_removed(errno: OsCode) -> OsCode {
    if errno == OsCode::EINVAL { OsCode::EIDRM } else { errno }
}

fn failure(what: &str, call: &'static str, id: &SemaphoreId, errno: OsCode) -> Error {
    match as_removed(errno) {
        OsCode::EIDRM => Error::system("the semaphore was removed", call, id, OsCode::EIDRM).with_hint(
            "a process unlinked it, or systemd-logind removed it at a logout (RemoveIPC of logind.conf): open it again",
        ),
        errno => SystemV.explain(Error::system(what, call, id, errno), id, Wanted::Open),
    }
}
