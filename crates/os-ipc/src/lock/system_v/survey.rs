//! What the locks of this host are doing, as their sets say.

use super::layout::{GATE, Layout, Pending, Slot, Values};
use crate::error::{Errno, Result};
use crate::lock::{LockInfo, LockMode, LockRequest};
use crate::record::{self, Record};
use crate::semaphore::system_v_sets;
use crate::sys::system_v::semaphore::{self as sys, SetId, Status};

struct Seen {
    set: SetId,
    name: String,
    status: Status,
    layout: Layout,
    values: Values,
}

/// Every lock that we may read. One that goes away meanwhile is none.
fn all() -> Result<Vec<Seen>> {
    Ok(system_v_sets()?.into_iter().filter_map(|set| see(set).ok().flatten()).collect())
}

fn see(set: SetId) -> std::result::Result<Option<Seen>, Errno> {
    let status = sys::status(set)?;
    let values = sys::values(set, status.size)?;
    let Record::Lock(name) = record::read(&values) else { return Ok(None) };
    let Some(layout) = Layout::of(&name, values.len()) else { return Ok(None) };
    Ok(Some(Seen { set, name, status, layout, values: Values::new(values, layout) }))
}

/// What processes other than `own_pid` hold and wait for.
pub(in crate::lock) fn survey(own_pid: i32) -> Result<Vec<LockRequest>> {
    Ok(all()?.iter().flat_map(|seen| requests(seen, own_pid)).collect())
}

fn requests(seen: &Seen, own_pid: i32) -> Vec<LockRequest> {
    let mut requests = Vec::new();
    let mut add = |mode, held, pid, times: u16| {
        let request = LockRequest { name: seen.name.clone(), mode, held, pid, client: None };
        requests.extend(std::iter::repeat_n(request, usize::from(times)));
    };
    let at = |index| seen.values.at(index);
    let (mut sharing, mut owned) = (0, false);
    for slot in seen.values.taken() {
        let alone = at(slot.claim()) == 2;
        // All of them together are no more than the count knows of, unless a peer wrote nonsense.
        let shared = at(slot.shared()).min(seen.values.shared() - sharing);
        sharing += shared;
        owned |= alone || seen.values.is_leaving();
        let pid = pid_of(seen.set, slot);
        if pid == Some(own_pid) {
            continue;
        }
        add(LockMode::Exclusive, true, pid, u16::from(alone));
        add(LockMode::Shared, true, pid, shared);
        let pending = Pending::unpacked(at(slot.pending()));
        add(LockMode::Exclusive, false, pid, u16::try_from(pending.exclusive).unwrap_or(0));
        add(LockMode::Shared, false, pid, u16::try_from(pending.shared).unwrap_or(0));
    }
    // Who has no slot: of one who is alone the count knows the pid, of the others it only knows how many.
    let last = sys::last_pid_at(seen.set, seen.layout.count).ok().filter(|pid| *pid != 0);
    add(LockMode::Exclusive, true, last, u16::from(seen.values.exclusive() && !owned));
    add(LockMode::Shared, true, None, seen.values.shared() - sharing);
    requests
}

/// Who has a slot; `None` for a process of another PID namespace.
fn pid_of(set: SetId, slot: Slot) -> Option<i32> {
    sys::last_pid_at(set, slot.claim()).ok().filter(|pid| *pid != 0)
}

/// Every lock that has a set.
pub(in crate::lock) fn list() -> Result<Vec<LockInfo>> {
    Ok(all()?.iter().map(describe).collect())
}

fn describe(seen: &Seen) -> LockInfo {
    let waiters = |index| sys::waiters_at(seen.set, index).map_or(0, u32::from);
    LockInfo {
        name: seen.name.clone(),
        key: Some(seen.status.key),
        id: Some(seen.set.raw()),
        exclusive: seen.values.exclusive() && !seen.values.is_leaving(),
        shared: u32::from(seen.values.shared()),
        waiters: waiters(GATE) + waiters(seen.layout.count),
        processes: seen.values.taken().filter_map(|slot| pid_of(seen.set, slot)).collect(),
        uid: seen.status.uid,
        gid: seen.status.gid,
        mode: seen.status.mode,
        changed: seen.status.changed,
    }
}
