//! An inbox is a FIFO in a folder: its owner reads, and everybody may write.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::stat::Mode;

use super::{Watches, Woken, pipe_signal};
use crate::sys::OsCode;
use crate::sys::access::own_uid;
use crate::sys::death::{self, ProcessId};
use crate::sys::failure::{Failure, Refusal};
use crate::sys::file_identity::FileIdentity;
use crate::sys::ledger_file::own_space;

/// A hint is one key. A write of so few bytes is atomic.
const HINT_BYTES: usize = size_of::<u64>();

/// The mode of a FIFO: its owner reads, and everybody may write. A reader that is not its owner would steal hints.
const MODE: u32 = 0o622;

/// The bytes that one read takes: 64 hints.
const BATCH_BYTES: usize = 64 * HINT_BYTES;

/// The bytes that a FIFO of macOS holds: `PIPE_SIZE` of XNU's `sys/pipe.h` is 16 KB, and its FIFOs are sockets of 8 KB.
#[cfg(target_vendor = "apple")]
const FIFO_BYTES: usize = 8 * 1024;

/// What the inboxes of this PID namespace are called: this, and the process. Other namespaces have the same pids.
fn prefix() -> String {
    static SPACE: LazyLock<u64> = LazyLock::new(own_space);
    format!("os-ipc.wake.{:016x}.", *SPACE)
}

pub(crate) fn path(folder: &Path, id: ProcessId) -> PathBuf {
    folder.join(format!("{}{:016x}", prefix(), id.0))
}

/// Whether an inbox has this path.
#[cfg(all(test, not(loom)))]
pub(crate) fn is_inbox(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_fifo())
}

/// Removes the inboxes of dead processes of this PID namespace, as far as this user may.
fn sweep(folder: &Path) {
    let prefix = prefix();
    let Ok(entries) = fs::read_dir(folder) else { return };
    let ids = entries.filter_map(|entry| {
        let name = entry.ok()?.file_name();
        u64::from_str_radix(name.to_str()?.strip_prefix(&prefix)?, 16).ok().map(ProcessId)
    });
    for id in ids.filter(|id| death::is_dead(*id)) {
        remove(folder, id);
    }
}

/// An inbox of another process that is open for hints.
struct Writer {
    folder: PathBuf,
    id: ProcessId,
    fifo: File,
}

/// The inboxes that were written to last: opening one takes longer than the write.
static WRITERS: Mutex<Vec<Writer>> = Mutex::new(Vec::new());

/// The most inboxes that stay open: each takes a file descriptor.
const WRITERS_MAX: usize = 32;

/// Closes the inboxes that nobody reads any more: `poll({fifo}, 0)` tells `POLLERR`.
fn close_unread(writers: &mut Vec<Writer>) {
    let mut fds: Vec<_> = writers
        .iter()
        .map(|writer| libc::pollfd { fd: writer.fifo.as_raw_fd(), events: 0, revents: 0 })
        .collect();
    poll(&mut fds, 0);
    let mut read = fds.iter().map(|fd| fd.revents == 0);
    writers.retain(|_| read.next() == Some(true));
}

/// Puts a hint into the inbox of a process. It never blocks.
///
/// `open(fifo, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)` and `write(fifo, key, 8)`
///
/// `ENOENT` and `ENXIO` mean that the process does not wait, and `EAGAIN` that its inbox is full: a hint is a hint. `EPIPE`
/// means that the process read this FIFO no more: it may have another one.
pub(crate) fn hint(folder: &Path, id: ProcessId, key: u64) {
    let mut writers = WRITERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(place) = writers.iter().position(|writer| writer.id == id && writer.folder == folder) {
        if !has_lost_its_reader(&writers[place].fifo, key) {
            return;
        }
        writers.swap_remove(place);
    }
    let Ok(fifo) = open(OpenOptions::new().write(true), &path(folder, id)) else { return };
    if has_lost_its_reader(&fifo, key) {
        return;
    }
    close_unread(&mut writers);
    if writers.len() == WRITERS_MAX {
        writers.remove(0);
    }
    writers.push(Writer { folder: folder.to_owned(), id, fifo });
}

