//! The probe of the kernel, where the platform has System V semaphores.

use std::sync::{Mutex, PoisonError};

use super::KernelUndo;
use crate::error::OsCode;
use crate::key::Key;
use crate::sys::access::own_uid;
use crate::sys::system_v::probe::refusal;
use crate::sys::system_v::undo_probe::{self as probe, Seen};

/// The behaviour of this kernel. The first call probes; a known answer is kept for the process.
pub(super) fn kernel_undo() -> KernelUndo {
    static KNOWN: Mutex<Option<KernelUndo>> = Mutex::new(None);
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

/// Tries the set that the processes of one user share first: a process that is killed meanwhile leaves at most one set.
fn look() -> Result<Seen, OsCode> {
    /// The most tries. A try fails when another process of this user is about to end its probe.
    const TRIES: usize = 10;
    // A filter may allow making a set that the probe could not remove.
    for call in ["semget", "semop", "semctl"] {
        if let Some(errno) = refusal(call) {
            return Err(errno);
        }
    }
    let user = own_uid();
    for _ in 0..TRIES {
        match probe::with_key(Key::of_undo_probe(user).raw(), user) {
            Ok(Seen::Disturbed) => {}
            // Another program's set has the key, or a filter refuses the call: the private set tells which.
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
        // Filters and kernels without System V answer so. Other causes would need a set of another user.
        Err(OsCode::EPERM | OsCode::EACCES | OsCode::ENOSYS) => KernelUndo::Refused,
        Err(errno) => KernelUndo::Unknown(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::system_v::semaphore;

    #[test]
    fn only_a_limit_makes_the_answer_unknown() {
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

    #[test]
    fn linux_undoes_and_the_probe_leaves_nothing_behind() {
        assert_eq!(kernel_undo(), KernelUndo::Works);
        let user = own_uid();
        assert_eq!(probe::with_private_set(), Ok(Seen::Undone));
        // The set of a process that was killed in its probe.
        let _ = semaphore::open_or_create(Key::of_undo_probe(user).raw(), 2, 0o600);
        // Simultaneous probes agree.
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(|| meaning(look()))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), KernelUndo::Works);
        }
        // Other tests of this process may probe right now.
        let gone = || semaphore::find(Key::of_undo_probe(user).raw()) == Err(OsCode::ENOENT);
        while !gone() {
            std::thread::yield_now();
        }
    }
}
