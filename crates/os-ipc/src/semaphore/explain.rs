//! What else has a name, where nothing of the backend that was asked has it.

use super::{Backend, SemaphoreId};

/// A hint that names the other backend.
pub(super) fn elsewhere(id: &SemaphoreId) -> Option<String> {
    let (asked, name) = (id.backend(), id.given_name()?);
    let has_it = |other: &Backend| *other != asked && other.engine().is_some_and(|engine| engine.has(name));
    let other = Backend::ALL.into_iter().find(has_it)?;
    Some(format!("none of {asked} has this name, but one of {other} does: use `backend: '{}'`", other.name()))
}
