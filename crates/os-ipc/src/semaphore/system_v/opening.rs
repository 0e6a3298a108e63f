//! Making, finding and removing sets.

use std::time::Duration;

use super::initialise::{finish_single, initialise, size_for};
use super::{Set, as_removed};
use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Remedy, Result};
use crate::hints::sets;
use crate::record::{self, Record};
use crate::semaphore::patience::Patience;
use crate::semaphore::{Creation, SemaphoreId, VALUE_MAX};
use crate::sys::system_v::semaphore::{self as sys, SetId};

/// How long a set without our record may take to be initialised: nothing but its values can tell, and a counter may
/// stay 0 for ever.
const FOREIGN_PATIENCE: Duration = Duration::from_millis(100);

/// What a look at a set found.
enum Found {
    /// It can be used; true when its record says the name that was asked for.
    Ready(bool),
    /// It has the size of ours, and no record yet.
    Unfinished,
    /// It is somebody else's, and nothing ever happened to it.
    Untouched,
    /// It was removed.
    Gone,
}

pub(in crate::semaphore) fn create(id: &SemaphoreId, creation: Creation) -> Result<Set> {
    let key = id.key()?.raw();
    let failed = |call, errno| Error::system("cannot create the semaphore", call, id, errno);
    let size = size_for(id.name());
    let made = match sys::create(key, size, creation.mode) {
        // SEMMSL is smaller than /proc said, or there is no /proc.
        Err(OsCode::EINVAL) if size > 1 => sys::create(key, 1, creation.mode).map(|set| (set, 1)),
        made => made.map(|set| (set, size)),
    };
    let (set, size) = match made {
        Ok(made) => made,
        Err(errno) => {
            if errno == OsCode::EEXIST {
                refuse_collision(id)?;
            }
            return Err(sets::with_limits(failed("semget", errno)));
        }
    };
    match initialise(set, size, id.name(), initial_of(creation)) {
        Ok(true) => Ok(Set::new(set, id, size > 1)),
        // An openOrCreate was quicker to finish what we began: it made the semaphore, not we.
        Ok(false) => Err(failed("semop", OsCode::EEXIST)),
        Err(errno) => {
            discard(set);
            Err(failed("semop", as_removed(errno)))
        }
    }
}

/// The first value, which [`Creation::check`] found small enough.
fn initial_of(creation: Creation) -> u16 {
    u16::try_from(creation.initial).unwrap_or(VALUE_MAX)
}

/// Removes a set that could not be initialised, unless somebody else did it meanwhile.
///
/// Nothing compares and removes at once: who finishes it in between, some microseconds, gets `EIDRM`.
fn discard(set: SetId) {
    if sys::status(set).is_ok_and(|status| status.operated == 0) {
        // What is reported is why it could not be initialised.
        let _ = sys::remove(set);
    }
}

pub(in crate::semaphore) fn open(id: &SemaphoreId, owner: Owner) -> Result<Set> {
    let mut patience = Patience::new();
    loop {
        let set = find(id)?;
        match look(set, id, owner)? {
            Found::Ready(verified) => return Ok(Set::new(set, id, verified)),
            Found::Untouched if patience.lasted(FOREIGN_PATIENCE) => return Ok(Set::new(set, id, false)),
            Found::Untouched | Found::Unfinished => pause(&mut patience, || not_initialised(id))?,
            Found::Gone => pause(&mut patience, || comes_and_goes(id))?,
        }
    }
}

pub(in crate::semaphore) fn open_or_create(
    id: &SemaphoreId,
    creation: Creation,
    owner: Owner,
) -> Result<(Set, bool)> {
    let failed = |errno| Error::system("cannot initialise the semaphore", "semop", id, errno);
    let size = record::set_size(id.name());
    let mut patience = Patience::new();
    loop {
        let set = match find(id) {
            Ok(set) => set,
            Err(error) if error.errno() == Some(OsCode::ENOENT) => match create(id, creation) {
                // Somebody else made it, or removed it, while we did.
                Err(error) if matches!(error.errno(), Some(OsCode::EEXIST | OsCode::EIDRM)) => {
                    pause(&mut patience, || error)?;
                    continue;
                }
                made => return made.map(|set| (set, true)),
            },
            Err(error) => return Err(error),
        };
        match look(set, id, owner)? {
            Found::Ready(verified) => return Ok((Set::new(set, id, verified), false)),
            // Its creator died, or is between its two calls: one of us finishes it, atomically.
            Found::Unfinished => match initialise(set, size, id.name(), initial_of(creation)) {
                Ok(true) => return Ok((Set::new(set, id, true), true)),
                Ok(false) | Err(OsCode::EIDRM | OsCode::EINVAL) => {
                    pause(&mut patience, || not_initialised(id))?;
                }
                Err(errno) => return Err(failed(errno)),
            },
            Found::Untouched if patience.lasted(FOREIGN_PATIENCE) => {
                match finish_single(set, initial_of(creation)) {
                    Ok(made) => return Ok((Set::new(set, id, false), made)),
                    Err(OsCode::EIDRM | OsCode::EINVAL) => {
                        pause(&mut patience, || comes_and_goes(id))?;
                    }
                    Err(errno) => return Err(failed(errno)),
                }
            }
            Found::Untouched => pause(&mut patience, || not_initialised(id))?,
            Found::Gone => pause(&mut patience, || comes_and_goes(id))?,
        }
    }
}

