//! Creating, finding and removing sets.

use std::time::Duration;

use super::initialise::{finish_single, initialise, size_for};
use super::{Kind, SetName, as_removed};
use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Remedy, Result};
use crate::hints::sets::with_limits;
use crate::patience::Patience;
use crate::record::{self, LIMIT_SIZE, Record};
use crate::sys::system_v::semaphore::{self as sys, SetId, Status};

/// The longest wait for the initialisation of a set without our record: 100 ms. Only its values can show that it is
/// initialised, and a counter may stay 0 for ever.
const FOREIGN_PATIENCE: Duration = Duration::from_millis(100);

/// What is needed to make a set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Creation {
    /// The counter's first value.
    pub(crate) initial: u16,
    /// Permission bits.
    pub(crate) mode: u32,
}

/// A set that can be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    pub(crate) set: SetId,
    pub(crate) ready: Ready,
    /// Whether this call made it.
    pub(crate) created: bool,
    /// Whether it is another program's or that of a dead creator, and nothing ever happened to it.
    pub(crate) untouched: bool,
}

/// What is known of a set that can be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    /// Whether its record says the name that was asked for.
    pub(crate) verified: bool,
    /// Whether it has a record of its kind.
    pub(crate) recorded: bool,
}

impl Ready {
    const BARE: Self = Self { verified: false, recorded: false };
    const OURS: Self = Self { verified: true, recorded: true };

    fn opened(self, set: SetId, created: bool) -> Opened {
        Opened { set, ready: self, created, untouched: false }
    }
}

/// The state of a set that was found.
enum Found {
    Ready(Ready),
    /// It has the size of our sets, and no record yet.
    Unfinished,
    /// It is another program's, and nothing ever happened to it.
    Untouched,
    /// It was removed.
    Gone,
}

pub(crate) fn create(name: &SetName, creation: Creation) -> Result<Opened> {
    let key = name.key().raw();
    let what = format!("cannot create the {}", name.kind().noun());
    let failed = |call, errno| Error::system(what, call, name, errno);
    let size = size_for(name);
    let made = match sys::create(key, size, creation.mode) {
        // SEMMSL is smaller than /proc reports, or there is no /proc.
        Err(OsCode::EINVAL) if size > 1 => sys::create(key, 1, creation.mode).map(|set| (set, 1)),
        made => made.map(|set| (set, size)),
    };
    let (set, size) = match made {
        Ok(made) => made,
        Err(errno) => {
            if errno == OsCode::EEXIST {
                refuse_another(name)?;
            }
            return Err(with_limits(failed("semget", errno)));
        }
    };
    match initialise(set, size, name, creation.initial) {
        Ok(true) => Ok(if size > 1 { Ready::OURS } else { Ready::BARE }.opened(set, true)),
        // An openOrCreate was quicker to finish what we began: it made the set, not we.
        Ok(false) => Err(failed("semop", OsCode::EEXIST)),
        Err(errno) => {
            discard(set);
            Err(failed("semop", as_removed(errno)))
        }
    }
}

/// Removes a set that could not be initialised, unless another process did it meanwhile.
///
/// No call compares and removes at once: a process that finishes the set in between, some microseconds, gets `EIDRM`.
fn discard(set: SetId) {
    if sys::status(set).is_ok_and(|status| status.operated == 0) {
        // The caller gets the error of the initialisation.
        let _ = sys::remove(set);
    }
}

pub(crate) fn open(name: &SetName, owner: Owner) -> Result<Opened> {
    let mut patience = Patience::new();
    loop {
        let set = find(name)?;
        match look(set, name, owner)? {
            Found::Ready(ready) => return Ok(ready.opened(set, false)),
            Found::Untouched if patience.lasted(FOREIGN_PATIENCE) => {
                return Ok(Opened { untouched: true, ..Ready::BARE.opened(set, false) });
            }
            Found::Untouched | Found::Unfinished => pause(&mut patience, || not_initialised(name))?,
            Found::Gone => pause(&mut patience, || comes_and_goes(name))?,
        }
    }
}

