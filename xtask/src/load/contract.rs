//! What a node is to read of the site: three points of each meter in one request, into a ring on this disk.

use super::site::{Carrier, Site};
use std::fmt::Write as _;

const HEAD: &str = r#"[station]
origin = "example.org/load"
[storage]
segment_size = "64MiB"
segments = 8
[[schedule]]
id = "second"
every = "1s"
[[schedule]]
id = "line"
every = "5s"
[[profile]]
id = "meter"
[[profile.point]]
id = "energy"
register = "holding:0"
type = "u32"
[[profile.point]]
id = "voltage"
register = "holding:2"
type = "u16"
[[profile.point]]
id = "power"
register = "holding:4"
type = "i32"
"#;

pub(super) fn contract(site: &Site) -> String {
    let mut text = HEAD.to_owned();
    for port in site.ports() {
        let name = &port.name;
        let schedule = match port.carrier {
            Carrier::Rtu(device) => {
                let _ = writeln!(
                    text,
                    "[[port]]\nid = \"{name}\"\nkind = \"modbus-rtu\"\ndevice = \"{device}\"\nparity = \"none\"\nbaud = 115200"
                );
                "line"
            }
            Carrier::Tcp(address) => {
                let _ = writeln!(
                    text,
                    "[[port]]\nid = \"{name}\"\nkind = \"modbus-tcp\"\naddress = \"{address}\""
                );
                "second"
            }
        };
        for (meter, unit) in port.meters {
            let _ = writeln!(
                text,
                "[[meter]]\nid = \"{meter}\"\nport = \"{name}\"\nunit = {unit}\nschedule = \"{schedule}\"\nprofile = \"meter\""
            );
        }
    }
    text
}
