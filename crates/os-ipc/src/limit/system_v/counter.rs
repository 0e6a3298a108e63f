//! The counter of a limit, and what this process holds of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::holder::{self, CLAIMED, HANDED_ON, MOST};
use super::resize;
use crate::counter_set::{SetName, failure};
use crate::error::{Error, OsCode, Result};
use crate::record::{COUNTER, LIMIT_SIZE};
use crate::sys::in_use::InUse;
use crate::sys::interrupt::Interrupt;
use crate::sys::system_v::semaphore::{self as sys, Operation, SetId, Undo};
use crate::waiting::{Counter, Request, Token};

/// The counter of a set and its words, as this process uses them.
pub(super) struct LimitCounter {
    set: SetId,
    name: SetName,
    /// Whether the set has words for holders.
    recorded: bool,
    hold: Mutex<Hold>,
}

/// What this process holds.
#[derive(Default)]
struct Hold {
    /// Its word, while it holds permits or waits for more.
    word: Option<u16>,
    /// Permits that the word tells of.
    named: u16,
    /// Permits that no word tells of.
    unnamed: usize,
    /// Threads in the kernel, whose operations write to the word.
    blocked: u16,
    /// Whether the word is marked as handed on.
    handed_on: bool,
    /// The word to try next.
    choice: Option<u16>,
    /// Tells other copies of this library in the process that the words of this process are in use.
    in_use: Option<InUse>,
}

impl Hold {
    /// The word for one more permit.
    fn room(&self) -> Option<u16> {
        self.word.filter(|_| self.named + self.blocked < MOST)
    }

    fn add(&mut self, word: Option<u16>) {
        match word {
            Some(_) => self.named += 1,
            None => self.unnamed += 1,
        }
    }

    /// Whether nothing but this permit keeps the word.
    fn is_last(&self) -> bool {
        self.named == 1 && self.blocked == 0 && !self.handed_on
    }
}

/// Adds `by` to a word; undone when the process dies.
fn note(word: u16, by: i16) -> Operation {
    Operation::add(word, by, Undo::Yes)
}

/// A value of a word as a change of it.
fn change(value: u16) -> i16 {
    value.cast_signed()
}

impl LimitCounter {
    pub(super) fn new(set: SetId, name: &SetName, recorded: bool) -> Self {
        Self { set, name: name.clone(), recorded, hold: Mutex::default() }
    }

    /// Takes a permit if one is there: the first one of this process takes a word with it, in one step.
    fn try_permit(&self) -> std::result::Result<bool, OsCode> {
        let mut hold = self.lock();
        let take = || Operation::add(COUNTER, -1, Undo::Yes);
        if hold.word.is_some() || !self.recorded {
            let word = hold.room();
            let taken = match word {
                Some(word) => sys::operate(self.set, &mut [take(), note(word, 1)]),
                None => sys::operate(self.set, &mut [take()]),
            };
            return at_once(taken.map(|()| hold.add(word)));
        }
        let mut choice = Some(hold.choice.unwrap_or_else(holder::first_choice));
        self.enter(&mut hold);
        while let Some(word) = choice {
            let mut operations = [take(), Operation::is_zero(word), note(word, change(CLAIMED + 1))];
            match sys::operate(self.set, &mut operations) {
                Ok(()) => {
                    (hold.word, hold.choice, hold.named) = (Some(word), Some(word), 1);
                    return Ok(true);
                }
                Err(OsCode::EAGAIN) if sys::value(self.set)? == 0 => return Ok(false),
                // Another process has the word.
                Err(OsCode::EAGAIN) => choice = self.free_word()?,
                Err(errno) => return Err(errno),
            }
        }
        at_once(sys::operate(self.set, &mut [take()]).map(|()| hold.add(None)))
    }

    /// Takes a permit; blocks until there is one, or fails with `EAGAIN` when the time is over.
    ///
    /// A process that waits needs no word. It gets one for the permit that it took, so the permit has no name for a moment: a
    /// word in the operation that waits would cost the place among the waiters if somebody else took the word meanwhile.
    fn await_permit(&self, deadline: Option<Instant>) -> std::result::Result<(), OsCode> {
        let word = {
            let mut hold = self.lock();
            let word = hold.room();
            hold.blocked += u16::from(word.is_some());
            word
        };
        let take = Operation::await_add(COUNTER, -1, Undo::Yes);
        let outcome = match word {
            Some(word) => self.block(&mut [take, note(word, 1)], deadline),
            None => self.block(&mut [take], deadline),
        };
        let mut hold = self.lock();
        hold.blocked -= u16::from(word.is_some());
        match outcome {
            Ok(()) if word.is_some() => hold.add(word),
            Ok(()) => self.name_permit(&mut hold),
            Err(_) => self.leave_word(&mut hold),
        }
        outcome
    }

