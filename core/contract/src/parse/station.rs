//! The tables of the station's own points, one after the other.

use super::Walk;
use crate::block::Block;
use crate::keys::Section;
use crate::modem::{self, MODEM};
use crate::outputs::{AO, DO, read as outputs};
use crate::sound::{Place, STAND_IN};
use crate::station::read::{analog, card, input, policy, pulse};
use crate::station::{AI, CARD, DEBOUNCE, DI, PULSE, StationPoints};
use crate::watch::read::{OF_ENVIRONMENT, OF_POWER, reset, watched};
use crate::watch::{ENVIRONMENT, POWER, RESET};
use alloc::collections::BTreeMap;
use alloc::format;
use evidence::IdError;

impl<'t, 'i> Walk<'_, 't, 'i, '_> {
    pub(super) fn station_points(&mut self) -> StationPoints {
        StationPoints {
            cards: self.each("card", &CARD, Place::Card, |walk, id, block, _| {
                Some(card(id, block, walk.report))
            }),
            policies: self.each(
                "debounce",
                &DEBOUNCE,
                Place::Debounce,
                |walk, id, block, _| Some(policy(id, block, walk.report)),
            ),
            inputs: self.each("di", &DI, Place::Di, |walk, id, block, stand_in| {
                input(id, block, walk.report, stand_in)
            }),
            pulses: self.each(
                "pulse",
                &PULSE,
                Place::Pulse,
                |walk, id, block, stand_in| pulse(id, block, walk.report, stand_in),
            ),
            analogs: self.each("ai", &AI, Place::Ai, |walk, id, block, stand_in| {
                analog(id, block, walk.report, stand_in)
            }),
            supplies: self.each(
                "power",
                &POWER,
                Place::Power,
                |walk, id, block, stand_in| watched(id, &OF_POWER, block, walk.report, stand_in),
            ),
            environments: self.each(
                "environment",
                &ENVIRONMENT,
                Place::Environment,
                |walk, id, block, stand_in| {
                    watched(id, &OF_ENVIRONMENT, block, walk.report, stand_in)
                },
            ),
            resets: self.each(
                "reset",
                &RESET,
                Place::Reset,
                |walk, id, block, stand_in| reset(id, block, walk.report, stand_in),
            ),
            digital_outputs: self.each("do", &DO, Place::Do, |walk, id, block, stand_in| {
                outputs::digital(id, block, walk.report, stand_in)
            }),
            analog_outputs: self.each("ao", &AO, Place::Ao, |walk, id, block, stand_in| {
                outputs::analog(id, block, walk.report, stand_in)
            }),
            modems: self.each(
                "modem",
                &MODEM,
                Place::Modem,
                |walk, id, block, stand_in| modem::read(id, block, walk.report, stand_in),
            ),
        }
    }

    /// The tables of one kind by their ids.
    fn each<I, T>(
        &mut self,
        kind: &'static str,
        section: &'static Section,
        place_of: impl Fn(I) -> Place,
        read: impl Fn(&mut Self, I, &mut Block<'t, 'i>, &str) -> Option<T>,
    ) -> BTreeMap<I, T>
    where
        I: core::str::FromStr<Err = IdError> + core::fmt::Display + Clone + Ord,
    {
        let mut found = BTreeMap::new();
        let tables = self.root.children(self.report, kind);
        for (place, (table, span)) in tables.into_iter().enumerate() {
            let path = Block::path_of(table, kind, place);
            let mut block = Block::new(section, path, table, span);
            let Some(id) = self.id(&mut block, |id: &I| found.contains_key(id)) else {
                continue;
            };
            self.stand_ins += 1;
            let stand_in = format!("{STAND_IN}{}", self.stand_ins);
            let one = read(self, id.clone(), &mut block, &stand_in);
            self.blocks.insert(place_of(id.clone()), block);
            found.extend(one.map(|one| (id, one)));
        }
        found
    }
}
