//! The operations, what other processes do meanwhile, and what has to be true afterwards.

use std::collections::HashMap;
use std::hash::Hasher;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::program::{Helper, traced};
use super::trace::{self, End, Point, Quiet, Record, Traced};

/// A grant that comes later than this after a kill came by chance: nobody saw the death, or nobody looked after it.
///
/// A waiter looks after 1 s in any case.
const GRANTED_WITHIN: Duration = Duration::from_millis(500);

/// So often is a kill repeated whose grant came late: other work on this machine may have been the reason.
const TRIES: usize = 3;

/// A process, a command, and the answers that are right; none for any.
type Line = (&'static str, &'static str, &'static [&'static str]);

const ANY: &[&str] = &[];
const DONE: &[&str] = &["done"];
const YES: &[&str] = &["yes"];
const NO: &[&str] = &["no"];
const REMOVED: &[&str] = &["EIDRM"];

/// One operation. The processes `w` (it waits), `h` (it holds), `p` and `d` have the limit open before.
#[derive(Default)]
struct Case {
    permits: u32,
    /// Whether the limit exists before.
    absent: bool,
    before: &'static [Line],
    /// The commands of the process that is killed: up to `stop`, and from there to the next one.
    script: &'static [&'static str],
    /// What others do when it raised its first mark.
    begun: &'static [Line],
    /// What others do when it sleeps, each time.
    quiet: &'static [&'static [Line]],
    /// What others do after the kill.
    after: &'static [Line],
    /// The numbers of permits that are right at the end; `permits` if there is none.
    permits_after: &'static [u32],
}

/// The others, and the limit of one kill.
struct World<'a> {
    case: &'a Case,
    name: String,
    others: HashMap<&'static str, Helper>,
}

impl<'a> World<'a> {
    fn new(case: &'a Case) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("/os-ipc-steps-{}-{now:x}-{number}", std::process::id());
        let mut world = Self { case, name, others: HashMap::new() };
        if !case.absent {
            let create = format!("create {}", case.permits);
            assert_eq!(world.ask("h", &create), "done");
        }
        for line in case.before {
            world.perform(line);
        }
        world
    }

    fn path(&self) -> String {
        let mut hasher = fnv::FnvHasher::default();
        hasher.write(self.name.as_bytes());
        format!("/dev/shm/os-ipc.counter.{:016x}", hasher.finish())
    }

    fn ask(&mut self, who: &'static str, command: &str) -> String {
        let name = &self.name;
        let other = self.others.entry(who).or_insert_with(|| {
            let mut other = Helper::start();
            assert_eq!(other.ask(&format!("name {name}")), "done");
            other
        });
        if command == "kill" {
            other.kill();
            self.others.remove(who);
            return "done".to_owned();
        }
        other.ask(command)
    }

    fn perform(&mut self, (who, command, right): &Line) {
        let answer = self.ask(who, command);
        assert!(right.is_empty() || right.contains(&&*answer), "{who} {command}: {answer}");
    }

    /// Starts the process that is killed, at its first mark.
    fn victim(&mut self) -> Traced {
        let mut script = vec![format!("name {}", self.name)];
        script.extend(self.case.script.iter().map(|command| (*command).to_owned()));
        let victim = Traced::at_first_mark(traced(&script), self.path());
        let case = self.case;
        case.begun.iter().for_each(|line| self.perform(line));
        victim
    }

    /// The victim sleeps: what others do now, after it slept `times` times.
    fn quiet(&mut self, times: usize) -> Quiet {
        /// What others did takes its time.
        const TIMES: usize = 100;
        let quiet = self.case.quiet;
        let Some(lines) = quiet.get(times) else {
            return if times < quiet.len() + TIMES { Quiet::Waited } else { Quiet::Stuck };
        };
        lines.iter().for_each(|line| self.perform(line));
        Quiet::Acted
    }

