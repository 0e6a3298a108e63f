//! The counter of a ledger, and what this process has of it.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::opening::{self, Named, Opened, failed};
use crate::error::{Code, Error, OsCode, Result};
use crate::ledger::{Entry, Guarded, Kind, Ledger, Pace, Retired, SlotNumber, Step};
use crate::limit::PERMITS_MAX;
use crate::sys::clock;
use crate::sys::death::{self, ProcessId};
use crate::sys::failure::Failure;
use crate::sys::file_identity::FileIdentity;
use crate::sys::guard::Held;
use crate::sys::in_use::InUse;
use crate::sys::interrupt::Interrupt;
use crate::sys::ledger_file::{LedgerFile, Status, calls};
use crate::sys::wake;
use crate::waiting::{Counter, Request, Token, Watched};

/// A free permit was taken away, and the number lowered with it.
const STEP: Token = Token(0);

/// There was nothing to lower: the number was reached.
const REACHED: Token = Token(1);

/// No slot: a slot's number is smaller than the number of slots.
const NONE: u32 = u32::MAX;

/// The time after which a process passes a stopped one that could take something: 20 ms.
const MOMENT: Duration = Duration::from_millis(20);

/// The time to the next try where another process has the guard: 1 ms.
const GUARD_AGAIN: Duration = Duration::from_millis(1);

/// The time between two looks of a waiter without a hint: 1 s. If the process that watches for it has stopped, nobody hints.
///
/// After the same time, a waiter passes a process that does not take what it could.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The time between two looks for dead processes without a hint: 1 ms. A look takes 8 system calls a holder.
const LOOK_FOR_DEAD: Duration = Duration::from_millis(1);

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// 0 for a clock that is wrong.
fn seconds_since_1970() -> u32 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u32::try_from(now.as_secs()).unwrap_or_default()
}

/// The ledger, as this process uses it.
pub(crate) struct LedgerCounter {
    name: Named,
    ledger: Ledger<LedgerFile>,
    status: Status,
    own: ProcessId,
    /// The slot of this process; it is changed under the lock of `hold`.
    slot: AtomicU32,
    hold: Mutex<Hold>,
}

#[derive(Default)]
struct Hold {
    /// When to look again, where that is earlier than usual.
    again: Option<Duration>,
    /// The process that could take something and does not.
    idle_head: Option<IdleHead>,
    /// When dead processes were looked for last.
    looked: u64,
    /// A process died, and another process had the guard: what the dead one held is still to be given back.
    is_behind: bool,
    /// How many slots have memory.
    room: u32,
    /// Tells other copies of this library in the process that the slots of this process are in use.
    in_use: Option<InUse>,
}

/// The head of the line, and when it was seen to leave what it could take: in microseconds.
#[derive(Clone, Copy)]
struct IdleHead {
    ticket: u64,
    since: u64,
    last: u64,
}

/// The outcome of an attempt.
enum Attempt {
    Done(Token),
    /// Nothing is free for this process.
    Nothing,
    /// Another process has the guard.
    Busy,
}

impl LedgerCounter {
    pub(super) fn new(opened: Opened) -> Self {
        let Opened { name, ledger, status } = opened;
        let own = ProcessId::own_for_good();
        Self { name, ledger, status, own, slot: AtomicU32::new(NONE), hold: Mutex::default() }
    }

    pub(crate) fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(crate) fn name_of(&self) -> &Named {
        &self.name
    }

    pub(super) fn identity(&self) -> FileIdentity {
        self.status.identity
    }

    pub(crate) fn ledger(&self) -> &Ledger<LedgerFile> {
        &self.ledger
    }

    pub(super) fn own(&self) -> ProcessId {
        self.own
    }

    /// Whether this process opened it, and not the parent that forked this process.
    pub(super) fn is_own(&self) -> bool {
        self.own == ProcessId::own()
    }

