//! Locks as System V sets: what a process has of one is undone by the kernel when the process dies.
//!
//! Who wants to share goes through the gate and takes one of the count, in one step. Who wants the lock alone shuts
//! the gate first, then waits for all of the count: nobody new gets in meanwhile, so that those who share leave one by
//! one. The gate stays shut until the lock goes back, and the kernel serves it first come, first served.

mod layout;
mod opening;
mod own;
mod removal;
mod survey;
mod tidy;
// Where there are sets.
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub(super) use own::pass_on;
pub(super) use survey::{list, survey};
pub(super) use tidy::tidy;

use super::LockName;
use crate::error::{Code, Errno, Error, Result};
use crate::sys::interrupt::Interrupt;
use crate::sys::system_v::semaphore::{self as sys, Operation, SetId, Undo};
use crate::waiting::{Counter, Locking, Request, Token};
use layout::{ALONE, EVERYBODY, GATE, GATE_SHUT, Layout, Pending, Slot, TAKEN, Values, narrow, words_of};
use opening::Looks;

/// A lock, as this process uses it.
pub(super) struct SetLock {
    name: LockName,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Option<Open>,
    /// Requests of this process that wait or hold.
    users: usize,
    /// Whether a thread of ours may be in the kernel for it.
    serving: bool,
    /// Whether that thread has shut the gate, and waits for the others to leave.
    gate_shut: bool,
    /// The process is about to end: nothing is opened any more.
    ended: bool,
    pending: Pending,
    /// When the first of them asked; 0 when none waits.
    oldest: u64,
    /// What our slot says of them.
    published: Published,
}

/// The words of a slot that say who waits: how many, and since when.
type Published = [u16; 4];

/// The set while we use it.
#[derive(Clone, Copy)]
struct Open {
    set: SetId,
    layout: Layout,
    /// None where all are taken: we are counted, and not known by our pid.
    slot: Option<Slot>,
}

/// Whether operations wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    AtOnce,
    Waiting,
}

impl Way {
    fn add(self, index: u16, by: i16, undo: Undo) -> Operation {
        match self {
            Self::AtOnce => Operation::add(index, by, undo),
            Self::Waiting => Operation::await_add(index, by, undo),
        }
    }
}

impl Open {
    /// Through the gate, and one of the count.
    fn share(self, way: Way) -> Vec<Operation> {
        let mut operations = vec![
            way.add(GATE, -1, Undo::No),
            way.add(self.layout.count, -1, Undo::Yes),
            Operation::add(GATE, 1, Undo::No),
        ];
        operations.extend(self.slot.map(|slot| Operation::add(slot.shared(), 1, Undo::Yes)));
        operations
    }

    fn shut_gate(way: Way) -> Operation {
        way.add(GATE, -1, Undo::Yes)
    }

    fn open_gate() -> Operation {
        Operation::add(GATE, 1, Undo::Yes)
    }

    /// Writes into the slot what the process has of the lock now.
    fn note(self, by: i16) -> impl Iterator<Item = Operation> {
        self.slot.map(|slot| Operation::add(slot.claim(), by, Undo::Yes)).into_iter()
    }

    /// The gate alone, before the others have left.
    fn shut_gate_first(self) -> Vec<Operation> {
        std::iter::once(Self::shut_gate(Way::Waiting)).chain(self.note(GATE_SHUT - TAKEN)).collect()
    }

    fn reopen_gate(self) -> Vec<Operation> {
        std::iter::once(Self::open_gate()).chain(self.note(TAKEN - GATE_SHUT)).collect()
    }

    /// All of the count.
    fn exclude(self, way: Way, before: i16) -> Vec<Operation> {
        let count = way.add(self.layout.count, -EVERYBODY, Undo::Yes);
        std::iter::once(count).chain(self.note(ALONE - before)).collect()
    }

