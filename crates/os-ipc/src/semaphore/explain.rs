//! What else has a name, where nothing of the backend that was asked has it.

use super::{Backend, SemaphoreId};
use crate::error::Remedy;

/// A hint that names the other backend.
pub(super) fn elsewhere(id: &SemaphoreId) -> Option<(String, Remedy)> {
    let (asked, name) = (id.backend(), id.given_name()?);
    let has_it = |other: &Backend| *other != asked && other.engine().is_some_and(|engine| engine.has(name));
    let other = Backend::ALL.into_iter().find(has_it)?;
    let hint = format!("no {asked} semaphore has this name, but a {other} semaphore has: open that one");
    Some((hint, other.remedy()))
}