    /// The number of the ledger in the register of what this process uses: below 0, since the ids of sets are not.
    pub(super) fn number_in_use(&self) -> i32 {
        let number = self.status.identity.number();
        let folded = u32::try_from((number ^ (number >> 31)) & 0x7fff_ffff).unwrap_or_default();
        -1 - folded.cast_signed()
    }

    fn slot(&self) -> Option<SlotNumber> {
        Some(self.slot.load(Ordering::Relaxed)).filter(|slot| *slot != NONE).map(SlotNumber::of)
    }

    /// The error for a removed limit.
    pub(crate) fn check_exists(&self, act: &str) -> Result<()> {
        if self.ledger.is_retired() {
            return Err(self.removed(act));
        }
        Ok(())
    }

    fn removed(&self, act: &str) -> Error {
        if self.ledger.place().is_torn() {
            let what = format!("another process truncated the file of {:#}", self.name);
            return Error::new(Code::Truncated, what).with_hint("no program of os-ipc does that: remove it");
        }
        let object = format!("'{}'", self.name);
        Error::system(format!("cannot {act} the {}", self.name.noun()), calls::GUARD, object, OsCode::EIDRM)
            .with_hint("it was removed: open it again")
    }

    /// The guard; `None` while another process has it.
    fn guarded(&self) -> Result<Option<Guarded<'_, LedgerFile, Held<'_>>>> {
        /// Tries before it counts as held: its holder needs less than a microsecond, if it has a processor.
        const TRIES: u32 = 20;
        for attempt in 0..TRIES {
            let held = self.ledger.place().guard().try_hold();
            if let Some(held) =
                held.map_err(|errno| failed("change", &self.name, Failure(calls::GUARD, errno)))?
            {
                return Ok(Some(self.ledger.guarded(held, self.own.0)));
            }
            if attempt > 2 {
                std::thread::yield_now();
            }
        }
        Ok(None)
    }

