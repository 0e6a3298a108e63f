//! One look of this process at its ledger: it takes what is free for it, and passes those who left what they could take.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use super::{GUARD_AGAIN, Hold, LOOK_AGAIN, LedgerCounter};
use crate::error::Result;
use crate::ledger::{Kind, Pace, Retired, SlotNumber, Step};
use crate::limit::PERMITS_MAX;
use crate::sys::clock;
use crate::sys::death::{self, ProcessId};
use crate::waiting::{Request, Token};

/// A free permit was taken away, and the number lowered with it.
const STEP: Token = Token(0);

/// There was nothing to lower: the number was reached.
const REACHED: Token = Token(1);

/// The time after which a process passes a stopped one that could take something: 20 ms.
const MOMENT: Duration = Duration::from_millis(20);

/// The time between two looks for dead processes by one that does not wait: 1 ms. A look takes 8 system calls a process.
const LOOK_FOR_DEAD: Duration = Duration::from_millis(1);

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// 0 for a clock that is wrong.
fn seconds_since_1970() -> u32 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u32::try_from(now.as_secs()).unwrap_or_default()
}

/// The head of the line, and when it was seen to leave what it could take: in microseconds.
#[derive(Clone, Copy)]
pub(super) struct IdleHead {
    ticket: u64,
    since: u64,
    last: u64,
}

/// What a process does when nothing is free for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// It goes on without.
    GoOn,
    /// It joins the line next, and looks at the others from there.
    Join,
    /// It stays in the line.
    Wait,
}

/// The outcome of an attempt.
pub(super) enum Attempt {
    Done(Token),
    /// Nothing is free for this process.
    Nothing,
    /// Another process has the guard.
    Busy,
}

impl LedgerCounter {
    /// Takes for the request if it is the turn of this process. One that waits has a ticket afterwards.
    pub(super) fn look(&self, request: Request, otherwise: Otherwise) -> Result<Option<Token>> {
        match self.try_look(request, otherwise)? {
            Attempt::Done(token) => Ok(Some(token)),
            Attempt::Nothing | Attempt::Busy => Ok(None),
        }
    }

    /// The same; tells whether another process had the guard.
    pub(super) fn try_look(&self, request: Request, otherwise: Otherwise) -> Result<Attempt> {
        // Also while a stopped process has the guard.
        self.check_exists("take a permit from")?;
        let mut hold = self.lock();
        hold.again = None;
        let Some(slot) = self.claim(&mut hold)? else {
            hold.again = Some(GUARD_AGAIN);
            return Ok(Attempt::Busy);
        };
        if otherwise == Otherwise::Wait {
            self.ledger.join(slot);
        }
        let mut pace = Pace::InTurn;
        loop {
            match self.attempt(request, slot, pace, otherwise)? {
                Attempt::Done(token) => {
                    hold.idle_head = None;
                    if pace == Pace::Passing {
                        self.note_passed();
                    }
                    return Ok(Attempt::Done(token));
                }
                Attempt::Busy => {
                    hold.again = Some(GUARD_AGAIN);
                    return Ok(Attempt::Busy);
                }
                Attempt::Nothing if pace == Pace::Passing => return Ok(Attempt::Nothing),
                // It looks at the others from its place in the line.
                Attempt::Nothing if otherwise == Otherwise::Join => return Ok(Attempt::Nothing),
                Attempt::Nothing => {}
            }
            if self.is_head_idle(&mut hold, slot) {
                pace = Pace::Passing;
            } else if !self.look_for_dead(&mut hold, otherwise) {
                // What the dead held is not given back yet: another process has the guard.
                return Ok(if hold.is_behind { Attempt::Busy } else { Attempt::Nothing });
            }
        }
    }

    fn attempt(
        &self,
        request: Request,
        slot: SlotNumber,
        pace: Pace,
        otherwise: Otherwise,
    ) -> Result<Attempt> {
        // The guard is for one process at a time: those behind in the line do not ask for it.
        let asks =
            pace == Pace::Passing || otherwise == Otherwise::GoOn || matches!(request, Request::Shrink(_));
        if !asks && !self.ledger.may_have(slot) {
            return Ok(Attempt::Nothing);
        }
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
            self.wake_after_taking(slot, ticket, pace);
        }
        Ok(outcome)
    }

    /// Sends hints after this process took something and left the line: the process behind it is the head now, and watches all
    /// who hold something.
    ///
    /// It watches this process already. So where nobody else holds a permit, it sleeps on: with one permit, each grant wakes one
    /// process and not two.
    fn wake_after_taking(&self, slot: SlotNumber, ticket: u64, pace: Pace) {
        let others_hold = || self.ledger.entries().any(|entry| entry.slot != slot && entry.held > 0);
        let sleeps_on = self.name.kind == Kind::Limit
            && pace == Pace::InTurn
            && self.ledger.held(slot) > 0
            && self.ledger.value() <= 0
            && !others_hold();
        if !sleeps_on {
            self.wake_after(ticket);
        }
    }

    /// The last ticket of the stopped processes at the head of the line that this one passed; 0 if there were none.
    pub(super) fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    /// This process has passed the head of the line: those there that are stopped are passed at once from now on.
    fn note_passed(&self) {
        let mut waiting: Vec<_> = self.ledger.waiting().collect();
        waiting.sort_unstable_by_key(|entry| entry.ticket);
        let stopped = waiting.iter().take_while(|entry| death::is_stopped(ProcessId(entry.id)));
        self.passed.store(stopped.last().map_or(0, |entry| entry.ticket), Ordering::Relaxed);
    }

    /// Whether all processes before this one are still stopped, as they were when it passed them.
    fn are_all_before_stopped(&self, slot: SlotNumber) -> bool {
        let passed = self.passed();
        self.ledger.before(slot).all(|entry| entry.ticket <= passed && death::is_stopped(ProcessId(entry.id)))
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
            _ if self.are_all_before_stopped(slot) => true,
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
    fn look_for_dead(&self, hold: &mut Hold, otherwise: Otherwise) -> bool {
        let now = clock::microseconds();
        // The hub tells a waiter of deaths: with 32 processes in the line, their own looks would take most of the time.
        let every = if otherwise == Otherwise::GoOn { LOOK_FOR_DEAD } else { LOOK_AGAIN };
        if !hold.is_behind && now.saturating_sub(hold.looked) < micros(every) {
            return false;
        }
        // Where nothing is free, nothing comes free by a dead process in the line.
        let free = self.ledger.value() > 0;
        let found = self.empty_dead(|entry| entry.held > 0 || free && entry.ticket != 0);
        hold.looked = clock::microseconds();
        hold.is_behind = found.is_none();
        if hold.is_behind {
            hold.again = Some(GUARD_AGAIN);
        }
        found == Some(true)
    }
}
