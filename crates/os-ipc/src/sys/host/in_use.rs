//! The sets and channels whose words this process uses, for all copies of this library in it.
//!
//! A new image of a process gives back what the old one held (execve(2) keeps the pid). Another copy of the library in the
//! same image looks the same to the kernel. So each copy enters the sets that it uses in one register.

use std::hint;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use super::process_register::of_process;

/// The register. Its layout has a version, which is part of the symbol's name.
#[repr(C)]
pub struct Register {
    /// 1 while a thread reads or changes the list.
    lock: AtomicU32,
    first: AtomicPtr<Entry>,
}

/// A set that a copy uses.
#[repr(C)]
struct Entry {
    set: i32,
    next: AtomicPtr<Entry>,
}

/// The register of this copy: that of the first copy that was loaded is the one of all.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "it is what other copies look for, in C's letters")]
pub static os_ipc_sets_in_use_v1: Register =
    Register { lock: AtomicU32::new(0), first: AtomicPtr::new(ptr::null_mut()) };

fn register() -> &'static Register {
    use std::sync::OnceLock;
    static REGISTER: OnceLock<&'static Register> = OnceLock::new();
    // SAFETY: the symbol, by its name, is a Register.
    REGISTER.get_or_init(|| unsafe { of_process(c"os_ipc_sets_in_use_v1") }.unwrap_or(&os_ipc_sets_in_use_v1))
}

/// The right to read and change the list.
struct Locked<'a>(&'a Register);

impl Register {
    fn lock(&self) -> Locked<'_> {
        while self.lock.swap(1, Ordering::Acquire) != 0 {
            hint::spin_loop();
            std::thread::yield_now();
        }
        Locked(self)
    }
}

impl Locked<'_> {
    fn has(&self, set: i32) -> bool {
        let mut next = self.0.first.load(Ordering::Relaxed);
        // SAFETY: an entry is in the list until `InUse` takes it out, under the lock that this has.
        while let Some(entry) = unsafe { next.as_ref() } {
            if entry.set == set {
                return true;
            }
            next = entry.next.load(Ordering::Relaxed);
        }
        false
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.0.lock.store(0, Ordering::Release);
    }
}

/// A set that is in the register until this is dropped.
pub(crate) struct InUse(*mut Entry);

// SAFETY: the entry is only touched under the register's lock.
unsafe impl Send for InUse {}

impl InUse {
    pub(crate) fn enter(set: i32) -> Self {
        let locked = register().lock();
        let next = AtomicPtr::new(locked.0.first.load(Ordering::Relaxed));
        let entry = Box::into_raw(Box::new(Entry { set, next }));
        locked.0.first.store(entry, Ordering::Relaxed);
        Self(entry)
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let locked = register().lock();
        let mut place = &locked.0.first;
        loop {
            let entry = place.load(Ordering::Relaxed);
            // SAFETY: the list is ours under the lock, and this entry is in it: the end comes after it.
            let next = unsafe { &(*entry).next };
            if entry == self.0 {
                place.store(next.load(Ordering::Relaxed), Ordering::Relaxed);
                break;
            }
            place = next;
        }
        // SAFETY: `enter` made it of a box, and the list does not have it any more.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

/// The number in the register of what is not a set: below 0, since the ids of sets are not.
pub(crate) fn number_of(identity: u64) -> i32 {
    let folded = u32::try_from((identity ^ (identity >> 31)) & 0x7fff_ffff).unwrap_or_default();
    -1 - folded.cast_signed()
}

/// Runs `act` unless a copy of the library in this image uses the set; none begins to meanwhile.
pub(crate) fn unless_in_use(set: i32, act: impl FnOnce()) {
    let locked = register().lock();
    if !locked.has(set) {
        act();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_in_use_until_its_last_entry_is_gone() {
        let is_in_use = |set| {
            let mut ran = false;
            unless_in_use(set, || ran = true);
            !ran
        };
        let entries = [InUse::enter(-7), InUse::enter(-8), InUse::enter(-7)];
        assert!(is_in_use(-7) && is_in_use(-8) && !is_in_use(-9));
        let [one, two, three] = entries;
        drop(one);
        assert!(is_in_use(-7));
        drop(three);
        assert!(!is_in_use(-7) && is_in_use(-8));
        drop(two);
        assert!(!is_in_use(-8));
    }
}
