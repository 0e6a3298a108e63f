//! A source that no call waits for in the kernel: other processes change it in shared memory, and send a hint.

use std::path::Path;
use std::time::Duration;

use super::source::{Request, Token};
use crate::error::Result;
use crate::sys::death::ProcessId;

/// What the hub needs of a source that it watches for its waiters.
///
/// The hub looks at a source when a waiter joins, on a hint with its key, after the death of one of its peers, and when
/// the time of [`look_again`](Self::look_again) is over. One look is [`take_in_turn`](Self::take_in_turn) until nothing
/// is left, then [`peers`](Self::peers). One thread looks at all sources of the process, so nothing here may wait for
/// another process: a guard that is held elsewhere means "nothing now", and a time to look again.
pub(crate) trait Watched: Send + Sync {
    /// The key of its hints.
    fn key(&self) -> u64;

    /// The folder in which its processes have their inboxes.
    fn inboxes(&self) -> &Path;

    /// Takes for the request if it is the turn of this process. Otherwise this process has a ticket afterwards, and the
    /// others send it hints.
    fn take_in_turn(&self, request: Request) -> Result<Option<Token>>;

    /// Adds the processes whose deaths may change the source, in any order.
    ///
    /// A process that becomes one later sends a hint before it changes anything, so that it is asked for again.
    fn peers(&self, out: &mut Vec<ProcessId>);

    /// It is proved that this process is dead: gives back what it had.
    fn died(&self, id: ProcessId);

    /// This process has no waiter any more: gives up its ticket.
    fn parted(&self);

    /// The time after which the source is to be looked at without a hint; asked for after each look.
    fn look_again(&self) -> Option<Duration> {
        None
    }
}
