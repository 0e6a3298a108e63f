//! The limit: what the kernel allows, in raw libc calls. `limit SCENE ... OBJECT`, then a count a line on stdin.

mod copy;
mod hand_over;
mod ipc;
mod message;
mod open;
mod pairs;
mod threads;

use std::io::{self, BufRead, Write};
use std::time::Instant;

/// Does the work so often and says how much it was: what one operation did, and other facts to tell.
type Work = Box<dyn FnMut(u64) -> Done>;

/// What was done.
struct Done {
    operations: u64,
    work: u64,
    extras: String,
    /// Where the bytes that arrived are.
    arrived: Option<*const u8>,
}

impl Done {
    fn times(count: u64) -> Self {
        Self::of(count, count)
    }

    fn of(operations: u64, work: u64) -> Self {
        Self { operations, work, extras: String::new(), arrived: None }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (mut work, cleanup): (Work, Box<dyn FnOnce()>) = match words[..] {
        ["sysv-pair", object] => pairs::system_v(object, 0),
        ["sysv-permit", object] => pairs::system_v(object, libc::SEM_UNDO),
        ["posix-pair", object] => pairs::posix(object),
        ["contention", object] => pairs::contended(object, 0),
        ["contention-permit", object] => pairs::contended(object, libc::SEM_UNDO),
        ["hand-over", object] => hand_over::between_processes(object),
        ["copy", direction, offset, object] => {
            copy::at_offset(direction == "read", offset.parse().unwrap(), object)
        }
        ["message", object] => message::between_processes(object),
        ["threads", count, object] => threads::one_a_semaphore(count.parse().unwrap(), object),
        ["waiters", count, object] => threads::all_on_one(count.parse().unwrap(), object),
        ["open", what, object] => open::opener(what, object),
        _ => panic!("usage: limit SCENE [ARGUMENTS] OBJECT"),
    };
    println!("ready");
    for line in io::stdin().lock().lines() {
        let count = line.unwrap().trim().parse().unwrap();
        let start = Instant::now();
        let Done { operations, work, mut extras, arrived } = work(count);
        let nanoseconds = start.elapsed().as_nanos();
        if let Some(bytes) = arrived {
            extras += &format!(",\"sum\":{}", ipc::sum(bytes));
        }
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "{{\"operations\":{operations},\"nanoseconds\":{nanoseconds},\"work\":{work}{extras}}}"
        )
        .unwrap();
        out.flush().unwrap();
    }
    cleanup();
}
