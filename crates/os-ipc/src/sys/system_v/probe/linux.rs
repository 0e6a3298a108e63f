//! Whether this process may make a system call of System V IPC: filters of containers and sandboxes refuse them.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;

use crate::error::OsCode;

use crate::sys::system_v::semaphore;

/// Makes the call `call` with arguments that do nothing, and returns the code of a refusal; `None` if it works.
///
/// A kernel that has the call and allows it answers `EINVAL` to every one of these: a set or segment of size 0, an id
/// below 0. `ENOSYS` means a kernel without System V IPC; any other code, a filter (seccomp(2)) or a security module.
pub(crate) fn refusal(call: &str) -> Option<OsCode> {
    let mut nothing = libc::sembuf { sem_num: 0, sem_op: 0, sem_flg: 0 };
    // An emulator (qemu-user) checks the pointer before the id, so IPC_STAT gets valid memory.
    let mut status = MaybeUninit::<libc::shmid_ds>::uninit();
    // SAFETY: `nothing` is one initialised sembuf and `status` has room for a shmid_ds; both outlive the call. The
    // others are given no memory to use.
    let answer: c_int = unsafe {
        match call {
            "semget" => libc::semget(libc::IPC_PRIVATE, 0, 0),
            "semop" => libc::semop(-1, &raw mut nothing, 1),
            "semtimedop" => semaphore::timed_with_nothing_to_do(),
            "semctl" => libc::semctl(-1, 0, libc::GETVAL),
            "shmget" => libc::shmget(libc::IPC_PRIVATE, 0, 0),
            "shmat" => {
                if libc::shmat(-1, ptr::null(), libc::SHM_RDONLY).addr() == usize::MAX {
                    -1
                } else {
                    0
                }
            }
            "shmctl" => libc::shmctl(-1, libc::IPC_STAT, status.as_mut_ptr()),
            _ => return None,
        }
    };
    match OsCode::result(answer) {
        Ok(_) | Err(OsCode::EINVAL | OsCode::EIDRM | OsCode::EINTR) => None,
        Err(errno) => Some(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_host_refuses_no_call() {
        for call in ["semget", "semop", "semtimedop", "semctl", "shmget", "shmat", "shmctl", "no such call"] {
            assert_eq!(refusal(call), None, "{call}");
        }
    }
}
