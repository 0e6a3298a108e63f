//! Inboxes in a folder of their own.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::*;
use crate::sys::OsCode;
use crate::sys::death::{ProcessId, Sight, watch};
use crate::sys::failure::{Failure, Refusal};

/// A folder that is removed when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("os-ipc-wake-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn inbox_path(&self) -> PathBuf {
        path(&self.0, ProcessId::own())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const SOON: Option<Duration> = Some(Duration::from_millis(1));
const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

fn look(bell: &Bell, inbox: &Inbox) -> Woken {
    wait(Some(bell), &[inbox], &Watches::default(), SOON)
}

#[test]
fn a_hint_wakes_its_process_and_tells_the_key() {
    let (folder, bell) = (Folder::new(), Bell::new().unwrap());
    let inbox = Inbox::make(&folder.0).unwrap();
    let file = fs::metadata(folder.inbox_path()).unwrap();
    assert!(file.file_type().is_fifo());
    assert_eq!(file.permissions().mode() & 0o777, 0o622);
    assert_eq!(look(&bell, &inbox), Woken::default());
    hint(&folder.0, ProcessId::own(), 7);
    hint(&folder.0, ProcessId::own(), u64::MAX);
    assert_eq!(wait(Some(&bell), &[&inbox], &Watches::default(), PATIENCE).keys, [7, u64::MAX]);
    assert_eq!(look(&bell, &inbox), Woken::default());
    drop(inbox);
    assert!(!folder.inbox_path().exists());
}

#[test]
fn a_bell_ends_a_sleep_before_and_after_it_begins() {
    let bell = std::sync::Arc::new(Bell::new().unwrap());
    bell.ring();
    assert_eq!(wait(Some(&bell), &[], &Watches::default(), None), Woken::default());
    let ringer = std::thread::spawn({
        let bell = std::sync::Arc::clone(&bell);
        move || bell.ring()
    });
    assert_eq!(wait(Some(&bell), &[], &Watches::default(), None), Woken::default());
    ringer.join().unwrap();
}

#[test]
fn a_full_inbox_drops_hints_and_tells_its_reader() {
    let (folder, bell) = (Folder::new(), Bell::new().unwrap());
    let inbox = Inbox::make(&folder.0).unwrap();
    for key in 0..20_000 {
        hint(&folder.0, ProcessId::own(), key);
    }
    let woken = look(&bell, &inbox);
    assert!(woken.overflow && !woken.keys.is_empty());
    while look(&bell, &inbox) != Woken::default() {}
    hint(&folder.0, ProcessId::own(), 1);
    assert_eq!(look(&bell, &inbox), Woken { keys: vec![1], ..Woken::default() });
}

#[test]
fn bytes_that_are_no_hint_make_the_reader_look_at_everything() {
    use std::io::Write;
    let (folder, bell) = (Folder::new(), Bell::new().unwrap());
    let inbox = Inbox::make(&folder.0).unwrap();
    fs::OpenOptions::new().write(true).open(folder.inbox_path()).unwrap().write_all(b"abc").unwrap();
    assert!(look(&bell, &inbox).overflow);
}

