//! The frame count bit of each address: known, or to be made known by SND_NKE.

use super::request::Station;

const STATIONS: usize = 256;

/// Which FCB the next counted frame to each address has (EN 13757-2, clause 5).
///
/// A slave that gets the same FCB twice sends its last telegram again, so that a reply which was lost can be
/// had once more. A master that does not know what the slave had last must begin anew.
#[derive(Clone, Debug)]
pub(super) struct Fcb {
    next: [Option<bool>; STATIONS],
}

impl Default for Fcb {
    fn default() -> Self {
        Self {
            next: [None; STATIONS],
        }
    }
}

impl Fcb {
    fn place(&mut self, station: Station) -> Option<&mut Option<bool>> {
        self.next.get_mut(usize::from(station.byte()))
    }

    /// The FCB of the next frame, if it is known.
    pub(super) fn next(&self, station: Station) -> Option<bool> {
        let place = self.next.get(usize::from(station.byte()));
        place.copied().flatten()
    }

    /// The link has begun anew: the next is 1.
    pub(super) fn begun(&mut self, station: Station) {
        if let Some(next) = self.place(station) {
            *next = Some(true);
        }
    }

    /// A counted frame was answered: the next is the other.
    pub(super) fn answered(&mut self, station: Station) {
        if let Some(next) = self.place(station) {
            *next = next.map(|fcb| !fcb);
        }
    }

    /// A frame was given up, so that nobody knows what the slave has.
    pub(super) fn lost(&mut self, station: Station) {
        if let Some(next) = self.place(station) {
            *next = None;
        }
    }

    /// So it is for every address: the bus had no voltage, or all were told something.
    pub(super) fn all_lost(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::Fcb;
    use crate::master::request::{Primary, Station};

    //= A3.2
    #[test]
    fn the_bit_toggles_with_answers_only_and_each_address_has_its_own() {
        let one = Station::Primary(Primary::new(1).unwrap());
        let mut fcb = Fcb::default();
        assert_eq!(fcb.next(one), None);
        fcb.answered(one);
        assert_eq!(fcb.next(one), None, "what is not known does not toggle");
        fcb.begun(one);
        assert_eq!(fcb.next(one), Some(true));
        fcb.answered(one);
        assert_eq!(fcb.next(one), Some(false));
        fcb.begun(Station::Selected);
        fcb.lost(one);
        assert_eq!(fcb.next(one), None);
        assert_eq!(fcb.next(Station::Selected), Some(true));
        fcb.all_lost();
        assert_eq!(fcb.next(Station::Selected), None);
    }
}
