//! Leaving a lock: the last process that used it removes its set, so that nothing stays behind.
//!
//! A set is only ever removed by a process that has the lock alone at that moment. Nobody else can hold it then, and
//! those who open it or wait for it learn from the kernel that it is gone, and make another one.

use std::thread;
use std::time::{Duration, Instant};

use super::layout::{EVERYBODY, GATE, LEAVING, Slot, TAKEN, Values};
use super::{Open, Way, own};
use crate::sys::system_v::semaphore::{self as sys, Operation, Undo};

/// Gives up this process's slot, and removes the set when nobody else uses it.
///
/// Every failure means that the set is gone or that somebody else will see to it.
pub(super) fn leave(open: Open) {
    if let Some(slot) = open.slot {
        // After this, of several who leave at once the last one at least finds nobody.
        let mut given_up: Vec<_> =
            std::iter::once(Operation::add(slot.claim(), -TAKEN, Undo::Yes)).chain(slot.sign(-1)).collect();
        let _ = sys::operate(open.set, &mut given_up);
        own::remove(open);
    }
    let Ok(values) = Values::read(open.set, open.layout) else { return };
    let free = values.free().next();
    let Some(slot) = free.filter(|_| values.unused() && !is_waited_for(open)) else { return };
    if sys::operate(open.set, &mut lock_up(open, slot)).is_err() {
        return;
    }
    let came = Values::read(open.set, open.layout)
        .map_or(true, |values| values.taken().any(|taken| taken != slot) || is_waited_for(open));
    if came || sys::remove(open.set).is_err() {
        let _ = sys::operate(open.set, &mut unlock(open, slot));
    }
}

/// Gives back all that this process has of the lock, and leaves it.
///
/// What is held without a slot goes back when the process is gone.
pub(super) fn leave_all(mut open: Open) {
    if let (Some(slot), Ok(values)) = (open.slot, Values::read(open.set, open.layout)) {
        own::empty(open.set, open.layout, slot, &values);
        own::remove(open);
        open.slot = None;
    }
    leave(open);
}

/// Takes the lock alone, and says why: who finds it taken waits a moment for the set to go.
fn lock_up(open: Open, slot: Slot) -> Vec<Operation> {
    let all = [
        Open::shut_gate(Way::AtOnce),
        Operation::add(open.layout.count, -EVERYBODY, Undo::Yes),
        Operation::is_zero(slot.claim()),
        Operation::add(slot.claim(), LEAVING, Undo::Yes),
    ];
    all.into_iter().chain(slot.sign(1)).collect()
}

fn unlock(open: Open, slot: Slot) -> Vec<Operation> {
    let all = [
        Operation::add(slot.claim(), -LEAVING, Undo::Yes),
        Operation::add(open.layout.count, EVERYBODY, Undo::Yes),
        Open::open_gate(),
    ];
    all.into_iter().chain(slot.sign(-1)).collect()
}

/// Somebody without a slot is only seen while he waits.
fn is_waited_for(open: Open) -> bool {
    sys::waiters_at(open.set, GATE).is_ok_and(|waiters| waiters > 0)
}

/// Whether the lock is not to be had only because somebody removes it; then this waits a moment for that.
pub(super) fn is_under_way(open: Open, since: Instant) -> bool {
    /// A process that was stopped between two system calls is not waited for.
    const PATIENCE: Duration = Duration::from_millis(100);
    const LOOK_EVERY: Duration = Duration::from_micros(50);
    let leaving = Values::read(open.set, open.layout).is_ok_and(|values| values.is_leaving());
    if !leaving || since.elapsed() > PATIENCE {
        return false;
    }
    thread::sleep(LOOK_EVERY);
    true
}
