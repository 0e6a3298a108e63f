//! Handlers for the end of the process by exit(3).

use super::module;

/// `atexit(act)`. False if there is no room for another handler.
///
/// A killed process runs no handlers, and neither does one that ends by `_exit`.
pub(crate) fn at_exit(act: extern "C" fn()) -> bool {
    // Otherwise the C library would call into memory that is gone.
    module::pin();
    // SAFETY: `act` is a function of this image, which stays.
    unsafe { libc::atexit(act) == 0 }
}
