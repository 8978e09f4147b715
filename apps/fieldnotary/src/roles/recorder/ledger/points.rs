//! What the ledger knows of the station's own points: numbers of cards, counts of pulse meters.

use super::Ledger;
use contract::{CardKind, Contract};
use evidence::{MeterId, Payload, PointId, Seq, Slot, SourceId, Stream};

/// A card's points as one stream of numbers.
fn group(card: &SourceId) -> Stream {
    Stream::Meter(MeterId::from(card))
}

impl Ledger {
    /// Takes in a record of a point.
    pub(super) fn observe_point(&mut self, payload: &Payload) {
        match payload {
            Payload::Soe(soe) => self.committed(group(&soe.source), soe.seq.0),
            Payload::Output(output) => self.committed(group(&output.source), output.seq.0),
            Payload::PulseCount(pulse) => {
                self.counted(&pulse.point_id, pulse.count);
                self.point(&pulse.source, &pulse.point_id, pulse.seq, pulse.slot);
            }
            Payload::Analog(analog) => {
                self.point(&analog.source, &analog.point_id, analog.seq, analog.slot);
            }
            Payload::ModemReport(one) => self.point(&one.source, &one.point_id, one.seq, one.slot),
            Payload::Excursion(one) => self.committed(group(&one.source), one.seq.0),
            Payload::ResetReason(one) => self.committed(group(&one.source), one.seq.0),
            _ => {}
        }
    }

    /// Takes in a record of a point that follows a schedule.
    fn point(&mut self, card: &SourceId, point: &PointId, seq: Seq, slot: Option<Slot>) {
        self.committed(group(card), seq.0);
        let contract = self.contract.as_ref();
        let schedule = contract.and_then(|contract| contract.points.schedule_of(point));
        if let (Some(slot), Some(schedule)) = (slot, schedule) {
            let key = (card.clone(), schedule.clone());
            let numbering = self.numberings.entry(key).or_default();
            numbering.serve(&MeterId::from(card), slot);
        }
    }

    /// The last count of a pulse meter never becomes smaller. What the contract has no pulse meter for is no count.
    pub(super) fn counted(&mut self, point: &PointId, count: u64) {
        let contract = self.contract.as_ref();
        if contract.is_some_and(|contract| is_played(contract, point).is_none()) {
            return;
        }
        let known = self.counts.entry(point.clone()).or_default();
        *known = (*known).max(count);
    }

    /// A new contract: a pulse meter that it has no more is forgotten, and one that was played from a recording and
    /// is wired now begins anew, as does the reverse: what was played was never measured.
    pub(super) fn keep_counts(&mut self, now: &Contract) {
        let before = self.contract.as_ref();
        self.counts.retain(|point, _| {
            let is = is_played(now, point);
            let was = before.map(|before| is_played(before, point));
            is.is_some() && was.is_none_or(|was| is == was)
        });
    }

    /// The highest count of a pulse meter that was ever committed; `None` where there is none.
    pub(crate) fn count_of(&self, point: &PointId) -> Option<u64> {
        self.counts.get(point).copied()
    }
}

/// Whether a pulse meter of the contract is played from a recording; `None` where it has no such meter.
fn is_played(contract: &Contract, point: &PointId) -> Option<bool> {
    let card = &contract.points.pulses.get(point)?.card;
    let card = contract.points.cards.get(card);
    Some(card.is_some_and(|card| card.kind == CardKind::Recording))
}

#[cfg(test)]
mod tests {
    use super::super::{Attempted, LEASE_BLOCK, Ledger, meters_on};
    use contract::Contract;
    use evidence::kinds::{Marker, PulseCount, SeqSkip};
    use evidence::reasons::{CountBasis, MarkerKind};
    use evidence::{CommitId, MonoNs, Payload, PointId, Quality, ScheduleId, Seq, Slot, SourceId};

    fn contract() -> Contract {
        contract_of("gpio", "water")
    }

