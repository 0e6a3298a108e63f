//! The moment before the process exits.
//!
//! libuv waits for its pool when the process exits, and no cleanup hook runs then; a listener of `process` does, even
//! after an uncaught error.

#![allow(unsafe_code, reason = "Node-API's own functions: they report whether a call succeeded")]

use std::cell::Cell;
use std::ffi::CStr;
use std::ptr;

use napi::bindgen_prelude::Env;
use napi::sys;
use napi_derive::napi;
use os_ipc::LockEngine;

use crate::bus_errors;
use crate::environment::{self, Environment};

thread_local! {
    /// The environment whose `process` calls this thread.
    static LISTENS: Cell<sys::napi_env> = const { Cell::new(ptr::null_mut()) };
}

/// Registers [`before_exit`] with the process's own `process`: once for each thread, however many evaluations there are.
///
/// Not with the `process` that `lib/` sees: Jest gives a copy to every test file, and the copy has no exit event. False if
/// the registration fails.
#[napi]
pub fn listen_for_exit(env: Env) -> bool {
    if LISTENS.get().is_null() {
        // SAFETY: this is the thread of `env`.
        if !unsafe { listen(env.raw(), c"prependListener", c"exit", on_exit) } {
            return false;
        }
        // SAFETY: as above.
        unsafe { bus_errors::listen_for_handlers(env.raw()) };
        LISTENS.set(env.raw());
    }
    true
}

/// The environment ends, and its `process` with it.
pub(crate) fn forget(env: sys::napi_env) {
    if LISTENS.get() == env {
        LISTENS.set(ptr::null_mut());
    }
}

/// `process[method](event, callback)`; the listener of the exit goes first, since a listener that throws ends the round.
///
/// # Safety
/// - This is the thread of `env`.
pub(crate) unsafe fn listen(
    env: sys::napi_env,
    method: &CStr,
    event: &CStr,
    callback: unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value,
) -> bool {
    let (mut global, mut process, mut function) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    let (mut name, mut listener, mut thrown) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    let ok = |status| status == sys::Status::napi_ok;
    // SAFETY: the caller's; the places outlive the calls.
    unsafe {
        let listens = ok(sys::napi_get_global(env, &raw mut global))
            && ok(sys::napi_get_named_property(env, global, c"process".as_ptr(), &raw mut process))
            && ok(sys::napi_get_named_property(env, process, method.as_ptr(), &raw mut function))
            && ok(sys::napi_create_string_utf8(
                env,
                event.as_ptr(),
                event.count_bytes().cast_signed(),
                &raw mut name,
            ))
            && ok(sys::napi_create_function(
                env,
                ptr::null(),
                0,
                Some(callback),
                ptr::null_mut(),
                &raw mut listener,
            ))
            && ok(sys::napi_call_function(
                env,
                process,
                function,
                2,
                [name, listener].as_ptr(),
                ptr::null_mut(),
            ));
        if !listens {
            sys::napi_get_and_clear_last_exception(env, &raw mut thrown);
        }
        listens
    }
}

unsafe extern "C" fn on_exit(_: sys::napi_env, _: sys::napi_callback_info) -> sys::napi_value {
    before_exit();
    ptr::null_mut()
}

/// Before the exit of the process, where no cleanup hook runs: does the hooks' work, as far as the kernel does not.
///
/// If the process does not exit after all, the sessions learn of it in a later turn of the event loop: a rejection here
/// would end the process with an error.
#[napi]
pub fn before_exit() {
    os_ipc::leave_pool();
    environment::with_all(Environment::before_exit);
    LockEngine::before_exit();
}

impl Environment {
    /// Ends the waits; locks and permits stay held until the end.
    fn before_exit(&mut self) {
        for session in &mut self.sessions {
            for lock in self.locks.of(session.number) {
                lock.withdraw(&session.mailbox);
            }
            for waitable in self.waitables.of(session.number) {
                waitable.withdraw(&session.mailbox);
            }
            session.left = true;
            session.tell(&self.wakeup);
        }
        for waitable in self.waitables.iter() {
            waitable.before_exit();
        }
    }
}
