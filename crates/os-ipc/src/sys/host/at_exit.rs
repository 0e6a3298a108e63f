//! What is to be done when the process ends by exit(3).

use super::module;

/// `atexit(act)`. False where there is no room for one more.
///
/// A killed process does nothing, and one that ends by `_exit` neither.
pub(crate) fn at_exit(act: extern "C" fn()) -> bool {
    // The C library would call into memory that is gone.
    module::pin();
    // SAFETY: `act` is a function of this image, which stays.
    unsafe { libc::atexit(act) == 0 }
}