    /// The guard, after a wait; `None` where its holder has stopped.
    fn guarded_within(&self, patience: Duration) -> Result<Option<Guarded<'_, LedgerFile, Held<'_>>>> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(guarded) = self.guarded()? {
                return Ok(Some(guarded));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    /// The slot of this process, claimed if it has none; `None` while another process has the guard.
    ///
    /// The head of the line hears of it before this process may take anything: from then on it watches this process.
    fn claim(&self, hold: &mut Hold) -> Result<Option<SlotNumber>> {
        if let Some(slot) = self.slot() {
            return Ok(Some(slot));
        }
        hold.in_use.get_or_insert_with(|| InUse::enter(self.number_in_use()));
        loop {
            let Some(guarded) = self.guarded()? else { return Ok(None) };
            if let Some(slot) = guarded.claim(self.own.0, hold.room) {
                drop(guarded);
                self.slot.store(slot.number(), Ordering::Relaxed);
                self.wake_others();
                return Ok(Some(slot));
            }
            drop(guarded);
            match self.empty_dead(|_| true) {
                Some(true) => {}
                Some(false) => self.make_room(hold)?,
                None => return Ok(None),
            }
        }
    }

    /// Gives memory to more slots.
    fn make_room(&self, hold: &mut Hold) -> Result<()> {
        /// Slots more than there are, for the processes to come: about a page.
        const MORE: u32 = 64;
        let layout = self.ledger.layout();
        if hold.room >= layout.slots() {
            let what = format!("{} processes use {:#}, and no more can", layout.slots(), self.name);
            return Err(Error::new(Code::NoSlot, what).with_limit(u64::from(layout.slots())));
        }
        let room = (self.ledger.high() + MORE).min(layout.slots());
        let allocated = self.ledger.place().allocate(layout.size_up_to(room));
        allocated.map_err(|failure| opening::no_room(failed("use", &self.name, failure), 0))?;
        hold.room = room;
        Ok(())
    }

    /// Gives back what dead processes hold, as far as `which` asks about them. False if there were none, and `None` if another
    /// process or thread has the guard.
    fn empty_dead(&self, which: impl Fn(&Entry) -> bool) -> Option<bool> {
        let dead: Vec<_> = self
            .ledger
            .entries()
            .filter(|entry| entry.id != self.own.0 && which(entry))
            .map(|entry| entry.id)
            .filter(|id| death::is_dead(ProcessId(*id)))
            .collect();
        if dead.is_empty() {
            return Some(false);
        }
        let emptied = self.empty(|entry| dead.contains(&entry.id));
        for id in dead {
            wake::remove(self.inboxes(), ProcessId(id));
        }
        emptied
    }

    /// Gives back what some slots hold. False if there were none, and `None` if another process or thread has the guard.
    pub(super) fn empty(&self, which: impl FnMut(&Entry) -> bool) -> Option<bool> {
        let guarded = self.guarded_within(Duration::from_millis(1)).ok().flatten()?;
        let any = guarded.empty(which);
        drop(guarded);
        if any {
            self.wake_others();
        }
        Some(any)
    }

    /// Sends a hint to the processes that are to look again. One that holds this copy's own slot hears of it too.
    fn wake_others(&self) {
        self.ledger.to_wake(|id| self.hint(id));
    }

    /// Sends hints after this process left its place in the line: the process behind it watches another one from now on.
    fn wake_after(&self, ticket: u64) {
        let mut behind = self.ledger.behind(ticket);
        self.ledger.to_wake(|id| {
            self.hint(id);
            behind.take_if(|behind| *behind == id);
        });
        if let Some(behind) = behind {
            self.hint(behind);
        }
    }

    fn hint(&self, id: u64) {
        wake::hint(self.inboxes(), ProcessId(id), self.key());
    }

    /// Takes for the request if it is the turn of this process. `in_line` is whether it waits: then it has a ticket afterwards.
    fn look(&self, request: Request, in_line: bool) -> Result<Option<Token>> {
        // Also while a stopped process has the guard.
        self.check_exists("take a permit from")?;
        let mut hold = self.lock();
        hold.again = None;
        let Some(slot) = self.claim(&mut hold)? else {
            hold.again = Some(GUARD_AGAIN);
            return Ok(None);
        };
        if in_line {
            self.ledger.join(slot);
        }
        let mut pace = Pace::InTurn;
        loop {
            match self.attempt(request, slot, pace)? {
                Attempt::Done(token) => {
                    hold.idle_head = None;
                    return Ok(Some(token));
                }
                Attempt::Busy => {
                    hold.again = Some(GUARD_AGAIN);
                    return Ok(None);
                }
                Attempt::Nothing if pace == Pace::Passing => return Ok(None),
                Attempt::Nothing => {}
            }
            if self.is_head_idle(&mut hold, slot) {
                pace = Pace::Passing;
            } else if !self.look_for_dead(&mut hold, in_line) {
                return Ok(None);
            }
        }
    }

    fn attempt(&self, request: Request, slot: SlotNumber, pace: Pace) -> Result<Attempt> {
        let ticket = self.ledger.ticket(slot);
        let now = seconds_since_1970();
        let Some(guarded) = self.guarded()? else { return Ok(Attempt::Busy) };
        let guarded = guarded.at(now);
        let outcome = match request {
            Request::Shrink(to) => {
                guarded.bound(u32::from(PERMITS_MAX));
                match guarded.shrink(slot, u32::from(to), pace) {
                    Ok(Step::Taken) => Ok(Attempt::Done(STEP)),
                    Ok(Step::Reached) => Ok(Attempt::Done(REACHED)),
                    Ok(Step::None) => Ok(Attempt::Nothing),
                    Err(Retired) => Err(Retired),
                }
            }
            Request::Unit => guarded
                .consume(slot, pace)
                .map(|taken| if taken { Attempt::Done(Token::default()) } else { Attempt::Nothing }),
            _ => guarded
                .grant(slot, pace)
                .map(|taken| if taken { Attempt::Done(Token::default()) } else { Attempt::Nothing }),
        };
        drop(guarded);
        let outcome = outcome.map_err(|Retired| {
            self.removed(match self.name.kind {
                Kind::Limit => "take a permit from",
                Kind::Semaphore => "take a unit from",
            })
        })?;
        if ticket != 0 && matches!(outcome, Attempt::Done(_)) {
            if matches!(outcome, Attempt::Done(REACHED)) {
                self.ledger.part(slot);
            }
            // If it was the head of the line, the process behind it is the head now, and watches all processes.
            self.wake_after(ticket);
        }
        Ok(outcome)
    }

    /// Whether something was free for a while, and the process whose turn it is did not take it.
    fn is_head_idle(&self, hold: &mut Hold, slot: SlotNumber) -> bool {
        let head = self.ledger.head().filter(|head| head.slot != slot && self.ledger.value() > 0);
        let Some(head) = head else {
            hold.idle_head = None;
            return false;
        };
        hold.again = Some(MOMENT);
        let now = clock::microseconds();
        match hold.idle_head {
            // Between two looks that are far apart, it may have been busy all the time.
            Some(seen) if seen.ticket == head.ticket && now - seen.last < 5 * micros(MOMENT) => {
                hold.idle_head = Some(IdleHead { last: now, ..seen });
                let idle = now - seen.since;
                // A process that is not stopped may only have had no processor.
                idle > micros(LOOK_AGAIN) || idle > micros(MOMENT) && death::is_stopped(ProcessId(head.id))
            }
            _ => {
                hold.idle_head = Some(IdleHead { ticket: head.ticket, since: now, last: now });
                false
            }
        }
    }

    /// Looks for dead processes, if that was not done a moment ago; whether there were any.
    fn look_for_dead(&self, hold: &mut Hold, in_line: bool) -> bool {
        let now = clock::microseconds();
        // The hub tells a waiter of deaths.
        let every = if in_line { MOMENT } else { LOOK_FOR_DEAD };
        if !hold.is_behind && now.saturating_sub(hold.looked) < micros(every) {
            return false;
        }
        let found = self.empty_dead(|entry| entry.held > 0 || entry.ticket != 0);
        hold.looked = clock::microseconds();
        hold.is_behind = found.is_none();
        if hold.is_behind {
            hold.again = Some(GUARD_AGAIN);
        }
        found == Some(true)
    }

    /// Lets the head of the line watch this process, which is about to change the ledger.
    ///
    /// A process that dies between its change and its hints would leave the waiters asleep.
    fn announce(&self, patience: Duration) -> Result<bool> {
        let deadline = Instant::now() + patience;
        let mut hold = self.lock();
        while self.claim(&mut hold)?.is_none() {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_micros(50));
        }
        Ok(true)
    }

