//! The process becomes another program.

use std::ffi::CString;

use napi_derive::napi;
use os_ipc::{LockEngine, Program, Surroundings};

use crate::bytes::Bytes;
use crate::error::{OrFail, internal};

/// Becomes a program, which keeps the permits and locks of this process. The words and the environment are strings one after
/// the other, each ended by a zero. Returns the errno when the program could not be started.
#[napi]
pub fn become_program(
    #[napi(ts_arg_type = "Uint8Array")] words: Bytes,
    #[napi(ts_arg_type = "Uint8Array")] environment: Bytes,
    ignored: Vec<i32>,
    open: Vec<i32>,
    nonblocking: Vec<i32>,
    most_open: Option<u32>,
) -> napi::Result<i32> {
    let program = Program { words: strings(&words)?, environment: strings(&environment)? };
    let most_open = most_open.map(u64::from);
    let surroundings = Surroundings { ignored, open, nonblocking, most_open };
    Ok(os_ipc::become_program(&program, &surroundings).raw())
}

fn strings(bytes: &Bytes) -> napi::Result<Vec<CString>> {
    let bytes: Vec<u8> = bytes.cells().iter().map(std::cell::Cell::get).collect();
    let strings =
        bytes.split_inclusive(|byte| *byte == 0).map(|string| CString::from_vec_with_nul(string.to_vec()));
    strings.collect::<Result<_, _>>().map_err(|_| internal("a string has no zero at its end"))
}

/// Has some signals ignored, and others do what they do by default.
#[napi]
pub fn set_signal_actions(ignored: Vec<i32>, usual: Vec<i32>) {
    let ignored = ignored.into_iter().map(|signal| (signal, true));
    os_ipc::set_signal_actions(ignored.chain(usual.into_iter().map(|signal| (signal, false))));
}

/// Removes some of the locks that programs left behind.
#[napi]
pub fn tidy_locks() -> napi::Result<()> {
    LockEngine::of_platform().and_then(|engine| engine.tidy()).or_fail()
}
