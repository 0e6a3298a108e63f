//! What the processes of this test do: one command a line, and one line of answer each.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::ptrace;
use nix::sys::signal::{Signal, raise};
use os_ipc::{
    Delivery, Executors, Limit, LimitCreation, LimitEngine, LimitId, Mailbox, OsCode, Owner, Wait, WaiterId,
};

/// The commands of a process that is traced, separated by semicolons.
const SCRIPT: &str = "OS_IPC_STEPS_SCRIPT";

/// Marks a process of this test, which runs no test.
const ROLE: &str = "OS_IPC_STEPS_ROLE";

/// The signal that a traced process raises where the steps begin and end.
pub const MARK: Signal = Signal::SIGUSR2;

/// The main function of the processes of this test; does nothing in the test itself.
pub fn run() {
    let Ok(role) = env::var(ROLE) else { return };
    let mut actor = Actor::new();
    if role == "traced" {
        ptrace::traceme().unwrap();
        for command in env::var(SCRIPT).unwrap().split(';') {
            actor.perform(command);
        }
        std::thread::sleep(Duration::from_secs(60));
    } else {
        for line in std::io::stdin().lines() {
            let answer = actor.perform(&line.unwrap());
            println!("> {answer}");
            std::io::stdout().flush().unwrap();
        }
    }
    std::process::exit(0);
}

fn command(role: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "program", "--nocapture", "--test-threads=1"]).env(ROLE, role);
    command
}

/// Starts a process that is traced by the calling thread.
pub fn traced(script: &[String]) -> Child {
    let mut command = command("traced");
    command.env(SCRIPT, script.join(";")).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

/// Another process, which nobody traces.
pub struct Helper {
    child: Child,
    input: ChildStdin,
    answers: Receiver<String>,
}

impl Helper {
    pub fn start() -> Self {
        // A tracer waits for the children of its own thread: this one is another's.
        let mut child = std::thread::spawn(|| {
            command("helper").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
        })
        .join()
        .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, answers: lines(output) }
    }

    /// Sends a command, and returns the answer.
    pub fn ask(&mut self, command: &str) -> String {
        writeln!(self.input, "{command}").unwrap();
        let answer = self.answers.recv_timeout(Duration::from_secs(40));
        answer.unwrap_or_else(|_| panic!("a process hangs or ended at: {command}"))
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(output: ChildStdout) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // The test harness prints lines of its own.
            if let Some(answer) = line.split_once("> ").map(|(_, answer)| answer.to_owned())
                && send.send(answer).is_err()
            {
                return;
            }
        }
    });
    receive
}

/// One process: its limit, and its wait.
struct Actor {
    id: Option<LimitId>,
    limit: Option<Limit>,
    ticket: Option<WaiterId>,
    mailbox: Arc<Mailbox>,
    woken: Receiver<()>,
}

const ENGINE: Option<LimitEngine> = Some(LimitEngine::Ledger);

impl Actor {
    fn new() -> Self {
        let (wake, woken) = channel();
        let mailbox = Arc::new(Mailbox::new(move || wake.send(()).unwrap_or_default()));
        Self { id: None, limit: None, ticket: None, mailbox, woken }
    }

    fn perform(&mut self, command: &str) -> String {
        let mut words = command.split(' ');
        let verb = words.next().unwrap_or_default();
        let arguments: Vec<_> = words.collect();
        let number = || arguments.last().unwrap().parse::<u32>().unwrap();
        match self.act(verb, arguments.first().copied().unwrap_or_default(), number) {
            Ok(answer) => answer,
            Err(error) => error.errno().map_or_else(|| format!("{error}"), name_of),
        }
    }

