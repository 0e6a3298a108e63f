//! Locks as files with flock(2), for a platform whose kernel undoes nothing else: the kernel closes the descriptors of
//! a dead process.
//!
//! A shared request locks the gate (a file) shared for a moment, and then the lock's file shared. An exclusive request
//! locks the gate exclusively first, and keeps it until the lock goes back: no newcomer passes, and the shared holders
//! leave one by one.

mod folder;
mod paths;
mod survey;
#[cfg(test)]
mod tests;
mod user;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::engine::{Engine, process_ends};
use super::{LockInfo, LockName, LockRequest, MAX_LOCK_NAME_BYTES};
use crate::error::{Code, Error, OsCode, Result};
use crate::patience::Patience;
use crate::sys::failure::Failure;
use crate::sys::interrupt::Interrupt;
use crate::sys::lock_file::{LOCK_CALL, LockFile, Locked, NAMES_END_AT_ONCE, Way};
use crate::waiting::{Counter, Locking, Queue, Request, Token};
pub(super) use folder::of_user;
use folder::{failed, refused};
use paths::Paths;
use user::{Tally, User};

/// The locks whose files are in a folder.
pub(super) struct InFolder<'a>(pub(super) &'a Path);

impl Engine for InFolder<'_> {
    fn queue(&self, name: &LockName) -> Arc<Queue> {
        Queue::of_lock(FileLock::new(self.0, name.clone()))
    }

    fn survey(&self, own_pid: i32) -> Result<Vec<LockRequest>> {
        survey::survey(self.0, own_pid)
    }

    fn list(&self) -> Result<Vec<LockInfo>> {
        survey::list(self.0)
    }
}

/// A lock, as this process uses it.
struct FileLock {
    name: LockName,
    paths: Paths,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    users: usize,
    /// The process is about to end: no file is made any more.
    ended: bool,
    /// Whether a thread of ours waits for the lock; it may have shut the gate.
    taking: bool,
    /// The gate that our thread shut for an exclusive request, while it waits for the others to leave.
    gate: Option<Locked>,
    held: HashMap<i32, Held>,
    last_number: i32,
    user: Option<User>,
    tally: Tally,
}

/// The locked files of one holder; dropping this unlocks them.
struct Held {
    _lock: Locked,
    /// The gate of an exclusive holder.
    _gate: Option<Locked>,
}

impl FileLock {
    pub(super) fn new(folder: &Path, name: LockName) -> Self {
        Self { paths: Paths::new(folder, &name), name, state: Mutex::default() }
    }

    /// flock(2) on the gate; `None` if the gate is locked elsewhere, or after a signal.
    fn shut_gate(&self, waits: bool, request: Request) -> Result<Option<Locked>> {
        let path = self.paths.gate();
        loop {
            if self.state().ended {
                return Err(process_ends());
            }
            let file = LockFile::open_or_create(&path).map_err(|refusal| refused(&path, refusal))?;
            let Some(gate) = self.lock_file(file, waits, request)? else { return Ok(None) };
            // If not, the last user of the lock removed its files while we waited.
            if gate.is_at(&path) {
                return Ok(Some(gate));
            }
        }
    }

    /// flock(2) on the lock's file, shared or exclusive; the file stays where it is while we have the gate.
    fn lock_behind_gate(&self, waits: bool, request: Request) -> Result<Option<Locked>> {
        let path = self.paths.lock();
        let file = LockFile::open_or_create(&path).map_err(|refusal| refused(&path, refusal))?;
        self.sign(&file)?;
        self.lock_file(file, waits, request)
    }

