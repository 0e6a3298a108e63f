//! Shared memory, by integer handles.

use std::time::{SystemTime, UNIX_EPOCH};

use napi::bindgen_prelude::{Either, Env, External};
use napi_derive::napi;
use os_ipc::{
    Code, Error, Key, MemoryId, MemoryIdentity, MemoryKind, Name, Seat, SharedMemory, SharedMemoryInfo,
};

use crate::bytes::Bytes;
use crate::environment;
use crate::error::{OrFail, internal};
use crate::external_buffer::{self, ArrayBufferValue, ExternalBuffer};
use crate::owner::owner_of;
use crate::shared_buffer::{self, SharedBufferValue};

/// An open memory object.
pub(crate) struct Segment {
    pub(crate) memory: SharedMemory,
    buffer: Option<ExternalBuffer>,
    /// The slot of a channel that this memory is of.
    pub(crate) seat: Option<Seat>,
}

impl Segment {
    /// The handle is not in use any more; the `ArrayBuffer`, if there is one, keeps the memory.
    pub(crate) fn release(self, env: Env) {
        if let Some(buffer) = self.buffer {
            buffer.forget(env);
        }
    }
}

/// A new handle on a memory object, with only the properties that JavaScript does not know: every property costs time.
#[napi(object, object_from_js = false)]
pub struct OpenedMemory {
    /// The argument of the other functions.
    pub handle: u32,
    pub key: Option<i32>,
    pub id: Option<i32>,
    pub size: f64,
    pub created: bool,
}

/// The kernel's information about a memory object; times are milliseconds since 1970.
#[napi(object, object_from_js = false)]
pub struct NativeMemoryInfo {
    #[napi(ts_type = "'posix' | 'sysv' | 'windows'")]
    pub kind: &'static str,
    pub name: Option<String>,
    pub key: Option<i32>,
    pub id: Option<i32>,
    pub size: f64,
    pub attached: Option<f64>,
    pub creator_pid: Option<i32>,
    pub last_pid: Option<i32>,
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
    pub created_at: Option<f64>,
    pub attached_at: Option<f64>,
    pub detached_at: Option<f64>,
    pub changed_at: Option<f64>,
    pub removed: Option<bool>,
}

/// Creates a memory object.
#[napi]
pub fn memory_create(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    size: f64,
    mode: u32,
) -> napi::Result<OpenedMemory> {
    let memory = memory_id(id).and_then(|id| SharedMemory::create(&id, bytes(size), mode)).or_fail()?;
    keep(&env, session, memory)
}

/// Opens an existing memory object.
#[napi]
pub fn memory_open(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    read_only: bool,
    #[napi(ts_arg_type = "number | 'any' | undefined")] owner: Option<Either<u32, String>>,
) -> napi::Result<OpenedMemory> {
    let memory = existing_id(id).and_then(|id| SharedMemory::open(&id, !read_only, owner_of(&owner)));
    keep(&env, session, memory.or_fail()?)
}

/// Opens a memory object, or creates it.
#[napi]
pub fn memory_open_or_create(
    env: Env,
    session: u32,
    id: Either<String, i32>,
    size: f64,
    mode: u32,
    #[napi(ts_arg_type = "number | 'any' | undefined")] owner: Option<Either<u32, String>>,
) -> napi::Result<OpenedMemory> {
    let owner = owner_of(&owner);
    let memory = memory_id(id).and_then(|id| SharedMemory::open_or_create(&id, bytes(size), mode, owner));
    keep(&env, session, memory.or_fail()?)
}

/// Attaches a System V segment by its id.
#[napi]
pub fn memory_attach(
    env: Env,
    session: u32,
    id: i32,
    read_only: bool,
    #[napi(ts_arg_type = "number | 'any' | undefined")] owner: Option<Either<u32, String>>,
) -> napi::Result<OpenedMemory> {
    let memory = SharedMemory::attach(id, !read_only, owner_of(&owner)).or_fail()?;
    keep(&env, session, memory)
}

