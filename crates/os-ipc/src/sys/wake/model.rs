//! The inbox and the sleep of the model checker: one inbox, one bell.

use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use loom::sync::{Condvar, Mutex};

use super::{Watches, Woken};
use crate::error::OsCode;
use crate::sys::death::ProcessId;

loom::lazy_static! {
    static ref WORLD: (Mutex<World>, Condvar) = (Mutex::new(World::default()), Condvar::new());
}

/// What wakes the sleeper.
#[derive(Debug, Default)]
pub(crate) struct World {
    rung: bool,
    /// Whether the inbox exists; hints before that are lost.
    has_inbox: bool,
    keys: Vec<u64>,
    pub(in crate::sys) dead: Vec<ProcessId>,
}

/// Changes or reads the world, and wakes the sleeper.
pub(crate) fn with_world<T>(act: impl FnOnce(&mut World) -> T) -> T {
    let mut world = WORLD.0.lock().unwrap_or_else(PoisonError::into_inner);
    let done = act(&mut world);
    WORLD.1.notify_all();
    done
}

/// The inbox of this process.
#[derive(Debug)]
pub(crate) struct Inbox;

impl Inbox {
    #[allow(clippy::unnecessary_wraps, reason = "the same face as the real one")]
    pub(crate) fn make(_: &Path) -> Result<Self, OsCode> {
        with_world(|world| world.has_inbox = true);
        Ok(Self)
    }
}

pub(crate) fn hint(_: &Path, _: ProcessId, key: u64) {
    with_world(|world| {
        if world.has_inbox {
            world.keys.push(key);
        }
    });
}

pub(crate) fn remove(_: &Path, _: ProcessId) {}

/// The bell of the sleeper.
#[derive(Debug)]
pub(crate) struct Bell;

impl Bell {
    #[allow(clippy::unnecessary_wraps, reason = "the same face as the real one")]
    pub(crate) fn new() -> Result<Self, OsCode> {
        Ok(Self)
    }

    #[allow(clippy::unused_self, reason = "the same face as the real one")]
    pub(crate) fn ring(&self) {
        with_world(|world| world.rung = true);
    }
}

/// Sleeps until something happens. A sleep with a time-out lets other threads run once: there is no clock.
pub(crate) fn wait(_: Option<&Bell>, _: &[&Inbox], watches: &Watches, timeout: Option<Duration>) -> Woken {
    let mut world = WORLD.0.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let rung = std::mem::take(&mut world.rung);
        let dead = watches.dead(watches.polled().map(|watch| world.dead.contains(&watch.0)));
        let keys = std::mem::take(&mut world.keys);
        if rung || !dead.is_empty() || !keys.is_empty() || timeout.is_some() {
            drop(world);
            if timeout.is_some() {
                loom::thread::yield_now();
            }
            return Woken { keys, overflow: false, dead };
        }
        world = WORLD.1.wait(world).unwrap_or_else(PoisonError::into_inner);
    }
}
