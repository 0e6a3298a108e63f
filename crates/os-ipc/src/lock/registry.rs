//! The registry: the requests of this process, for queries.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{LockEngine, LockMode, LockName, LockRequest};
use crate::waiting::Holder;

static REQUESTS: Mutex<Requests> = Mutex::new(Requests { next: 0, all: BTreeMap::new() });

struct Requests {
    next: u64,
    /// The requests by number, in the order in which they came.
    all: BTreeMap<u64, Entry>,
}

pub(super) struct Entry {
    pub(super) engine: LockEngine,
    pub(super) name: LockName,
    pub(super) mode: LockMode,
    pub(super) client: u32,
    pub(super) holder: Arc<Holder>,
}

/// An entry of the registry; dropping it removes the request.
pub(super) struct Entered(u64);

pub(super) fn enter(entry: Entry) -> Entered {
    let mut requests = lock();
    requests.next += 1;
    let number = requests.next;
    requests.all.insert(number, entry);
    Entered(number)
}

impl Drop for Entered {
    fn drop(&mut self) {
        lock().all.remove(&self.0);
    }
}

/// The requests of an engine.
pub(super) fn requests(engine: &LockEngine, pid: i32) -> Vec<LockRequest> {
    let of_engine = |entry: &&Entry| entry.engine == *engine;
    let request = |entry: &Entry| LockRequest {
        name: entry.name.as_str().to_owned(),
        mode: entry.mode,
        held: entry.holder.permits() > 0,
        asked: if entry.holder.permits() > 0 { 0 } else { entry.holder.asked() },
        pid: Some(pid),
        client: Some(entry.client),
    };
    lock().all.values().filter(of_engine).map(request).collect()
}

fn lock() -> MutexGuard<'static, Requests> {
    REQUESTS.lock().unwrap_or_else(PoisonError::into_inner)
}
