//! The guest: this very program under a kernel with a simulated chip, and what it says on its serial line.

use crate::far_end::FarEnd;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use trial_guest::{Image, machine};

const MEMORY_MIB: u32 = 256;
/// A chip on the kernel's simulated bus answers at this address.
const WORDS: &str = "i2c_stub.chip_addr=0x48";
/// What the guest's first process does behind the mounts that every guest has.
const LINES: &str = "$B mount -t sysfs sys /sys; $B mount -t configfs config /config\n\
                     /bin/line-guest inside >/dev/ttyS0 2>&1; $B poweroff -f\n";

/// Boots, waits for the end, and gathers what every way said.
pub(crate) fn answer(kernel: &Path) -> Result<Value, String> {
    let began = clocks::mono();
    let failed = |error: std::io::Error| error.to_string();
    let folder = tempfile::tempdir().map_err(failed)?;
    let own = std::env::current_exe().map_err(failed)?;
    let mut image = Image::bare(kernel)?;
    image.program("/bin/line-guest", &own)?;
    image.folder("sys");
    image.folder("config");
    let archive = folder.path().join("initramfs");
    image.write(LINES, &archive)?;
    let (disk, console) = (folder.path().join("disk"), folder.path().join("console"));
    std::fs::write(&disk, [0; 512]).map_err(failed)?;
    let far_end = FarEnd::in_folder(folder.path());
    let mut guest = machine(kernel, &archive, WORDS, MEMORY_MIB, &disk, &console);
    guest.args(far_end.arguments());
    let ended = AtomicBool::new(false);
    let (said, served) = std::thread::scope(|scope| {
        let serving = scope.spawn(|| far_end.serve(&ended));
        let said = trial_guest::said_by(&mut guest);
        ended.store(true, Ordering::Relaxed);
        let served = serving.join();
        (
            said,
            served.unwrap_or_else(|_| Err("the far end of the line failed".to_owned())),
        )
    });
    let said = said?;
    served?;
    let ways: Vec<Value> = said
        .lines()
        .filter_map(|line| serde_json::from_str(line.trim()).ok())
        .collect();
    let whole = ways.iter().any(|way| way.get("end").is_some());
    if !whole {
        let kernel_words = std::fs::read_to_string(&console).unwrap_or_default();
        return Err(format!(
            "the guest did not come to its end: {said}{kernel_words}"
        ));
    }
    let ways: Vec<&Value> = ways.iter().filter(|way| way.get("way").is_some()).collect();
    let bad = ways
        .iter()
        .filter(|way| way.get("ok") != Some(&Value::Bool(true)));
    let seconds = clocks::mono().since(began) / 1_000_000_000;
    Ok(json!({"tried": ways.len(), "failed": bad.count(), "seconds": seconds, "ways": ways}))
}
