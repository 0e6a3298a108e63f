//! glibc and musl keep a semaphore in a file of `/dev/shm`.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirEntryExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use super::{Contents, Found};
use crate::name::Name;
use crate::sys::access::Access;
use crate::sys::failure::{Failure, Refusal};
use crate::sys::file_identity::FileIdentity;
use crate::sys::kept_name::{self, KeptName};
use crate::sys::named_semaphore::{FILE_PREFIX, FILE_SIZE};

const DIRECTORY: &str = "/dev/shm";

fn path(name: &Name) -> Option<PathBuf> {
    FILE_PREFIX.map(|prefix| PathBuf::from(format!("{DIRECTORY}/{prefix}{}", &name.as_str()[1..])))
}

/// The path of a semaphore, for messages.
pub(crate) fn place(name: &Name) -> String {
    path(name).unwrap_or_default().display().to_string()
}

/// `lstat("/dev/shm/sem.NAME")`: the file of `name`, if it can be a semaphore.
///
/// A symbolic link, a FIFO or a directory is refused; so is a file too short to be mapped, whose use would raise
/// SIGBUS.
pub(crate) fn look(name: &Name) -> Result<Found, Refusal> {
    let Some(path) = path(name) else { return Ok(Found::Nothing) };
    let metadata = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(Failure("lstat", error.into()).into()),
    };
    let kind = metadata.file_type();
    let planted = if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if !kind.is_file() {
        "not a regular file"
    } else if metadata.len() < FILE_SIZE {
        "too short"
    } else {
        return Ok(Found::File {
            identity: FileIdentity::of(&metadata),
            access: Access::of_file(&metadata),
            linked: metadata.nlink() > 1 && !is_draft_of_creator(&metadata),
        });
    };
    Err(Refusal::NotAnObject(planted))
}

/// Whether the only other name of a file is the one under which glibc creates it, `sem.` and six characters.
///
/// sem_open links the finished semaphore to its name and then removes the other one: a creator that is killed in
/// between leaves both.
fn is_draft_of_creator(metadata: &Metadata) -> bool {
    const DRAFT: usize = "sem.XXXXXX".len();
    let Ok(entries) = fs::read_dir(DIRECTORY) else { return false };
    metadata.nlink() == 2
        && entries.filter_map(std::result::Result::ok).any(|entry| {
            entry.ino() == metadata.ino()
                && entry.file_name().len() == DRAFT
                && entry.file_name().as_encoded_bytes().starts_with(b"sem.")
        })
}

/// The file of `name` now, if it exists.
pub(crate) fn current(name: &Name) -> Option<FileIdentity> {
    let metadata = fs::symlink_metadata(path(name)?).ok()?;
    Some(FileIdentity::of(&metadata))
}

/// Keeps the name with the file that has it, so that a removal can compare and remove.
pub(crate) fn keep_name(name: &Name) -> Option<KeptName> {
    kept_name::keep(&path(name)?)
}

/// Whether it is certain that no file has the name.
pub(crate) fn is_absent(name: &Name) -> bool {
    let absent = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    path(name)
        .is_some_and(|path| fs::symlink_metadata(path).is_err_and(|error| absent.contains(&error.kind())))
}

/// Sets the mode of a file that we just created: sem_open applies the umask, which must not change an explicit mode.
///
/// By its name, since a umask can leave a file that even we cannot open; in a sticky directory no other user can put
/// another file in its place.
pub(crate) fn set_mode(name: &Name, file: FileIdentity, mode: u32) -> Result<(), Failure> {
    let Some(path) = path(name) else { return Ok(()) };
    let set = || -> Result<(), (&str, io::Error)> {
        let metadata = fs::symlink_metadata(&path).map_err(|error| ("lstat", error))?;
        if FileIdentity::of(&metadata) != file || metadata.mode() & 0o777 == mode {
            return Ok(());
        }
        fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(|error| ("chmod", error))
    };
    match set() {
        // Another process unlinked it: no process opens it any more.
        Err((_, error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err((call, error)) => Err(Failure(call, error.into())),
        Ok(()) => Ok(()),
    }
}

/// Reads the semaphore without mapping it: a file that shrinks meanwhile gives a short read and no SIGBUS.
pub(crate) fn read(name: &Name) -> Result<Contents, Failure> {
    let failed = |call| move |error: io::Error| Failure(call, error.into());
    let mut file = open(&path(name).unwrap_or_default()).map_err(failed("open"))?;
    let metadata = file.metadata().map_err(failed("fstat"))?;
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes).map_err(failed("read"))?;
    let [value, waiters] =
        [&bytes[..4], &bytes[4..]].map(|half| half.try_into().map(u32::from_ne_bytes).unwrap_or_default());
    Ok(Contents {
        // Both C libraries: the value first (musl keeps a flag in its top bit), then the number of waiters.
        value: value & 0x7fff_ffff,
        waiters,
        access: Access::of_file(&metadata),
        changed: metadata.ctime(),
    })
}

/// The names of all semaphores in the directory; none where no prefix tells them from other files (musl).
pub(crate) fn names() -> Result<Vec<Name>, Failure> {
    let Some(prefix) = FILE_PREFIX.filter(|prefix| !prefix.is_empty()) else { return Ok(Vec::new()) };
    let entries = fs::read_dir(DIRECTORY).map_err(|error| Failure("open", error.into()))?;
    let files = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(files
        .filter_map(|file| Name::existing_semaphore(&format!("/{}", file.strip_prefix(prefix)?)).ok())
        .collect())
}

fn open(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}