    /// Adds units; false if there would be more than `most`.
    #[cfg_attr(not(windows), allow(dead_code, reason = "only semaphores of Windows are ledgers"))]
    pub(crate) fn post(&self, units: u32, most: u32) -> Result<bool> {
        self.announce(opening::GUARD_WITHIN)?;
        self.check_exists("post to")?;
        let posted = self.ledger.post(units, most);
        if posted {
            self.wake_others();
        }
        Ok(posted)
    }

    /// Raises the number of permits.
    pub(super) fn grow(&self, from: u32, to: u32) -> Result<bool> {
        self.announce(opening::GUARD_WITHIN)?;
        let Some(guarded) = self.guarded_within(opening::GUARD_WITHIN)? else {
            return Err(opening::guard_is_held(&self.name, &self.ledger));
        };
        let grown = guarded.grow(from, to.min(u32::from(PERMITS_MAX)));
        drop(guarded);
        let grown = grown.map_err(|Retired| self.removed("resize"))?;
        if grown {
            self.wake_others();
        }
        Ok(grown)
    }

    /// Marks what this process holds as meant for the program that it becomes, or takes the mark away. False where nothing is
    /// held.
    pub(super) fn hand_on(&self, handed_on: bool) -> bool {
        let slot = self.slot().filter(|slot| self.ledger.held(*slot) > 0);
        if let Some(slot) = slot {
            self.ledger.hand_on(slot, handed_on);
        }
        slot.is_some()
    }