    /// Writes the name into a new file, or compares the recorded one: two names can have the same hash.
    fn sign(&self, file: &LockFile) -> Result<()> {
        let path = self.paths.lock();
        let failed = |call| {
            let path = &path;
            move |errno| failed(path, Failure(call, errno))
        };
        let recorded = file.read_at_most(MAX_LOCK_NAME_BYTES).map_err(failed("read"))?;
        // Several shared requests may do this at once; they all write the same name.
        if recorded.as_ref().is_some_and(Vec::is_empty) {
            file.write(self.name.as_str().as_bytes()).map_err(failed("write"))?;
        }
        let Some(recorded) = recorded else {
            let what =
                format!("the file of the lock {} is too long for a name: {}", self.name, path.display());
            return Err(
                Error::new(Code::NotAnObject, what).with_hint("remove it: no program of os-ipc made it")
            );
        };
        let (recorded, own) = (String::from_utf8_lossy(&recorded), self.name.as_str());
        if recorded.is_empty() || own.starts_with(&*recorded) {
            return Ok(());
        }
        let what = format!(
            "the lock {} has the same file as '{recorded}', which exists: {}",
            self.name,
            path.display()
        );
        Err(Error::new(Code::NameCollision, what).with_hint("choose another name for one of the two"))
    }

    fn lock_file(&self, file: LockFile, waits: bool, request: Request) -> Result<Option<Locked>> {
        match file.lock(Way { shared: request == Request::Shared, waits }) {
            Ok(locked) => Ok(Some(locked)),
            Err((_, OsCode::EAGAIN | OsCode::EINTR)) => Ok(None),
            Err((_, errno)) => Err(self.failure("wait for", errno)),
        }
    }

    /// Records a granted lock; the token is the number of its files.
    fn keep(&self, request: Request, lock: Locked, gate: Option<Locked>) -> Token {
        let mut state = self.state();
        state.last_number = state.last_number.wrapping_add(1);
        let number = state.last_number;
        state.held.insert(number, Held { _lock: lock, _gate: gate });
        *held_as(&mut state.tally, request) += 1;
        self.publish(&mut state);
        Token(number)
    }

    /// One try without waiting.
    fn attempt(&self, request: Request) -> Result<Option<Token>> {
        let Some(gate) = self.shut_gate(false, request)? else { return Ok(None) };
        let Some(lock) = self.lock_behind_gate(false, request)? else { return Ok(None) };
        let gate = Some(gate).filter(|_| request == Request::Exclusive);
        Ok(Some(self.keep(request, lock, gate)))
    }

    fn publish(&self, state: &mut State) {
        if state.user.is_none() {
            state.user = User::enter(&self.paths, &self.name);
        }
        if let Some(user) = &state.user {
            user.write(state.tally);
        }
    }

    /// Whether a process has the lock, or waits for it, so that this request is not granted.
    fn is_refused(&self, request: Request) -> bool {
        let ours = {
            let state = self.state();
            state.taking || state.gate.is_some()
        };
        ours || survey::tallies(&self.paths).any(|tally| tally.refuses(request))
    }

    /// Waits for the lock; `None` after a signal.
    fn await_lock(&self, request: Request) -> Result<Option<Token>> {
        let shut = self.state().gate.take();
        let gate = match shut {
            // Shut for a request that gave up, or by a call that a signal ended.
            Some(gate) => Some(gate),
            None => self.shut_gate(true, request)?,
        };
        let Some(gate) = gate else { return Ok(None) };
        let lock = self.lock_behind_gate(true, request)?;
        let gate = Some(gate).filter(|_| request == Request::Exclusive);
        if let Some(lock) = lock {
            return Ok(Some(self.keep(request, lock, gate)));
        }
        self.state().gate = gate;
        Ok(None)
    }

    /// Removes the files that dead processes left of this lock.
    fn remove_abandoned(&self) {
        survey::tallies(&self.paths).for_each(drop);
    }

