//! Shared memory that has a name: POSIX objects, and file mappings of Windows.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(target_vendor = "apple", path = "darwin.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;
#[cfg(unix)]
mod types;

#[cfg(unix)]
use std::fs::File;
#[cfg(unix)]
use std::io::{Seek, SeekFrom};

pub(crate) use imp::*;
#[cfg(unix)]
pub(crate) use types::Status;

/// An open object.
#[cfg(unix)]
pub(crate) type Handle = File;

/// `lseek(file, 0, SEEK_END)`: the size, in half the time of fstat; `None` where the call does not work (darwin).
#[cfg(unix)]
pub(crate) fn size_now(mut file: &Handle) -> Option<u64> {
    file.seek(SeekFrom::End(0)).ok()
}
