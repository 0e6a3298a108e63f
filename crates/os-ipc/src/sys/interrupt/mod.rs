//! Interrupts: they bring a thread back from a blocking system call.
//!
//! On Unix an interrupt is a signal. A signal that arrives just before the call has no effect, so it is repeated until
//! the thread has seen it (`retry`).
//!
//! | file | holds |
//! |---|---|
//! | `unix` | [`Interrupt`], the same for the real signal and the model checker's |
//! | `retry` | the thread that repeats signals |
//! | `signal` | SIGURG and its handler |
//! | `signal_model` | the signal and the kernel of the model checker |
//! | `windows` | [`Interrupt`] where there are no signals |

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;
#[cfg(unix)]
mod retry;
#[cfg(unix)]
#[cfg_attr(loom, path = "signal_model.rs")]
pub(crate) mod signal;

pub(crate) use imp::Interrupt;
#[cfg(windows)]
pub(crate) use imp::block_other_signals;
#[cfg(windows)]
pub(in crate::sys) use imp::sleep;
#[cfg(all(unix, not(loom)))]
pub(crate) use signal::block_other_signals;
