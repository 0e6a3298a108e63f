//! Shared memory: POSIX objects by name, System V segments by key or id.

mod explain;
mod hints;
mod identity;
mod info;
mod posix;
mod system_v;

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::Arc;

pub use identity::MemoryIdentity;
pub use info::{MemoryKind, SharedMemoryInfo};
use posix::PosixObject;
pub(crate) use posix::list as list_posix;
use system_v::Segment;
pub(crate) use system_v::list as list_system_v;

use crate::access::Owner;
use crate::error::{Code, Error, OsCode, Result};
use crate::key::Key;
use crate::name::Name;
use crate::sys::mapping::Mapping;
use crate::sys::module;

/// What a memory object is called, and which system it lives in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemoryId {
    /// A POSIX object.
    Name(Name),
    /// A System V segment.
    Key(Key),
}

/// A memory object, mapped into this process until it is dropped.
///
/// Other processes write while we read. Nothing orders that but what they agree on (a semaphore, say); a copy of 1, 2, 4
/// or 8 bytes at a position that is a multiple of its length is never seen half done.
pub struct SharedMemory {
    object: Object,
    mapping: Arc<Mapping>,
    writable: bool,
    created: bool,
}

enum Object {
    Posix(PosixObject),
    SystemV(Segment),
}

/// Keeps the range of a [`SharedMemory`] mapped after that was dropped: for pointers that were given away.
pub struct Lease(Arc<Mapping>);

impl SharedMemory {
    /// Makes a new object, filled with zeros; `EEXIST` when there is one.
    ///
    /// `mode` is what it says: the umask takes nothing away (but on darwin).
    pub fn create(id: &MemoryId, size: u64, mode: u32) -> Result<Self> {
        Self::make(id, checked_size(size)?, mode).map_err(|error| explain::making(error, id, size))
    }

    /// Opens an object that is there, with the size it has.
    pub fn open(id: &MemoryId, writable: bool, owner: Owner) -> Result<Self> {
        Self::find(id, writable, owner).map_err(|error| explain::opening(error, id))
    }

    /// Opens the object that is there, of at least `size` bytes, or makes it.
    pub fn open_or_create(id: &MemoryId, size: u64, mode: u32, owner: Owner) -> Result<Self> {
        Self::find_or_make(id, checked_size(size)?, mode, owner)
            .map_err(|error| explain::making(error, id, size))
    }

    /// Attaches a System V segment by its id.
    pub fn attach(segment: i32, writable: bool, owner: Owner) -> Result<Self> {
        Segment::attach(segment, owner)
            .and_then(|found| Self::of_segment(found, writable, false))
            .map_err(|error| explain::segment(error, segment))
    }

    /// Removes the object: false when there was none. Whoever has it mapped keeps it.
    pub fn remove_by_id(id: &MemoryId) -> Result<bool> {
        match id {
            MemoryId::Name(name) => posix::remove(name),
            MemoryId::Key(key) => system_v::remove(*key),
        }
        .map_err(|error| explain::removing(error, id))
    }

    fn make(id: &MemoryId, size: NonZeroUsize, mode: u32) -> Result<Self> {
        match id {
            MemoryId::Name(name) => {
                let object = PosixObject::create(name, size, mode)?;
                let identity = object.identity();
                Self::of_posix(object, true, true).inspect_err(|_| {
                    // Complete or absent. What is reported is why it could not be mapped.
                    let _ = posix::remove_object(name, identity);
                })
            }
            MemoryId::Key(key) => {
                let segment = Segment::create(*key, size, mode)?;
                let id = segment.id();
                Self::of_segment(segment, true, true).inspect_err(|_| {
                    // Complete or absent. What is reported is why it could not be attached.
                    let _ = system_v::remove_object(id);
                })
            }
        }
    }

    fn find(id: &MemoryId, writable: bool, owner: Owner) -> Result<Self> {
        match id {
            MemoryId::Name(name) => {
                Self::of_posix(PosixObject::open(name, writable, owner)?, writable, false)
            }
            MemoryId::Key(key) => Self::of_segment(Segment::find(*key, owner)?, writable, false),
        }
    }

