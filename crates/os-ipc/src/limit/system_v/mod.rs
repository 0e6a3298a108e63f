//! Limits as System V sets: what a process holds of one is undone by the kernel when the process dies.

mod counter;
mod holder;
mod inherited;
mod list;
mod resize;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Instant;

use super::engine::{Engine, Identity, Object};
use super::{LimitCreation, LimitId, LimitInfo, checked_permits};
use crate::access::Owner;
use crate::counter_set::{self, Opened, Ready, SetName};
use crate::error::{Code, Error, OsCode, Remedy, Result};
use crate::hints::sets as hints;
use crate::hints::system_v::By;
use crate::record::PERMITS_AT;
use crate::sys::system_v::semaphore::{self as sys, SetId};
use crate::sys::system_v::table::SETS;
use crate::undo::kernel_undo;
use crate::waiting::{Holder, Queue, Token};
use counter::LimitCounter;

/// semget(2): the kernel undoes what a dead process took.
pub(super) struct SystemV;

impl Engine for SystemV {
    fn create(&self, id: &LimitId, creation: LimitCreation) -> Result<Box<dyn Object>> {
        let (name, creation) = (id.set_name(), of_set(creation)?);
        let opened = counter_set::create(&name, creation).map_err(|error| explained(error, &name))?;
        Ok(Box::new(Set::new(opened, name)))
    }

    fn open(&self, id: &LimitId, owner: Owner) -> Result<Box<dyn Object>> {
        let name = id.set_name();
        let opened = counter_set::open(&name, owner).map_err(|error| explained(error, &name))?;
        Ok(Box::new(Set::new(opened, name)))
    }

    fn open_or_create(
        &self,
        id: &LimitId,
        creation: LimitCreation,
        owner: Owner,
    ) -> Result<(Box<dyn Object>, bool)> {
        let (name, creation) = (id.set_name(), of_set(creation)?);
        let opened =
            counter_set::open_or_create(&name, creation, owner).map_err(|error| explained(error, &name))?;
        Ok((Box::new(Set::new(opened, name)), opened.created))
    }

    fn unlink(&self, id: &LimitId) -> Result<bool> {
        let name = id.set_name();
        counter_set::unlink(&name).map_err(|error| explained(error, &name))
    }

    fn list(&self) -> Result<Vec<LimitInfo>> {
        list::list()
    }
}

/// The error for the set of this limit, if the kernel's table shows one that a filter does not let this process use.
pub(super) fn check_hidden(id: &LimitId) -> Result<()> {
    let by = By::Key(id.set_name().key().raw());
    if SETS.access(by).is_none() {
        return Ok(());
    }
    SystemV.open(id, Owner::Any).map(drop).map_err(|error| {
        error.with_hint(
            "the name is that of a System V set of other processes, and a filter (seccomp) of the container or sandbox refuses System V to this process: allow the calls, or let all processes create the limit with the engine 'ledger'",
        )
    })
}

fn of_set(creation: LimitCreation) -> Result<counter_set::Creation> {
    Ok(counter_set::Creation { initial: checked_permits(creation.permits)?, mode: creation.mode })
}

/// An open set.
struct Set {
    id: SetId,
    /// What it was opened by.
    name: SetName,
    verified: bool,
    touched: bool,
    /// Whether its set has the recorded number and the words of the holders.
    recorded: bool,
    counter: Arc<LimitCounter>,
    queue: Arc<Queue>,
}

/// Which set, and what it was opened by.
#[derive(Debug)]
struct Which(SetId, SetName);

impl Identity for Which {
    fn remove(&self) -> Result<()> {
        let Self(set, name) = self;
        counter_set::remove(*set, name).map_err(|error| {
            // The set may not have its key any more.
            without_posix(hints::explained(error, By::Id(set.raw()), || None))
        })
    }
}

impl Object for Set {
    fn name(&self) -> &str {
        self.name.name()
    }

    fn verified(&self) -> bool {
        self.verified
    }

