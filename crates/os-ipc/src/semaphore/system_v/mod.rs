//! Named semaphores as System V sets that store their name.

mod counter;
mod list;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

pub(crate) use list::sets;

use super::backend::{Engine, Facts, Identity, Object};
use super::explain::elsewhere;
use super::{Backend, Creation, SemaphoreId, SemaphoreInfo, VALUE_MAX};
use crate::access::Owner;
use crate::counter_set::{self, Opened, SetName};
use crate::error::{Error, OsCode, Result};
use crate::hints::system_v::By;
use crate::hints::{Wanted, sets as hints};
use crate::key::Key;
use crate::limit;
use crate::name::Name;
use crate::sys::system_v::semaphore::{self as sys, SetId, Undo};
use crate::waiting::Queue;

/// semget(2): found by key.
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
        match id.set_name() {
            Ok(name) => hints::explained(error, By::Key(name.key().raw()), || elsewhere(id)),
            Err(_) => error,
        }
    }
}

/// An open set.
pub(super) struct Set {
    id: SetId,
    /// The identity that it was opened with.
    opened_by: SemaphoreId,
    which: SetName,
    verified: bool,
    queue: Arc<Queue>,
}

/// Which set, and what it was opened by.
#[derive(Debug)]
struct Which(SetId, SetName);

impl Set {
    fn new(Opened { set, ready, .. }: Opened, id: &SemaphoreId, which: SetName) -> Self {
        let queue = counter::queue_of(set, id);
        Self { id: set, opened_by: id.clone(), which, verified: ready.verified, queue }
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
        Arc::new(Which(self.id, self.which.clone()))
    }
}

impl Identity for Which {
    fn remove(&self) -> Result<()> {
        let Self(set, opened_by) = self;
        counter_set::remove(*set, opened_by)
            .map_err(|error| hints::explained(error, By::Id(set.raw()), || None))
    }
}

fn create(id: &SemaphoreId, creation: Creation) -> Result<Set> {
    let name = id.set_name()?;
    refuse_ledger(&name)?;
    Ok(Set::new(counter_set::create(&name, of_set(creation))?, id, name))
}

fn open(id: &SemaphoreId, owner: Owner) -> Result<Set> {
    let name = id.set_name()?;
    let opened = counter_set::open(&name, owner).map_err(|error| match error.errno() {
        Some(OsCode::ENOENT) => refuse_ledger(&name).err().unwrap_or(error),
        _ => error,
    })?;
    Ok(Set::new(opened, id, name))
}

fn open_or_create(id: &SemaphoreId, creation: Creation, owner: Owner) -> Result<(Set, bool)> {
    let name = id.set_name()?;
    refuse_ledger(&name)?;
    let opened = counter_set::open_or_create(&name, of_set(creation), owner)?;
    Ok((Set::new(opened, id, name), opened.created))
}

fn unlink(id: &SemaphoreId) -> Result<bool> {
    let name = id.set_name()?;
    let removed = counter_set::unlink(&name)?;
    if !removed {
        refuse_ledger(&name)?;
    }
    Ok(removed)
}

/// Refuses the name of a limit that is a ledger: no set has its key.
fn refuse_ledger(name: &SetName) -> Result<()> {
    if name.given_name().is_some_and(limit::is_ledger) { Err(name.wrong_kind()) } else { Ok(()) }
}

/// The creation of a set, whose first value [`Creation::check`] found small enough.
fn of_set(creation: Creation) -> counter_set::Creation {
    let initial = u16::try_from(creation.initial).unwrap_or(VALUE_MAX);
    counter_set::Creation { initial, mode: creation.mode }
}

fn failure(what: &str, call: &'static str, id: &SemaphoreId, errno: OsCode) -> Error {
    match id.set_name() {
        Ok(name) => SystemV.explain(counter_set::failure(what, call, &name, errno), id, Wanted::Open),
        Err(error) => error,
    }
}
