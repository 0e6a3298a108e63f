//! Tests with the real kernel; every object has a unique name and is removed with its test, failed or not.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A unique id, removed at the end.
struct Fresh(MemoryId);

impl Fresh {
    fn name() -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("/os-ipc-core-{}-{count}", std::process::id());
        Self(MemoryId::Name(Name::memory(&name).unwrap()))
    }

    fn key() -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let key = (std::process::id() << 8 | count).cast_signed();
        Self(MemoryId::Key(Key::from_raw(key).unwrap()))
    }

    fn both() -> [Self; 2] {
        [Self::name(), Self::key()]
    }

    fn create(&self, size: u64) -> SharedMemory {
        SharedMemory::create(&self.0, size, 0o600).unwrap()
    }

    fn open(&self) -> Result<SharedMemory> {
        SharedMemory::open(&self.0, true, Owner::Default)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // Mostly the test has removed it already.
        let _ = SharedMemory::unlink_id(&self.0);
    }
}

fn code(result: Result<impl Sized>) -> String {
    match result {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.code().name(),
    }
}

#[test]
fn one_handle_reads_what_another_wrote() {
    for id in Fresh::both() {
        let made = id.create(10_000);
        let opened = id.open().unwrap();
        assert!(made.is_created() && !opened.is_created());
        assert_eq!(opened.size(), 10_000);
        made.write(b"across", 5000).unwrap();
        let mut read = [1; 8];
        assert_eq!(opened.read(&mut read, 4999).unwrap(), 8);
        assert_eq!(&read, b"\0across\0");
        opened.clear().unwrap();
        assert_eq!(made.read(&mut read, 9996).unwrap(), 4);
        assert_eq!(made.read(&mut read, 10_000).unwrap(), 0);
    }
}

#[test]
fn an_object_is_created_once_and_opened_only_if_it_exists() {
    for id in Fresh::both() {
        assert_eq!(code(id.open()), "ENOENT");
        let _made = id.create(1);
        assert_eq!(code(SharedMemory::create(&id.0, 1, 0o600)), "EEXIST");
        assert!(SharedMemory::unlink_id(&id.0).unwrap());
        assert!(!SharedMemory::unlink_id(&id.0).unwrap());
        assert_eq!(code(id.open()), "ENOENT");
    }
}

#[test]
fn open_or_create_opens_an_object_that_is_large_enough() {
    for id in Fresh::both() {
        let open = |size| SharedMemory::open_or_create(&id.0, size, 0o600, Owner::Default);
        assert!(open(100).unwrap().is_created());
        assert_eq!(open(50).unwrap().size(), 100);
        let refusal = open(101).map(drop).unwrap_err();
        assert_eq!(refusal.code(), Code::Size);
        assert!(refusal.to_string().ends_with("has 100 bytes, fewer than the 101 asked for"), "{refusal}");
    }
}

#[test]
fn open_or_create_survives_concurrent_creates_and_removes() {
    for id in Fresh::both() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..300 {
                        let memory =
                            SharedMemory::open_or_create(&id.0, 4096, 0o600, Owner::Default).unwrap();
                        assert_eq!(memory.size(), 4096);
                        memory.unlink().unwrap();
                    }
                });
            }
        });
    }
}

#[test]
fn impossible_sizes_are_refused() {
    for id in Fresh::both() {
        for size in [0, u64::MAX, 1 << 63] {
            assert_eq!(code(SharedMemory::create(&id.0, size, 0o600)), "ERR_OUT_OF_RANGE", "{size}");
        }
        assert_eq!(code(id.open()), "ENOENT");
    }
}

#[test]
fn a_write_that_does_not_fit_writes_nothing() {
    for id in Fresh::both() {
        let memory = id.create(8);
        for (length, position) in [(9, 0), (1, 8), (0, 9), (2, usize::MAX)] {
            assert_eq!(
                code(memory.write(&vec![7; length], position)),
                "ERR_OUT_OF_RANGE",
                "{length} at {position}"
            );
        }
        assert_eq!(code(memory.read(&mut [0], 9)), "ERR_OUT_OF_RANGE");
        let mut all = [1; 8];
        memory.read(&mut all, 0).unwrap();
        assert_eq!(all, [0; 8]);
    }
}

#[test]
fn a_read_only_handle_reads() {
    for id in Fresh::both() {
        id.create(8).write(b"visible!", 0).unwrap();
        let memory = SharedMemory::open(&id.0, false, Owner::Default).unwrap();
        let mut all = [0; 8];
        memory.read(&mut all, 0).unwrap();
        assert_eq!(&all, b"visible!");
        assert_eq!(code(memory.write(b"x", 0)), "ERR_READ_ONLY");
        assert_eq!(code(memory.clear()), "ERR_READ_ONLY");
    }
}

#[test]
fn a_copy_from_the_memory_to_itself_is_a_move() {
    for id in Fresh::both() {
        let memory = id.create(30_000);
        let numbers: Vec<u8> = (0..30_000).map(|index: u32| u8::try_from(index % 251).unwrap()).collect();
        memory.write(&numbers, 0).unwrap();
        let lease = memory.lease();
        #[allow(unsafe_code, reason = "an ArrayBuffer shows the memory like this")]
        // SAFETY: the lease keeps the range mapped, and no other thread or process knows of it.
        let view =
            unsafe { std::slice::from_raw_parts(lease.start().as_ptr() as *const Cell<u8>, lease.length()) };
        memory.write_cells(&view[..20_000], 100).unwrap();
        let mut moved = vec![0; 20_000];
        memory.read(&mut moved, 100).unwrap();
        assert_eq!(moved, numbers[..20_000]);
    }
}