    fn is_touched(&self) -> bool {
        self.touched
    }

    fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    fn permits(&self) -> Result<Option<u16>> {
        if !self.recorded {
            return Ok(None);
        }
        sys::value_at(self.id, PERMITS_AT).map(Some).map_err(|errno| self.unreadable(errno))
    }

    fn no_record(&self) -> Error {
        let what = format!("the limit {} has no recorded number of permits that could be changed", self.name);
        Error::new(Code::NotSupported, what).with_hint(
            "another program made its set, or this host's limits (SEMMSL, SEMOPM of kernel.sem) were too small for the record",
        )
    }

    fn grow(&self, from: u16, to: u16) -> Result<bool> {
        resize::grow(self.id, from, to).map_err(|errno| {
            let what = match errno {
                OsCode::ERANGE => "the free permits would pass 32,767",
                _ => "cannot resize the limit",
            };
            explained(counter_set::failure(what, "semop", &self.name, errno), &self.name)
        })
    }

    fn wait(&self, holder: &Arc<Holder>, deadline: Option<Instant>) -> Result<bool> {
        let taken = self.counter.wait(deadline)?;
        if taken {
            holder.add(Token::default());
        }
        Ok(taken)
    }

    fn returns_permits_of_dead(&self) -> bool {
        kernel_undo().is_trusted()
    }

    fn hand_on(&self, handed_on: bool) -> Result<bool> {
        self.counter.hand_on(handed_on)
    }

    fn info(&self) -> Result<LimitInfo> {
        let info = list::describe(self.id, self.recorded).map_err(|errno| self.unreadable(errno))?;
        let name = if self.name().is_empty() { info.name } else { Some(self.name().to_owned()) };
        Ok(LimitInfo { name, verified: self.verified, ..info })
    }

    fn identity(&self) -> Arc<dyn Identity> {
        Arc::new(Which(self.id, self.name.clone()))
    }
}

impl Set {
    fn new(opened: Opened, name: SetName) -> Self {
        let Opened { set, ready: Ready { verified, recorded }, untouched, .. } = opened;
        let (counter, queue) = counter_of(set, &name, recorded);
        Self { id: set, name, verified, touched: !untouched, recorded, counter, queue }
    }

    fn unreadable(&self, errno: OsCode) -> Error {
        explained(counter_set::failure("cannot read the limit", "semctl", &self.name, errno), &self.name)
    }
}

/// An error that leaves this module, with what can be found out about its set.
fn explained(error: Error, name: &SetName) -> Error {
    without_posix(hints::explained(error, By::Key(name.key().raw()), || None))
}

/// A POSIX semaphore helps where System V is refused, but not who needs permits: it has none.
fn without_posix(error: Error) -> Error {
    if error.remedy() != Some(Remedy::Posix) {
        return error;
    }
    let hint = "a seccomp filter of the container or sandbox refuses the call, or the kernel has no System V IPC: allow the call";
    error.with_hint(hint)
}

/// What this process has of a set, however many handles there are.
struct Known {
    counter: Weak<LimitCounter>,
    queue: Weak<Queue>,
}

fn counter_of(set: SetId, name: &SetName, recorded: bool) -> (Arc<LimitCounter>, Arc<Queue>) {
    static KNOWN: LazyLock<Mutex<HashMap<SetId, Known>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(open) = known.get(&set)
        && let (Some(counter), Some(queue)) = (open.counter.upgrade(), open.queue.upgrade())
    {
        return (counter, queue);
    }
    // Now and then, so that opening does not become slower with every limit that is open.
    if known.len() == known.capacity() {
        known.retain(|_, open| open.queue.strong_count() > 0);
    }
    if recorded {
        inherited::give_back(set);
    }
    let counter = Arc::new(LimitCounter::new(set, name, recorded));
    let queue = Queue::of_units(Arc::clone(&counter));
    known.insert(set, Known { counter: Arc::downgrade(&counter), queue: Arc::downgrade(&queue) });
    (counter, queue)
}
