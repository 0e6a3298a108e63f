//! The guard of a ledger: one process at a time has it, and it ends with its holder.
//!
//! | file | holds |
//! |---|---|
//! | `unix` | flock(2) on the ledger's file |
//! | `windows` | a named mutex |

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

pub(crate) use imp::{Guard, Held};
