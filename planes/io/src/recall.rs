//! Reading a meter's own memory: which records are asked for next, and what of them fills which slot (U3).

use crate::decode::{Decoded, in_record};
use crate::limits::{MEMORY_APART_S, MEMORY_PROBES_MAX};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use contract::{Memory, MemoryOrder, Meter, Table};
use evidence::{Slot, UtcNs};
use modbus::limits::READ_REGISTERS_MAX;
use modbus::pdu::{RegisterSpan, Request, Response};

const NS_PER_S: i64 = 1_000_000_000;
const MS_PER_S: u64 = 1_000;
const S_PER_MIN: i64 = 60;
const BYTES_PER_REGISTER: usize = 2;

/// A slot that was missed, and when it was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissedSlot {
    /// The slot.
    pub slot: Slot,
    /// When it was due.
    pub due: UtcNs,
}

/// A record of a meter's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its place, from 0.
    pub(crate) place: u16,
    /// Its time by the meter's clock, in seconds since 1970.
    pub(crate) time_s: i64,
    /// The points that it holds, by their places among those of the meter.
    pub(crate) points: Vec<(usize, Decoded)>,
}

/// What the memory says of a missed slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recalled {
    pub(crate) slot: Slot,
    /// `None`: it has none of that time.
    pub(crate) record: Option<Record>,
}

/// The memory of one meter, and what is wanted of it.
#[derive(Debug)]
pub(crate) struct Recall {
    memory: Memory,
    ahead_s: i64,
    /// The oldest first.
    wanted: VecDeque<MissedSlot>,
    /// Where the record of the first of them is looked for, and how often it was elsewhere.
    place: u16,
    probes: u32,
}

impl Recall {
    /// Of a meter that has a memory.
    pub(crate) fn new(meter: &Meter) -> Option<Self> {
        Some(Self {
            memory: meter.memory?,
            ahead_s: meter.clock_zone_min.unwrap_or(0) * S_PER_MIN,
            wanted: VecDeque::new(),
            place: 0,
            probes: 0,
        })
    }

    /// These slots are wanted, and no others.
    pub(crate) fn want(&mut self, mut slots: Vec<MissedSlot>) {
        slots.sort_unstable_by_key(|wanted| wanted.due);
        self.wanted = slots.into();
        (self.place, self.probes) = (0, 0);
    }

