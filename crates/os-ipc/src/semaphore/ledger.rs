//! Semaphores of Windows: ledgers, whose units nobody owns. A semaphore of Windows itself would keep no count of a process
//! that dies while it waits, and wake nobody when it is removed.

use std::sync::Arc;
use std::time::Instant;

use super::backend::{Backend, Engine, Facts, Identity, Object};
use super::{Creation, SemaphoreId, SemaphoreInfo, VALUE_MAX};
use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Result};
use crate::hints::Wanted;
use crate::ledger::Kind;
use crate::limit::LimitInfo;
use crate::limit::ledger::{Named, Open, Which, describe, known, opening};
use crate::sys::failure::Failure;
use crate::waiting::Queue;

/// The largest counter. The ledger could count further, but a program whose counters fit here must fit on Linux too.
const MOST: u32 = VALUE_MAX as u32;

/// The ledgers of semaphores.
pub(super) struct Ledgers;

impl Engine for Ledgers {
    fn facts(&self) -> Facts {
        Facts {
            has_value: true,
            has_timed_wait: true,
            unlink_wakes: true,
            value_max: MOST,
            post_max: None,
            foreign_name_max: None,
        }
    }

    fn create(&self, id: &SemaphoreId, creation: Creation) -> Result<Box<dyn Object>> {
        opening::create(&named(id)?, creation.initial, creation.mode).map(|opened| object(known(opened)))
    }

    fn open(&self, id: &SemaphoreId, owner: Owner) -> Result<Box<dyn Object>> {
        let named = named(id)?;
        let opened = opening::open(&named, owner)?;
        opened.map(|opened| object(known(opened))).ok_or_else(|| opening::absent(&named))
    }

    fn open_or_create(
        &self,
        id: &SemaphoreId,
        creation: Creation,
        owner: Owner,
    ) -> Result<(Box<dyn Object>, bool)> {
        let named = named(id)?;
        loop {
            if let Some(opened) = opening::open(&named, owner)? {
                return Ok((object(known(opened)), false));
            }
            match opening::create(&named, creation.initial, creation.mode) {
                // Another process was quicker.
                Err(error) if error.errno() == Some(OsCode::EEXIST) => {}
                created => return Ok((object(known(created?)), true)),
            }
        }
    }

    fn unlink(&self, id: &SemaphoreId) -> Result<bool> {
        let Some(opened) = opening::open_to_remove(&named(id)?)? else { return Ok(false) };
        known(opened).counter.remove().map(|()| true)
    }

    fn list(&self) -> Result<Vec<SemaphoreInfo>> {
        Ok(describe::semaphores()?.into_iter().map(info).collect())
    }

    fn explain(&self, error: Error, _id: &SemaphoreId, _wanted: Wanted) -> Error {
        error
    }
}

fn named(id: &SemaphoreId) -> Result<Named> {
    let name = id
        .given_name()
        .ok_or_else(|| Error::new(Code::NotSupported, "a semaphore of Windows has a name, not a key"))?;
    Ok(Named { kind: Kind::Semaphore, name: name.clone() })
}

/// An open semaphore.
struct Counted(Open);

fn object(open: Open) -> Box<dyn Object> {
    Box::new(Counted(open))
}

impl Object for Counted {
    fn backend(&self) -> Backend {
        Backend::Windows
    }

    fn name(&self) -> &str {
        self.0.counter.name()
    }

    fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.0.queue)
    }

    fn value(&self) -> Result<u32> {
        self.0.counter.check_exists("read")?;
        Ok(u32::try_from(self.0.counter.ledger().value().max(0)).unwrap_or(u32::MAX))
    }

    fn post(&self, count: u32) -> Result<()> {
        if self.0.counter.post(count, MOST)? {
            return Ok(());
        }
        let full = Failure("ReleaseSemaphore", OsCode::EOVERFLOW);
        Err(opening::failed("post to", self.0.counter.name_of(), full)
            .with_hint(format!("a counter is at most {MOST}: nothing was added"))
            .with_limit(MOST.into()))
    }

    /// The hub waits for ledgers.
    fn may_block(&self, _deadline: Option<Instant>) -> bool {
        false
    }

    fn wait(&self, _deadline: Option<Instant>) -> Result<bool> {
        Err(Error::new(Code::NotSupported, "no thread blocks in a ledger"))
    }

    fn info(&self) -> Result<SemaphoreInfo> {
        self.0.counter.check_exists("read")?;
        describe::with_value(&self.0.counter).map(info)
    }

    fn identity(&self) -> Arc<dyn Identity> {
        Arc::new(Which::of(&self.0.counter))
    }
}

impl Identity for Which {
    fn remove(&self) -> Result<()> {
        self.remove_ledger()
    }
}

fn info((of, value): (LimitInfo, u32)) -> SemaphoreInfo {
    SemaphoreInfo {
        backend: Backend::Windows,
        name: of.name,
        key: None,
        id: None,
        value: Some(value),
        waiters: Some(of.waiters),
        pending: 0,
        last_pid: None,
        uid: Some(of.uid),
        gid: Some(of.gid),
        mode: Some(of.mode),
        operated_at: None,
        changed_at: Some(of.changed_at),
        verified: true,
        removed: false,
    }
}