    fn contract_of(kind: &str, pulse: &str) -> Contract {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"second\"\nevery = \"1s\"\n\
            [[card]]\nid = \"dio\"\nkind = \"{kind}\"\npath = \"/dev/gpiochip0\"\n\
            [[debounce]]\nid = \"p\"\nwindow = \"1ms\"\n\
            [[pulse]]\nid = \"{pulse}\"\ncard = \"dio\"\nline = 1\ndebounce = \"p\"\nschedule = \"second\"\n"
        );
        contract::parse(&text).unwrap()
    }

    fn card() -> SourceId {
        SourceId::new("dio").unwrap()
    }

    fn water() -> PointId {
        PointId::new("water").unwrap()
    }

    fn pulse(seq: u64, number: u64, count: u64) -> Payload {
        PulseCount {
            at: MonoNs(seq),
            point_id: water(),
            source: card(),
            line: 1,
            seq: Seq(seq),
            slot: Some(Slot { version: 1, number }),
            count,
            pulse_at: None,
            value: None,
            quality: Quality::GOOD,
            basis: CountBasis::Live,
            suspect: 0,
            policy: "p".to_owned(),
            window_us: 1_000,
            contract: CommitId(0),
        }
        .into()
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        for part in contract().parts(MonoNs(0)) {
            ledger.observe(&part.into());
        }
        ledger
    }

    //= A3.3
    #[test]
    fn a_count_never_becomes_smaller_and_outlives_the_segments_it_was_in() {
        let mut before = ledger();
        assert_eq!(before.count_of(&water()), None);
        for (seq, count) in [(0, 70), (1, 90), (2, 80)] {
            before.observe(&pulse(seq, 100 + seq, count));
        }
        assert_eq!(before.count_of(&water()), Some(90));
        let mut after = ledger();
        let frozen = evidence::frozen::snapshots(MonoNs(1), &card(), &before.freeze(&card()));
        for part in frozen {
            after.observe(&part.into());
        }
        assert_eq!(after.count_of(&water()), Some(90));
        assert_eq!(after.windows, before.windows);
    }

    fn configure(ledger: &mut Ledger, contract: &Contract) {
        for part in contract.parts(MonoNs(0)) {
            ledger.observe(&part.into());
        }
    }

    /// A count of a point that is gone, or that was never there, would be frozen into every segment for ever.
    //= A3.3
    //= R10.4
    #[test]
    fn a_pulse_meter_that_the_contract_has_no_more_is_forgotten_and_a_stranger_never_known() {
        let mut ledger = ledger();
        ledger.observe(&pulse(0, 100, 70));
        let Payload::PulseCount(strange) = pulse(1, 101, 5) else {
            unreachable!()
        };
        let gas = PointId::new("gas").unwrap();
        let point_id = gas.clone();
        ledger.observe(
            &PulseCount {
                point_id,
                ..strange
            }
            .into(),
        );
        assert_eq!(
            (ledger.count_of(&water()), ledger.count_of(&gas)),
            (Some(70), None)
        );
        configure(&mut ledger, &contract());
        assert_eq!(ledger.count_of(&water()), Some(70), "nothing changed");
        configure(&mut ledger, &contract_of("gpio", "gas"));
        assert_eq!(ledger.count_of(&water()), None);
        let kept = |ledger: &Ledger| {
            let frozen = ledger.freeze(&card());
            frozen
                .iter()
                .any(|one| one.name == evidence::frozen::names::PULSES)
        };
        assert!(!kept(&ledger));
    }

    //= A3.3
    #[test]
    fn what_a_recording_counted_is_no_floor_of_the_meter_that_is_wired_later() {
        for (before, after) in [("recording", "gpio"), ("gpio", "recording")] {
            let mut ledger = Ledger::default();
            configure(&mut ledger, &contract_of(before, "water"));
            ledger.observe(&pulse(0, 100, 70));
            configure(&mut ledger, &contract_of(after, "water"));
            assert_eq!(ledger.count_of(&water()), None, "{before}");
            ledger.observe(&pulse(1, 101, 3));
            assert_eq!(ledger.count_of(&water()), Some(3));
        }
    }

    //= A4.2
    //= A4.8
    #[test]
    fn numbers_of_a_card_are_committed_in_a_gap_or_skipped() {
        let mut ledger = ledger();
        let stream = super::group(&card());
        ledger.restart(&stream, &card(), None, MonoNs(0));
        ledger.observe(&pulse(0, 100, 1));
        let attempted = Attempted {
            seq: 5,
            at: MonoNs(9),
            slot: None,
            reply_at: None,
        };
        let (lease, entries) = ledger.restart(&stream, &card(), Some(attempted), MonoNs(10));
        assert_eq!(lease.next, LEASE_BLOCK);
        let [
            Payload::Marker(Marker {
                marker: MarkerKind::SeqGap,
                seq: Some(first),
                count: Some(gap),
                ..
            }),
            Payload::SeqSkip(SeqSkip { count: skip, .. }),
        ] = entries.as_slice()
        else {
            panic!("{entries:?}");
        };
        assert_eq!((first.0, *gap, *skip), (1, 5, LEASE_BLOCK - 6));
    }

    /// The slots of a card are numbered as those of a port with one meter.
    //= A4.6
    #[test]
    fn slots_of_a_card_that_passed_unseen_are_downtime() {
        let mut ledger = ledger();
        let (contract, schedule) = (contract(), ScheduleId::new("second").unwrap());
        let plan = contract.schedules.get(&schedule).unwrap();
        let start = |ledger: &mut Ledger, second: i64| {
            let meters = meters_on(&contract, &card(), &schedule);
            let utc = evidence::UtcNs(second * 1_000_000_000);
            ledger.start_schedule(&card(), plan, meters, utc, &|_| None)
        };
        assert_eq!(start(&mut ledger, 99).missed, []);
        ledger.observe(&pulse(0, 100, 1));
        ledger.observe(&pulse(1, 101, 2));
        let missed = start(&mut ledger, 110).missed;
        let runs: Vec<_> = missed
            .iter()
            .map(|run| (run.first.number, run.count))
            .collect();
        assert_eq!(runs, [(102, 9)]);
    }
}
