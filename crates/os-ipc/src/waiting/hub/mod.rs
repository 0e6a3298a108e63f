//! The hub: one thread of the process serves every queue whose source is [`Watched`](super::Watched).
//!
//! It sleeps in one poll(2) over a bell of its own, the inbox of this process, and one watch a process, and never inside
//! a source. A queue joins the hub in place of starting a thread, and leaves it with its last waiter.
//!
//! A queue looks at its source under its own lock, takes what is there, and then tells the hub which deaths matter to it.
//! Any thread may do that: where the hub watches these processes already, its thread sleeps on.
//!
//! | file | holds |
//! |---|---|
//! | `table` | the queues, the watched processes and what is due, without locks or system calls |
//! | `turns` | the thread: what it does between two sleeps |
//! | `host` | a blocking wait that serves the hub itself while no thread does |
//! | `at_exit` | the removal of inboxes when the process ends |
//!
//! Locks are taken in this order: the queue's, then the hub's.

mod at_exit;
mod host;
mod table;
mod turns;

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

pub(super) use self::host::{Host, rouse};
use self::table::{EntryId, Table};
use self::turns::{IDLE, Turns};
use super::queue::Queue;
use super::watched::Watched;
use crate::error::Result;
use crate::sync::{Mutex, MutexGuard, global};
use crate::sys::death::ProcessId;
use crate::sys::wake::Bell;
use crate::sys::{own_pid, thread};

global! {
    static HUB: Mutex<Hub> = Mutex::new(Hub::new(0));
}

struct Hub {
    /// The process whose hub this is: a forked child has no thread of it.
    process: u32,
    table: Table<Arc<Queue>>,
    /// Whether a thread serves.
    running: bool,
    asleep: Sleep,
    /// `None` while no file descriptor is left for it: the thread does not sleep long then.
    bell: Option<Arc<Bell>>,
    /// The inboxes and watches, while no thread serves.
    parked: Option<Turns>,
}

/// The sleep of the thread.
#[derive(Clone, Copy, Debug)]
enum Sleep {
    Awake,
    /// At most until then.
    Until(Instant),
    ForEver,
}

impl Sleep {
    fn until(time: Option<Instant>) -> Self {
        time.map_or(Self::ForEver, Self::Until)
    }
}

impl Hub {
    const fn new(process: u32) -> Self {
        Self { process, table: Table::new(), running: false, asleep: Sleep::Awake, bell: None, parked: None }
    }

    fn make_bell(&mut self) {
        if self.bell.is_none() {
            self.bell = Bell::new().ok().map(Arc::new);
        }
    }

    /// The thread is about to sleep until then at most. Returns the bell that wakes it.
    fn fall_asleep(&mut self, until: Option<Instant>, now: Instant) -> Option<Arc<Bell>> {
        if until.is_none_or(|until| until > now) {
            self.asleep = Sleep::until(until);
        }
        self.bell.clone()
    }

    /// Wakes the thread if it sleeps longer than until then.
    fn rouse(&mut self, then: Option<Instant>) {
        let in_time = match (self.asleep, then) {
            (Sleep::Awake, _) => true,
            (Sleep::Until(until), Some(then)) => until <= then,
            _ => false,
        };
        if !in_time {
            self.asleep = Sleep::Awake;
            self.bell.iter().for_each(|bell| bell.ring());
        }
    }
}

/// The hub, for the thread that serves it: a forked child has no such thread, so this asks for no pid.
fn served() -> MutexGuard<'static, Hub> {
    HUB.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The hub of this process.
fn hub() -> MutexGuard<'static, Hub> {
    let mut hub = served();
    let process = own_pid();
    if hub.process != process {
        // The descriptors are those of the parent, which goes on to use them.
        std::mem::forget(std::mem::replace(&mut *hub, Hub::new(process)));
    }
    hub
}

/// The place of a queue in the hub; the queue leaves when this is dropped.
pub(super) struct Seat(EntryId);

impl Seat {
    /// The hub serves the queue, as this generation, from now on. The caller looks at the source next.
    pub(super) fn take(queue: Arc<Queue>, generation: u64, watched: &dyn Watched) -> Result<Self> {
        let mut hub = hub();
        hub.make_bell();
        if !hub.running {
            thread::run(turns::serve)?;
            hub.running = true;
        }
        let (key, inboxes) = (watched.key(), watched.inboxes());
        Ok(Self(hub.table.enter(queue, generation, key, inboxes)))
    }

    /// The queue has looked at its source, which has nothing for its waiters now.
    pub(super) fn looked_at(&self, peers: &[ProcessId], again: Option<Duration>) {
        let now = Instant::now();
        let again = again.map(|again| now + again);
        let mut hub = hub();
        if !hub.table.looked_at(self.0, peers, again, now) {
            hub.rouse(None);
        } else if let Some(first) = hub.table.first_timer() {
            hub.rouse(Some(first));
        }
    }

    /// The source may have more for its waiters.
    pub(super) fn look_soon(&self) {
        let mut hub = hub();
        hub.table.make_due(self.0);
        hub.rouse(None);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let left = {
            let mut hub = hub();
            let left = hub.table.leave(self.0);
            if hub.table.is_empty() {
                // A thread that sleeps without an end would never find out that it is not needed.
                hub.rouse(Some(Instant::now() + IDLE));
            }
            left
        };
        // Not under the lock: this may be the last handle on the queue.
        drop(left);
    }
}

#[cfg(all(test, unix, not(loom)))]
mod tests;
