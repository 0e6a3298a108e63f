//! The switch that turns spinning off.

use napi_derive::napi;

/// Whether waits may spin before they sleep.
#[napi]
pub fn spins() -> bool {
    os_ipc::is_spinning()
}

/// Allows it or forbids it, for the whole process.
#[napi]
pub fn set_spin(allowed: bool) {
    os_ipc::set_spinning(allowed);
}

/// `setSpin(false)`, unless the program has called that.
#[napi]
pub fn forbid_spin_by_default() {
    os_ipc::set_spinning_by_default(false);
}
