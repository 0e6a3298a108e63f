//! Files that processes lock with flock(2), in a folder of the user.

#[path = "unix.rs"]
mod imp;

pub(crate) use imp::*;
