//! The words of field evidence: entry kinds, ids, quality, time status, reason codes, canonical encoding.
