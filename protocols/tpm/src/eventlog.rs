//! What firmware and boot loaders measured, as they wrote it down (TCG PC Client Platform Firmware Profile, revision
//! 1.05, chapter 10): the crypto-agile event log, which Linux shows as `binary_bios_measurements`.
//!
//! A log proves nothing by itself: [`EventLog::replay`] gives the PCRs that it leads to, and only where those are the
//! TPM's own is it what was measured.

use crate::limits::{EVENT_BYTES_MAX, EVENT_LOG_BYTES_MAX, EVENTS_MAX, LOG_ALGORITHMS_MAX};
use crate::public::ALG_SHA256;
use crate::wire::{Malformed, Reader};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Code of the firmware, or what it is called (`EV_POST_CODE`).
pub const POST_CODE: u32 = 1;
/// An event that extends nothing (`EV_NO_ACTION`).
pub const NO_ACTION: u32 = 3;
/// Where the firmware ends what it measures into a PCR before it hands over (`EV_SEPARATOR`), and what is hashed there.
pub const SEPARATOR: u32 = 4;
/// What a separator has, where nothing failed.
pub const SEPARATOR_DATA: [u8; 4] = [0; 4];
/// Something of a boot loader or kernel, under a number of its own (`EV_EVENT_TAG`).
pub const EVENT_TAG: u32 = 6;
/// Contents of the code that began (`EV_S_CRTM_CONTENTS`).
pub const CRTM_CONTENTS: u32 = 7;
/// Its version (`EV_S_CRTM_VERSION`).
pub const CRTM_VERSION: u32 = 8;
/// What a boot loader loaded or was told (`EV_IPL`).
pub const IPL: u32 = 0x0d;
/// A variable that Secure Boot goes by (`EV_EFI_VARIABLE_DRIVER_CONFIG`).
pub const VARIABLE: u32 = 0x8000_0001;
/// A program that the firmware started (`EV_EFI_BOOT_SERVICES_APPLICATION`).
pub const BOOT_APPLICATION: u32 = 0x8000_0003;
/// A driver of a card or of a file system (`EV_EFI_BOOT_SERVICES_DRIVER`).
pub const BOOT_DRIVER: u32 = 0x8000_0004;
/// A driver that stays (`EV_EFI_RUNTIME_SERVICES_DRIVER`).
pub const RUNTIME_DRIVER: u32 = 0x8000_0005;
/// Code of the firmware (`EV_EFI_PLATFORM_FIRMWARE_BLOB`).
pub const FIRMWARE_BLOB: u32 = 0x8000_0008;
/// The same with its name (`EV_EFI_PLATFORM_FIRMWARE_BLOB2`).
pub const FIRMWARE_BLOB2: u32 = 0x8000_000a;
/// The variable with the key or hash that vouched for what is started next (`EV_EFI_VARIABLE_AUTHORITY`).
pub const AUTHORITY: u32 = 0x8000_00e0;

const SHA1_BYTES: usize = 20;
const SPEC_ID: &[u8] = b"Spec ID Event03\0";
const STARTUP_LOCALITY: &[u8] = b"StartupLocality\0";
/// PCRs from 17 to 22 begin with all bits set; what firmware measures is below.
const STATIC_PCRS_END: u32 = 16;
/// Bytes of a SHA-256 digest.
const SHA256_BYTES: usize = 32;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootEvent {
    /// The PCR that it extended.
    pub pcr: u32,
    /// Its type.
    pub kind: u32,
    /// The SHA-256 digest that was extended; absent where the bank was not.
    pub sha256: Option<[u8; SHA256_BYTES]>,
    /// What the firmware noted beside it; not what was hashed, unless the type says so.
    pub data: Vec<u8>,
}

/// A log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLog {
    /// The events behind the header, in their order.
    pub events: Vec<BootEvent>,
    /// The locality from which the machine was started, which PCR 0 begins with.
    pub locality: u8,
}

