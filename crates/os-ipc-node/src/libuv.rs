//! The loop of libuv, and the moment before its sleep.
//!
//! <https://docs.libuv.org/en/v1.x/prepare.html>

#![allow(unsafe_code, reason = "libuv's functions: Node-API leads to the loop and no further")]

use std::ffi::c_int;

#[cfg(unix)]
use libloading::os::unix::Library;
#[cfg(windows)]
use libloading::os::windows::Library;
use napi::sys::uv_loop_s;

/// `UV_IDLE` and `UV_PREPARE` of `uv_handle_type`.
const IDLE: c_int = 6;
const PREPARE: c_int = 9;

type Handle = *mut u64;

/// The type of a callback of libuv.
pub(crate) type Callback = unsafe extern "C" fn(Handle);

type Init = unsafe extern "C" fn(*mut uv_loop_s, Handle) -> c_int;
type Start = unsafe extern "C" fn(Handle, Callback) -> c_int;
type Stop = unsafe extern "C" fn(Handle) -> c_int;

/// libuv's functions, looked up by name: not every runtime with Node-API has them.
struct Functions {
    prepare_start: Start,
    prepare_stop: Stop,
    idle_start: Start,
    idle_stop: Stop,
    close: unsafe extern "C" fn(Handle, Option<Callback>),
    update_time: unsafe extern "C" fn(*mut uv_loop_s),
    backend_timeout: unsafe extern "C" fn(*const uv_loop_s) -> c_int,
    backend_fd: unsafe extern "C" fn(*const uv_loop_s) -> c_int,
}

/// The loop of one thread; only that thread uses it.
pub(crate) struct Loop {
    functions: Functions,
    raw: *mut uv_loop_s,
    /// A `uv_prepare_t` and a `uv_idle_t`. They are never freed: libuv may still use them after its loop has run for the last
    /// time.
    prepare: Handle,
    idle: Handle,
}

/// The running program, which exports libuv's functions.
#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "not every platform has what the loop needs")]
fn program() -> Option<Library> {
    Some(Library::this())
}

/// On Windows the loop has no file that shows whether there is work.
#[cfg(windows)]
fn program() -> Option<Library> {
    None
}

impl Loop {
    /// # Safety
    /// - `uv_loop` is the loop of this thread, of libuv 1.
    pub(crate) unsafe fn of(uv_loop: *mut uv_loop_s) -> Option<Self> {
        let program = program()?;
        // SAFETY: these are the functions of <uv.h>, and libuv 1 keeps their types.
        unsafe {
            let handle_size: unsafe extern "C" fn(c_int) -> usize = *program.get(b"uv_handle_size").ok()?;
            let unref: unsafe extern "C" fn(Handle) = *program.get(b"uv_unref").ok()?;
            let prepare_init: Init = *program.get(b"uv_prepare_init").ok()?;
            let idle_init: Init = *program.get(b"uv_idle_init").ok()?;
            let functions = Functions {
                prepare_start: *program.get(b"uv_prepare_start").ok()?,
                prepare_stop: *program.get(b"uv_prepare_stop").ok()?,
                idle_start: *program.get(b"uv_idle_start").ok()?,
                idle_stop: *program.get(b"uv_idle_stop").ok()?,
                close: *program.get(b"uv_close").ok()?,
                update_time: *program.get(b"uv_update_time").ok()?,
                backend_timeout: *program.get(b"uv_backend_timeout").ok()?,
                backend_fd: *program.get(b"uv_backend_fd").ok()?,
            };
            let handle = |init: Init, kind| {
                let words = handle_size(kind).div_ceil(size_of::<u64>());
                let handle = Box::leak(vec![0_u64; words].into_boxed_slice()).as_mut_ptr();
                init(uv_loop, handle);
                // It keeps no process alive: pending waits do.
                unref(handle);
                handle
            };
            let (prepare, idle) = (handle(prepare_init, PREPARE), handle(idle_init, IDLE));
            Some(Self { functions, raw: uv_loop, prepare, idle })
        }
    }

    /// Calls `callback` in every turn, before the loop sleeps or asks for events of its files.
    pub(crate) fn call_before_sleep(&self, callback: Callback) {
        // SAFETY: the handle was initialised, and this is its loop's thread.
        unsafe { (self.functions.prepare_start)(self.prepare, callback) };
    }

    /// Ends the calls.
    pub(crate) fn call_nobody(&self) {
        // SAFETY: as above.
        unsafe { (self.functions.prepare_stop)(self.prepare) };
    }

    /// Keeps the loop from sleeping in this turn.
    pub(crate) fn stay_awake(&self) {
        // SAFETY: as above.
        unsafe { (self.functions.idle_start)(self.idle, nothing) };
    }

    /// Lets the loop sleep.
    pub(crate) fn allow_sleep(&self) {
        // SAFETY: as above.
        unsafe { (self.functions.idle_stop)(self.idle) };
    }

    /// Whether the loop would sleep now, for at least a millisecond.
    pub(crate) fn would_sleep(&self) -> bool {
        // SAFETY: the loop is this thread's and runs.
        let (timeout, fd) = unsafe {
            (self.functions.update_time)(self.raw);
            ((self.functions.backend_timeout)(self.raw), (self.functions.backend_fd)(self.raw))
        };
        timeout != 0 && !os_ipc::is_readable(fd)
    }

    /// Closes both handles: nothing is called any more.
    pub(crate) fn close(self) {
        for handle in [self.prepare, self.idle] {
            // SAFETY: the handle was initialised and is closed once, and this is its loop's thread.
            unsafe { (self.functions.close)(handle, None) };
        }
    }
}

/// The callback of the idle handle, whose existence alone keeps the loop from sleeping.
unsafe extern "C" fn nothing(_: Handle) {}
