//! The calls.

use std::ffi::CString;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set by who removes semaphores that threads of its own process wait for.
pub static REMOVING: AtomicBool = AtomicBool::new(false);

/// The length of the messages and copies.
pub const BYTES: usize = 146_000;

/// The key that os-ipc and the Go library make of a name: FNV-1a 32.
pub fn key(name: &str) -> i32 {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.cast_signed()
}

/// Ends the program where a call failed.
pub fn check(result: i32) -> i32 {
    assert!(result >= 0, "{}", std::io::Error::last_os_error());
    result
}

/// `semget`: the set of `count` semaphores of this name, made with zeros if there is none.
pub fn set(name: &str, count: i32) -> i32 {
    check(unsafe { libc::semget(key(name), count, libc::IPC_CREAT | 0o600) })
}

/// `semctl(IPC_RMID)`
pub fn remove_set(set: i32) {
    unsafe { libc::semctl(set, 0, libc::IPC_RMID) };
}

/// `semop` with one operation; a signal does not end it.
pub fn semop(set: i32, index: u16, operation: i16, flags: i32) -> bool {
    let mut buffer = libc::sembuf { sem_num: index, sem_op: operation, sem_flg: flags as i16 };
    loop {
        if unsafe { libc::semop(set, &raw mut buffer, 1) } == 0 {
            return true;
        }
        match std::io::Error::last_os_error().raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::EAGAIN) => return false,
            // The scene is over, and its semaphores are gone; where they are several, who removes them ends the process.
            Some(libc::EIDRM) if REMOVING.load(Ordering::SeqCst) => loop {
                std::thread::park();
            },
            Some(libc::EIDRM) => std::process::exit(0),
            other => panic!("semop: {other:?}"),
        }
    }
}

/// A second process that ends with this one.
pub fn fork(child: impl FnOnce()) -> i32 {
    let pid = check(unsafe { libc::fork() });
    if pid == 0 {
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        child();
        std::process::exit(0);
    }
    pid
}

/// Ends it.
pub fn end(pid: i32) {
    unsafe {
        libc::kill(pid, libc::SIGKILL);
        libc::waitpid(pid, ptr::null_mut(), 0);
    }
}

/// `shm_open` and `mmap`: an object of this name and size, new.
pub fn map(name: &str, size: usize) -> *mut u8 {
    let name = CString::new(name).unwrap();
    let file = check(unsafe { libc::shm_open(name.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600) });
    check(unsafe { libc::ftruncate(file, size as i64) });
    let start = unsafe {
        libc::mmap(ptr::null_mut(), size, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, file, 0)
    };
    assert!(start != libc::MAP_FAILED);
    unsafe { libc::close(file) };
    start.cast()
}

/// `shm_unlink`
pub fn unlink(name: &str) {
    let name = CString::new(name).unwrap();
    unsafe { libc::shm_unlink(name.as_ptr()) };
}

/// What `BYTES` bytes add up to.
pub fn sum(start: *const u8) -> u64 {
    (0..BYTES).map(|index| u64::from(unsafe { start.add(index).read_volatile() })).sum()
}

/// Memory of our own that starts so many bytes behind the start of a page.
pub fn own(offset: usize, size: usize) -> *mut u8 {
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            size + 2 * 4096,
            libc::PROT_READ | libc::PROT_WRITE,
            // Shared with what is forked, and with nobody else.
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    assert!(start != libc::MAP_FAILED);
    let start = unsafe { start.cast::<u8>().add(offset) };
    for index in 0..size {
        unsafe { start.add(index).write((index % 251) as u8) };
    }
    start
}
