//! Memory aligned for direct I/O, in safe code: a little more is allocated than is used.

/// What every device is content with.
pub(crate) const ALIGN_BYTES: usize = 4_096;

/// A buffer whose bytes begin at an aligned address.
#[derive(Debug)]
pub(crate) struct Aligned {
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl Aligned {
    pub(crate) fn zeroed(len: usize) -> Self {
        let memory = vec![0; len.saturating_add(ALIGN_BYTES)];
        let start = memory.as_ptr().align_offset(ALIGN_BYTES);
        Self { memory, start, len }
    }

    /// Holds these bytes, one part behind the other, in the same memory as before where it is enough.
    pub(crate) fn hold(&mut self, parts: &[&[u8]]) {
        let len = parts
            .iter()
            .fold(0, |sum: usize, part| sum.saturating_add(part.len()));
        let room = self.memory.len().saturating_sub(self.start);
        if room < len {
            *self = Self::zeroed(len);
        }
        self.len = len;
        let mut rest = self.bytes_mut();
        for part in parts {
            let Some((place, behind)) = rest.split_at_mut_checked(part.len()) else {
                return;
            };
            place.copy_from_slice(part);
            rest = behind;
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.memory
            .get(self.start..self.start.saturating_add(self.len))
            .unwrap_or_default()
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.memory
            .get_mut(self.start..self.start.saturating_add(self.len))
            .unwrap_or_default()
    }
}

/// Whether a device can take these bytes from where they are.
pub(crate) fn is_aligned(bytes: &[u8]) -> bool {
    bytes.as_ptr().addr().is_multiple_of(ALIGN_BYTES)
}

#[cfg(test)]
mod tests {
    use super::{Aligned, is_aligned};

    #[test]
    fn the_bytes_are_aligned_and_whole() {
        let mut buffer = Aligned::zeroed(0);
        for len in [0, 1, 512, 4_096, 70_001, 3] {
            let source: Vec<u8> = (0..len).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let (head, tail) = source.split_at(source.len() / 3);
            buffer.hold(&[head, tail]);
            assert_eq!(buffer.bytes(), source);
            assert!(is_aligned(buffer.bytes()));
        }
    }
}
