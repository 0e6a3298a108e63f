//! POSIX memory objects: by name, with a descriptor that is kept to see what peers do to them.

use std::fs::{File, Metadata};
use std::io::{Seek, SeekFrom};
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use crate::error::OsCode;

use super::info::{MemoryKind, SharedMemoryInfo};
use crate::access::Owner;
use crate::error::{Code, Error, Result};
use crate::hints::posix::{self as hints, Wanted};
use crate::name::Name;
use crate::sys::mapping::Mapping;
use crate::sys::named_memory::{self, Identity};
use crate::sys::named_memory::{Failure, Refusal};

/// How long an object may stay without a size: its creator has died, or is another library between its two calls.
const READY_WITHIN: Duration = Duration::from_secs(1);

/// An open object of a known size.
pub(super) struct PosixObject {
    file: File,
    name: Name,
    identity: Identity,
    size: NonZeroUsize,
}

impl PosixObject {
    /// Makes an object that is complete when others can see it, or is not there.
    pub(super) fn create(name: &Name, size: NonZeroUsize, mode: u32) -> Result<Self> {
        let file = named_memory::create(name, size.get() as u64, mode).map_err(|Failure(call, errno)| {
            Error::system("cannot create the shared memory", call, format_args!("'{name}'"), errno)
        })?;
        let status = status(&file, name)?;
        let (identity, size) = (named_memory::identity(&status), size_of(&status).unwrap_or(size));
        Ok(Self { file, name: name.clone(), identity, size })
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
        Mapping::of_file(&self.file, self.size, writable)
            .map_err(|errno| self.failed("cannot map the shared memory", "mmap", errno))
    }

    /// Whether the object still has its first `end` bytes.
    ///
    /// `lseek(file, 0, SEEK_END)` tells the size in half of the time of fstat.
    pub(super) fn check_size(&self, end: usize, size: usize) -> Result<()> {
        match (&self.file).seek(SeekFrom::End(0)) {
            Ok(now) if now < end as u64 => Err(self.truncated(now, size)),
            // darwin has no lseek for these, and no way to cut them either.
            _ => Ok(()),
        }
    }

    /// Shows the object again where its pages had been missing.
    pub(super) fn mend(&self, mapping: &Mapping) -> Result<()> {
        mapping
            .mend(&self.file)
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
        .with_hint("who opens an object must not resize it: the Go library does when its size is another one")
    }

    pub(super) fn info(&self) -> Result<SharedMemoryInfo> {
        Ok(info(&self.name, &status(&self.file, &self.name)?))
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
    let (file, status) = match named_memory::open(name, writable) {
        Ok(opened) => opened,
        Err(Refusal::Failed(Failure(call, errno))) => return Err(failed(call, errno)),
        Err(Refusal::NotReady(errno)) => return Ok(Opened::NotReady(failed("open", errno))),
        Err(Refusal::NotAnObject(kind)) => {
            return Err(Error::new(Code::NotAnObject, format!("'{name}' is not shared memory but {kind}"))
                .with_hint("somebody may have put it there for you to open: it was left alone"));
        }
    };
    owner.check(format_args!("the shared memory '{name}'"), &[status.uid()])?;
    match size_of(&status) {
        Some(size) => {
            let identity = named_memory::identity(&status);
            Ok(Opened::Ready(PosixObject { file, name: name.clone(), identity, size }))
        }
        None => Ok(Opened::NotReady(Error::new(
            Code::NotInitialised,
            format!(
                "the shared memory '{name}' has no size after {READY_WITHIN:?}: its creator died or is not done"
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
    let look = |name: Name| Some(info(&name, &named_memory::open(&name, false).ok()?.1));
    named_memory::names().into_iter().filter_map(look).collect()
}

fn status(file: &File, name: &Name) -> Result<Metadata> {
    named_memory::status(file).map_err(|Failure(call, errno)| {
        Error::system("cannot look at the shared memory", call, format_args!("'{name}'"), errno)
    })
}

fn size_of(status: &Metadata) -> Option<NonZeroUsize> {
    NonZeroUsize::new(usize::try_from(status.size()).ok()?)
}

fn info(name: &Name, status: &Metadata) -> SharedMemoryInfo {
    let changed = u64::try_from(status.ctime()).ok().filter(|&seconds| seconds != 0);
    let nanoseconds = u32::try_from(status.ctime_nsec()).unwrap_or(0);
    SharedMemoryInfo {
        kind: MemoryKind::Posix,
        name: Some(name.clone()),
        key: None,
        id: None,
        size: status.size(),
        attached: None,
        creator_pid: None,
        last_pid: None,
        uid: status.uid(),
        gid: status.gid(),
        mode: status.mode() & 0o777,
        created_at: status.created().ok().filter(|&time| time != SystemTime::UNIX_EPOCH),
        attached_at: None,
        detached_at: None,
        changed: changed
            .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds))),
        removed: named_memory::removed(status),
    }
}
