//! Memory objects that are files: what peers do to them, and files planted under their names.

#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::libc::SIGBUS;
use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use nix::unistd::geteuid;
use os_ipc::{Code, MemoryId, Name, OsCode, Owner, Result, SharedMemory};

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A unique id, removed at the end.
struct Fresh(MemoryId, String);

impl Fresh {
    fn name() -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("/os-ipc-files-{}-{count}", std::process::id());
        let path = format!("/dev/shm{name}");
        Self(MemoryId::Name(Name::memory(&name).unwrap()), path)
    }

    fn path(&self) -> String {
        self.1.clone()
    }

    fn create(&self, size: u64) -> SharedMemory {
        SharedMemory::create(&self.0, size, 0o600).unwrap()
    }

    fn open(&self) -> Result<SharedMemory> {
        SharedMemory::open(&self.0, true, Owner::Default)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // Mostly the test has removed it already.
        let _ = SharedMemory::unlink_id(&self.0);
    }
}

fn code(result: Result<impl Sized>) -> String {
    match result {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.code().name(),
    }
}

fn cut(id: &Fresh, size: u64) {
    File::options().write(true).open(id.path()).unwrap().set_len(size).unwrap();
}

#[test]
fn a_new_object_has_all_of_its_pages() {
    let id = Fresh::name();
    let _memory = id.create(1_000_000);
    assert!(fs::metadata(id.path()).unwrap().blocks() * 512 >= 1_000_000);
}

#[test]
fn a_size_without_room_is_refused_with_the_numbers() {
    let id = Fresh::name();
    let refusal = SharedMemory::create(&id.0, 1 << 50, 0o600).map(drop).unwrap_err();
    assert!(
        refusal.to_string().starts_with("ENOSPC: cannot create the shared memory, fallocate '/os-ipc-files-")
    );
    assert!(refusal.hint().unwrap().starts_with("/dev/shm has "), "{refusal:?}");
    assert!(!fs::exists(id.path()).unwrap());
}

#[test]
fn an_access_to_memory_that_a_peer_truncated_fails() {
    let id = Fresh::name();
    let memory = id.create(10_000);
    memory.write(&[7; 10_000], 0).unwrap();
    for size in [9999, 8192, 5000, 4096, 100, 0] {
        cut(&id, size);
        let end = usize::try_from(size).unwrap();
        assert_eq!(code(memory.read(&mut [0; 10_000], 0)), "ERR_TRUNCATED");
        assert_eq!(code(memory.read(&mut [0], end)), "ERR_TRUNCATED");
        assert_eq!(code(memory.write(&[1], end)), "ERR_TRUNCATED");
        assert_eq!(code(memory.clear()), "ERR_TRUNCATED");
        assert_eq!(memory.read(&mut vec![0; end], 0).unwrap(), end);
        assert_eq!(fs::metadata(id.path()).unwrap().len(), size, "the object should not grow again");
    }
}

#[test]
fn a_truncation_in_the_middle_of_a_copy_does_no_harm() {
    const HALF_A_SECOND: Duration = Duration::from_millis(500);
    let id = Fresh::name();
    let memory = id.create(1 << 20);
    let done = AtomicBool::new(false);
    let cuts = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                cut(&id, 0);
                cut(&id, 1 << 20);
            }
        });
        let mut buffer = vec![0; 1 << 20];
        let mut cuts = 0;
        let start = Instant::now();
        // Longer where the thread that cuts has no processor.
        while start.elapsed() < HALF_A_SECOND || cuts == 0 && start.elapsed() < 60 * HALF_A_SECOND {
            for result in [memory.read(&mut buffer, 0).map(drop), memory.write(&buffer, 0), memory.clear()] {
                match result.map_err(|error| error.code()) {
                    Ok(()) => {}
                    // `ENOSPC`: the size was right again when the guard asked why a page was missing.
                    Err(Code::Truncated | Code::System(OsCode::ENOSPC)) => cuts += 1,
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
        done.store(true, Ordering::Relaxed);
        cuts
    });
    assert!(cuts > 0);
    cut(&id, 1 << 20);
    memory.write(b"shared again", 4096).unwrap();
    let mut read = [0; 12];
    id.open().unwrap().read(&mut read, 4096).unwrap();
    assert_eq!(&read, b"shared again");
}

#[test]
fn pages_touched_while_missing_are_shared_again() {
    let id = Fresh::name();
    let memory = id.create(8192);
    let lease = memory.lease();
    cut(&id, 0);
    #[allow(unsafe_code, reason = "JavaScript reads a typed array like this")]
    // SAFETY: the lease keeps the range mapped, and the number is in it.
    unsafe {
        lease.start().as_ptr().add(5000).write_volatile(9);
    }
    cut(&id, 8192);
    let mut byte = [1];
    memory.read(&mut byte, 5000).unwrap();
    assert_eq!(byte, [0]);
}

