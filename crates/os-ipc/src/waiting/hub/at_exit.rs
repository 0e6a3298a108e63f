//! The end of the process: its inboxes are removed. Those of a killed process are removed with its slots.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError, TryLockError};
use std::time::Duration;

use crate::patience::Patience;
use crate::sys;
use crate::sys::death::ProcessId;
use crate::sys::wake::Inbox;

static MADE: Mutex<Made> = Mutex::new(Made { inboxes: Vec::new(), ended: None });

struct Made {
    inboxes: Vec<(PathBuf, ProcessId)>,
    /// The process that ends: it makes none any more.
    ended: Option<ProcessId>,
}

/// The longest that the end of the process waits for a thread that makes an inbox: 1 s.
const LONGEST: Duration = Duration::from_secs(1);
const BETWEEN_TRIES: Duration = Duration::from_millis(1);

/// Makes the inbox of this process in this folder, which is removed at exit; none where that cannot be had.
pub(super) fn make_inbox(folder: &Path) -> Option<Inbox> {
    static REGISTERED: Once = Once::new();
    // If this fails, the inbox stays until another process finds this one dead.
    REGISTERED.call_once(|| {
        let _ = sys::at_exit(remove);
    });
    let own = ProcessId::own();
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if made.ended == Some(own) {
        return None;
    }
    let inbox = Inbox::make(folder).ok()?;
    made.inboxes.push((folder.to_owned(), own));
    Some(inbox)
}

extern "C" fn remove() {
    // A forked child runs the same handlers, where a thread that has the lock does not exist.
    let mut patience = Patience::new();
    let mut made = loop {
        match MADE.try_lock() {
            Ok(made) => break made,
            Err(TryLockError::Poisoned(made)) => break made.into_inner(),
            Err(TryLockError::WouldBlock) => {}
        }
        if !patience.once_more_within(LONGEST, BETWEEN_TRIES) {
            return;
        }
    };
    let own = ProcessId::own();
    made.ended = Some(own);
    for (folder, id) in made.inboxes.iter().filter(|(_, id)| *id == own) {
        sys::wake::remove(folder, *id);
    }
}
