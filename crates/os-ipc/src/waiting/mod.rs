//! Waiting: however many waiters a source has in this process, at most one thread blocks in the kernel for them.
//!
//! A [`Queue`](queue::Queue) is the wait list of this process for one source, first come, first served. While the list
//! has waiters, one *driver* serves it: the driver takes from the source, and delivers a [`Grant`] to the [`Mailbox`]
//! of the first waiter. The driver is a thread of libuv's pool, a thread of our own (`executors`), or, for a moment,
//! the event loop itself (`poll`). `state` decides which driver serves and when; `queue` carries the decision out.
//!
//! | file | holds |
//! |---|---|
//! | `state` | the wait list and the driver, as a state machine without locks or system calls |
//! | `queue` | the lock around it, and the effects |
//! | `source` | the operations of a backend: units ([`Counter`]) and locks ([`Locking`]) |
//! | `watched` | the operations of a source that no call waits for in the kernel ([`Watched`]) |
//! | `grant` | a taken unit, on its way to its waiter |
//! | `mailbox` | the place where outcomes arrive |
//! | `executors` | the thread that drives, and the right to drive |
//! | `hub` | the one thread that drives for all watched sources |
//! | `poll` | a driver that never blocks |
//! | `spin` | polling for a moment before a sleep, and the switch that turns it off |
//! | `blocking` | a wait of the calling thread |

mod blocking;
mod executors;
mod grant;
mod hub;
mod mailbox;
#[cfg(all(loom, test))]
mod model;
mod poll;
mod queue;
mod source;
mod spin;
mod state;
mod watched;

pub(crate) use blocking::block_in_queue;
pub use executors::{Executors, PoolWork, leave_pool, leave_pool_queue, set_pool_size, share_pool};
pub use grant::Grant;
pub(crate) use grant::Holder;
pub use mailbox::{Arrived, Delivery, Mailbox};
pub use poll::Poll;
pub(crate) use queue::{Queue, Waiter};
pub use queue::{Wait, Work};
pub(crate) use source::{Counter, Locking, Request, Token};
pub(crate) use spin::spin_before_sleep;
pub use spin::{Spin, is_spinning, set_spinning, set_spinning_by_default};
pub use state::WaiterId;
#[allow(unused_imports, reason = "the ledger is one")]
pub(crate) use watched::Watched;
