//! What the guest boots into: the modules that its disk takes, a shell, this program and its libraries, as an
//! archive in the `newc` format of cpio.

use crate::log::said;
use crate::run::said_by;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Modules of Debian's kernel between the machine's disk and the file system on it.
const MODULES: [&str; 3] = ["virtio_pci", "virtio_blk", "ext4"];
const SHELL: &str = "/bin/busybox";
/// Where this program lies in the guest.
const PROGRAM: &str = "powercut";
const FILE_MODE: u32 = 0o100_755;
const FOLDER_MODE: u32 = 0o040_755;

/// The version of the kernel whose package was unpacked.
pub(super) fn version(parts: &Path) -> Result<String, String> {
    let modules = parts.join("lib/modules");
    let mut names = std::fs::read_dir(&modules)
        .map_err(|error| format!("{}: {error}", modules.display()))?
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .next()
        .ok_or_else(|| format!("{}: no kernel's modules", modules.display()))
}

/// The archive.
pub(super) fn initramfs(parts: &Path, version: &str) -> Result<Vec<u8>, String> {
    let modules = modules(parts, version)?;
    let own = std::env::current_exe().map_err(said)?;
    let mut archive = Archive::default();
    for folder in ["dev", "proc", "ext4", "modules", "bin"] {
        archive.add(folder, FOLDER_MODE, &[]);
    }
    archive.add("init", FILE_MODE, script(&modules).as_bytes());
    archive.add_file(PROGRAM, &own)?;
    archive.add_file(SHELL.trim_start_matches('/'), Path::new(SHELL))?;
    // The shell may be a static program.
    let shell = libraries(Path::new(SHELL)).unwrap_or_default();
    let all: BTreeSet<PathBuf> = libraries(&own)?.into_iter().chain(shell).collect();
    for library in all {
        let name = library.to_string_lossy().into_owned();
        archive.add_folders(&name);
        archive.add_file(name.trim_start_matches('/'), &library)?;
    }
    for module in &modules {
        archive.add_file(&format!("modules/{}", base(module)), module)?;
    }
    Ok(archive.whole())
}

/// The first process of the guest.
fn script(modules: &[PathBuf]) -> String {
    let mut script = format!("#!{SHELL} sh\nB={SHELL}\n");
    script.push_str("$B mount -t proc proc /proc; $B mount -t devtmpfs dev /dev\n");
    for module in modules {
        // One that the processor does not suit is refused, and another serves.
        let _ = writeln!(script, "$B insmod /modules/{}", base(module));
    }
    script.push_str("$B mount -t ext4 -o noatime /dev/vda /ext4\n");
    script.push_str("$B stty -F /dev/ttyS0 raw -echo\n");
    let _ = writeln!(
        script,
        "exec /{PROGRAM} writer --dir /ext4 --class $FN_CLASS --log-seed $FN_LOG --first $FN_FIRST \
         --work-seed $FN_WORK >/dev/ttyS0"
    );
    script
}

/// The files of the modules, in the order in which they go in.
fn modules(parts: &Path, version: &str) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for module in MODULES {
        let mut modprobe = Command::new("modprobe");
        modprobe
            .arg("-d")
            .arg(parts)
            .args(["-S", version, "--show-depends", module]);
        let listed = said_by(&mut modprobe)?;
        let paths = listed
            .lines()
            .filter_map(|line| line.strip_prefix("insmod "));
        for path in paths.map(|path| PathBuf::from(path.trim())) {
            if !files.contains(&path) {
                files.push(path);
            }
        }
    }
    Ok(files)
}

/// The shared libraries of a program, its loader among them.
fn libraries(program: &Path) -> Result<Vec<PathBuf>, String> {
    let listed = said_by(Command::new("ldd").arg(program))?;
    let words = listed.split_whitespace();
    Ok(words
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .collect())
}

fn base(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// An archive being written.
#[derive(Debug, Default)]
struct Archive {
    bytes: Vec<u8>,
    folders: BTreeSet<String>,
    count: u32,
}

impl Archive {
    fn add_file(&mut self, name: &str, file: &Path) -> Result<(), String> {
        let content =
            std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        self.add(name, FILE_MODE, &content);
        Ok(())
    }

    /// The folders above a file.
    fn add_folders(&mut self, name: &str) {
        let mut path = String::new();
        let parts: Vec<&str> = name.trim_start_matches('/').split('/').collect();
        for part in parts.iter().take(parts.len().saturating_sub(1)) {
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part);
            if self.folders.insert(path.clone()) {
                self.add(&path, FOLDER_MODE, &[]);
            }
        }
    }

    fn add(&mut self, name: &str, mode: u32, content: &[u8]) {
        self.count += 1;
        let (inode, links) = (self.count, 1);
        let bytes = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let name_bytes = u32::try_from(name.len() + 1).unwrap_or(u32::MAX);
        let mut header = String::from("070701");
        // inode, mode, owner, group, links, time, bytes, devices (4), bytes of the name, check.
        let fields = [
            inode, mode, 0, 0, links, 0, bytes, 0, 0, 0, 0, name_bytes, 0,
        ];
        for field in fields {
            let _ = write!(header, "{field:08x}");
        }
        self.bytes.extend_from_slice(header.as_bytes());
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn whole(mut self) -> Vec<u8> {
        self.add("TRAILER!!!", 0, &[]);
        self.bytes
    }
}
