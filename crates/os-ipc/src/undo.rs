//! Whether this kernel gives back what a killed process took of System V semaphores.
//!
//! Linux does. gVisor accepts `SEM_UNDO` and ignores it, and filters of system calls refuse System V altogether. So
//! the first use asks the kernel itself: a child raises a semaphore with undo and ends.

use std::sync::{Mutex, PoisonError};

use crate::error::OsCode;
use crate::key::Key;
use crate::sys;
use crate::sys::access::own_uid;
use crate::sys::system_v::probe::refusal;
use crate::sys::system_v::undo_probe::{self as probe, Seen};

/// What the kernel does with the undos of System V semaphores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelUndo {
    /// It does them when a process dies.
    Works,
    /// It accepts them and forgets them.
    Ignored,
    /// System V semaphores are refused, by a filter or by a kernel that was built without them.
    Refused,
    /// This platform has no System V semaphores for us.
    Missing,
    /// The probe could not be made: no process or no set was to be had.
    Unknown(OsCode),
}

impl KernelUndo {
    /// Whether permits and locks of a dead process are taken to come back.
    ///
    /// [`Unknown`](Self::Unknown) counts as what every Linux kernel does: at a limit of processes or sets the kernel
    /// is most likely Linux, and locks that change their engine at such a moment would exclude nobody.
    #[must_use]
    pub fn is_trusted(self) -> bool {
        matches!(self, Self::Works | Self::Unknown(_))
    }

    /// Whether the calls are there, whatever becomes of undos.
    #[must_use]
    pub fn has_system_v(self) -> bool {
        !matches!(self, Self::Refused | Self::Missing)
    }
}

/// What this kernel does. The first call probes; the answer is kept for the process once it is known.
#[must_use]
pub fn kernel_undo() -> KernelUndo {
    static KNOWN: Mutex<Option<KernelUndo>> = Mutex::new(None);
    if !sys::system_v::semaphore::AVAILABLE {
        return KernelUndo::Missing;
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(undo) = *known {
        return undo;
    }
    let undo = meaning(look());
    if !matches!(undo, KernelUndo::Unknown(_)) {
        *known = Some(undo);
    }
    undo
}

/// The set that processes of one user share comes first: a process that is killed meanwhile leaves one set at most.
fn look() -> Result<Seen, OsCode> {
    /// Each time, another process of this user was about to end its probe.
    const TRIES: usize = 10;
    // A filter may let a set be made that the probe could not remove.
    for call in ["semget", "semop", "semctl"] {
        if let Some(errno) = refusal(call) {
            return Err(errno);
        }
    }
    let user = own_uid();
    for _ in 0..TRIES {
        match probe::with_key(Key::of_undo_probe(user).raw(), user) {
            Ok(Seen::Disturbed) => {}
            // A foreign set has the key, or a filter answers so: the private set tells which.
            Err(OsCode::EACCES) => break,
            seen => return seen,
        }
    }
    probe::with_private_set()
}

fn meaning(seen: Result<Seen, OsCode>) -> KernelUndo {
    match seen {
        Ok(Seen::Undone) => KernelUndo::Works,
        Ok(Seen::Stayed) => KernelUndo::Ignored,
        Ok(Seen::Disturbed) => KernelUndo::Unknown(OsCode::EIDRM),
        // What filters answer, and kernels without System V. Only a call on the set of another user fails so otherwise.
        Err(OsCode::EPERM | OsCode::EACCES | OsCode::ENOSYS) => KernelUndo::Refused,
        Err(errno) => KernelUndo::Unknown(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_limit_leaves_the_question_open() {
        assert_eq!(meaning(Ok(Seen::Stayed)), KernelUndo::Ignored);
        for refusal in [OsCode::EPERM, OsCode::EACCES, OsCode::ENOSYS] {
            assert!(!meaning(Err(refusal)).is_trusted());
            assert!(!meaning(Err(refusal)).has_system_v());
        }
        for limit in [OsCode::EAGAIN, OsCode::ENOSPC, OsCode::ENOMEM] {
            assert!(meaning(Err(limit)).is_trusted());
            assert!(meaning(Err(limit)).has_system_v());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_undoes_and_the_probe_leaves_nothing() {
        assert_eq!(kernel_undo(), KernelUndo::Works);
        let user = own_uid();
        assert_eq!(probe::with_private_set(), Ok(Seen::Undone));
        // What a process left that was killed in its probe.
        let _ = sys::system_v::semaphore::open_or_create(Key::of_undo_probe(user).raw(), 2, 0o600);
        // Probes at one time agree.
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(|| meaning(look()))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), KernelUndo::Works);
        }
        // Other tests of this process may be at their first use.
        let gone = || sys::system_v::semaphore::find(Key::of_undo_probe(user).raw()) == Err(OsCode::ENOENT);
        while !gone() {
            std::thread::yield_now();
        }
    }
}
