//! Locks as System V sets: when a process dies, the kernel undoes its operations on the lock.
//!
//! A shared request passes the gate and takes one of the count, in one step. An exclusive request shuts the gate first,
//! and then waits for all of the count: no newcomer passes meanwhile, and the shared holders leave one by one. The gate
//! stays shut until the lock goes back, and the kernel serves it first come, first served.

mod layout;
mod opening;
mod own;
mod removal;
mod survey;
#[cfg(test)]
mod tests;
mod tidy;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) use own::pass_on;

use super::engine::{Engine, process_ends};
use super::{LockInfo, LockName, LockRequest};
use crate::error::{Error, OsCode, Result};
use crate::patience::Patience;
use crate::sys::interrupt::Interrupt;
use crate::sys::system_v::semaphore::{self as sys, Operation, SetId, Undo};
use crate::waiting::{Counter, Locking, Queue, Request, Token};
use layout::{ALONE, EVERYBODY, GATE, GATE_SHUT, Layout, Pending, Slot, TAKEN, Values, narrow, words_of};
use opening::Tries;

/// The locks of this host.
pub(super) struct Sets;

impl Engine for Sets {
    fn queue(&self, name: &LockName) -> Arc<Queue> {
        Queue::of_lock(SetLock::new(name.clone()))
    }

    fn survey(&self, own_pid: i32) -> Result<Vec<LockRequest>> {
        survey::survey(own_pid)
    }

    fn list(&self) -> Result<Vec<LockInfo>> {
        survey::list()
    }

    fn tidy(&self) -> Result<()> {
        tidy::tidy()
    }
}

/// A lock, as this process uses it.
struct SetLock {
    name: LockName,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    open: Option<Open>,
    /// The number of requests of this process, pending or held.
    users: usize,
    /// Whether a thread of ours has shut the gate, and waits for the others to leave.
    gate_shut: bool,
    /// The process is about to end: no set is opened any more.
    ended: bool,
    pending: Pending,
    /// The time when the first waiter asked; 0 without waiters.
    oldest: u64,
    /// The words that our slot has now.
    published: Published,
}

/// The words of a slot about its waiters: their numbers, and the time of the first one.
type Published = [u16; 4];

/// The set while we use it.
#[derive(Clone, Copy)]
struct Open {
    set: SetId,
    layout: Layout,
    /// `None` if all slots are taken: this process is counted then, without its pid.
    slot: Option<Slot>,
}

