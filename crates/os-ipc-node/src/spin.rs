//! The switch that turns spinning off.

use std::env;

use napi_derive::napi;

const VARIABLE: &str = "OS_IPC_SPIN";

/// Whether waits may spin before they sleep.
#[napi]
pub fn spins() -> bool {
    os_ipc::is_spinning()
}

/// Sets whether waits may spin, for the whole process.
#[napi]
pub fn set_spin(allowed: bool) {
    os_ipc::set_spinning(allowed);
}

/// Turns spinning off if `OS_IPC_SPIN=0` is set, unless the program has decided. Every session reads the variable again.
pub(crate) fn read_environment(in_worker: bool) {
    // The main thread can change the environment while a worker reads it.
    let variable = if in_worker { os_ipc::variable_at_start(VARIABLE) } else { env::var(VARIABLE).ok() };
    if variable.as_deref() == Some("0") {
        os_ipc::set_spinning_by_default(false);
    }
}
