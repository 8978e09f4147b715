//! Honest logs: what a node would have written, and copies of it at several moments.

use crate::files::Files;
use crate::keys::Keys;
use crate::maker::{Group, Maker, Seal};
use crate::verifiers::Form;
use evidence::kinds::{EpochStart, Event, Firmware, Reading};
use evidence::reasons::{EpochCause, EventCode, TruthClass};
use evidence::{
    Blob, BootId, CommitId, Decimal, MeterId, MonoNs, Payload, PointId, Quality, Seq, SourceId,
};
use journal::Shape;
use trial::Random;
use trust_plane::{CounterSeen, FirmwareMemory, FirmwareRule, Installed};

/// What a log has gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// Every entry is in the ring.
    Whole,
    /// The oldest entries are cosigned and have left the ring.
    Wrapped,
    /// A frame was lost, and the log names it.
    Holed,
    /// Other keys followed the first ones, and the firmware became newer and older; every entry is in the ring.
    Rotated,
    /// The same, and others followed those again.
    RotatedTwice,
}

impl Past {
    pub(crate) const ALL: [Self; 5] = [
        Self::Whole,
        Self::Wrapped,
        Self::Holed,
        Self::Rotated,
        Self::RotatedTwice,
    ];

    /// How often the keys of such a log changed.
    const fn rotations(self) -> usize {
        match self {
            Self::Whole | Self::Wrapped | Self::Holed => 0,
            Self::Rotated => 1,
            Self::RotatedTwice => 2,
        }
    }

    /// Whether a standard tool finds every entry of such a log.
    pub(crate) const fn is_complete(self) -> bool {
        matches!(self, Self::Whole | Self::Rotated | Self::RotatedTwice)
    }
}

/// A log as its node wrote it.
pub(crate) struct Site {
    pub(crate) past: Past,
    pub(crate) maker: Maker,
    /// The same node some time ago, and the seals that it had then.
    pub(crate) earlier: Moment,
    pub(crate) node: Files,
    pub(crate) tiles: Files,
}

/// A whole copy of a node at some moment, with its truth store.
pub(crate) struct Moment {
    pub(crate) node: Files,
    pub(crate) tiles: Files,
    pub(crate) maker: Maker,
}

const METERS: u64 = 6;
/// Groups that a log has at least, and at most.
const GROUPS: (u64, u64) = (60, 150);
/// Entries of a group at most.
const GROUP_ENTRIES_MAX: u64 = 8;
/// Every so many groups a head is sealed.
const SEAL_EVERY: u64 = 7;
/// Versions of the firmware of the starts behind the last change of keys.
const STARTS: [u32; 6] = [7, 8, 7, 7, 8, 9];
/// Groups behind the moment to which a log can be rolled back.
const LATELY: u64 = 25;

impl Site {
    /// A log from the seed.
    pub(crate) fn draw(past: Past, seed: u64) -> Result<Self, String> {
        let mut random = Random::new(seed);
        let keys = Keys::draw(&mut random, "example.org/station-7")?;
        let block_bytes = if random.between(0, 2) == 0 {
            512
        } else {
            4_096
        };
        let shape = match past {
            Past::Wrapped => Shape {
                segment_bytes: 65_536,
                segments: 3,
                block_bytes: 512,
            },
            Past::Whole | Past::Holed | Past::Rotated | Past::RotatedTwice => Shape {
                segment_bytes: 131_072,
                segments: 8,
                block_bytes,
            },
        };
        let groups = match past {
            Past::Wrapped => 3 * GROUPS.1,
            Past::Whole | Past::Holed => random.between(GROUPS.0, GROUPS.1),
            // As many again for each of their keys.
            Past::Rotated | Past::RotatedTwice => GROUPS.0 / 2,
        };
        let mut maker = Maker::create(&keys, shape, random.number())?;
        begin(&mut maker)?;
        go_on(&mut maker, &mut random, groups)?;
        for _ in 0..past.rotations() {
            maker.rotate(&mut random)?;
            go_on(&mut maker, &mut random, groups)?;
        }
        if past.rotations() > 0 {
            let mut firmware = FirmwareMemory::default();
            for version in STARTS {
                start(&mut maker, &mut firmware, version)?;
                go_on(&mut maker, &mut random, SEAL_EVERY)?;
            }
        }
        if past == Past::Holed {
            lose(&mut maker, &mut random)?;
            go_on(&mut maker, &mut random, SEAL_EVERY)?;
            maker.seal()?;
        }
        let earlier = Moment {
            node: maker.node(&maker.keys)?,
            tiles: maker.tiles()?,
            maker: maker.cloned()?,
        };
        go_on(&mut maker, &mut random, LATELY)?;
        maker.seal()?;
        Ok(Self {
            past,
            earlier,
            node: maker.node(&maker.keys)?,
            tiles: maker.tiles()?,
            maker,
        })
    }

    /// The log as it is, in one of its forms.
    pub(crate) const fn files(&self, form: Form) -> &Files {
        match form {
            Form::Node => &self.node,
            Form::Tiles => &self.tiles,
        }
    }

