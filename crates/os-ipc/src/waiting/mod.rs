//! Waiting: any number of tickets on one counter, and at most one thread in the kernel for them.
//!
//! A [`Queue`](queue::Queue) holds the tickets of this process that wait for one counter, first come, first
//! served. While it has any, one thread *serves* it: it blocks in the kernel, takes a unit, and delivers it to the
//! [`Mailbox`] of the first ticket. That thread is one of libuv's or one of ours (`lanes`); the function it runs
//! is the same. It is called out of the kernel with a signal when its tickets are gone (`nudger`).
//!
//! Where units come quickly, one after the other (`pace`), whoever wants them looks for a moment before anybody sleeps
//! (`look`): the event loop's own thread (`glance`), or a thread that blocks for its wait.

mod counter;
mod glance;
mod in_line;
mod lanes;
mod look;
mod mailbox;
#[cfg(all(loom, test))]
mod model;
mod nudger;
mod pace;
mod queue;
#[cfg_attr(loom, path = "threads_model.rs")]
mod threads;
mod unit;

pub(crate) use counter::{Counter, Hold, Origin};
pub use glance::Glance;
pub(crate) use in_line::wait_in_line;
pub use lanes::{Lanes, PoolWork, leave_pool, leave_pool_queue, set_pool_size, share_pool};
pub use look::Look;
pub(crate) use look::look_before_sleep;
pub use mailbox::{Arrived, Delivery, Mailbox};
pub(crate) use queue::{Queue, Ticket};
pub use queue::{TicketId, Wait, Work};
pub(crate) use threads::run as run_on_thread;
pub(crate) use unit::Holder;
pub use unit::Unit;