    fn act(&mut self, verb: &str, first: &str, number: impl Fn() -> u32) -> os_ipc::Result<String> {
        let creation = |permits| LimitCreation { permits, mode: 0o600 };
        let yes_or_no = |yes| Ok(if yes { "yes" } else { "no" }.to_owned());
        match verb {
            "stop" => raise(MARK).unwrap(),
            "name" => self.id = Some(LimitId::named(first)?),
            "open" => self.limit = Some(Limit::open(self.id(), Owner::Default, ENGINE)?),
            "create" => self.limit = Some(Limit::create(self.id(), creation(number()), ENGINE)?),
            "open-or-create" => {
                let opened = Limit::open_or_create(self.id(), creation(number()), Owner::Default, ENGINE)?;
                self.limit = Some(opened);
            }
            "close" => self.limit = None,
            "try" => return yes_or_no(self.limit().try_acquire()?),
            "acquire" => {
                let time = Duration::from_millis(number().into());
                return yes_or_no(self.limit().acquire(Some(time))?);
            }
            "release" => self.limit().release()?,
            "wait" => {
                self.ticket = match self.limit().start_acquire(&self.mailbox, Executors::THREAD)? {
                    Wait::Pending(ticket, _) => Some(ticket),
                    Wait::Done => None,
                };
                return yes_or_no(self.ticket.is_none());
            }
            "collect" => return self.collect(Duration::from_millis(number().into())),
            "collect-if-permits" if self.limit().permits()? != u16::try_from(number()).ok() => {
                return yes_or_no(true);
            }
            "collect-if-permits" => return self.collect(Duration::from_secs(20)),
            "collect-if-removed" => match self.limit().permits() {
                Ok(_) => return Ok(name_of(OsCode::EIDRM)),
                Err(_) => return self.collect(Duration::from_millis(number().into())),
            },
            "cancel" => {
                if let Some(ticket) = self.ticket.take() {
                    self.limit().cancel(ticket, &self.mailbox);
                }
            }
            "resize" => {
                while let Wait::Pending(ticket, _) =
                    self.limit().start_resize(number(), &self.mailbox, Executors::THREAD)?
                {
                    self.ticket = Some(ticket);
                    self.collect(Duration::from_secs(20))?;
                }
            }
            "sleep" => std::thread::sleep(Duration::from_millis(number().into())),
            "hand-on" => return yes_or_no(self.limit().hand_on(true)?),
            "unlink" => return yes_or_no(Limit::unlink_id(self.id(), ENGINE)?),
            "waiters" => self.until_waiters(number())?,
            "permits" => return Ok(format!("{}", self.limit().permits()?.unwrap())),
            "take-all" => {
                let mut taken = 0;
                while self.limit().try_acquire()? {
                    taken += 1;
                }
                return Ok(format!("{taken}"));
            }
            "info" => {
                let info = self.limit().info()?;
                let held: u32 = info.holders.unwrap().iter().map(|holding| holding.permits).sum();
                return Ok(format!("{} {} {held}", info.permits.unwrap(), info.free));
            }
            other => panic!("no such command: {other}"),
        }
        Ok("done".to_owned())
    }

    fn id(&self) -> &LimitId {
        self.id.as_ref().unwrap()
    }

    fn limit(&self) -> &Limit {
        self.limit.as_ref().unwrap()
    }

    /// Waits for the outcome of the wait; "yes" at once if there was none.
    fn collect(&mut self, time: Duration) -> os_ipc::Result<String> {
        let deadline = Instant::now() + time;
        while let Some(ticket) = self.ticket {
            let left = deadline.saturating_duration_since(Instant::now());
            if self.woken.recv_timeout(left).is_err() {
                return Ok("nothing".to_owned());
            }
            // No event loop polls here: a planned poll is dropped, and a thread goes on.
            match self.mailbox.collect().delivered.remove(&ticket) {
                Some(Delivery::Granted(grant)) => {
                    grant.hand_over();
                    self.ticket = None;
                }
                Some(Delivery::Failed(error)) => {
                    self.ticket = None;
                    return Err(error);
                }
                None => {}
            }
        }
        Ok("yes".to_owned())
    }

    fn until_waiters(&self, waiters: u32) -> os_ipc::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.limit().info()?.waiters != waiters {
            assert!(Instant::now() < deadline, "there were never {waiters} waiters");
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

fn name_of(code: OsCode) -> String {
    format!("{code:?}")
}
