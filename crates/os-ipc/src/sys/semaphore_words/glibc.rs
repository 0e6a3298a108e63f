//! The words that glibc keeps a POSIX semaphore in, for those who count without a call.
//!
//! Since glibc 2.21 a semaphore is one 64-bit word: the counter in its low half, the number of those who wait in its high
//! half. Who waits adds itself to the number and reads the counter in one step, and sleeps only where that is 0; so who
//! adds a unit first and looks at the number then cannot miss it. What the C library really does is looked at all the
//! same, since a program can run with another one than it was built for.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::OsCode;
use libc::sem_t;

use crate::sys::host::module;
use crate::sys::named_semaphore::{Mapped, VALUE_MAX};

const PAGE: usize = 4096;

/// A second mapping of a semaphore's page: what happens to the C library's own does not matter to it.
#[derive(Debug)]
pub struct Words(NonNull<u8>);

// SAFETY: nothing but the address is in here; dropping it unmaps, which any thread may do.
unsafe impl Send for Words {}

impl Words {
    /// How many bytes they are: the counter, then the number of those who wait, each a 32-bit word.
    pub const LENGTH: usize = 8;

    /// `mremap(page, 0, 4096, MREMAP_MAYMOVE)`: an old size of 0 maps shared pages a second time.
    ///
    /// `None` where the C library's semaphores are not known to look like this.
    pub(crate) fn of(semaphore: &Mapped) -> Option<Self> {
        if !layout_is_known() || !semaphore.address().is_multiple_of(PAGE) {
            return None;
        }
        let page = ptr::with_exposed_provenance_mut::<c_void>(semaphore.address());
        // SAFETY: `page` is mapped and shared, as sem_open(3) maps it; an old size of 0 takes nothing away.
        let second = unsafe { libc::mremap(page, 0, PAGE, libc::MREMAP_MAYMOVE) };
        if second == libc::MAP_FAILED { None } else { NonNull::new(second.cast()).map(Self) }
    }

    /// Where they are, for as long as this lives.
    #[must_use]
    pub fn start(&self) -> NonNull<u8> {
        self.0
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // SAFETY: this is the page that mremap gave, and nobody else unmaps it.
        unsafe { libc::munmap(self.0.as_ptr().cast(), PAGE) };
    }
}

/// Adds `count` units in one step and wakes as many who wait; `EOVERFLOW` when the counter would pass its limit.
///
/// `None` where the words are not known to look like this.
pub(crate) fn give(semaphore: &Mapped, count: u32) -> Option<Result<(), OsCode>> {
    if !layout_is_known() {
        return None;
    }
    let word = |index: usize| {
        let word = ptr::with_exposed_provenance_mut::<u32>(semaphore.address()).wrapping_add(index);
        // SAFETY: both words lie within the sem_t, which is mapped as long as `semaphore` lives and aligned as a sem_t is;
        // everybody who touches them does so atomically.
        unsafe { AtomicU32::from_ptr(word) }
    };
    let more = |value: u32| value.checked_add(count).filter(|sum| *sum <= VALUE_MAX);
    if word(0).fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_err() {
        return Some(Err(OsCode::EOVERFLOW));
    }
    if word(1).load(Ordering::SeqCst) != 0 {
        wake(semaphore, i32::try_from(count).unwrap_or(i32::MAX));
    }
    Some(Ok(()))
}

/// `futex(counter, FUTEX_WAKE, 1)`: what sem_post(3) does after it has counted, when somebody waits. Once too often is
/// no harm.
pub(crate) fn wake_one(semaphore: &Mapped) {
    wake(semaphore, 1);
}

fn wake(semaphore: &Mapped, most: i32) {
    // SAFETY: the counter is mapped as long as `semaphore` lives. A futex of a shared page has no address of its own, so
    // this wakes who waits in any process.
    unsafe { libc::syscall(libc::SYS_futex, semaphore.address(), libc::FUTEX_WAKE, most) };
}

fn layout_is_known() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(looks_as_expected)
}

/// Counts with the C library in a semaphore of our own, and looks at what it does to the two words.
fn looks_as_expected() -> bool {
    const PATIENCE: Duration = Duration::from_millis(200);
    // For good: where the C library surprises us, a thread may still be in there.
    let probe: &'static Probe = Box::leak(Box::new(Probe(std::cell::UnsafeCell::new([0; 4]))));
    // SAFETY: `probe` is as large as a sem_t and aligned like one, and lives for ever.
    let begun = unsafe {
        size_of::<sem_t>() == size_of::<Probe>()
            && libc::sem_init(probe.semaphore(), 1, 5) == 0
            && probe.words() == (5, 0)
            && libc::sem_trywait(probe.semaphore()) == 0
            && probe.words() == (4, 0)
            && libc::sem_post(probe.semaphore()) == 0
            && probe.words() == (5, 0)
            && (0..5).all(|_| libc::sem_trywait(probe.semaphore()) == 0)
            && probe.words() == (0, 0)
    };
    let wait = || {
        crate::sys::interrupt::block_other_signals();
        // SAFETY: as above.
        unsafe { libc::sem_wait(probe.semaphore()) }
    };
    // The thread may outlast the worker that loaded the addon, by a moment.
    module::pin();
    if !begun || thread::Builder::new().stack_size(64 * 1024).spawn(wait).is_err() {
        return false;
    }
    let deadline = Instant::now() + PATIENCE;
    let mut waits = false;
    while !waits && Instant::now() < deadline {
        waits = probe.words() == (0, 1);
        thread::yield_now();
    }
    // SAFETY: as above.
    unsafe { libc::sem_post(probe.semaphore()) };
    waits
}

/// The memory of a sem_t.
#[repr(C, align(8))]
struct Probe(std::cell::UnsafeCell<[u64; 4]>);

// SAFETY: only the C library's functions and atomic loads touch it.
unsafe impl Sync for Probe {}

impl Probe {
    fn semaphore(&self) -> *mut sem_t {
        self.0.get().cast()
    }

    fn words(&self) -> (u32, u32) {
        let word = |index| {
            // SAFETY: both words lie within the probe, at multiples of 4.
            unsafe { AtomicU32::from_ptr(self.0.get().cast::<u32>().add(index)) }.load(Ordering::SeqCst)
        };
        (word(0), word(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_c_library_keeps_its_semaphores_as_expected() {
        assert!(layout_is_known());
    }

    #[test]
    fn the_words_outlast_the_semaphore_that_they_are_of() {
        let name = std::ffi::CString::new(format!("/os-ipc-words-{}", std::process::id())).unwrap();
        let semaphore = crate::sys::named_semaphore::create(&name, 0o600, 7).unwrap();
        let peer = crate::sys::named_semaphore::open(&name).unwrap();
        crate::sys::named_semaphore::unlink(&name).unwrap();
        let words = Words::of(&semaphore).unwrap();
        drop(semaphore);
        // SAFETY: mapped as long as `words` lives, and a multiple of 4.
        let counter = unsafe { AtomicU32::from_ptr(words.start().as_ptr().cast()) };
        assert_eq!(counter.load(Ordering::SeqCst), 7);
        peer.try_take().unwrap();
        assert_eq!(counter.load(Ordering::SeqCst), 6);
    }
}
