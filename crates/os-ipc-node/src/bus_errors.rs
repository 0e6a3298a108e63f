//! The program's own handlers of SIGBUS.
//!
//! If a peer truncates an object, JavaScript that reads its `ArrayBuffer` raises SIGBUS. `process.on('SIGBUS')` replaces the
//! addon's handler with one that changes nothing, so that the same read would fail for ever; `process.off` replaces it
//! with the default, which ends the process.

#![allow(unsafe_code, reason = "Node-API's own functions: napi-rs has no listener that coerces nothing")]

use std::ptr;

use napi::sys;

use crate::exit::listen;

/// Lets the process's own `process` report its listeners: by then Node has installed or removed its handler.
///
/// # Safety
/// - This is the thread of `env`.
pub(crate) unsafe fn listen_for_handlers(env: sys::napi_env) {
    for event in [c"newListener", c"removeListener"] {
        // SAFETY: the caller's. Without such a `process`, the handler is renewed only before copies.
        unsafe { listen(env, c"on", event, on_listener) };
    }
}

/// It does not check the event of the listener: to renew the handler costs less, and few listeners are added.
unsafe extern "C" fn on_listener(_: sys::napi_env, _: sys::napi_callback_info) -> sys::napi_value {
    os_ipc::renew_bus_guard();
    ptr::null_mut()
}
