//! `ftok`.

use std::path::Path;

use napi_derive::napi;

use crate::error::OrFail;

/// The System V key that C's ftok(3) derives from an existing file.
#[napi]
pub fn ftok(path: String, project_id: u8) -> napi::Result<i32> {
    os_ipc::ftok(Path::new(&path), project_id).or_fail()
}
