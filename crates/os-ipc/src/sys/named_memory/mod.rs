//! POSIX shared memory.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_vendor = "apple", path = "darwin.rs")]
mod imp;
mod types;

use std::fs::File;
use std::io::{Seek, SeekFrom};

pub(crate) use imp::*;
pub(crate) use types::Status;

/// An open object.
pub(crate) type Handle = File;

/// `lseek(file, 0, SEEK_END)`: the size, in half the time of fstat; `None` where the call does not work (darwin).
pub(crate) fn size_now(mut file: &Handle) -> Option<u64> {
    file.seek(SeekFrom::End(0)).ok()
}
