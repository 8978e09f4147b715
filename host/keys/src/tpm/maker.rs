//! What a TPM says of itself, and so what custody it is.

use std::fmt;
use trust_plane::Custody;

/// `TPM_PT_MANUFACTURER`, from which on the properties are asked for.
pub(super) const FIRST: u32 = 0x105;
/// As many as reach to the second half of the firmware's version.
pub(super) const COUNT: u32 = 8;
const VENDOR_FIRST: u32 = 0x106;
const VENDOR_LAST: u32 = 0x109;
const FIRMWARE_1: u32 = 0x10b;
const FIRMWARE_2: u32 = 0x10c;

/// Where makers put endorsement certificates (TCG EK credential profile).
pub(super) const CERTIFICATES_FIRST: u32 = 0x01c0_0000;
const CERTIFICATES_LAST: u32 = 0x01c0_7fff;

/// Manufacturers of TPMs that are programs, with what their vendor string begins with: swtpm and other
/// users of libtpms, simulators, hypervisors. Their state is a file of whoever runs them.
const PROGRAMS: &[(&str, &str)] = &[
    ("IBM", "SW"),
    ("MSFT", ""),
    ("GOOG", ""),
    ("AMZN", ""),
    ("VMW", ""),
    ("QEMU", ""),
];

/// Maker, vendor string and firmware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Maker {
    manufacturer: String,
    vendor: String,
    firmware: (u32, u32),
}

impl Maker {
    pub(super) fn of(properties: &[(u32, u32)]) -> Self {
        let value = |wanted: u32| {
            let found = properties.iter().find(|(property, _)| *property == wanted);
            found.map_or(0, |(_, value)| *value)
        };
        let vendor: String = (VENDOR_FIRST..=VENDOR_LAST)
            .map(|property| text(value(property)))
            .collect();
        Self {
            manufacturer: text(value(FIRST)).trim().to_owned(),
            // Padded in fours: "SW  ", " TPM".
            vendor: vendor.split_whitespace().collect::<Vec<_>>().join(" "),
            firmware: (value(FIRMWARE_1), value(FIRMWARE_2)),
        }
    }

    /// What custody a key in it is. `handles` are NV indexes that are defined.
    pub(super) fn custody(&self, handles: &[u32]) -> Custody {
        let program = PROGRAMS.iter().any(|(manufacturer, vendor)| {
            self.manufacturer == *manufacturer && self.vendor.starts_with(vendor)
        });
        let certified = handles
            .iter()
            .any(|handle| (CERTIFICATES_FIRST..=CERTIFICATES_LAST).contains(handle));
        match (program, certified) {
            (true, _) => Custody::TpmEmulated,
            (false, false) => Custody::TpmUnproven,
            (false, true) => Custody::Tpm,
        }
    }
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = (self.firmware.0 >> 16, self.firmware.0 & 0xffff);
        write!(
            f,
            "{} {}, firmware {major}.{minor}.{:x}",
            self.manufacturer, self.vendor, self.firmware.1
        )
    }
}

/// Four characters; what is no letter, digit or sign is left out.
fn text(value: u32) -> String {
    let bytes = value.to_be_bytes();
    let shown = bytes.iter().filter(|byte| (0x20..0x7f).contains(*byte));
    shown.map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::Maker;
    use trust_plane::Custody;

    fn maker(manufacturer: [u8; 4], vendor: [u8; 4]) -> Maker {
        Maker::of(&[
            (0x105, u32::from_be_bytes(manufacturer)),
            (0x106, u32::from_be_bytes(vendor)),
            (0x10b, 0x0007_0002),
        ])
    }

    //= A6.2
    #[test]
    fn a_program_is_told_by_its_maker_whatever_certificate_it_has() {
        let certificate = [0x01c0_000a];
        for (manufacturer, vendor, handles, custody) in [
            (*b"IBM\0", *b"SW  ", &certificate[..], Custody::TpmEmulated),
            (*b"IBM\0", *b"SW  ", &[], Custody::TpmEmulated),
            (*b"IBM\0", *b"TPM ", &certificate, Custody::Tpm),
            (*b"MSFT", *b"xCG ", &certificate, Custody::TpmEmulated),
            (*b"VMW\0", *b"\0\0\0\0", &certificate, Custody::TpmEmulated),
            (*b"IFX\0", *b"SLB9", &certificate, Custody::Tpm),
            (
                *b"IFX\0",
                *b"SLB9",
                &[0x0180_0100, 0x01c0_8000],
                Custody::TpmUnproven,
            ),
            (*b"\0\0\0\0", *b"\0\0\0\0", &[], Custody::TpmUnproven),
        ] {
            let maker = maker(manufacturer, vendor);
            assert_eq!(maker.custody(handles), custody, "{maker}");
        }
        assert_eq!(
            maker(*b"IFX\0", *b"SLB9").to_string(),
            "IFX SLB9, firmware 7.2.0"
        );
    }
}
