//! Shared memory: POSIX objects by name, System V segments by key or id.

mod backend;
#[cfg(unix)]
mod hints;
mod identity;
mod info;
mod lease;
#[cfg(unix)]
mod posix;
#[cfg(unix)]
mod system_v;
#[cfg(windows)]
mod windows;

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::Arc;

use backend::{Object, Place};
pub use identity::MemoryIdentity;
pub use info::{MemoryKind, SharedMemoryInfo};
use lease::Lent;
pub use lease::{Lease, SharedLease};

use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Result};
use crate::hints::Wanted;
use crate::key::Key;
use crate::name::Name;

/// The identity of a memory object: a name or a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemoryId {
    /// A POSIX object.
    Name(Name),
    /// A System V segment.
    Key(Key),
}

/// A memory object, mapped into this process until it is dropped.
///
/// Other processes write while this one reads. They order their accesses by their own means (a semaphore, say); a copy
/// of 1, 2, 4 or 8 bytes at a position that is a multiple of its length is never seen half done.
pub struct SharedMemory {
    object: Box<dyn Object>,
    mapping: Arc<Lent>,
    writable: bool,
    created: bool,
}

impl SharedMemory {
    /// Creates an object, filled with zeros; `EEXIST` if it exists.
    ///
    /// The umask does not change `mode` (except on darwin).
    pub fn create(id: &MemoryId, size: u64, mode: u32) -> Result<Self> {
        let place = backend::place(id)?;
        checked_size(size)
            .and_then(|size| Self::make(&*place, size, mode))
            .map_err(|error| place.explain(error, Wanted::Make(size)))
    }

    /// Opens an existing object, with its size.
    pub fn open(id: &MemoryId, writable: bool, owner: Owner) -> Result<Self> {
        let place = backend::place(id)?;
        Self::find(&*place, writable, owner).map_err(|error| place.explain(error, Wanted::Open))
    }

    /// Opens the object if it exists and has at least `size` bytes, or creates it.
    pub fn open_or_create(id: &MemoryId, size: u64, mode: u32, owner: Owner) -> Result<Self> {
        let place = backend::place(id)?;
        let opened = checked_size(size).and_then(|size| Self::find_or_make(id, &*place, size, mode, owner));
        opened.map_err(|error| place.explain(error, Wanted::Make(size)))
    }

    /// Attaches a System V segment by its id.
    pub fn attach(segment: i32, writable: bool, owner: Owner) -> Result<Self> {
        let object = backend::attach(segment, owner)?;
        Self::mapped(object, writable, false)
    }

    /// Removes the object; false if there is none. Processes that have it mapped keep it.
    pub fn unlink_id(id: &MemoryId) -> Result<bool> {
        let place = backend::place(id)?;
        place.remove().map_err(|error| place.explain(error, Wanted::Remove))
    }

    fn make(place: &dyn Place, size: NonZeroUsize, mode: u32) -> Result<Self> {
        let object = place.make(size, mode)?;
        let identity = object.identity();
        Self::mapped(object, true, true).inspect_err(|_| {
            // Complete or absent. The caller gets the error of the mapping.
            let _ = identity.remove();
        })
    }

    fn find(place: &dyn Place, writable: bool, owner: Owner) -> Result<Self> {
        Self::mapped(place.find(writable, owner)?, writable, false)
    }

    fn find_or_make(
        id: &MemoryId,
        place: &dyn Place,
        size: NonZeroUsize,
        mode: u32,
        owner: Owner,
    ) -> Result<Self> {
        // Other processes may create and remove the object between our two calls; 1,000 times in a row is no accident.
        for _ in 0..1000 {
            match Self::find(place, true, owner) {
                Ok(memory) if memory.size() < size.get() => {
                    let has = memory.size();
                    let what =
                        format!("the shared memory {id} has {has} bytes, fewer than the {size} asked for");
                    return Err(Error::new(Code::Size, what));
                }
                Err(error) if error.code() == Code::System(OsCode::ENOENT) => {}
                opened => return opened,
            }
            match Self::make(place, size, mode) {
                Err(error) if matches!(error.code(), Code::System(OsCode::EEXIST | OsCode::EIDRM)) => {}
                created => return created,
            }
        }
        Err(Error::new(
            Code::NotInitialised,
            format!(
                "the shared memory {id} was created and removed again at each of 1,000 attempts to open it"
            ),
        ))
    }

    fn mapped(object: Box<dyn Object>, writable: bool, created: bool) -> Result<Self> {
        let mapping = Arc::new(Lent::new(object.map(writable)?));
        Ok(Self { object, mapping, writable, created })
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> MemoryKind {
        self.object.kind()
    }

    /// The name of a POSIX object.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.object.name()
    }

    /// The key of a System V segment, if it has one.
    #[must_use]
    pub fn key(&self) -> Option<i32> {
        self.object.key()
    }

    /// The id of a System V segment.
    #[must_use]
    pub fn id(&self) -> Option<i32> {
        self.object.id()
    }

    /// The size in bytes when it was opened.
    #[must_use]
    pub fn size(&self) -> usize {
        self.mapping.length()
    }

    /// Whether this handle may write.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// Whether this handle created the object.
    #[must_use]
    pub fn is_created(&self) -> bool {
        self.created
    }

