//! The identity of this program image: execve(2) makes a new image and keeps the pid.

use std::sync::LazyLock;

/// Bits of an identity: two words of a System V set.
const BITS: u32 = 30;

/// `getauxval(AT_RANDOM)`: the kernel gives each image 16 random bytes. 0 where it does not.
///
/// Every copy of this library in the process has the same number.
pub(crate) fn identity() -> u32 {
    const BYTES: usize = 16;
    static IDENTITY: LazyLock<u32> = LazyLock::new(|| {
        // SAFETY: getauxval takes no pointer.
        let bytes = unsafe { libc::getauxval(libc::AT_RANDOM) } as *const [u8; BYTES];
        if bytes.is_null() {
            return 0;
        }
        // SAFETY: the kernel put 16 bytes there, above the stack, where they stay until the image ends.
        fold(unsafe { &*bytes })
    });
    *IDENTITY
}

/// A hash, never 0: the bytes themselves are a secret of the C library.
fn fold(bytes: &[u8]) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for &byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mixed = hash ^ (hash >> 32);
    u32::try_from(mixed & ((1 << BITS) - 1)).unwrap_or(1).max(1)
}
