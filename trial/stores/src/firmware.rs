//! Firmware of a machine: what it measures into its TPM, and what it writes down of that.

#![expect(
    clippy::little_endian_bytes,
    reason = "event logs of firmware are little-endian"
)]

use crate::Swtpm;
use sha2::{Digest as _, Sha256};

/// An event log, and the digests that it says were extended.
#[derive(Clone, Debug)]
pub struct Firmware {
    log: Vec<u8>,
    extended: Vec<(u32, [u8; 32])>,
}

fn words(numbers: &[u32]) -> Vec<u8> {
    let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
    bytes.collect()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn length(bytes: usize) -> [u8; 8] {
    u64::try_from(bytes).unwrap_or(u64::MAX).to_le_bytes()
}

/// Whose the variables of Secure Boot are (`EFI_GLOBAL_VARIABLE`).
const GLOBAL: [u8; 16] = [
    0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c,
];

/// A variable of the firmware (`UEFI_VARIABLE_DATA`).
fn variable(name: &str, data: &[u8]) -> Vec<u8> {
    let lengths = [length(name.len()), length(data.len())].concat();
    [&GLOBAL[..], &lengths, &wide(name), data].concat()
}

/// An image that is started (`UEFI_IMAGE_LOAD_EVENT`), from a file.
fn image(path: &str) -> Vec<u8> {
    let file = [wide(path), vec![0, 0]].concat();
    let node = u16::try_from(file.len() + 4).unwrap_or(u16::MAX);
    let end = [0x7f, 0xff, 4, 0];
    let nodes = [&[4, 4][..], &node.to_le_bytes(), &file, &end].concat();
    [&[0; 24][..], &length(nodes.len()), &nodes].concat()
}

impl Firmware {
    /// A log with nothing in it but its header.
    #[must_use]
    pub fn silent() -> Self {
        let spec = b"Spec ID Event03\0";
        let versions = [0, 0, 0, 0, 0, 2, 105, 2];
        let sha256 = [0x0b, 0, 32, 0, 0];
        let data = [&spec[..], &versions, &words(&[1]), &sha256].concat();
        let data_length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let log = [words(&[0, 3]), vec![0; 20], words(&[data_length]), data].concat();
        Self {
            log,
            extended: Vec::new(),
        }
    }

    /// A machine with Secure Boot, a boot loader and a kernel.
    #[must_use]
    pub fn of_a_machine(version: &str) -> Self {
        Self::silent()
            .measured(0, 0x08, &wide(version))
            .measured(0, 0x8000_0008, &[0; 16])
            .measured(7, 0x8000_0001, &variable("SecureBoot", &[1]))
            .measured(7, 0x04, &[0; 4])
            .measured(7, 0x8000_00e0, &variable("db", &[9; 40]))
            .measured(4, 0x8000_0003, &image("\\EFI\\BOOT\\BOOTX64.EFI"))
            .measured(9, 0x0d, b"/boot/vmlinuz\0")
    }

    /// The same with one event more.
    #[must_use]
    pub fn measured(mut self, pcr: u32, kind: u32, data: &[u8]) -> Self {
        let digest: [u8; 32] = Sha256::digest(data).into();
        let data_length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        self.log.extend(words(&[pcr, kind, 1]));
        self.log.extend([0x0b, 0]);
        self.log.extend(digest);
        self.log.extend(words(&[data_length]));
        self.log.extend(data);
        self.extended.push((pcr, digest));
        self
    }

    /// What it wrote down.
    #[must_use]
    pub fn log(&self) -> &[u8] {
        &self.log
    }

    /// Measures it all into a TPM that was just switched on. Nobody else may be connected to it.
    ///
    /// # Panics
    /// Where the TPM refuses.
    pub fn start(&self, tpm: &Swtpm) {
        for (pcr, digest) in &self.extended {
            let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            let said = tpm.tool("tpm2_pcrextend", &[&format!("{pcr}:sha256={digest}")]);
            assert!(said.status.success(), "{said:?}");
        }
    }
}
