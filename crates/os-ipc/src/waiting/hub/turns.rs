//! The thread of the hub.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::table::{Due, Sight, earlier};
use super::{Hub, Sleep, at_exit, hub};
use crate::sys::death::{self, ProcessId, Watch};
use crate::sys::thread;
use crate::sys::wake::{self, Bell, Inbox, Woken};
use crate::waiting::queue::Queue;

/// The pause between two looks of a hub that misses a watch or an inbox: 20 ms.
const BLIND: Duration = Duration::from_millis(20);

/// The time for which the thread sleeps on without a queue, with its watches: 1 s. The model checker has no clock.
const IDLE: Duration = if cfg!(loom) { Duration::ZERO } else { Duration::from_secs(1) };

/// The most queues that are looked at between two looks into the inbox.
const BATCH: usize = 128;

/// The inboxes of this process, each with its folder.
pub(super) struct Inboxes(Vec<(PathBuf, Inbox)>);

impl Inboxes {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }
}

/// The life of the thread.
pub(super) fn serve() {
    let mut turns = Turns::begin();
    while turns.turn() {}
    turns.ended = true;
}

/// What the thread has.
struct Turns {
    watches: Vec<(ProcessId, Watch)>,
    inboxes: Inboxes,
    /// The time for the next look at what cannot be seen.
    recheck: Option<Instant>,
    /// The time since which there is no queue.
    idle: Option<Instant>,
    swept: Instant,
    ended: bool,
}

/// What comes after a turn.
enum Pause {
    /// The next turn.
    None,
    /// A sleep, until then at most; for ever without a time.
    Sleep(Option<Instant>),
    /// The end of the thread: there was no queue for a while.
    End,
}

/// What a turn begins with.
struct Work {
    unseen: Vec<ProcessId>,
    untried: Vec<PathBuf>,
}

impl Turns {
    fn begin() -> Self {
        let inboxes = std::mem::replace(&mut hub().inboxes, Inboxes::new());
        Self { watches: Vec::new(), inboxes, recheck: None, idle: None, swept: Instant::now(), ended: false }
    }

    /// One turn: makes what is missing, looks at what is due, and sleeps. False once the thread is not needed.
    fn turn(&mut self) -> bool {
        let Work { unseen, untried } = self.work();
        for folder in untried {
            self.make_inbox(folder);
        }
        for peer in unseen {
            self.watch(peer);
        }
        let due = hub().table.take_due(BATCH);
        due.into_iter().for_each(look);
        self.sleep()
    }

    fn work(&mut self) -> Work {
        let now = Instant::now();
        let mut hub = hub();
        hub.table.pass(now);
        if self.recheck.is_some_and(|recheck| recheck <= now) {
            self.recheck = None;
            hub.table.recheck();
            if hub.bell.is_none() {
                hub.bell = Bell::new().ok().map(Arc::new);
            }
        }
        let untried = hub.table.untried_folders();
        if now.saturating_duration_since(self.swept) > IDLE {
            self.swept = now;
            let unused = hub.table.sweep();
            drop(hub);
            self.watches.retain(|(peer, _)| !unused.contains(peer));
            return Work { unseen: super::hub().table.take_unseen(), untried };
        }
        Work { unseen: hub.table.take_unseen(), untried }
    }

    fn make_inbox(&mut self, folder: PathBuf) {
        let made = Inbox::make(&folder);
        hub().table.set_inbox(&folder, made.is_ok());
        if let Ok(inbox) = made {
            at_exit::remember(&folder);
            self.inboxes.0.push((folder, inbox));
        }
    }

    fn watch(&mut self, peer: ProcessId) {
        let sight = match death::watch(peer) {
            death::Sight::Alive(watch) => {
                self.watches.push((peer, watch));
                Sight::Watched
            }
            death::Sight::Dead => Sight::Dead,
            death::Sight::Blind => Sight::Blind,
        };
        hub().table.see(peer, sight);
        if !hub().table.knows(peer) {
            self.watches.retain(|(other, _)| *other != peer);
        }
    }

    /// Sleeps until something happens; false if nothing is left to do.
    fn sleep(&mut self) -> bool {
        let now = Instant::now();
        let (bell, timeout) = {
            let mut hub = hub();
            let until = match self.until(&hub, now) {
                Pause::End => {
                    self.end(&mut hub);
                    return false;
                }
                Pause::None => Some(now),
                Pause::Sleep(until) => {
                    hub.asleep = Sleep::until(until);
                    until
                }
            };
            (hub.bell.clone(), until.map(|until| until.saturating_duration_since(now)))
        };
        let inboxes: Vec<_> = self.inboxes.0.iter().map(|(_, inbox)| inbox).collect();
        let watches: Vec<_> = self.watches.iter().map(|(_, watch)| watch).collect();
        let woken = wake::wait(bell.as_deref(), &inboxes, &watches, timeout);
        self.note(&woken);
        true
    }

    /// What comes after a turn.
    fn until(&mut self, hub: &Hub, now: Instant) -> Pause {
        if hub.table.has_work() {
            return Pause::None;
        }
        if hub.table.is_empty() {
            let end = *self.idle.get_or_insert(now) + IDLE;
            let until = if hub.bell.is_none() { end.min(now + BLIND) } else { end };
            return if end > now { Pause::Sleep(Some(until)) } else { Pause::End };
        }
        self.idle = None;
        if hub.table.is_blind() || hub.bell.is_none() {
            self.recheck.get_or_insert(now + BLIND);
        }
        Pause::Sleep(earlier(self.recheck, hub.table.first_timer()))
    }

    /// Under the lock: a queue that joins from now on starts another thread.
    fn end(&mut self, hub: &mut Hub) {
        hub.running = false;
        hub.table.sweep();
        hub.inboxes = std::mem::replace(&mut self.inboxes, Inboxes::new());
    }

    fn note(&mut self, woken: &Woken) {
        let mut hub = hub();
        hub.asleep = Sleep::Awake;
        if woken.overflow {
            hub.table.make_all_due();
        }
        for key in &woken.keys {
            hub.table.hint(*key);
        }
        // From the last, so that the places of the others stay.
        for place in woken.dead.iter().rev() {
            let (peer, _) = self.watches.swap_remove(*place);
            hub.table.see(peer, Sight::Dead);
        }
    }
}

impl Drop for Turns {
    /// After a panic, another thread goes on. Its first turn makes all watches and inboxes again.
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let mut hub = hub();
        hub.asleep = Sleep::Awake;
        hub.running = false;
        hub.table.forget();
        if !hub.table.is_empty() {
            hub.running = thread::run(serve).is_ok();
        }
    }
}

/// Looks at one queue, and tells its source the deaths first.
fn look(Due { id, queue, generation, dead }: Due<Arc<Queue>>) {
    let looked = catch_unwind(AssertUnwindSafe(|| {
        if let Some(watched) = queue.counter().watched() {
            for peer in dead {
                watched.died(peer);
            }
        }
        queue.look(generation);
    }));
    if looked.is_err() {
        // The panic hook has printed the panic. The other queues need this thread.
        hub().table.set_timer(id, Some(Instant::now() + BLIND));
    }
}