    /// Removes the files if no other process uses the lock. Only an exclusive holder of lock and gate may do that.
    fn remove_files(&self) {
        if !NAMES_END_AT_ONCE {
            // A file that is being removed could not be opened: the files of a lock stay, and are as many as there are names.
            self.remove_abandoned();
            return;
        }
        let (gate, lock) = (self.paths.gate(), self.paths.lock());
        loop {
            let Some(shut) = alone(&gate) else { return };
            let unused = alone(&lock);
            if unused.is_some() || !lock.exists() {
                let _ = fs::remove_file(&lock);
                self.remove_abandoned();
                let _ = fs::remove_file(&gate);
                return;
            }
            drop(shut);
            // A holder removes the files when it leaves; a process that just left found the gate shut by us: try again.
            if alone(&lock).is_none() {
                return;
            }
        }
    }

    /// The state is whole even after a panic of a thread here: no code between two changes panics.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The file, locked exclusively, if it exists and no other process has it.
fn alone(path: &Path) -> Option<Locked> {
    let file = LockFile::open(path).ok()?.lock(Way { shared: false, waits: false }).ok()?;
    file.is_at(path).then_some(file)
}

fn held_as(tally: &mut Tally, request: Request) -> &mut u32 {
    if request == Request::Shared { &mut tally.shared } else { &mut tally.exclusive }
}

impl Counter for FileLock {
    fn try_take(&self, request: Request) -> Result<Option<Token>> {
        /// The longest wait for files that are locked, but by no holder: 100 ms. A process that removes them or tries
        /// to take the lock has them for a moment, and may have been stopped meanwhile.
        const LONGEST: Duration = Duration::from_millis(100);
        const BETWEEN_TRIES: Duration = Duration::from_micros(50);
        folder::ensure(self.paths.folder())?;
        let mut patience = Patience::new();
        loop {
            if let Some(taken) = self.attempt(request)? {
                return Ok(Some(taken));
            }
            if self.is_refused(request) || !patience.once_more_within(LONGEST, BETWEEN_TRIES) {
                return Ok(None);
            }
        }
    }

    /// A request that waits anyway does not hold up the event loop.
    fn try_before_wait(&self, request: Request) -> Result<Option<Token>> {
        folder::ensure(self.paths.folder())?;
        self.attempt(request)
    }

    fn take(&self, request: Request, _: &Interrupt) -> Result<Option<Token>> {
        self.state().taking = true;
        let taken = self.await_lock(request);
        self.state().taking = false;
        taken
    }

    fn give_back(&self, request: Request, token: Token) -> std::result::Result<(), OsCode> {
        let mut state = self.state();
        if let Some(held) = state.held.remove(&token.0) {
            *held_as(&mut state.tally, request) -= 1;
            // Published before another process can have the lock: a query never sees two exclusive holders.
            self.publish(&mut state);
            drop(held);
        }
        Ok(())
    }

    fn failure(&self, act: &str, errno: OsCode) -> Error {
        Error::system(format!("cannot {act} the lock"), LOCK_CALL, &self.name, errno)
    }
}

impl Locking for FileLock {
    fn join(&self) {
        self.state().users += 1;
    }

    fn part(&self) {
        self.state().users -= 1;
    }

    fn close_unused(&self, driven: bool) -> bool {
        let mut state = self.state();
        if state.users > 0 {
            return true;
        }
        if !driven {
            state.user = None;
            self.remove_files();
        }
        !driven
    }

    fn end_process(&self) {
        let mut state = self.state();
        state.ended = true;
        state.user = None;
        state.gate = None;
        state.held.clear();
        self.remove_files();
    }

    fn listed(&self, request: Request, joined: bool, oldest: Option<u64>) {
        let mut state = self.state();
        let Tally { pending_shared, pending_exclusive, .. } = &mut state.tally;
        let waiting = if request == Request::Shared { pending_shared } else { pending_exclusive };
        *waiting = if joined { *waiting + 1 } else { waiting.saturating_sub(1) };
        state.tally.oldest = oldest.unwrap_or_default();
        self.publish(&mut state);
    }

    fn rest(&self) {
        self.state().gate = None;
    }
}
