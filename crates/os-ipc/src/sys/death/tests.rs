//! Deaths of real processes.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::*;

/// A process that does nothing until it is killed; it is killed and reaped when this is dropped.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        Self(Command::new("sleep").arg("100").spawn().unwrap())
    }

    fn id(&self) -> ProcessId {
        ProcessId::of(self.0.id().cast_signed()).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().cast_signed()), signal).unwrap();
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "not in time: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_process_knows_itself() {
    let own = ProcessId::own();
    assert_eq!(own, ProcessId::own());
    assert_eq!(own.pid().cast_unsigned(), std::process::id());
    assert_eq!(ProcessId::of(own.pid()), Some(own));
    assert!(!is_dead(own) && !is_stopped(own));
}

#[test]
fn a_watch_tells_the_death_of_a_process_before_its_parent_reaps_it() {
    let mut sleeper = Sleeper::start();
    let id = sleeper.id();
    let Sight::Alive(watched) = watch(id) else { panic!("it is alive") };
    assert!(!watched.is_over() && !is_dead(id));
    sleeper.0.kill().unwrap();
    until("the watch tells it", || watched.is_over());
    // Its parent has not reaped it: signals still reach it.
    assert!(kill(Pid::from_raw(id.pid()), None).is_ok());
    assert!(is_dead(id) && matches!(watch(id), Sight::Dead));
    sleeper.0.wait().unwrap();
    assert!(is_dead(id) && matches!(watch(id), Sight::Dead));
}

#[test]
fn another_process_with_the_same_pid_proves_the_death_of_the_first() {
    let sleeper = Sleeper::start();
    let earlier = ProcessId(sleeper.id().0 ^ 1);
    assert!(is_dead(earlier) && matches!(watch(earlier), Sight::Dead));
    assert!(!is_dead(sleeper.id()));
    // Without a known start time nothing is proved.
    assert!(!is_dead(ProcessId::new(earlier.pid(), UNKNOWN_START)));
}

#[test]
fn a_process_whose_first_thread_ended_is_alive() {
    // The first thread ends by itself, and the second one writes its answer later.
    let program = "import ctypes, os, sys, threading\n\
        def second():\n    sys.stdin.read(1); os._exit(0)\n\
        threading.Thread(target=second).start()\n\
        print('up', flush=True)\n\
        ctypes.CDLL(None).pthread_exit(0)\n";
    let python =
        Command::new("python3").args(["-c", program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(child) = python else { return };
    let mut child = Sleeper(child);
    let mut up = [0; 2];
    child.0.stdout.as_mut().unwrap().read_exact(&mut up).unwrap();
    let id = child.id();
    #[cfg(target_os = "linux")]
    until("its first thread has ended", || {
        std::fs::read_to_string(format!("/proc/{}/stat", id.pid())).unwrap().contains(") Z ")
    });
    assert!(!is_dead(id));
    drop(child.0.stdin.take());
    until("it has ended", || is_dead(id));
}

#[test]
fn a_stopped_process_is_stopped_and_not_dead() {
    let sleeper = Sleeper::start();
    let id = sleeper.id();
    assert!(!is_stopped(id));
    sleeper.signal(Signal::SIGSTOP);
    until("it is stopped", || is_stopped(id));
    assert!(!is_dead(id) && matches!(watch(id), Sight::Alive(_)));
    sleeper.signal(Signal::SIGCONT);
    until("it goes on", || !is_stopped(id));
}

#[test]
fn the_program_that_a_process_becomes_is_the_same_process() {
    let mut child = Command::new("sh")
        .args(["-c", "echo up; read line; exec sleep 100"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map(Sleeper)
        .unwrap();
    let mut up = [0; 3];
    child.0.stdout.as_mut().unwrap().read_exact(&mut up).unwrap();
    let id = child.id();
    drop(child.0.stdin.take());
    #[cfg(target_os = "linux")]
    until("it became another program", || {
        std::fs::read_to_string(format!("/proc/{}/comm", id.pid())).unwrap() == "sleep\n"
    });
    assert_eq!(child.id(), id);
    assert!(!is_dead(id));
}

#[test]
fn the_identity_has_the_pid_in_its_upper_half() {
    let id = ProcessId::new(1_234, 56_789);
    assert_eq!((id.pid(), id.start()), (1_234, 56_789));
    assert_eq!(format!("{id:?}"), "1234@56789");
}