#[test]
fn a_handle_removes_its_own_object_and_no_other() {
    for id in Fresh::both() {
        let old = id.create(1);
        old.unlink().unwrap();
        old.unlink().unwrap();
        let new = id.create(2);
        old.unlink().unwrap();
        let identity = old.identity();
        drop(old);
        identity.remove().unwrap();
        assert_eq!(id.open().unwrap().size(), 2);
        new.unlink().unwrap();
        assert_eq!(code(id.open()), "ENOENT");
    }
}

#[test]
fn info_reports_the_state_of_the_kernel() {
    for id in Fresh::both() {
        let memory = SharedMemory::create(&id.0, 5000, 0o640).unwrap();
        let info = memory.info().unwrap();
        assert_eq!((info.size, info.mode, info.removed), (5000, 0o640, Some(false)));
        assert_eq!(info.uid, crate::sys::access::own_uid());
        assert!(info.changed_at.is_some());
        if memory.kind() == MemoryKind::SystemV {
            assert_eq!(info.attached, Some(1));
            assert_eq!(info.creator_pid, Some(std::process::id().cast_signed()));
            assert!(info.attached_at.is_some() && info.detached_at.is_none());
        }
        assert!(crate::list_segments().unwrap().contains(&info), "{info:?}");
        memory.unlink().unwrap();
        assert_eq!(memory.info().unwrap().removed, Some(true));
    }
}

#[test]
fn a_segment_that_lost_its_key_is_attached_by_its_id() {
    let id = Fresh::key();
    let memory = id.create(1);
    let attach = || SharedMemory::attach(memory.id().unwrap(), true, Owner::Default);
    assert_eq!(attach().unwrap().key(), memory.key());
    memory.unlink().unwrap();
    assert_eq!(attach().unwrap().key(), None);
    assert_eq!(code(SharedMemory::attach(i32::MAX, true, Owner::Default)), "EINVAL");
}

#[test]
fn withdrawn_memory_shows_zeros_to_its_leases_and_is_detached() {
    let id = Fresh::key();
    let memory = id.create(4096);
    memory.write(b"secret", 0).unwrap();
    let other = id.open().unwrap();
    let lease = memory.lease();
    memory.withdraw();
    assert_eq!(other.info().unwrap().attached, Some(1));
    assert_eq!(byte_at(lease.start()), 0);
}

/// The first byte of a range that a lease keeps valid.
#[allow(unsafe_code, reason = "a pending read of a file, or JavaScript, touches the memory like this")]
fn byte_at(start: std::ptr::NonNull<u8>) -> u8 {
    // SAFETY: the caller's lease keeps the range valid.
    unsafe { start.as_ptr().read_volatile() }
}

#[test]
fn a_shared_lease_shows_the_memory_after_it_was_withdrawn() {
    for id in Fresh::both() {
        let (memory, peer) = (id.create(64), id.open().unwrap());
        let (lease, first, last) = (memory.lease(), memory.shared_lease(), memory.shared_lease());
        memory.withdraw();
        peer.write(b"x", 0).unwrap();
        drop(first);
        assert_eq!(byte_at(last.start()), b'x');
        assert_eq!(byte_at(lease.start()), b'x', "the range is the same");
        std::thread::spawn(move || drop(last)).join().unwrap();
        assert_eq!(byte_at(lease.start()), 0, "the withdrawal was due");
        drop(lease);
        if let Some(attached) = peer.info().unwrap().attached {
            assert_eq!(attached, 1);
        }
    }
}

#[test]
fn a_shared_lease_that_ends_before_the_withdrawal_changes_nothing() {
    let id = Fresh::name();
    let memory = id.create(64);
    memory.write(b"x", 0).unwrap();
    let lease = memory.lease();
    drop(memory.shared_lease());
    assert_eq!(byte_at(lease.start()), b'x');
    memory.withdraw();
    assert_eq!(byte_at(lease.start()), 0);
}

#[test]
fn memory_withdrawn_for_ever_is_shown_until_the_last_shared_lease_ends() {
    let id = Fresh::name();
    let memory = id.create(64);
    memory.write(b"x", 0).unwrap();
    let shared = memory.shared_lease();
    let start = shared.start();
    memory.lease().withdraw_for_ever();
    drop(memory);
    assert_eq!(byte_at(start), b'x');
    drop(shared);
    assert_eq!(byte_at(start), 0, "the range stays valid");
}

#[test]
fn dropped_memory_is_attached_until_the_last_lease_ends() {
    let id = Fresh::key();
    let watcher = id.create(4096);
    let attached = || watcher.info().unwrap().attached;
    let memory = id.open().unwrap();
    let leases = [memory.lease(), memory.lease()];
    drop(memory);
    assert_eq!(attached(), Some(2));
    drop(leases);
    assert_eq!(attached(), Some(1));
}

#[test]
fn memory_withdrawn_for_ever_shows_zeros_and_stays_valid() {
    for id in Fresh::both() {
        let memory = id.create(4096);
        memory.write(b"secret", 0).unwrap();
        let start = memory.lease().start();
        memory.lease().withdraw_for_ever();
        drop(memory);
        #[allow(unsafe_code, reason = "a thread that has the memory reads it like this")]
        // SAFETY: the range is never unmapped.
        let byte = unsafe { start.as_ptr().read_volatile() };
        assert_eq!(byte, 0);
    }
}
