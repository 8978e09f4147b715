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

    pub(crate) fn copy_of(bytes: &[u8]) -> Self {
        let mut buffer = Self::zeroed(bytes.len());
        buffer.bytes_mut().copy_from_slice(bytes);
        buffer
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

#[cfg(test)]
mod tests {
    use super::{ALIGN_BYTES, Aligned};

    #[test]
    fn the_bytes_are_aligned_and_whole() {
        for len in [0, 1, 512, 4_096, 70_001] {
            let source: Vec<u8> = (0..len).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let buffer = Aligned::copy_of(&source);
            assert_eq!(buffer.bytes(), source);
            assert_eq!(buffer.bytes().as_ptr().addr() % ALIGN_BYTES, 0);
        }
    }
}
