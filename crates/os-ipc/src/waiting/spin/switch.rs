//! The switch that turns spinning off, for the whole process.

use std::sync::atomic::{AtomicBool, Ordering};

static SPINNING: AtomicBool = AtomicBool::new(true);

/// Whether the program itself has decided.
static DECIDED: AtomicBool = AtomicBool::new(false);

/// Allows waits to spin before they sleep, or forbids it.
pub fn set_spinning(allowed: bool) {
    DECIDED.store(true, Ordering::Relaxed);
    SPINNING.store(allowed, Ordering::Relaxed);
}

/// Does what [`set_spinning`] does, unless the program has called that: for a setting that later evaluations read again.
pub fn set_spinning_by_default(allowed: bool) {
    if !DECIDED.load(Ordering::Relaxed) {
        SPINNING.store(allowed, Ordering::Relaxed);
    }
}

/// Whether waits may spin before they sleep. They may, until a call forbids it.
#[must_use]
pub fn is_spinning() -> bool {
    SPINNING.load(Ordering::Relaxed)
}
