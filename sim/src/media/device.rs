//! The device: numbered commands, a volatile cache, and the faults that were asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use evidence::reasons::TruthClass;
use journal::{MediumFault, Shape};

use super::{
    Command, DeviceKeep, DeviceTruth, DeviceVolume, Fault, Logged, Map, Platter, SECTOR_BYTES,
    Target, Torn,
};

/// A device that holds ring and truth store: handles share it.
#[derive(Clone, Debug)]
pub struct Device {
    pub(super) map: Map,
    pub(super) class: TruthClass,
    state: Arc<Mutex<State>>,
}

/// A write that no flush has covered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Unflushed {
    command: Command,
    /// Counts as written, although it is not: no flush writes it.
    forgotten: bool,
}

#[derive(Debug)]
struct State {
    platter: Platter,
    cache: Vec<Unflushed>,
    log: Vec<Logged>,
    faults: BTreeMap<usize, Fault>,
    /// Sectors that cannot be read until they are written.
    unreadable: Vec<usize>,
    /// Sectors that cannot be read, whatever is done.
    worn_out: Vec<usize>,
    /// By where a segment begins, how many bytes of it are there, where that is not all.
    cuts: BTreeMap<usize, usize>,
    /// Reads of the first sector give these bytes.
    answers: BTreeMap<usize, Vec<u8>>,
    dead: bool,
}

impl Device {
    /// A blank device.
    #[must_use]
    pub fn new(shape: Shape, class: TruthClass) -> Self {
        let bytes = Map::new(shape).bytes();
        Self::holding(shape, class, vec![0; bytes])
    }

    /// A device that holds these bytes.
    #[must_use]
    pub fn holding(shape: Shape, class: TruthClass, bytes: Vec<u8>) -> Self {
        Self::mapped(Map::new(shape), class, bytes)
    }