    /// Removes the limit; all who wait get `EIDRM`.
    pub(crate) fn remove(&self) -> Result<()> {
        /// The most that a stopped process holds up the removal before its mark: 100 ms.
        const PATIENCE: Duration = Duration::from_millis(100);
        if self.ledger.is_retired() {
            return Ok(());
        }
        opening::check_removable(&self.name, &self.status)?;
        // Nobody finds the inboxes of the dead when the ledger is gone.
        self.empty_dead(|_| true);
        // Without a slot, a waiter sees the mark when it next looks.
        let _ = self.announce(PATIENCE);
        opening::retire(&self.name, &self.ledger, &self.status)
    }

    /// A thread that panicked left nothing half-done here: no code between two changes panics.
    fn lock(&self) -> MutexGuard<'_, Hold> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counter for LedgerCounter {
    fn try_take(&self, request: Request) -> Result<Option<Token>> {
        self.look(request, false)
    }

    /// The hub waits for a ledger, and no thread blocks here.
    fn take(&self, request: Request, _: &Interrupt) -> Result<Option<Token>> {
        self.look(request, true)
    }

    fn may_be_polled(&self) -> bool {
        true
    }

    fn give_back(&self, request: Request, _: Token) -> std::result::Result<(), OsCode> {
        match request {
            // The limit keeps the number that it has reached: another resize may have ended at it.
            Request::Shrink(_) => return Ok(()),
            Request::Unit => {
                self.ledger.post(1, u32::MAX);
            }
            _ => {
                if let Some(slot) = self.slot() {
                    self.ledger.give_back(slot);
                }
            }
        }
        self.wake_others();
        Ok(())
    }

    fn kernel_waiters(&self, _: Request) -> Option<u32> {
        Some(self.ledger.others_waiting(self.slot()))
    }

    fn watched(&self) -> Option<&dyn Watched> {
        Some(self)
    }

    fn failure(&self, act: &str, errno: OsCode) -> Error {
        failed(act, &self.name, Failure(calls::GUARD, errno))
    }
}

impl Watched for LedgerCounter {
    fn key(&self) -> u64 {
        self.status.identity.number()
    }

    fn inboxes(&self) -> &Path {
        self.ledger.place().path().parent().unwrap_or(Path::new("/"))
    }

    fn take_in_turn(&self, request: Request) -> Result<Option<Token>> {
        self.look(request, true)
    }

    fn peers(&self, out: &mut Vec<ProcessId>) {
        if let Some(slot) = self.slot() {
            self.ledger.to_watch(slot, |id| out.push(ProcessId(id)));
        }
    }

    fn died(&self, id: ProcessId) {
        if self.empty(|entry| entry.id == id.0).is_none() {
            self.lock().is_behind = true;
        }
        wake::remove(self.inboxes(), id);
    }

    fn parted(&self) {
        let hold = self.lock();
        let Some(slot) = self.slot() else { return };
        let ticket = self.ledger.ticket(slot);
        if self.ledger.part(slot) {
            drop(hold);
            self.wake_after(ticket);
        }
    }

    fn look_again(&self) -> Option<Duration> {
        Some(self.lock().again.unwrap_or(LOOK_AGAIN))
    }
}

impl Drop for LedgerCounter {
    /// Leaves the slot. Permits that are still in it were handed on, or are those of a process that ends.
    fn drop(&mut self) {
        if let Some(slot) = self.slot()
            && self.is_own()
            && self.ledger.held(slot) == 0
        {
            let ticket = self.ledger.ticket(slot);
            self.ledger.leave(slot);
            if ticket != 0 {
                self.wake_after(ticket);
            }
        }
    }
}
