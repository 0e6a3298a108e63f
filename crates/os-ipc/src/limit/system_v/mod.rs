//! Limits as System V sets: what a process holds of one is undone by the kernel when the process dies.

mod counter;
mod holder;
mod inherited;
mod list;
mod resize;
// Where there are sets.
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Instant;

pub(crate) use list::list;

use super::LimitInfo;
use crate::counter_set::{self, Opened, SetName};
use crate::error::{Code, Error, OsCode, Remedy, Result};
use crate::hints::system_v as hints;
use crate::record::PERMITS_AT;
use crate::sys::system_v::semaphore::{self as sys, SetId};
use crate::waiting::Queue;
use counter::LimitCounter;

/// An open set.
pub(super) struct Set {
    id: SetId,
    /// What it was opened by.
    name: SetName,
    verified: bool,
    /// Whether its set has the recorded number and the words of the holders.
    recorded: bool,
    counter: Arc<LimitCounter>,
    queue: Arc<Queue>,
}

impl Set {
    pub(super) fn new(opened: Opened, name: &SetName) -> Self {
        let Opened { set, verified, recorded, .. } = opened;
        let (counter, queue) = counter_of(set, name, recorded);
        Self { id: set, name: name.clone(), verified, recorded, counter, queue }
    }

    pub(super) fn name(&self) -> &str {
        self.name.name()
    }

    pub(super) fn verified(&self) -> bool {
        self.verified
    }

    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// How many permits there are, as recorded.
    pub(super) fn permits(&self) -> Result<Option<u16>> {
        if !self.recorded {
            return Ok(None);
        }
        sys::value_at(self.id, PERMITS_AT).map(Some).map_err(|errno| self.unreadable(errno))
    }

    /// As [`LimitCounter::wait`].
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
        self.counter.wait(deadline)
    }

    /// As [`LimitCounter::hand_on`].
    pub(super) fn hand_on(&self, handed_on: bool) -> Result<bool> {
        self.counter.hand_on(handed_on)
    }

    /// Raises the recorded number at once; false when it is not `from` any more.
    pub(super) fn grow(&self, from: u16, to: u16) -> Result<bool> {
        resize::grow(self.id, from, to).map_err(|errno| {
            let what = match errno {
                OsCode::ERANGE => "the free permits would pass 32,767",
                _ => "cannot resize the limit",
            };
            explained(counter_set::failure(what, "semop", &self.name, errno), &self.name)
        })
    }

    /// The error for a set that has no record.
    pub(super) fn no_record(&self) -> Error {
        let what = format!("the limit {} has no recorded number of permits that could be changed", self.name);
        Error::new(Code::NotSupported, what).with_hint(
            "another program made its set, or this host's limits (SEMMSL, SEMOPM of kernel.sem) were too small for the record",
        )
    }

    pub(super) fn info(&self) -> Result<LimitInfo> {
        let info = list::describe(self.id, self.recorded).map_err(|errno| self.unreadable(errno))?;
        let name = if self.name().is_empty() { info.name } else { Some(self.name().to_owned()) };
        Ok(LimitInfo { name, verified: self.verified, ..info })
    }

    pub(super) fn identity(&self) -> (SetId, SetName) {
        (self.id, self.name.clone())
    }

    fn unreadable(&self, errno: OsCode) -> Error {
        explained(counter_set::failure("cannot read the limit", "semctl", &self.name, errno), &self.name)
    }
}

/// An error that leaves this module, with what can be found out about its set.
pub(super) fn explained(error: Error, name: &SetName) -> Error {
    without_posix(hints::set(error, hints::By::Key(name.key().raw()), || None))
}

/// As [`explained`], of a set that may not have its key any more.
pub(super) fn explained_by_id(error: Error, set: SetId) -> Error {
    without_posix(hints::set(error, hints::By::Id(set.raw()), || None))
}

/// A POSIX semaphore helps where System V is refused, but not who needs permits: it has none.
fn without_posix(error: Error) -> Error {
    if error.remedy() != Some(Remedy::Posix) {
        return error;
    }
    let hint = "a seccomp filter of the container or sandbox refuses the call, or the kernel has no System V IPC: allow the call";
    error.with_hint(hint).with_remedy(None)
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