    fn take_at_once(self, hold: Request) -> Vec<Operation> {
        if hold == Request::Shared {
            return self.share(Way::AtOnce);
        }
        let gate = std::iter::once(Self::shut_gate(Way::AtOnce));
        gate.chain(self.exclude(Way::AtOnce, TAKEN)).collect()
    }

    fn give_back(self, hold: Request) -> Vec<Operation> {
        if hold == Request::Shared {
            let mut operations = vec![Operation::add(self.layout.count, 1, Undo::Yes)];
            operations.extend(self.slot.map(|slot| Operation::add(slot.shared(), -1, Undo::Yes)));
            return operations;
        }
        let all = [Operation::add(self.layout.count, EVERYBODY, Undo::Yes), Self::open_gate()];
        all.into_iter().chain(self.note(TAKEN - ALONE)).collect()
    }

    /// Takes a slot for this process, if one is free.
    fn with_slot(mut self) -> Self {
        let claim = |slot: &Slot| {
            let taken = [Operation::is_zero(slot.claim()), Operation::add(slot.claim(), TAKEN, Undo::Yes)];
            let mut taken: Vec<_> = taken.into_iter().chain(slot.sign(1)).collect();
            sys::operate(self.set, &mut taken).is_ok()
        };
        // Where the set was removed, the next operation will say so.
        self.slot = Values::read(self.set, self.layout).ok().and_then(|values| values.free().find(claim));
        if let Some(slot) = self.slot {
            own::add(self.set, slot);
        }
        self
    }
}

impl SetLock {
    pub(super) fn new(name: LockName) -> Self {
        Self { name, state: Mutex::default() }
    }

    /// The set, opened or made when it is not open yet.
    fn opened(&self, state: &mut State) -> Result<Open> {
        if let Some(open) = state.open {
            return Ok(open);
        }
        if state.ended {
            return Err(Error::new(Code::Closed, "the process is about to exit"));
        }
        let (set, layout) = opening::open_or_create(&self.name)?;
        own::give_back_inherited(set, layout);
        let open = Open { set, layout, slot: None }.with_slot();
        state.open = Some(open);
        state.published = Published::default();
        publish(state);
        Ok(open)
    }

    /// The set was removed while it was used: another one is opened, but not for ever.
    fn lost(&self, set: SetId, act: &str, looks: &mut Looks) -> Result<()> {
        self.forget(set);
        if looks.once_more() { Ok(()) } else { Err(self.failure(act, Errno::EIDRM)) }
    }

    /// The set was removed, by somebody who used it last or by force: the next call opens another one.
    fn forget(&self, set: SetId) {
        let mut state = self.lock();
        if let Some(open) = state.open.take_if(|open| open.set == set) {
            own::remove(open);
            state.gate_shut = false;
        }
    }

    /// One step of taking; true when it was the last one.
    fn step(&self, open: Open, hold: Request) -> std::result::Result<bool, Errno> {
        if hold == Request::Shared {
            self.reopen_gate();
            return sys::operate_waiting(open.set, &mut open.share(Way::Waiting)).map(|()| true);
        }
        if self.lock().gate_shut {
            sys::operate_waiting(open.set, &mut open.exclude(Way::Waiting, GATE_SHUT))?;
            // From here on the shut gate is a part of what was taken.
            self.lock().gate_shut = false;
            return Ok(true);
        }
        sys::operate_waiting(open.set, &mut open.shut_gate_first())?;
        self.lock().gate_shut = true;
        Ok(false)
    }

    /// Opens the gate that our thread shut for a request that is gone.
    fn reopen_gate(&self) {
        let mut state = self.lock();
        if std::mem::take(&mut state.gate_shut)
            && let Some(open) = state.open
        {
            // A removed set has no gate any more.
            let _ = sys::operate(open.set, &mut open.reopen_gate());
        }
    }

