//! What a guest boots into: modules, a shell, programs and their libraries, as an archive in the `newc`
//! format of cpio.

use crate::run::said_by;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The shell of a guest, and all its usual programs.
pub const SHELL: &str = "/bin/busybox";
/// Modules of Debian's kernel between the machine's disk and the file system on it.
const MODULES: [&str; 3] = ["virtio_pci", "virtio_blk", "ext4"];
const FILE_MODE: u32 = 0o100_755;
const FOLDER_MODE: u32 = 0o040_755;

/// What one guest boots into, while it is put together.
#[derive(Debug)]
pub struct Image {
    kernel: PathBuf,
    modules: Vec<PathBuf>,
    archive: Archive,
    /// Whether there is a disk to be mounted.
    has_disk: bool,
}

impl Image {
    /// An image with a shell, and with the modules that an ext4 on a virtio disk takes and these ones, of the
    /// kernel whose package was unpacked to `parts`.
    ///
    /// # Errors
    ///
    /// Where there is no such kernel, or no shell.
    pub fn new(parts: &Path, more_modules: &[&str]) -> Result<Self, String> {
        let version = version(parts)?;
        let modules = modules(parts, &version, more_modules)?;
        let kernel = parts.join("boot").join(format!("vmlinuz-{version}"));
        let mut image = Self::bare(&kernel)?;
        for module in &modules {
            let name = format!("modules/{}", base(module));
            image.archive.add_file(&name, module)?;
        }
        Ok(Self {
            modules,
            has_disk: true,
            ..image
        })
    }

    /// An image with a shell alone, for a kernel that needs neither modules nor a disk.
    ///
    /// # Errors
    ///
    /// Where there is no shell.
    pub fn bare(kernel: &Path) -> Result<Self, String> {
        let mut archive = Archive::default();
        for folder in ["dev", "proc"] {
            archive.add_folder(folder);
        }
        let mut image = Self {
            kernel: kernel.to_path_buf(),
            modules: Vec::new(),
            archive,
            has_disk: false,
        };
        // The shell may be a static program, which has no libraries and fails to name them.
        image.archive.add_file(SHELL, Path::new(SHELL))?;
        for library in libraries(Path::new(SHELL)).unwrap_or_default() {
            image
                .archive
                .add_file(&library.to_string_lossy(), &library)?;
        }
        Ok(image)
    }

    /// The kernel that boots it.
    #[must_use]
    pub fn kernel(&self) -> &Path {
        &self.kernel
    }

    /// An empty folder.
    pub fn folder(&mut self, name: &str) {
        self.archive.add_folder(name);
    }

    /// A file of this content.
    pub fn file(&mut self, name: &str, content: &[u8]) {
        self.archive.add(name, content);
    }

    /// A program of this machine under a name of the guest's, with its libraries.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or its libraries cannot be told.
    pub fn program(&mut self, name: &str, file: &Path) -> Result<(), String> {
        self.archive.add_file(name, file)?;
        for library in libraries(file)? {
            self.archive
                .add_file(&library.to_string_lossy(), &library)?;
        }
        Ok(())
    }

    /// Writes the archive; its first process makes the devices and the disk at hand, the disk as `/ext4`,
    /// and goes on with these lines of the shell, in which `$B` is its path.
    ///
    /// # Errors
    ///
    /// Where it cannot be written.
    pub fn write(mut self, lines: &str, to: &Path) -> Result<(), String> {
        let mut script = format!("#!{SHELL} sh\nB={SHELL}\n");
        script.push_str("$B mount -t proc proc /proc; $B mount -t devtmpfs dev /dev\n");
        for module in &self.modules {
            // One that the processor does not suit is refused, and another serves.
            let _ = writeln!(script, "$B insmod /modules/{}", base(module));
        }
        if self.has_disk {
            script.push_str("$B mount -t ext4 -o noatime /dev/vda /ext4\n");
        }
        script.push_str("$B stty -F /dev/ttyS0 raw -echo\n");
        script.push_str(lines);
        self.archive.add_folder("ext4");
        self.archive.add("init", script.as_bytes());
        std::fs::write(to, self.archive.whole())
            .map_err(|error| format!("{}: {error}", to.display()))
    }
}

/// The version of the kernel whose package was unpacked.
fn version(parts: &Path) -> Result<String, String> {
    let modules = parts.join("lib/modules");
    let mut names = std::fs::read_dir(&modules)
        .map_err(|error| format!("{}: {error}", modules.display()))?
        .filter_map(Result::ok)
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    names
        .next()
        .ok_or_else(|| format!("{}: no kernel's modules", modules.display()))
}

/// The files of the modules, in the order in which they go in.
fn modules(parts: &Path, version: &str, more: &[&str]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for module in MODULES.iter().chain(more) {
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
    names: BTreeSet<String>,
    count: u32,
}

impl Archive {
    /// A file of this machine; one that is there already stays as it is.
    fn add_file(&mut self, name: &str, file: &Path) -> Result<(), String> {
        if self.names.contains(name.trim_start_matches('/')) {
            return Ok(());
        }
        let content =
            std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        self.add(name, &content);
        Ok(())
    }

    fn add(&mut self, name: &str, content: &[u8]) {
        let name = name.trim_start_matches('/');
        if let Some((folder, _)) = name.rsplit_once('/') {
            self.add_folder(folder);
        }
        self.names.insert(name.to_owned());
        self.entry(name, FILE_MODE, content);
    }

    /// A folder and those above it.
    fn add_folder(&mut self, name: &str) {
        let name = name.trim_start_matches('/');
        if !self.names.insert(name.to_owned()) {
            return;
        }
        if let Some((above, _)) = name.rsplit_once('/') {
            self.add_folder(above);
        }
        self.entry(name, FOLDER_MODE, &[]);
    }

    fn entry(&mut self, name: &str, mode: u32, content: &[u8]) {
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
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }
}
