//! What is said when the collector listens: where, as whom, for whom, and what it holds.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::Error;
use crate::identity::{TlsFiles, url_of};
use crate::registry::{Held, Pin, Registry};
use crate::say::quoted;
use crate::server::certificates;
use certificates::Holder;

/// The facts of a collector that listens.
#[derive(Clone, Debug)]
pub struct Ready {
    addr: SocketAddr,
    dir: PathBuf,
    server: Holder,
    clients: Vec<Holder>,
    client_ca: PathBuf,
    vkey: String,
    pins: Vec<Pin>,
    logs: Vec<Held>,
    unserved: Vec<String>,
    begun: Vec<(String, u64)>,
}

impl Ready {
    /// Gathers the facts.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn of(
        addr: SocketAddr,
        dir: &Path,
        files: &TlsFiles,
        registry: &Registry,
    ) -> Result<Self, Error> {
        let holders = |path: &Path, what: &str| -> Result<Vec<Holder>, Error> {
            let found = certificates(path, what)?;
            Ok(found.iter().map(|der| Holder::of(der)).collect())
        };
        let server = holders(&files.cert, "the server's certificate")?;
        Ok(Self {
            addr,
            dir: dir.to_path_buf(),
            server: server.into_iter().next().unwrap_or_default(),
            clients: holders(&files.client_ca, "the authority of the clients")?,
            client_ca: files.client_ca.clone(),
            vkey: registry.identity().vkey().to_string(),
            pins: registry.pins()?,
            logs: registry.held()?,
            unserved: registry.unserved()?,
            begun: registry.begun()?,
        })
    }

    fn url(&self) -> String {
        match self.addr.ip().is_unspecified() {
            // Every address of this machine: the certificate knows a name for it.
            true => url_of(&self.server.hosts, self.addr.port()),
            false => format!("https://{}", self.addr),
        }
    }

    fn authorities(&self) -> Vec<String> {
        let name = |holder: &Holder| holder.name.clone();
        self.clients.iter().filter_map(name).collect()
    }

    /// One object, for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let log = |log: &Held| {
            json!({
                "origin": log.origin,
                "cosigned": log.cosigned,
                "stored": log.stored,
                "dir": self.dir.join(&log.dir).display().to_string(),
                "alarms": log.alarms,
                "followed_by": log.followed_by,
            })
        };
        let begun = |(origin, since): &(String, u64)| json!({"origin": origin, "since": since});
        let pin = |pin: &Pin| {
            json!({
                "vkey": pin.key().to_string(),
                "prefix": pin.prefix(),
                "revoked": pin.how_revoked(),
            })
        };
        json!({
            "addr": self.addr.to_string(),
            "url": self.url(),
            "pid": std::process::id(),
            "dir": self.dir.display().to_string(),
            "vkey": self.vkey,
            "certificate_name": self.server.name,
            "certificate_hosts": self.server.hosts,
            "client_authorities": self.authorities(),
            "log_keys": self.pins.iter().map(pin).collect::<Vec<_>>(),
            "logs": self.logs.iter().map(log).collect::<Vec<_>>(),
            "logs_not_served": self.unserved,
            "witness_begun": self.begun.iter().map(begun).collect::<Vec<_>>(),
        })
    }

    /// Lines for people.
    #[must_use]
    pub fn page(&self) -> String {
        let dir = quoted(&self.dir.display().to_string());
        let mut lines = vec![
            format!("collector ready on {}, {}", self.addr, self.url()),
            format!("  directory    {dir}"),
            format!("  certificate  for {}", self.server.hosts.join(", ")),
            format!(
                "  clients      with a certificate of {}, {}",
                self.authorities().join(" or "),
                self.client_ca.display()
            ),
            format!(
                "               make one: fieldnotary-collector issue --dir {dir} --node NAME --out DIR \
                 --reason TEXT"
            ),
            format!("  cosigns as   {}", self.vkey),
        ];
        for pin in &self.pins {
            let (key, prefix) = (pin.key(), pin.prefix());
            lines.push(format!("  log key      {key}"));
            if let Some(how) = pin.how_revoked() {
                lines.push(format!(
                    "               REVOKED {how}: nothing that it signs is taken"
                ));
                continue;
            }
            lines.push(format!(
                "               for {prefix} and its generations {prefix}/gN"
            ));
        }
        lines.extend(self.logs());
        for (origin, since) in &self.begun {
            lines.push(format!(
                "  witness      {origin}: begins with entry {since}; the log was taken by a version without one"
            ));
        }
        for origin in &self.unserved {
            lines.push(format!(
                "  not served   {origin}: no --log-key covers it; what it holds stays as it is"
            ));
        }
        lines.push(format!(
            "  verify       fieldnotary verify {dir} --anchor VKEY"
        ));
        lines.push("               with a log key that you have from the node itself".to_owned());
        lines.push(
            "  requests     one JSON line each, on standard error or in the file of --log"
                .to_owned(),
        );
        lines.push("Ctrl-C stops it; everything answered is durable.".to_owned());
        lines.join("\n")
    }

    fn logs(&self) -> Vec<String> {
        if self.logs.is_empty() {
            let words = "none yet: the first delivery of a node makes one";
            return vec![format!("  logs held    {words}")];
        }
        let titles = ["logs held"].into_iter().chain(std::iter::repeat(""));
        let line = |(title, log): (&str, &Held)| {
            let Held {
                origin,
                cosigned,
                stored,
                ..
            } = log;
            let more = stored.saturating_sub(*cosigned);
            let more = match more {
                0 => String::new(),
                more => format!(", {more} more stored"),
            };
            format!("  {title:<12} {origin}: {cosigned} entries cosigned{more}")
        };
        let alarms = |log: &Held| {
            let all = log.alarms.iter().map(|one| {
                let entry = one
                    .entry
                    .map_or_else(String::new, |entry| format!(" (entry {entry})"));
                format!("  ALARM        {}{entry}: {}", one.alarm, one.detail)
            });
            all.collect::<Vec<_>>()
        };
        let lines = titles.zip(&self.logs);
        lines
            .flat_map(|(title, log)| [vec![line((title, log))], alarms(log)].concat())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, Pin, Ready};
    use certificates::Holder;
    use proof::note::{Algorithm, VerifierKey};

    fn pin(seed: u8) -> Pin {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).verifying_key();
        let key = VerifierKey::ed25519("n", key.as_bytes(), Algorithm::Ed25519).unwrap();
        Pin::new(key, "meters.example/7")
    }

    fn ready(logs: Vec<Held>) -> Ready {
        let holder = |name: &str, hosts: &[&str]| Holder {
            name: Some(name.to_owned()),
            hosts: hosts.iter().map(ToString::to_string).collect(),
            ..Holder::default()
        };
        Ready {
            addr: "127.0.0.1:7443".parse().unwrap(),
            dir: "/srv/a b".into(),
            server: holder("c.example server", &["127.0.0.1", "c.example"]),
            clients: vec![holder("c.example authority", &[])],
            client_ca: "/srv/a b/tls/ca.pem".into(),
            vkey: "c.example+1+A".into(),
            pins: vec![pin(2), pin(3).revoked("on 2026-11-30, stolen")],
            logs,
            unserved: vec!["meters.example/8/g1".into()],
            begun: vec![("meters.example/9/g1".into(), 70)],
        }
    }

    #[test]
    fn the_page_says_where_as_whom_for_whom_and_what_is_held() {
        let held = Held {
            origin: "meters.example/7/g1".into(),
            cosigned: 70,
            stored: 90,
            dir: "logs/00".into(),
            alarms: vec![crate::store::Alarm {
                number: 1,
                at_ms: 1,
                alarm: "replaced_counter".into(),
                shown_by: crate::store::ShownBy::Counter,
                entry: Some(66),
                cosigned: 70,
                counter: Some("plain".into()),
                bound: Some(98),
                value: Some(3),
                detail: "the plain counter went from 98 to 3".into(),
                went_on: None,
            }],
            followed_by: None,
        };
        let page = ready(vec![held.clone()]).page();
        for part in [
            "ready on 127.0.0.1:7443, https://127.0.0.1:7443\n",
            "directory    '/srv/a b'\n",
            "for 127.0.0.1, c.example\n",
            "of c.example authority, ",
            "cosigns as   c.example+1+A\n",
            &format!(
                "log key      {}\n               for meters.example/7 and",
                pin(2).key()
            ),
            &format!(
                "log key      {}\n               REVOKED on 2026-11-30, stolen: nothing",
                pin(3).key()
            ),
            "logs held    meters.example/7/g1: 70 entries cosigned, 20 more stored\n",
            "\n  ALARM        replaced_counter (entry 66): the plain counter went from 98 to 3\n",
            "witness      meters.example/9/g1: begins with entry 70;",
            "not served   meters.example/8/g1: no --log-key",
            "fieldnotary verify '/srv/a b' --anchor",
        ] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        assert!(ready(Vec::new()).page().contains("none yet"));
        let mut everywhere = ready(Vec::new());
        everywhere.addr = "0.0.0.0:443".parse().unwrap();
        assert_eq!(everywhere.url(), "https://c.example:443");
        let json = ready(vec![held]).json();
        assert_eq!(json["log_keys"][1]["revoked"], "on 2026-11-30, stolen");
        assert_eq!(json["logs"][0]["cosigned"], 70);
        assert_eq!(json["logs"][0]["dir"], "/srv/a b/logs/00");
        assert_eq!(json["certificate_hosts"][1], "c.example");
    }
}
