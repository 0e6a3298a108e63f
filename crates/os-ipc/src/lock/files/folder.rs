//! The folder with a user's lock files, in which nobody else can do anything.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::error::{Code, Error, Result};
use crate::sys::user_folder;

/// The one of this user, for all programs.
pub(in crate::lock) fn of_user() -> Result<PathBuf> {
    let failed = |errno| Error::system("cannot find the folder of locks", "confstr", "", errno);
    let uid = nix::unistd::geteuid();
    Ok(user_folder::user_folder().map_err(failed)?.join(format!("os-ipc-locks-{uid}")))
}

/// Makes the folder when it is missing; refuses one that somebody else could change, or planted.
pub(super) fn ensure(folder: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("mkdir", folder, &error));
        }
        _ => {}
    }
    check(folder)
}

/// Whether there is a folder; refuses what [`ensure`] refuses.
pub(super) fn is_there(folder: &Path) -> Result<bool> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        _ => check(folder).map(|()| true),
    }
}

fn check(folder: &Path) -> Result<()> {
    let metadata = fs::symlink_metadata(folder).map_err(|error| failed("lstat", folder, &error))?;
    let (path, own) = (folder.display(), nix::unistd::geteuid().as_raw());
    if !metadata.is_dir() {
        return Err(Error::new(Code::NotAnObject, format!("the folder of locks is no folder: '{path}'")));
    }
    if metadata.uid() != own || metadata.mode() & 0o022 != 0 {
        let what = format!("others than this process's user ({own}) can change the folder of locks '{path}'");
        return Err(Error::new(Code::ForeignOwner, what).with_hint("remove it, or have its owner do so"));
    }
    Ok(())
}

/// The error of a call on a path.
pub(super) fn failed(call: &'static str, path: &Path, error: &io::Error) -> Error {
    let errno = error.into();
    Error::system("cannot open the lock", call, format_args!("'{}'", path.display()), errno)
}
