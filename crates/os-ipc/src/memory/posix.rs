//! POSIX memory objects: by name, with a descriptor that is kept to see what peers do to them.

use std::num::NonZeroUsize;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::info::{MemoryKind, SharedMemoryInfo};
use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Result};
use crate::hints::posix::{self as hints, Wanted};
use crate::name::Name;
use crate::sys::failure::{Failure, Refusal};
use crate::sys::mapping::Mapping;
use crate::sys::named_memory::{self, Handle, Identity, Status};

/// How long an object may stay without a size: its creator has died, or is another library between its two calls.
const READY_WITHIN: Duration = Duration::from_secs(1);

/// An open object of a known size.
pub(super) struct PosixObject {
    handle: Handle,
    name: Name,
    identity: Identity,
    size: NonZeroUsize,
}

impl PosixObject {
    /// Makes an object that is complete when others can see it, or is not there.
    pub(super) fn create(name: &Name, size: NonZeroUsize, mode: u32) -> Result<Self> {
        let handle =
            named_memory::create(name, size.get() as u64, mode).map_err(|Failure(call, errno)| {
                Error::system("cannot create the shared memory", call, format_args!("'{name}'"), errno)
            })?;
        let status = status(&handle, name)?;
        let size = size_of(&status).unwrap_or(size);
        Ok(Self { handle, name: name.clone(), identity: status.identity, size })
    }

    /// Opens an object that is what it claims, belongs to who may own it and has a size.
    pub(super) fn open(name: &Name, writable: bool, owner: Owner) -> Result<Self> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let not_ready = match open_once(name, writable, owner)? {
                Opened::Ready(object) => return Ok(object),
                Opened::NotReady(error) => error,
            };
            if Instant::now() >= deadline {
                return Err(not_ready);
            }
            sleep(Duration::from_millis(1));
        }
    }

    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// Maps the whole object.
    pub(super) fn map(&self, writable: bool) -> Result<Mapping> {
        Mapping::of_file(&self.handle, self.size, writable)
            .map_err(|errno| self.failed("cannot map the shared memory", "mmap", errno))
    }

    /// Whether the object still has its first `end` bytes.
    pub(super) fn check_size(&self, end: usize, size: usize) -> Result<()> {
        match named_memory::size_now(&self.handle) {
            Some(now) if now < end as u64 => Err(self.truncated(now, size)),
            // Where the size cannot be asked for, nobody can cut it either.
            _ => Ok(()),
        }
    }

    /// Shows the object again where its pages had been missing.
    pub(super) fn mend(&self, mapping: &Mapping) -> Result<()> {
        mapping
            .mend(&self.handle)
            .map_err(|errno| self.failed("cannot map the shared memory again", "mmap", errno))
    }

    /// Why pages within the first `end` bytes were missing in the middle of a copy.
    pub(super) fn torn(&self, end: usize, size: usize) -> Error {
        match self.check_size(end, size) {
            Err(error) => error,
            // The size is right, so a page could not be had: a peer sized the object without allocating it.
            Ok(()) if named_memory::space().is_some_and(|space| space.free == 0) => {
                let error = self.failed("cannot reach the shared memory", "mmap", OsCode::ENOSPC);
                hints::memory(error, &self.name, Wanted::Make(size as u64))
            }
            // There is room, so the peer that cut it made it larger again since.
            Ok(()) => self.truncated(0, size),
        }
    }

    fn truncated(&self, now: u64, size: usize) -> Error {
        Error::new(
            Code::Truncated,
            format!(
                "the shared memory '{}' had {size} bytes and was cut to {now} by another process",
                self.name
            ),
        )
        .with_hint("a process that opens an object must not resize it; the Go library does so when it asks for another size")
    }

    pub(super) fn info(&self) -> Result<SharedMemoryInfo> {
        Ok(info(&self.name, &status(&self.handle, &self.name)?))
    }

    fn failed(&self, what: &str, call: &'static str, errno: OsCode) -> Error {
        Error::system(what, call, format_args!("'{}'", self.name), errno)
    }
}

