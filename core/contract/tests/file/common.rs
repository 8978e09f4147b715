//! A sound file that the tests change, and how they read it.

use fieldnotary_contract::{ContractError, ContractErrors, parse};

/// A sound file that has a bit of everything.
pub(crate) const BASE: &str = r#"[station]
origin = "example.org/s1"
name = "Hall"

[storage]
segments = 4

[seal]
every = "30s"

[uplink]
url = "https://c.example.org"
collector_key = "collector.example.org+15d1a274+BLJlUhQYCbhJkyF9U5xc/X9dHRRjf54/ty7oPUy1d599"
ca_file = "ca.pem"
cert_file = "cert.pem"
key_file = "key.pem"

[[port]]
id = "line"
kind = "modbus-rtu"
device = "/dev/ttyS1"
baud = 9600

[[port]]
id = "spare"
kind = "modbus-rtu"
device = "/dev/ttyS2"

[[port]]
id = "lan"
kind = "modbus-tcp"
address = "10.0.0.5:502"

[[schedule]]
id = "quarter"
every = "15min"

[[profile]]
id = "acme"

[[profile.point]]
id = "energy"
register = "holding:0"
type = "u32"
scale = "0.01"

[[profile.point]]
id = "level"
register = "input:0"
type = "i16"

[[meter]]
id = "m1"
port = "line"
unit = 1 # one
schedule = "quarter" # one
profile = "acme"

[[meter]]
id = "m2"
port = "lan"
unit = 1
schedule = "quarter"

[[meter.point]]
id = "volt"
register = "holding:100"
type = "u16"

[[card]]
id = "dio"
kind = "gpio"
path = "/dev/gpiochip0"

[[card]]
id = "box"
kind = "hwmon"
path = "/sys/class/hwmon/hwmon0"

[[debounce]]
id = "contact"
window = "10ms"

[[di]]
id = "door"
card = "dio"
line = 4
debounce = "contact"
fault_line = 5

[[pulse]]
id = "water"
card = "dio"
line = 6
debounce = "contact"
schedule = "quarter"
weight = "0.01"

[[ai]]
id = "temp"
card = "box"
channel = "temp1_input"
schedule = "quarter"
scale = "0.001"
"#;

/// The sound file with its first `from` replaced.
pub(crate) fn with(from: &str, to: &str) -> String {
    changed(BASE, from, to)
}

/// A sound file with its first `from` replaced.
pub(crate) fn changed(file: &str, from: &str, to: &str) -> String {
    assert!(file.contains(from), "{from:?} is in the sound file");
    file.replacen(from, to, 1)
}

/// The errors of a file.
pub(crate) fn errors(text: &str) -> Vec<ContractError> {
    parse(text).err().unwrap_or_default()
}

/// The error of a file that has exactly one, or else all of them: one mistake never entails others.
pub(crate) fn only_error(text: &str) -> Result<ContractError, String> {
    let mut errors = errors(text);
    let shown = ContractErrors::new("station.toml", &errors).to_string();
    match errors.pop() {
        Some(error) if errors.is_empty() => Ok(error),
        _ => Err(shown),
    }
}