impl EventLog {
    /// Reads a log, whole. A log of the SHA-1 form alone, of TPM 1.2, is refused.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut of = Reader::new("TCG event log", bytes);
        if bytes.len() > EVENT_LOG_BYTES_MAX {
            return Err(of.fault());
        }
        let sizes = header(&mut of)?;
        let mut log = Self {
            events: Vec::new(),
            locality: 0,
        };
        while !of.is_empty() {
            if log.events.len() >= EVENTS_MAX {
                return Err(of.fault());
            }
            let event = event(&mut of, &sizes)?;
            if event.kind == NO_ACTION
                && let Some([locality]) = event.data.strip_prefix(STARTUP_LOCALITY)
            {
                log.locality = *locality;
            }
            log.events.push(event);
        }
        Ok(log)
    }

    /// The PCRs of the SHA-256 bank that these events lead to; `hash` is SHA-256 over both, one behind the other.
    /// `None` where an event has no digest of that bank.
    #[must_use]
    pub fn replay(
        &self,
        hash: impl Fn(&[u8; SHA256_BYTES], &[u8; SHA256_BYTES]) -> [u8; SHA256_BYTES],
    ) -> Option<BTreeMap<u32, [u8; SHA256_BYTES]>> {
        let mut pcrs = BTreeMap::new();
        let measured = self.events.iter().filter(|event| event.kind != NO_ACTION);
        for event in measured.filter(|event| event.pcr < STATIC_PCRS_END) {
            let digest = event.sha256?;
            let pcr = pcrs.entry(event.pcr).or_insert_with(|| {
                let mut first = [0; SHA256_BYTES];
                if event.pcr == 0
                    && let Some(last) = first.last_mut()
                {
                    *last = self.locality;
                }
                first
            });
            *pcr = hash(pcr, &digest);
        }
        Some(pcrs)
    }
}

/// The first event, in the form of TPM 1.2: which digests the others have, and how long each is.
fn header(of: &mut Reader<'_>) -> Result<Vec<(u16, usize)>, Malformed> {
    let fault = of.fault();
    let (pcr, kind) = (of.u32_le()?, of.u32_le()?);
    of.take(SHA1_BYTES)?;
    let length = length(of)?;
    let mut data = Reader::new("header of a TCG event log", of.take(length)?);
    if pcr != 0 || kind != NO_ACTION || data.take(SPEC_ID.len())? != SPEC_ID {
        return Err(fault);
    }
    // Class of the platform; minor and major version, errata, size of a word.
    data.u32_le()?;
    data.take(4)?;
    let count = usize::try_from(data.u32_le()?).unwrap_or(usize::MAX);
    if count == 0 || count > LOG_ALGORITHMS_MAX {
        return Err(data.fault());
    }
    let mut sizes = Vec::new();
    for _ in 0..count {
        sizes.push((data.u16_le()?, usize::from(data.u16_le()?)));
    }
    let vendor = usize::from(data.u8()?);
    data.take(vendor)?;
    data.finish()?;
    Ok(sizes)
}

fn event(of: &mut Reader<'_>, sizes: &[(u16, usize)]) -> Result<BootEvent, Malformed> {
    let (pcr, kind) = (of.u32_le()?, of.u32_le()?);
    let count = usize::try_from(of.u32_le()?).unwrap_or(usize::MAX);
    if count > LOG_ALGORITHMS_MAX {
        return Err(of.fault());
    }
    let mut sha256 = None;
    for _ in 0..count {
        let algorithm = of.u16_le()?;
        let size = sizes.iter().find(|(known, _)| *known == algorithm);
        let (_, size) = size.ok_or_else(|| of.fault())?;
        let digest = of.take(*size)?;
        if algorithm == ALG_SHA256 {
            sha256 = Some(<[u8; SHA256_BYTES]>::try_from(digest).map_err(|_| of.fault())?);
        }
    }
    let length = length(of)?;
    let data = of.take(length)?.to_vec();
    Ok(BootEvent {
        pcr,
        kind,
        sha256,
        data,
    })
}

fn length(of: &mut Reader<'_>) -> Result<usize, Malformed> {
    let fault = of.fault();
    let length = usize::try_from(of.u32_le()?).unwrap_or(usize::MAX);
    match length <= EVENT_BYTES_MAX {
        true => Ok(length),
        false => Err(fault),
    }
}

