//! The host and this process in it, on Windows.

use std::ffi::{CStr, c_int};
use std::sync::atomic::AtomicUsize;

use crate::error::OsCode;

/// Never runs `act`: at the end of a process, Windows calls a DLL only after the other threads were killed.
pub(crate) fn at_exit(_act: extern "C" fn()) -> bool {
    false
}

/// A clock that all processes of the host share.
pub(crate) mod clock {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        safe fn GetTickCount64() -> u64;
    }

    /// `GetTickCount64()`: microseconds since the host started.
    pub(crate) fn microseconds() -> u64 {
        GetTickCount64() * 1000
    }
}

/// This library's own image in memory.
pub(crate) mod module {
    use std::ffi::c_void;
    use std::ptr;
    use std::sync::Once;

    const FROM_ADDRESS: u32 = 4;
    const PIN: u32 = 1;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
    }

    /// `GetModuleHandleExW(PIN | FROM_ADDRESS)`: keeps this image mapped until the process ends.
    pub(crate) fn pin() {
        static PINNED: Once = Once::new();
        PINNED.call_once(|| {
            let mut module = ptr::null_mut();
            // SAFETY: the address is of a function of this image, and `module` outlives the call.
            unsafe { GetModuleHandleExW(PIN | FROM_ADDRESS, pin as *const c_void, &raw mut module) };
        });
    }
}

/// What this process uses, for all copies of this library in it: a process of Windows never becomes another program.
pub(crate) mod in_use {
    /// Nothing has to be entered.
    pub(crate) struct InUse;

    impl InUse {
        pub(crate) fn enter(_number: i32) -> Self {
            Self
        }
    }

    /// Nothing is entered, so nothing needs a number.
    pub(crate) fn number_of(_identity: u64) -> i32 {
        0
    }

    /// Never runs `act`: no earlier program of this process left anything.
    pub(crate) fn unless_in_use(_number: i32, _act: impl FnOnce()) {}
}

/// The system does not tell which thread was the first.
pub(crate) fn is_on_first_thread() -> bool {
    false
}

/// libuv has no file on Windows that shows whether there is work.
pub(crate) fn is_readable(_fd: c_int) -> bool {
    false
}

/// The register of this copy: the copies do not search for each other yet.
pub(crate) fn pool_threads_taken() -> &'static AtomicUsize {
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    &TAKEN
}

/// `ENOSYS`: Windows has no ftok(3).
pub(crate) fn ftok(_path: &CStr, _project_id: u8) -> Result<i32, OsCode> {
    Err(OsCode::ENOSYS)
}
