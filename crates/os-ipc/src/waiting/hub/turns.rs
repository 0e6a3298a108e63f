//! The thread of the hub.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::table::{Due, Sight, earlier};
use super::{Hub, Sleep, at_exit, served};
use crate::sys::death::{self, ProcessId};
use crate::sys::thread;
use crate::sys::wake::{self, Bell, Inbox, Watches, Woken};
use crate::waiting::queue::Queue;

/// The pause between two looks of a hub that misses a watch or an inbox: 20 ms.
const BLIND: Duration = Duration::from_millis(20);

/// The time for which the thread sleeps on without a queue, with its watches: 1 s. The model checker has no clock.
pub(super) const IDLE: Duration = if cfg!(loom) { Duration::ZERO } else { Duration::from_secs(1) };

/// The most queues that are looked at between two looks into the inbox.
const BATCH: usize = 128;

/// The life of the thread.
pub(super) fn serve() {
    let mut turns = Turns::begin(&mut served());
    loop {
        turns.work();
        if !turns.sleep() {
            return;
        }
    }
}

/// What the thread that serves the hub has.
pub(super) struct Turns {
    watches: Watches,
    /// The inboxes of this process, each with its folder.
    inboxes: Vec<(PathBuf, Inbox)>,
    /// The time for the next look at what cannot be seen.
    recheck: Option<Instant>,
    /// The time since which there is no queue.
    idle: Option<Instant>,
    swept: Instant,
    /// Whether a thread serves with this. It is parked otherwise, or empty.
    serves: bool,
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
    /// The calling thread serves from now on, with what the last one left.
    pub(super) fn begin(hub: &mut Hub) -> Self {
        let parked = hub.parked.take();
        let mut turns = parked.unwrap_or_else(|| Self::empty(Instant::now()));
        (turns.serves, turns.idle) = (true, None);
        turns
    }

    fn empty(now: Instant) -> Self {
        let (watches, inboxes) = (Watches::default(), Vec::new());
        Self { watches, inboxes, recheck: None, idle: None, swept: now, serves: false }
    }

    /// Leaves what this has to the next thread that serves.
    pub(super) fn park(&mut self, hub: &mut Hub) {
        let mut left = std::mem::replace(self, Self::empty(self.swept));
        left.serves = false;
        hub.parked = Some(left);
    }

    /// Makes what is missing, and looks at what is due.
    pub(super) fn work(&mut self) {
        let Work { unseen, untried } = self.find_work();
        for folder in untried {
            self.make_inbox(folder);
        }
        for peer in unseen {
            self.watch(peer);
        }
        let due = served().table.take_due(BATCH);
        due.into_iter().for_each(look);
    }

    fn find_work(&mut self) -> Work {
        let now = Instant::now();
        let mut hub = served();
        hub.table.pass(now);
        if self.recheck.is_some_and(|recheck| recheck <= now) {
            self.recheck = None;
            hub.table.recheck();
            // Without a queue it takes no descriptor: the program may need its last ones.
            if !hub.table.is_empty() {
                hub.make_bell();
            }
        }
        let untried = hub.table.untried_folders();
        if now.saturating_duration_since(self.swept) > IDLE {
            self.swept = now;
            let unused = hub.table.sweep();
            drop(hub);
            self.watches.retain(|peer| !unused.contains(&peer));
            return Work { unseen: served().table.take_unseen(), untried };
        }
        Work { unseen: hub.table.take_unseen(), untried }
    }

    fn make_inbox(&mut self, folder: PathBuf) {
        let made = at_exit::make_inbox(&folder);
        served().table.set_inbox(&folder, made.is_some());
        self.inboxes.extend(made.map(|inbox| (folder, inbox)));
    }

    fn watch(&mut self, peer: ProcessId) {
        let sight = match death::watch(peer) {
            death::Sight::Alive(watch) => {
                self.watches.add(peer, watch);
                Sight::Watched
            }
            death::Sight::Dead => Sight::Dead,
            death::Sight::Blind => Sight::Blind,
        };
        served().table.see(peer, sight);
        if !served().table.knows(peer) {
            self.watches.retain(|other| other != peer);
        }
    }

    /// Sleeps until something happens; false if nothing is left to do.
    fn sleep(&mut self) -> bool {
        let now = Instant::now();
        let (bell, until) = {
            let mut hub = served();
            let until = match self.until(&hub, now) {
                Pause::None => Some(now),
                Pause::Sleep(until) => until,
                Pause::End => {
                    // Under the lock: a queue that joins from now on starts another thread.
                    hub.running = false;
                    hub.table.forget_unused();
                    self.watches = Watches::default();
                    self.park(&mut hub);
                    return false;
                }
            };
            (hub.fall_asleep(until, now), until)
        };
        self.wait(bell.as_deref(), until, now);
        true
    }

    /// Sleeps until something happens, or until `deadline`.
    pub(super) fn sleep_until(&mut self, deadline: Option<Instant>) {
        let now = Instant::now();
        let (bell, until) = {
            let mut hub = served();
            let until = match self.until(&hub, now) {
                Pause::None => Some(now),
                Pause::Sleep(until) => earlier(until, deadline),
                Pause::End => deadline,
            };
            (hub.fall_asleep(until, now), until)
        };
        self.wait(bell.as_deref(), until, now);
    }

    fn wait(&mut self, bell: Option<&Bell>, until: Option<Instant>, now: Instant) {
        let inboxes: Vec<_> = self.inboxes.iter().map(|(_, inbox)| inbox).collect();
        let timeout = until.map(|until| until.saturating_duration_since(now));
        let woken = wake::wait(bell, &inboxes, &self.watches, timeout);
        self.note(&woken);
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

    fn note(&mut self, woken: &Woken) {
        let mut hub = served();
        hub.asleep = Sleep::Awake;
        if woken.overflow {
            hub.table.make_all_due();
        }
        for key in &woken.keys {
            hub.table.hint(*key);
        }
        if woken.dead.is_empty() {
            return;
        }
        self.watches.retain(|peer| !woken.dead.contains(&peer));
        for peer in &woken.dead {
            hub.table.see(*peer, Sight::Dead);
        }
    }
}

impl Drop for Turns {
    /// After a panic, another thread goes on. Its first turn makes all watches and inboxes again.
    fn drop(&mut self) {
        if !self.serves {
            return;
        }
        let mut hub = served();
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
        served().table.set_timer(id, Some(Instant::now() + BLIND));
    }
}
