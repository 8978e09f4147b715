//! What matters for security, told to a receiver that is not ours: rsyslog, over TLS with certificates on both sides.

use crate::common::contract::Contract;
use crate::common::sites::{Node, Street};
use crate::common::{Running, about, done, number, text, wait_until};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const ORIGIN: &str = "example.org/told";
const LONG: Duration = Duration::from_secs(90);

/// An authority, and certificates of a receiver and of a node.
struct Papers(PathBuf);

impl Papers {
    fn new(dir: &Path, name: &str) -> Self {
        let dir = dir.join(name);
        std::fs::create_dir(&dir).unwrap();
        let papers = Self(dir);
        papers.openssl(
            &[
                "req",
                "-x509",
                "-nodes",
                "-days",
                "30",
                "-subj",
                "/CN=authority",
            ],
            "ca",
        );
        std::fs::write(
            papers.0.join("extensions"),
            "basicConstraints = CA:FALSE\nsubjectAltName = DNS:localhost\n",
        )
        .unwrap();
        for own in ["receiver", "station"] {
            papers.openssl(&["req", "-nodes", "-subj", &format!("/CN={own}")], own);
            let mut sign = Command::new("openssl");
            sign.args([
                "x509", "-req", "-days", "30", "-CA", "ca.pem", "-CAkey", "ca.key",
            ]);
            sign.args(["-CAcreateserial", "-extfile", "extensions", "-in"]);
            sign.args([&format!("{own}.pem"), "-out", &format!("{own}.crt")]);
            done(sign.current_dir(&papers.0));
        }
        papers
    }

    fn openssl(&self, words: &[&str], name: &str) {
        let mut command = Command::new("openssl");
        command
            .args(words)
            .args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        command.args([
            "-keyout",
            &format!("{name}.key"),
            "-out",
            &format!("{name}.pem"),
        ]);
        done(command.current_dir(&self.0));
    }

