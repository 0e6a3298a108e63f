//! Error codes of the operating system.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

#[cfg(unix)]
use std::ffi::c_int;
use std::fmt;

/// An error code of the operating system: the number and name of an errno.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct OsCode(i32);

/// The codes that this crate creates or compares.
macro_rules! codes {
    ($($name:ident)*) => {
        impl OsCode {
            $(#[doc = concat!("The code `", stringify!($name), "`.")]
            pub const $name: Self = Self(imp::$name);)*
        }

        /// The name of a code in the list.
        #[cfg(windows)]
        fn listed(code: OsCode) -> Option<&'static str> {
            match code {
                $(OsCode::$name => Some(stringify!($name)),)*
                _ => None,
            }
        }
    };
}

codes! {
    E2BIG EACCES EAGAIN EBADF EBUSY ECHILD EDQUOT EEXIST EFAULT EFBIG EIDRM EINTR EINVAL EIO EISDIR ELOOP EMFILE EMLINK
    ENAMETOOLONG ENFILE ENODEV ENOENT ENOLCK ENOMEM ENOSPC ENOSYS ENOTDIR ENXIO EOPNOTSUPP EOVERFLOW EPERM ERANGE EROFS ESPIPE
    ESRCH ETIMEDOUT ETXTBSY EXDEV
}

impl OsCode {
    /// The code with this number.
    #[must_use]
    pub fn from_raw(number: i32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn raw(self) -> i32 {
        self.0
    }

    /// The code of the last failed call of the C library in this thread.
    pub(in crate::sys) fn last() -> Self {
        std::io::Error::last_os_error().into()
    }

    /// The result of a call of the C library: -1 means that it failed.
    #[cfg(unix)]
    pub(in crate::sys) fn result(returned: c_int) -> Result<c_int, Self> {
        if returned == -1 { Err(Self::last()) } else { Ok(returned) }
    }
}

impl From<std::io::Error> for OsCode {
    /// The code of a failed call; `EIO` for an error without a call.
    fn from(error: std::io::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&std::io::Error> for OsCode {
    fn from(error: &std::io::Error) -> Self {
        imp::of_io(error).unwrap_or(Self::EIO)
    }
}

/// The name: `ENOENT`.
impl fmt::Debug for OsCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&imp::name(*self))
    }
}

/// The name: `ENOENT`.
impl fmt::Display for OsCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_as_its_name() {
        assert_eq!(OsCode::ENOENT.to_string(), "ENOENT");
        assert_eq!(format!("{:?}", OsCode::EIDRM), "EIDRM");
        assert_eq!(OsCode::from_raw(OsCode::EAGAIN.raw()), OsCode::EAGAIN);
    }

    #[test]
    fn an_error_of_the_standard_library_has_the_code_of_its_call() {
        let missing = std::fs::File::open("no such file").unwrap_err();
        assert_eq!(OsCode::from(&missing), OsCode::ENOENT);
        assert_eq!(OsCode::from(std::io::Error::other("of no call")), OsCode::EIO);
    }
}
