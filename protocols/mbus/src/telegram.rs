//! One frame through all layers, as far as it is sound.

use crate::application::{Application, Content};
use crate::fault::{Cause, Fault};
use crate::link::{self, Frame, PAYLOAD_AT};
use crate::record::{self, Function, Record};
use alloc::vec::Vec;

/// What a frame says, and what is wrong with it.
#[derive(Clone, Debug)]
pub struct Telegram<'a> {
    /// The frame, where its fields can be told at all.
    pub frame: Option<Frame<'a>>,
    /// Its application layer; `None` where the link layer does not hold.
    pub application: Option<Application<'a>>,
    /// Its records, up to the fault if there is one in them.
    pub records: Vec<Record<'a>>,
    /// The faults: one, at most, in each layer. Only a telegram without any is whole and valid.
    pub faults: Vec<Fault>,
}

impl<'a> Telegram<'a> {
    /// Reads a frame. What is behind a fault of the link layer is not read: a value out of a frame whose
    /// checksum does not fit would be an invented one.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Self {
        let (frame, fault) = link::look(bytes);
        let mut telegram = Self {
            frame,
            application: None,
            records: Vec::new(),
            faults: fault.into_iter().collect(),
        };
        if telegram.faults.is_empty()
            && let Some(Frame::Long {
                control, payload, ..
            }) = frame
        {
            match Application::decode(payload, PAYLOAD_AT) {
                Ok((application, fault)) => {
                    telegram.application = Some(application);
                    telegram.faults.extend(fault);
                    let cause = fault.map(|fault| fault.cause);
                    if !matches!(cause, Some(Cause::Encrypted { .. })) {
                        telegram.content(&application, control.direction(), bytes);
                    }
                }
                Err(fault) => telegram.faults.push(fault),
            }
        }
        telegram
    }

    fn content(
        &mut self,
        application: &Application<'a>,
        direction: link::Direction,
        bytes: &'a [u8],
    ) {
        let at = application.records_at;
        match application.content {
            Content::Records { data, .. } | Content::Selection { data, .. } => {
                let (records, fault) = record::records(data, at, application.order, direction);
                self.records = records;
                self.faults.extend(fault);
            }
            Content::Fixed(fixed) => {
                // The counters are the structure's last eight bytes.
                let at = at.saturating_sub(8);
                let data = bytes.get(at..).unwrap_or_default();
                self.records = record::counters(&fixed, data, at);
            }
            Content::Error(_)
            | Content::Alarm(_)
            | Content::Reset(_)
            | Content::Speed(_)
            | Content::Bytes(_) => {}
        }
    }

    /// The frame is whole, and nothing in it is wrong.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }

    /// The meter has more records, for the next readout.
    #[must_use]
    pub fn more_follow(&self) -> bool {
        self.records
            .iter()
            .any(|record| record.function == Function::MoreFollow)
    }
}
