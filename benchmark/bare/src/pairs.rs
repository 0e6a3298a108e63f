//! Taking a unit and giving it back.

use std::ffi::CString;

use crate::ipc::{remove_set, semop, set};
use crate::{Done, Work};

pub fn system_v(object: &str, undo: i32) -> (Work, Box<dyn FnOnce()>) {
    let set = set(object, 1);
    semop(set, 0, 1, 0);
    let work = move |count| {
        let mut taken = 0;
        for _ in 0..count {
            taken += u64::from(semop(set, 0, -1, libc::IPC_NOWAIT | undo));
            semop(set, 0, 1, libc::IPC_NOWAIT | undo);
        }
        Done::of(count, taken)
    };
    (Box::new(work), Box::new(move || remove_set(set)))
}

pub fn posix(object: &str) -> (Work, Box<dyn FnOnce()>) {
    let name = CString::new(object).unwrap();
    let semaphore = unsafe { libc::sem_open(name.as_ptr(), libc::O_CREAT, 0o600, 1) };
    assert!(semaphore != libc::SEM_FAILED);
    let work = move |count| {
        let mut taken = 0;
        for _ in 0..count {
            taken += u64::from(unsafe { libc::sem_trywait(semaphore) } == 0);
            unsafe { libc::sem_post(semaphore) };
        }
        Done::of(count, taken)
    };
    let cleanup = move || {
        unsafe { libc::sem_unlink(name.as_ptr()) };
    };
    (Box::new(work), Box::new(cleanup))
}

/// One of many processes; the first one makes the unit.
pub fn contended(object: &str, undo: i32) -> (Work, Box<dyn FnOnce()>) {
    let key = crate::ipc::key(object);
    let set = unsafe { libc::semget(key, 1, libc::IPC_CREAT | libc::IPC_EXCL | 0o600) };
    let set = if set >= 0 {
        semop(set, 0, 1, 0);
        set
    } else {
        crate::ipc::set(object, 1)
    };
    let work = move |count| {
        for _ in 0..count {
            semop(set, 0, -1, undo);
            semop(set, 0, 1, undo);
        }
        Done::times(count)
    };
    (Box::new(work), Box::new(move || remove_set(set)))
}
