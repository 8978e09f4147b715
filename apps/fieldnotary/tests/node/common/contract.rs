//! Contracts, written as an integrator would.

use super::sites::{Collector, Peer};
use std::fmt::Write;
use std::path::Path;

/// Where meters are attached.
#[derive(Clone, Copy)]
pub(crate) enum Port<'a> {
    Rtu(&'a str),
    Tcp(&'a str),
}

/// A contract under construction.
pub(crate) struct Contract(String);

impl Contract {
    /// Begins with the station, a ring of segments and a seal every second.
    pub(crate) fn new(origin: &str, segment_size: &str, segments: usize) -> Self {
        Self::with_block(origin, segment_size, segments, 4_096)
    }

    /// The same, with blocks of this many bytes.
    pub(crate) fn with_block(
        origin: &str,
        segment_size: &str,
        segments: usize,
        block: usize,
    ) -> Self {
        Self(format!(
            "[station]\norigin = {origin:?}\n\n[storage]\nsegment_size = {segment_size:?}\n\
             segments = {segments}\nblock = {block}\n\n[seal]\nevery = \"1s\"\n\n"
        ))
    }

    /// A port whose attempts time out after `timeout`, and whose late replies come within `late`.
    pub(crate) fn port(mut self, id: &str, port: Port<'_>, timeout: &str, late: &str) -> Self {
        let kind = match port {
            Port::Rtu(device) => {
                format!(
                    "kind = \"modbus-rtu\"\ndevice = {device:?}\nbaud = 115200\nparity = \"none\""
                )
            }
            Port::Tcp(address) => format!("kind = \"modbus-tcp\"\naddress = {address:?}"),
        };
        let _ = writeln!(
            self.0,
            "[[port]]\nid = {id:?}\n{kind}\ntimeout = {timeout:?}\nlate_reply = {late:?}\n"
        );
        self
    }

    /// A schedule.
    pub(crate) fn schedule(mut self, id: &str, every: &str) -> Self {
        let _ = writeln!(self.0, "[[schedule]]\nid = {id:?}\nevery = {every:?}\n");
        self
    }

    /// A profile: for each point its id, register and type, and whatever else it has.
    pub(crate) fn profile(mut self, id: &str, points: &[(&str, &str, &str, &str)]) -> Self {
        let _ = writeln!(self.0, "[[profile]]\nid = {id:?}\n");
        for (id, register, kind, more) in points {
            let _ = writeln!(
                self.0,
                "[[profile.point]]\nid = {id:?}\nregister = {register:?}\ntype = {kind:?}\n{more}\n"
            );
        }
        self
    }

    /// A meter.
    pub(crate) fn meter(
        mut self,
        id: &str,
        port: &str,
        unit: u64,
        schedule: &str,
        profile: &str,
    ) -> Self {
        let _ = writeln!(
            self.0,
            "[[meter]]\nid = {id:?}\nport = {port:?}\nunit = {unit}\nschedule = {schedule:?}\n\
             profile = {profile:?}\n"
        );
        self
    }

    /// The log is delivered to this collector, with the papers that it made.
    pub(crate) fn delivered_to(self, collector: &Collector) -> Self {
        self.uplink(&collector.address, &collector.key, &collector.tls)
    }

    /// Where the log is delivered, with the papers in `tls`.
    pub(crate) fn uplink(mut self, address: &str, collector_key: &str, tls: &Path) -> Self {
        let file = |name: &str| format!("{:?}", tls.join(name).display().to_string());
        let _ = writeln!(
            self.0,
            "[uplink]\nurl = \"https://{address}\"\ncollector_key = {collector_key:?}\n\
             ca_file = {}\ncert_file = {}\nkey_file = {}\nbackoff = [\"200ms\", \"1s\"]\n\
             timeout = \"5s\"\n",
            file("ca.pem"),
            file("node.pem"),
            file("node.key"),
        );
        self
    }

    /// A contract as somebody wrote it.
    pub(crate) fn of(text: String) -> Self {
        Self(text)
    }

    /// What the clock is measured against: keys and their words.
    pub(crate) fn time(mut self, keys: &[(&str, &str)]) -> Self {
        self.0.push_str("[time]\n");
        for (key, word) in keys {
            let _ = writeln!(self.0, "{key} = {word:?}");
        }
        self.0.push('\n');
        self
    }

    /// Somebody whose time is taken, with keys and their words; [`Self::time`] comes before.
    pub(crate) fn offered(mut self, id: &str, keys: &[(&str, &str)]) -> Self {
        let _ = writeln!(self.0, "[[time.offered]]\nid = {id:?}");
        for (key, word) in keys {
            let _ = writeln!(self.0, "{key} = {word:?}");
        }
        self.0.push('\n');
        self
    }

    /// Its checkpoints are stamped by this authority, for which a root vouches.
    pub(crate) fn stamped_by(mut self, authority: &Peer, root: &Path) -> Self {
        let url = &authority.ready()["url"];
        let _ = writeln!(self.0, "[timestamp]\nurl = {url}\ntrust_file = {root:?}\n");
        self
    }

    /// The firmware that it is part of has this version.
    pub(crate) fn of_firmware(mut self, version: u32) -> Self {
        let _ = writeln!(self.0, "[firmware]\nversion = {version}\n");
        self
    }

    /// The file's text.
    pub(crate) fn toml(&self) -> &str {
        &self.0
    }
}
