//! The counter of a semaphore, and the one queue of this process for it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use super::quoted;
use crate::error::{Error, OsCode, Result};
use crate::name::Name;
use crate::sys::interrupt::Interrupt;
use crate::sys::named_semaphore::{Mapped, WAIT_CALL};
use crate::waiting::{Counter, Queue, Request, Token};

/// The counter of a semaphore.
struct MappedCounter {
    mapped: Arc<Mapped>,
    name: Name,
}

impl MappedCounter {
    fn failed(&self, act: &str, call: &'static str, errno: OsCode) -> Error {
        Error::system(format!("cannot {act} the semaphore"), call, quoted(&self.name), errno)
    }
}

impl Counter for MappedCounter {
    fn try_take(&self, _: Request) -> Result<Option<Token>> {
        match self.mapped.try_take() {
            Ok(()) => Ok(Some(Token::default())),
            Err(OsCode::EAGAIN) => Ok(None),
            Err(errno) => Err(self.failed("take a unit from", "sem_trywait", errno)),
        }
    }

    fn take(&self, _: Request, _: &Interrupt) -> Result<Option<Token>> {
        match self.mapped.take() {
            Ok(()) => Ok(Some(Token::default())),
            Err(OsCode::EINTR) => Ok(None),
            Err(errno) => Err(self.failed("wait for", WAIT_CALL, errno)),
        }
    }

    fn may_be_polled(&self) -> bool {
        true
    }

    fn give_back(&self, _: Request, _: Token) -> std::result::Result<(), OsCode> {
        self.mapped.give()
    }

    /// The error of giving back; the calls that take make their own.
    fn failure(&self, act: &str, errno: OsCode) -> Error {
        self.failed(act, "sem_post", errno)
    }
}

/// The mapping and the queue of a semaphore: one for each semaphore and process, however many handles are open.
///
/// The C library gives all openings of one semaphore in a process the same address, and counts them; on darwin every
/// opening has its own address, and its own queue.
pub(super) fn shared(mapped: Mapped, name: &Name) -> (Arc<Mapped>, Arc<Queue>) {
    type Known = (Weak<Mapped>, Weak<Queue>);
    static KNOWN: LazyLock<Mutex<HashMap<usize, Known>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((old, queue)) = known.get(&mapped.address())
        && let (Some(old), Some(queue)) = (old.upgrade(), queue.upgrade())
    {
        return (old, queue);
    }
    // Only when the list is full: opening must not become slower with every open semaphore.
    if known.len() == known.capacity() {
        known.retain(|_, (old, _)| old.strong_count() > 0);
    }
    let mapped = Arc::new(mapped);
    let queue = Queue::of_units(MappedCounter { mapped: Arc::clone(&mapped), name: name.clone() });
    known.insert(mapped.address(), (Arc::downgrade(&mapped), Arc::downgrade(&queue)));
    (mapped, queue)
}