    /// A device of these places that holds these bytes.
    #[must_use]
    pub fn mapped(map: Map, class: TruthClass, bytes: Vec<u8>) -> Self {
        Self {
            map,
            class,
            state: Arc::new(Mutex::new(State {
                platter: Platter::new(bytes),
                cache: Vec::new(),
                log: Vec::new(),
                faults: BTreeMap::new(),
                unreadable: Vec::new(),
                worn_out: Vec::new(),
                cuts: BTreeMap::new(),
                answers: BTreeMap::new(),
                dead: false,
            })),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its places.
    #[must_use]
    pub const fn map(&self) -> Map {
        self.map
    }

    /// Its ring.
    #[must_use]
    pub fn volume(&self) -> DeviceVolume {
        DeviceVolume(self.clone())
    }

    /// Its truth store.
    #[must_use]
    pub fn truth(&self) -> DeviceTruth {
        DeviceTruth(self.clone())
    }

    /// Its keep-ring.
    #[must_use]
    pub fn keep(&self) -> DeviceKeep {
        DeviceKeep(self.clone())
    }

    /// Looks at or changes the platter behind everybody's back.
    pub fn platter<R>(&self, look: impl FnOnce(&mut Platter) -> R) -> R {
        look(&mut self.state().platter)
    }

    /// The commands so far.
    #[must_use]
    pub fn commands(&self) -> usize {
        self.state().log.len()
    }

    /// What the commands from the n-th on write to, and where they begin.
    #[must_use]
    pub fn targets(&self, from: usize) -> Vec<(Target, usize)> {
        let state = self.state();
        let commands = state.log.iter().skip(from);
        let commands = commands.map(|logged| &logged.command);
        commands
            .filter_map(|command| Some((command.target, *command.places.first()?)))
            .collect()
    }

    /// Takes the commands so far out of the log.
    #[must_use]
    pub fn take_commands(&self) -> Vec<Logged> {
        std::mem::take(&mut self.state().log)
    }

    /// The commands that no flush has covered.
    #[must_use]
    pub fn unflushed(&self) -> Vec<Command> {
        let state = self.state();
        let cache = state.cache.iter();
        cache.map(|unflushed| unflushed.command.clone()).collect()
    }

    /// Puts the cache into this state.
    pub fn set_unflushed(&self, commands: Vec<Command>) {
        let unflushed = |command| Unflushed {
            command,
            forgotten: false,
        };
        self.state().cache = commands.into_iter().map(unflushed).collect();
    }

    /// Lets something happen at the n-th command from now on (0 is the next).
    pub fn at_command(&self, n: usize, fault: Fault) {
        let mut state = self.state();
        let index = state.log.len() + n;
        state.faults.insert(index, fault);
    }

    /// Nothing of what was to happen happens.
    pub fn forget_faults(&self) {
        self.state().faults.clear();
    }

    /// Whether power is off.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// Power fails now: of the cache those sectors persist that `keeps` names, in whatever order
    /// they were written.
    pub fn cut_power(&self, mut keeps: impl FnMut(usize) -> bool) {
        let mut state = self.state();
        let cache = std::mem::take(&mut state.cache);
        for unflushed in cache.iter().filter(|unflushed| !unflushed.forgotten) {
            for (at, bytes) in unflushed.command.sectors(SECTOR_BYTES) {
                if keeps(at) {
                    state.platter.write(at, bytes);
                }
            }
        }
        state.dead = true;
    }

    /// Power comes back; faults that did not happen are forgotten, and the cache is empty.
    pub fn power_on(&self) {
        let mut state = self.state();
        state.dead = false;
        state.cache.clear();
        state.faults.clear();
    }

    /// Reads of the sector at this place fail until it is written.
    pub fn spoil(&self, at: usize) {
        self.state().unreadable.push(at - at % SECTOR_BYTES);
    }

    /// Reads of the sector at this place fail from now on, also when it has been written.
    pub fn wear_out(&self, at: usize) {
        self.state().worn_out.push(at - at % SECTOR_BYTES);
    }

    /// A segment ends here; with no byte left it is missing.
    pub fn cut(&self, target: Target, bytes: usize) {
        let place = self.map.place(target);
        let mut state = self.state();
        if bytes < place.len() {
            state.cuts.insert(place.start, bytes);
        } else {
            state.cuts.remove(&place.start);
        }
    }

    /// Bytes of a segment that are there.
    #[must_use]
    pub fn bytes_there(&self, target: Target) -> usize {
        let place = self.map.place(target);
        let cut = self.state().cuts.get(&place.start).copied();
        cut.unwrap_or(place.len())
    }

    /// Every sector can be read and every segment is there to its end; nothing is cached, and no
    /// command was ever given.
    pub fn heal(&self) {
        let mut state = self.state();
        state.unreadable.clear();
        state.worn_out.clear();
        state.cuts.clear();
        state.cache.clear();
        state.log.clear();
    }

    /// All bytes as readers see them.
    pub(super) fn seen(&self) -> Vec<u8> {
        let state = self.state();
        let mut bytes = state.platter.bytes().to_vec();
        for unflushed in &state.cache {
            for (at, sector) in unflushed.command.sectors(SECTOR_BYTES) {
                if let Some(room) = bytes.get_mut(at..at + sector.len()) {
                    room.copy_from_slice(sector);
                }
            }
        }
        bytes
    }

    /// These bits of the byte at this place turn over.
    pub fn rot(&self, at: usize, bits: u8) {
        self.platter(|platter| {
            let byte = platter.get(at, 1).and_then(|bytes| bytes.first().copied());
            byte.map(|byte| platter.write(at, &[byte ^ bits]))
        });
    }

    /// Reads of the sector at this place give what the one at `from` holds now: a misdirected read,
    /// or with the same place a stale one.
    pub fn answer(&self, at: usize, from: usize) {
        let mut state = self.state();
        let bytes = state
            .platter
            .get(from - from % SECTOR_BYTES, SECTOR_BYTES)
            .map(<[u8]>::to_vec);
        if let Some(bytes) = bytes {
            state.answers.insert(at - at % SECTOR_BYTES, bytes);
        }
    }

    pub(super) fn submit(&self, command: Command) -> Result<(), MediumFault> {
        let mut state = self.state();
        if state.dead {
            return Err(MediumFault::Io);
        }
        let index = state.log.len();
        let fault = state.faults.remove(&index);
        state.log.push(Logged {
            command: command.clone(),
            fault,
        });
        let begin = self.map.place(command.target).start;
        if let Some(bytes) = state.cuts.get(&begin)
            && command
                .places
                .iter()
                .any(|place| place + command.bytes.len() > begin + bytes)
        {
            return Err(MediumFault::Io);
        }
        match fault {
            None => state.perform(command),
            Some(fault) => state.fail(fault, command),
        }
    }

    pub(super) fn read(&self, at: usize, into: &mut [u8]) -> Result<(), MediumFault> {
        self.state().read(at, into)
    }
}

impl State {
    /// Does what was asked.
    fn perform(&mut self, command: Command) -> Result<(), MediumFault> {
        if command.durable {
            self.unreadable
                .retain(|bad| !command.sectors(SECTOR_BYTES).any(|(at, _)| at == *bad));
            self.cache
                .retain(|unflushed| !command.covers(&unflushed.command));
            self.persist(&command, Torn::Everything)
        } else {
            self.keep_in_cache(&command, false);
            Ok(())
        }
    }

    fn keep_in_cache(&mut self, command: &Command, forgotten: bool) {
        let unflushed = |command| Unflushed { command, forgotten };
        self.cache.extend(command.apart().map(unflushed));
    }

    fn persist(&mut self, command: &Command, torn: Torn) -> Result<(), MediumFault> {
        for (index, (at, bytes)) in command.sectors(SECTOR_BYTES).enumerate() {
            if torn.persists(index) && !self.platter.write(at, bytes) {
                return Err(MediumFault::OutOfRange);
            }
        }
        Ok(())
    }

    fn fail(&mut self, fault: Fault, mut command: Command) -> Result<(), MediumFault> {
        match fault {
            Fault::PowerCut(torn) => {
                self.dead = true;
                self.persist(&command, torn)?;
                Err(MediumFault::Io)
            }
            Fault::Refused(torn) => {
                self.persist(&command, torn)?;
                Err(MediumFault::Io)
            }
            Fault::FlushFailed => {
                self.keep_in_cache(&command, true);
                Err(MediumFault::Io)
            }
            Fault::PowerCutAtByte(bytes) => {
                self.dead = true;
                let mut left = bytes;
                for place in std::mem::take(&mut command.places) {
                    let here = left.min(command.bytes.len());
                    let torn = command.bytes.get(..here).unwrap_or_default();
                    self.platter.write(place, torn);
                    left -= here;
                }
                Err(MediumFault::Io)
            }
            Fault::Full => Err(MediumFault::Full),
            Fault::Short(bytes) => {
                command.bytes = command.bytes.iter().copied().take(bytes).collect();
                self.persist(&command, Torn::Everything)?;
                Err(MediumFault::Io)
            }
            Fault::Lost => Ok(()),
            Fault::LyingFlush => {
                self.keep_in_cache(&command, true);
                Ok(())
            }
            Fault::Misdirected(behind) => {
                command.places.iter_mut().for_each(|at| *at += behind);
                self.persist(&command, Torn::Everything)
            }
            Fault::PairedPage(at) => {
                self.dead = true;
                self.platter
                    .write(at - at % SECTOR_BYTES, &[0xA5; SECTOR_BYTES]);
                Err(MediumFault::Io)
            }
        }
    }

    fn read(&self, at: usize, into: &mut [u8]) -> Result<(), MediumFault> {
        let end = at.saturating_add(into.len());
        let touches = |from: usize, len: usize| from < end && at < from + len;
        if self.dead
            || self
                .unreadable
                .iter()
                .chain(&self.worn_out)
                .any(|bad| touches(*bad, SECTOR_BYTES))
        {
            return Err(MediumFault::Io);
        }
        let bytes = self.platter.get(at, into.len());
        into.copy_from_slice(bytes.ok_or(MediumFault::OutOfRange)?);
        let cached = self.cache.iter().flat_map(|unflushed| {
            let command = &unflushed.command;
            command.places.iter().map(|from| (*from, &*command.bytes))
        });
        let answers = self.answers.iter().map(|(from, bytes)| (*from, &**bytes));
        for (from, bytes) in cached.chain(answers) {
            if touches(from, bytes.len()) {
                let (skip_into, skip_bytes) = (from.saturating_sub(at), at.saturating_sub(from));
                let room = into.iter_mut().skip(skip_into);
                room.zip(bytes.iter().skip(skip_bytes))
                    .for_each(|(to, from)| *to = *from);
            }
        }
        Ok(())
    }
}

impl Target {
    /// The number that an error names.
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::Segment(n) | Self::TruthSlot(n) | Self::Table(n) | Self::Keep(n) => n,
        }
    }
}
