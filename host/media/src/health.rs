//! What the device under the journal says of itself in sysfs: wear of an eMMC, errors of a NAND.

use std::path::{Path, PathBuf};

/// Block major of the flash translation that stands before a bare MTD.
const MTD_BLOCK: &str = "mtdblock";
/// What each step of an eMMC's life time stands for, in percent.
const LIFE_STEP_PERCENT: u64 = 10;
/// The last step of an eMMC's life time: beyond what it was made for.
const LIFE_STEPS_MAX: u64 = 11;
/// Bytes of such a file at the most; more is none of ours.
const FILE_BYTES_MAX: u64 = 4_096;

/// Where a device's words are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthSource {
    /// The card's folder of an eMMC, with `life_time` and `pre_eol_info`.
    Emmc(PathBuf),
    /// The folder of an MTD, with `ecc_failures`, `corrected_bits`, `bad_blocks`, `bbt_blocks` and
    /// `ecc_strength`.
    Nand(PathBuf),
    /// A device that says nothing there, and why that is known.
    Silent(String),
}

/// One thing that a device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthValue {
    /// Name of the counter.
    pub name: &'static str,
    /// What it is counted by, where there are several.
    pub label: Option<&'static str>,
    /// The value, or why there is none.
    pub value: Result<u64, String>,
}

/// Names of all counters that any device may give, with what they are counted by.
pub const HEALTH_COUNTERS: [(&str, Option<&str>); 8] = [
    ("media_life_used_pct", Some("a")),
    ("media_life_used_pct", Some("b")),
    ("media_pre_eol", None),
    ("ecc_corrected_cnt", None),
    ("ecc_failed_cnt", None),
    ("ecc_strength", None),
    ("bad_block_cnt", None),
    ("bbt_block_cnt", None),
];

impl HealthSource {
    /// The source for what lies in a directory of this machine.
    #[must_use]
    pub fn of_directory(dir: &Path) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let device = match std::fs::metadata(dir) {
            Ok(found) => found.dev(),
            Err(error) => return Self::Silent(format!("{}: {error}", dir.display())),
        };
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        Self::of(Path::new("/sys"), &mounts, major, minor)
    }

    /// The source for the file system on device `major:minor`, of which `mounts` (`mountinfo`) tells
    /// what it was mounted from.
    #[must_use]
    pub fn of(sysfs: &Path, mounts: &str, major: u32, minor: u32) -> Self {
        let number = format!("{major}:{minor}");
        let Ok(block) = sysfs.join("dev/block").join(&number).canonicalize() else {
            return Self::of_mount(sysfs, mounts, &number);
        };
        // A partition lies in the folder of its disk.
        let disk = match (block.join("partition").exists(), block.parent()) {
            (true, Some(disk)) => disk.to_path_buf(),
            _ => block,
        };
        let name = disk
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("");
        if let Some(mtd) = name.strip_prefix(MTD_BLOCK) {
            return Self::mtd(sysfs, mtd);
        }
        match disk.join("device").canonicalize() {
            Ok(card) if card.join("life_time").exists() => Self::Emmc(card),
            _ => Self::Silent(format!("{name} says nothing of its wear in sysfs")),
        }
    }

    /// File systems without a block device: UBI volumes name theirs (`ubi0:data`, `/dev/ubi0_1`).
    fn of_mount(sysfs: &Path, mounts: &str, number: &str) -> Self {
        let mount = mounts
            .lines()
            .find(|line| line.split(' ').nth(2) == Some(number));
        let source = mount
            .and_then(|line| line.split_once(" - "))
            .and_then(|(_, rest)| rest.split(' ').nth(1));
        let Some(source) = source else {
            return Self::Silent(format!("no device {number} is in sysfs"));
        };
        let volume = source.strip_prefix("/dev/").unwrap_or(source);
        let ubi = volume.split([':', '_']).next().unwrap_or(volume);
        let is_ubi = ubi.strip_prefix("ubi").is_some_and(is_number);
        if !is_ubi {
            return Self::Silent(format!("{source} says nothing of its wear in sysfs"));
        }
        let mtd = sysfs.join("class/ubi").join(ubi).join("mtd_num");
        match std::fs::read_to_string(&mtd) {
            Ok(mtd) if is_number(mtd.trim()) => Self::mtd(sysfs, mtd.trim()),
            Ok(_) | Err(_) => Self::Silent(format!("{}: no number of an MTD", mtd.display())),
        }
    }

    fn mtd(sysfs: &Path, number: &str) -> Self {
        let folder = sysfs.join("class/mtd").join(format!("mtd{number}"));
        match folder.canonicalize() {
            Ok(folder) => Self::Nand(folder),
            Err(error) => Self::Silent(format!("{}: {error}", folder.display())),
        }
    }

    /// The folder whose files are read, where there is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Emmc(folder) | Self::Nand(folder) => Some(folder),
            Self::Silent(_) => None,
        }
    }

    /// What kind of device it is, in one word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Emmc(_) => "emmc",
            Self::Nand(_) => "nand",
            Self::Silent(_) => "silent",
        }
    }

    /// What the device says now: every counter of [`HEALTH_COUNTERS`], in that order.
    #[must_use]
    pub fn read(&self) -> Vec<HealthValue> {
        let value = |(name, label): (&'static str, Option<&'static str>)| HealthValue {
            name,
            label,
            value: match self {
                Self::Emmc(folder) => of_emmc(folder, name, label),
                Self::Nand(folder) => of_nand(folder, name),
                Self::Silent(why) => Err(why.clone()),
            },
        };
        HEALTH_COUNTERS.into_iter().map(value).collect()
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn text_of(file: &Path) -> Result<String, String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text))
        .map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.trim().to_owned())
}

