//! The requests for the locks of this host, read from their sets.

use super::layout::{ALONE, GATE, Layout, Pending, Slot, Values};
use super::own;
use crate::access::Owner;
use crate::error::{OsCode, Result};
use crate::lock::info::MOST_OF_A_PROCESS;
use crate::lock::{LockInfo, LockMode, LockRequest};
use crate::record::{self, Record};
use crate::semaphore::system_v_sets;
use crate::sys::host::process::is_alive;
use crate::sys::system_v::semaphore::{self as sys, SetId, Status};

pub(super) struct Seen {
    set: SetId,
    name: String,
    status: Status,
    pub(super) layout: Layout,
    pub(super) values: Values,
}

/// Every lock that we may read and that is `wanted`, without those that go away meanwhile.
fn all(wanted: impl Fn(&Status) -> bool) -> Result<Vec<Seen>> {
    Ok(system_v_sets()?.into_iter().filter_map(|set| see(set, &wanted).ok().flatten()).collect())
}

/// A set that another user controls is no lock of this user: opening it is refused too.
pub(super) fn is_ours(status: &Status) -> bool {
    Owner::Default.check("", status.access).is_ok()
}

pub(super) fn see(set: SetId, wanted: impl Fn(&Status) -> bool) -> std::result::Result<Option<Seen>, OsCode> {
    let status = sys::status(set)?;
    // A set can have 32,000 semaphores: a set that is too large for a lock is not read.
    if !wanted(&status) || status.size > Layout::largest() {
        return Ok(None);
    }
    let values = sys::values(set, status.size)?;
    let Record::Lock(name) = record::read(&values) else { return Ok(None) };
    let Some(layout) = Layout::of(&name, values.len()) else { return Ok(None) };
    Ok(Some(Seen { set, name, status, layout, values: Values::new(values, layout) }))
}

/// The requests of all processes, without those of this copy of the library in the process `own_pid`.
pub(super) fn survey(own_pid: i32) -> Result<Vec<LockRequest>> {
    Ok(all(is_ours)?.iter().flat_map(|seen| requests(seen, own_pid)).collect())
}

fn requests(seen: &Seen, own_pid: i32) -> Vec<LockRequest> {
    let mut requests = Vec::new();
    let mut add = |mode, held, pid, times: u16, asked| {
        let request = LockRequest { name: seen.name.clone(), mode, held, asked, pid, client: None };
        requests.extend(std::iter::repeat_n(request, usize::from(times).min(MOST_OF_A_PROCESS)));
    };
    let at = |index| seen.values.at(index);
    let (mut sharing, mut owned) = (0, false);
    for slot in seen.values.taken() {
        let pid = pid_of(seen.set, slot);
        // The slot of a dead process is about to go: the kernel undoes it.
        if pid.is_some_and(|pid| !is_alive(pid)) {
            continue;
        }
        let alone = at(slot.claim()) == ALONE.cast_unsigned();
        // The slots together cannot exceed the count, unless a peer wrote wrong values.
        let shared = at(slot.shared()).min(seen.values.shared() - sharing);
        sharing += shared;
        owned |= alone || seen.values.is_leaving();
        if pid == Some(own_pid) && own::has(seen.set, slot) {
            continue;
        }
        add(LockMode::Exclusive, true, pid, u16::from(alone), 0);
        add(LockMode::Shared, true, pid, shared, 0);
        let oldest = seen.values.number(slot.oldest());
        let pending = Pending::unpacked(at(slot.pending()));
        add(LockMode::Exclusive, false, pid, u16::try_from(pending.exclusive).unwrap_or(0), oldest);
        add(LockMode::Shared, false, pid, u16::try_from(pending.shared).unwrap_or(0), oldest);
    }
    // Processes without a slot: the count has the pid of an exclusive holder, and only the number of shared ones.
    let last = sys::last_pid_at(seen.set, seen.layout.count).ok().filter(|pid| *pid != 0);
    add(LockMode::Exclusive, true, last, u16::from(seen.values.exclusive() && !owned), 0);
    add(LockMode::Shared, true, None, seen.values.shared() - sharing, 0);
    requests
}

/// The pid of the process that has this slot; `None` for a process of another PID namespace.
fn pid_of(set: SetId, slot: Slot) -> Option<i32> {
    sys::last_pid_at(set, slot.claim()).ok().filter(|pid| *pid != 0)
}

/// Every lock that has a set.
pub(super) fn list() -> Result<Vec<LockInfo>> {
    Ok(all(|_| true)?.iter().map(describe).collect())
}

fn describe(seen: &Seen) -> LockInfo {
    // A process has several slots when it loaded several copies of this library, or became another program that uses the lock.
    let mut processes: Vec<_> = seen.values.taken().filter_map(|slot| pid_of(seen.set, slot)).collect();
    processes.sort_unstable();
    processes.dedup();
    let waiters = |index| sys::waiters_at(seen.set, index).map_or(0, u32::from);
    LockInfo {
        name: seen.name.clone(),
        key: Some(seen.status.key),
        id: Some(seen.set.raw()),
        exclusive: seen.values.exclusive() && !seen.values.is_leaving(),
        shared: u32::from(seen.values.shared()),
        waiters: waiters(GATE) + waiters(seen.layout.count),
        processes,
        uid: seen.status.access.uid,
        gid: seen.status.access.gid,
        mode: seen.status.access.mode,
        changed_at: seen.status.changed,
    }
}
