//! Thousands of streams over many contracts: the table stays small, and no number is ever handed out twice.

use super::super::{Attempted, LEASE_BLOCK, Ledger};
use crate::roles::recorder::journal_file;
use contract::Contract;
use evidence::kinds::{CounterSnapshot, Marker, SeqSkip};
use evidence::reasons::{MarkerKind, SkipCause};
use evidence::{MeterId, MonoNs, Payload, Seq, SourceId, Stream};
use std::collections::BTreeMap;

const NOW: MonoNs = MonoNs(9);

fn own() -> SourceId {
    SourceId::new("recorder").unwrap()
}

fn meter(number: usize) -> MeterId {
    MeterId::new(&format!("meter-with-a-long-name-{number}")).unwrap()
}

fn contract(meters: impl Iterator<Item = usize>) -> Contract {
    let mut text = String::from(
        "[station]\norigin = \"example.org/retired\"\n[[schedule]]\nid = \"q\"\nevery = \"15min\"\n\
         [[profile]]\nid = \"p\"\n[[profile.point]]\nid = \"e\"\nregister = \"holding:0\"\ntype = \"u16\"\n\
         [[port]]\nid = \"p1\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:502\"\n\
         [[port]]\nid = \"p2\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:503\"\n",
    );
    for (at, number) in meters.enumerate() {
        text.push_str(&format!(
            "[[meter]]\nid = \"{}\"\nport = \"p{}\"\nunit = {}\nschedule = \"q\"\nprofile = \"p\"\n",
            meter(number),
            at / 200 + 1,
            at % 200 + 1
        ));
    }
    contract::parse(&text).unwrap()
}

/// A ledger with all that was committed, as a recorder has it that starts anew.
struct Log {
    ledger: Ledger,
    entries: Vec<Payload>,
    /// Numbers that entries speak of, by meter: the highest, and whether it is open for more.
    spoken: BTreeMap<MeterId, Vec<(u64, u64)>>,
}

impl Log {
    fn new() -> Self {
        Self {
            ledger: Ledger::default(),
            entries: Vec::new(),
            spoken: BTreeMap::new(),
        }
    }

    fn commit(&mut self, entries: impl IntoIterator<Item = Payload>, observe: bool) {
        for entry in entries {
            if observe {
                self.ledger.observe(&entry);
            }
            let run = match &entry {
                Payload::SeqSkip(SeqSkip {
                    meter_id,
                    first,
                    count,
                    ..
                }) => Some((meter_id, first.0, *count)),
                Payload::Marker(Marker {
                    marker: MarkerKind::SeqGap,
                    meter_id: Some(meter_id),
                    seq: Some(first),
                    count: Some(count),
                    ..
                }) => Some((meter_id, first.0, *count)),
                _ => None,
            };
            if let Some((meter, first, count)) = run {
                let runs = self.spoken.entry(meter.clone()).or_default();
                let before = runs.last().map_or(0, |(_, end)| *end);
                assert!(
                    first >= before,
                    "{meter}: {first} was named before {before}"
                );
                runs.push((first, first + count));
            }
            self.entries.push(entry);
        }
    }

    fn configure(
        &mut self,
        contract: &Contract,
        attempted: &dyn Fn(&MeterId) -> Option<Attempted>,
    ) {
        self.commit(contract.parts(NOW).into_iter().map(Into::into), true);
        let entries = self.ledger.retire(&|_| own(), attempted, NOW);
        self.commit(entries, false);
    }

    fn start(&mut self, meter: &MeterId) -> u64 {
        let stream = Stream::Meter(meter.clone());
        let (lease, entries) = self.ledger.restart(&stream, &own(), None, NOW);
        self.commit(entries, true);
        assert_eq!(lease.end, lease.next + LEASE_BLOCK);
        lease.next
    }

    /// A session of which this number is spoken.
    fn read(&mut self, meter: &MeterId, seq: u64) {
        let gap = Marker {
            at: NOW,
            marker: MarkerKind::SeqGap,
            source: own(),
            schedule: None,
            slot: None,
            meter_id: Some(meter.clone()),
            seq: Some(Seq(seq)),
            count: Some(1),
            last_attempt: None,
            last_reply: None,
        };
        self.commit([gap.into()], true);
    }

    /// What a recorder knows that starts on this log and this lease table.
    fn replayed(&self) -> Ledger {
        let table = journal_file::leases(&self.ledger);
        let rows = journal_file::streams(&table);
        let mut ledger = Ledger::new(rows).above(table.floor);
        self.entries.iter().for_each(|entry| ledger.observe(entry));
        ledger
    }
}

fn nothing(_: &MeterId) -> Option<Attempted> {
    None
}