fn malformed(file: &Path, text: &str) -> String {
    let shown: String = text.chars().take(32).collect();
    format!("{}: {shown:?} is no such value", file.display())
}

fn of_emmc(card: &Path, name: &str, label: Option<&str>) -> Result<u64, String> {
    match (name, label) {
        ("media_life_used_pct", Some(which)) => {
            let file = card.join("life_time");
            let text = text_of(&file)?;
            let place = usize::from(which == "b");
            let step = text.split_whitespace().nth(place).and_then(hexadecimal);
            match step {
                Some(0) => Err(format!("{}: not defined by the card", file.display())),
                // Step 1 is up to 10 percent; the last one says that its life is over.
                Some(step) if step <= LIFE_STEPS_MAX => Ok(step * LIFE_STEP_PERCENT),
                Some(_) | None => Err(malformed(&file, &text)),
            }
        }
        ("media_pre_eol", _) => {
            let file = card.join("pre_eol_info");
            let text = text_of(&file)?;
            match hexadecimal(&text) {
                Some(0) => Err(format!("{}: not defined by the card", file.display())),
                Some(state) if state <= 3 => Ok(state),
                Some(_) | None => Err(malformed(&file, &text)),
            }
        }
        _ => Err("an eMMC keeps this to itself".to_owned()),
    }
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

fn of_nand(mtd: &Path, name: &str) -> Result<u64, String> {
    let file = match name {
        "ecc_corrected_cnt" => "corrected_bits",
        "ecc_failed_cnt" => "ecc_failures",
        "ecc_strength" => "ecc_strength",
        "bad_block_cnt" => "bad_blocks",
        "bbt_block_cnt" => "bbt_blocks",
        _ => return Err("a NAND knows nothing of it".to_owned()),
    };
    let file = mtd.join(file);
    let text = text_of(&file)?;
    text.parse().map_err(|_| malformed(&file, &text))
}

#[cfg(test)]
mod tests {
    use super::{HEALTH_COUNTERS, HealthSource};
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};

    /// The layout of a board with an eMMC, as the kernel has it.
    fn emmc(sysfs: &Path, life_time: &str, pre_eol: &str) -> PathBuf {
        let card = sysfs.join("devices/platform/soc/fe340000.mmc/mmc_host/mmc0/mmc0:0001");
        let part = card.join("block/mmcblk0/mmcblk0p2");
        fs::create_dir_all(&part).unwrap();
        fs::create_dir_all(sysfs.join("dev/block")).unwrap();
        fs::write(part.join("partition"), "2\n").unwrap();
        fs::write(card.join("life_time"), life_time).unwrap();
        fs::write(card.join("pre_eol_info"), pre_eol).unwrap();
        symlink("../../../mmc0:0001", card.join("block/mmcblk0/device")).unwrap();
        for (number, place) in [("179:0", "mmcblk0"), ("179:2", "mmcblk0/mmcblk0p2")] {
            let target = format!(
                "../../devices/platform/soc/fe340000.mmc/mmc_host/mmc0/mmc0:0001/block/{place}"
            );
            symlink(target, sysfs.join("dev/block").join(number)).unwrap();
        }
        card.canonicalize().unwrap()
    }

    /// The layout of a board with a NAND under UBI.
    fn nand(sysfs: &Path) -> PathBuf {
        let mtd = sysfs.join("devices/platform/nand-controller/mtd/mtd4");
        let ubi = sysfs.join("devices/virtual/ubi/ubi0");
        for folder in [
            &mtd,
            &ubi,
            &sysfs.join("class/mtd"),
            &sysfs.join("class/ubi"),
        ] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(ubi.join("mtd_num"), "4\n").unwrap();
        for (name, text) in [
            ("ecc_failures", "1\n"),
            ("corrected_bits", "372\n"),
            ("bad_blocks", "3\n"),
            ("bbt_blocks", "4\n"),
            ("ecc_strength", "8\n"),
        ] {
            fs::write(mtd.join(name), text).unwrap();
        }
        let target = "../../devices/platform/nand-controller/mtd/mtd4";
        symlink(target, sysfs.join("class/mtd/mtd4")).unwrap();
        symlink(
            "../../devices/virtual/ubi/ubi0",
            sysfs.join("class/ubi/ubi0"),
        )
        .unwrap();
        mtd.canonicalize().unwrap()
    }

    fn values(source: &HealthSource) -> Vec<Option<u64>> {
        let read = source.read();
        let names: Vec<_> = read.iter().map(|one| (one.name, one.label)).collect();
        assert_eq!(names, HEALTH_COUNTERS);
        for one in &read {
            assert!(one.value.as_ref().err().is_none_or(|why| !why.is_empty()));
        }
        read.into_iter().map(|one| one.value.ok()).collect()
    }

    //= A5.5
    #[test]
    fn an_emmc_says_how_much_of_its_life_is_used() {
        let dir = tempfile::tempdir().unwrap();
        let card = emmc(dir.path(), "0x01 0x0b\n", "0x02\n");
        for minor in [0, 2] {
            let source = HealthSource::of(dir.path(), "", 179, minor);
            assert_eq!(source, HealthSource::Emmc(card.clone()));
            let [a, b, eol] = [Some(10), Some(110), Some(2)];
            assert_eq!(values(&source), [a, b, eol, None, None, None, None, None]);
        }
    }

    //= A5.5
    #[test]
    fn a_nand_is_found_through_its_volume_and_says_what_it_corrected() {
        let dir = tempfile::tempdir().unwrap();
        let mtd = nand(dir.path());
        for from in ["ubi0:data", "ubi0_1", "/dev/ubi0_1"] {
            let mounts = format!("36 35 0:25 / /data rw,noatime - ubifs {from} rw\n");
            let source = HealthSource::of(dir.path(), &mounts, 0, 25);
            assert_eq!(source, HealthSource::Nand(mtd.clone()), "{from}");
            let nand = [Some(372), Some(1), Some(8), Some(3), Some(4)];
            assert_eq!(values(&source)[3..], nand);
        }
    }

    //= A2.5
    //= A5.5
    #[test]
    fn what_is_malformed_or_absent_is_unsupported_with_a_reason() {
        for (life, eol) in [
            ("", ""),
            ("0x00 0x00", "0x00"),
            ("1 2", "2"),
            ("0x0c 0x0c", "0x04"),
            ("0xzz 0x", "warning"),
            ("\u{fffd}", "0x1 0x1"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            emmc(dir.path(), life, eol);
            let source = HealthSource::of(dir.path(), "", 179, 2);
            assert_eq!(values(&source), [None; 8], "{life:?} {eol:?}");
        }
        let dir = tempfile::tempdir().unwrap();
        let card = emmc(dir.path(), "0x01", "0x01");
        let source = HealthSource::of(dir.path(), "", 179, 2);
        assert_eq!(values(&source)[..3], [Some(10), None, Some(1)]);
        fs::write(card.join("life_time"), [0xff, 0xfe]).unwrap();
        fs::remove_file(card.join("pre_eol_info")).unwrap();
        assert_eq!(values(&source), [None; 8]);
        for mounts in [
            "",
            "36 35 0:25 / /data rw - btrfs /dev/sda rw",
            "36 35 0:25 / /x rw - ubifs ubi7:x rw",
        ] {
            let source = HealthSource::of(dir.path(), mounts, 0, 25);
            assert_eq!(source.kind(), "silent");
            assert_eq!(values(&source), [None; 8]);
        }
    }
}
