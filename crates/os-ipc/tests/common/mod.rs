//! Unique names; their objects are removed when a test ends, passed or failed.

#![allow(dead_code, reason = "every test program uses its share of it")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime};

use os_ipc::{Backend, Creation, Delivery, Mailbox, Owner, Semaphore, SemaphoreId, WaiterId};

/// The longest that any step of a test may take.
pub const LIMIT: Duration = Duration::from_secs(if cfg!(windows) { 120 } else { 20 });

/// Each of three threads acts 500 times.
pub fn by_three_threads(act: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..500).for_each(|_| act()));
        }
    });
}

/// A unique name, in one backend; unlinked on drop.
pub struct Named {
    pub name: String,
    pub backend: Backend,
}

impl Named {
    pub fn new(backend: Backend) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // At most 30 bytes, for darwin.
        Self { name: format!("/os-ipc-{:x}-{now:x}-{number:x}", std::process::id()), backend }
    }

    pub fn called(name: &str, backend: Backend) -> Self {
        Self { name: name.to_owned(), backend }
    }

    pub fn id(&self) -> SemaphoreId {
        SemaphoreId::named(&self.name, self.backend).unwrap()
    }

    pub fn create(&self, initial: u32) -> Semaphore {
        Semaphore::create(&self.id(), creation(initial)).unwrap()
    }

    pub fn open(&self) -> Semaphore {
        Semaphore::open(&self.id(), Owner::Default).unwrap()
    }

    pub fn open_or_create(&self, initial: u32) -> Semaphore {
        Semaphore::open_or_create(&self.id(), creation(initial), Owner::Default).unwrap()
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = Semaphore::unlink_id(&self.id());
    }
}

pub fn creation(initial: u32) -> Creation {
    Creation { initial, mode: 0o600 }
}

/// The backends of this platform.
pub fn backends() -> impl Iterator<Item = Backend> {
    [Backend::SystemV, Backend::Posix, Backend::Windows].into_iter().filter(|backend| backend.is_available())
}

/// A call that took so long gave up on the thread that leaves the kernel: without a processor, that may still have a unit. A call
/// waits 1 s for it.
const GAVE_UP: Duration = Duration::from_millis(900);

/// Calls until the result is enough, or no thread that leaves the kernel can have changed it.
fn settled_unless<T>(call: impl Fn() -> T, is_enough: impl Fn(&T) -> bool) -> T {
    let start = Instant::now();
    loop {
        let began = Instant::now();
        let result = call();
        if is_enough(&result) || began.elapsed() < GAVE_UP || start.elapsed() > LIMIT {
            return result;
        }
    }
}

/// Reads until no thread that leaves the kernel can have what is read.
pub fn settled<T>(read: impl Fn() -> T) -> T {
    settled_unless(read, |_| false)
}

/// Takes a unit now; tries again where the thread that leaves the kernel may have it.
pub fn take_now(semaphore: &Semaphore) -> bool {
    settled_unless(|| semaphore.try_wait().unwrap(), |taken| *taken)
}

/// The counter; counted by taking where the platform has no call for it.
pub fn units(semaphore: &Semaphore) -> u32 {
    if semaphore.backend().has_value() {
        return settled(|| semaphore.value().unwrap());
    }
    let mut units = 0;
    while take_now(semaphore) {
        units += 1;
    }
    (0..units).for_each(|_| semaphore.post(1).unwrap());
    units
}

/// A mailbox, and a way to wait for its deliveries.
pub struct Party {
    pub mailbox: Arc<Mailbox>,
    woken: Arc<(Mutex<bool>, Condvar)>,
}

impl Party {
    pub fn new() -> Self {
        let woken = Arc::new((Mutex::new(false), Condvar::new()));
        let wake = {
            let woken = Arc::clone(&woken);
            move || {
                *woken.0.lock().unwrap() = true;
                woken.1.notify_one();
            }
        };
        Self { mailbox: Arc::new(Mailbox::new(wake)), woken }
    }

    /// Waits until something arrives, and takes everything out.
    pub fn collect(&self) -> Vec<(WaiterId, Delivery)> {
        let mut woken = self.woken.0.lock().unwrap();
        let deadline = Instant::now() + LIMIT;
        while !*woken {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "nothing arrived");
            woken = self.woken.1.wait_timeout(woken, left).unwrap().0;
        }
        *woken = false;
        drop(woken);
        // No event loop polls here: a planned poll is dropped, and a thread goes on.
        self.mailbox.collect().delivered.into_iter().collect()
    }

    /// Collects until `count` outcomes have arrived.
    pub fn collect_all(&self, count: usize) -> Vec<(WaiterId, Delivery)> {
        let mut all = Vec::new();
        while all.len() < count {
            all.extend(self.collect());
        }
        all
    }
}

/// Waits until the condition holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until one thread waits in the kernel, where the system tells.
pub fn until_blocked(semaphore: &Semaphore) {
    until("a thread is blocked", || semaphore.info().unwrap().waiters.is_none_or(|waiters| waiters == 1));
}
