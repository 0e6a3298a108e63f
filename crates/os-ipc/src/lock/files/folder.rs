//! The folder of a user's lock files; no other user can change anything in it.

use std::path::{Path, PathBuf};

use crate::error::{Code, Error, OsCode, Result};
use crate::sys::access::own_uid;
use crate::sys::failure::{Failure, Refusal};
use crate::sys::lock_file::Folder;
use crate::sys::user_folder;

/// The folder of this user, for all programs.
pub(in crate::lock) fn of_user() -> Result<PathBuf> {
    let failed = |errno| Error::system("cannot find the folder of locks", user_folder::CALL, "", errno);
    Ok(user_folder::user_folder().map_err(failed)?.join(format!("os-ipc-locks-{}", own_uid())))
}

/// Makes the folder if it is missing; refuses a folder that another user can change or made.
pub(super) fn ensure(folder: &Path) -> Result<()> {
    Folder::make(folder).map_err(|failure| failed(folder, failure))?;
    look(folder).map(drop)
}

/// The folder, if it exists; refuses what [`ensure`] refuses.
pub(super) fn find(folder: &Path) -> Result<Option<Folder>> {
    match look(folder) {
        Err(error) if error.errno() == Some(OsCode::ENOENT) => Ok(None),
        found => found.map(Some),
    }
}

fn look(path: &Path) -> Result<Folder> {
    let folder = Folder::look(path).map_err(|failure| failed(path, failure))?;
    let (path, own) = (path.display(), own_uid());
    if !folder.is_directory {
        return Err(Error::new(Code::NotAnObject, format!("the folder of locks is not a folder: '{path}'")));
    }
    if folder.access.uid != own || folder.access.mode & 0o022 != 0 {
        let what = format!("users other than this process's ({own}) can change the folder of locks '{path}'");
        return Err(Error::new(Code::ForeignOwner, what).with_hint("its owner or root can remove it"));
    }
    Ok(folder)
}

/// The error of a call on a path.
pub(super) fn failed(path: &Path, Failure(call, errno): Failure) -> Error {
    let error = Error::system("cannot open the lock", call, format_args!("'{}'", path.display()), errno);
    match errno {
        OsCode::ENOSPC => error.with_hint("the file system of this folder is full"),
        OsCode::EDQUOT => error.with_hint("the user's quota of the file system of this folder is used up"),
        OsCode::EROFS => error.with_hint("the file system of this folder is read-only"),
        _ => error,
    }
}

/// The error for a lock file that is not opened.
pub(super) fn refused(path: &Path, refusal: Refusal) -> Error {
    match refusal {
        Refusal::Failed(failure) => failed(path, failure),
        Refusal::NotAnObject(what) => {
            let path = path.display();
            Error::new(Code::NotAnObject, format!("the file of the lock is {what}: '{path}'"))
                .with_hint("remove it: no program of os-ipc made it")
        }
    }
}
