//! Leaving a lock: the last process that used it removes its set, so that nothing stays behind.
//!
//! Only a process that holds the lock exclusively removes the set. No other process can hold it then, and processes
//! that open it or wait for it learn from the kernel that it is gone, and make a new one.

use std::time::Duration;

use super::layout::{EVERYBODY, GATE, LEAVING, Slot, TAKEN, Values};
use super::{Open, Way, own};
use crate::patience::Patience;
use crate::sys::system_v::semaphore::{self as sys, Operation, Undo};
use crate::waiting::Request;

/// Gives up the slot of this process, and removes the set if no other process uses it.
///
/// A failure here means that the set is gone or that another process will remove it.
pub(super) fn leave(open: Open) {
    if let Some(slot) = open.slot {
        // Of several processes that leave at once, the last one to do this finds no other slot taken.
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

/// Gives back everything that this process has of the lock, and leaves it.
///
/// A lock held without a slot goes back when the process has ended.
pub(super) fn leave_all(mut open: Open) {
    if let (Some(slot), Ok(values)) = (open.slot, Values::read(open.set, open.layout)) {
        own::empty(open.set, open.layout, slot, &values);
        own::remove(open);
        open.slot = None;
    }
    leave(open);
}

/// Takes the lock exclusively and marks the slot as leaving: a process that finds it so waits a moment for the removal.
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

/// Whether threads wait at the gate. A process without a slot is visible only while it waits.
fn is_waited_for(open: Open) -> bool {
    sys::waiters_at(open.set, GATE).is_ok_and(|waiters| waiters > 0)
}

/// Whether a removal may be why this request found the lock taken; if so, this waits a moment before the next try.
///
/// The removal may have ended since: then the set is gone, or nothing refuses the request any more.
pub(super) fn may_be_why(open: Open, request: Request, patience: Option<&mut Patience>) -> bool {
    /// The longest wait for a removal: 100 ms. Its process may have been stopped between two system calls.
    const LONGEST: Duration = Duration::from_millis(100);
    const BETWEEN_TRIES: Duration = Duration::from_micros(50);
    let Some(patience) = patience else { return false };
    let may_be = Values::read(open.set, open.layout)
        .map_or(true, |values| values.is_leaving() || values.is_free_for(request));
    may_be && patience.once_more_within(LONGEST, BETWEEN_TRIES)
}