    /// The newest signed head: what somebody who looks often has kept.
    pub(crate) fn newest(&self) -> Result<&Seal, String> {
        let newest = self.maker.seals.last();
        newest.ok_or_else(|| "a log without a seal".to_owned())
    }
}

/// The first entries of every log: the run begins, and the contract is put in force.
fn begin(maker: &mut Maker) -> Result<(), String> {
    let collector = maker.keys.collector()?;
    let text = include_str!("../../../core/contract/example/station.toml");
    let key = text
        .lines()
        .find_map(|line| line.strip_prefix("collector_key = "))
        .ok_or("the example names no collector")?;
    // What leaves the ring of these logs is gone: nobody keeps it.
    let text = ["keep_soe", "keep_audit"].iter().fold(
        text.replace(key, &format!("\"{collector}\"")),
        |text, ring| text.replace(&format!("{ring} = \"2MiB\""), &format!("{ring} = \"0\"")),
    );
    let contract = contract::parse(&text).map_err(|errors| format!("{errors:?}"))?;
    let epoch = EpochStart::new(
        MonoNs(0),
        EpochCause::FirstStart,
        BootId([1; 16]),
        TruthClass::SameDeviceSync,
    );
    let parts = contract.parts(MonoNs(0)).into_iter();
    maker.contract = parts.map(Payload::from).collect();
    let mut payloads: Vec<Payload> = vec![epoch.into()];
    payloads.extend(maker.contract.clone());
    let group = maker.stamped(payloads);
    maker.commit(group)
}

/// The node is started on firmware of this version: blocked where it is older.
fn start(maker: &mut Maker, firmware: &mut FirmwareMemory, version: u32) -> Result<(), String> {
    let rule = FirmwareRule {
        block: true,
        allow_down_to: None,
    };
    let installed = Installed::Version(version);
    let outcome = firmware
        .judge(installed, rule, false, &CounterSeen::Incapable)
        .outcome;
    let (attempts, blocks) = firmware.counts();
    let told = Firmware {
        installed: Some(version.into()),
        highest: firmware.highest().max(Some(version)).map(u64::from),
        attempts: attempts + u64::from(outcome.is_attempt()),
        blocks: blocks + u64::from(outcome.is_block()),
        ..Firmware::new(MonoNs(maker.size()), outcome)
    };
    firmware.observe(&told);
    maker.note_firmware(&told);
    let group = maker.stamped(vec![told.into()]);
    maker.commit(group)
}

/// So many groups of readings and events, sealed and cosigned on the way.
pub(crate) fn go_on(maker: &mut Maker, random: &mut Random, groups: u64) -> Result<(), String> {
    for number in 1..=groups {
        let group = readings(maker, random)?;
        maker.commit(group)?;
        if number % SEAL_EVERY == 0 {
            maker.seal()?;
            maker.ack()?;
        }
    }
    Ok(())
}

/// One group of readings and events.
pub(crate) fn readings(maker: &Maker, random: &mut Random) -> Result<Group, String> {
    let source = SourceId::new("rs485-1").map_err(|error| error.to_string())?;
    let mut payloads = Vec::new();
    for _ in 0..random.between(1, GROUP_ENTRIES_MAX + 1) {
        let meter = format!("m{:02}", random.between(1, METERS + 1));
        let meter_id = MeterId::new(&meter).map_err(|error| error.to_string())?;
        let number = random.number();
        if random.between(0, 8) == 0 {
            let event = Event {
                meter_id: Some(meter_id),
                count: Some(number % 9 + 1),
                sample: Some(Blob(number.to_be_bytes().to_vec())),
                ..Event::new(MonoNs(number >> 16), EventCode::LineNoise, source.clone())
            };
            payloads.push(event.into());
            continue;
        }
        payloads.push(reading(meter_id, source.clone(), number)?);
    }
    Ok(maker.stamped(payloads))
}

/// A reading whose numbers follow from one.
pub(crate) fn reading(meter_id: MeterId, source: SourceId, number: u64) -> Result<Payload, String> {
    let raw = u32::try_from(number % 100_000_000).unwrap_or(0);
    let value = Decimal::new(i128::from(raw), -2).map_err(|error| error.to_string())?;
    let reading = Reading {
        at: MonoNs(number >> 16),
        meter_id,
        point_id: PointId::new("energy").map_err(|error| error.to_string())?,
        source,
        seq: Seq(number >> 24),
        slot: None,
        attempt: 0,
        raw: Blob(raw.to_be_bytes().to_vec()),
        value: Some(value),
        quality: Quality::GOOD,
        contract: CommitId(1),
    };
    Ok(reading.into())
}

/// A frame in the middle is lost, and the log says so.
fn lose(maker: &mut Maker, random: &mut Random) -> Result<(), String> {
    let frames = maker.frames_in_ring();
    let middle = frames.get(frames.len() / 4..frames.len() * 3 / 4);
    let frame = random
        .one_of(middle.unwrap_or_default())
        .copied()
        .ok_or("a log without frames")?;
    maker.wipe(&frame);
    match maker.name_losses()? {
        0 => Err("a frame was wiped and nothing is lost".to_owned()),
        _ => Ok(()),
    }
}
