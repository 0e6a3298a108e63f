//! The Node-API binding of os-ipc: it translates, and decides nothing.

mod environment;
mod error;
mod handles;
mod keys;
mod semaphores;
mod waits;