pub(crate) fn open_or_create(name: &SetName, creation: Creation, owner: Owner) -> Result<Opened> {
    let what = || format!("cannot initialise the {}", name.kind().noun());
    let failed = |errno| Error::system(what(), "semop", name, errno);
    let size = name.kind().size(name.name());
    let mut patience = Patience::new();
    loop {
        let set = match find(name) {
            Ok(set) => set,
            Err(error) if error.errno() == Some(OsCode::ENOENT) => match create(name, creation) {
                // Another process made it, or removed it, while we did.
                Err(error) if matches!(error.errno(), Some(OsCode::EEXIST | OsCode::EIDRM)) => {
                    pause(&mut patience, || error)?;
                    continue;
                }
                made => return made,
            },
            Err(error) => return Err(error),
        };
        match look(set, name, owner)? {
            Found::Ready(ready) => return Ok(ready.opened(set, false)),
            // Its creator died, or is between its two calls: one of the openers finishes it, atomically.
            Found::Unfinished => match initialise(set, size, name, creation.initial) {
                Ok(true) => return Ok(Ready::OURS.opened(set, true)),
                Ok(false) | Err(OsCode::EIDRM | OsCode::EINVAL) => {
                    pause(&mut patience, || not_initialised(name))?;
                }
                Err(errno) => return Err(failed(errno)),
            },
            Found::Untouched if patience.lasted(FOREIGN_PATIENCE) => {
                match finish_single(set, creation.initial) {
                    Ok(made) => return Ok(Ready::BARE.opened(set, made)),
                    Err(OsCode::EIDRM | OsCode::EINVAL) => {
                        pause(&mut patience, || comes_and_goes(name))?;
                    }
                    Err(errno) => return Err(failed(errno)),
                }
            }
            Found::Untouched => pause(&mut patience, || not_initialised(name))?,
            Found::Gone => pause(&mut patience, || comes_and_goes(name))?,
        }
    }
}

pub(crate) fn unlink(name: &SetName) -> Result<bool> {
    let what = format!("cannot remove the {}", name.kind().noun());
    let failed = |call, errno| Error::system(what, call, name, errno);
    let set = match sys::find_any(name.key().raw()) {
        Ok(set) => set,
        Err(OsCode::ENOENT) => return Ok(false),
        Err(errno) => return Err(failed("semget", errno)),
    };
    // We may be allowed to remove a set that we may not read.
    verify_recorded(set, name)?;
    match sys::remove(set) {
        Ok(()) => Ok(true),
        Err(OsCode::EIDRM | OsCode::EINVAL) => Ok(false),
        Err(errno) => Err(failed("semctl", errno)),
    }
}

fn find(name: &SetName) -> Result<SetId> {
    let noun = name.kind().noun();
    sys::find(name.key().raw()).map_err(|errno| match errno {
        OsCode::EACCES => {
            Error::system(format!("no permission to read and change the {noun}"), "semget", name, errno)
        }
        errno => Error::system(format!("cannot open the {noun}"), "semget", name, errno),
    })
}

fn look(set: SetId, name: &SetName, owner: Owner) -> Result<Found> {
    match look_inside(set, name, owner) {
        Err(error) if error.errno() == Some(OsCode::EIDRM) => Ok(Found::Gone),
        found => found,
    }
}

fn look_inside(set: SetId, name: &SetName, owner: Owner) -> Result<Found> {
    let noun = name.kind().noun();
    let failed = |errno| Error::system(format!("cannot open the {noun}"), "semctl", name, as_removed(errno));
    let status = sys::status(set).map_err(failed)?;
    owner.check(format_args!("the {noun} {name}"), status.access)?;
    let values = sys::values(set, status.size).map_err(failed)?;
    match record::read(&values) {
        Record::Named(recorded) => return verify(&recorded, Kind::Semaphore, name).map(Found::Ready),
        Record::Limit(recorded) => return verify(&recorded, Kind::Limit, name).map(Found::Ready),
        Record::Lock(recorded) => return Err(is_a_lock(&recorded, name)),
        Record::Damaged => return Ok(Found::Ready(Ready::BARE)),
        Record::Absent => {}
    }
    let untouched = is_untouched(set, &status, &values).map_err(failed)?;
    let unmarked = values.get(usize::from(record::MARK_AT)) == Some(&0);
    Ok(match unfinished(values.len(), name, untouched) {
        Some(kind) if kind == name.kind() => Found::Unfinished,
        Some(_) if unmarked => return Err(name.wrong_kind()),
        _ if untouched => Found::Untouched,
        _ => Found::Ready(Ready::BARE),
    })
}

