//! SIGBUS on mapped files: a page that a peer cut off is replaced by a page of zeros instead of ending the process.
//!
//! Nothing keeps a peer from cutting an object that we have mapped (seals are for memfds), and whatever is checked before
//! a copy can be untrue in the middle of it. pread(2) does not crash, but is three times as slow as the mapping at 146 KB and
//! twenty-five times at an unlucky alignment, and pwrite(2) past the end makes the object larger. So copies run over the
//! mapping, and this is their net. It also holds what JavaScript does with a zero-copy view.

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Once, OnceLock};

use libc::{sigaction, siginfo_t};
use nix::errno::Errno;

use crate::sys::host::module;

/// Watches a mapped range as long as it lives.
pub(crate) struct Guard(&'static Range);

/// A range that the handler looks up. It is never freed, only used again: the handler may be looking at it.
struct Range {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    torn: AtomicBool,
    next: AtomicPtr<Range>,
}

static RANGES: AtomicPtr<Range> = AtomicPtr::new(ptr::null_mut());
static PAGE: AtomicUsize = AtomicUsize::new(0);
static PREVIOUS: OnceLock<Action> = OnceLock::new();

struct Action(sigaction);

// SAFETY: a sigaction is numbers and addresses of code, and nobody changes it.
unsafe impl Sync for Action {}
// SAFETY: as above.
unsafe impl Send for Action {}

impl Guard {
    /// Watches `length` bytes from `start` on.
    pub(crate) fn over(start: usize, length: usize) -> Self {
        install();
        let range =
            ranges().find(|range| !range.taken.swap(true, Ordering::AcqRel)).unwrap_or_else(new_range);
        range.torn.store(false, Ordering::Relaxed);
        range.end.store(start + length, Ordering::Relaxed);
        range.start.store(start, Ordering::Release);
        Self(range)
    }

    /// Whether pages of the range were replaced.
    pub(crate) fn torn(&self) -> bool {
        self.0.torn.load(Ordering::Acquire)
    }

    /// The caller is about to map the object again over the whole range.
    pub(crate) fn mend(&self) {
        self.0.torn.store(false, Ordering::Release);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.end.store(0, Ordering::Relaxed);
        self.0.start.store(0, Ordering::Relaxed);
        self.0.taken.store(false, Ordering::Release);
    }
}

fn ranges() -> impl Iterator<Item = &'static Range> {
    // SAFETY: what `new_range` published was leaked, so it lives for ever; the rest is atomics.
    let at = |link: &AtomicPtr<Range>| unsafe { link.load(Ordering::Acquire).as_ref() };
    std::iter::successors(at(&RANGES), move |range| at(&range.next))
}

fn new_range() -> &'static Range {
    let range: &'static Range = Box::leak(Box::new(Range {
        taken: AtomicBool::new(true),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        torn: AtomicBool::new(false),
        next: AtomicPtr::new(RANGES.load(Ordering::Acquire)),
    }));
    let address = ptr::from_ref(range).cast_mut();
    while let Err(first) = RANGES.compare_exchange_weak(
        range.next.load(Ordering::Relaxed),
        address,
        Ordering::AcqRel,
        Ordering::Acquire,
    ) {
        range.next.store(first, Ordering::Relaxed);
    }
    range
}

/// `sigaction(SIGBUS, ...)`, once: it calls the handler that it found for every SIGBUS that is none of ours.
///
/// Whoever installs one after it (`process.on('SIGBUS')` does) takes the net away, unless it calls ours in turn: what is
/// left then is the check before each copy.
fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // The handler has to stay where it is when the worker that loaded the addon ends.
        module::pin();
        PAGE.store(page_size(), Ordering::Relaxed);
        let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = on_bus_error;
        // SAFETY: both actions are whole: all zeros is one, and sigaction fills in the one it is asked for.
        unsafe {
            let mut found = MaybeUninit::<sigaction>::zeroed().assume_init();
            libc::sigaction(libc::SIGBUS, ptr::null(), &raw mut found);
            PREVIOUS.get_or_init(|| Action(found));
            let mut ours = MaybeUninit::<sigaction>::zeroed().assume_init();
            ours.sa_sigaction = handler as *const () as usize;
            ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
            libc::sigaction(libc::SIGBUS, &raw const ours, ptr::null_mut());
        }
    });
}

fn page_size() -> usize {
    // SAFETY: no pointers.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// Only atomics, mmap and sigaction: it runs in the middle of anything.
extern "C" fn on_bus_error(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let errno = Errno::last_raw();
    // SAFETY: the kernel passes a whole siginfo_t to an SA_SIGINFO handler.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    if code != libc::BUS_ADRERR || !replace_page(address) {
        // SAFETY: the arguments are those of the kernel.
        unsafe { pass_on(signal, code, info, context) };
    }
    Errno::set_raw(errno);
}

/// `mmap(page, MAP_FIXED | MAP_ANONYMOUS)` over the page at `address`, when it is in a range of ours.
fn replace_page(address: usize) -> bool {
    let holds = |range: &&Range| {
        let start = range.start.load(Ordering::Acquire);
        start != 0 && start <= address && address < range.end.load(Ordering::Relaxed)
    };
    let Some(range) = ranges().find(holds) else { return false };
    let page = PAGE.load(Ordering::Relaxed);
    range.torn.store(true, Ordering::Release);
    // SAFETY: the page lies in a mapping of ours, whose guard is dropped before it is unmapped; the thread that
    // touched it is stopped here, in the middle of the access.
    let replaced = unsafe {
        libc::mmap(
            ptr::without_provenance_mut(address & !(page - 1)),
            page,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        )
    };
    replaced != libc::MAP_FAILED
}

/// Does what would have happened without us.
///
/// # Safety
/// - The arguments are those that the kernel passed to the handler of `signal`.
unsafe fn pass_on(signal: c_int, code: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let Some(Action(previous)) = PREVIOUS.get() else { return };
    // SAFETY: a handler is called as it asked to be; the default comes when this
    // returns: the access is made again, and a signal that another process sent is raised again.
    unsafe {
        let sent = code <= 0;
        match previous.sa_sigaction {
            libc::SIG_IGN if sent => {}
            libc::SIG_DFL | libc::SIG_IGN => {
                libc::signal(signal, libc::SIG_DFL);
                if sent {
                    libc::raise(signal);
                }
            }
            handler if previous.sa_flags & libc::SA_SIGINFO != 0 => {
                let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) = std::mem::transmute(handler);
                handler(signal, info, context);
            }
            handler => {
                let handler: extern "C" fn(c_int) = std::mem::transmute(handler);
                handler(signal);
            }
        }
    }
}
