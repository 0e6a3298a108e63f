//! What an earlier image of this process left in the words of a limit.
//!
//! execve(2) keeps the pid and the kernel's list of undos, and no handle: a permit of the old image would stay held until the
//! process ends. The new image gives it back when it first opens the limit, unless it was handed on.

use super::holder::{self, HANDED_ON};
use crate::error::OsCode;
use crate::record::{COUNTER, LIMIT_SIZE};
use crate::sys::in_use;
use crate::sys::system_v::semaphore::{self as sys, Operation, SetId, Undo};

/// Gives back what earlier images of this process hold. This copy of the library holds nothing of the limit yet.
pub(super) fn give_back(set: SetId) {
    if own_words(set).is_ok_and(|words| words.is_empty()) {
        return;
    }
    in_use::unless_in_use(set.raw(), || {
        // Looked at again: another copy of the library may have been quicker.
        for (word, value) in own_words(set).unwrap_or_default() {
            let permits = holder::permits(value);
            let give = (permits > 0).then(|| Operation::add(COUNTER, permits.cast_signed(), Undo::Yes));
            let leave = Operation::add(word, -value.cast_signed(), Undo::Yes);
            let mut operations: Vec<_> = std::iter::once(leave).chain(give).collect();
            // A removed set has nothing to be given back to.
            let _ = sys::operate(set, &mut operations);
        }
    });
}

/// The words of this process that were not handed on, with their values.
fn own_words(set: SetId) -> Result<Vec<(u16, u16)>, OsCode> {
    let values = sys::values(set, LIMIT_SIZE)?;
    let pid = std::process::id().cast_signed();
    let taken = holder::words().map(|word| (word, values[usize::from(word)]));
    let kept = taken.filter(|(_, value)| *value != 0 && value & HANDED_ON == 0);
    Ok(kept.filter(|(word, _)| holder::pid_of(set, *word) == Some(pid)).collect())
}