/// Whether nothing ever happened to a set.
fn is_untouched(set: SetId, status: &Status, values: &[u16]) -> std::result::Result<bool, OsCode> {
    Ok(status.operated == 0 && values.first() == Some(&0) && sys::last_pid(set)? == 0)
}

/// Whose creator left a set of this size without a record; `None` where no creator of ours does.
fn unfinished(size: usize, name: &SetName, untouched: bool) -> Option<Kind> {
    let (is_raw, semaphore) = (name.name().is_empty(), record::set_size(name.name()));
    match size {
        // A name's key is its hash, so a set with the size of its record is ours. A raw key's set has 3, as PHP's.
        LIMIT_SIZE => (untouched || !is_raw).then_some(Kind::Limit),
        size if size == semaphore => (untouched || !is_raw).then_some(Kind::Semaphore),
        // Of a name that this raw key stands for.
        size if is_raw && name.kind() == Kind::Limit && untouched => {
            (semaphore..=usize::from(record::PERMITS_AT)).contains(&size).then_some(Kind::Semaphore)
        }
        _ => None,
    }
}

/// Refuses what is in the way with another name or of the other kind.
fn refuse_another(name: &SetName) -> Result<()> {
    let Ok(set) = sys::find_any(name.key().raw()) else { return Ok(()) };
    verify_recorded(set, name)
}

/// Refuses a set whose record says another name or the other kind, as far as we may read it.
fn verify_recorded(set: SetId, name: &SetName) -> Result<()> {
    let read = || {
        let status = sys::status(set)?;
        let values = sys::values(set, status.size)?;
        Ok::<_, OsCode>((record::read(&values), values.len(), is_untouched(set, &status, &values)?))
    };
    match read() {
        Ok((Record::Named(recorded), ..)) => verify(&recorded, Kind::Semaphore, name).map(drop),
        Ok((Record::Limit(recorded), ..)) => verify(&recorded, Kind::Limit, name).map(drop),
        // A raw key removes whatever set has it.
        Ok((Record::Lock(recorded), ..)) if !name.name().is_empty() => Err(is_a_lock(&recorded, name)),
        Ok((Record::Absent, size, untouched)) => match unfinished(size, name, untouched) {
            Some(kind) if kind != name.kind() => Err(name.wrong_kind()),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// What a record says, if it is the one of the name that was asked for. A raw key asks for none; a set made for a raw key has none.
fn verify(recorded: &str, kind: Kind, name: &SetName) -> Result<Ready> {
    let is_named = name.name().is_empty() || recorded == name.name();
    if !is_named && !recorded.is_empty() {
        let what = format!("the name {name} has the same key as '{recorded}', which exists: {}", name.key());
        return Err(Error::new(Code::NameCollision, what).with_hint("choose another name for one of the two"));
    }
    if kind != name.kind() {
        return Err(name.wrong_kind());
    }
    Ok(Ready { verified: is_named, recorded: true })
}

/// What has the key is a lock.
fn is_a_lock(recorded: &str, name: &SetName) -> Error {
    let noun = name.kind().noun();
    let what = format!("the lock '{recorded}' has the key of the {noun} {name}: {}", name.key());
    Error::new(Code::NameCollision, what).with_hint("choose another name for one of the two")
}

fn not_initialised(name: &SetName) -> Error {
    let noun = name.kind().noun();
    let what = format!("the {noun} {name} was created but never initialised: its creator died or hangs");
    Error::new(Code::NotInitialised, what)
        .with_hint("create it again, which finishes it, or remove it")
        .with_remedy(Remedy::Finish)
}

fn comes_and_goes(name: &SetName) -> Error {
    let what = format!("the {} was removed at each attempt to open it", name.kind().noun());
    Error::system(what, "semctl", name, OsCode::EIDRM)
}

/// Waits a moment before the next try; fails with `late` if it took too long already.
fn pause(patience: &mut Patience, late: impl FnOnce() -> Error) -> Result<()> {
    if patience.once_more() { Ok(()) } else { Err(late()) }
}