#[cfg(test)]
#[expect(
    clippy::little_endian_bytes,
    reason = "event logs of firmware are little-endian"
)]
mod tests {
    use super::{EventLog, NO_ACTION, SHA256_BYTES, SPEC_ID, STARTUP_LOCALITY};
    use proptest::prelude::{any, prop_assert, proptest};
    use std::vec::Vec;

    const SHA1: u16 = 4;
    const SHA256: u16 = 0xb;

    fn words(numbers: &[u32]) -> Vec<u8> {
        numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    }

    fn head() -> Vec<u8> {
        let mut data = SPEC_ID.to_vec();
        data.extend(words(&[0]));
        data.extend([0, 2, 105, 2]);
        data.extend(words(&[2]));
        for (algorithm, size) in [(SHA1, 20u16), (SHA256, 32)] {
            data.extend(algorithm.to_le_bytes());
            data.extend(size.to_le_bytes());
        }
        data.push(0);
        let mut out = words(&[0, NO_ACTION]);
        out.extend([0; 20]);
        out.extend(words(&[u32::try_from(data.len()).unwrap()]));
        out.extend(data);
        out
    }

    fn event(pcr: u32, kind: u32, digest: u8, data: &[u8]) -> Vec<u8> {
        let mut out = words(&[pcr, kind, 2]);
        for (algorithm, size) in [(SHA1, 20), (SHA256, 32)] {
            out.extend(algorithm.to_le_bytes());
            out.extend(std::vec![digest; size]);
        }
        out.extend(words(&[u32::try_from(data.len()).unwrap()]));
        out.extend(data);
        out
    }

    /// No hash, and another one for every history.
    fn fold(pcr: &[u8; SHA256_BYTES], digest: &[u8; SHA256_BYTES]) -> [u8; SHA256_BYTES] {
        let mut out = *pcr;
        for (place, byte) in out.iter_mut().enumerate() {
            *byte = byte.wrapping_mul(31).wrapping_add(digest[place]);
        }
        out
    }

    //= A6.5
    #[test]
    fn a_log_is_read_and_leads_to_its_pcrs() {
        let locality = [STARTUP_LOCALITY, &[3]].concat();
        let bytes = [
            head(),
            event(0, NO_ACTION, 0, &locality),
            event(0, super::CRTM_VERSION, 1, b"1\0.\x004\0"),
            event(4, super::BOOT_APPLICATION, 2, b"loader"),
            event(0, super::FIRMWARE_BLOB, 3, &[]),
            event(17, 5, 9, b"not of the firmware"),
        ]
        .concat();
        let log = EventLog::parse(&bytes).unwrap();
        assert_eq!((log.events.len(), log.locality), (5, 3));
        assert_eq!(log.events[2].data, b"loader");
        let pcrs = log.replay(fold).unwrap();
        let mut zero = [0; SHA256_BYTES];
        zero[31] = 3;
        let first = fold(&fold(&zero, &[1; 32]), &[3; 32]);
        assert_eq!(pcrs.len(), 2);
        assert_eq!(pcrs[&0], first);
        assert_eq!(pcrs[&4], fold(&[0; 32], &[2; 32]));
        for cut in 1..bytes.len() {
            // Between two events it is a shorter log; elsewhere none.
            if let Ok(shorter) = EventLog::parse(&bytes[..cut]) {
                assert!(shorter.events.len() < 5, "{cut}");
                assert_eq!(shorter.events, log.events[..shorter.events.len()]);
            }
        }
    }

    #[test]
    fn a_log_of_another_form_is_refused() {
        let good = head();
        assert!(EventLog::parse(&good).unwrap().events.is_empty());
        for at in [0, 4, 32] {
            let mut other = good.clone();
            other[at] ^= 0xff;
            assert!(EventLog::parse(&other).is_err(), "{at}");
        }
        // A digest that the header does not announce.
        let mut foreign = event(0, 5, 1, b"");
        foreign[12] = 0x0c;
        assert!(EventLog::parse(&[good, foreign].concat()).is_err());
        assert!(EventLog::parse(&[]).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(log) = EventLog::parse(&[head(), tail].concat()) {
                let _ = log.replay(fold);
                prop_assert!(log.events.len() < 200);
            }
        }
    }
}
