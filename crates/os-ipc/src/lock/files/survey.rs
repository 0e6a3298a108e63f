//! The users of a folder's locks, read from their files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::folder::{self, failed};
use super::paths::{Paths, pid_in};
use super::user::{self, Tally};
use crate::error::{Code, Result};
use crate::lock::info::MOST_OF_A_PROCESS;
use crate::lock::{LockInfo, LockMode, LockRequest};
use crate::sys::failure::Failure;
use crate::sys::lock_file::Folder;

/// The name of every lock that a living process uses, the pid, and the tally of that process.
fn users(folder: &Path) -> Result<Vec<(String, i32, Tally)>> {
    if folder::find(folder)?.is_none() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(|error| failed(folder, Failure("open", error.into())))?;
    let mut users = Vec::new();
    for entry in entries.flatten() {
        let Some(pid) = pid_in(&entry.file_name()) else { continue };
        let user = user::read(&entry.path()).map_err(|failure| failed(folder, failure))?;
        users.extend(user.map(|(name, tally)| (name, pid, tally)));
    }
    Ok(users)
}

/// The requests of processes other than `own_pid`, holding or waiting.
pub(super) fn survey(folder: &Path, own_pid: i32) -> Result<Vec<LockRequest>> {
    let mut requests = Vec::new();
    for (name, pid, tally) in users(folder)?.into_iter().filter(|(_, pid, _)| *pid != own_pid) {
        let mut add = |mode, held, times: u32| {
            let asked = if held { 0 } else { tally.oldest };
            let request = LockRequest { name: name.clone(), mode, held, asked, pid: Some(pid), client: None };
            requests.extend(std::iter::repeat_n(request, (times as usize).min(MOST_OF_A_PROCESS)));
        };
        add(LockMode::Exclusive, true, tally.exclusive);
        add(LockMode::Shared, true, tally.shared);
        add(LockMode::Exclusive, false, tally.pending_exclusive);
        add(LockMode::Shared, false, tally.pending_shared);
    }
    Ok(requests)
}

/// Every lock that a living process uses.
pub(super) fn list(folder: &Path) -> Result<Vec<LockInfo>> {
    let users = match users(folder) {
        // A folder that another user made cannot have a lock of ours.
        Err(error) if matches!(error.code(), Code::NotAnObject | Code::ForeignOwner) => return Ok(Vec::new()),
        users => users?,
    };
    let Ok(Folder { access, changed, .. }) = Folder::look(folder) else { return Ok(Vec::new()) };
    let mut locks = BTreeMap::new();
    for (name, pid, tally) in users {
        let lock = locks.entry(name.clone()).or_insert_with(|| LockInfo {
            name,
            key: None,
            id: None,
            exclusive: false,
            shared: 0,
            waiters: 0,
            processes: Vec::new(),
            uid: access.uid,
            gid: access.gid,
            mode: 0o600,
            changed_at: changed,
        });
        lock.exclusive |= tally.exclusive > 0;
        lock.shared = lock.shared.saturating_add(tally.shared);
        lock.waiters += u32::from(tally.pending_shared > 0 || tally.pending_exclusive > 0);
        lock.processes.push(pid);
    }
    Ok(locks.into_values().collect())
}

/// The tallies of the living processes that use this lock. The files of dead ones are removed.
pub(super) fn tallies(paths: &Paths) -> impl Iterator<Item = Tally> {
    let entries = fs::read_dir(paths.folder()).into_iter().flatten().flatten();
    let of_this_lock = entries.filter(|entry| paths.is_user(&entry.file_name()));
    of_this_lock.filter_map(|entry| user::read(&entry.path()).ok()?.map(|(_, tally)| tally))
}
