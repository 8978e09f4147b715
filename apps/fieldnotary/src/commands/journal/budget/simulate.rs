//! A stretch of a node's life, played through: when groups are committed, and what they write.
//!
//! The recorder takes what waits, waits `group_wait` for more, commits and answers; a port hands in its
//! next submission only when the one before was answered. So groups, and with them padding and flushes,
//! follow from the timing, and the timing is played here in microseconds.

use super::entries::{self, Sizes};
use super::seldom::seldom;
use super::traffic::{self, PortTraffic};
use super::writes::{Counts, Writes};
use crate::roles::recorder::{COUNTERS_EVERY_NS, IDLE_SEAL_FACTOR, LEASE_BLOCK};
use contract::Contract;

/// Sessions that are played at most: fewer days where there are more.
const SESSIONS_MAX: u64 = 400_000;
const DAY_MS: u64 = 86_400_000;
/// A stretch is never shorter, so that seals and counters have their share.
const HORIZON_MS_MIN: u64 = 600_000;
const US_A_MS: u64 = 1_000;
/// How long a commit takes: two flushes of a common eMMC.
const COMMIT_US: u64 = 8_000;
/// How long the signer takes, and how long a collector.
const SIGN_US: u64 = 20_000;
const COSIGN_US: u64 = 300_000;

/// What the player is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) page_bytes: u64,
    pub(super) reply_ms: u64,
}

/// What a stretch came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Played {
    pub(super) counts: Counts,
    pub(super) span_ms: u64,
    pub(super) sessions: u64,
    pub(super) readings_a_day: u64,
    pub(super) overruns: u64,
}

impl Played {
    /// A count of the stretch as it is in a day.
    pub(super) fn a_day(&self, count: u64) -> u64 {
        let scaled = u128::from(count) * u128::from(DAY_MS) / u128::from(self.span_ms.max(1));
        u64::try_from(scaled).unwrap_or(u64::MAX)
    }
}

/// One that hands in: a port, of which one submission waits at a time.
struct Source {
    traffic: PortTraffic,
    next: usize,
    answered_us: u64,
}

impl Source {
    fn ready(&self) -> Option<u64> {
        let (at, _) = self.traffic.submissions.get(self.next)?;
        Some((*at).max(self.answered_us))
    }
}

/// Entries of the recorder's own that are on their way.
#[derive(Default)]
struct Own {
    /// When a checkpoint or a cosignature comes, and its bytes.
    coming: Vec<(u64, usize)>,
    sealed_us: u64,
    unsealed: u64,
    counters_us: u64,
}

/// Plays a configuration.
pub(super) fn play(contract: &Contract, asked: Asked) -> Result<Played, String> {
    let sizes = entries::sizes(contract)?;
    let sessions_a_day = sessions_a_day(contract);
    let horizon_ms = match sessions_a_day > SESSIONS_MAX {
        true => (DAY_MS * SESSIONS_MAX / sessions_a_day).max(HORIZON_MS_MIN),
        false => DAY_MS,
    };
    let sources = contract.ports.values().map(|port| Source {
        traffic: traffic::of_port(contract, port, &sizes, asked.reply_ms, horizon_ms),
        next: 0,
        answered_us: 0,
    });
    let cards = contract.points.cards.values().map(|card| Source {
        traffic: traffic::of_card(contract, card, &sizes, horizon_ms),
        next: 0,
        answered_us: 0,
    });
    let rare = Source {
        traffic: traffic::of_seldom(&seldom(contract), horizon_ms),
        next: 0,
        answered_us: 0,
    };
    let mut sources: Vec<Source> = sources.chain(cards).chain([rare]).collect();
    let mut writes = Writes::new(contract, asked.page_bytes);
    let mut own = Own::default();
    let end_us = horizon_ms * US_A_MS;
    let mut now = 0;
    while let Some(at) = next_event(contract, &sources, &own, now).filter(|at| *at < end_us) {
        now = turn(
            contract,
            &sizes,
            at.max(now),
            &mut sources,
            &mut own,
            &mut writes,
        );
    }
    let sum = |of: fn(&PortTraffic) -> u64| sources.iter().map(|one| of(&one.traffic)).sum();
    let sessions: u64 = sum(|traffic| traffic.sessions);
    for _ in 0..sum(|traffic| traffic.numbers) / LEASE_BLOCK {
        writes.lease();
    }
    let points = |id| {
        contract
            .meters
            .get(id)
            .map_or(0, |meter| meter.points.len() as u64)
    };
    let readings = contract.meters.values().map(|meter| {
        let every = contract
            .schedules
            .get(&meter.schedule)
            .map_or(DAY_MS, |one| one.every_ms);
        points(&meter.id) * DAY_MS / every.max(1)
    });
    Ok(Played {
        counts: writes.counts,
        span_ms: horizon_ms,
        sessions,
        readings_a_day: readings.sum::<u64>() + points_a_day(contract),
        overruns: sum(|traffic| traffic.overruns),
    })
}

