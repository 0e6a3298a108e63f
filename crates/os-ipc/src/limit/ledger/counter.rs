//! The counter of a ledger, and what this process has of it.
//!
//! | file | holds |
//! |---|---|
//! | `looking` | one look: it takes what is free for this process, and passes those who left what they could take |
//! | `slots` | the slot of this process, and those of the dead |

mod looking;
mod slots;

use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::looking::{Attempt, IdleHead, Otherwise};
use super::opening::{self, Named, Opened, failed};
use crate::error::{Code, Error, OsCode, Result};
use crate::ledger::{Guarded, Kind, Ledger, Retired, SlotNumber};
use crate::limit::PERMITS_MAX;
use crate::patience::Patience;
use crate::sys::death::ProcessId;
use crate::sys::failure::Failure;
use crate::sys::file_identity::FileIdentity;
use crate::sys::guard::Held;
use crate::sys::in_use::{self, InUse};
use crate::sys::interrupt::Interrupt;
use crate::sys::ledger_file::{LedgerFile, Status, calls};
use crate::sys::wake;
use crate::waiting::{Counter, Request, Token, Watched};

/// No slot: a slot's number is smaller than the number of slots.
const NONE: u32 = u32::MAX;

/// The time to the next try where another process has the guard: 1 ms.
const GUARD_AGAIN: Duration = Duration::from_millis(1);

/// The time between two tries of a call that waits for the guard: 50 us.
const BETWEEN_TRIES: Duration = Duration::from_micros(50);

/// The time between two looks of a waiter without a hint: 1 s. If the process that watches for it has stopped, nobody hints.
///
/// After the same time, a waiter passes a process that does not take what it could.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The ledger, as this process uses it.
pub(crate) struct LedgerCounter {
    name: Named,
    ledger: Ledger<LedgerFile>,
    status: Status,
    own: ProcessId,
    /// The slot of this process; it is changed under the lock of `hold`.
    slot: AtomicU32,
    /// The last ticket of the stopped processes at the head of the line that this one passed; 0 if there were none.
    passed: AtomicU64,
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

impl LedgerCounter {
    pub(super) fn new(opened: Opened) -> Self {
        let Opened { name, ledger, status } = opened;
        let own = ProcessId::own_for_good();
        Self {
            name,
            ledger,
            status,
            own,
            slot: AtomicU32::new(NONE),
            passed: AtomicU64::new(0),
            hold: Mutex::default(),
        }
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

    /// The number of the ledger in the register of what this process uses.
    pub(super) fn number_in_use(&self) -> i32 {
        in_use::number_of(self.status.identity.number())
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
        let mut tries = Patience::new();
        loop {
            if let Some(guarded) = self.guarded()? {
                return Ok(Some(guarded));
            }
            if !tries.once_more_within(patience, BETWEEN_TRIES) {
                return Ok(None);
            }
        }
    }

    /// Sends a hint to the processes that are to look again. One that holds this copy's own slot hears of it too.
    fn wake_others(&self) {
        self.ledger.to_wake(self.passed(), |id| self.hint(id));
    }

    /// Sends hints after this process left its place in the line: the process behind it watches another one from now on.
    fn wake_after(&self, ticket: u64) {
        let mut behind = self.ledger.behind(ticket);
        self.ledger.to_wake(self.passed(), |id| {
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

    /// Lets the head of the line watch this process, which is about to change the ledger.
    ///
    /// A process that dies between its change and its hints would leave the waiters asleep.
    fn announce(&self, patience: Duration) -> Result<bool> {
        if self.slot().is_some() {
            // The head of the line of a limit may watch only the process that left it last.
            if self.name.kind == Kind::Limit {
                self.wake_others();
            }
            return Ok(true);
        }
        let mut tries = Patience::new();
        let mut hold = self.lock();
        while self.claim(&mut hold)?.is_none() {
            if !tries.once_more_within(patience, BETWEEN_TRIES) {
                return Ok(false);
            }
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
    /// Another process may change the ledger at this moment, and have no processor to end that: a permit that is free is
    /// not refused for that.
    fn try_take(&self, request: Request) -> Result<Option<Token>> {
        /// The longest wait for the guard: 100 ms. Its holder may be stopped.
        const LONGEST: Duration = Duration::from_millis(100);
        let mut patience = Patience::new();
        loop {
            match self.try_look(request, Otherwise::GoOn)? {
                Attempt::Done(token) => return Ok(Some(token)),
                Attempt::Nothing => return Ok(None),
                Attempt::Busy => {}
            }
            if !patience.once_more_within(LONGEST, BETWEEN_TRIES) {
                return Ok(None);
            }
        }
    }

    fn try_before_wait(&self, request: Request) -> Result<Option<Token>> {
        self.look(request, Otherwise::Join)
    }

    /// The hub waits for a ledger, and no thread blocks here.
    fn take(&self, request: Request, _: &Interrupt) -> Result<Option<Token>> {
        self.look(request, Otherwise::Wait)
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
        self.look(request, Otherwise::Wait)
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
