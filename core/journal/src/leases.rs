//! The lease table: how far sequence numbers may have been used, outside the log.

use alloc::collections::BTreeMap;
use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use evidence::limits::ID_BYTES_MAX;
use evidence::{Generation, LogId, Seq, Stream};

use crate::bytes::{Raw, split_crc};
use crate::layout::{CRC_BYTES, TABLE_MAGIC, TableFixed, VERSION};
use crate::limits::{TABLE_BYTES, TABLE_COPIES};
use crate::medium::ReadTruth;

/// Longest name of a stream: what stands before the identifier, and the identifier.
const STREAM_BYTES_MAX: usize = "meter ".len() + ID_BYTES_MAX;

/// Sequence numbers below these may have been used (A4.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leases {
    /// By stream: the first number that nobody has leased.
    pub seqs: BTreeMap<Stream, Seq>,
    /// No stream without a row has used a number from here on.
    pub floor: u64,
}

/// More leases than the table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseError {
    /// Bytes the table would need.
    pub bytes: usize,
}

impl fmt::Display for LeaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes;
        write!(
            f,
            "the leases need {bytes} bytes, the table holds {TABLE_BYTES}"
        )
    }
}

impl core::error::Error for LeaseError {}

/// A table as it stands on the medium.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) counter: u64,
    pub(crate) leases: Leases,
}

/// What the copies hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct LoadedTable {
    pub(crate) table: Option<Table>,
    pub(crate) damaged_copies: Vec<u32>,
}

impl Table {
    pub(crate) fn encode(
        &self,
        log_id: LogId,
        generation: Generation,
    ) -> Result<Vec<u8>, LeaseError> {
        let mut rows = Vec::new();
        let count = self.leases.seqs.len();
        u32::try_from(count).unwrap_or(u32::MAX).put(&mut rows);
        for (stream, seq) in &self.leases.seqs {
            put_text(&mut rows, &stream.to_string());
            seq.0.put(&mut rows);
        }
        if self.leases.floor > 0 {
            self.leases.floor.put(&mut rows);
        }
        let bytes = TableFixed::BYTES
            .saturating_add(rows.len())
            .saturating_add(CRC_BYTES);
        let table_bytes = u32::try_from(rows.len()).map_err(|_| LeaseError { bytes })?;
        if bytes > TABLE_BYTES {
            return Err(LeaseError { bytes });
        }
        let mut out = Vec::with_capacity(TABLE_BYTES);
        TableFixed {
            magic: TABLE_MAGIC,
            version: VERSION,
            reserved: [0; 2],
            table_bytes,
            log_id,
            generation,
            counter: self.counter,
        }
        .write(&mut out);
        out.append(&mut rows);
        out.resize(TABLE_BYTES.saturating_sub(CRC_BYTES), 0);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_be_bytes());
        Ok(out)
    }

    /// Reads one copy of the table.
    pub(crate) fn parse(bytes: &[u8], log_id: LogId, generation: Generation) -> Option<Self> {
        let (body, crc) = split_crc(bytes)?;
        let mut rest = body;
        let fixed = TableFixed::read(&mut rest)?;
        if fixed.magic != TABLE_MAGIC
            || fixed.version != VERSION
            || fixed.log_id != log_id
            || fixed.generation != generation
            || crc32c::crc32c(body) != crc
        {
            return None;
        }
        let mut rows = rest.get(..fixed.table_bytes as usize)?;
        let seqs = u32::take(&mut rows)?;
        let mut leases = Leases::default();
        for _ in 0..seqs {
            let stream = take_text(&mut rows)?.parse().ok()?;
            leases.seqs.insert(stream, Seq(u64::take(&mut rows)?));
        }
        if !rows.is_empty() {
            leases.floor = u64::take(&mut rows)?;
        }
        rows.is_empty().then_some(Self {
            counter: fixed.counter,
            leases,
        })
    }
}

/// Reads the table: of two sound copies the one with the higher counter.
pub(crate) fn load<T: ReadTruth>(medium: &T, log_id: LogId, generation: Generation) -> LoadedTable {
    let mut loaded = LoadedTable::default();
    let mut buffer = vec![0; TABLE_BYTES];
    for copy in 0..TABLE_COPIES {
        let table = match medium.read_table(copy, &mut buffer) {
            Ok(()) => Table::parse(&buffer, log_id, generation),
            Err(_) => None,
        };
        match table {
            None => loaded.damaged_copies.push(copy),
            Some(table) => {
                let newest = loaded.table.as_ref().map(|best| best.counter);
                if newest.is_none_or(|newest| table.counter > newest) {
                    loaded.table = Some(table);
                }
            }
        }
    }
    loaded
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    u8::try_from(text.len()).unwrap_or(u8::MAX).put(out);
    out.extend_from_slice(text.as_bytes());
}

fn take_text<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    let len = usize::from(u8::take(from)?);
    if len > STREAM_BYTES_MAX {
        return None;
    }
    let (text, rest) = from.split_at_checked(len)?;
    *from = rest;
    core::str::from_utf8(text).ok()
}
