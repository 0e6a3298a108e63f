//! Opening what exists and letting go of it, with the calls that os-ipc makes for it.

use std::ffi::CString;
use std::ptr;

use crate::ipc::{BYTES, check, key, map, set, unlink};
use crate::{Done, Work};

pub fn opener(what: &str, object: &str) -> (Work, Box<dyn FnOnce()>) {
    match what {
        "sysv-semaphore" => sysv_semaphore(object, true),
        "sysv-semaphore-bare" => sysv_semaphore(object, false),
        "posix-semaphore" => posix_semaphore(object),
        "sysv-memory" => sysv_memory(object),
        "posix-memory" => posix_memory(object),
        _ => panic!("open {what}"),
    }
}

/// `semget`, and with `checked` IPC_STAT and GETALL: whose it is, and whether it carries the name.
fn sysv_semaphore(object: &str, checked: bool) -> (Work, Box<dyn FnOnce()>) {
    let size = 3 + object.len().div_ceil(2) as i32;
    let made = set(object, size);
    let key = key(object);
    let work = move |count| {
        let mut values = [0_u16; 300];
        for _ in 0..count {
            let found = check(unsafe { libc::semget(key, 0, 0o600) });
            if checked {
                let mut status = [0_u64; 32];
                check(unsafe { libc::semctl(found, 0, libc::IPC_STAT, status.as_mut_ptr()) });
                check(unsafe { libc::semctl(found, 0, libc::GETALL, values.as_mut_ptr()) });
            }
        }
        Done::times(count)
    };
    (Box::new(work), Box::new(move || crate::ipc::remove_set(made)))
}

/// `sem_open`, `sem_close`
fn posix_semaphore(object: &str) -> (Work, Box<dyn FnOnce()>) {
    let name = CString::new(object).unwrap();
    let made = unsafe { libc::sem_open(name.as_ptr(), libc::O_CREAT, 0o600, 1) };
    assert!(made != libc::SEM_FAILED);
    check(unsafe { libc::sem_close(made) });
    let theirs = name.clone();
    let work = move |count| {
        for _ in 0..count {
            let opened = unsafe { libc::sem_open(name.as_ptr(), 0) };
            check(unsafe { libc::sem_close(opened) });
        }
        Done::times(count)
    };
    let cleanup = move || {
        unsafe { libc::sem_unlink(theirs.as_ptr()) };
    };
    (Box::new(work), Box::new(cleanup))
}

/// `shmget`, IPC_STAT, `shmat`, `shmdt`
fn sysv_memory(object: &str) -> (Work, Box<dyn FnOnce()>) {
    let key = key(object);
    let made = check(unsafe { libc::shmget(key, BYTES, libc::IPC_CREAT | 0o600) });
    let work = move |count| {
        for _ in 0..count {
            let found = check(unsafe { libc::shmget(key, 0, 0o600) });
            let mut status: libc::shmid_ds = unsafe { std::mem::zeroed() };
            check(unsafe { libc::shmctl(found, libc::IPC_STAT, &raw mut status) });
            let start = unsafe { libc::shmat(found, ptr::null(), 0) };
            assert!(start.addr() != usize::MAX);
            check(unsafe { libc::shmdt(start) });
        }
        Done::of(count, count * BYTES as u64)
    };
    let cleanup = move || {
        unsafe { libc::shmctl(made, libc::IPC_RMID, ptr::null_mut()) };
    };
    (Box::new(work), Box::new(cleanup))
}

/// `shm_open`, `fstat`, `mmap`, `munmap`, `close`
fn posix_memory(object: &str) -> (Work, Box<dyn FnOnce()>) {
    map(object, BYTES);
    let name = CString::new(object).unwrap();
    let work = move |count| {
        for _ in 0..count {
            let file = check(unsafe { libc::shm_open(name.as_ptr(), libc::O_RDWR, 0) });
            let mut status: libc::stat = unsafe { std::mem::zeroed() };
            check(unsafe { libc::fstat(file, &raw mut status) });
            let size = status.st_size as usize;
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let start = unsafe { libc::mmap(ptr::null_mut(), size, protection, libc::MAP_SHARED, file, 0) };
            assert!(start != libc::MAP_FAILED);
            check(unsafe { libc::munmap(start, size) });
            check(unsafe { libc::close(file) });
        }
        Done::of(count, count * BYTES as u64)
    };
    let object = object.to_owned();
    (Box::new(work), Box::new(move || unlink(&object)))
}
