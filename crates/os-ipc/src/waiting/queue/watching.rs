//! The service of a queue whose source the hub watches: any thread may look, under the queue's lock.

use super::driving::Batch;
use super::{List, Queue};
use crate::error::Result;
use crate::sys::death::ProcessId;
use crate::waiting::hub::Seat;
use crate::waiting::state::Driver;

impl Queue {
    /// The hub serves the queue from now on, as this generation.
    pub(super) fn join_hub(&self, list: &mut List, generation: u64) -> Result<()> {
        let watched = self.counter().watched().expect("only a watched source has the hub as its driver");
        list.seat = Some(Seat::take(self.strong(), generation, watched)?);
        // A hint may have come before the hub knew of the queue.
        self.look_for_all(list);
        Ok(())
    }

    /// The thread of the hub looks, as this generation: something may have changed.
    pub(in crate::waiting) fn look(&self, generation: u64) {
        let mut list = self.lock();
        if list.state.is_driven_by(generation) {
            self.look_for_all(&mut list);
        }
    }

    /// Takes what the source has for the waiters, and tells the hub which deaths matter while the others wait.
    pub(super) fn look_for_all(&self, list: &mut List) {
        let batch = self.take_for_all(list);
        let (Driver::Hub, Some(seat)) = (list.state.driver(), &list.seat) else { return };
        let Some(watched) = self.counter().watched() else { return };
        match batch {
            Batch::Served => {}
            Batch::Full => seat.look_soon(),
            Batch::Empty => {
                let mut peers = Vec::new();
                watched.peers(&mut peers);
                let own = ProcessId::own();
                peers.retain(|peer| *peer != own);
                seat.looked_at(&peers, watched.look_again());
            }
        }
    }
}