    fn block(
        &self,
        operations: &mut [Operation],
        deadline: Option<Instant>,
    ) -> std::result::Result<(), OsCode> {
        match deadline {
            None => sys::operate_waiting(self.set, operations),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                sys::operate_within(self.set, operations, left)
            }
        }
    }

    /// Notes a permit that was taken without a word; it stays unnamed where all words are taken.
    fn name_permit(&self, hold: &mut Hold) {
        // A removed set has no words any more.
        let word = self.word_for(hold).unwrap_or_default();
        hold.add(word);
    }

    /// Adds one to the word of this process; none where all are taken.
    fn word_for(&self, hold: &mut Hold) -> std::result::Result<Option<u16>, OsCode> {
        if !self.recorded {
            return Ok(None);
        }
        if hold.word.is_some() {
            let Some(word) = hold.room() else { return Ok(None) };
            return sys::operate(self.set, &mut [note(word, 1)]).map(|()| Some(word));
        }
        self.enter(hold);
        let mut choice = Some(hold.choice.unwrap_or_else(holder::first_choice));
        while let Some(word) = choice {
            let mut operations = [Operation::is_zero(word), note(word, change(CLAIMED + 1))];
            match sys::operate(self.set, &mut operations) {
                Ok(()) => {
                    (hold.word, hold.choice) = (Some(word), Some(word));
                    return Ok(Some(word));
                }
                Err(OsCode::EAGAIN) => choice = self.free_word()?,
                Err(errno) => return Err(errno),
            }
        }
        Ok(None)
    }

    /// Gives the word up where nothing of this process needs it.
    fn leave_word(&self, hold: &mut Hold) {
        if hold.named == 0
            && hold.blocked == 0
            && !hold.handed_on
            && let Some(word) = hold.word.take()
        {
            // A removed set has no words any more.
            let _ = sys::operate(self.set, &mut [note(word, -change(CLAIMED))]);
        }
    }

    fn enter(&self, hold: &mut Hold) {
        hold.in_use.get_or_insert_with(|| InUse::enter(self.set.raw()));
    }

    fn free_word(&self) -> std::result::Result<Option<u16>, OsCode> {
        let values = sys::values(self.set, LIMIT_SIZE)?;
        Ok(holder::words().find(|word| values[usize::from(*word)] == 0))
    }

    fn give_back_permit(&self) -> std::result::Result<(), OsCode> {
        let mut hold = self.lock();
        let give = Operation::add(COUNTER, 1, Undo::Yes);
        match hold.word {
            Some(word) if hold.named > 0 && hold.unnamed == 0 => {
                let last = hold.is_last();
                let by = if last { CLAIMED + 1 } else { 1 };
                sys::operate(self.set, &mut [give, note(word, -change(by))])?;
                hold.named -= 1;
                if last {
                    hold.word = None;
                }
            }
            _ => {
                sys::operate(self.set, &mut [give])?;
                hold.unnamed = hold.unnamed.saturating_sub(1);
                // A word that came free while this permit was waited for may be claimed still.
                self.leave_word(&mut hold);
            }
        }
        Ok(())
    }

    /// A wait of the calling thread: straight into the kernel, which has the clock. False when the time is over.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Result<bool> {
        loop {
            match self.await_permit(deadline) {
                Ok(()) => return Ok(true),
                Err(OsCode::EINTR) => {}
                Err(OsCode::EAGAIN) => return Ok(false),
                Err(errno) => return Err(self.failure("wait for", errno)),
            }
        }
    }

    /// Marks what this process holds as meant for the program that it becomes, or takes the mark away. False where no word
    /// tells of it: then it goes back when the process ends.
    pub(super) fn hand_on(&self, handed_on: bool) -> Result<bool> {
        let mut hold = self.lock();
        let Some(word) = hold.word.filter(|_| hold.named > 0) else { return Ok(false) };
        if hold.handed_on != handed_on {
            let by = if handed_on { change(HANDED_ON) } else { -change(HANDED_ON) };
            sys::operate(self.set, &mut [note(word, by)])
                .map_err(|errno| self.failure("hand on a permit of", errno))?;
            hold.handed_on = handed_on;
        }
        Ok(true)
    }

    /// A thread that panicked left nothing half-done here: no code between two changes panics.
    fn lock(&self) -> MutexGuard<'_, Hold> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at_once(taken: std::result::Result<(), OsCode>) -> std::result::Result<bool, OsCode> {
    match taken {
        Ok(()) => Ok(true),
        Err(OsCode::EAGAIN) => Ok(false),
        Err(errno) => Err(errno),
    }
}

impl Counter for LimitCounter {
    fn try_take(&self, request: Request) -> Result<Option<Token>> {
        let taken = match request {
            Request::Shrink(to) => resize::try_step(self.set, to),
            _ => self.try_permit().map(|taken| taken.then(Token::default)),
        };
        taken.map_err(|errno| self.failure("take a permit from", errno))
    }

    fn take(&self, request: Request, _: &Interrupt) -> Result<Option<Token>> {
        let outcome = match request {
            Request::Shrink(to) => resize::await_step(self.set, to),
            _ => self.await_permit(None).map(|()| Token::default()),
        };
        match outcome {
            Ok(token) => Ok(Some(token)),
            Err(OsCode::EINTR) => Ok(None),
            Err(errno) => Err(self.failure("wait for", errno)),
        }
    }

    fn may_be_polled(&self) -> bool {
        true
    }

    fn give_back(&self, request: Request, _: Token) -> std::result::Result<(), OsCode> {
        match request {
            // The limit keeps the number that it has reached: another resize may have ended at it.
            Request::Shrink(_) => Ok(()),
            _ => self.give_back_permit(),
        }
    }

    fn kernel_waiters(&self, _: Request) -> Option<u32> {
        sys::waiters(self.set).ok().map(u32::from)
    }

    fn failure(&self, act: &str, errno: OsCode) -> Error {
        super::explained(failure(&format!("cannot {act} the limit"), "semop", &self.name, errno), &self.name)
    }
}
