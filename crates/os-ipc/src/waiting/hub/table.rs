//! What the hub knows: the queues that it serves, the processes that it watches for them, and which queues are due.
//!
//! Nothing here locks, sleeps or calls the system. After a hint only the queues with its key are touched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::sys::death::ProcessId;

/// The number of a queue's entry.
pub(super) type EntryId = u64;

/// A source that could not give back what a dead process had is told again after 1 ms: its guard was held.
const TELL_AGAIN: Duration = Duration::from_millis(1);

/// The queues, and what they wait for. `Q` is a handle on a queue.
pub(super) struct Table<Q> {
    entries: BTreeMap<EntryId, Entry<Q>>,
    keys: BTreeSet<(u64, EntryId)>,
    peers: BTreeMap<ProcessId, Peer>,
    /// Peers that nobody tried to watch yet.
    unseen: Vec<ProcessId>,
    /// The number of peers that cannot be watched.
    blind: usize,
    folders: Vec<Folder>,
    timers: BTreeSet<(Instant, EntryId)>,
    due: VecDeque<EntryId>,
    next: EntryId,
}

struct Entry<Q> {
    queue: Q,
    generation: u64,
    key: u64,
    folder: usize,
    /// The processes whose deaths matter, in order.
    peers: Vec<ProcessId>,
    /// Deaths that the source has not been told.
    dead: Vec<ProcessId>,
    timer: Option<Instant>,
    is_due: bool,
}

/// A process whose death matters to some entries.
struct Peer {
    users: BTreeSet<EntryId>,
    sight: Sight,
    /// Whether it was used since the last sweep.
    was_used: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    Unseen,
    Watched,
    Blind,
    Dead,
}

/// A folder in which this process has, or wants, an inbox.
struct Folder {
    path: PathBuf,
    inbox: Place,
    users: usize,
}

/// Whether this process has an inbox in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Untried,
    Made,
    Refused,
}

/// A queue that is to be looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due<Q> {
    pub(super) id: EntryId,
    pub(super) queue: Q,
    pub(super) generation: u64,
    /// Processes that are proved dead since the last time.
    pub(super) dead: Vec<ProcessId>,
}

impl<Q: Clone> Table<Q> {
    pub(super) const fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            keys: BTreeSet::new(),
            peers: BTreeMap::new(),
            unseen: Vec::new(),
            blind: 0,
            folders: Vec::new(),
            timers: BTreeSet::new(),
            due: VecDeque::new(),
            next: 1,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All queues, with their generations.
    pub(super) fn queues(&self) -> Vec<(Q, u64)> {
        self.entries.values().map(|entry| (entry.queue.clone(), entry.generation)).collect()
    }

    /// A queue wants to be served.
    pub(super) fn enter(&mut self, queue: Q, generation: u64, key: u64, inboxes: &Path) -> EntryId {
        let id = self.next;
        self.next += 1;
        let folder = self.folders.iter().position(|folder| folder.path == inboxes).unwrap_or_else(|| {
            self.folders.push(Folder { path: inboxes.to_owned(), inbox: Place::Untried, users: 0 });
            self.folders.len() - 1
        });
        self.folders[folder].users += 1;
        self.keys.insert((key, id));
        let (peers, dead) = (Vec::new(), Vec::new());
        self.entries
            .insert(id, Entry { queue, generation, key, folder, peers, dead, timer: None, is_due: false });
        id
    }

    /// A queue needs no service any more. Returns its handle, so that it is dropped without the lock.
    pub(super) fn leave(&mut self, id: EntryId) -> Option<Q> {
        self.set_peers(id, &[]);
        let entry = self.entries.remove(&id)?;
        self.keys.remove(&(entry.key, id));
        self.folders[entry.folder].users -= 1;
        if let Some(timer) = entry.timer {
            self.timers.remove(&(timer, id));
        }
        Some(entry.queue)
    }

