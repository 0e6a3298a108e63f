//! What a channel needs besides its objects: who this process is, who is dead, and a slot that outlives its thread.

use napi::bindgen_prelude::Env;
use napi_derive::napi;
use os_ipc::Seat;

use crate::environment;
use crate::error::{OrFail, internal};

/// What other processes know this process by.
#[napi(object, object_from_js = false)]
pub struct NativeProcessIdentity {
    pub pid: u32,
    pub started: u32,
    pub namespace: u32,
}

/// The identity of this process.
#[napi]
pub fn process_identity() -> NativeProcessIdentity {
    let os_ipc::ProcessIdentity { pid, started, namespace } = os_ipc::process_identity();
    NativeProcessIdentity { pid, started, namespace }
}

/// Whether the kernel proves that a process is dead.
#[napi]
pub fn process_is_dead(pid: u32, started: u32) -> bool {
    os_ipc::is_process_dead(pid, started)
}

/// A handle on a channel begins: it gives up what an earlier image of this process left, before execve(2).
#[napi]
pub fn channel_enter(env: Env, memory: u32) -> napi::Result<()> {
    let entered = environment::with(&env, |environment| {
        let segment = environment.segments.get_mut(memory);
        let segment = segment.ok_or_else(|| internal("the memory of the channel is closed"))?;
        Ok(Seat::enter(&segment.memory).map(|seat| segment.seat = Some(seat)))
    });
    entered?.or_fail()
}

/// From now on the slot is given up when the memory is closed, collected, or left behind by a worker.
#[napi]
pub fn channel_seat(env: Env, memory: u32, slot: u32, word: u32) -> napi::Result<()> {
    let seated = environment::with(&env, |environment| {
        let seat = environment.segments.get(memory).and_then(|segment| segment.seat.as_ref());
        Ok(seat.ok_or_else(|| internal("the memory is not that of an open channel"))?.take(slot, word))
    });
    seated?.or_fail()
}

/// Spins for a moment, if the last waits were short; whether the channel has a message.
#[napi]
pub fn channel_spin(env: Env, session: u32, memory: u32) -> napi::Result<bool> {
    environment::with(&env, |environment| {
        let seat = environment.segments.get(memory).and_then(|segment| segment.seat.as_ref());
        let mailbox = environment.mailbox(session)?;
        Ok(seat.is_some_and(|seat| mailbox.spin_briefly(|| seat.has_message())))
    })
}
