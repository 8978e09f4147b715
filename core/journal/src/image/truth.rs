//! The truth store as it lies: every copy of every slot and of the lease table.

use alloc::vec;
use alloc::vec::Vec;

use super::{Header, Identity, State};
use crate::bytes::is_blank;
use crate::layout::{TABLE_MAGIC, TableFixed, TruthFixed, VERSION};
use crate::leases::{Leases, Table};
use crate::limits::{TABLE_BYTES, TABLE_COPIES, TRUTH_COPIES, TRUTH_SLOT_BYTES, TRUTH_SLOTS};
use crate::medium::ReadTruth;
use crate::truth::{Copy, Truth};

/// One copy of a truth slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotLook {
    /// The slot.
    pub slot: u32,
    /// Which copy of it.
    pub copy: u32,
    /// What it says.
    pub header: Header,
}

/// One copy of the lease table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableLook {
    /// Which copy.
    pub copy: u32,
    /// What it says.
    pub header: Header,
    /// Its rows, where it is sound.
    pub leases: Option<Leases>,
}

/// All copies of all slots.
pub fn slots<T: ReadTruth>(medium: &T, identity: Identity) -> Vec<SlotLook> {
    copies(medium)
        .map(|(slot, copy, read)| {
            let (state, bytes) = match read {
                Err(error) => (State::Unreadable(error), Vec::new()),
                Ok((bytes, found)) => (slot_state(&found, identity), bytes),
            };
            let header = Header::new(state, TruthFixed::FIELDS, &bytes);
            SlotLook { slot, copy, header }
        })
        .collect()
}

fn slot_state(found: &Copy, identity: Identity) -> State {
    match found {
        Copy::Valid(truth) if owner(truth) == identity => State::Sound,
        Copy::Valid(_) => State::Foreign,
        Copy::Blank => State::Blank,
        Copy::Damaged => State::Damaged,
        Copy::Newer(_) => State::Newer,
    }
}

fn owner(truth: &Truth) -> Identity {
    Identity {
        log_id: truth.fixed.log_id,
        generation: truth.fixed.generation,
    }
}

/// The log that each sound copy names.
pub(super) fn owners<T: ReadTruth>(medium: &T) -> impl Iterator<Item = Identity> {
    copies(medium).filter_map(|(_, _, read)| match read {
        Ok((_, Copy::Valid(truth))) => Some(owner(&truth)),
        _ => None,
    })
}

type CopyRead = Result<(Vec<u8>, Copy), crate::medium::MediumError>;

fn copies<T: ReadTruth>(medium: &T) -> impl Iterator<Item = (u32, u32, CopyRead)> {
    let places = (0..TRUTH_SLOTS).flat_map(|slot| (0..TRUTH_COPIES).map(move |copy| (slot, copy)));
    places.map(move |(slot, copy)| {
        let mut bytes = vec![0; TRUTH_SLOT_BYTES];
        let read = medium.read(slot, copy, &mut bytes);
        let found = read.map(|()| Truth::parse(&bytes));
        (slot, copy, found.map(|found| (bytes, found)))
    })
}

/// Both copies of the lease table.
pub fn tables<T: ReadTruth>(medium: &T, identity: Identity) -> Vec<TableLook> {
    (0..TABLE_COPIES)
        .map(|copy| {
            let mut bytes = vec![0; TABLE_BYTES];
            if let Err(error) = medium.read_table(copy, &mut bytes) {
                let header = Header::new(State::Unreadable(error), &[], &[]);
                return TableLook {
                    copy,
                    header,
                    leases: None,
                };
            }
            let table = Table::parse(&bytes, identity.log_id, identity.generation);
            let state = match &table {
                Some(_) => State::Sound,
                None => table_fault(&bytes, identity),
            };
            TableLook {
                copy,
                header: Header::new(state, TableFixed::FIELDS, &bytes),
                leases: table.map(|table| table.leases),
            }
        })
        .collect()
}

/// Why a copy of the table is not this log's.
fn table_fault(bytes: &[u8], identity: Identity) -> State {
    if is_blank(bytes) {
        return State::Blank;
    }
    let Some(fixed) = TableFixed::read(&mut &*bytes).filter(|fixed| fixed.magic == TABLE_MAGIC)
    else {
        return State::Damaged;
    };
    let named = Identity {
        log_id: fixed.log_id,
        generation: fixed.generation,
    };
    if fixed.version > VERSION {
        State::Newer
    } else if named != identity && Table::parse(bytes, named.log_id, named.generation).is_some() {
        State::Foreign
    } else {
        State::Damaged
    }
}