    /// A thread that panicked left nothing half-done here: no code between two changes panics.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counter for SetLock {
    fn try_take(&self, hold: Request) -> Result<Option<Token>> {
        let (start, mut looks) = (Instant::now(), Looks::default());
        loop {
            let open = self.opened(&mut self.lock())?;
            let mut operations = open.take_at_once(hold);
            match sys::operate(open.set, &mut operations) {
                Ok(()) => return Ok(Some(Token(open.set.raw()))),
                Err(Errno::EAGAIN) if removal::is_under_way(open, start) => {}
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EIDRM | Errno::EINVAL) => self.lost(open.set, "take", &mut looks)?,
                Err(errno) => return Err(self.failure("take", errno)),
            }
        }
    }

    fn take(&self, hold: Request, _: &Interrupt) -> Result<Option<Token>> {
        let mut looks = Looks::default();
        loop {
            let open = {
                let mut state = self.lock();
                state.serving = true;
                self.opened(&mut state)?
            };
            match self.step(open, hold) {
                Ok(true) => return Ok(Some(Token(open.set.raw()))),
                Ok(false) => {}
                Err(Errno::EINTR) => return Ok(None),
                Err(Errno::EIDRM | Errno::EINVAL) => self.lost(open.set, "wait for", &mut looks)?,
                Err(errno) => return Err(self.failure("wait for", errno)),
            }
        }
    }

    fn give_back(&self, hold: Request, origin: Token) -> std::result::Result<(), Errno> {
        let open = self.lock().open;
        // A set that was removed has nothing to give back to.
        let Some(open) = open.filter(|open| open.set.raw() == origin.0) else { return Ok(()) };
        match sys::operate(open.set, &mut open.give_back(hold)) {
            Err(Errno::EIDRM | Errno::EINVAL) => {
                self.forget(open.set);
                Ok(())
            }
            done => done,
        }
    }

    /// Those who want to get in wait at the gate; the one whose turn it is to have it alone waits for the count.
    fn kernel_waiters(&self, _: Request) -> Option<u32> {
        let Open { set, layout, .. } = self.lock().open?;
        let waiters = |index| sys::waiters_at(set, index).ok().map(u32::from);
        Some(waiters(GATE)? + waiters(layout.count)?)
    }

    fn failure(&self, act: &str, errno: Errno) -> Error {
        Error::system(format!("cannot {act} the lock"), "semop", &self.name, errno)
    }
}

impl Locking for SetLock {
    fn join(&self) {
        self.lock().users += 1;
    }

    fn part(&self) {
        self.lock().users -= 1;
    }

    fn close_unused(&self) -> bool {
        let mut state = self.lock();
        if state.users > 0 {
            return true;
        }
        if !state.serving
            && let Some(open) = state.open.take()
        {
            removal::leave(open);
        }
        !state.serving
    }

    fn end_process(&self) {
        let mut state = self.lock();
        state.ended = true;
        if let Some(open) = state.open.take() {
            removal::leave_all(open);
        }
    }

    fn listed(&self, hold: Request, joined: bool, oldest: Option<u64>) {
        let mut state = self.lock();
        let waiting = match hold {
            Request::Shared => &mut state.pending.shared,
            _ => &mut state.pending.exclusive,
        };
        *waiting = if joined { *waiting + 1 } else { waiting.saturating_sub(1) };
        state.oldest = oldest.unwrap_or_default();
        publish(&mut state);
    }

    fn rest(&self) {
        self.reopen_gate();
        self.lock().serving = false;
    }
}

/// Writes into our slot who waits here.
fn publish(state: &mut State) {
    let Some(Open { set, slot: Some(slot), .. }) = state.open else { return };
    let [low, middle, high] = words_of(state.oldest);
    let new = [state.pending.packed().cast_unsigned(), low, middle, high];
    let places = std::iter::once(slot.pending()).chain(slot.oldest());
    let changes = places.zip(state.published.iter().zip(&new)).filter(|(_, (old, new))| old != new);
    let mut operations: Vec<_> =
        changes.map(|(at, (old, new))| Operation::add(at, narrow(*new) - narrow(*old), Undo::Yes)).collect();
    if !operations.is_empty() && sys::operate(set, &mut operations).is_ok() {
        state.published = new;
    }
}
