//! The processes whose deaths end a sleep.
//!
//! | file | holds |
//! |---|---|
//! | `linux` | a few pidfds, or an epoll(7) for many |
//! | `list` | one descriptor or handle a process |

#[cfg_attr(all(not(loom), target_os = "linux"), path = "linux.rs")]
#[cfg_attr(any(loom, not(target_os = "linux")), path = "list.rs")]
mod imp;

pub(crate) use imp::Watches;
