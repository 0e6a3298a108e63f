//! Sets that stay behind: their last user was killed, or became another program, which knows nothing of locks.

use super::{Open, removal, survey};
use crate::error::Result;
use crate::semaphore::system_v_sets;
use crate::sys::clock;

/// How many sets one call looks at. A process leaves one behind at most, so that no more than a few stay.
const LOOKED_AT: usize = 64;

/// Removes unused sets of this user's locks, among some of all the sets of this host.
///
/// Another process may be about to use one. It opens another one then, as it does when the last user of a lock leaves.
pub(in crate::lock) fn tidy() -> Result<()> {
    let mut sets = system_v_sets()?;
    if sets.len() > LOOKED_AT {
        // Any place will do: the next call looks elsewhere.
        let start = usize::try_from(clock::microseconds()).unwrap_or_default() % sets.len();
        sets.rotate_left(start);
        sets.truncate(LOOKED_AT);
    }
    for set in sets {
        let Ok(Some(seen)) = survey::see(set, survey::is_ours) else { continue };
        if seen.values.unused() {
            removal::leave(Open { set, layout: seen.layout, slot: None });
        }
    }
    Ok(())
}
