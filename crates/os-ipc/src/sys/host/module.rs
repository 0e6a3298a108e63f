//! This library's own image in memory.

use std::sync::Once;

/// `dladdr` and `dlopen(RTLD_NOLOAD | RTLD_NODELETE)`: keeps this image mapped until the process ends.
///
/// A worker that alone has loaded the addon unloads it at its end, under the threads that still run in it.
pub(crate) fn pin() {
    static PINNED: Once = Once::new();
    PINNED.call_once(|| {
        // SAFETY: dladdr fills in `image` or returns 0; the path it gives belongs to the loader and stays valid.
        // RTLD_NOLOAD only changes the flags of what is loaded already. In a program (no library) both are harmless.
        unsafe {
            let mut image: libc::Dl_info = std::mem::zeroed();
            if libc::dladdr(pin as *const libc::c_void, &raw mut image) != 0 && !image.dli_fname.is_null() {
                libc::dlopen(image.dli_fname, libc::RTLD_NOW | libc::RTLD_NOLOAD | RTLD_NODELETE);
            }
        }
    });
}

/// Missing in `libc` for some targets; the number is the same in glibc and musl (dlfcn.h).
#[cfg(target_os = "linux")]
pub(super) const RTLD_NODELETE: libc::c_int = 0x1000;
#[cfg(not(target_os = "linux"))]
pub(super) use libc::RTLD_NODELETE;