    /// Whether something is wanted.
    pub(crate) fn wants(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// The request that is next.
    pub(crate) fn request(&self) -> Option<Request> {
        self.wanted.front()?;
        let (first, count) = self.span();
        let skipped = u32::from(first) * u32::from(self.memory.width);
        let address = u16::try_from(u32::from(self.memory.first) + skipped).ok()?;
        let span = RegisterSpan::new(address, count.checked_mul(self.memory.width)?).ok()?;
        Some(match self.memory.table {
            Table::Input => Request::ReadInputRegisters(span),
            _ => Request::ReadHoldingRegisters(span),
        })
    }

    /// The first record of the next request, and how many.
    fn span(&self) -> (u16, u16) {
        let most = (READ_REGISTERS_MAX / self.memory.width.max(1)).max(1);
        let first = match self.memory.order {
            // What is wanted next is newer, and stands before it.
            MemoryOrder::NewestFirst => self.place.saturating_sub(most - 1),
            MemoryOrder::Ring => self.place,
        };
        (first, most.min(self.memory.records.saturating_sub(first)))
    }

    /// The request was answered: what of it fills a slot, or is known not to be there.
    pub(crate) fn answered(&mut self, meter: &Meter, response: &Response) -> Vec<Recalled> {
        let (Response::ReadHoldingRegisters(registers) | Response::ReadInputRegisters(registers)) =
            response
        else {
            return Vec::new();
        };
        let width = usize::from(self.memory.width) * BYTES_PER_REGISTER;
        let (first, _) = self.span();
        let records = registers.as_bytes().chunks_exact(width.max(1));
        let records: Vec<(u16, i64, &[u8])> = (first..)
            .zip(records)
            .filter_map(|(place, bytes)| Some((place, time_s(bytes)?, bytes)))
            .collect();
        let looked_for = self.wanted.front().map(|wanted| wanted.slot);
        let mut found = Vec::new();
        for (place, time_s, bytes) in &records {
            while let Some(at) = self.wanted.iter().position(|one| self.fits(one, *time_s)) {
                let Some(wanted) = self.wanted.remove(at) else {
                    break;
                };
                found.push(Recalled {
                    slot: wanted.slot,
                    record: Some(Record {
                        place: *place,
                        time_s: *time_s,
                        points: points(meter, bytes),
                    }),
                });
            }
        }
        let known = records
            .iter()
            .min_by_key(|(place, ..)| place.abs_diff(self.place))
            .map(|(place, time_s, _)| (*place, *time_s));
        let missed = looked_for.is_some_and(|slot| found.iter().all(|one| one.slot != slot));
        if missed && !self.goes_on(known, first, registers.as_bytes().len() / width.max(1)) {
            let absent = self.wanted.pop_front();
            found.extend(absent.map(|wanted| Recalled {
                slot: wanted.slot,
                record: None,
            }));
        } else if missed {
            return found;
        }
        self.probes = 0;
        let next = self.wanted.front().copied().zip(known);
        let place = next.and_then(|(wanted, known)| self.expected(&wanted, known));
        self.place = place.unwrap_or(0);
        found
    }

    /// Whether the record looked for may be elsewhere than in what was read: it is looked for there.
    fn goes_on(&mut self, known: Option<(u16, i64)>, first: u16, count: usize) -> bool {
        self.probes += 1;
        let Some((wanted, known)) = self.wanted.front().copied().zip(known) else {
            // Nothing but unwritten records: a ring may have begun elsewhere.
            let read = u16::try_from(count).unwrap_or(u16::MAX);
            self.place = first.saturating_add(read.max(1));
            return self.memory.order == MemoryOrder::Ring
                && self.place < self.memory.records
                && self.probes < MEMORY_PROBES_MAX;
        };
        let Some(place) = self.expected(&wanted, known) else {
            return false;
        };
        let read = place >= first && usize::from(place - first) < count;
        self.place = place;
        !read && self.probes < MEMORY_PROBES_MAX
    }

    /// Where the record of a slot must be, when one at a place is of such a time; `None`: before the oldest or
    /// behind the newest.
    fn expected(&self, wanted: &MissedSlot, (place, time_s): (u16, i64)) -> Option<u16> {
        let every_s = i64::try_from(self.memory.every_ms / MS_PER_S)
            .unwrap_or(1)
            .max(1);
        let apart_s = self.due_s(wanted).saturating_sub(time_s);
        let steps = apart_s.saturating_add(every_s / 2).div_euclid(every_s);
        let (place, records) = (i64::from(place), i64::from(self.memory.records.max(1)));
        let expected = match self.memory.order {
            MemoryOrder::NewestFirst => place.saturating_sub(steps),
            MemoryOrder::Ring => place.saturating_add(steps).rem_euclid(records),
        };
        let expected = Some(expected).filter(|place| (0..records).contains(place))?;
        u16::try_from(expected).ok()
    }

    /// When a slot was due, by the meter's clock.
    fn due_s(&self, wanted: &MissedSlot) -> i64 {
        (wanted.due.0.div_euclid(NS_PER_S)).saturating_add(self.ahead_s)
    }

    fn fits(&self, wanted: &MissedSlot, time_s: i64) -> bool {
        // Never so far that two records could be meant.
        let half_s = (self.memory.every_ms / MS_PER_S).saturating_sub(1) / 2;
        self.due_s(wanted).abs_diff(time_s) <= MEMORY_APART_S.min(half_s)
    }
}

/// The time of a record: 32 bits, the high word first; 0 is none.
fn time_s(bytes: &[u8]) -> Option<i64> {
    let time: [u8; 4] = bytes.first_chunk().copied()?;
    Some(i64::from(u32::from_be_bytes(time))).filter(|time| *time > 0)
}

fn points(meter: &Meter, record: &[u8]) -> Vec<(usize, Decoded)> {
    let points = meter.points.iter().enumerate();
    points
        .filter_map(|(place, point)| Some((place, in_record(point, record)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{MissedSlot, Recall, Recalled};
    use alloc::vec::Vec;
    use contract::{Contract, Meter};
    use evidence::{Slot, UtcNs};
    use modbus::pdu::{Registers, Request, Response};
    use std::format;
    use std::string::ToString;

    const EVERY_S: u64 = 900;
    const RECORDS: u16 = 96;

    fn meter(order: &str) -> Meter {
        let text = format!(
            "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"q\"\nevery = \"15min\"\n\
             [[port]]\nid = \"a\"\nkind = \"modbus-rtu\"\ndevice = \"/dev/a\"\n\
             [[meter]]\nid = \"m1\"\nport = \"a\"\nunit = 1\nschedule = \"q\"\nclock_zone = \"+01:00\"\n\
             memory = \"input:1000\"\nmemory_records = {RECORDS}\nmemory_width = 4\nmemory_every = \"15min\"\n\
             memory_order = \"{order}\"\n\
             [[meter.point]]\nid = \"energy\"\nregister = \"holding:0\"\ntype = \"u32\"\nmemory_offset = 2\n\
             [[meter.point]]\nid = \"power\"\nregister = \"holding:2\"\ntype = \"u16\"\n"
        );
        let contract: Contract = contract::parse(&text).unwrap_or_else(|found| panic!("{found:?}"));
        contract.meters.into_values().next().unwrap()
    }

    fn missed(number: u64) -> MissedSlot {
        let due = i64::try_from(number * EVERY_S).unwrap() * 1_000_000_000;
        let slot = Slot { version: 1, number };
        MissedSlot {
            slot,
            due: UtcNs(due),
        }
    }

    /// The memory of a meter whose newest record is of a slot, and which has records of those for which `has` holds.
    fn answer(request: &Request, order: &str, newest: u64, has: impl Fn(u64) -> bool) -> Response {
        let (first, count) = (request.first() - 1_000, request.count());
        assert_eq!((first % 4, count % 4), (0, 0));
        assert!(first + count <= 4 * RECORDS);
        let mut words = Vec::new();
        for place in first / 4..(first + count) / 4 {
            let number = match order {
                "newest-first" => newest - u64::from(place),
                // Somewhere in the ring.
                _ => {
                    let newest_at = u16::try_from(newest % u64::from(RECORDS)).unwrap();
                    newest - u64::from((newest_at + RECORDS - place) % RECORDS)
                }
            };
            let time = if has(number) {
                number * EVERY_S + 3_600
            } else {
                0
            };
            for value in [time, number] {
                words
                    .extend([value >> 16, value & 0xFFFF].map(|word| u16::try_from(word).unwrap()));
            }
        }
        Response::ReadInputRegisters(Registers::from_values(&words).unwrap())
    }

    fn run(order: &str, newest: u64, slots: &[u64], has: impl Fn(u64) -> bool) -> Vec<Recalled> {
        let meter = meter(order);
        let mut recall = Recall::new(&meter).unwrap();
        recall.want(slots.iter().map(|slot| missed(*slot)).collect());
        let (mut found, mut requests) = (Vec::new(), 0);
        while let Some(request) = recall.request() {
            requests += 1;
            assert!(requests <= 4 * slots.len(), "it ends");
            found.extend(recall.answered(&meter, &answer(&request, order, newest, &has)));
        }
        assert!(!recall.wants());
        found
    }

    fn check(order: &str, slots: &[u64], has: impl Fn(u64) -> bool + Copy, due: &[bool]) {
        for newest in [2_000_000_000 / EVERY_S, 2_000_000_000 / EVERY_S + 41] {
            let slots: Vec<u64> = slots.iter().map(|back| newest - back).collect();
            let mut found = run(order, newest, &slots, |number| has(newest - number));
            found.sort_by_key(|one| one.slot.number);
            let mut both: Vec<_> = slots.iter().copied().zip(due).collect();
            both.sort();
            assert_eq!(found.len(), both.len());
            for (one, (slot, there)) in found.iter().zip(both) {
                assert_eq!(
                    (one.slot.number, one.record.is_some()),
                    (slot, *there),
                    "{order}"
                );
                let Some(record) = &one.record else { continue };
                assert_eq!(record.time_s, (slot * EVERY_S + 3_600).cast_signed());
                let [(0, energy)] = record.points.as_slice() else {
                    panic!("{record:?}");
                };
                assert_eq!(energy.value.unwrap().to_string(), slot.to_string());
            }
        }
    }

    //= U3
    #[test]
    fn missed_slots_are_found_wherever_the_records_are() {
        for order in ["newest-first", "ring"] {
            let all = |_| true;
            check(order, &[0], all, &[true]);
            check(order, &[95, 94, 93, 92], all, &[true; 4]);
            check(order, &[70, 40, 1], all, &[true; 3]);
            // The meter had no power, or a hole of its own; and what lies before the oldest is gone.
            check(order, &[50, 49], |back| back != 50, &[false, true]);
            check(order, &[50, 3], |back| back < 40, &[false, true]);
            check(order, &[200, 3], all, &[false, true]);
        }
    }

    //= U3
    #[test]
    fn neighbours_share_a_request() {
        let meter = meter("newest-first");
        let mut recall = Recall::new(&meter).unwrap();
        let newest = 2_000_000_000 / EVERY_S;
        recall.want((0..32).map(|back| missed(newest - 60 + back)).collect());
        let mut requests = 0;
        while let Some(request) = recall.request() {
            requests += 1;
            recall.answered(&meter, &answer(&request, "newest-first", newest, |_| true));
        }
        assert!(requests <= 3, "{requests}");
    }
}
