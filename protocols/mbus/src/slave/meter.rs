//! One slave: its addresses, its telegrams, its frame count bits.

use super::states::{Answer, Heard, State, next};
use crate::application::{Application, Content, Manufacturer, SecondaryAddress};
use crate::limits::{ADDRESS_ALL, ADDRESS_ANY, ADDRESS_SELECTED, PRIMARY_MAX};
use crate::link::{self, ACK, Control, Frame, PAYLOAD_AT};
use crate::master::timing::REPLY_BITS_MIN;
use crate::master::{Pattern, Speaker};
use crate::record::{Function, Raw, records};
use alloc::vec::Vec;

const SND_NKE: u8 = 0x0;
const SND_UD: u8 = 0x3;
const REQ_UD2: u8 = 0xB;
/// VIF of a primary address, and of a fabrication number.
const VIF_PRIMARY: u8 = 0x7A;
const VIF_FABRICATION: u8 = 0x78;
/// Where the access number of a long header stands in its frame.
const ACCESS_NUMBER_AT: usize = PAYLOAD_AT + 9;

/// What a slave answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// From the end of the request to the first bit, in bit times.
    pub after_bits: u64,
}

/// A simulated slave.
#[derive(Clone, Debug)]
pub struct Slave {
    /// Its primary address.
    pub primary: u8,
    /// What it calls itself.
    pub secondary: SecondaryAddress,
    /// Its fabrication number, if it knows enhanced selection.
    pub fabrication: Option<[u8; 4]>,
    /// The speed it hears and speaks, in bits a second.
    pub baud: u32,
    /// How long it takes to answer, in bit times.
    pub after_bits: u64,
    /// It takes a toggled FCB; else it sends its first telegram again and again.
    pub toggles: bool,
    /// It changes its speed when told; else it acknowledges and stays.
    pub turns: bool,
    /// The access number of its next telegram; `None` leaves the telegrams as they were given.
    pub access_number: Option<u8>,
    telegrams: Vec<Vec<u8>>,
    state: State,
    /// The FCB it had last, at its own address and behind 253.
    last: [Option<bool>; 2],
    /// The telegram sent last, with its place.
    sent: Option<(usize, Vec<u8>)>,
}

impl Slave {
    /// A slave that serves these frames one behind the other, with the addresses of the first; `None` where
    /// there is none, or the first is no telegram of a meter. What a header does not tell is 0.
    #[must_use]
    pub fn new(telegrams: Vec<Vec<u8>>, baud: u32) -> Option<Self> {
        let speaker = Speaker::of(telegrams.first()?)?;
        Some(Self {
            primary: speaker.primary,
            secondary: SecondaryAddress {
                id: speaker.id.unwrap_or_default(),
                manufacturer: speaker.manufacturer.unwrap_or(Manufacturer(0)),
                version: speaker.version.unwrap_or_default(),
                medium: speaker.medium.unwrap_or_default(),
            },
            fabrication: None,
            baud,
            after_bits: REPLY_BITS_MIN,
            toggles: true,
            turns: true,
            access_number: None,
            telegrams,
            state: State::Deselected,
            last: [None; 2],
            sent: None,
        })
    }

    /// From now on it has these frames to say; the one it sent last it can still be asked for again.
    pub fn serve(&mut self, telegrams: Vec<Vec<u8>>) {
        self.telegrams = telegrams;
    }

    /// It forgets that it was selected and what it was asked last; what it counts survives.
    pub fn lose_power(&mut self) {
        self.state = State::Deselected;
        self.last = [None; 2];
        self.sent = None;
    }

    /// Whether it is selected.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Hears a frame at a speed, and answers. At another speed than its own it hears noise.
    pub fn receive(&mut self, bytes: &[u8], baud: u32) -> Option<Reply> {
        let frame = link::decode(bytes).ok()?;
        if baud != self.baud {
            return None;
        }
        let heard = self.what(&frame);
        let (answer, state) = next(self.state, heard);
        self.state = state;
        let place = match heard {
            Heard::RequestSelected | Heard::CommandSelected | Heard::Deselect => 1,
            _ => 0,
        };
        let bytes = match answer {
            Answer::Ignore => return None,
            Answer::Begin | Answer::BeginSilently => {
                self.begin(place);
                (answer == Answer::Begin).then(|| Vec::from([ACK]))
            }
            Answer::Selected => {
                self.begin(1);
                Some(Vec::from([ACK]))
            }
            Answer::Telegram => self.telegram(&frame, place),
            Answer::Obey | Answer::ObeySilently => {
                self.obey(&frame, place);
                (answer == Answer::Obey).then(|| Vec::from([ACK]))
            }
        }?;
        Some(Reply {
            bytes,
            after_bits: self.after_bits,
        })
    }

    fn begin(&mut self, place: usize) {
        if let Some(last) = self.last.get_mut(place) {
            *last = Some(false);
        }
        self.sent = None;
    }

