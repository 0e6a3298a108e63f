//! The values of a set: those of a small set, the usual case, lie on the stack.

use std::ops::Deref;

/// The most values without an allocation: those of a set whose name has up to 114 bytes.
const FEW: usize = 64;

/// The values of all semaphores of a set.
pub(crate) struct Values {
    few: [u16; FEW],
    /// Used instead of `few` for more values.
    many: Vec<u16>,
    size: usize,
}

impl Values {
    pub(crate) fn zeros(size: usize) -> Self {
        Self { few: [0; FEW], many: if size <= FEW { Vec::new() } else { vec![0; size] }, size }
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut u16 {
        if self.size <= FEW { self.few.as_mut_ptr() } else { self.many.as_mut_ptr() }
    }
}

impl Deref for Values {
    type Target = [u16];

    fn deref(&self) -> &[u16] {
        if self.size <= FEW { &self.few[..self.size] } else { &self.many }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_values_have_the_size_of_the_set() {
        for size in [0, 1, FEW, FEW + 1, 1_000] {
            let mut values = Values::zeros(size);
            assert_eq!(*values, vec![0; size]);
            if size > 0 {
                // SAFETY: it has `size` values.
                unsafe { values.as_mut_ptr().add(size - 1).write(7) };
                assert_eq!(values.last(), Some(&7));
            }
        }
    }
}
