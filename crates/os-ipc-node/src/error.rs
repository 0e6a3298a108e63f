//! Errors of the core as the JavaScript errors that `lib/errors.ts` makes.

use napi::bindgen_prelude::{Env, Unknown};
use os_ipc::{Details, Error};

use crate::environment;

/// `error` as a JavaScript error object.
pub(crate) fn to_js<'env>(env: &'env Env, error: &Error) -> napi::Result<Unknown<'env>> {
    let Details { uid, mode, limit } = error.details();
    let parts = (
        error.code().name(),
        error.to_string(),
        error.errno().map(|errno| -(errno as i32)),
        error.syscall().map(str::to_owned),
        error.hint().map(str::to_owned),
        uid,
        mode,
        // Every limit that is a number of this kernel's fits; what does not is as good as none.
        limit.and_then(|limit| i64::try_from(limit).ok()),
    );
    environment::error_factory(env)?.call(parts.into())
}

/// Throws the core's error as JavaScript's.
pub(crate) trait OrThrow<T> {
    fn or_throw(self, env: &Env) -> napi::Result<T>;
}

impl<T> OrThrow<T> for os_ipc::Result<T> {
    fn or_throw(self, env: &Env) -> napi::Result<T> {
        self.map_err(|error| match to_js(env, &error) {
            Ok(object) => napi::Error::from(object),
            Err(failure) => failure,
        })
    }
}
