//! SIGBUS on mapped files: a page that a peer truncated is replaced by a page of zeros instead of ending the process.
//!
//! Nothing keeps a peer from truncating an object that we have mapped (seals are for memfds), and a check before a
//! copy can be outdated in the middle of it. pread(2) does not crash, but takes 3 times as long as the mapping at
//! 146 KB and 25 times at an unlucky alignment, and pwrite(2) past the end enlarges the object. So copies use the
//! mapping, and this handler protects them. It also protects JavaScript that uses a zero-copy view.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Once, OnceLock};
use std::time::{Duration, Instant};

use libc::{sigaction, siginfo_t};
use nix::errno::Errno;

use crate::sys::host::handler_chain::{self, Chain, at_every_place};
use crate::sys::host::module;

/// Watches a mapped range for as long as it exists.
pub(crate) struct Guard(&'static Range);

/// A range that the handler looks up. It is reused, and never freed: the handler may be reading it.
struct Range {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    torn: AtomicBool,
    next: AtomicPtr<Range>,
}

static RANGES: AtomicPtr<Range> = AtomicPtr::new(ptr::null_mut());
static PAGE: AtomicUsize = AtomicUsize::new(0);

/// The time for which a copy trusts that our handler is in front: 20 us. A query takes 0.3 us, as long as a small copy;
/// a program that replaces the handler and has a peer truncate the object takes longer than 20 us.
const RENEW_NANOS: u64 = 20_000;
const RENEW_EVERY: Duration = Duration::from_nanos(RENEW_NANOS);

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

/// SA_RESTART: a system call of the thread that touched the page goes on.
static CHAIN: Chain = Chain::new(libc::SIGBUS, libc::SA_RESTART, at_every_place!(on_bus_error));

/// `sigaction(SIGBUS, ...)`: from now on missing pages are replaced. Every other SIGBUS goes to the earlier handler.
fn install() {
    static PREPARED: Once = Once::new();
    PREPARED.call_once(|| {
        // The handler has to stay in memory when the worker that loaded the addon ends.
        module::pin();
        PAGE.store(page_size(), Ordering::Release);
    });
    renew();
}

/// Puts the handler in front again, after `process.on('SIGBUS')` or other code of the program replaced it.
///
/// A handler that returns without having replaced the page is called for ever.
pub(crate) fn renew() {
    if PAGE.load(Ordering::Acquire) != 0 {
        // The only error is that of a signal that does not exist.
        let _ = CHAIN.renew();
    }
}

/// Does [`renew`], unless it was done a moment ago. Called before every copy.
pub(crate) fn renew_soon() {
    static START: OnceLock<Instant> = OnceLock::new();
    static RENEWED: AtomicU64 = AtomicU64::new(0);
    let start =
        START.get_or_init(|| Instant::now().checked_sub(2 * RENEW_EVERY).unwrap_or_else(Instant::now));
    let now = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    if now.saturating_sub(RENEWED.load(Ordering::Relaxed)) > RENEW_NANOS {
        RENEWED.store(now, Ordering::Relaxed);
        renew();
    }
}

fn page_size() -> usize {
    // SAFETY: no pointers.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

/// Uses only atomics, mmap and sigaction: it runs in the middle of any code.
extern "C" fn on_bus_error<const PLACE: usize>(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let errno = Errno::last_raw();
    // SAFETY: the kernel passes a whole siginfo_t to an SA_SIGINFO handler.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    if (code != libc::BUS_ADRERR || !replace_page(address))
        && let Some(earlier) = CHAIN.earlier(PLACE)
    {
        // SAFETY: the arguments are those of the kernel.
        unsafe { pass_on(earlier, signal, code, info, context) };
    }
    Errno::set_raw(errno);
}

/// `mmap(page, MAP_FIXED | MAP_ANONYMOUS)` over the page at `address`, if it is in a range of ours.
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

/// Does what would have happened without our handler.
///
/// # Safety
/// - The arguments are those that the kernel passed to the handler of `signal`.
unsafe fn pass_on(
    earlier: &sigaction,
    signal: c_int,
    code: c_int,
    info: *mut siginfo_t,
    context: *mut c_void,
) {
    let sent = code <= 0;
    match earlier.sa_sigaction {
        libc::SIG_IGN if sent => {}
        // The default action comes when this returns: the access is made again, and a signal of another process is
        // raised again.
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: no pointers but that of the default.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
            if sent {
                // SAFETY: no pointers.
                unsafe { libc::raise(signal) };
            }
        }
        // SAFETY: the caller's.
        _ => unsafe { handler_chain::call(earlier, signal, info, context) },
    }
}

#[cfg(all(test, not(miri)))]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::Mutex;
    use std::thread;

    use super::*;
    use crate::sys::mapping::Mapping;

    /// Serialises the tests: a process has one handler of a signal.
    static ALONE: Mutex<()> = Mutex::new(());
    static FOUND: AtomicUsize = AtomicUsize::new(0);
    static FOREIGN_CALLS: AtomicUsize = AtomicUsize::new(0);

    /// A handler that changes nothing, like libuv's: the access is made again.
    extern "C" fn idle(_signal: c_int, _info: *mut siginfo_t, _context: *mut c_void) {}

    /// A handler that calls the one that it replaced, as crash reporters do.
    extern "C" fn calls_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
        FOREIGN_CALLS.fetch_add(1, Ordering::SeqCst);
        let found = FOUND.load(Ordering::SeqCst);
        assert_ne!(found, 0);
        // SAFETY: `replace` put a three-argument handler there.
        let found: handler_chain::Handler = unsafe { std::mem::transmute(found) };
        found(signal, info, context);
    }

    /// `sigaction(SIGBUS, handler)`; returns the earlier handler.
    fn replace(handler: usize) -> usize {
        // SAFETY: both actions are whole, and outlive the call.
        unsafe {
            let mut action: sigaction = std::mem::zeroed();
            let mut found: sigaction = std::mem::zeroed();
            action.sa_sigaction = handler;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(libc::SIGBUS, &raw const action, &raw mut found);
            found.sa_sigaction
        }
    }

    /// A mapping of a file that was truncated to 0 bytes.
    fn cut() -> Mapping {
        let file = tempfile();
        file.set_len(8192).unwrap();
        let mapping = Mapping::of_file(&file, NonZeroUsize::new(8192).unwrap(), true).unwrap();
        file.set_len(0).unwrap();
        mapping
    }

    fn tempfile() -> std::fs::File {
        // SAFETY: the name is a C string, and the descriptor is new.
        unsafe {
            let descriptor = libc::memfd_create(c"os-ipc-cut".as_ptr(), libc::MFD_CLOEXEC);
            std::os::fd::FromRawFd::from_raw_fd(descriptor)
        }
    }

    #[test]
    fn a_missing_page_is_replaced_after_another_handler_was_installed() {
        let _alone = ALONE.lock().unwrap();
        for handler in [idle as *const () as usize, libc::SIG_DFL, idle as *const () as usize, libc::SIG_IGN]
        {
            let mapping = cut();
            replace(handler);
            thread::sleep(2 * RENEW_EVERY);
            mapping.expect_cut();
            assert_eq!(mapping.byte(5000), 0);
            assert!(mapping.torn());
        }
    }

    #[test]
    fn a_handler_that_calls_ours_is_not_called_in_a_circle() {
        let _alone = ALONE.lock().unwrap();
        let mapping = cut();
        FOUND.store(replace(calls_on as *const () as usize), Ordering::SeqCst);
        assert_eq!(mapping.byte(0), 0, "through the other one");
        assert_eq!(FOREIGN_CALLS.load(Ordering::SeqCst), 1);
        renew();
        assert_eq!(mapping.byte(5000), 0, "ours in front of it");
        assert_eq!(FOREIGN_CALLS.load(Ordering::SeqCst), 1);
        // A SIGBUS that is not ours goes to the other handler, which calls ours, which calls the handler before it.
        replace(FOUND.load(Ordering::SeqCst));
    }
}
