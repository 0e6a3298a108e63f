//! Errors that leave this module, with what can be found out about their semaphore.

use super::{Backend, SemaphoreId};
use crate::error::{Error, Remedy};
use crate::hints::posix::Wanted;
use crate::hints::{posix, system_v};
use crate::name::Name;
use crate::sys::named_semaphore::FILE_SIZE;
use crate::sys::shm_folder;
use crate::sys::system_v::semaphore::{self as sysv_sem, SetId};

pub(super) fn opening(error: Error, id: &SemaphoreId) -> Error {
    explained(error, id, Wanted::Open)
}

pub(super) fn making(error: Error, id: &SemaphoreId) -> Error {
    explained(error, id, Wanted::Make(FILE_SIZE))
}

pub(super) fn removing(error: Error, id: &SemaphoreId) -> Error {
    explained(error, id, Wanted::Remove)
}

pub(super) fn removing_set(error: Error, set: SetId) -> Error {
    system_v::set(error, system_v::By::Id(set.raw()), || None)
}

pub(super) fn removing_posix(error: Error, name: &Name) -> Error {
    posix::semaphore(error, name, Wanted::Remove, || None)
}

fn explained(error: Error, id: &SemaphoreId, wanted: Wanted) -> Error {
    match (id.backend(), id.name_of_posix(), id.set_name()) {
        (Backend::SystemV, name, Ok(set)) => {
            let posix = || {
                shm_folder::semaphore(name.ok()?)?;
                Some((
                    "no System V semaphore has this name, but a POSIX one does: open that one",
                    Remedy::Posix,
                ))
            };
            system_v::set(error, system_v::By::Key(set.key().raw()), posix)
        }
        (Backend::Posix, Ok(name), _) => posix::semaphore(error, name, wanted, || {
            sysv_sem::find_any(crate::key::Key::of_name(name).ok()?.raw()).ok()?;
            Some((
                "no POSIX semaphore has this name, but a System V one does: open that one",
                Remedy::SystemV,
            ))
        }),
        _ => error,
    }
}