fn sessions_a_day(contract: &Contract) -> u64 {
    let of = |meter: &contract::Meter| {
        let every = contract
            .schedules
            .get(&meter.schedule)
            .map_or(DAY_MS, |one| one.every_ms);
        DAY_MS / every.max(1)
    };
    let sessions: u64 = contract.meters.values().map(of).sum();
    sessions + points_a_day(contract)
}

/// Counts and values of the station's own points that are due in a day.
fn points_a_day(contract: &Contract) -> u64 {
    let slots = contract.points.schedules().map(|id| {
        let schedule = contract.schedules.get(id);
        DAY_MS / schedule.map_or(DAY_MS, |one| one.every_ms).max(1)
    });
    slots.sum()
}

/// When the next seal is due: sparser where nothing but seals was committed since the last.
fn seal_at(contract: &Contract, own: &Own) -> u64 {
    let every_us = contract.seal.every_ms * US_A_MS;
    match own.unsealed {
        0 => own.sealed_us + every_us * IDLE_SEAL_FACTOR,
        all if all >= contract.seal.entries_max => 0,
        _ => own.sealed_us + every_us,
    }
}

/// When something is next to be done.
fn next_event(contract: &Contract, sources: &[Source], own: &Own, now: u64) -> Option<u64> {
    let ready = sources.iter().filter_map(Source::ready);
    let coming = own.coming.iter().map(|(at, _)| *at);
    let counters = own.counters_us + COUNTERS_EVERY_NS / 1_000;
    let seal = seal_at(contract, own);
    ready
        .chain(coming)
        .chain([counters, seal])
        .min()
        .map(|at| at.max(now))
}

/// One turn of the recorder's loop from `at` on; gives when it is over.
fn turn(
    contract: &Contract,
    sizes: &Sizes,
    at: u64,
    sources: &mut [Source],
    own: &mut Own,
    writes: &mut Writes<'_>,
) -> u64 {
    let until = at + contract.storage.group_wait_ms * US_A_MS;
    let mut group: Vec<usize> = Vec::new();
    let mut seals = 0;
    let mut taken = Vec::new();
    for (index, source) in sources.iter_mut().enumerate() {
        if source.ready().is_some_and(|ready| ready <= until) {
            if let Some((_, lengths)) = source.traffic.submissions.get(source.next) {
                group.extend(lengths.iter());
            }
            source.next += 1;
            taken.push(index);
        }
    }
    own.coming.retain(|(ready, bytes)| {
        let comes = *ready <= until;
        if comes {
            group.push(*bytes);
            seals += 1;
        }
        !comes
    });
    let mut now = at;
    if !group.is_empty() {
        own.unsealed += group.len() as u64 - seals;
        writes.group(&group, &sizes.frozen);
        now = until + COMMIT_US;
    }
    for index in taken {
        if let Some(source) = sources.get_mut(index) {
            source.answered_us = now;
        }
    }
    if now >= own.counters_us + COUNTERS_EVERY_NS / 1_000 {
        own.counters_us = now;
        own.unsealed += 1;
        writes.group(&[sizes.counters], &sizes.frozen);
        now += COMMIT_US;
    }
    if now >= seal_at(contract, own) {
        own.sealed_us = now;
        own.unsealed = 0;
        own.coming.push((now + SIGN_US, sizes.checkpoint));
        own.coming
            .extend(sizes.ack.map(|bytes| (now + SIGN_US + COSIGN_US, bytes)));
    }
    now
}

#[cfg(test)]
mod tests {
    use super::{Asked, Played, play};
    use contract::Contract;

    const ASKED: Asked = Asked {
        page_bytes: 16_384,
        reply_ms: 20,
    };

    fn example(change: impl FnOnce(&mut Contract)) -> Played {
        let mut contract = contract::parse(contract::EXAMPLE).unwrap();
        change(&mut contract);
        play(&contract, ASKED).unwrap()
    }

