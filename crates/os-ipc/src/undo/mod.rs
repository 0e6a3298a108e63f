//! Whether this kernel gives back what a killed process took of System V semaphores.
//!
//! Linux does. gVisor accepts `SEM_UNDO` and ignores it, and filters of system calls refuse System V altogether. So
//! the first use asks the kernel itself: a child raises a semaphore with undo and ends.

#[cfg(system_v_semaphores)]
mod asked;

use crate::error::OsCode;

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
    #[cfg(system_v_semaphores)]
    return asked::kernel_undo();
    #[cfg(not(system_v_semaphores))]
    KernelUndo::Missing
}