    fn what(&self, frame: &Frame<'_>) -> Heard {
        let (control, address, payload) = match *frame {
            Frame::Ack => return Heard::Other,
            Frame::Short { control, address } => (control, address, None),
            Frame::Long {
                control,
                address,
                payload,
            } => (control, address, Some(payload)),
        };
        if control.direction() != link::Direction::ToMeter {
            return Heard::Other;
        }
        let own = address == self.primary || address == ADDRESS_ANY;
        match (control.function(), address, payload) {
            (SND_NKE, ADDRESS_SELECTED, None) => Heard::Deselect,
            (SND_NKE, ADDRESS_ALL, None) => Heard::InitialiseAll,
            (SND_NKE, _, None) if own => Heard::Initialise,
            (REQ_UD2, ADDRESS_SELECTED, None) => Heard::RequestSelected,
            (REQ_UD2, _, None) if own => Heard::Request,
            (SND_UD, ADDRESS_SELECTED, Some(payload)) => self.selection(payload),
            (SND_UD, ADDRESS_ALL, Some(_)) => Heard::CommandAll,
            (SND_UD, _, Some(_)) if own => Heard::Command,
            _ => Heard::Other,
        }
    }

    fn selection(&self, payload: &[u8]) -> Heard {
        let Ok((application, _)) = Application::decode(payload, PAYLOAD_AT) else {
            return Heard::Other;
        };
        let Content::Selection { address, data } = application.content else {
            return Heard::CommandSelected;
        };
        let pattern = Pattern::exact(&address);
        let mut means = pattern.means(&self.secondary);
        if let [_, VIF_FABRICATION, d, c, b, a] = *data {
            let number = Pattern {
                id: [a, b, c, d],
                ..Pattern::ANY
            };
            let fabrication = self.fabrication.map(|id| SecondaryAddress {
                id,
                ..self.secondary
            });
            means = means && fabrication.is_some_and(|own| number.means(&own));
        }
        match means {
            true => Heard::SelectThis,
            false => Heard::SelectOther,
        }
    }

    /// The same FCB again asks for the same telegram again.
    fn is_repeat(&mut self, control: Control, place: usize) -> bool {
        let fcb = match control.fcv() {
            Some(true) => control.fcb(),
            _ => None,
        };
        let Some(last) = self.last.get_mut(place) else {
            return false;
        };
        let same = fcb.is_some() && *last == fcb;
        *last = fcb.or(*last);
        same
    }

    fn telegram(&mut self, frame: &Frame<'_>, place: usize) -> Option<Vec<u8>> {
        let Frame::Short { control, .. } = *frame else {
            return None;
        };
        let repeat = self.is_repeat(control, place);
        let at = match &self.sent {
            Some((_, sent)) if repeat => return Some(sent.clone()),
            Some((at, _)) if self.toggles && at + 1 < self.telegrams.len() => at + 1,
            _ => 0,
        };
        let mut bytes = self.telegrams.get(at)?.clone();
        if let (Some(number), Some(place)) = (self.access_number, bytes.get_mut(ACCESS_NUMBER_AT)) {
            *place = number;
            self.access_number = Some(number.wrapping_add(1));
        }
        let bytes = self.with_own_address(&bytes);
        self.sent = Some((at, bytes.clone()));
        Some(bytes)
    }

    /// With its own address, and the checksum that fits; what is no long frame stays as it was given.
    fn with_own_address(&self, bytes: &[u8]) -> Vec<u8> {
        let (
            Some(Frame::Long {
                control, payload, ..
            }),
            _,
        ) = link::look(bytes)
        else {
            return bytes.to_vec();
        };
        let own = Frame::Long {
            control,
            address: self.primary,
            payload,
        };
        link::encode(&own).unwrap_or_else(|| bytes.to_vec())
    }

    fn obey(&mut self, frame: &Frame<'_>, place: usize) {
        let Frame::Long {
            control, payload, ..
        } = *frame
        else {
            return;
        };
        if self.is_repeat(control, place) {
            return;
        }
        let Ok((application, _)) = Application::decode(payload, PAYLOAD_AT) else {
            return;
        };
        match application.content {
            Content::Reset(_) => self.sent = None,
            Content::Speed(baud) if self.turns => self.baud = baud,
            Content::Records { data, .. } => self.take(data, &application, control),
            _ => {}
        }
    }

    /// A primary address among the records.
    fn take(&mut self, data: &[u8], application: &Application<'_>, control: Control) {
        let (records, _) = records(
            data,
            application.records_at,
            application.order,
            control.direction(),
        );
        for record in records {
            let addresses = record.function == Function::Instantaneous
                && record.bytes.get(1) == Some(&VIF_PRIMARY);
            if addresses
                && let Raw::Number(number) = record.raw
                && let Ok(address) = u8::try_from(number.mantissa)
                && address <= PRIMARY_MAX
            {
                self.primary = address;
            }
        }
    }
}
