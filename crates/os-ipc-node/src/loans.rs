//! Memory that JavaScript may still hold when its environment ends.
//!
//! At the end Node runs the finalizer of every external `ArrayBuffer`, also of one whose memory was moved to another and
//! from there to another thread, which goes on using it. So a hook looks before that: what may have moved stays mapped.

use std::cell::RefCell;

use napi::CleanupEnvHook;
use napi::bindgen_prelude::Env;
use os_ipc::WeakLease;

use crate::external_buffer::ExternalBuffer;

thread_local! {
    static LOANS: RefCell<Loans> = const { RefCell::new(Loans { open: Vec::new(), hook: None }) };
}

struct Loans {
    open: Vec<(ExternalBuffer, WeakLease)>,
    hook: Option<CleanupEnvHook<Env>>,
}

/// Remembers that `buffer` shows the leased range.
pub(crate) fn add(env: Env, buffer: ExternalBuffer, lease: WeakLease) -> napi::Result<()> {
    LOANS.with_borrow_mut(|loans| {
        loans.open.retain(|(buffer, lease)| {
            let alive = lease.upgrade().is_some();
            if !alive {
                buffer.forget(env);
            }
            alive
        });
        loans.open.push((buffer, lease));
        // Hooks run in the reverse order: ours has to come after the one that Node just added for this buffer.
        if let Some(hook) = loans.hook.take() {
            env.remove_env_cleanup_hook(hook)?;
        }
        loans.hook = Some(env.add_env_cleanup_hook(env, at_the_end)?);
        Ok(())
    })
}

/// `buffer` is detached, and nothing else will show its memory.
pub(crate) fn end(env: Env, buffer: ExternalBuffer) {
    LOANS.with_borrow_mut(|loans| {
        if let Some(index) = loans.open.iter().position(|(open, _)| *open == buffer) {
            loans.open.swap_remove(index);
            buffer.forget(env);
        }
    });
}

fn at_the_end(env: Env) {
    let open = LOANS.with_borrow_mut(|loans| {
        loans.hook = None;
        std::mem::take(&mut loans.open)
    });
    for (buffer, lease) in open {
        if let Some(lease) = lease.upgrade()
            && buffer.may_have_moved(env)
        {
            lease.keep_for_ever();
        }
    }
}