    /// What has to be true after every kill.
    fn check(&mut self) -> Duration {
        let killed = Instant::now();
        for line in self.case.after {
            self.perform(line);
        }
        let granted = killed.elapsed();
        self.check_permits();
        assert!(["yes", "no"].contains(&&*self.ask("h", "unlink")));
        self.others.clear();
        assert!(!Path::new(&self.path()).exists(), "its file is left");
        granted
    }

    fn check_permits(&mut self) {
        let create = format!("open-or-create {}", self.case.permits);
        assert_eq!(self.ask("c", &create), "done");
        let permits: u32 = self.ask("c", "permits").parse().unwrap();
        let right = match self.case.permits_after {
            [] => &[self.case.permits],
            some => some,
        };
        assert!(right.contains(&permits), "{permits} permits, not {right:?}");
        let expected = format!("{permits} {permits} 0");
        assert_eq!(self.ask("c", "info"), expected, "permits, free ones, held ones");
        assert_eq!(self.ask("c", "take-all"), permits.to_string(), "so many permits can be had");
        assert_eq!(self.ask("c", "info"), format!("{permits} 0 {permits}"));
        for _ in 0..permits {
            assert_eq!(self.ask("c", "release"), "done");
        }
        assert_eq!(self.ask("c", "info"), expected);
        assert_eq!(self.ask("c", "waiters 0"), "done");
    }
}

/// The most calls of an operation before which a process is killed in the short form. The changes are all tried.
const CALLS: usize = 20;

/// The most changes between two calls: more would be a loop.
const CHANGES: usize = 40;

/// Kills the process at every event of the operation.
fn at_every_event(title: &str, case: &Case) {
    if !trace::is_allowed() {
        println!("{title}: skipped, since this system refuses ptrace(2)");
        return;
    }
    let whole = std::env::var("OS_IPC_STEPS").is_ok_and(|form| form == "whole");
    let (by, calls) = if whole { (Record::Steps, usize::MAX) } else { (Record::Calls, CALLS) };
    let mut tally = Tally::default();
    let events = events_of(case, by, &mut tally);
    let all = events.iter().filter(|event| event.changes == 0).count();
    let every = all.div_ceil(calls).max(1);
    for event in &events {
        if event.changes == 0 {
            if event.calls % every == 0 {
                kill_at(case, *event, &mut tally);
                tally.calls += 1;
            }
            continue;
        }
        // By steps every change is an event; from call to call only the first one is.
        let last = if whole { event.changes } else { CHANGES };
        for changes in event.changes..=last {
            if kill_at(case, Point { changes, ..*event }, &mut tally) == End::Passed {
                break;
            }
            tally.changes += 1;
        }
    }
    assert!(tally.kills > 1, "the operation changed nothing and made no call");
    println!(
        "{title}: {} kills at {} changes and {} of {all} calls; served within {:?}",
        tally.kills, tally.changes, tally.calls, tally.latest,
    );
}

#[derive(Default)]
struct Tally {
    kills: usize,
    changes: usize,
    calls: usize,
    latest: Duration,
}

fn events_of(case: &Case, by: Record, tally: &mut Tally) -> Vec<Point> {
    let mut world = World::new(case);
    let mut victim = world.victim();
    victim.record(by, |times| world.quiet(times));
    let events = std::mem::take(&mut victim.events);
    victim.kill();
    tally.latest = world.check();
    events
}

fn kill_at(case: &Case, event: Point, tally: &mut Tally) -> End {
    for _ in 0..TRIES {
        let mut world = World::new(case);
        let mut victim = world.victim();
        let end = victim.run(event, |times| world.quiet(times));
        victim.kill();
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.check()));
        let granted = checked.unwrap_or_else(|_| panic!("after a kill at {event:?}"));
        tally.kills += 1;
        if granted < GRANTED_WITHIN {
            tally.latest = tally.latest.max(granted);
            return end;
        }
    }
    panic!("the grant was late {TRIES} times after a kill at {event:?}");
}

macro_rules! cases {
    ($($title:ident: $case:expr;)*) => {$(
        #[test]
        fn $title() {
            at_every_event(stringify!($title), &$case);
        }
    )*};
}