/// Whether the operations wait in the kernel.
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
    /// Passes the gate, and takes one of the count.
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

    /// Writes the state of this process into its slot.
    fn note(self, by: i16) -> impl Iterator<Item = Operation> {
        self.slot.map(|slot| Operation::add(slot.claim(), by, Undo::Yes)).into_iter()
    }

    /// Shuts only the gate, before the others have left.
    fn shut_gate_first(self) -> Vec<Operation> {
        std::iter::once(Self::shut_gate(Way::Waiting)).chain(self.note(GATE_SHUT - TAKEN)).collect()
    }

    fn reopen_gate(self) -> Vec<Operation> {
        std::iter::once(Self::open_gate()).chain(self.note(TAKEN - GATE_SHUT)).collect()
    }

    /// Takes all of the count.
    fn exclude(self, way: Way, before: i16) -> Vec<Operation> {
        let count = way.add(self.layout.count, -EVERYBODY, Undo::Yes);
        std::iter::once(count).chain(self.note(ALONE - before)).collect()
    }

    fn take_at_once(self, request: Request) -> Vec<Operation> {
        if request == Request::Shared {
            return self.share(Way::AtOnce);
        }
        let gate = std::iter::once(Self::shut_gate(Way::AtOnce));
        gate.chain(self.exclude(Way::AtOnce, TAKEN)).collect()
    }

    fn give_back(self, request: Request) -> Vec<Operation> {
        if request == Request::Shared {
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
        // If the set was removed, the next operation fails and reports it.
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

    /// The set; it is opened or created if it is not open yet.
    fn opened(&self, state: &mut State) -> Result<Open> {
        if let Some(open) = state.open {
            return Ok(open);
        }
        if state.ended {
            return Err(process_ends());
        }
        let (set, layout) = opening::open_or_create(&self.name)?;
        own::give_back_inherited(set, layout);
        let open = Open { set, layout, slot: None }.with_slot();
        state.open = Some(open);
        state.published = Published::default();
        publish(state);
        Ok(open)
    }

    /// The set was removed while in use: the next try opens a new one, up to the bound of `tries`.
    fn lost(&self, set: SetId, act: &str, tries: &mut Tries) -> Result<()> {
        self.forget(set);
        if tries.once_more() { Ok(()) } else { Err(self.failure(act, OsCode::EIDRM)) }
    }

    /// The set was removed, by its last user or by force: the next call opens a new one.
    fn forget(&self, set: SetId) {
        let mut state = self.lock();
        if let Some(open) = state.open.take_if(|open| open.set == set) {
            own::remove(open);
            state.gate_shut = false;
        }
    }

    /// A try; with `patience` it waits while only a removal is in its way.
    fn try_with(&self, mut patience: Option<Patience>, request: Request) -> Result<Option<Token>> {
        let mut tries = Tries::default();
        loop {
            let open = self.opened(&mut self.lock())?;
            let mut operations = open.take_at_once(request);
            match sys::operate(open.set, &mut operations) {
                Ok(()) => return Ok(Some(Token(open.set.raw()))),
                Err(OsCode::EAGAIN) if removal::may_be_why(open, request, patience.as_mut()) => {}
                Err(OsCode::EAGAIN) => return Ok(None),
                Err(OsCode::EIDRM | OsCode::EINVAL) => self.lost(open.set, "take", &mut tries)?,
                Err(errno) => return Err(self.failure("take", errno)),
            }
        }
    }

    /// One step of taking; true if it was the last one.
    fn step(&self, open: Open, request: Request) -> std::result::Result<bool, OsCode> {
        if request == Request::Shared {
            self.reopen_gate();
            return sys::operate_waiting(open.set, &mut open.share(Way::Waiting)).map(|()| true);
        }
        if self.lock().gate_shut {
            sys::operate_waiting(open.set, &mut open.exclude(Way::Waiting, GATE_SHUT))?;
            // From here on the shut gate belongs to the lock that was taken.
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
            // If the set was removed, there is no gate to open.
            let _ = sys::operate(open.set, &mut open.reopen_gate());
        }
    }

    /// The state is whole even after a panic of a thread here: no code between two changes panics.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counter for SetLock {
    fn try_take(&self, request: Request) -> Result<Option<Token>> {
        self.try_with(Some(Patience::new()), request)
    }

    /// A request that waits anyway does not hold up the event loop.
    fn try_before_wait(&self, request: Request) -> Result<Option<Token>> {
        self.try_with(None, request)
    }

    fn take(&self, request: Request, _: &Interrupt) -> Result<Option<Token>> {
        let mut tries = Tries::default();
        loop {
            let open = self.opened(&mut self.lock())?;
            match self.step(open, request) {
                Ok(true) => return Ok(Some(Token(open.set.raw()))),
                Ok(false) => {}
                Err(OsCode::EINTR) => return Ok(None),
                Err(OsCode::EIDRM | OsCode::EINVAL) => self.lost(open.set, "wait for", &mut tries)?,
                Err(errno) => return Err(self.failure("wait for", errno)),
            }
        }
    }

    fn give_back(&self, request: Request, token: Token) -> std::result::Result<(), OsCode> {
        let open = self.lock().open;
        // If the set was removed, there is nothing to give back.
        let Some(open) = open.filter(|open| open.set.raw() == token.0) else { return Ok(()) };
        match sys::operate(open.set, &mut open.give_back(request)) {
            Err(OsCode::EIDRM | OsCode::EINVAL) => {
                self.forget(open.set);
                Ok(())
            }
            done => done,
        }
    }

    /// Newcomers wait at the gate; the exclusive request that shut the gate waits for the count.
    fn kernel_waiters(&self, _: Request) -> Option<u32> {
        let Open { set, layout, .. } = self.lock().open?;
        let waiters = |index| sys::waiters_at(set, index).ok().map(u32::from);
        Some(waiters(GATE)? + waiters(layout.count)?)
    }

    fn failure(&self, act: &str, errno: OsCode) -> Error {
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

    fn close_unused(&self, driven: bool) -> bool {
        let mut state = self.lock();
        if state.users > 0 {
            return true;
        }
        if !driven && let Some(open) = state.open.take() {
            removal::leave(open);
        }
        !driven
    }

    fn end_process(&self) {
        let mut state = self.lock();
        state.ended = true;
        if let Some(open) = state.open.take() {
            removal::leave_all(open);
        }
    }

    fn listed(&self, request: Request, joined: bool, oldest: Option<u64>) {
        let mut state = self.lock();
        let waiting = match request {
            Request::Shared => &mut state.pending.shared,
            _ => &mut state.pending.exclusive,
        };
        *waiting = if joined { *waiting + 1 } else { waiting.saturating_sub(1) };
        state.oldest = oldest.unwrap_or_default();
        publish(&mut state);
    }

    fn rest(&self) {
        self.reopen_gate();
    }
}

/// Writes the waiters of this process into our slot.
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
