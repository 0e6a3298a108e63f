//! System V keys: from a name, as in the Go library, and from a file, as in C.

use std::ffi::CString;
use std::fmt;
use std::path::Path;

use crate::error::{Code, Error, OsCode, Result};
use crate::name::Name;
use crate::sys;

/// A System V key: a signed 32-bit number, never 0 (`IPC_PRIVATE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key(i32);

impl Key {
    /// A raw key, as C, PHP and Python's `sysv_ipc` use.
    pub fn from_raw(raw: i32) -> Result<Self> {
        if raw == 0 {
            return Err(Error::new(
                Code::ReservedKey,
                "the key 0 is IPC_PRIVATE: every call makes a new object, which no other process can find",
            ));
        }
        Ok(Self(raw))
    }

    /// The key of a name as in the Go library: [`hash`](Self::hash) of the name with its slash.
    pub fn of_name(name: &Name) -> Result<Self> {
        Self::from_raw(Self::hash(name.as_str())).map_err(|_| {
            Error::new(
                Code::ReservedKey,
                format!(
                    "the name '{name}' has the key 0, which is IPC_PRIVATE: every call makes a new object"
                ),
            )
            .with_hint("choose another name")
        })
    }

    /// The key of a lock: different from that of every semaphore, except for collisions.
    #[must_use]
    pub fn of_lock(name: &str) -> Self {
        const INSTEAD_OF_PRIVATE: i32 = 0x006c_6f63;
        match Self::hash(&format!("os-ipc:lock:{name}")) {
            0 => Self(INSTEAD_OF_PRIVATE),
            key => Self(key),
        }
    }

    /// The key of the set that the processes of this user probe the kernel's undo with.
    #[cfg(system_v_semaphores)]
    pub(crate) fn of_undo_probe(user: u32) -> Self {
        const INSTEAD_OF_PRIVATE: i32 = 0x0075_6e64;
        match Self::hash(&format!("os-ipc:undo:{user}")) {
            0 => Self(INSTEAD_OF_PRIVATE),
            key => Self(key),
        }
    }

    /// FNV-1a 32 over the bytes of a text, as a signed number: the key of the name, unless it is 0.
    #[must_use]
    pub fn hash(text: &str) -> i32 {
        fnv1a_32(text.as_bytes()).cast_signed()
    }

    /// The number.
    #[must_use]
    pub fn raw(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:#010x}", self.0)
    }
}

/// [Fowler–Noll–Vo, variant 1a, 32 bits](http://www.isthe.com/chongo/tech/comp/fnv/).
fn fnv1a_32(bytes: &[u8]) -> u32 {
    const OFFSET_BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    bytes.iter().fold(OFFSET_BASIS, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(PRIME))
}

/// `ftok(path, project_id)`: the key that C derives from an existing file.
pub fn ftok(path: &Path, project_id: u8) -> Result<i32> {
    if project_id == 0 {
        return Err(Error::new(Code::OutOfRange, "a project id is 1 to 255"));
    }
    let c_path = CString::new(path.as_os_str().as_encoded_bytes())
        .map_err(|_| Error::invalid("a path has no NUL byte"))?;
    sys::ftok(&c_path, project_id).map_err(|errno| match errno {
        OsCode::ENOSYS => Error::new(Code::NotSupported, "this platform derives no keys from files"),
        errno => Error::system("cannot derive a key", "stat", format_args!("'{}'", path.display()), errno),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(name: &str) -> i32 {
        Key::of_name(&Name::semaphore(name).unwrap()).unwrap().raw()
    }

    #[test]
    fn keys_are_those_of_the_go_library() {
        let vectors: [(&str, u32); 8] = [
            ("/", 705_468_254),
            ("/a", 1_892_816_941),
            ("/mylock", 3_258_842_775),
            ("/myapp.v1.mylock", 1_432_699_669),
            ("/myapp.v1.jobs", 934_705_488),
            ("/ours", 2_661_398_905),
            ("/é", 598_057_866),
            ("/日本", 128_913_594),
        ];
        for (name, hash) in vectors {
            assert_eq!(fnv1a_32(name.as_bytes()), hash, "{name}");
        }
        assert_eq!(key("mylock"), 3_258_842_775_u32.cast_signed());
    }

    #[test]
    fn two_names_can_have_the_same_key() {
        assert_eq!(key("/app.5rj6"), key("/app.mpf8"));
        assert_eq!(key("/app.5rja"), key("/app.mpfo"));
    }

    #[test]
    fn a_name_with_the_key_0_is_refused_and_one_with_minus_1_is_not() {
        let zero = Key::of_name(&Name::semaphore("/app.ul72ioa").unwrap()).unwrap_err();
        assert_eq!(zero.code(), Code::ReservedKey);
        assert_eq!(key("/app.yi1etjb"), -1);
        assert_eq!(Key::from_raw(0).unwrap_err().code(), Code::ReservedKey);
    }

    #[test]
    #[cfg(unix)]
    #[cfg_attr(miri, ignore = "ftok is a system call")]
    fn ftok_names_the_missing_file() {
        let error = ftok(Path::new("/no/such/file"), 1).unwrap_err();
        assert_eq!(error.to_string(), "ENOENT: cannot derive a key, stat '/no/such/file'");
        assert_eq!(ftok(Path::new("/"), 0).unwrap_err().code(), Code::OutOfRange);
    }

    proptest! {
        #[test]
        fn a_key_is_its_hash_and_never_zero(rest in "[^/\\\\\0.]{1,60}") {
            let name = format!("/{rest}");
            // FNV-1a in 64 bits, truncated after each step: another way to the same number.
            let hash = name.bytes().fold(0x811c_9dc5_u64, |hash, byte| {
                ((hash ^ u64::from(byte)) * 0x0100_0193) & 0xffff_ffff
            });
            let made = Key::of_name(&Name::semaphore(&name).unwrap());
            match u32::try_from(hash).unwrap() {
                0 => prop_assert_eq!(made.unwrap_err().code(), Code::ReservedKey),
                hash => prop_assert_eq!(made.unwrap().raw(), hash.cast_signed()),
            }
        }
    }
}
