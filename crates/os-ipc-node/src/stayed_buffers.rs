//! The `ArrayBuffer`s of a worker that still have their memory when it ends.
//!
//! At that moment Node takes back all external memory, even memory that was moved to another thread (`transfer()`, and
//! then `postMessage` with a transfer list), which still uses it. It begins with the youngest. So an `ArrayBuffer` of one
//! byte that is younger than all others, the sentinel, goes first: its finalizer sees the others as JavaScript left them.
//! A buffer that is not detached is the only user of its memory.

#![allow(
    unsafe_code,
    reason = "Node-API's own functions: napi-rs keeps no weak references, and no buffer alive"
)]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use napi::bindgen_prelude::{Env, check_status};
use napi::sys;

use crate::external_buffer::{create_external, is_detached, is_ending};

/// The buffers of one environment.
struct Watched {
    env: sys::napi_env,
    buffers: Vec<Buffer>,
    /// Keeps the sentinel alive.
    sentinel: sys::napi_ref,
    /// The number of buffers at which collected ones are removed.
    sweep_at: usize,
}

/// An `ArrayBuffer`, held weakly, and the flag that its finalizer reads.
struct Buffer {
    reference: sys::napi_ref,
    stayed: Arc<AtomicBool>,
}

/// The fewest buffers for a sweep: below 16, a sweep costs more than it frees.
const FEW: usize = 16;

thread_local! {
    /// One for each environment of this thread.
    static WATCHED: RefCell<Vec<Watched>> = const { RefCell::new(Vec::new()) };
}

/// Sets `stayed` if `value`, a new `ArrayBuffer`, has its memory when the environment ends.
pub(crate) fn watch(env: Env, value: sys::napi_value, stayed: Arc<AtomicBool>) -> napi::Result<()> {
    let buffer = Buffer { reference: reference(env, value, 0)?, stayed };
    let sentinel = reference(env, new_sentinel(env)?, 1)?;
    WATCHED.with_borrow_mut(|all| {
        let Some(watched) = all.iter_mut().find(|watched| watched.env == env.raw()) else {
            all.push(Watched { env: env.raw(), buffers: vec![buffer], sentinel, sweep_at: FEW });
            return;
        };
        delete(env, std::mem::replace(&mut watched.sentinel, sentinel));
        watched.buffers.push(buffer);
        if watched.buffers.len() >= watched.sweep_at {
            watched.sweep(env);
        }
    });
    Ok(())
}

impl Watched {
    /// Forgets buffers that were collected, or whose memory has moved.
    fn sweep(&mut self, env: Env) {
        self.buffers.retain(|buffer| {
            let stays = buffer.has_memory(env);
            if !stays {
                delete(env, buffer.reference);
            }
            stays
        });
        self.sweep_at = FEW.max(2 * self.buffers.len());
    }
}

impl Buffer {
    fn has_memory(&self, env: Env) -> bool {
        let mut value = ptr::null_mut();
        // SAFETY: the reference was not deleted yet, and `value` outlives the call.
        let status = unsafe { sys::napi_get_reference_value(env.raw(), self.reference, &raw mut value) };
        status == sys::Status::napi_ok && !value.is_null() && !is_detached(env, value).unwrap_or(true)
    }
}

/// The byte of the sentinel, and the data of its finalizer.
struct Sentinel {
    byte: u8,
    by: ThreadId,
}

fn new_sentinel(env: Env) -> napi::Result<sys::napi_value> {
    let sentinel = Box::into_raw(Box::new(Sentinel { byte: 0, by: thread::current().id() }));
    let mut value = ptr::null_mut();
    // SAFETY: the byte is there until the finalizer, or until the call has failed.
    let status = unsafe {
        let byte = (&raw mut (*sentinel).byte).cast();
        create_external(env.raw(), byte, 1, Some(sentinel_is_free), sentinel.cast(), &raw mut value)
    };
    if status != sys::Status::napi_ok {
        // SAFETY: a call that fails does not run the finalizer.
        drop(unsafe { Box::from_raw(sentinel) });
        check_status!(status)?;
    }
    Ok(value)
}

/// A younger sentinel replaced this one, or the environment ends. Deno calls it on other threads.
unsafe extern "C" fn sentinel_is_free(raw: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
    // SAFETY: `hint` is what `new_sentinel` boxed, and a finalizer runs once.
    let sentinel = unsafe { Box::from_raw(hint.cast::<Sentinel>()) };
    // SAFETY: this is the thread of the environment.
    if sentinel.by == thread::current().id() && unsafe { is_ending(raw) } {
        mark_stayed(raw);
    }
}

fn mark_stayed(raw: sys::napi_env) {
    let ended = WATCHED.with_borrow_mut(|all| {
        let index = all.iter().position(|watched| watched.env == raw)?;
        Some(all.swap_remove(index))
    });
    let Some(ended) = ended else { return };
    let mut scope = ptr::null_mut();
    // SAFETY: this is the thread of the environment; the scope is closed where it was opened. The references end with it.
    unsafe {
        if sys::napi_open_handle_scope(raw, &raw mut scope) != sys::Status::napi_ok {
            return;
        }
        for buffer in &ended.buffers {
            buffer.stayed.store(buffer.has_memory(Env::from_raw(raw)), Ordering::Release);
        }
        sys::napi_close_handle_scope(raw, scope);
    }
}

fn reference(env: Env, value: sys::napi_value, count: u32) -> napi::Result<sys::napi_ref> {
    let mut reference = ptr::null_mut();
    // SAFETY: `value` is an object of this environment, and `reference` outlives the call.
    check_status!(unsafe { sys::napi_create_reference(env.raw(), value, count, &raw mut reference) })?;
    Ok(reference)
}

fn delete(env: Env, reference: sys::napi_ref) {
    // SAFETY: the reference is of this environment, and the caller forgets it.
    unsafe { sys::napi_delete_reference(env.raw(), reference) };
}
