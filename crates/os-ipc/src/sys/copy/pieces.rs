//! Large copies with the C library's memcpy, in pieces.

use std::ptr;

const PIECE: usize = 2048;

/// Copies in pieces of 2,048 bytes.
///
/// For more bytes glibc's memcpy uses `rep movsb`, which falls to a twentieth of its speed on AMD Zen if the addresses
/// differ by 16 to 63 bytes modulo a page, as those of a Node Buffer (malloc'd: a page + 16) and a segment (a page) do.
///
/// # Safety
/// - `source` is readable and `target` is writable, both for `length` bytes, and they do not overlap.
pub(super) unsafe fn copy_large(source: *const u8, target: *mut u8, length: usize) {
    for position in (0..length).step_by(PIECE) {
        let piece = PIECE.min(length - position);
        // SAFETY: `position + piece <= length`.
        unsafe { ptr::copy_nonoverlapping(source.add(position), target.add(position), piece) };
    }
}