    /// The queue was looked at: these are its peers now, and the time at which it wants to be looked at again.
    ///
    /// True if the hub need not do anything before a hint, a death or that time.
    pub(super) fn looked_at(
        &mut self,
        id: EntryId,
        peers: &[ProcessId],
        again: Option<Instant>,
        now: Instant,
    ) -> bool {
        self.set_peers(id, peers);
        let Some(entry) = self.entries.get_mut(&id) else { return true };
        let sights =
            || entry.peers.iter().filter_map(|peer| self.peers.get(peer).map(|known| (*peer, known.sight)));
        // Without an inbox or a watch, the hub has to look again soon.
        let settled = self.folders[entry.folder].inbox == Place::Made
            && sights().all(|(_, sight)| matches!(sight, Sight::Watched | Sight::Dead));
        let still: Vec<_> =
            sights().filter(|(_, sight)| *sight == Sight::Dead).map(|(peer, _)| peer).collect();
        let again = if still.is_empty() { again } else { earlier(again, Some(now + TELL_AGAIN)) };
        for peer in still {
            if !entry.dead.contains(&peer) {
                entry.dead.push(peer);
            }
        }
        self.set_timer(id, again);
        settled
    }

    fn set_peers(&mut self, id: EntryId, peers: &[ProcessId]) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let mut peers = peers.to_vec();
        peers.sort_unstable();
        peers.dedup();
        if entry.peers == peers {
            return;
        }
        let old = std::mem::replace(&mut entry.peers, peers.clone());
        for peer in old.iter().filter(|peer| peers.binary_search(peer).is_err()) {
            self.unuse(*peer, id);
        }
        for peer in peers.into_iter().filter(|peer| old.binary_search(peer).is_err()) {
            let unseen = &mut self.unseen;
            let known = self.peers.entry(peer).or_insert_with(|| {
                unseen.push(peer);
                Peer { users: BTreeSet::new(), sight: Sight::Unseen, was_used: true }
            });
            known.users.insert(id);
            known.was_used = true;
        }
    }

    /// A watched process stays known without users: they come again soon, and a watch costs two system calls.
    fn unuse(&mut self, peer: ProcessId, id: EntryId) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        known.users.remove(&id);
        if known.users.is_empty() && known.sight != Sight::Watched {
            self.blind -= usize::from(known.sight == Sight::Blind);
            self.peers.remove(&peer);
        }
    }

    /// The queue is to be looked at then.
    pub(super) fn set_timer(&mut self, id: EntryId, timer: Option<Instant>) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        if let Some(old) = entry.timer.take() {
            self.timers.remove(&(old, id));
        }
        entry.timer = timer;
        self.timers.extend(timer.map(|timer| (timer, id)));
    }

    /// The queue is to be looked at.
    pub(super) fn make_due(&mut self, id: EntryId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        if !std::mem::replace(&mut entry.is_due, true) {
            self.due.push_back(id);
        }
    }

    pub(super) fn make_all_due(&mut self) {
        let all: Vec<_> = self.entries.keys().copied().collect();
        for id in all {
            self.make_due(id);
        }
    }

    /// A hint with this key arrived.
    pub(super) fn hint(&mut self, key: u64) {
        let hinted: Vec<_> = self.keys.range((key, 0)..=(key, EntryId::MAX)).map(|(_, id)| *id).collect();
        for id in hinted {
            self.make_due(id);
        }
    }

    /// Peers that are to be watched.
    pub(super) fn take_unseen(&mut self) -> Vec<ProcessId> {
        let mut unseen = std::mem::take(&mut self.unseen);
        unseen.sort_unstable();
        unseen.dedup();
        unseen.retain(|peer| {
            self.peers.get(peer).is_some_and(|known| matches!(known.sight, Sight::Unseen | Sight::Blind))
        });
        unseen
    }

    /// Whether a watch on this process is of use.
    pub(super) fn knows(&self, peer: ProcessId) -> bool {
        self.peers.contains_key(&peer)
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn sight(&self, peer: ProcessId) -> Option<Sight> {
        self.peers.get(&peer).map(|known| known.sight)
    }

    /// Whether nothing is to be done, watched or made.
    #[cfg(all(test, unix, not(loom)))]
    pub(super) fn is_settled(&self) -> bool {
        !self.has_work() && self.timers.is_empty()
    }

    /// The outcome of the attempt to watch a peer, or the news of its death.
    pub(super) fn see(&mut self, peer: ProcessId, sight: Sight) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        self.blind -= usize::from(known.sight == Sight::Blind);
        known.sight = sight;
        if known.users.is_empty() && sight != Sight::Watched {
            self.peers.remove(&peer);
            return;
        }
        self.blind += usize::from(sight == Sight::Blind);
        if sight == Sight::Dead {
            let users: Vec<_> = known.users.iter().copied().collect();
            for id in users {
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.dead.push(peer);
                }
                self.make_due(id);
            }
        }
    }

    /// Forgets the watched processes that no queue needed since the last sweep, and returns them.
    pub(super) fn sweep(&mut self) -> BTreeSet<ProcessId> {
        let mut unused = BTreeSet::new();
        self.peers.retain(|peer, known| {
            let stays = std::mem::take(&mut known.was_used) || !known.users.is_empty();
            stays || !unused.insert(*peer)
        });
        unused
    }

    /// Forgets the watched processes that no queue needs.
    pub(super) fn forget_unused(&mut self) {
        self.peers.retain(|_, known| !known.users.is_empty());
    }

    /// The hub lost its watches and inboxes: everything has to be seen and looked at again.
    pub(super) fn forget(&mut self) {
        self.forget_unused();
        self.blind = 0;
        self.unseen.clear();
        for (peer, known) in &mut self.peers {
            known.sight = Sight::Unseen;
            self.unseen.push(*peer);
        }
        self.folders.iter_mut().for_each(|folder| folder.inbox = Place::Untried);
        self.make_all_due();
    }

    /// Folders with waiters in which no inbox was tried yet.
    pub(super) fn untried_folders(&self) -> Vec<PathBuf> {
        self.untried().map(|folder| folder.path.clone()).collect()
    }

    fn untried(&self) -> impl Iterator<Item = &Folder> {
        self.folders.iter().filter(|folder| folder.users > 0 && folder.inbox == Place::Untried)
    }

    /// Whether an inbox could be made in this folder. Hints before that are lost, so its queues are due.
    pub(super) fn set_inbox(&mut self, path: &Path, made: bool) {
        let Some(place) = self.folders.iter().position(|folder| folder.path == path) else { return };
        self.folders[place].inbox = if made { Place::Made } else { Place::Refused };
        if made {
            self.make_due_in(place);
        }
    }

    fn make_due_in(&mut self, folder: usize) {
        let there = |(id, entry): (&EntryId, &Entry<Q>)| (entry.folder == folder).then_some(*id);
        let due: Vec<_> = self.entries.iter().filter_map(there).collect();
        for id in due {
            self.make_due(id);
        }
    }

    /// Whether some process cannot be watched, or no hint can arrive for some queue.
    pub(super) fn is_blind(&self) -> bool {
        self.blind > 0 || self.folders.iter().any(|folder| folder.users > 0 && folder.inbox == Place::Refused)
    }

    /// A moment passed in which something may have happened unseen.
    pub(super) fn recheck(&mut self) {
        if self.blind > 0 {
            let blind = |(peer, known): (&ProcessId, &Peer)| (known.sight == Sight::Blind).then_some(*peer);
            self.unseen.extend(self.peers.iter().filter_map(blind));
        }
        for place in 0..self.folders.len() {
            if self.folders[place].inbox == Place::Refused {
                self.folders[place].inbox = Place::Untried;
                self.make_due_in(place);
            }
        }
    }

    /// The queues whose time has come are due.
    pub(super) fn pass(&mut self, now: Instant) {
        while let Some((_, id)) = self.timers.first().copied().filter(|(timer, _)| *timer <= now) {
            self.set_timer(id, None);
            self.make_due(id);
        }
    }

    /// The time of the first timer.
    pub(super) fn first_timer(&self) -> Option<Instant> {
        self.timers.first().map(|(timer, _)| *timer)
    }

    /// Whether there is something to do now.
    pub(super) fn has_work(&self) -> bool {
        !self.due.is_empty() || !self.unseen.is_empty() || self.untried().next().is_some()
    }

    /// Takes out queues that are to be looked at, at most `most`.
    pub(super) fn take_due(&mut self, most: usize) -> Vec<Due<Q>> {
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(id) = self.due.pop_front() else { break };
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            entry.is_due = false;
            taken.push(Due {
                id,
                queue: entry.queue.clone(),
                generation: entry.generation,
                dead: std::mem::take(&mut entry.dead),
            });
        }
        taken
    }
}

/// The earlier of two times, where there are some.
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(all(test, not(loom)))]
#[path = "table_tests.rs"]
mod tests;
