//! The end of the process: its inboxes are removed. Those of a killed process are removed with its slots.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once};

use crate::sys;
use crate::sys::death::ProcessId;

static MADE: Mutex<Vec<(PathBuf, ProcessId)>> = Mutex::new(Vec::new());

/// The inbox of this process in this folder is removed at exit.
pub(super) fn remember(folder: &Path) {
    static REGISTERED: Once = Once::new();
    // If this fails, the inbox stays until another process finds this one dead.
    REGISTERED.call_once(|| {
        let _ = sys::at_exit(remove);
    });
    if let Ok(mut made) = MADE.lock() {
        made.push((folder.to_owned(), ProcessId::own()));
    }
}

extern "C" fn remove() {
    // A forked child runs the same handlers. A thread that is in the middle of a change holds the lock.
    let Ok(made) = MADE.try_lock() else { return };
    for (folder, id) in made.iter().filter(|(_, id)| *id == ProcessId::own()) {
        sys::wake::remove(folder, *id);
    }
}
