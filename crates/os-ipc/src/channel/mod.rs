//! The part of a channel that outlives the thread that uses it.
//!
//! A channel is made of public objects, and JavaScript sends and receives in their memory. When a worker is terminated, its
//! process lives on, and no proof of death frees the locks of the thread that is gone. So its [`Seat`] is kept here, and
//! given up when the environment ends.

mod layout;

use std::sync::atomic::Ordering;

use crate::error::{Code, Error, Result};
use crate::memory::{Lease, SharedMemory};
use crate::sys::death::{self, ProcessId};
use crate::sys::in_use::{self, InUse};
use crate::sys::mapping::Mapping;

/// What other processes know this process by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// The pid.
    pub pid: u32,
    /// 32 bits of the time when the process started.
    pub started: u32,
    /// 32 bits of the inode of its PID namespace; 0 where there are none.
    pub namespace: u32,
}

/// The identity of this process.
#[must_use]
pub fn process_identity() -> ProcessIdentity {
    let ProcessId(own) = ProcessId::own_for_good();
    #[allow(clippy::cast_possible_truncation, reason = "the lower half, and the upper one")]
    let (pid, started) = ((own >> 32) as u32, own as u32);
    ProcessIdentity { pid, started, namespace: crate::sys::pid_namespace() }
}

/// Whether it is proved that a process of this PID namespace is dead.
#[must_use]
pub fn is_process_dead(pid: u32, started: u32) -> bool {
    death::is_dead(ProcessId(u64::from(pid) << 32 | u64::from(started)))
}

/// A handle on a channel, and its slot. The slot is given up when this is dropped, or before the memory is withdrawn.
pub struct Seat {
    lease: Lease,
    /// Tells other copies of this library in the process that the slots of this process are in use.
    _in_use: InUse,
}

impl Seat {
    /// A handle that has no slot yet.
    ///
    /// If the process has no other one on this channel, it gives up the slots that an earlier image of it left: execve(2) keeps
    /// the pid and the start time, and ends the threads.
    pub fn enter(memory: &SharedMemory) -> Result<Self> {
        if !memory.is_writable() || memory.size() < layout::HEADER {
            return Err(Error::new(Code::OutOfRange, "the memory is not that of a channel"));
        }
        let lease = memory.lease();
        let number = in_use::number_of(lease.mapping().long(layout::INSTANCE).load(Ordering::Relaxed));
        in_use::unless_in_use(number, || give_up_own(lease.mapping()));
        Ok(Self { lease, _in_use: InUse::enter(number) })
    }

    /// The handle took the slot `slot`, whose owner stores `word` into a lock.
    pub fn take(&self, slot: u32, word: u32) -> Result<()> {
        if !(1..=layout::SLOTS).contains(&slot) {
            return Err(Error::new(Code::OutOfRange, format!("a channel has no slot {slot}")));
        }
        self.lease.before_withdrawal(Box::new(move |memory| give_up(memory, slot, word)));
        Ok(())
    }

    /// Whether the channel has a message now.
    #[must_use]
    pub fn has_message(&self) -> bool {
        let position = |word| self.lease.mapping().word(word).load(Ordering::Acquire);
        position(layout::END) != position(layout::BEGIN)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.lease.take_leave();
    }
}

/// Gives up every slot of this process.
fn give_up_own(memory: &Mapping) {
    const GENERATIONS: u32 = 0xff_ffff;
    let ProcessId(own) = ProcessId::own_for_good();
    for slot in 1..=layout::SLOTS {
        let place = layout::FIRST_SLOT + layout::SLOT * (slot as usize - 1);
        if memory.long(place + layout::IDENTITY).load(Ordering::SeqCst) == own {
            let generation = memory.word(place + layout::GENERATION).load(Ordering::SeqCst) & GENERATIONS;
            give_up(memory, slot, generation << 8 | slot);
        }
    }
}

/// Frees the locks first: another process can take the slot as soon as it has no owner.
fn give_up(memory: &Mapping, slot: u32, word: u32) {
    for lock in [layout::SEND_LOCK, layout::RECEIVE_LOCK] {
        // It fails if the lock is free, or has another owner.
        let _ = memory.word(lock).compare_exchange(word, 0, Ordering::SeqCst, Ordering::SeqCst);
    }
    let slot = layout::FIRST_SLOT + layout::SLOT * (slot as usize - 1);
    memory.word(slot + layout::ROLE).store(0, Ordering::SeqCst);
    memory.long(slot + layout::IDENTITY).store(0, Ordering::SeqCst);
}

#[cfg(test)]
mod tests;
