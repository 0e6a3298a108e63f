//! How ledgers are found, created and removed.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use fnv::FnvHasher;
use std::hash::Hasher;

use crate::access::Owner;
use crate::error::Remedy;
use crate::error::{Code, Error, OsCode, Result};
use crate::hints;
use crate::ledger::{Content, Flaw, Kind, Layout, Ledger, SLOTS};
use crate::name::Name;
use crate::patience::Patience;
use crate::sys::access::{Access, own_uid};
use crate::sys::death::ProcessId;
use crate::sys::failure::{Failure, Refusal};
use crate::sys::ledger_file::{self as sys, Draft, LedgerFile, Status, Unusable, calls, own_origin};
use crate::sys::wake;

/// The longest wait for another process that removes the ledger: 1 s. It takes microseconds, unless that process is stopped.
const READY_WITHIN: Duration = Duration::from_secs(1);

/// The slots of a new ledger that have memory from the start: those of its first page.
const FIRST_SLOTS: u32 = 64;

/// The most that a guard is waited for: 1 s. Its holder makes no system call, so it is stopped, or waits for a processor.
pub(super) const GUARD_WITHIN: Duration = Duration::from_secs(1);

/// A name, and what is to have it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) kind: Kind,
    pub(crate) name: Name,
}

impl Named {
    pub(crate) fn as_str(&self) -> &str {
        self.name.as_str()
    }

    /// How messages call it.
    pub(crate) fn noun(&self) -> &'static str {
        self.kind.noun()
    }
}

/// The name; `{:#}` says what has it too: `the limit '/jobs'`.
impl fmt::Display for Named {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if out.alternate() {
            write!(out, "the {} '{}'", self.noun(), self.name)
        } else {
            fmt::Display::fmt(&self.name, out)
        }
    }
}

/// A ledger that was found or created.
pub(crate) struct Opened {
    pub(super) name: Named,
    pub(super) ledger: Ledger<LedgerFile>,
    pub(super) status: Status,
}

enum Found {
    Ledger(Box<Opened>),
    Absent,
    /// It was removed while it was looked at: another one can have the name by now.
    Removed,
    /// A state that ends soon, and the error if it does not.
    Unready(Error),
}

/// The file of a name: names have up to 255 bytes, and so have the names of files.
fn file_name(name: &Name) -> String {
    let mut hasher = FnvHasher::default();
    hasher.write(name.as_str().as_bytes());
    format!("{:016x}", hasher.finish())
}

/// The folder of all ledgers.
pub(super) fn folder(name: &Named) -> Result<&'static Path> {
    sys::folder().map_err(|Unusable { path, refusal }| {
        let path = path.display();
        let (error, hint) = match refusal {
            Refusal::Failed(Failure(call, errno)) => (
                Error::system(
                    format!("cannot use the folder of the {}", name.noun()),
                    call,
                    format_args!("'{path}' for '{name}'"),
                    errno,
                ),
                match errno {
                    OsCode::EACCES => "this process may not search it, and other users of the limit may: run `chmod 1777` on it as its owner",
                    _ => "this engine needs a tmpfs on /dev/shm (a container: --tmpfs /dev/shm, or an emptyDir of medium Memory), or /var/tmp",
                },
            ),
            Refusal::NotAnObject(what) => (
                Error::new(Code::NotAnObject, format!("{path}, the folder of {name:#}, is {what}")),
                "this engine needs a folder that belongs to root and has mode 1777",
            ),
        };
        error.with_hint(hint)
    })
}

/// Whether this process can look for ledgers.
pub(in crate::limit) fn has_folder() -> bool {
    sys::folder().is_ok()
}

/// Explains an error of a call that needed room for a ledger: `bytes`, or a page more.
pub(super) fn no_room(error: Error, bytes: u64) -> Error {
    #[cfg(unix)]
    if let Ok(folder) = sys::folder() {
        return hints::posix::ledger(error, folder, bytes);
    }
    let _ = bytes;
    error
}

pub(crate) fn failed(act: &str, name: &Named, Failure(call, errno): Failure) -> Error {
    Error::system(format!("cannot {act} the {}", name.noun()), call, format_args!("'{name}'"), errno)
}

/// The error for a name that no ledger has.
pub(crate) fn absent(name: &Named) -> Error {
    failed("open", name, Failure(calls::OPEN, OsCode::ENOENT))
}

/// Opens the ledger of this name; `None` if there is none.
pub(crate) fn open(name: &Named, owner: Owner) -> Result<Option<Opened>> {
    // Both need a file descriptor for a moment, and the ledger needs one for good.
    own_origin().map_err(|failure| failed("open", name, failure))?;
    ProcessId::own();
    let mut patience = Patience::new();
    loop {
        // Each time that it was removed, no ledger had the name for a moment.
        let at_the_end = match find(name, owner)? {
            Found::Ledger(opened) => return Ok(Some(*opened)),
            Found::Absent => return Ok(None),
            Found::Removed => Ok(None),
            Found::Unready(error) => Err(error),
        };
        if !patience.once_more_within(READY_WITHIN, Duration::from_millis(1)) {
            return at_the_end;
        }
    }
}