    /// Copies `target.len()` bytes from `position` on, or as many as there are; returns their number.
    pub fn read(&self, target: &mut [u8], position: usize) -> Result<usize> {
        self.read_cells(Cell::from_mut(target).as_slice_of_cells(), position)
    }

    /// Does what [`read`](Self::read) does, into memory that this thread may reach by other pointers, even this object.
    pub fn read_cells(&self, target: &[Cell<u8>], position: usize) -> Result<usize> {
        let Some(rest) = self.size().checked_sub(position) else {
            return Err(self.out_of_range(position, 0));
        };
        let target = &target[..target.len().min(rest)];
        self.touch(position + target.len(), || self.mapping.load(position, target))?;
        Ok(target.len())
    }

    /// Copies all of `data` to `position`, or nothing if it does not fit.
    pub fn write(&self, data: &[u8], position: usize) -> Result<()> {
        self.check_write(data.len(), position)?;
        self.touch(position + data.len(), || self.mapping.store(position, data))
    }

    /// Does what [`write`](Self::write) does, from memory that this thread may reach by other pointers, this object
    /// included.
    pub fn write_cells(&self, data: &[Cell<u8>], position: usize) -> Result<()> {
        self.check_write(data.len(), position)?;
        self.touch(position + data.len(), || self.mapping.store_cells(position, data))
    }

    /// Fills the object with zeros.
    pub fn clear(&self) -> Result<()> {
        self.check_write(0, 0)?;
        self.touch(self.size(), || self.mapping.clear())
    }

    fn check_write(&self, length: usize, position: usize) -> Result<()> {
        if !self.writable {
            return Err(Error::new(Code::ReadOnly, format!("{} was opened for reading only", self.object)));
        }
        match position.checked_add(length) {
            Some(end) if end <= self.size() => Ok(()),
            _ => Err(self.out_of_range(position, length)),
        }
    }

    fn out_of_range(&self, position: usize, length: usize) -> Error {
        Error::new(
            Code::OutOfRange,
            format!(
                "{length} bytes at position {position} are outside the {} of {}",
                self.size(),
                self.object
            ),
        )
    }

    /// Runs `copy`, which touches the first `end` bytes; an error if a peer truncated them before or during the copy.
    fn touch(&self, end: usize, copy: impl FnOnce()) -> Result<()> {
        if !self.mapping.can_be_cut() {
            copy();
            return Ok(());
        }
        self.mapping.expect_cut();
        if !self.surely_has(end) {
            self.object.check_size(end, self.size())?;
            if self.mapping.torn() {
                self.object.mend(&self.mapping)?;
            }
        }
        copy();
        if self.mapping.torn() {
            self.object.mend(&self.mapping)?;
            return Err(self.object.torn(end, self.size()));
        }
        Ok(())
    }

    /// Whether the last of the first `end` bytes proves that they all exist; if not, the kernel has to be asked.
    ///
    /// A truncated file has zeros in the rest of its last page, and so has a page that was replaced (`bus_guard`).
    fn surely_has(&self, end: usize) -> bool {
        end.checked_sub(1).is_some_and(|last| !self.mapping.torn() && self.mapping.byte(last) != 0)
    }

    /// Information of the kernel about the object now.
    pub fn info(&self) -> Result<SharedMemoryInfo> {
        self.object.info()
    }

    /// The identity of the object: it can be removed even after this handle was dropped.
    #[must_use]
    pub fn identity(&self) -> MemoryIdentity {
        MemoryIdentity(self.object.identity())
    }

    /// Removes this object: its name or key is free at once, its memory when the last process unmaps it.
    ///
    /// Another object that has the name by now stays. An object that is already removed is no error.
    pub fn unlink(&self) -> Result<()> {
        self.identity().remove()
    }

    /// A lease on the mapped range, for a pointer in other hands. The range shows zeros after [`withdraw`](Self::withdraw).
    #[must_use]
    pub fn lease(&self) -> Lease {
        Lease::on(&self.mapping)
    }

    /// A lease on the memory itself, for pointers that cannot be taken back: [`withdraw`](Self::withdraw) waits for its end.
    #[must_use]
    pub fn shared_lease(&self) -> SharedLease {
        SharedLease::on(&self.mapping)
    }

    /// Drops the memory, and takes it from the leases too: their range shows zeros once no shared lease is left.
    pub fn withdraw(self) {
        if Arc::strong_count(&self.mapping) > 1 {
            self.mapping.withdraw();
        }
    }
}

fn checked_size(size: u64) -> Result<NonZeroUsize> {
    usize::try_from(size)
        .ok()
        .filter(|&size| isize::try_from(size).is_ok())
        .and_then(NonZeroUsize::new)
        .ok_or_else(|| {
            Error::new(Code::OutOfRange, format!("shared memory has 1 to {} bytes, not {size}", isize::MAX))
        })
}

impl std::fmt::Display for MemoryId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(out, "'{name}'"),
            Self::Key(key) => write!(out, "with the key {key}"),
        }
    }
}

/// Every memory object that we may read: POSIX objects, then System V segments.
pub(crate) fn list() -> Result<Vec<SharedMemoryInfo>> {
    #[cfg(unix)]
    return Ok([posix::list()?, system_v::list()?].concat());
    #[cfg(windows)]
    windows::list()
}

#[cfg(all(test, unix))]
mod tests;