#[test]
fn a_sigbus_that_is_not_ours_still_ends_the_process() {
    const INSIDE: &str = "OS_IPC_TEST_SIGBUS";
    if std::env::var_os(INSIDE).is_some() {
        let id = Fresh::name();
        let _guarded = id.create(1);
        let file = tempfile().unwrap();
        file.set_len(4096).unwrap();
        let mapping = of_stranger(&file);
        file.set_len(0).unwrap();
        // The object has to be removed before the process dies.
        drop(id);
        #[allow(unsafe_code, reason = "the read raises SIGBUS, which ends the process")]
        // SAFETY: there is none: this read raises SIGBUS.
        let byte = unsafe { mapping.read_volatile() };
        panic!("read {byte}");
    }
    let name = "a_sigbus_that_is_not_ours_still_ends_the_process";
    let mut child = Command::new(std::env::current_exe().unwrap());
    let status = child.args([name, "--exact"]).env(INSIDE, "1").output().unwrap().status;
    assert_eq!(status.signal(), Some(SIGBUS), "{status}");
}

fn tempfile() -> std::io::Result<File> {
    let path = std::env::temp_dir().join(format!("os-ipc-{}", std::process::id()));
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}

#[allow(unsafe_code, reason = "a mapping that the guard does not know")]
fn of_stranger(file: &File) -> *const u8 {
    let length = NonZeroUsize::new(4096).unwrap();
    // SAFETY: a new range.
    unsafe { mmap(None, length, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, file, 0) }
        .unwrap()
        .as_ptr()
        .cast()
}

#[test]
fn planted_files_are_refused_and_left_alone() {
    type Plant = fn(&str, &str);
    let plants: [(&str, Plant); 6] = [
        ("a symbolic link", |path, target| symlink(target, path).unwrap()),
        ("a symbolic link", |path, _| symlink("/nowhere", path).unwrap()),
        ("a file that has another name too", |path, target| fs::hard_link(target, path).unwrap()),
        ("a directory", |path, _| fs::create_dir(path).unwrap()),
        ("a FIFO", |path, _| assert!(Command::new("mkfifo").arg(path).status().unwrap().success())),
        ("a socket or a device", |path, _| drop(UnixListener::bind(path).unwrap())),
    ];
    for (kind, plant) in plants {
        let (id, target) = (Fresh::name(), Fresh::name());
        fs::write(target.path(), "precious").unwrap();
        plant(&id.path(), &target.path());
        for result in [
            id.open(),
            SharedMemory::open(&id.0, false, Owner::Any),
            SharedMemory::open_or_create(&id.0, 4, 0o600, Owner::Any),
        ] {
            let refusal = result.map(drop).unwrap_err();
            assert_eq!(refusal.code(), Code::NotAnObject, "{kind}: {refusal}");
            assert!(
                refusal.to_string().ends_with(&format!("is not shared memory: it is {kind}")),
                "{refusal}"
            );
        }
        assert_eq!(code(SharedMemory::create(&id.0, 4, 0o600)), "EEXIST");
        assert_eq!(fs::read(target.path()).unwrap(), b"precious");
        if kind == "a directory" {
            fs::remove_dir(id.path()).unwrap();
        }
    }
}

#[test]
fn open_waits_one_second_for_the_size_of_an_object() {
    const SECOND: Duration = Duration::from_secs(1);
    /// A busy machine may be late at one try, but not at each.
    const TRIES: usize = 8;
    let in_time = (0..TRIES).any(|_| {
        let id = Fresh::name();
        fs::write(id.path(), "").unwrap();
        let start = Instant::now();
        assert_eq!(code(id.open()), "ERR_NOT_INITIALISED");
        let took = start.elapsed();
        assert!(took >= SECOND);
        took < 3 * SECOND
    });
    assert!(in_time);
    let opened = (0..TRIES).any(|_| {
        let id = Fresh::name();
        fs::write(id.path(), "").unwrap();
        let start = Instant::now();
        let (size, given) = std::thread::scope(|scope| {
            let opening = scope.spawn(|| id.open().map(|memory| memory.size()));
            std::thread::sleep(SECOND / 10);
            cut(&id, 77);
            let given = start.elapsed();
            (opening.join().unwrap(), given)
        });
        assert!(size.is_ok() || given >= SECOND, "it did not wait: {size:?}");
        size.is_ok_and(|size| size == 77)
    });
    assert!(opened);
}

#[test]
fn an_object_of_another_user_is_refused_unless_its_owner_is_allowed() {
    if !geteuid().is_root() {
        eprintln!("SKIPPED: only root can give an object away");
        return;
    }
    let id = Fresh::name();
    drop(id.create(1));
    chown(id.path(), Some(65534), None).unwrap();
    assert_eq!(code(id.open()), "ERR_FOREIGN_OWNER");
    assert!(SharedMemory::open(&id.0, true, Owner::Uid(65534)).is_ok());
    assert!(SharedMemory::open(&id.0, true, Owner::Any).is_ok());
    assert_eq!(code(SharedMemory::open(&id.0, true, Owner::Uid(1))), "ERR_FOREIGN_OWNER");
}
