//! Finding the set of a lock, or making it.

use super::layout::{Layout, initialise, too_small};
use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Result};
use crate::hints::sets;
use crate::key::Key;
use crate::lock::LockName;
use crate::patience::Patience;
use crate::record::{self, MARK_AT, Record};
use crate::sys::system_v::probe;
use crate::sys::system_v::semaphore::{self as sys, SetId};

/// Only for its user: another user who may take a lock could keep it.
const MODE: u32 = 0o600;

/// Counts the tries to find the set of a lock that comes and goes.
#[derive(Default)]
pub(super) struct Tries {
    quick: usize,
    patience: Patience,
}

impl Tries {
    /// The most tries without a pause. After each of them another process has made progress.
    const QUICK: usize = 100;

    /// False when the tries are used up.
    pub(super) fn once_more(&mut self) -> bool {
        if self.quick < Self::QUICK {
            self.quick += 1;
            return true;
        }
        self.patience.once_more()
    }
}

/// The object under the key of a lock.
enum Found {
    Ready(SetId, Layout),
    /// No set, or a different one by now.
    Again,
}

/// The set of the lock; it is created if it does not exist.
///
/// The last user of a lock removes its set, so the set may be gone by the time that it is read.
pub(super) fn open_or_create(name: &LockName) -> Result<(SetId, Layout)> {
    let key = Key::of_lock(name.as_str()).raw();
    let mut tries = Tries::default();
    loop {
        let found = match sys::find(key) {
            Ok(set) => inspect(set, name)?,
            Err(OsCode::ENOENT) => create(key, name)?,
            // The set of another user, unless a filter refuses the call altogether.
            Err(OsCode::EACCES) if probe::refusal("semget").is_none() => {
                return Err(foreign(failed("semget", name, OsCode::EACCES)));
            }
            Err(errno) => return Err(failed("semget", name, errno)),
        };
        match found {
            Found::Ready(set, layout) => return Ok((set, layout)),
            Found::Again if tries.once_more() => {}
            Found::Again => return Err(failed("semctl", name, OsCode::EIDRM)),
        }
    }
}

fn create(key: i32, name: &LockName) -> Result<Found> {
    let layout = Layout::for_new(name.as_str());
    let set = match sys::create(key, layout.size(), MODE) {
        Ok(set) => set,
        Err(OsCode::EEXIST) => return Ok(Found::Again),
        Err(OsCode::EINVAL) => return Err(too_small(name.as_str())),
        Err(errno) => return Err(sets::with_limits(failed("semget", name, errno))),
    };
    let finished = finish(set, layout, name);
    if finished.is_err() && sys::status(set).is_ok_and(|status| status.operated == 0) {
        // The caller gets the error of the initialisation.
        let _ = sys::remove(set);
    }
    finished
}

/// Initialises a set: our own, or that of a process that died or is slower.
fn finish(set: SetId, layout: Layout, name: &LockName) -> Result<Found> {
    match initialise(set, layout, name.as_str()) {
        Ok(_) => Ok(Found::Ready(set, layout)),
        Err(OsCode::EIDRM | OsCode::EINVAL) => Ok(Found::Again),
        Err(OsCode::E2BIG) => Err(too_small(name.as_str())),
        Err(errno) => Err(failed("semop", name, errno)),
    }
}

fn inspect(set: SetId, name: &LockName) -> Result<Found> {
    let Some(status) = unless_gone(sys::status(set), name)? else { return Ok(Found::Again) };
    Owner::Default.check(format_args!("the lock {name}"), status.access).map_err(foreign)?;
    let Some(values) = unless_gone(sys::values(set, status.size), name)? else { return Ok(Found::Again) };
    let layout = Layout::of(name.as_str(), values.len());
    let unmarked = values.get(usize::from(MARK_AT)).is_none_or(|mark| *mark == 0);
    match (record::read(&values), layout) {
        (Record::Lock(recorded), Some(layout)) if recorded == name.as_str() => Ok(Found::Ready(set, layout)),
        (Record::Absent, Some(layout)) if unmarked && status.operated == 0 => finish(set, layout, name),
        (Record::Lock(recorded), _) => Err(collision(name, &format!("the lock '{recorded}'"))),
        (Record::Limit(recorded), _) => Err(collision(name, &format!("the limit '{recorded}'"))),
        (Record::Named(recorded), _) => Err(collision(name, &format!("the semaphore '{recorded}'"))),
        _ => Err(collision(name, "a semaphore set of another program")),
    }
}

fn unless_gone<T>(outcome: std::result::Result<T, OsCode>, name: &LockName) -> Result<Option<T>> {
    match outcome {
        Ok(answer) => Ok(Some(answer)),
        Err(OsCode::EIDRM | OsCode::EINVAL) => Ok(None),
        Err(errno) => Err(failed("semctl", name, errno)),
    }
}

fn collision(name: &LockName, other: &str) -> Error {
    let key = Key::of_lock(name.as_str());
    Error::new(
        Code::NameCollision,
        format!("the lock {name} has the same key as {other}, which exists: {key}"),
    )
    .with_hint("choose another name for one of the two")
}

fn foreign(error: Error) -> Error {
    error.with_hint("a lock is for the processes of one user; choose another name")
}

fn failed(call: &'static str, name: &LockName, errno: OsCode) -> Error {
    let error = Error::system("cannot open the lock", call, name, errno);
    if errno == OsCode::EACCES { sets::refused(error) } else { error }
}
