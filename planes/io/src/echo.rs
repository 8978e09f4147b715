//! Own requests that come back on a line that is said to give them back: taken away before replies are looked for.

use alloc::vec::Vec;
use core::mem;

/// The request whose echo is due, and what of it has come.
#[derive(Debug, Default)]
pub(crate) struct Echoes {
    request: Vec<u8>,
    seen: usize,
    /// Whole echoes so far.
    pub(crate) whole: u64,
}

impl Echoes {
    /// A request leaves; bytes that begin like it are its echo.
    pub(crate) fn sent(&mut self, frame: &[u8]) {
        self.request = frame.to_vec();
        self.seen = 0;
    }

    /// What of these bytes is no echo. Bytes that began like it and go on otherwise are given back.
    pub(crate) fn strip(&mut self, bytes: &[u8]) -> Vec<u8> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.request.is_empty() {
                return bytes.get(at..).unwrap_or_default().to_vec();
            }
            if self.request.get(self.seen) != Some(byte) {
                let mut rest = self.give_back();
                rest.extend_from_slice(bytes.get(at..).unwrap_or_default());
                return rest;
            }
            self.seen += 1;
            if self.seen == self.request.len() {
                self.whole += 1;
                self.request.clear();
            }
        }
        Vec::new()
    }

    /// No echo is waited for any more; what had come of it.
    pub(crate) fn give_back(&mut self) -> Vec<u8> {
        let mut request = mem::take(&mut self.request);
        request.truncate(self.seen);
        self.seen = 0;
        request
    }
}

#[cfg(test)]
mod tests {
    use super::Echoes;
    use proptest::prelude::{any, prop, prop_assert_eq, proptest};
    use std::vec::Vec;

    const REQUEST: [u8; 4] = [1, 3, 0, 9];

    fn check(chunks: &[&[u8]], rest: &[u8], whole: u64) {
        let mut echoes = Echoes::default();
        echoes.sent(&REQUEST);
        let found: Vec<u8> = chunks
            .iter()
            .flat_map(|chunk| echoes.strip(chunk))
            .collect();
        assert_eq!(
            (found.as_slice(), echoes.whole),
            (rest, whole),
            "{chunks:?}"
        );
    }

    //= A3.1
    #[test]
    fn an_echo_is_taken_away_and_a_reply_that_begins_like_it_is_not() {
        check(&[&REQUEST, &[1, 3, 2, 0, 7]], &[1, 3, 2, 0, 7], 1);
        check(&[&[1, 3], &[0, 9, 1], &[3, 2]], &[1, 3, 2], 1);
        check(&[&[1, 3, 2, 0, 7]], &[1, 3, 2, 0, 7], 0);
        check(&[&[1], &[3], &[2, 0]], &[1, 3, 2, 0], 0);
        check(&[&REQUEST, &REQUEST], &REQUEST, 1);
        check(&[&[1, 3]], &[], 0);
        let mut echoes = Echoes::default();
        assert_eq!(echoes.strip(&REQUEST), REQUEST);
        echoes.sent(&REQUEST);
        assert!(echoes.strip(&[1, 3]).is_empty());
        assert_eq!(echoes.give_back(), [1, 3]);
        assert!(echoes.give_back().is_empty());
    }

    proptest! {
        //= A3.7
        #[test]
        fn no_byte_behind_the_echo_is_lost(
            request in prop::collection::vec(any::<u8>(), 1..12),
            reply in prop::collection::vec(any::<u8>(), 0..12),
            cut in 1_usize..6,
        ) {
            let mut echoes = Echoes::default();
            echoes.sent(&request);
            let line = [request, reply.clone()].concat();
            let found: Vec<u8> = line.chunks(cut).flat_map(|chunk| echoes.strip(chunk)).collect();
            prop_assert_eq!(found, reply);
            prop_assert_eq!(echoes.whole, 1);
        }
    }
}