pub(in crate::semaphore) fn unlink(id: &SemaphoreId) -> Result<bool> {
    let failed = |call, errno| Error::system("cannot remove the semaphore", call, id, errno);
    let set = match sys::find_any(id.key()?.raw()) {
        Ok(set) => set,
        Err(OsCode::ENOENT) => return Ok(false),
        Err(errno) => return Err(failed("semget", errno)),
    };
    // What we may not read, we may still be allowed to remove.
    verify_recorded(set, id)?;
    match sys::remove(set) {
        Ok(()) => Ok(true),
        Err(OsCode::EIDRM | OsCode::EINVAL) => Ok(false),
        Err(errno) => Err(failed("semctl", errno)),
    }
}

fn find(id: &SemaphoreId) -> Result<SetId> {
    sys::find(id.key()?.raw()).map_err(|errno| match errno {
        OsCode::EACCES => {
            Error::system("no permission to read and change the semaphore", "semget", id, errno)
        }
        errno => Error::system("cannot open the semaphore", "semget", id, errno),
    })
}

fn look(set: SetId, id: &SemaphoreId, owner: Owner) -> Result<Found> {
    match look_inside(set, id, owner) {
        Err(error) if error.errno() == Some(OsCode::EIDRM) => Ok(Found::Gone),
        found => found,
    }
}

fn look_inside(set: SetId, id: &SemaphoreId, owner: Owner) -> Result<Found> {
    let failed = |errno| Error::system("cannot open the semaphore", "semctl", id, as_removed(errno));
    let status = sys::status(set).map_err(failed)?;
    owner.check(format_args!("the semaphore {id}"), status.access)?;
    let values = sys::values(set, status.size).map_err(failed)?;
    match record::read(&values) {
        Record::Named(name) => return verify(&name, id).map(Found::Ready),
        Record::Lock(name) => return Err(is_a_lock(&name, id)?),
        Record::Damaged => return Ok(Found::Ready(false)),
        Record::Absent => {}
    }
    let untouched =
        status.operated == 0 && values.first() == Some(&0) && sys::last_pid(set).map_err(failed)? == 0;
    // A name's key is its hash, so a set of just its record's size is ours. A raw key's is 3 semaphores, as PHP's is.
    let ours = values.len() == record::set_size(id.name()) && (!id.name().is_empty() || untouched);
    Ok(match (ours, untouched) {
        (true, _) => Found::Unfinished,
        (false, true) => Found::Untouched,
        (false, false) => Found::Ready(false),
    })
}

/// Says so where the set that is in the way has another name.
fn refuse_collision(id: &SemaphoreId) -> Result<()> {
    match sys::find_any(id.key()?.raw()) {
        Ok(set) => verify_recorded(set, id),
        Err(_) => Ok(()),
    }
}

/// Refuses a set whose record says another name, as far as we may read it.
fn verify_recorded(set: SetId, id: &SemaphoreId) -> Result<()> {
    let values = sys::status(set).and_then(|status| sys::values(set, status.size));
    match values.map(|values| record::read(&values)) {
        Ok(Record::Named(recorded)) => verify(&recorded, id).map(drop),
        // A raw key removes whatever has it.
        Ok(Record::Lock(recorded)) if !id.name().is_empty() => Err(is_a_lock(&recorded, id)?),
        _ => Ok(()),
    }
}

/// Whether the record says the name that was asked for. A raw key asks for none; a set made for a raw key has none.
fn verify(recorded: &str, id: &SemaphoreId) -> Result<bool> {
    if id.name().is_empty() || recorded == id.name() {
        return Ok(true);
    }
    if recorded.is_empty() {
        return Ok(false);
    }
    Err(Error::new(
        Code::NameCollision,
        format!("the name {id} has the same key as '{recorded}', which exists: {}", id.key()?),
    )
    .with_hint("choose another name for one of the two"))
}

/// What has the key is no semaphore.
fn is_a_lock(recorded: &str, id: &SemaphoreId) -> Result<Error> {
    let what = format!("the lock '{recorded}' has the key of the semaphore {id}: {}", id.key()?);
    Ok(Error::new(Code::NameCollision, what).with_hint("choose another name for one of the two"))
}

fn not_initialised(id: &SemaphoreId) -> Error {
    let what = format!("the semaphore {id} was created but never initialised: its creator died or hangs");
    Error::new(Code::NotInitialised, what)
        .with_hint("creating it again finishes it, and it can be removed")
        .with_remedy(Remedy::Finish)
}

fn comes_and_goes(id: &SemaphoreId) -> Error {
    Error::system("the semaphore was removed at each attempt to open it", "semctl", id, OsCode::EIDRM)
}

/// Waits a moment before the next look; fails with `late` when it took too long already.
fn pause(patience: &mut Patience, late: impl FnOnce() -> Error) -> Result<()> {
    if patience.once_more() { Ok(()) } else { Err(late()) }
}