/// Writes a hint; true if nobody reads the FIFO.
fn has_lost_its_reader(fifo: &File, key: u64) -> bool {
    let written = pipe_signal::write(fifo, &key.to_ne_bytes());
    written.is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Removes the inbox of a process that has died, if there is one and this user may remove it.
pub(crate) fn remove(folder: &Path, id: ProcessId) {
    WRITERS.lock().unwrap_or_else(PoisonError::into_inner).retain(|writer| writer.id != id);
    let path = path(folder, id);
    if fs::symlink_metadata(&path).is_ok_and(|there| there.file_type().is_fifo()) {
        let _ = fs::remove_file(path);
    }
}

/// Opens only a FIFO: what another user planted under the name could be a device or a link to a file of ours.
///
/// `lstat` comes first, since opening a device can have an effect; `fstat` proves that the file is a FIFO.
fn open(options: &mut OpenOptions, path: &Path) -> Result<File, Refusal> {
    let failed = |call| move |error: io::Error| Refusal::from(Failure(call, error.into()));
    let there = fs::symlink_metadata(path).map_err(failed("lstat"))?;
    if !there.file_type().is_fifo() {
        return Err(Refusal::NotAnObject("no FIFO"));
    }
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path).map_err(failed("open"))?;
    if !file.metadata().map_err(failed("fstat"))?.file_type().is_fifo() {
        return Err(Refusal::NotAnObject("no FIFO"));
    }
    Ok(file)
}

/// The inbox of this process in one folder. It is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Inbox {
    fifo: File,
    /// Without a writer of our own, a FIFO whose other writers have closed it stays readable.
    _writer: File,
    path: PathBuf,
    owner: ProcessId,
    /// So many bytes in one turn mean that the FIFO was perhaps full.
    nearly_full: usize,
}

impl Inbox {
    /// `mkfifo(fifo, 0600)`, `open(fifo, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)`, `fchmod(fifo, 0622)`
    ///
    /// `EBUSY` means that another copy of this library in this process reads the inbox, or that it is another user's.
    pub(crate) fn make(folder: &Path) -> Result<Self, Refusal> {
        let owner = ProcessId::own();
        let path = path(folder, owner);
        match nix::unistd::mkfifo(&path, Mode::S_IRUSR | Mode::S_IWUSR) {
            Ok(()) => {
                // Without a descriptor for it, it would stay in the folder when the process ends.
                Self::open(path.clone(), owner).inspect_err(|_| drop(fs::remove_file(&path)))
            }
            // The program that this process was before execve(2) left it.
            Err(nix::errno::Errno::EEXIST) if !has_reader(&path) => Self::open(path, owner),
            Err(nix::errno::Errno::EEXIST) => Err(Failure("mkfifo", OsCode::EBUSY).into()),
            Err(errno) => Err(Failure("mkfifo", OsCode::from_raw(errno as i32)).into()),
        }
        .inspect(|_| sweep(folder))
    }

    fn open(path: PathBuf, owner: ProcessId) -> Result<Self, Refusal> {
        let fifo = open(OpenOptions::new().read(true), &path)?;
        let failed = |call| move |error: io::Error| Refusal::from(Failure(call, error.into()));
        let there = fifo.metadata().map_err(failed("fstat"))?;
        if there.uid() != own_uid() {
            return Err(Failure("mkfifo", OsCode::EBUSY).into());
        }
        let writer = open(OpenOptions::new().write(true), &path)?;
        fifo.set_permissions(Permissions::from_mode(MODE)).map_err(failed("fchmod"))?;
        let nearly_full = capacity(&fifo) / 2;
        Ok(Self { fifo, _writer: writer, path, owner, nearly_full })
    }