enum Opened {
    Ready(PosixObject),
    /// Worth another try; and what to say when it stays so.
    NotReady(Error),
}

fn open_once(name: &Name, writable: bool, owner: Owner) -> Result<Opened> {
    let failed =
        |call, errno| Error::system("cannot open the shared memory", call, format_args!("'{name}'"), errno);
    let (handle, status) = match named_memory::open(name, writable) {
        Ok(opened) => opened,
        Err(Refusal::Failed(Failure(call, errno))) => return Err(failed(call, errno)),
        Err(Refusal::NotAnObject(kind)) => {
            return Err(Error::new(
                Code::NotAnObject,
                format!("'{name}' is not shared memory: it is {kind}"),
            )
            .with_hint("another user may have planted it; it was not touched"));
        }
    };
    if status.removed == Some(true) {
        return Ok(Opened::NotReady(failed("open", OsCode::ENOENT)));
    }
    owner.check(format_args!("the shared memory '{name}'"), status.access)?;
    match size_of(&status) {
        Some(size) => {
            let identity = status.identity;
            Ok(Opened::Ready(PosixObject { handle, name: name.clone(), identity, size }))
        }
        None => Ok(Opened::NotReady(Error::new(
            Code::NotInitialised,
            format!(
                "the shared memory '{name}' has no size after {READY_WITHIN:?}: its creator died or is still at work"
            ),
        ))),
    }
}

/// Removes the name, if what has it is the object of this identity.
///
/// Nothing compares and unlinks at once: an object put in its place in between, some microseconds, is removed instead.
pub(super) fn remove_object(name: &Name, identity: Identity) -> Result<()> {
    match named_memory::named(name) {
        Ok(named) if named == identity => remove(name).map(drop),
        Ok(_) | Err(Failure(_, OsCode::ENOENT | OsCode::ENOTDIR)) => Ok(()),
        Err(Failure(call, errno)) => {
            Err(Error::system("cannot remove the shared memory", call, format_args!("'{name}'"), errno))
        }
    }
}

/// Removes what has this name: false when nothing has.
pub(super) fn remove(name: &Name) -> Result<bool> {
    match named_memory::unlink(name) {
        Ok(()) => Ok(true),
        Err(Failure(_, OsCode::ENOENT)) => Ok(false),
        // A read-only file system refuses before it looks whether there is anything.
        Err(_) if is_absent(name) => Ok(false),
        Err(Failure(call, errno)) => {
            Err(Error::system("cannot remove the shared memory", call, format_args!("'{name}'"), errno))
        }
    }
}

/// Whether it is certain that nothing has the name.
fn is_absent(name: &Name) -> bool {
    matches!(named_memory::named(name), Err(Failure(_, OsCode::ENOENT | OsCode::ENOTDIR)))
}

/// Every object of this host that we may read.
pub(crate) fn list() -> Vec<SharedMemoryInfo> {
    let look = |name: Name| {
        let (_, status) = named_memory::open(&name, false).ok()?;
        (status.removed != Some(true)).then(|| info(&name, &status))
    };
    named_memory::names().into_iter().filter_map(look).collect()
}

fn status(handle: &Handle, name: &Name) -> Result<Status> {
    named_memory::status(handle).map_err(|Failure(call, errno)| {
        Error::system("cannot look at the shared memory", call, format_args!("'{name}'"), errno)
    })
}

fn size_of(status: &Status) -> Option<NonZeroUsize> {
    NonZeroUsize::new(usize::try_from(status.size).ok()?)
}

fn info(name: &Name, status: &Status) -> SharedMemoryInfo {
    SharedMemoryInfo {
        kind: MemoryKind::Posix,
        name: Some(name.clone()),
        key: None,
        id: None,
        size: status.size,
        attached: None,
        creator_pid: None,
        last_pid: None,
        uid: status.access.uid,
        gid: status.access.gid,
        mode: status.access.mode,
        created_at: status.created,
        attached_at: None,
        detached_at: None,
        changed: status.changed,
        removed: status.removed,
    }
}
