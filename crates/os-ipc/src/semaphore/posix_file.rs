//! The file behind a POSIX semaphore, where the C library keeps it in `/dev/shm`: who owns it, and what is in it.
//!
//! sem_open(3) has no way to ask. Where there is no such file (darwin), nothing is known.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{DirEntryExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

use crate::access::Owner;
use crate::error::{Code, Error, Result};
use crate::name::Name;
use crate::sys::named_semaphore::{FILE_PREFIX, FILE_SIZE};

const DIRECTORY: &str = "/dev/shm";

/// One file, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

/// What the file says about its semaphore.
pub(super) struct Contents {
    pub(super) value: u32,
    pub(super) waiters: u32,
    pub(super) metadata: Metadata,
}

impl FileId {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

fn path(name: &Name) -> Option<PathBuf> {
    FILE_PREFIX.map(|prefix| PathBuf::from(format!("{DIRECTORY}/{prefix}{}", &name.as_str()[1..])))
}

/// What stands for a name.
pub(super) enum Found {
    /// No file.
    Nothing,
    /// A file that a semaphore can be in.
    File(FileId),
    /// A file with a second link: sem_open makes one under another name, links it here, and takes that name away.
    Linked,
}

/// The file of `name`, if a semaphore can be in it; refuses what somebody planted.
///
/// A symbolic link, a FIFO or a directory is refused; so is a file too short to be mapped, whose use would be a
/// SIGBUS.
pub(super) fn check(name: &Name, owner: Owner) -> Result<Found> {
    let Some(path) = path(name) else { return Ok(Found::Nothing) };
    let metadata = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(failed("open", name, "lstat", &error)),
    };
    let kind = metadata.file_type();
    let planted = if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_fifo() {
        "a FIFO"
    } else if !kind.is_file() {
        "no regular file"
    } else if metadata.len() < FILE_SIZE {
        "too short"
    } else {
        owner.check(format_args!("the semaphore '{name}'"), &[metadata.uid()])?;
        let linked = metadata.nlink() > 1 && !is_draft_of_creator(&metadata);
        return Ok(if linked { Found::Linked } else { Found::File(FileId::of(&metadata)) });
    };
    Err(no_object(name, planted))
}

/// What has the name is no semaphore.
pub(super) fn no_object(name: &Name, what: &str) -> Error {
    let path = path(name).unwrap_or_default();
    Error::new(Code::NotAnObject, format!("the semaphore '{name}' is {what}: {}", path.display()))
}

/// Whether the only other name of a file is the one that glibc makes it under, `sem.` and six characters.
///
/// sem_open links the finished semaphore to its name and then takes that one away: a creator that is killed in between
/// leaves both.
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

/// The file of `name` now, if there is one.
pub(super) fn current(name: &Name) -> Option<FileId> {
    let metadata = fs::symlink_metadata(path(name)?).ok()?;
    Some(FileId::of(&metadata))
}

/// Whether it is certain that no file has the name.
pub(super) fn is_absent(name: &Name) -> bool {
    let absent = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
    path(name)
        .is_some_and(|path| fs::symlink_metadata(path).is_err_and(|error| absent.contains(&error.kind())))
}

/// Sets the mode of a file that we just made: sem_open applies the umask, which an explicit mode is not meant to meet.
///
/// By its name, since a umask can leave a file that not even we can open; in a sticky directory nobody else can put
/// another file in its place.
pub(super) fn set_mode(name: &Name, file: FileId, mode: u32) -> Result<()> {
    let Some(path) = path(name) else { return Ok(()) };
    let set = || -> std::result::Result<(), (&str, io::Error)> {
        let metadata = fs::symlink_metadata(&path).map_err(|error| ("lstat", error))?;
        if FileId::of(&metadata) != file || metadata.mode() & 0o777 == mode {
            return Ok(());
        }
        fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(|error| ("chmod", error))
    };
    match set() {
        // Somebody unlinked it: nobody else opens it any more.
        Err((_, error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err((call, error)) => Err(failed("create", name, call, &error)),
        Ok(()) => Ok(()),
    }
}

/// Reads the semaphore without mapping it: a file that shrinks meanwhile is a short read and no SIGBUS.
pub(super) fn read(name: &Name) -> io::Result<Contents> {
    let path = path(name).ok_or(io::ErrorKind::Unsupported)?;
    let mut file = open(&path)?;
    let metadata = file.metadata()?;
    let mut bytes = [0; 8];
    file.read_exact(&mut bytes)?;
    let [value, waiters] =
        [&bytes[..4], &bytes[4..]].map(|half| half.try_into().map(u32::from_ne_bytes).unwrap_or_default());
    // Both C libraries: the value first (musl keeps a flag in its top bit), then the number of waiters.
    Ok(Contents { value: value & 0x7fff_ffff, waiters, metadata })
}

/// The names of all semaphores in the directory; none where they are no files of their own (musl, darwin).
pub(super) fn names() -> Vec<Name> {
    let Some(prefix) = FILE_PREFIX.filter(|prefix| !prefix.is_empty()) else { return Vec::new() };
    let Ok(entries) = fs::read_dir(DIRECTORY) else { return Vec::new() };
    let files = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    files
        .filter_map(|file| Name::existing_semaphore(&format!("/{}", file.strip_prefix(prefix)?)).ok())
        .collect()
}

fn open(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

fn failed(act: &str, name: &Name, call: &'static str, error: &io::Error) -> Error {
    let errno = error.into();
    Error::system(format!("cannot {act} the semaphore"), call, format_args!("'{name}'"), errno)
}
