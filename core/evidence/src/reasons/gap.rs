//! Where the cause of a gap is to be looked for.

use super::{Anchor, GapClass};

impl GapClass {
    /// The anchor in which the cause of such a gap is to be looked for; `None` while it is open or
    /// nothing explains it.
    #[must_use]
    pub const fn anchor(self) -> Option<Anchor> {
        match self {
            Self::IfErr | Self::SeqGap => Some(Anchor::Interface),
            Self::CommitGap => Some(Anchor::Commit),
            Self::Downtime => Some(Anchor::Power),
            Self::UplinkGap => Some(Anchor::Uplink),
            Self::Open | Self::Unexplained => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GapClass;

    //= A1.4
    #[test]
    fn every_explained_gap_belongs_to_one_anchor() {
        for class in GapClass::ALL {
            let explained = !matches!(class, GapClass::Open | GapClass::Unexplained);
            assert_eq!(class.anchor().is_some(), explained, "{class}");
        }
    }
}
