//! What an earlier image of this process left in a ledger.
//!
//! execve(2) keeps the pid, the start time, and with them the slots: a permit of the old image would stay held until the process
//! ends. The new image gives it back when it first opens the limit, unless it was handed on.

use std::time::Instant;

use super::counter::LedgerCounter;
use super::opening::GUARD_WITHIN;
use crate::ledger::Entry;
use crate::sys::in_use;

/// Gives back what earlier images of this process hold. This copy of the library holds nothing of the limit yet.
pub(super) fn give_back(counter: &LedgerCounter) {
    let own = counter.own();
    let left = |entry: &Entry| entry.id == own.0 && !entry.handed_on;
    if !counter.ledger().entries().any(|entry| left(&entry)) {
        return;
    }
    in_use::unless_in_use(counter.number_in_use(), || {
        // Looked at again: another copy of the library may have been quicker.
        let deadline = Instant::now() + GUARD_WITHIN;
        while counter.empty(left).is_none() && Instant::now() < deadline {}
    });
}