    fn at(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

/// rsyslog, which writes what it understood of each message as a line.
struct Receiver {
    dir: PathBuf,
    port: u16,
    running: Option<Running>,
}

impl Receiver {
    fn new(dir: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            dir: dir.to_path_buf(),
            port: free.local_addr().unwrap().port(),
            running: None,
        }
    }

    fn start(&mut self, papers: &Papers) {
        let (ca, cert, key) = (
            papers.at("ca.pem"),
            papers.at("receiver.crt"),
            papers.at("receiver.key"),
        );
        let (folder, port) = (self.dir.display(), self.port);
        let text = format!(
            "global(workDirectory=\"{folder}\" defaultNetstreamDriver=\"ossl\" defaultNetstreamDriverCAFile=\"{ca}\"\n\
             defaultNetstreamDriverCertFile=\"{cert}\" defaultNetstreamDriverKeyFile=\"{key}\" maxMessageSize=\"16k\")\n\
             module(load=\"imtcp\" streamDriver.name=\"ossl\" streamDriver.mode=\"1\" \
             streamDriver.authMode=\"x509/certvalid\")\n\
             input(type=\"imtcp\" port=\"{port}\")\n\
             template(name=\"parsed\" type=\"string\" string=\"%protocol-version%|%syslogfacility-text%|\
             %syslogseverity-text%|%hostname%|%app-name%|%msgid%|%structured-data%|%msg%\\n\")\n\
             *.* action(type=\"omfile\" file=\"{folder}/messages\" template=\"parsed\")\n"
        );
        let config = self.dir.join("rsyslog.conf");
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("/usr/sbin/rsyslogd");
        command.args(["-n", "-i", "NONE", "-f"]).arg(&config);
        let mut running = Running::start("rsyslogd", &self.dir, &mut command);
        running.ready(|| std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        self.running = Some(running);
    }

    /// Its end comes without warning.
    fn kill(&mut self) {
        self.running = None;
    }

    /// The messages of the node, each as its fields.
    fn heard(&self) -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(self.dir.join("messages")).unwrap_or_default();
        let lines = text
            .lines()
            .map(|line| line.splitn(8, '|').map(str::to_owned).collect());
        let ours = |fields: &Vec<String>| fields.get(4).is_some_and(|app| app == "fieldnotary");
        lines.filter(ours).collect()
    }

    /// The entries that it was told of.
    fn entries(&self) -> BTreeSet<String> {
        let name = |fields: &Vec<String>| {
            let (_, after) = fields[6].split_once("entry=\"")?;
            after.split('"').next().map(str::to_owned)
        };
        self.heard().iter().filter_map(name).collect()
    }
}

fn told_by(receiver: &Receiver, papers: &Papers, contract: Contract) -> Contract {
    let text = format!(
        "\n[syslog]\naddress = \"localhost:{}\"\nca_file = {:?}\ncert_file = {:?}\nkey_file = {:?}\ntimeout = \"2s\"\n",
        receiver.port,
        papers.at("ca.pem"),
        papers.at("station.crt"),
        papers.at("station.key")
    );
    Contract::of(format!("{}{text}", contract.toml()))
}

fn events(data: &Path, code: &str) -> Vec<serde_json::Value> {
    let mut events = about("log", data, &["--kind", "event"]).json_lines();
    events.retain(|event| event["code"] == code);
    events
}

/// The entries of the log of which a receiver has to be told, whatever else it is told of.
fn due(data: &Path) -> BTreeSet<String> {
    let kinds = [
        "audit",
        "maintenance",
        "epoch",
        "configuration",
        "key_store",
    ];
    let words: Vec<&str> = kinds.iter().flat_map(|kind| ["--kind", kind]).collect();
    let entries = about("log", data, &words).entries();
    entries
        .iter()
        .map(|entry| text(entry, "event_id").to_owned())
        .collect()
}

fn work(data: &Path, phase: &str) {
    let said = about(
        "maintenance",
        data,
        &[phase, "--reason", "a \"new\" terminator]"],
    );
    assert_eq!(said.code, Some(0), "{said:?}");
}

fn wait_until_all_is_told(receiver: &Receiver, data: &Path) {
    wait_until("receiver that has everything", LONG, || {
        due(data).is_subset(&receiver.entries()).then_some(())
    });
}

//= R11.5
#[test]
fn a_receiver_is_told_of_what_matters_and_misses_nothing_of_an_outage() {
    let dir = tempfile::tempdir().unwrap();
    let papers = Papers::new(dir.path(), "papers");
    let mut receiver = Receiver::new(dir.path());
    receiver.start(&papers);
    let street = Street::start(dir.path(), 1);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    let node = Node::start(dir.path(), "node", &told_by(&receiver, &papers, contract));
    work(node.data(), "begin");
    wait_until_all_is_told(&receiver, node.data());
    let heard = receiver.heard();
    let of = |kind: &str| {
        heard
            .iter()
            .find(|fields| fields[5] == kind)
            .unwrap()
            .clone()
    };
    let begun = of("maintenance");
    // It is understood field by field, and what is escaped in it comes out as it was.
    assert_eq!(
        begun[..5],
        ["1", "audit", "notice", ORIGIN, "fieldnotary"].map(str::to_owned)
    );
    assert!(
        begun[6].starts_with("[fieldnotary@32473 entry=\"1:"),
        "{begun:?}"
    );
    assert!(begun[7].contains("a \"new\" terminator]"), "{begun:?}");
    assert_eq!(of("epoch")[2], "notice");
    assert!(of("event")[6].contains(" code=\""));
    assert!(heard.iter().all(|fields| fields[5] != "reading"));

    // Away: the node goes on, and its log says it once.
    receiver.kill();
    work(node.data(), "end");
    wait_until("an event", LONG, || {
        work(node.data(), "begin");
        work(node.data(), "end");
        (!events(node.data(), "syslog_down").is_empty()).then_some(())
    });
    let missed: BTreeSet<String> = due(node.data())
        .difference(&receiver.entries())
        .cloned()
        .collect();
    assert!(!missed.is_empty());
    receiver.start(&papers);
    wait_until_all_is_told(&receiver, node.data());
    wait_until("an event", LONG, || {
        (events(node.data(), "syslog_up").len() == 1).then_some(())
    });
    assert_eq!(events(node.data(), "syslog_down").len(), 1);

    // Somebody else in the receiver's place learns nothing.
    receiver.kill();
    let before = receiver.entries().len();
    let others = Papers::new(dir.path(), "others");
    receiver.start(&others);
    work(node.data(), "begin");
    wait_until("an event", LONG, || {
        work(node.data(), "end");
        work(node.data(), "begin");
        events(node.data(), "syslog_down").get(1).cloned()
    });
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(receiver.entries().len(), before);

    // A restart of the node goes on where it stood.
    receiver.kill();
    let data = node.stop();
    receiver.start(&papers);
    let contract = street.contract(Contract::new(ORIGIN, "256KiB", 16));
    let node = Node::start(dir.path(), "node", &told_by(&receiver, &papers, contract));
    wait_until_all_is_told(&receiver, &data);
    node.stop();
    assert_eq!(about("verify", &data, &[]).code, Some(0));
}

//= R11.5
#[test]
fn what_left_the_ring_before_it_could_be_told_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let papers = Papers::new(dir.path(), "papers");
    let mut receiver = Receiver::new(dir.path());
    let street = Street::start(dir.path(), 8);
    let contract = street.contract(Contract::new(ORIGIN, "128KiB", 2));
    let node = Node::start(dir.path(), "node", &told_by(&receiver, &papers, contract));
    wait_until("a ring that has gone round", LONG, || {
        let log = about("log", node.data(), &["--limit", "1", "--kind", "reading"]).json_lines();
        let first = log.iter().find(|one| one.get("commit_id").is_some())?;
        (number(first, "commit_id") > 2_000).then_some(())
    });
    receiver.start(&papers);
    let dropped = wait_until("an event", LONG, || {
        events(node.data(), "syslog_dropped").first().cloned()
    });
    assert!(number(&dropped, "count") > 100, "{dropped}");
    let id = text(&dropped, "event_id").to_owned();
    wait_until("receiver that has it", LONG, || {
        receiver.entries().contains(&id).then_some(())
    });
    node.stop();
}
