//! The Node-API binding of os-ipc: it translates, and decides nothing.

mod bus_errors;
mod bytes;
mod channels;
mod direct;
mod environment;
mod error;
mod event_loop;
mod exec;
mod exit;
mod external_buffer;
mod handles;
mod keys;
mod libuv;
mod limits;
mod locks;
mod memory;
mod owner;
mod pool;
mod semaphores;
mod session;
mod shared_buffer;
mod spin;
mod stayed_buffers;
mod waitable;
mod waits;
