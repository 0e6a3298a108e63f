//! What one JavaScript environment (the main thread or a worker) owns.

use std::cell::RefCell;

use napi::bindgen_prelude::{Env, Function, FunctionRef, Unknown};
use napi_derive::napi;

use crate::error::ErrorParts;

type ErrorFactory = FunctionRef<ErrorParts, Unknown<'static>>;

thread_local! {
    static ERROR_FACTORY: RefCell<Option<ErrorFactory>> = const { RefCell::new(None) };
}

/// Tells the addon how an error is made; called once when the package is loaded.
#[napi]
pub fn start(
    env: Env,
    #[napi(
        ts_arg_type = "(code: string, message: string, errno: number | null, syscall: string | null, hint: string | null) => Error"
    )]
    make_error: Function<'_, ErrorParts, Unknown<'static>>,
) -> napi::Result<()> {
    let factory = make_error.create_ref()?;
    ERROR_FACTORY.with_borrow_mut(|slot| *slot = Some(factory));
    env.add_env_cleanup_hook((), |()| ERROR_FACTORY.with_borrow_mut(|slot| drop(slot.take())))?;
    Ok(())
}

/// The JavaScript function that makes an error.
pub(crate) fn error_factory(env: &Env) -> napi::Result<Function<'_, ErrorParts, Unknown<'static>>> {
    ERROR_FACTORY.with_borrow(|slot| match slot {
        Some(factory) => factory.borrow_back(env),
        None => Err(napi::Error::from_reason("the package was not started")),
    })
}
