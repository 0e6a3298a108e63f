//! POSIX memory objects: opened by name, with a descriptor that shows what peers do to them.

use std::fmt::{self, Display};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::backend::{Identity, Object, Place};
use super::info::{MemoryKind, SharedMemoryInfo};
use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Result};
use crate::hints::{Wanted, posix as hints};
use crate::name::Name;
use crate::patience::Patience;
use crate::sys::failure::{Failure, Refusal, readable};
use crate::sys::mapping::Mapping;
use crate::sys::named_memory::{self, Handle, Status};
use crate::sys::shm_folder;

/// The longest wait for the size of an object: 1 s. Its creator died, or is between the two calls of another library.
const READY_WITHIN: Duration = Duration::from_secs(1);

/// The name of a memory object.
pub(super) struct Named<'a>(pub(super) &'a Name);

impl Place for Named<'_> {
    fn make(&self, size: NonZeroUsize, mode: u32) -> Result<Box<dyn Object>> {
        Ok(Box::new(PosixObject::create(self.0, size, mode)?))
    }

    fn find(&self, writable: bool, owner: Owner) -> Result<Box<dyn Object>> {
        Ok(Box::new(PosixObject::open(self.0, writable, owner)?))
    }

    fn remove(&self) -> Result<bool> {
        remove(self.0)
    }

    fn explain(&self, error: Error, wanted: Wanted) -> Error {
        hints::memory(error, self.0, wanted)
    }
}

/// An open object of a known size.
struct PosixObject {
    handle: Handle,
    name: Name,
    identity: named_memory::Identity,
    size: NonZeroUsize,
}

impl PosixObject {
    /// Creates an object that is complete when other processes can see it, or absent.
    fn create(name: &Name, size: NonZeroUsize, mode: u32) -> Result<Self> {
        let handle =
            named_memory::create(name, size.get() as u64, mode).map_err(|Failure(call, errno)| {
                Error::system("cannot create the shared memory", call, format_args!("'{name}'"), errno)
            })?;
        let status = status(&handle, name)?;
        let size = size_of(&status).unwrap_or(size);
        Ok(Self { handle, name: name.clone(), identity: status.identity, size })
    }

    /// Opens an object that is shared memory, has a trusted owner and has a size.
    fn open(name: &Name, writable: bool, owner: Owner) -> Result<Self> {
        const BETWEEN_TRIES: Duration = Duration::from_millis(1);
        let mut patience = Patience::new();
        loop {
            let not_ready = match open_once(name, writable, owner)? {
                Opened::Ready(object) => return Ok(object),
                Opened::NotReady(error) => error,
            };
            if !patience.once_more_within(READY_WITHIN, BETWEEN_TRIES) {
                return Err(not_ready);
            }
        }
    }

    fn truncated(&self, now: u64, size: usize) -> Error {
        Error::new(
            Code::Truncated,
            format!(
                "another process truncated the shared memory '{}' from {size} to {now} bytes",
                self.name
            ),
        )
        .with_hint("a process that opens an object must not resize it; the Go library does so when it asks for another size")
    }

    fn failed(&self, what: &str, call: &'static str, errno: OsCode) -> Error {
        Error::system(what, call, format_args!("'{}'", self.name), errno)
    }
}

impl Display for PosixObject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the shared memory '{}'", self.name)
    }
}

impl Object for PosixObject {
    fn kind(&self) -> MemoryKind {
        MemoryKind::Posix
    }

    fn name(&self) -> Option<&Name> {
        Some(&self.name)
    }

    /// Maps the whole object.
    fn map(&self, writable: bool) -> Result<Mapping> {
        Mapping::of_file(&self.handle, self.size, writable)
            .map_err(|errno| self.failed("cannot map the shared memory", "mmap", errno))
    }

    /// Whether the object still has its first `end` bytes.
    fn check_size(&self, end: usize, size: usize) -> Result<()> {
        match named_memory::size_now(&self.handle) {
            Some(now) if now < end as u64 => Err(self.truncated(now, size)),
            // Where the size cannot be read, no peer can truncate the object either.
            _ => Ok(()),
        }
    }