    fn find_or_make(id: &MemoryId, size: NonZeroUsize, mode: u32, owner: Owner) -> Result<Self> {
        // Between our calls others make and remove it. Once in a while that happens.
        for _ in 0..1000 {
            match Self::find(id, true, owner) {
                Ok(memory) if memory.size() < size.get() => {
                    let has = memory.size();
                    let what =
                        format!("the shared memory {id} has {has} bytes, fewer than the {size} asked for");
                    return Err(Error::new(Code::Size, what));
                }
                Err(error) if error.code() == Code::System(OsCode::ENOENT) => {}
                opened => return opened,
            }
            match Self::make(id, size, mode) {
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

    fn of_posix(object: PosixObject, writable: bool, created: bool) -> Result<Self> {
        let mapping = Arc::new(object.map(writable)?);
        Ok(Self { object: Object::Posix(object), mapping, writable, created })
    }

    fn of_segment(segment: Segment, writable: bool, created: bool) -> Result<Self> {
        let mapping = Arc::new(segment.map(writable)?);
        Ok(Self { object: Object::SystemV(segment), mapping, writable, created })
    }

    /// Which system it lives in.
    #[must_use]
    pub fn kind(&self) -> MemoryKind {
        match self.object {
            Object::Posix(_) => MemoryKind::Posix,
            Object::SystemV(_) => MemoryKind::SystemV,
        }
    }

    /// The name of a POSIX object.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        match &self.object {
            Object::Posix(object) => Some(object.name()),
            Object::SystemV(_) => None,
        }
    }

    /// The key of a System V segment, if it has one.
    #[must_use]
    pub fn key(&self) -> Option<i32> {
        match &self.object {
            Object::Posix(_) => None,
            Object::SystemV(segment) => segment.key(),
        }
    }

    /// The id of a System V segment.
    #[must_use]
    pub fn id(&self) -> Option<i32> {
        match &self.object {
            Object::Posix(_) => None,
            Object::SystemV(segment) => Some(segment.id()),
        }
    }

    /// Its size in bytes when it was opened.
    #[must_use]
    pub fn size(&self) -> usize {
        self.mapping.length()
    }

    /// Whether it may be written to.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// Whether this handle made the object.
    #[must_use]
    pub fn is_created(&self) -> bool {
        self.created
    }

    /// Copies `target.len()` bytes from `position` on, or as many as there are; how many that were.
    pub fn read(&self, target: &mut [u8], position: usize) -> Result<usize> {
        self.read_cells(Cell::from_mut(target).as_slice_of_cells(), position)
    }

    /// [`read`](Self::read) into memory that other pointers of this thread lead to, this object's own included.
    pub fn read_cells(&self, target: &[Cell<u8>], position: usize) -> Result<usize> {
        let Some(rest) = self.size().checked_sub(position) else {
            return Err(self.out_of_range(position, 0));
        };
        let target = &target[..target.len().min(rest)];
        self.touch(position + target.len(), || self.mapping.load(position, target))?;
        Ok(target.len())
    }

    /// Copies all of `data` to `position`, or nothing when it does not fit.
    pub fn write(&self, data: &[u8], position: usize) -> Result<()> {
        self.check_write(data.len(), position)?;
        self.touch(position + data.len(), || self.mapping.store(position, data))
    }

    /// [`write`](Self::write) from memory that other pointers of this thread lead to, this object's own included.
    pub fn write_cells(&self, data: &[Cell<u8>], position: usize) -> Result<()> {
        self.check_write(data.len(), position)?;
        self.touch(position + data.len(), || self.mapping.store_cells(position, data))
    }

    /// Fills it with zeros.
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

    /// Runs `copy`, which touches the first `end` bytes, unless a peer cut them off; or while it did.
    fn touch(&self, end: usize, copy: impl FnOnce()) -> Result<()> {
        match &self.object {
            Object::Posix(object) => {
                self.mapping.expect_cut();
                if !self.surely_has(end) {
                    object.check_size(end, self.size())?;
                    if self.mapping.torn() {
                        object.mend(&self.mapping)?;
                    }
                }
                copy();
                if self.mapping.torn() {
                    object.mend(&self.mapping)?;
                    return Err(object.torn(end, self.size()));
                }
            }
            // Nobody can make a segment smaller.
            Object::SystemV(_) => copy(),
        }
        Ok(())
    }

    /// Whether the last of the first `end` bytes says that they are all there; where it does not, the kernel has to be asked.
    ///
    /// What is cut off a file leaves zeros in its page, and so does a page that is not there at all (`bus_guard`).
    fn surely_has(&self, end: usize) -> bool {
        end.checked_sub(1).is_some_and(|last| !self.mapping.torn() && self.mapping.byte(last) != 0)
    }

    /// What the kernel knows of it now.
    pub fn info(&self) -> Result<SharedMemoryInfo> {
        match &self.object {
            Object::Posix(object) => object.info(),
            Object::SystemV(segment) => segment.info(),
        }
    }

    /// Which object this is: to remove it after it was dropped too.
    #[must_use]
    pub fn identity(&self) -> MemoryIdentity {
        match &self.object {
            Object::Posix(object) => MemoryIdentity::posix(object.name(), object.identity()),
            Object::SystemV(segment) => MemoryIdentity::system_v(segment.id()),
        }
    }

    /// Removes this object: its name or key is free at once, its memory when nobody has it mapped any more.
    ///
    /// Another object that has the name by now stays. It is no error when this one was removed before.
    pub fn remove(&self) -> Result<()> {
        self.identity().remove()
    }

    /// A lease on the mapped range, for a pointer to give away.
    ///
    /// Its end may come late, in a finalizer of another thread: this library's code stays loaded for it.
    #[must_use]
    pub fn lease(&self) -> Lease {
        module::pin();
        Lease(Arc::clone(&self.mapping))
    }

    /// Drops the memory, and takes it from under the leases too: what they keep mapped is zeros from now on.
    pub fn withdraw(self) {
        if Arc::strong_count(&self.mapping) > 1 {
            // Where it fails (a segment of huge pages that is not a multiple of one) the leases keep the object itself.
            let _ = self.mapping.vacate();
        }
    }
}

impl Lease {
    /// Where the range starts.
    #[must_use]
    pub fn start(&self) -> NonNull<u8> {
        self.0.start()
    }

    /// Its length in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.0.length()
    }

    /// Takes the memory away and keeps its range mapped until the process ends: what shows it shows zeros.
    pub fn withdraw_for_ever(self) {
        // Where it fails the range keeps the object itself.
        let _ = self.0.vacate();
        std::mem::forget(self);
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

impl std::fmt::Display for Object {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Posix(object) => write!(out, "the shared memory '{}'", object.name()),
            Self::SystemV(segment) => write!(out, "the segment {}", segment.id()),
        }
    }
}

#[cfg(test)]
mod tests;
