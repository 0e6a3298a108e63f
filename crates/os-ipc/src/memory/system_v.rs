//! System V segments: by key or id.

use std::fmt::{self, Display};
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::backend::{Identity, Object, Place};
use super::hints;
use super::info::{MemoryKind, SharedMemoryInfo};
use crate::access::Owner;
use crate::error::{Error, OsCode, Result};
use crate::hints::{Wanted, system_v as explain};
use crate::key::Key;
use crate::sys::mapping::Mapping;
use crate::sys::system_v::memory::{self as sys, Status};
use crate::sys::system_v::probe;
use crate::sys::system_v::table::SEGMENTS;

/// The key of a segment.
pub(super) struct Keyed(pub(super) Key);

impl Place for Keyed {
    fn make(&self, size: NonZeroUsize, mode: u32) -> Result<Box<dyn Object>> {
        Ok(Box::new(Segment::create(self.0, size, mode)?))
    }

    fn find(&self, _writable: bool, owner: Owner) -> Result<Box<dyn Object>> {
        Ok(Box::new(Segment::find(self.0, owner)?))
    }

    fn remove(&self) -> Result<bool> {
        remove(self.0)
    }

    fn explain(&self, error: Error, _: Wanted) -> Error {
        explain::segment(error, explain::By::Key(self.0.raw()))
    }
}

/// The segment of this id.
pub(super) fn attach(id: i32, owner: Owner) -> Result<Box<dyn Object>> {
    match Segment::attach(id, owner) {
        Ok(segment) => Ok(Box::new(segment)),
        Err(error) => Err(explain::segment(error, explain::By::Id(id))),
    }
}

/// A segment of a known size.
struct Segment {
    id: i32,
    key: Option<i32>,
    size: NonZeroUsize,
    /// The code of the error when the segment is gone before it could be attached.
    gone: OsCode,
}

impl Segment {
    fn create(key: Key, size: NonZeroUsize, mode: u32) -> Result<Self> {
        let id = sys::create(key.raw(), size.get(), mode).map_err(|errno| {
            let error =
                Error::system("cannot create the shared memory", "shmget", format_args!("key {key}"), errno);
            hints::segment_limits(error, size.get())
        })?;
        Ok(Self { id, key: Some(key.raw()), size, gone: OsCode::EIDRM })
    }

    /// The segment that has this key now, with its size.
    fn find(key: Key, owner: Owner) -> Result<Self> {
        let failed = |call, errno| {
            Error::system("cannot open the shared memory", call, format_args!("key {key}"), errno)
        };
        let id = sys::find(key.raw()).map_err(|errno| failed("shmget", errno))?;
        let status = sys::status(id).map_err(|errno| match errno {
            // The segment was removed in between.
            OsCode::EINVAL | OsCode::EIDRM => failed("shmctl", OsCode::ENOENT),
            errno => failed("shmctl", errno),
        })?;
        if status.removed {
            return Err(failed("shmctl", OsCode::ENOENT));
        }
        Self::checked(id, &status, owner, OsCode::ENOENT)
    }

    /// The segment that has this id.
    fn attach(id: i32, owner: Owner) -> Result<Self> {
        let status = sys::status(id).map_err(|errno| {
            let error =
                Error::system("cannot attach the shared memory", "shmctl", format_args!("id {id}"), errno);
            match errno {
                OsCode::EINVAL | OsCode::EIDRM => {
                    error.with_hint("no segment has this id: `ipcs -m` lists them")
                }
                _ => error,
            }
        })?;
        Self::checked(id, &status, owner, OsCode::EIDRM)
    }

    fn checked(id: i32, status: &Status, owner: Owner, gone: OsCode) -> Result<Self> {
        owner.check(format_args!("the segment {id}"), status.access)?;
        let size = NonZeroUsize::new(status.size).ok_or_else(|| {
            Error::system("cannot open the shared memory", "shmctl", format_args!("id {id}"), OsCode::EINVAL)
        })?;
        Ok(Self { id, key: status.key, size, gone })
    }

