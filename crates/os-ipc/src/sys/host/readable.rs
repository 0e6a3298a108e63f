//! Whether a file has something to read.

use std::ffi::c_int;

/// `poll({fd, POLLIN}, 1, 0)`
///
/// A file that cannot be polled, such as a closed one, counts as having nothing to read.
pub(crate) fn is_readable(fd: c_int) -> bool {
    let mut asked = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: `asked` is one initialised pollfd that outlives the call, and the count passed is 1.
    unsafe { libc::poll(&raw mut asked, 1, 0) == 1 }
}