/// Removes the object of this name or key; false if there is none.
#[napi]
pub fn memory_unlink_id(id: Either<String, i32>) -> napi::Result<bool> {
    existing_id(id).and_then(|id| SharedMemory::unlink_id(&id)).or_fail()
}

/// Copies bytes out; returns their number.
#[napi]
pub fn memory_read(
    env: Env,
    handle: u32,
    #[napi(ts_arg_type = "Uint8Array")] target: Bytes,
    position: f64,
) -> napi::Result<f64> {
    with(env, handle, |segment| segment.memory.read_cells(target.cells(), place(position)?)).map(number)
}

/// Copies bytes in.
#[napi]
pub fn memory_write(
    env: Env,
    handle: u32,
    #[napi(ts_arg_type = "Uint8Array")] data: Bytes,
    position: f64,
) -> napi::Result<()> {
    with(env, handle, |segment| segment.memory.write_cells(data.cells(), place(position)?))
}

/// Fills the object with zeros.
#[napi]
pub fn memory_clear(env: Env, handle: u32) -> napi::Result<()> {
    with(env, handle, |segment| segment.memory.clear())
}

/// The kernel's information about the object.
#[napi]
pub fn memory_info(env: Env, handle: u32) -> napi::Result<NativeMemoryInfo> {
    with(env, handle, |segment| segment.memory.info()).map(NativeMemoryInfo::from)
}

/// The one `ArrayBuffer` over the object; called once. Null where external buffers are forbidden.
#[napi(ts_return_type = "ArrayBuffer | null")]
pub fn memory_buffer(env: Env, handle: u32) -> napi::Result<Option<ArrayBufferValue>> {
    environment::with(&env, |environment| {
        let Some(segment) = environment.segments.get_mut(handle).filter(|segment| segment.buffer.is_none())
        else {
            return Err(internal("the memory is closed, or has its ArrayBuffer"));
        };
        let Some((buffer, value)) = ExternalBuffer::create(env, || segment.memory.lease())? else {
            return Ok(None);
        };
        segment.buffer = Some(buffer);
        Ok(Some(value))
    })
}

/// A new `SharedArrayBuffer` over the object. Null where the runtime cannot make one.
#[napi(ts_return_type = "SharedArrayBuffer | null")]
pub fn memory_shared(env: Env, handle: u32) -> napi::Result<Option<SharedBufferValue>> {
    let lease = with(env, handle, |segment| Ok(segment.memory.shared_lease()))?;
    shared_buffer::create(env, lease)
}

/// Whether this environment allows `SharedArrayBuffer`s over shared memory.
#[napi]
pub fn shared_buffers_allowed(env: Env) -> napi::Result<bool> {
    shared_buffer::allowed(env)
}

/// Whether this environment allows `ArrayBuffer`s over shared memory.
#[napi]
pub fn external_buffers_allowed(env: Env) -> napi::Result<bool> {
    external_buffer::allowed(env)
}

/// Removes the object.
#[napi]
pub fn memory_unlink(env: Env, handle: u32) -> napi::Result<()> {
    with(env, handle, |segment| segment.memory.unlink())
}

/// Takes the memory away from its `ArrayBuffer` and from this process; returns the identity of the object.
#[napi(ts_return_type = "object | null")]
pub fn memory_close(env: Env, handle: u32) -> napi::Result<Option<External<MemoryIdentity>>> {
    environment::with(&env, |environment| {
        let Some(segment) = environment.segments.remove(handle) else { return Ok(None) };
        let Segment { memory, buffer, seat } = segment;
        // It writes to the memory, so it comes first.
        drop(seat);
        let identity = External::new(memory.identity());
        if let Some(buffer) = buffer {
            if buffer.detach(env)? {
                memory.withdraw();
            }
            buffer.forget(env);
        }
        Ok(Some(identity))
    })
}

/// Removes an object that was closed.
#[napi]
pub fn memory_remove_closed(
    #[napi(ts_arg_type = "object")] identity: &External<MemoryIdentity>,
) -> napi::Result<()> {
    identity.remove().or_fail()
}