#[test]
fn a_hint_for_a_process_without_an_inbox_does_nothing() {
    let folder = Folder::new();
    hint(&folder.0, ProcessId::own(), 1);
    hint(Path::new("/nonexistent"), ProcessId::own(), 1);
    // A FIFO without a reader: its process has died.
    nix::unistd::mkfifo(&folder.inbox_path(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    hint(&folder.0, ProcessId::own(), 1);
    remove(&folder.0, ProcessId::own());
    assert!(!folder.inbox_path().exists());
    remove(&folder.0, ProcessId::own());
}

#[test]
fn a_hint_never_writes_to_a_planted_file() {
    let folder = Folder::new();
    let precious = folder.0.join("precious");
    fs::write(&precious, "unchanged").unwrap();
    for plant in
        [|from: &Path, to: &Path| symlink(from, to), |from: &Path, to: &Path| fs::hard_link(from, to)]
    {
        plant(&precious, &folder.inbox_path()).unwrap();
        hint(&folder.0, ProcessId::own(), 1);
        assert!(Inbox::make(&folder.0).is_err());
        remove(&folder.0, ProcessId::own());
        assert!(fs::symlink_metadata(folder.inbox_path()).is_ok(), "only a FIFO is removed");
        fs::remove_file(folder.inbox_path()).unwrap();
    }
    assert_eq!(fs::read_to_string(&precious).unwrap(), "unchanged");
}

#[test]
fn an_inbox_that_an_earlier_program_of_this_process_left_is_used_again() {
    let (folder, bell) = (Folder::new(), Bell::new().unwrap());
    nix::unistd::mkfifo(&folder.inbox_path(), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let inbox = Inbox::make(&folder.0).unwrap();
    hint(&folder.0, ProcessId::own(), 3);
    assert_eq!(look(&bell, &inbox).keys, [3]);
}

#[test]
fn a_second_reader_in_the_process_is_refused() {
    let folder = Folder::new();
    let inbox = Inbox::make(&folder.0).unwrap();
    let refused = Inbox::make(&folder.0).unwrap_err();
    assert_eq!(refused, Refusal::Failed(Failure("mkfifo", OsCode::EBUSY)));
    drop(inbox);
    assert!(Inbox::make(&folder.0).is_ok());
}

#[test]
fn a_write_to_a_fifo_without_a_reader_raises_no_signal() {
    use nix::sys::signal::{SigHandler, Signal, signal};
    use std::fs::File;

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let fifo = File::from(OwnedFd::from(writer));
    // SAFETY: the default action is no code of ours.
    #[allow(unsafe_code, reason = "the action of a signal")]
    let before = unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }.unwrap();
    let written = pipe_signal::write(&fifo, &[0]);
    // What an older kernel needs.
    #[cfg(target_os = "linux")]
    let masked = pipe_signal::linux::write_with_mask(&fifo, &[0]);
    // SAFETY: as above.
    #[allow(unsafe_code, reason = "the action of a signal")]
    unsafe { signal(Signal::SIGPIPE, before) }.unwrap();
    assert_eq!(written.unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
    #[cfg(target_os = "linux")]
    assert_eq!(masked.unwrap_err().kind(), std::io::ErrorKind::BrokenPipe);
}

#[test]
fn a_hint_finds_the_new_inbox_of_a_process_that_closed_the_old_one() {
    let (folder, bell) = (Folder::new(), Bell::new().unwrap());
    for key in 1..4 {
        let inbox = Inbox::make(&folder.0).unwrap();
        hint(&folder.0, ProcessId::own(), key);
        assert_eq!(look(&bell, &inbox).keys, [key]);
        drop(inbox);
        hint(&folder.0, ProcessId::own(), 9);
    }
}

/// Processes that do nothing until they are killed, and the watches on them.
struct Crowd {
    sleepers: Vec<(ProcessId, Child)>,
    watches: Watches,
    /// The files of the watches once more, as a forked child has them.
    _inherited: Vec<OwnedFd>,
}

impl Crowd {
    fn new(size: usize) -> Self {
        let sleeper = || {
            let child = Command::new("sleep").arg("100").spawn().unwrap();
            (ProcessId::of(child.id().cast_signed()).unwrap(), child)
        };
        let sleepers: Vec<_> = (0..size).map(|_| sleeper()).collect();
        let (mut watches, mut inherited) = (Watches::default(), Vec::new());
        for (id, _) in &sleepers {
            let Sight::Alive(watch) = watch(*id) else { panic!("{id:?} is alive") };
            inherited.push(watch.as_fd().try_clone_to_owned().unwrap());
            watches.add(*id, watch);
        }
        Self { sleepers, watches, _inherited: inherited }
    }

    fn kill(&mut self, place: usize) -> ProcessId {
        self.sleepers[place].1.kill().unwrap();
        self.sleepers[place].1.wait().unwrap();
        self.sleepers[place].0
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for place in 0..self.sleepers.len() {
            self.kill(place);
        }
    }
}

#[test]
fn the_death_of_each_of_many_processes_ends_a_sleep() {
    let mut crowd = Crowd::new(70);
    assert_eq!(wait(None, &[], &crowd.watches, SOON), Woken::default());
    for place in [0, 69, 3, 4] {
        let dead = crowd.kill(place);
        assert_eq!(wait(None, &[], &crowd.watches, PATIENCE).dead, [dead]);
        crowd.watches.retain(|id| id != dead);
        assert_eq!(wait(None, &[], &crowd.watches, SOON), Woken::default());
    }
    let mut living: Vec<_> =
        [1, 2].into_iter().chain(5..69).map(|place| (place, crowd.sleepers[place].0)).collect();
    while !living.is_empty() {
        for (place, _) in &living {
            crowd.kill(*place);
        }
        let dead = wait(None, &[], &crowd.watches, PATIENCE).dead;
        assert!(!dead.is_empty());
        crowd.watches.retain(|id| !dead.contains(&id));
        living.retain(|(_, id)| !dead.contains(id));
    }
    assert_eq!(wait(None, &[], &crowd.watches, SOON), Woken::default());
}

#[test]
fn the_death_of_a_process_that_is_watched_no_more_ends_no_sleep() {
    let mut crowd = Crowd::new(10);
    let kept = crowd.sleepers[9].0;
    crowd.watches.retain(|id| id == kept);
    crowd.kill(0);
    crowd.kill(8);
    assert_eq!(wait(None, &[], &crowd.watches, SOON), Woken::default());
}

#[test]
#[cfg(target_os = "linux")]
fn an_inbox_that_nobody_reads_is_closed_before_another_is_kept_open() {
    let is_open = |folder: &Folder| {
        let links =
            fs::read_dir("/proc/self/fd").unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
        links.into_iter().any(|path| path.starts_with(&folder.0))
    };
    let (first, second) = (Folder::new(), Folder::new());
    let inbox = Inbox::make(&first.0).unwrap();
    hint(&first.0, ProcessId::own(), 1);
    drop(inbox);
    assert!(is_open(&first));
    let _inbox = Inbox::make(&second.0).unwrap();
    hint(&second.0, ProcessId::own(), 1);
    assert!(!is_open(&first));
}
