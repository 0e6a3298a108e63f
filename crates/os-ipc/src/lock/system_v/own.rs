//! The slots of this image, and those that an earlier image of this process left.
//!
//! execve(2) keeps the pid and the kernel's list of undos, but no handle: a lock that the old image held would stay
//! held until the process ends. The new image gives it back at its first use of the lock, unless it was passed on.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use super::Open;
use super::layout::{ALONE, EVERYBODY, GATE, GATE_SHUT, LEAVING, Layout, Slot, Values, narrow};
use crate::sys::image;
use crate::sys::system_v::semaphore::{self as sys, Operation, SetId, Undo};

/// The slots that this copy of the library took; another copy in the process has its own list.
static OWN: LazyLock<Mutex<HashSet<(SetId, u16)>>> = LazyLock::new(Mutex::default);

fn own() -> MutexGuard<'static, HashSet<(SetId, u16)>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records that a slot was taken.
pub(super) fn add(set: SetId, slot: Slot) {
    own().insert((set, slot.claim()));
}

/// Records that a set is closed.
pub(super) fn remove(open: Open) {
    if let Some(slot) = open.slot {
        own().remove(&(open.set, slot.claim()));
    }
}

/// Whether this copy of the library took the slot.
pub(super) fn has(set: SetId, slot: Slot) -> bool {
    own().contains(&(set, slot.claim()))
}

/// Takes the number of this image out of its slots, runs `act`, and puts it back: what the slots have stays for as long as
/// the process lives, whatever program it becomes in `act`.
///
/// A program that uses the same lock later finds a slot of its process and of no image, and leaves it alone.
pub(in crate::lock) fn pass_on<T>(act: impl FnOnce() -> T) -> T {
    let slots: Vec<_> = own().iter().copied().collect();
    let sign = |by| {
        for (set, claim) in &slots {
            // A set that was removed has nothing to pass on.
            let _ = sys::operate(*set, &mut Slot::at(*claim).sign(by).collect::<Vec<_>>());
        }
    };
    sign(-1);
    let answer = act();
    sign(1);
    answer
}

/// Gives back the locks and waits of earlier images of this process.
///
/// Another copy of the library in this process signs with the same identity, so its slots are left alone.
pub(super) fn give_back_inherited(set: SetId, layout: Layout) {
    let Ok(values) = Values::read(set, layout) else { return };
    let current = u64::from(image::identity());
    let pid = std::process::id().cast_signed();
    let others = values.taken().filter(|slot| ![0, current].contains(&values.number(slot.image())));
    for slot in others.filter(|slot| sys::last_pid_at(set, slot.claim()) == Ok(pid)) {
        empty(set, layout, slot, &values);
    }
}

/// Gives back the slot of this process and everything that it records: in one step, with undo, as it was taken.
pub(super) fn empty(set: SetId, layout: Layout, slot: Slot, values: &Values) {
    let state = narrow(values.at(slot.claim()));
    let has_all = state == ALONE || state >= LEAVING;
    let count = if has_all { EVERYBODY } else { narrow(values.at(slot.shared())) };
    let gate = i16::from(has_all || state == GATE_SHUT);
    let words = slot.words().map(|at| (at, -narrow(values.at(at))));
    let changes = [(layout.count, count), (GATE, gate)].into_iter().chain(words);
    // To add 0 would mean to wait for 0.
    let changes = changes.filter(|(_, by)| *by != 0);
    let mut operations: Vec<_> = changes.map(|(at, by)| Operation::add(at, by, Undo::Yes)).collect();
    // If the set was removed, there is nothing to give back.
    let _ = sys::operate(set, &mut operations);
}
