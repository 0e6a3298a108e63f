//! Named memory of Windows: file mappings of the page file.
//!
//! An object is two mappings. Its *header*, `Local\os-ipc.memory.<name>`, is one page: which object has the name now,
//! and its exact size, which the system rounds up to pages. The *bytes* are `Local\os-ipc.bytes.<number>.<name>`. A handle
//! on the object keeps both: so a name is taken away, and given to a new object, while others still use the old one.
//!
//! | offset | in the header |
//! |---|---|
//! | 0 | u64 [`MAGIC`] |
//! | 8 | u64 the size in bytes << 16, and the number of the object, 1 to 65535; a size of 0 means that no object has the name |
//! | 16 | u64 when it was created, in seconds since 1970 |
//! | 24 | u64 how many numbers were drawn; a number is the lower 16 bits of this, without 0 |
//! | 32 | u64 a random number, another one in the next header of the name: numbers start again there |
//!
//! The number of an object is drawn before the object is made, and no other object gets it: the state of the header can
//! outlive its object, so an object of the same number would have the name before it is filled.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::num::NonZeroUsize;
use std::os::windows::io::{AsHandle, AsRawHandle, OwnedHandle};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, GetLastError, INVALID_HANDLE_VALUE, SetLastError,
};
use windows_sys::Win32::Storage::FileSystem::READ_CONTROL;
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_READ, FILE_MAP_WRITE, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile,
    OpenFileMappingW, PAGE_READWRITE, UnmapViewOfFile,
};

use crate::sys::OsCode;
use crate::sys::access::Access;
use crate::sys::failure::{Failure, Refusal};
use crate::sys::kernel_object;

/// `"osipcmem"` as a little-endian number.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"osipcmem");
const HEADER_BYTES: u32 = 4096;
const SIZE_SHIFT: u32 = 16;

/// The bytes of an object, and the header of its name. A clone is the same handle.
pub(crate) type Handle = Arc<Bytes>;

/// Bytes, which keep their header: without it, no process finds them.
pub(crate) struct Bytes {
    handle: OwnedHandle,
    header: Arc<Header>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    Memory,
    /// The ledger of a limit or semaphore.
    Counter,
}

impl Use {
    fn header(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Counter => "counter",
        }
    }

    fn bytes(self) -> &'static str {
        match self {
            Self::Memory => "bytes",
            Self::Counter => "ledger",
        }
    }

    /// The names that have a header, without their slashes.
    pub(crate) fn names(self) -> Result<Vec<String>, Failure> {
        kernel_object::names_with(self.header())
    }
}

/// The header of a name, while it has users.
pub(crate) struct Header {
    of: Use,
    /// Without its slash.
    name: Box<str>,
    handle: OwnedHandle,
    view: NonNull<AtomicU64>,
}

/// The object that has a name: 0 bytes mean that none has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(u64);

// SAFETY: the view is this process's, not a thread's, and only touched by atomic operations.
unsafe impl Send for Header {}
// SAFETY: as above.
unsafe impl Sync for Header {}

impl State {
    fn new(number: u16, size: u64) -> Self {
        Self(size << SIZE_SHIFT | u64::from(number))
    }

    /// The number of the object, or of the last one.
    pub(crate) fn number(self) -> u16 {
        #[allow(clippy::cast_possible_truncation, reason = "the number is these bits")]
        let number = self.0 as u16;
        number
    }

    /// The size of the object; `None` if no object has the name.
    pub(crate) fn size(self) -> Option<NonZeroUsize> {
        NonZeroUsize::new(usize::try_from(self.0 >> SIZE_SHIFT).ok()?)
    }

    /// The state without an object.
    pub(crate) fn removed(self) -> Self {
        Self::new(self.number(), 0)
    }

    /// The state with a new object of this size; `None` if it is too large for the header.
    fn next(number: u16, size: NonZeroUsize) -> Option<Self> {
        let size = u64::try_from(size.get()).ok().filter(|size| size >> (64 - SIZE_SHIFT) == 0)?;
        Some(Self::new(number, size))
    }
}

