//! Memory that JavaScript may still hold when its environment ends.
//!
//! At the end Node runs the finalizer of every external `ArrayBuffer`, also of one whose memory was moved to another and
//! from there to another thread, which goes on using it. So a hook looks before that: what may have moved stays mapped.

use napi::CleanupEnvHook;
use napi::bindgen_prelude::Env;
use os_ipc::WeakLease;

use crate::environment;
use crate::external_buffer::ExternalBuffer;

/// What one environment has lent.
#[derive(Default)]
pub(crate) struct Loans {
    open: Vec<(ExternalBuffer, WeakLease)>,
    hook: Option<CleanupEnvHook<Env>>,
}

impl Loans {
    /// Remembers that `buffer` shows the leased range.
    pub(crate) fn add(&mut self, env: Env, buffer: ExternalBuffer, lease: WeakLease) -> napi::Result<()> {
        self.open.retain(|(buffer, lease)| {
            let alive = lease.upgrade().is_some();
            if !alive {
                buffer.forget(env);
            }
            alive
        });
        self.open.push((buffer, lease));
        // Hooks run in the reverse order: ours has to come after the one that Node just added for this buffer.
        if let Some(hook) = self.hook.take() {
            env.remove_env_cleanup_hook(hook)?;
        }
        self.hook = Some(env.add_env_cleanup_hook(env, at_the_end)?);
        Ok(())
    }

    /// `buffer` is detached, and nothing else will show its memory.
    pub(crate) fn end(&mut self, env: Env, buffer: ExternalBuffer) {
        if let Some(index) = self.open.iter().position(|(open, _)| *open == buffer) {
            self.open.swap_remove(index);
            buffer.forget(env);
        }
    }
}

fn at_the_end(env: Env) {
    // It cannot fail: the environment is only taken away by a hook that runs later.
    let open = environment::with(&env, |environment| Ok(std::mem::take(&mut environment.loans.open)));
    for (buffer, lease) in open.unwrap_or_default() {
        if let Some(lease) = lease.upgrade()
            && buffer.may_have_moved(env)
        {
            lease.keep_for_ever();
        }
    }
}