    /// Maps the object again over its missing pages.
    fn mend(&self, mapping: &Mapping) -> Result<()> {
        mapping
            .mend(&self.handle)
            .map_err(|errno| self.failed("cannot map the shared memory again", "mmap", errno))
    }

    /// The reason why pages within the first `end` bytes were missing in the middle of a copy.
    fn torn(&self, end: usize, size: usize) -> Error {
        match self.check_size(end, size) {
            Err(error) => error,
            // The size is right, so the kernel had no page: a peer sized the object without allocating it.
            Ok(()) if named_memory::space().is_some_and(|space| space.free == 0) => {
                let error = self.failed("cannot reach the shared memory", "mmap", OsCode::ENOSPC);
                hints::memory(error, &self.name, Wanted::Make(size as u64))
            }
            // There is room, so a peer truncated the object and enlarged it again.
            Ok(()) => self.truncated(0, size),
        }
    }

    fn info(&self) -> Result<SharedMemoryInfo> {
        Ok(info(&self.name, &status(&self.handle, &self.name)?))
    }

    fn identity(&self) -> Arc<dyn Identity> {
        Arc::new(Which(self.name.clone(), self.identity))
    }
}

enum Opened {
    Ready(PosixObject),
    /// A state that deserves another try, and the error if it lasts.
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
                "the shared memory '{name}' has no size after {READY_WITHIN:?}: its creator died or is not ready"
            ),
        ))),
    }
}

/// The identity of an object.
#[derive(Debug)]
struct Which(Name, named_memory::Identity);

impl Identity for Which {
    /// Removes the name, if it still belongs to this object.
    fn remove(&self) -> Result<()> {
        let Self(name, identity) = self;
        let _kept = named_memory::keep_name(name);
        let removed = match named_memory::named(name) {
            Ok(named) if named == *identity => unlink(name).map(drop),
            Ok(_) | Err(Failure(_, OsCode::ENOENT | OsCode::ENOTDIR)) => Ok(()),
            Err(failure) => Err(not_removed(name, failure)),
        };
        removed.map_err(|error| hints::memory(error, name, Wanted::Remove))
    }
}

/// Removes the object that has this name now; false if there is none.
fn remove(name: &Name) -> Result<bool> {
    let _kept = named_memory::keep_name(name);
    unlink(name)
}

fn unlink(name: &Name) -> Result<bool> {
    match named_memory::unlink(name) {
        Ok(()) => Ok(true),
        Err(Failure(_, OsCode::ENOENT)) => Ok(false),
        // A read-only file system refuses before it checks whether the file exists.
        Err(_) if is_absent(name) => Ok(false),
        Err(failure) => Err(not_removed(name, failure)),
    }
}

fn not_removed(name: &Name, Failure(call, errno): Failure) -> Error {
    Error::system("cannot remove the shared memory", call, format_args!("'{name}'"), errno)
}

/// Whether it is certain that no object has the name.
fn is_absent(name: &Name) -> bool {
    matches!(named_memory::named(name), Err(Failure(_, OsCode::ENOENT | OsCode::ENOTDIR)))
}

/// Every object of this host that we may read.
pub(super) fn list() -> Result<Vec<SharedMemoryInfo>> {
    let failed = |Failure(call, errno)| {
        Error::system("cannot list the shared memory", call, format_args!("'{}'", shm_folder::PATH), errno)
    };
    let mut all = Vec::new();
    for name in readable(named_memory::names()).map_err(failed)?.unwrap_or_default() {
        let opened = readable(named_memory::open(&name, false)).map_err(failed)?;
        let there = opened.filter(|(_, status)| status.removed != Some(true));
        all.extend(there.map(|(_, status)| info(&name, &status)));
    }
    Ok(all)
}

fn status(handle: &Handle, name: &Name) -> Result<Status> {
    named_memory::status(handle).map_err(|Failure(call, errno)| {
        Error::system("cannot read the state of the shared memory", call, format_args!("'{name}'"), errno)
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
        changed_at: status.changed,
        removed: status.removed,
    }
}