impl Header {
    /// `CreateFileMapping(the page file, PAGE_READWRITE, 4096, Local\os-ipc.memory.<name>)`: opens or creates it.
    pub(crate) fn open_or_create(of: Use, name: &str) -> Result<Arc<Self>, Refusal> {
        let (handle, _) = create_mapping(of.header(), name, HEADER_BYTES.into())?;
        Self::over(handle, of, name)
    }

    /// `OpenFileMapping(Local\os-ipc.memory.<name>)`
    pub(crate) fn open(of: Use, name: &str) -> Result<Arc<Self>, Refusal> {
        let handle = open_mapping(of.header(), name, true)?;
        Self::over(handle, of, name)
    }

    fn over(handle: OwnedHandle, of: Use, name: &str) -> Result<Arc<Self>, Refusal> {
        let view =
            map(&handle, HEADER_BYTES as usize, true).map_err(|code| Failure("MapViewOfFile", code))?;
        let name = name.trim_start_matches('/').into();
        let header = Self { of, name, handle, view: view.cast() };
        // The page of a new header is zero.
        if !matches!(header.fill(0, MAGIC), Ok(_) | Err(MAGIC)) {
            return Err(Refusal::NotAnObject("memory of another program"));
        }
        // It fails if another process was quicker.
        let _ = header.fill(4, RandomState::new().build_hasher().finish() | 1);
        Ok(Arc::new(header))
    }

    /// Gives a word of a new header its value; the value that it has if it is not new.
    fn fill(&self, index: usize, value: u64) -> Result<u64, u64> {
        self.word(index).compare_exchange(0, value, Ordering::AcqRel, Ordering::Acquire)
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        assert!(index < HEADER_BYTES as usize / 8, "a word beyond the header");
        // SAFETY: the view has `HEADER_BYTES` bytes, starts at a page, and lasts as long as `self`.
        unsafe { self.view.add(index).as_ref() }
    }

    pub(crate) fn state(&self) -> State {
        State(self.word(1).load(Ordering::Acquire))
    }