/// The handle is not in use any more; the `ArrayBuffer`, if there is one, keeps the memory.
#[napi]
pub fn memory_release(env: Env, handle: u32) -> napi::Result<()> {
    environment::with(&env, |environment| {
        if let Some(segment) = environment.segments.remove(handle) {
            segment.release(env);
        }
        Ok(())
    })
}

/// Every memory object of this host that we may read.
#[napi]
pub fn list_segments() -> napi::Result<Vec<NativeMemoryInfo>> {
    let segments = os_ipc::list_segments().or_fail()?;
    Ok(segments.into_iter().map(NativeMemoryInfo::from).collect())
}

fn keep(env: &Env, session: u32, memory: SharedMemory) -> napi::Result<OpenedMemory> {
    let (key, id) = (memory.key(), memory.id());
    let (size, created) = (number(memory.size()), memory.is_created());
    let handle = environment::with(env, |environment| {
        let handle = environment.segments.insert(session, Segment { memory, buffer: None, seat: None });
        handle.ok_or_else(|| internal("more than a million memory objects are open"))
    })?;
    Ok(OpenedMemory { handle, key, id, size, created })
}

/// Runs `work` on an open segment. Its error is thrown when the environment is free again.
fn with<T>(env: Env, handle: u32, work: impl FnOnce(&Segment) -> os_ipc::Result<T>) -> napi::Result<T> {
    let result = environment::with(&env, |environment| {
        Ok(environment.segments.get(handle).ok_or_else(detached).and_then(work))
    });
    result?.or_fail()
}

fn detached() -> Error {
    Error::new(Code::Detached, "the shared memory is closed")
}

fn memory_id(id: Either<String, i32>) -> os_ipc::Result<MemoryId> {
    match id {
        Either::A(name) => Name::memory(&name).map(MemoryId::Name),
        Either::B(key) => Key::from_raw(key).map(MemoryId::Key),
    }
}

/// The same for an object that another program may have created.
fn existing_id(id: Either<String, i32>) -> os_ipc::Result<MemoryId> {
    match id {
        Either::A(name) => Name::existing_memory(&name).map(MemoryId::Name),
        Either::B(key) => Key::from_raw(key).map(MemoryId::Key),
    }
}

fn kind(kind: MemoryKind) -> &'static str {
    match kind {
        MemoryKind::Posix => "posix",
        MemoryKind::SystemV => "sysv",
        MemoryKind::Windows => "windows",
    }
}

/// A number of bytes from JavaScript; the core refuses 0, which is what every bad number becomes.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and NaN becomes 0"
)]
fn bytes(count: f64) -> u64 {
    count as u64
}

/// A position from JavaScript.
fn place(position: f64) -> os_ipc::Result<usize> {
    usize::try_from(bytes(position))
        .map_err(|_| Error::new(Code::OutOfRange, format!("{position} is not a position")))
}

/// A number of bytes for JavaScript: exact up to 2^53, and no memory is larger.
#[allow(clippy::cast_precision_loss, reason = "no memory has more than 2^53 bytes")]
fn number(count: usize) -> f64 {
    count as f64
}

fn milliseconds(time: Option<SystemTime>) -> Option<f64> {
    Some(time?.duration_since(UNIX_EPOCH).ok()?.as_secs_f64() * 1000.0)
}

impl From<SharedMemoryInfo> for NativeMemoryInfo {
    #[allow(clippy::cast_precision_loss, reason = "no memory has more than 2^53 bytes, or attachments")]
    fn from(info: SharedMemoryInfo) -> Self {
        Self {
            kind: kind(info.kind),
            name: info.name.map(|name| name.to_string()),
            key: info.key,
            id: info.id,
            size: info.size as f64,
            attached: info.attached.map(|count| count as f64),
            creator_pid: info.creator_pid,
            last_pid: info.last_pid,
            uid: info.uid,
            gid: info.gid,
            mode: info.mode,
            created_at: milliseconds(info.created_at),
            attached_at: milliseconds(info.attached_at),
            detached_at: milliseconds(info.detached_at),
            changed_at: milliseconds(info.changed_at),
            removed: info.removed,
        }
    }
}
