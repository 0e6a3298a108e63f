//! POSIX shared memory on darwin: shm_open(2) and a descriptor that can be mapped, and little more.
//!
//! XNU's `posix_shm.c`: ftruncate sizes an object once and rounds up to pages; fchmod, read and write fail; fstat fills
//! in owner, mode and size, and no identity. Names are not files, so no file can be planted and no link followed.

use std::fs::File;
use std::os::unix::fs::MetadataExt;

use nix::fcntl::OFlag;
use nix::sys::mman::{shm_open, shm_unlink};
use nix::sys::stat::Mode;

use super::types::{Space, Status};
use crate::name::Name;
use crate::sys::failure::{Failure, Refusal};

/// `shm_open(name, O_CREAT | O_EXCL | O_RDWR, mode)` and `ftruncate`: until then an opener sees size 0.
///
/// The umask removes bits of `mode`, and no call can set them again.
pub(crate) fn create(name: &Name, size: u64, mode: u32) -> Result<File, Failure> {
    let bits = libc::mode_t::try_from(mode & 0o777).unwrap_or(0o600);
    let flags = OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_RDWR;
    let file = shm_open(name.as_c_str(), flags, Mode::from_bits_truncate(bits));
    let file = File::from(file.map_err(|errno| Failure("shm_open", errno.into()))?);
    file.set_len(size).map_err(|error| {
        // The caller gets the error of the creation, even if the removal fails too.
        let _ = shm_unlink(name.as_c_str());
        Failure("ftruncate", error.into())
    })?;
    Ok(file)
}

/// `shm_open(name, O_RDWR or O_RDONLY)` and `fstat`
pub(crate) fn open(name: &Name, writable: bool) -> Result<(File, Status), Refusal> {
    let access = if writable { OFlag::O_RDWR } else { OFlag::O_RDONLY };
    let file = shm_open(name.as_c_str(), access, Mode::empty());
    let file = File::from(file.map_err(|errno| Failure("shm_open", errno.into()))?);
    let status = status(&file)?;
    Ok((file, status))
}

/// `fstat(file)`
pub(crate) fn status(file: &File) -> Result<Status, Failure> {
    let metadata = file.metadata().map_err(|error| Failure("fstat", error.into()))?;
    let (uid, gid, mode, size) = (metadata.uid(), metadata.gid(), metadata.mode(), metadata.size());
    Ok(Status::of(&metadata, Identity { uid, gid, mode, size }, None))
}

/// `shm_unlink(name)`
///
/// `ENOENT` means that there was none.
pub(crate) fn unlink(name: &Name) -> Result<(), Failure> {
    shm_unlink(name.as_c_str()).map_err(|errno| Failure("shm_unlink", errno.into()))
}

/// Objects are not files, so they have no lock: a removal can meet an object that took the name a moment before.
pub(crate) fn keep_name(_name: &Name) -> Option<()> {
    None
}

/// The identity of an object among those of the same name, as far as the system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    uid: u32,
    gid: u32,
    mode: u32,
    size: u64,
}

/// `shm_open(name, O_RDONLY)` and `fstat`: the identity of the object that has this name now.
pub(crate) fn named(name: &Name) -> Result<Identity, Failure> {
    let file = shm_open(name.as_c_str(), OFlag::O_RDONLY, Mode::empty());
    let file = File::from(file.map_err(|errno| Failure("shm_open", errno.into()))?);
    Ok(status(&file)?.identity)
}

/// darwin cannot list its objects.
#[allow(clippy::unnecessary_wraps, reason = "the same face as that of Linux")]
pub(crate) fn names() -> Result<Vec<Name>, Failure> {
    Ok(Vec::new())
}

/// darwin has no limit but memory.
pub(crate) fn space() -> Option<Space> {
    None
}