    /// Changes the state, unless another process has changed it.
    pub(crate) fn change(&self, from: State, to: State) -> bool {
        self.word(1).compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// When the object was created that has the name, in seconds since 1970.
    pub(crate) fn created(&self) -> u64 {
        self.word(2).load(Ordering::Relaxed)
    }

    /// A number that tells this header from an earlier or later one of the name, the same for all processes.
    pub(crate) fn life(&self) -> u64 {
        self.word(4).load(Ordering::Acquire)
    }

    /// Who created it.
    pub(crate) fn access(&self) -> Access {
        Access::of_object(self.handle.as_handle())
    }

    /// Whether the object of this state exists: it ends with its last handle, whatever the header says.
    pub(crate) fn has_object(self: &Arc<Self>, state: State) -> bool {
        let absent = Refusal::Failed(Failure("OpenFileMapping", OsCode::ENOENT));
        state.size().is_some()
            && !matches!(self.open_bytes(state.number(), false), Err(refusal) if refusal == absent)
    }

    /// New bytes, with the state before and the state in which they have the name; `None` if an object has the name.
    pub(crate) fn draft(self: &Arc<Self>, size: NonZeroUsize) -> Result<Option<Draft>, Refusal> {
        /// Tries while the numbers that come next are in use: so many times in a row is no accident.
        const ATTEMPTS: u32 = 1000;
        for _ in 0..ATTEMPTS {
            let before = self.state();
            if self.has_object(before) {
                return Ok(None);
            }
            if let Some(draft) = self.draft_as(self.draw_number(), before, size)? {
                return Ok(Some(draft));
            }
        }
        Ok(None)
    }

    /// A number for a new object, which no other call gets.
    ///
    /// Numbers repeat after 65,535. By then another object can have this one: it is in use, or the header says so.
    fn draw_number(&self) -> u16 {
        loop {
            #[allow(clippy::cast_possible_truncation, reason = "the number is these bits")]
            let number = self.word(3).fetch_add(1, Ordering::AcqRel).wrapping_add(1) as u16;
            if number != 0 {
                return number;
            }
        }
    }

    /// New bytes of this number; `None` if it is the number of another object.
    fn draft_as(
        self: &Arc<Self>,
        number: u16,
        before: State,
        size: NonZeroUsize,
    ) -> Result<Option<Draft>, Refusal> {
        let too_large = Failure("CreateFileMapping", OsCode::ENOMEM);
        let state = State::next(number, size).ok_or(too_large)?;
        if number == before.number() {
            return Ok(None);
        }
        Ok(self.create_bytes(number, size)?.map(|handle| Draft { handle, before, state }))
    }

    /// `CreateFileMapping(the page file, PAGE_READWRITE, size, Local\os-ipc.bytes.<number>.<name>)`: zeros; `None` if the
    /// number is in use.
    fn create_bytes(self: &Arc<Self>, number: u16, size: NonZeroUsize) -> Result<Option<Handle>, Refusal> {
        let (handle, created) = create_mapping(self.of.bytes(), &self.bytes_of(number), size.get() as u64)?;
        Ok(created.then(|| Arc::new(Bytes { handle, header: Arc::clone(self) })))
    }

    /// `OpenFileMapping(Local\os-ipc.bytes.<number>.<name>)`: `ENOENT` if its last user has ended.
    pub(crate) fn open_bytes(self: &Arc<Self>, number: u16, writable: bool) -> Result<Handle, Refusal> {
        let handle = open_mapping(self.of.bytes(), &self.bytes_of(number), writable)?;
        Ok(Arc::new(Bytes { handle, header: Arc::clone(self) }))
    }

    /// What follows the kind in the names of objects that belong to the object of this number.
    pub(in crate::sys) fn bytes_of(&self, number: u16) -> String {
        format!("{number}.{}", self.name)
    }
}

impl Drop for Header {
    fn drop(&mut self) {
        unmap(self.view.cast());
    }
}

/// New bytes, whose name no other process finds before they are published.
pub(crate) struct Draft {
    pub(crate) handle: Handle,
    before: State,
    pub(crate) state: State,
}

impl Draft {
    /// Gives them the name; false if another object got it meanwhile.
    pub(crate) fn publish(&self) -> bool {
        let header = self.handle.header();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        header.word(2).store(now.as_secs(), Ordering::Relaxed);
        header.change(self.before, self.state)
    }
}

impl Bytes {
    /// Who created them.
    pub(crate) fn access(&self) -> Access {
        Access::of_object(self.handle.as_handle())
    }