/// Creates a ledger that is complete when other processes can see it, or absent.
pub(crate) fn create(name: &Named, total: u32, mode: u32) -> Result<Opened> {
    let taken = || failed("create", name, Failure(calls::CREATE, OsCode::EEXIST));
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        // A removed ledger that still has the name makes room here.
        if open(name, Owner::Any)?.is_some() {
            return Err(taken());
        }
        let layout = Layout::of_slots(SLOTS);
        let size = NonZeroUsize::new(layout.size()).unwrap_or(NonZeroUsize::MIN);
        let folder = folder(name)?;
        let make = || -> std::result::Result<LedgerFile, Failure> {
            let draft = Draft::new(folder, &file_name(&name.name), size, layout.size_up_to(FIRST_SLOTS))?;
            let origin = own_origin()?;
            let (boot, space) = (origin.boot, origin.space);
            let content = Content { kind: name.kind, name: name.as_str(), total, boot, space };
            layout.write(draft.file(), &content);
            draft.file().enter().map_err(|errno| Failure(calls::LIVENESS, errno))?;
            draft.publish(mode)
        };
        match make() {
            Ok(file) => {
                let status = file.status().map_err(|failure| failed("open", name, failure))?;
                return Ok(Opened { name: name.clone(), ledger: Ledger::new(file, layout), status });
            }
            // Another process was quicker, or a removed ledger has the name again.
            Err(Failure(_, OsCode::EEXIST)) if Instant::now() < deadline => {}
            Err(failure) => {
                let bytes = layout.size_up_to(FIRST_SLOTS);
                return Err(no_room(
                    failed("create", name, failure),
                    u64::try_from(bytes).unwrap_or_default(),
                ));
            }
        }
    }
}

/// Opens a ledger to remove it. A user who may not even read it may not remove it either, whatever mode it has.
pub(crate) fn open_to_remove(name: &Named) -> Result<Option<Opened>> {
    open(name, Owner::Any).map_err(|error| match access_to(name) {
        Some(access) if error.errno() == Some(OsCode::EACCES) && !may_remove(access) => {
            not_removable(name, access)
        }
        _ => error,
    })
}

/// Only the owner of a ledger and root may remove it.
pub(super) fn check_removable(name: &Named, status: &Status) -> Result<()> {
    if may_remove(status.access) { Ok(()) } else { Err(not_removable(name, status.access)) }
}

fn may_remove(access: Access) -> bool {
    [0, access.uid].contains(&own_uid())
}

fn not_removable(name: &Named, Access { uid, mode, .. }: Access) -> Error {
    let (hint, remedy) = hints::may_not(OsCode::EPERM, uid, mode, own_uid());
    let refused = failed("remove", name, Failure(calls::REMOVE, OsCode::EPERM));
    refused.with_hint(hint).with_remedy(remedy).with_owner(uid, Some(mode))
}

/// The owner and mode of the file of this name.
fn access_to(name: &Named) -> Option<Access> {
    sys::folder().ok().and_then(|folder| sys::access_of(folder, &file_name(&name.name)))
}

/// Marks a ledger as removed, wakes all its waiters, and removes its file.
pub(super) fn retire(name: &Named, ledger: &Ledger<LedgerFile>, status: &Status) -> Result<()> {
    ledger.retire();
    if let Ok(folder) = sys::folder() {
        ledger.all_waiting(|id| wake::hint(folder, ProcessId(id), status.identity.number()));
    }
    remove_file(name, ledger)
}

/// Removes the file of a retired ledger, if it still has its name.
fn remove_file(name: &Named, ledger: &Ledger<LedgerFile>) -> Result<()> {
    const BETWEEN_TRIES: Duration = Duration::from_micros(100);
    let mut patience = Patience::new();
    loop {
        match ledger
            .place()
            .guard()
            .try_hold()
            .map_err(|errno| failed("remove", name, Failure(calls::GUARD, errno)))?
        {
            Some(_held) => {
                return ledger.place().unlink().map_err(|failure| failed("remove", name, failure));
            }
            None if patience.once_more_within(GUARD_WITHIN, BETWEEN_TRIES) => {}
            None => return Err(guard_is_held(name, ledger)),
        }
    }
}

/// The error for a guard that its holder keeps.
pub(super) fn guard_is_held(name: &Named, ledger: &Ledger<LedgerFile>) -> Error {
    let holder = ProcessId(ledger.guard_holder());
    let held = failed("change", name, Failure(calls::GUARD, OsCode::EBUSY));
    if holder.0 == 0 {
        return held.with_hint("another program has the lock of its file: see `lslocks`");
    }
    held.with_hint(format!(
        "process {} stopped while it changed the {}: continue or end it",
        holder.pid(),
        name.noun()
    ))
}