/// 400 meters at a time, 100 of them new with each contract; every tenth contract brings the first 100 back.
//= A4.2
#[test]
fn thousands_of_streams_over_many_contracts_fit_and_no_number_comes_twice() {
    let mut log = Log::new();
    let mut next: BTreeMap<MeterId, u64> = BTreeMap::new();
    for change in 0..60 {
        let back = (change % 10 == 9).then_some(0..100).into_iter().flatten();
        let fresh = 100 + change * 100..400 + change * 100;
        let now: Vec<usize> = back.chain(fresh).collect();
        log.configure(&contract(now.iter().copied()), &nothing);
        for number in &now {
            let meter = meter(*number);
            let first = log.start(&meter);
            let used = next.entry(meter.clone()).or_default();
            assert!(first >= *used, "{meter} had {used}, and begins at {first}");
            log.read(&meter, first);
            *used = first + LEASE_BLOCK;
        }
        let table = journal_file::leases(&log.ledger);
        assert!(table.seqs.len() <= 400, "{} rows", table.seqs.len());
        let windows = log.ledger.freeze(&own());
        let windows = windows.iter().filter(|one| one.name == "seq_window");
        assert!(windows.count() <= 400);
        if change % 20 == 19 {
            let replayed = log.replayed();
            assert_eq!(replayed.windows, log.ledger.windows);
            assert_eq!(replayed.leases, log.ledger.leases);
            assert_eq!(replayed.floor, log.ledger.floor);
        }
    }
    assert!(next.len() > 6_000);
}

//= A4.2
#[test]
fn what_a_removed_meter_had_open_is_a_gap_and_skipped_to_its_end() {
    let mut log = Log::new();
    log.configure(&contract([1, 2].into_iter()), &nothing);
    assert_eq!((log.start(&meter(1)), log.start(&meter(2))), (0, 0));
    for seq in 0..10 {
        log.read(&meter(1), seq);
    }
    let attempted = |_: &MeterId| {
        Some(Attempted {
            seq: 11,
            at: MonoNs(5),
            slot: None,
            reply_at: None,
        })
    };
    let from = log.entries.len();
    log.configure(&contract([2].into_iter()), &attempted);
    let told: Vec<_> = log.entries[from..]
        .iter()
        .filter_map(|entry| match entry {
            Payload::Marker(gap) => Some((gap.meter_id.clone()?, "gap", gap.seq?.0, gap.count?)),
            Payload::SeqSkip(skip) => Some((
                skip.meter_id.clone(),
                skip.cause.name(),
                skip.first.0,
                skip.count,
            )),
            _ => None,
        })
        .collect();
    assert_eq!(
        told,
        [
            // Nothing told where the other meter began, and above it is a floor now.
            (meter(2), "gap", 0, 12),
            (meter(2), "lease_abandoned", 12, LEASE_BLOCK - 12),
            (meter(1), "gap", 10, 2),
            (meter(1), "removed", 12, LEASE_BLOCK - 12),
        ]
    );
    // Whoever closes the slots of its schedule still knows what was open.
    let stream = Stream::Meter(meter(1));
    assert_eq!(log.ledger.pending(&stream), 10..LEASE_BLOCK);
    assert!(!log.ledger.leases().contains_key(&stream));
    // It is back, and so is one that was never here.
    log.configure(&contract([1, 2, 3].into_iter()), &nothing);
    for number in [1, 3] {
        assert_eq!(log.start(&meter(number)), LEASE_BLOCK + 1);
        let Some(Payload::SeqSkip(begun)) = log.entries.last() else {
            panic!("{:?}", log.entries.last());
        };
        assert_eq!(
            (begun.cause, begun.first, begun.count),
            (SkipCause::Begun, Seq(LEASE_BLOCK), 1)
        );
    }
    assert_eq!(log.start(&meter(2)), LEASE_BLOCK);
}

/// The table was written before the group that closes a stream, or after it, or never again.
//= A4.2
#[test]
fn a_crash_around_the_change_lets_no_number_come_again() {
    let mut log = Log::new();
    log.configure(&contract([1, 2].into_iter()), &nothing);
    log.start(&meter(1));
    log.start(&meter(2));
    log.read(&meter(1), 0);
    let before = journal_file::leases(&log.ledger);
    let committed = log.entries.len();
    log.configure(&contract([2].into_iter()), &nothing);
    let after = journal_file::leases(&log.ledger);
    for (table, entries) in [
        (&before, committed),
        (&before, log.entries.len()),
        (&after, log.entries.len()),
    ] {
        let mut ledger = Ledger::new(journal_file::streams(table)).above(table.floor);
        log.entries[..entries]
            .iter()
            .for_each(|entry| ledger.observe(entry));
        let mut again = Log {
            ledger,
            entries: Vec::new(),
            spoken: BTreeMap::new(),
        };
        again.configure(&contract([1, 2].into_iter()), &nothing);
        let first = again.start(&meter(1));
        assert!(first >= LEASE_BLOCK, "{first}");
    }
}

//= A4.2
#[test]
fn the_floor_outlives_the_segment_in_which_streams_were_closed() {
    let mut log = Log::new();
    log.configure(&contract([1, 2].into_iter()), &nothing);
    log.start(&meter(1));
    log.configure(&contract([2].into_iter()), &nothing);
    let state = log.ledger.freeze(&own());
    let mut ledger = Ledger::default();
    for part in contract([2].into_iter()).parts(NOW) {
        ledger.observe(&part.into());
    }
    let snapshots = evidence::frozen::snapshots(NOW, &own(), &state);
    for snapshot in snapshots {
        let snapshot: CounterSnapshot = snapshot;
        ledger.observe(&snapshot.into());
    }
    // The lease table is lost as well.
    assert_eq!(ledger.floor, LEASE_BLOCK);
}
