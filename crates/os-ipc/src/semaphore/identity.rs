//! Which semaphore a handle had open, for when the handle is gone.

use super::{SemaphoreId, explain, posix, system_v};
use crate::error::Result;
use crate::name::Name;
use crate::sys::file_identity::FileIdentity;
use crate::sys::system_v::semaphore::SetId;

/// One semaphore, and none that takes its name after it.
#[derive(Clone, Debug)]
pub struct SemaphoreIdentity(Identity);

#[derive(Clone, Debug)]
enum Identity {
    SystemV(SetId, SemaphoreId),
    /// `None` where nothing tells one semaphore from another of the same name.
    Posix(Name, Option<FileIdentity>),
}

impl SemaphoreIdentity {
    pub(super) fn system_v(set: SetId, opened_by: &SemaphoreId) -> Self {
        Self(Identity::SystemV(set, opened_by.clone()))
    }

    pub(super) fn posix(name: &Name, file: Option<FileIdentity>) -> Self {
        Self(Identity::Posix(name.clone(), file))
    }

    /// [`Semaphore::unlink`](super::Semaphore::unlink); it is no error when the semaphore was removed before.
    pub fn remove(&self) -> Result<()> {
        match &self.0 {
            Identity::SystemV(set, opened_by) => {
                system_v::remove_set(*set, opened_by).map_err(|error| explain::removing_set(error, *set))
            }
            Identity::Posix(name, file) => {
                posix::remove_file(name, *file).map_err(|error| explain::removing_posix(error, name))
            }
        }
    }
}