    fn failed(&self, what: &str, call: &'static str, errno: OsCode) -> Error {
        Error::system(what, call, format_args!("id {}", self.id), errno)
    }
}

impl Display for Segment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the segment {}", self.id)
    }
}

impl Object for Segment {
    fn kind(&self) -> MemoryKind {
        MemoryKind::SystemV
    }

    fn key(&self) -> Option<i32> {
        self.key
    }

    fn id(&self) -> Option<i32> {
        Some(self.id)
    }

    fn map(&self, writable: bool) -> Result<Mapping> {
        Mapping::of_segment(self.id, self.size, writable).map_err(|errno| {
            let errno = match errno {
                OsCode::EINVAL | OsCode::EIDRM => self.gone,
                errno => errno,
            };
            let error = self.failed("cannot attach the shared memory", "shmat", errno);
            let error = hints::segment_limits(error, self.size.get());
            explain::segment(error, explain::By::Id(self.id))
        })
    }

    fn info(&self) -> Result<SharedMemoryInfo> {
        let status = sys::status(self.id);
        status
            .map(|status| info(self.id, &status))
            .map_err(|errno| self.failed("cannot read the state of the shared memory", "shmctl", errno))
    }

    fn identity(&self) -> Arc<dyn Identity> {
        Arc::new(Which(self.id))
    }
}

/// The identity of a segment: no other segment gets its id.
#[derive(Debug)]
struct Which(i32);

impl Identity for Which {
    fn remove(&self) -> Result<()> {
        let Self(id) = *self;
        match sys::remove(id) {
            Ok(()) | Err(OsCode::EINVAL | OsCode::EIDRM) => Ok(()),
            Err(errno) => {
                let what = "cannot remove the shared memory";
                let error = Error::system(what, "shmctl", format_args!("id {id}"), errno);
                Err(explain::segment(error, explain::By::Id(id)))
            }
        }
    }
}

/// Removes the segment of this key; false if there is none.
fn remove(key: Key) -> Result<bool> {
    let failed = |call, errno| {
        Error::system("cannot remove the shared memory", call, format_args!("key {key}"), errno)
    };
    let id = match sys::find(key.raw()) {
        Ok(id) => id,
        Err(OsCode::ENOENT) => return Ok(false),
        Err(errno) => return Err(failed("shmget", errno)),
    };
    match sys::remove(id) {
        Ok(()) => Ok(true),
        Err(OsCode::EINVAL | OsCode::EIDRM) => Ok(false),
        Err(errno) => Err(failed("shmctl", errno)),
    }
}

/// Every segment of this IPC namespace that we may read.
pub(super) fn list() -> Result<Vec<SharedMemoryInfo>> {
    // Every process may read the table. Here its rows would all look like segments that we may not read.
    let ids = SEGMENTS.ids().ok();
    match probe::refusal("shmctl") {
        // A kernel without System V IPC has no segments.
        Some(OsCode::ENOSYS) if ids.is_none() => {}
        Some(errno) => {
            let error = Error::system("cannot list the shared memory", "shmctl", "IPC_STAT", errno);
            return Err(explain::refused_segment(error));
        }
        None => {}
    }
    let look = |id: i32| Some(info(id, &sys::status(id).ok()?));
    Ok(ids.unwrap_or_default().into_iter().filter_map(look).collect())
}

fn info(id: i32, status: &Status) -> SharedMemoryInfo {
    SharedMemoryInfo {
        kind: MemoryKind::SystemV,
        name: None,
        key: status.key,
        id: Some(id),
        size: status.size as u64,
        attached: Some(status.attached),
        creator_pid: Some(status.creator_pid).filter(|pid| *pid != 0),
        last_pid: Some(status.last_pid).filter(|pid| *pid != 0),
        uid: status.access.uid,
        gid: status.access.gid,
        mode: status.access.mode,
        created_at: None,
        attached_at: status.attached_at,
        detached_at: status.detached_at,
        changed_at: status.changed,
        removed: Some(status.removed),
    }
}