    /// Empties it. The bound lets the caller do something about hints that come faster than it reads.
    fn drain(&self, woken: &mut Woken) {
        let mut total = 0;
        let mut bytes = [0; BATCH_BYTES];
        while total < self.nearly_full {
            // `EAGAIN` means that it is empty.
            let Ok(read) = (&self.fifo).read(&mut bytes) else { break };
            if read == 0 {
                break;
            }
            total += read;
            let (hints, rest) = bytes[..read].as_chunks();
            woken.keys.extend(hints.iter().map(|hint| u64::from_ne_bytes(*hint)));
            // Another writer than this library shifted the bytes of all later hints.
            woken.overflow |= !rest.is_empty();
            // A short read emptied it; a later hint ends the next sleep.
            if read < bytes.len() {
                break;
            }
        }
        woken.overflow |= total >= self.nearly_full;
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        // A forked child has the inbox of its parent.
        if self.owner == ProcessId::own() && self.is_at_path() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Inbox {
    /// Whether the path still names this FIFO.
    fn is_at_path(&self) -> bool {
        let identity = |found: io::Result<fs::Metadata>| found.ok().map(|found| FileIdentity::of(&found));
        let ours = identity(self.fifo.metadata());
        ours.is_some() && ours == identity(fs::symlink_metadata(&self.path))
    }
}

/// `open(fifo, O_WRONLY | O_NONBLOCK)` succeeds: `ENXIO` means that no process reads the FIFO.
fn has_reader(path: &Path) -> bool {
    !matches!(
        open(OpenOptions::new().write(true), path),
        Err(Refusal::Failed(Failure("open", OsCode::ENXIO)))
    )
}

/// `fcntl(fifo, F_GETPIPE_SZ)`: the bytes that it holds.
#[cfg(not(target_vendor = "apple"))]
fn capacity(fifo: &File) -> usize {
    /// The least that the kernel gives: one page.
    const LEAST: usize = 4096;
    // SAFETY: the descriptor is open, and the command takes no argument.
    let returned = unsafe { libc::fcntl(fifo.as_raw_fd(), libc::F_GETPIPE_SZ) };
    usize::try_from(returned).map_or(LEAST, |bytes| bytes.max(LEAST))
}

/// The bytes that it holds.
#[cfg(target_vendor = "apple")]
fn capacity(_: &File) -> usize {
    FIFO_BYTES
}

/// A wake-up between the threads of this process.
#[derive(Debug)]
pub(crate) struct Bell {
    ringer: UnixStream,
    listener: UnixStream,
}

impl Bell {
    /// `socketpair(AF_UNIX, SOCK_STREAM)`, closed by execve(2)
    pub(crate) fn new() -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure("socketpair", error.into());
        let (ringer, listener) = UnixStream::pair().map_err(failed)?;
        ringer.set_nonblocking(true).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { ringer, listener })
    }

    /// Ends the sleep of the thread in [`wait`], or its next one.
    pub(crate) fn ring(&self) {
        // If there is no room, it has rung already.
        let _ = (&self.ringer).write(&[0]);
    }

    fn silence(&self) {
        let mut bytes = [0; 64];
        while matches!((&self.listener).read(&mut bytes), Ok(read) if read > 0) {}
    }
}

/// `poll(2)`: sleeps until the bell rings, a hint arrives, a process dies or the time is over.
///
/// The inboxes are emptied on every turn. A signal ends the sleep too.
pub(crate) fn wait(
    bell: Option<&Bell>,
    inboxes: &[&Inbox],
    watches: &Watches,
    timeout: Option<Duration>,
) -> Woken {
    let asked = |fd: BorrowedFd<'_>| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let mut fds: Vec<_> = bell
        .iter()
        .map(|bell| asked(bell.listener.as_fd()))
        .chain(inboxes.iter().map(|inbox| asked(inbox.fifo.as_fd())))
        .chain(watches.polled().map(|file| asked(file.as_fd())))
        .collect();
    let timeout = timeout.map_or(-1, milliseconds);
    let ready = poll(&mut fds, timeout);
    let mut woken = Woken::default();
    if ready <= 0 {
        return woken;
    }
    let (of_bell, others) = fds.split_at(usize::from(bell.is_some()));
    if let Some(bell) = bell.filter(|_| of_bell.iter().any(|fd| fd.revents != 0)) {
        bell.silence();
    }
    let (of_inboxes, of_watches) = others.split_at(inboxes.len());
    for (inbox, fd) in inboxes.iter().zip(of_inboxes) {
        if fd.revents != 0 {
            inbox.drain(&mut woken);
        }
    }
    woken.dead = watches.dead(of_watches.iter().map(|fd| fd.revents != 0));
    woken
}

/// The number of files with an event; negative after a signal.
fn poll(fds: &mut [libc::pollfd], timeout: libc::c_int) -> libc::c_int {
    let count = libc::nfds_t::try_from(fds.len()).unwrap_or(libc::nfds_t::MAX);
    // SAFETY: `fds` is a list of initialised pollfds of the length passed, and it outlives the call.
    unsafe { libc::poll(fds.as_mut_ptr(), count, timeout) }
}

/// Rounded up: a sleep that ends too early would be repeated.
fn milliseconds(time: Duration) -> libc::c_int {
    libc::c_int::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX)
}