/// Looks for the ledger of this name once.
fn find(name: &Named, owner: Owner) -> Result<Found> {
    let named = format!("{name:#}");
    let mut foreign = None;
    let check = |status: &Status| {
        foreign = owner.check(&named, status.access).err();
        match foreign {
            // The content of a foreign file is not looked at.
            Some(_) => Err(Refusal::NotAnObject("foreign")),
            None => Ok(()),
        }
    };
    let (file, status) = match LedgerFile::open(folder(name)?, &file_name(&name.name), true, check) {
        Ok(opened) => opened,
        Err(_) if foreign.is_some() => return Err(foreign.unwrap_or_else(|| absent(name))),
        Err(Refusal::Failed(Failure(_, OsCode::ENOENT))) => return Ok(Found::Absent),
        Err(Refusal::Failed(Failure(calls::OPEN, OsCode::EACCES))) => return Err(closed_to_us(name)),
        Err(Refusal::Failed(failure)) => return Err(failed("open", name, failure)),
        Err(Refusal::NotAnObject(what)) => return Err(not_a_ledger(name, what)),
    };
    if status.removed {
        return Ok(Found::Removed);
    }
    let layout = match Layout::check(&file, file.mapping().length(), name.kind) {
        Ok(layout) => layout,
        Err(Flaw::Foreign) => return Err(not_a_ledger(name, "a file of another program or version")),
        Err(Flaw::WrongKind) => {
            let (other, remedy) = match name.kind {
                Kind::Limit => (Kind::Semaphore, Remedy::Semaphore),
                Kind::Semaphore => (Kind::Limit, Remedy::Limit),
            };
            let what = format!("'{name}' is a {}, not a {}", other.noun(), name.noun());
            let hint = format!("open it as a {}, or choose another name", other.noun());
            return Err(Error::new(Code::WrongKind, what).with_hint(hint).with_remedy(remedy));
        }
    };
    let recorded = Layout::name(&file).unwrap_or_default();
    if recorded != name.as_str() {
        let what = format!("{name:#} has the same file as '{recorded}', which exists");
        return Err(Error::new(Code::NameCollision, what).with_hint("choose another name for one of the two"));
    }
    let origin = own_origin().map_err(|failure| failed("open", name, failure))?;
    let is_ours = Layout::origin(&file) == (origin.boot, origin.space);
    let opened = Opened { name: name.clone(), ledger: Ledger::new(file, layout), status };
    if is_ours { enter(opened) } else { replace(&opened) }
}

/// The error for a ledger whose mode does not let this process use it.
fn closed_to_us(name: &Named) -> Error {
    let what = format!("no permission to read and change the {}", name.noun());
    let error = Error::system(what, calls::OPEN, format_args!("'{name}'"), OsCode::EACCES);
    let Some(access) = access_to(name) else { return error };
    let (hint, remedy) = hints::may_not(OsCode::EACCES, access.uid, access.mode, own_uid());
    error.with_hint(hint).with_remedy(remedy).with_owner(access.uid, Some(access.mode))
}

/// Whether a file has the place of the ledger of this name.
#[cfg(system_v_semaphores)]
pub(in crate::limit) fn exists(name: &Name) -> bool {
    sys::folder().is_ok_and(|folder| sys::access_of(folder, &file_name(name)).is_some())
}

/// Uses a ledger, unless it was removed.
fn enter(opened: Opened) -> Result<Found> {
    let Opened { name, ledger, .. } = &opened;
    let entered = ledger.place().enter();
    if !entered.map_err(|errno| failed("open", name, Failure(calls::LIVENESS, errno)))? {
        // A process of another namespace found it deserted, and removes it.
        return Ok(Found::Unready(other_namespace(name)));
    }
    if ledger.is_retired() {
        // The process that retired it is about to remove its file, or was killed before that.
        remove_file(name, ledger)?;
        return Ok(Found::Removed);
    }
    Ok(Found::Ledger(Box::new(opened)))
}

/// Removes a ledger of another start of the host or of another namespace, if no process uses it any more.
fn replace(opened: &Opened) -> Result<Found> {
    let Opened { name, ledger, status } = opened;
    let deserted = ledger.place().is_deserted();
    if deserted.map_err(|errno| failed("open", name, Failure(calls::LIVENESS, errno)))? {
        ledger.retire();
        remove_file(name, ledger)
            .map_err(|error| error.with_owner(status.access.uid, Some(status.access.mode)))?;
        return Ok(Found::Removed);
    }
    Ok(Found::Unready(other_namespace(name)))
}

fn other_namespace(name: &Named) -> Error {
    let what = format!("processes of another PID namespace use {name:#}");
    Error::new(Code::NotSupported, what).with_hint(
        "this process cannot tell which of them died: give the containers one PID namespace, or a folder (/dev/shm) of their own",
    )
}

fn not_a_ledger(name: &Named, what: &str) -> Error {
    Error::new(Code::NotAnObject, format!("the file of {name:#} is {what}"))
        .with_hint("another user may have planted it; it was not touched")
}
