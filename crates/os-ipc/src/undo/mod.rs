//! Whether this kernel gives back the System V semaphores of a killed process.
//!
//! Linux does. gVisor accepts `SEM_UNDO` and ignores it, and filters of system calls refuse System V altogether. So
//! the first use tests the kernel: a child process raises a semaphore with undo and ends.

#[cfg(system_v_semaphores)]
mod asked;

use crate::error::OsCode;

/// The behaviour of the kernel for undos of System V semaphores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelUndo {
    /// The kernel undoes them when a process dies.
    Works,
    /// The kernel accepts undos and forgets them.
    Ignored,
    /// The kernel refuses System V semaphores, by a filter or because it was built without them.
    Refused,
    /// The library does not use System V semaphores on this platform.
    Missing,
    /// The probe failed: a process or a set could not be created.
    Unknown(OsCode),
}

impl KernelUndo {
    /// Whether the library trusts the kernel to free permits and locks of a dead process.
    ///
    /// [`Unknown`](Self::Unknown) counts as trusted: at a limit of processes or sets the kernel is most likely Linux,
    /// and two engines of locks in use at once would exclude nothing.
    #[must_use]
    pub fn is_trusted(self) -> bool {
        matches!(self, Self::Works | Self::Unknown(_))
    }

    /// Whether the calls exist, with or without undo.
    #[must_use]
    pub fn has_system_v(self) -> bool {
        !matches!(self, Self::Refused | Self::Missing)
    }
}

/// The behaviour of this kernel. The first call probes; a known answer is kept for the process.
#[must_use]
pub fn kernel_undo() -> KernelUndo {
    #[cfg(system_v_semaphores)]
    return asked::kernel_undo();
    #[cfg(not(system_v_semaphores))]
    KernelUndo::Missing
}
