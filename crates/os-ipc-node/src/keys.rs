//! System V keys.

use std::path::Path;

use napi_derive::napi;
use os_ipc::Key;

use crate::error::OrFail;

/// The System V key that C's ftok(3) derives from an existing file.
#[napi]
pub fn ftok(path: String, project_id: u8) -> napi::Result<i32> {
    os_ipc::ftok(Path::new(&path), project_id).or_fail()
}

/// The key of a semaphore's name with its slash; 0 for a name that has none.
#[napi]
pub fn key_of_name(name: String) -> i32 {
    Key::hash(&name)
}

/// The key of a lock's name.
#[napi]
pub fn key_of_lock(name: String) -> i32 {
    Key::of_lock(&name).raw()
}

/// The most bytes of a name that this host's sets have room for.
#[napi]
pub fn longest_recorded_name() -> Option<u32> {
    os_ipc::longest_recorded_name().and_then(|bytes| u32::try_from(bytes).ok())
}