    //= A5.7
    #[test]
    fn a_day_of_the_example_is_what_its_schedules_say() {
        let played = example(|_| {});
        let counts = &played.counts;
        assert_eq!((played.span_ms, played.overruns), (86_400_000, 0));
        // Four meters every 15 minutes, one every minute.
        assert_eq!(played.sessions, 4 * 96 + 1_440);
        assert_eq!(
            counts.truth_flushes,
            counts.truth_writes + counts.lease_writes
        );
        assert_eq!(counts.volume_flushes, counts.commits + counts.segments);
        assert!(counts.volume_page_bytes >= counts.volume_bytes);
        // Without a collector there are no cosignatures: one entry and one commit less a minute.
        let alone = example(|contract| contract.uplink = None);
        let fewer = counts.entries - alone.counts.entries;
        assert!((1_430..=1_450).contains(&fewer), "{fewer}");
    }

    /// A timestamp comes by its own pace, and what a start says once: with them go commits and seals.
    //= A5.7
    #[test]
    fn timestamps_and_what_a_start_says_have_their_share() {
        let base = "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"minute\"\nevery = \"1min\"\n";
        let stamped = "[timestamp]\nurl = \"http://tsa.example\"\ntrust_file = \"/tsa.pem\"\nevery = \"1h\"\n";
        let of = |text: &str| play(&contract::parse(text).unwrap(), ASKED).unwrap();
        let (without, with) = (of(base), of(&format!("{base}{stamped}")));
        let more = with.counts.entries - without.counts.entries;
        assert!((24..24 + 48).contains(&more), "{more}");
        // Each has a token of some KiB.
        let bytes = with.counts.entry_bytes - without.counts.entry_bytes;
        assert!(bytes > 24 * 4_096, "{bytes}");
    }

    /// A card's counts and values are entries like readings, and so is what it says of itself.
    //= A5.7
    #[test]
    fn the_points_of_a_card_have_their_share() {
        let base = "[station]\norigin = \"example.org/s\"\n[[schedule]]\nid = \"minute\"\nevery = \"1min\"\n";
        let card = "[[card]]\nid = \"dio\"\nkind = \"recording\"\npath = \"/dev/null\"\n\
            [[debounce]]\nid = \"p\"\nwindow = \"1ms\"\n\
            [[pulse]]\nid = \"water\"\ncard = \"dio\"\nline = 1\ndebounce = \"p\"\nschedule = \"minute\"\n\
            [[ai]]\nid = \"temp\"\ncard = \"dio\"\nchannel = \"temp1_input\"\nschedule = \"minute\"\n";
        let of = |text: &str| play(&contract::parse(text).unwrap(), ASKED).unwrap();
        let (without, with) = (of(base), of(&format!("{base}{card}")));
        let more = with.counts.entries - without.counts.entries;
        // Two records and a heartbeat a minute, and counters each hour; a seal for each, which are fewer when idle.
        let due = 3 * 1_440 + 24;
        assert!((due..due + 1_500).contains(&more), "{more}");
        assert_eq!((with.sessions, with.readings_a_day), (0, 2 * 1_440));
        let blocks = 2 * 1_440 / super::LEASE_BLOCK;
        let leases = with.counts.lease_writes - without.counts.lease_writes;
        assert!(leases >= blocks, "{leases}");
    }

    //= A5.7
    #[test]
    fn what_costs_less_is_told_to_cost_less() {
        use evidence::reasons::TruthClass;
        let usual = example(|_| {}).counts;
        let deferred = example(|contract| contract.storage.truth = TruthClass::SameDeviceDeferred);
        let deferred = deferred.counts;
        assert_eq!(deferred.truth_bytes, usual.truth_bytes);
        assert!(
            deferred.truth_flushes * 60 < usual.truth_flushes,
            "{deferred:?}"
        );
        let seldom = example(|contract| contract.seal.every_ms = 600_000).counts;
        assert!(seldom.commits + 2_500 < usual.commits, "{seldom:?}");
        let small = example(|contract| contract.storage.block_bytes = 512).counts;
        assert!(small.frame_bytes * 2 < usual.frame_bytes, "{small:?}");
    }

    //= A5.7
    #[test]
    fn slots_for_which_a_port_has_no_time_are_told() {
        let slow = Asked {
            reply_ms: 70_000,
            ..ASKED
        };
        let contract = contract::parse(contract::EXAMPLE).unwrap();
        assert!(play(&contract, slow).unwrap().overruns > 150);
    }
}
