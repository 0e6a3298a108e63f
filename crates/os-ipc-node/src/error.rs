//! Errors of the core, as texts for `lib/errors.ts`.
//!
//! The addon creates and throws no JavaScript error: that would call JavaScript, which can fail (the stack is exhausted),
//! run the program's code (a setter of `Error.prototype`), and swallow the termination of a worker. A call that fails
//! returns its error as a text instead, which no other call returns; `lib/` throws.

use napi::Status;
use os_ipc::{Details, Error};

/// Separates the parts of the text. Only the last part, the message, may contain it.
const BETWEEN: char = '\0';

/// The error in napi-rs's type, for [`text`].
pub(crate) fn failure(error: &Error) -> napi::Error {
    let clean = |part: &str| part.replace(BETWEEN, "\u{fffd}");
    let Details { uid, mode, limit } = error.details();
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let parts = [
        error.code().name(),
        error.errno().map_or_else(String::new, |errno| (-errno.raw()).to_string()),
        error.syscall().map_or_else(String::new, clean),
        error.hint().map_or_else(String::new, clean),
        number(uid.map(u64::from)),
        number(mode.map(u64::from)),
        number(limit),
        error.remedy().map_or_else(String::new, |remedy| remedy.name().to_owned()),
        error.to_string(),
    ];
    napi::Error::new(Status::GenericFailure, parts.join(&String::from(BETWEEN)))
}

/// The error of a call that `lib/` never makes.
pub(crate) fn internal(what: &str) -> napi::Error {
    failure(&Error::invalid(what))
}

/// The text of an error: code, errno, system call, hint, uid, mode, limit, remedy and message.
pub(crate) fn text(error: &napi::Error) -> String {
    if error.reason.contains(BETWEEN) {
        error.reason.clone()
    } else {
        // napi-rs refused an argument, or Node-API a call.
        text(&internal(&format!("{}: {}", error.status, error.reason)))
    }
}

/// Turns the core's error into the one that is returned to `lib/`, which throws it.
pub(crate) trait OrFail<T> {
    fn or_fail(self) -> napi::Result<T>;
}

impl<T> OrFail<T> for os_ipc::Result<T> {
    fn or_fail(self) -> napi::Result<T> {
        self.map_err(|error| failure(&error))
    }
}
