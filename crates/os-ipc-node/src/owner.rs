//! The owner option of JavaScript: the users whose objects may be opened.

use napi::bindgen_prelude::Either;
use os_ipc::Owner;

/// A uid, or `'any'`.
pub(crate) fn owner_of(owner: &Option<Either<u32, String>>) -> Owner {
    match owner {
        None => Owner::Default,
        Some(Either::A(uid)) => Owner::Uid(*uid),
        Some(Either::B(_)) => Owner::Any,
    }
}