/// The permit is held, and another process waits for it.
const W_WAITS: &[Line] =
    &[("h", "try", YES), ("w", "open", DONE), ("w", "wait", NO), ("h", "waiters 1", DONE)];

/// The holder gives back, if it did not yet, and the waiter is served.
const W_IS_SERVED: &[Line] = &[("h", "release", ANY), ("w", "collect 20000", YES), ("w", "release", ANY)];

/// A process in single steps is so slow that the one behind it may pass it.
const W_WAS_FASTER: &[Line] = &[("w", "collect 100", ANY), ("w", "release", ANY)];

/// The waiter gets what the killed process had, or gave back.
const W_IS_SERVED_BY_IT: &[Line] = &[("w", "collect 20000", YES), ("w", "release", ANY)];

cases! {
    create: Case {
        permits: 2,
        absent: true,
        script: &["stop", "open-or-create 2", "stop"],
        ..Case::default()
    };
    open: Case {
        permits: 1,
        before: W_WAITS,
        script: &["stop", "open", "stop"],
        after: W_IS_SERVED,
        ..Case::default()
    };
    first_try: Case { permits: 2, script: &["open", "stop", "try", "stop"], ..Case::default() };
    try_while_another_waits: Case {
        permits: 1,
        before: W_WAITS,
        script: &["open", "stop", "try", "stop"],
        after: W_IS_SERVED,
        ..Case::default()
    };
    second_try: Case { permits: 2, script: &["open", "try", "stop", "try", "stop"], ..Case::default() };
    try_that_finds_a_dead_process: Case {
        permits: 1,
        before: &[("d", "open", DONE), ("d", "try", YES), ("d", "kill", DONE)],
        script: &["open", "stop", "try", "stop"],
        ..Case::default()
    };
    release: Case { permits: 1, script: &["open", "try", "stop", "release", "stop"], ..Case::default() };
    release_to_a_waiter: Case {
        permits: 1,
        before: &[("w", "open", DONE)],
        script: &["open", "try", "stop", "release", "stop"],
        begun: &[("w", "wait", NO), ("w", "waiters 1", DONE)],
        after: W_IS_SERVED_BY_IT,
        ..Case::default()
    };
    close: Case { permits: 2, script: &["open", "try", "stop", "close", "stop"], ..Case::default() };
    close_while_another_waits: Case {
        permits: 1,
        before: &[("w", "open", DONE)],
        script: &["open", "try", "stop", "close", "stop"],
        begun: &[("w", "wait", NO), ("w", "waiters 1", DONE)],
        after: W_IS_SERVED_BY_IT,
        ..Case::default()
    };
    hand_on: Case {
        permits: 1,
        before: &[("w", "open", DONE)],
        script: &["open", "try", "stop", "hand-on", "stop"],
        begun: &[("w", "wait", NO), ("w", "waiters 1", DONE)],
        after: W_IS_SERVED_BY_IT,
        ..Case::default()
    };
    acquire_that_waits: Case {
        permits: 1,
        before: &[("h", "try", YES)],
        script: &["open", "stop", "acquire 20000", "stop"],
        quiet: &[&[("h", "waiters 1", DONE), ("h", "release", DONE)]],
        after: &[("h", "release", ANY)],
        ..Case::default()
    };
    acquire_that_times_out: Case {
        permits: 1,
        before: &[("h", "try", YES)],
        script: &["open", "stop", "acquire 30", "stop"],
        after: &[("h", "release", DONE)],
        ..Case::default()
    };
    wait_at_the_head_of_the_line: Case {
        permits: 1,
        before: &[("h", "try", YES), ("w", "open", DONE)],
        script: &["open", "stop", "wait", "collect 20000", "stop"],
        quiet: &[
            &[("h", "waiters 1", DONE), ("w", "wait", NO), ("h", "waiters 2", DONE)],
            &[("h", "release", DONE)],
            W_WAS_FASTER,
        ],
        after: W_IS_SERVED,
        ..Case::default()
    };
    wait_before_one_that_gives_up_its_wait: Case {
        permits: 1,
        before: &[("h", "try", YES), ("p", "open", DONE), ("w", "open", DONE)],
        script: &["open", "stop", "wait", "collect 20000", "stop"],
        quiet: &[
            &[
                ("h", "waiters 1", DONE),
                ("p", "wait", NO),
                ("h", "waiters 2", DONE),
                ("w", "wait", NO),
                ("h", "waiters 3", DONE),
                // The thread that waits for `w` may look once more when it begins.
                ("p", "sleep 50", DONE),
                ("p", "cancel", DONE),
                ("h", "waiters 2", DONE),
            ],
            &[("h", "release", DONE)],
            W_WAS_FASTER,
        ],
        after: W_IS_SERVED,
        ..Case::default()
    };
    wait_behind_another: Case {
        permits: 1,
        before: W_WAITS,
        script: &["open", "stop", "wait", "collect 20000", "stop"],
        quiet: &[
            &[("h", "waiters 2", DONE), ("h", "release", DONE), ("w", "collect 20000", YES)],
            &[("w", "release", DONE)],
        ],
        after: W_IS_SERVED,
        ..Case::default()
    };
    cancel: Case {
        permits: 1,
        before: &[("h", "try", YES), ("w", "open", DONE)],
        script: &["open", "wait", "stop", "cancel", "stop"],
        begun: &[("h", "waiters 1", DONE), ("w", "wait", NO), ("h", "waiters 2", DONE)],
        after: W_IS_SERVED,
        ..Case::default()
    };
    grow: Case {
        permits: 1,
        before: W_WAITS,
        script: &["open", "stop", "resize 2", "stop"],
        after: &[
            ("w", "collect-if-permits 2", YES),
            ("h", "release", DONE),
            ("w", "collect 20000", YES),
            ("w", "release", DONE),
        ],
        permits_after: &[1, 2],
        ..Case::default()
    };
    grow_while_the_line_watches_another: Case {
        permits: 1,
        before: &[("h", "try", YES), ("p", "open", DONE), ("w", "open", DONE)],
        script: &["open", "try", "stop", "resize 2", "stop"],
        // `w` is the head of the line now, and watches `p`, which left it last.
        begun: &[
            ("p", "wait", NO),
            ("h", "waiters 1", DONE),
            ("w", "wait", NO),
            ("h", "waiters 2", DONE),
            ("h", "release", DONE),
            ("p", "collect 20000", YES),
        ],
        after: &[
            ("w", "collect-if-permits 2", YES),
            ("p", "release", DONE),
            ("w", "collect 20000", YES),
            ("w", "release", DONE),
        ],
        permits_after: &[1, 2],
        ..Case::default()
    };
    shrink: Case {
        permits: 3,
        script: &["open", "stop", "resize 1", "stop"],
        permits_after: &[1, 2, 3],
        ..Case::default()
    };
    shrink_that_waits: Case {
        permits: 2,
        before: &[("h", "try", YES), ("h", "try", YES), ("w", "open", DONE)],
        script: &["open", "stop", "resize 1", "stop"],
        quiet: &[
            &[("h", "waiters 1", DONE), ("w", "wait", NO), ("h", "waiters 2", DONE), ("h", "release", DONE)],
            &[("w", "collect 100", ANY), ("w", "release", ANY)],
        ],
        after: &[
            ("h", "release", ANY),
            ("h", "release", ANY),
            ("w", "collect 20000", YES),
            ("w", "release", ANY),
        ],
        permits_after: &[1, 2],
        ..Case::default()
    };
    unlink: Case {
        permits: 1,
        before: W_WAITS,
        script: &["stop", "unlink", "stop"],
        after: &[
            ("w", "collect-if-removed 20000", REMOVED),
            ("h", "unlink", ANY),
            ("w", "collect 20000", ANY),
        ],
        ..Case::default()
    };
}
