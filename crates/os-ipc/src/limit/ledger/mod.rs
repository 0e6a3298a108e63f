//! Limits as ledgers: files in which each process writes what it holds, for kernels that undo nothing.

mod counter;
pub(crate) mod describe;
mod inherited;
pub(crate) mod opening;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Instant;

use super::engine::{Engine, Identity, Object};
use super::{LimitCreation, LimitId, LimitInfo, checked_permits};
use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Result};
use crate::ledger::Kind;
use crate::name::Name;
use crate::sys::file_identity::FileIdentity;
use crate::waiting::{Holder, Queue, Request, block_in_queue};
pub(crate) use counter::LedgerCounter;
#[cfg(system_v_semaphores)]
pub(super) use opening::exists;
pub(super) use opening::has_folder;
pub(crate) use opening::{Named, Opened};

/// Files in shared memory: whoever finds a dead process gives back what it held.
pub(super) struct Ledgers;

impl Engine for Ledgers {
    fn create(&self, id: &LimitId, creation: LimitCreation) -> Result<Box<dyn Object>> {
        let name = &name_of(id)?;
        opening::create(name, checked_permits(creation.permits)?.into(), creation.mode).map(of_file)
    }

    fn open(&self, id: &LimitId, owner: Owner) -> Result<Box<dyn Object>> {
        let name = &name_of(id)?;
        opening::open(name, owner)?.map(of_file).ok_or_else(|| opening::absent(name))
    }

    fn open_or_create(
        &self,
        id: &LimitId,
        creation: LimitCreation,
        owner: Owner,
    ) -> Result<(Box<dyn Object>, bool)> {
        let name = &name_of(id)?;
        let permits = checked_permits(creation.permits)?;
        loop {
            if let Some(opened) = opening::open(name, owner)? {
                return Ok((of_file(opened), false));
            }
            match opening::create(name, permits.into(), creation.mode) {
                // Another process was quicker.
                Err(error) if error.errno() == Some(OsCode::EEXIST) => {}
                created => return Ok((of_file(created?), true)),
            }
        }
    }

    fn unlink(&self, id: &LimitId) -> Result<bool> {
        let Some(opened) = opening::open_to_remove(&name_of(id)?)? else { return Ok(false) };
        known(opened).counter.remove().map(|()| true)
    }

    fn list(&self) -> Result<Vec<LimitInfo>> {
        describe::list()
    }
}

/// A ledger is found by its name.
fn name_of(id: &LimitId) -> Result<Named> {
    let named = |name: &Name| Named { kind: Kind::Limit, name: name.clone() };
    id.name().map(named).ok_or_else(|| {
        Error::new(Code::NotSupported, format!("a limit of the engine 'ledger' has a name, not a key: {id}"))
            .with_hint("a key is that of a System V set: use the engine 'sysv', or a name")
    })
}

/// An open ledger.
pub(crate) struct Open {
    pub(crate) counter: Arc<LedgerCounter>,
    pub(crate) queue: Arc<Queue>,
}

fn of_file(opened: Opened) -> Box<dyn Object> {
    Box::new(known(opened))
}

/// What this process has of a ledger, however many handles there are.
struct Known {
    counter: Weak<LedgerCounter>,
    queue: Weak<Queue>,
}

pub(crate) fn known(opened: Opened) -> Open {
    static KNOWN: LazyLock<Mutex<HashMap<FileIdentity, Known>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let identity = opened.status.identity;
    if let Some(open) = known.get(&identity)
        && let (Some(counter), Some(queue)) = (open.counter.upgrade(), open.queue.upgrade())
        && counter.is_own()
    {
        return Open { counter, queue };
    }
    // Now and then, so that opening does not become slower with every limit that is open.
    if known.len() == known.capacity() {
        known.retain(|_, open| open.queue.strong_count() > 0);
    }
    let counter = Arc::new(LedgerCounter::new(opened));
    inherited::give_back(&counter);
    let queue = Queue::of_units(Arc::clone(&counter));
    known.insert(identity, Known { counter: Arc::downgrade(&counter), queue: Arc::downgrade(&queue) });
    Open { counter, queue }
}

impl Object for Open {
    fn name(&self) -> &str {
        self.counter.name()
    }

    fn verified(&self) -> bool {
        true
    }

    fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    fn permits(&self) -> Result<Option<u16>> {
        self.counter.check_exists("read")?;
        Ok(Some(describe::narrow(self.counter.ledger().total())))
    }

    fn no_record(&self) -> Error {
        Error::new(
            Code::NotSupported,
            format!("the limit '{}' has no recorded number of permits", self.name()),
        )
    }

    fn grow(&self, from: u16, to: u16) -> Result<bool> {
        self.counter.grow(u32::from(from), u32::from(to))
    }

    fn wait(&self, holder: &Arc<Holder>, deadline: Option<Instant>) -> Result<bool> {
        block_in_queue(&self.queue, Request::Permit, holder, deadline)
    }

    fn returns_permits_of_dead(&self) -> bool {
        true
    }

    fn hand_on(&self, handed_on: bool) -> Result<bool> {
        Ok(self.counter.hand_on(handed_on))
    }

    fn info(&self) -> Result<LimitInfo> {
        self.counter.check_exists("read")?;
        describe::of_open(&self.counter)
    }

    fn identity(&self) -> Arc<dyn Identity> {
        Arc::new(Which::of(&self.counter))
    }
}

/// One ledger, as opposed to a later one of the same name. It keeps neither its file nor its mapping of Windows open.
///
/// Neither a tmpfs nor APFS gives the inode of a removed file to another one; on Windows the identity has a random part.
pub(crate) struct Which {
    name: Named,
    identity: FileIdentity,
    counter: Weak<LedgerCounter>,
}

impl std::fmt::Debug for Which {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "'{}'", self.name)
    }
}

impl Which {
    pub(crate) fn of(counter: &Arc<LedgerCounter>) -> Self {
        let (name, identity) = (counter.name_of().clone(), counter.identity());
        Self { name, identity, counter: Arc::downgrade(counter) }
    }

    pub(crate) fn remove_ledger(&self) -> Result<()> {
        if let Some(counter) = self.counter.upgrade() {
            return counter.remove();
        }
        match opening::open(&self.name, Owner::Any)? {
            Some(opened) if opened.status.identity == self.identity => known(opened).counter.remove(),
            _ => Ok(()),
        }
    }
}

impl Identity for Which {
    fn remove(&self) -> Result<()> {
        self.remove_ledger()
    }
}