    pub(crate) fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// `MapViewOfFile(handle, FILE_MAP_READ, or with FILE_MAP_WRITE, 0, length)`
    pub(in crate::sys) fn map(&self, length: usize, writable: bool) -> Result<NonNull<u8>, OsCode> {
        map(&self.handle, length, writable)
    }
}

/// `MapViewOfFile(handle, FILE_MAP_READ, or with FILE_MAP_WRITE, 0, length)`
fn map(handle: &OwnedHandle, length: usize, writable: bool) -> Result<NonNull<u8>, OsCode> {
    // SAFETY: a new range, chosen by the system, touches nobody's memory.
    let view = unsafe { MapViewOfFile(handle.as_raw_handle(), access(writable), 0, 0, length) };
    NonNull::new(view.Value.cast()).ok_or_else(OsCode::last)
}

/// `UnmapViewOfFile(start)`: of a range of [`map`] that nobody uses any more.
pub(in crate::sys) fn unmap(start: NonNull<u8>) {
    // SAFETY: the callers', and it cannot fail for the start of a view.
    unsafe { UnmapViewOfFile(MEMORY_MAPPED_VIEW_ADDRESS { Value: start.as_ptr().cast() }) };
}

fn access(writable: bool) -> u32 {
    if writable { FILE_MAP_READ | FILE_MAP_WRITE } else { FILE_MAP_READ }
}

/// The mapping, and whether this call created it.
fn create_mapping(kind: &str, name: &str, size: u64) -> Result<(OwnedHandle, bool), Refusal> {
    let attributes = kernel_object::attributes()?;
    let name = kernel_object::local(kind, name);
    #[allow(clippy::cast_possible_truncation, reason = "the call takes the two halves")]
    let (high, low) = ((size >> 32) as u32, size as u32);
    // SAFETY: `attributes` and `name`, which ends with a NUL, outlive the call. The handle is closed by its owner alone.
    unsafe {
        SetLastError(0);
        let handle = CreateFileMappingW(
            INVALID_HANDLE_VALUE,
            &raw const attributes,
            PAGE_READWRITE,
            high,
            low,
            name.as_ptr(),
        );
        let created = GetLastError() != ERROR_ALREADY_EXISTS;
        Ok((kernel_object::owned(handle, "CreateFileMapping")?, created))
    }
}

fn open_mapping(kind: &str, name: &str, writable: bool) -> Result<OwnedHandle, Refusal> {
    let name = kernel_object::local(kind, name);
    // SAFETY: `name` ends with a NUL and outlives the call. The handle is closed by its owner alone.
    unsafe {
        let handle = OpenFileMappingW(access(writable) | READ_CONTROL, 0, name.as_ptr());
        kernel_object::owned(handle, "OpenFileMapping")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

    fn header(test: &str) -> Arc<Header> {
        let name = format!("os-ipc-test-{}-{test}", std::process::id());
        Header::open_or_create(Use::Counter, &name).unwrap()
    }

    fn publish(header: &Arc<Header>) -> Draft {
        let draft = header.draft(PAGE).unwrap().unwrap();
        assert!(draft.publish());
        draft
    }

    #[test]
    fn no_process_finds_bytes_that_are_not_published() {
        let header = header("unpublished");
        let number = header.draw_number();
        // While this creator waits for a processor, another one makes the object, which then ends with its last handle.
        drop(publish(&header));
        let state = header.state();
        assert!(state.size().is_some(), "the header still has the state of the object");
        let late = header.draft_as(number, state, PAGE).unwrap().expect("the number is free");
        let found = header.open_bytes(state.number(), true);
        assert_eq!(found.err(), Some(Refusal::Failed(Failure("OpenFileMapping", OsCode::ENOENT))));
        assert!(late.publish());
        assert!(header.open_bytes(header.state().number(), true).is_ok());
    }

    #[test]
    fn a_creator_that_another_one_overtook_leaves_its_object_alone() {
        let header = header("overtaken");
        let late = header.draft(PAGE).unwrap().unwrap();
        let first = publish(&header);
        assert!(!late.publish());
        assert_eq!(header.state(), first.state);
        assert!(header.draft(PAGE).unwrap().is_none(), "the name is taken");
    }

    #[test]
    fn a_number_that_comes_again_is_not_given_to_two_objects() {
        let header = header("again");
        let before = header.state();
        let kept = publish(&header);
        assert!(header.change(kept.state, kept.state.removed()));
        // The numbers begin again.
        header.word(3).store(u64::from(u16::MAX), Ordering::Relaxed);
        let next = header.draft(PAGE).unwrap().unwrap();
        assert_eq!((kept.state.number(), next.state.number()), (1, 2), "1 is in use");
        let (removed, number) = (header.state(), header.state().number());
        drop((kept, next));
        assert!(header.draft_as(number, removed, PAGE).unwrap().is_none(), "the header has this number");
        assert!(header.draft_as(number, before, PAGE).unwrap().is_some());
    }

    #[test]
    fn the_next_header_of_a_name_has_another_life() {
        let first = header("life");
        let life = first.life();
        assert_eq!(header("life").life(), life);
        drop(first);
        assert!(life != 0 && header("life").life() != life);
    }
}
