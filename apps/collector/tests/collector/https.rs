//! The collector over real HTTPS: delivery, interruption, refusal.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use crate::common::{BASE, Collector, Log, Uplink, check_directory, ix};
use evidence::kinds::Predecessor;
use evidence::{Captured, Digest, Generation};
use exchange::Report;
use exchange::body::{Extent, Format, Part, RunPackage, put_package};
use proof::consistency::build_subtree_proof;
use proof::tree::leaf_hash;
use proof::wire::AddEntriesHeader;
use proof::{Frontier, RangeSource};
use serde_json::Value;

const EVERY: usize = usize::MAX;

fn rows_of(collector: &Collector, log: &Log) -> collector::rows::Rows {
    collector::rows::Rows::open(&collector.log_dir(log).join("rows.redb")).unwrap()
}

//= A1.2
//= A4.7
#[test]
fn a_log_is_delivered_stored_served_and_decoded() {
    let mut log = Log::new(1, None);
    log.grow(700);
    let mut collector = Collector::new(&log);
    let mut uplink = Uplink::new(&collector, &log, None);
    uplink.deliver(&mut collector, &log, EVERY, |_, _| {});
    assert_eq!(uplink.acked(), Some(701));
    check_directory(&collector.log_dir(&log), &log, &collector.cosigner);
    assert!(!collector.log_dir(&log).join("holes.json").exists());

    let hash = proof::tile::origin_directory(&log.origin);
    let (status, note) = collector.get(&format!("{hash}/checkpoint"));
    assert_eq!(
        (status, note),
        (
            200,
            std::fs::read(collector.log_dir(&log).join("checkpoint")).unwrap()
        )
    );
    assert_eq!(collector.get(&format!("{hash}/tile/entries/000")).0, 200);
    assert_eq!(collector.get(&format!("{hash}/state/mirror.json")).0, 404);

    // Grow past a full tile: the partial ones go.
    let dir = collector.log_dir(&log);
    assert!(dir.join("tile/0/002.p/189").exists());
    log.grow(300);
    uplink.deliver(&mut collector, &log, EVERY, |_, _| {});
    check_directory(&dir, &log, &collector.cosigner);
    assert!(!dir.join("tile/0/002.p").exists() && !dir.join("tile/entries/002.p").exists());

    let requests = collector.requests();
    let entries = requests
        .iter()
        .filter(|line| line["path"] == "/add-entries");
    let batches: Vec<&str> = entries.filter_map(|line| line["batch"].as_str()).collect();
    assert_eq!(batches.first().unwrap().len(), 64);
    assert!(
        requests
            .iter()
            .all(|line| line["certificate"].as_str().unwrap().len() == 64)
    );

    let pinned = std::fs::read_to_string(collector.path().join("log-keys")).unwrap();
    assert_eq!(pinned, format!("{}\n", log.vkey()));

    collector.kill();
    let rows = rows_of(&collector, &log);
    assert_eq!(rows.end().unwrap(), log.size());
    assert_eq!(rows.find("m07", 17, "energy").unwrap(), Some(17));
    let row: Value = serde_json::from_str(&rows.get(17).unwrap().unwrap()).unwrap();
    assert_eq!(row["value"], "17.5");
    assert_eq!(
        (row["seq"].as_u64(), row["commit_id"].as_u64()),
        (Some(17), Some(17))
    );
    assert_eq!(row["record_crc_ok"], true);
    assert_eq!(row["time_quality"], "RTC_ONLY");
}

//= A1.2
//= A5.1
#[test]
fn killed_before_any_request_it_goes_on_from_what_it_stored() {
    let mut log = Log::new(1, None);
    log.grow(1_200);
    log.lose(500, 530);
    let mut collector = Collector::new(&log);
    let mut uplink = Uplink::new(&collector, &log, None);
    let mut restarts = 0;
    uplink.deliver(&mut collector, &log, EVERY, |collector, _| {
        collector.kill();
        collector.start();
        restarts += 1;
    });
    assert!(restarts > 5, "{restarts}");
    assert_eq!(uplink.acked(), Some(log.size()));
    check_directory(&collector.log_dir(&log), &log, &collector.cosigner);
    // A node that lost all but its journal asks, and gets the same cosignature again.
    let mut again = Uplink::new(&collector, &log, None);
    again.deliver(&mut collector, &log, EVERY, |_, _| {});
    let line = |uplink: &Uplink| {
        uplink.reports.iter().find_map(|report| match report {
            Report::Acked(acked) => Some(acked.line.clone()),
            _ => None,
        })
    };
    assert!(line(&again).is_some());
    assert_eq!(line(&again), line(&uplink));
}

//= A5.1
#[test]
fn after_a_write_that_failed_it_goes_on_from_what_is_durable_without_a_restart() {
    let mut log = Log::new(1, None);
    log.grow(1_200);
    let mut collector = Collector::new(&log);
    let mut uplink = Uplink::new(&collector, &log, None);
    let mut blocked = None;
    uplink.deliver(&mut collector, &log, EVERY, |collector, sent| {
        // The draft of a state file cannot be made for one request of the middle, as on a full disk.
        let draft = collector.log_dir(&log).join("state/position.json.tmp");
        if sent == 4 {
            std::fs::create_dir(&draft).unwrap();
            blocked = Some(draft);
        } else if let Some(draft) = blocked.take() {
            std::fs::remove_dir(draft).unwrap();
        }
    });
    assert_eq!(uplink.acked(), Some(log.size()));
    let failed = |line: &&Value| line["status"] == 500;
    assert_eq!(collector.requests().iter().filter(failed).count(), 1);
    check_directory(&collector.log_dir(&log), &log, &collector.cosigner);
}

//= A5.1
#[test]
fn killed_within_a_request_it_never_cosigns_what_it_has_not() {
    for delay_ms in [0, 5, 20, 60] {
        let mut log = Log::new(1, None);
        log.grow(2_000);
        let mut collector = Collector::new(&log);
        let mut uplink = Uplink::new(&collector, &log, None);
        uplink.deliver(&mut collector, &log, 3, |_, _| {});
        std::thread::scope(|scope| {
            let (sender, receiver) = std::sync::mpsc::channel::<()>();
            let pid = collector.pid();
            scope.spawn(move || {
                receiver.recv().unwrap();
                std::thread::sleep(Duration::from_millis(delay_ms));
                let pid = rustix::process::Pid::from_raw(pid).unwrap();
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            });
            sender.send(()).unwrap();
            uplink.deliver(&mut collector, &log, 8, |_, _| {});
        });
        collector.kill();
        collector.start();
        uplink.deliver(&mut collector, &log, EVERY, |_, _| {});
        assert_eq!(
            uplink.acked(),
            Some(log.size()),
            "killed after {delay_ms} ms"
        );
        check_directory(&collector.log_dir(&log), &log, &collector.cosigner);
    }
}

//= A1.2
#[test]
fn rows_that_lag_behind_are_decoded_at_the_next_start() {
    let mut log = Log::new(1, None);
    log.grow(300);
    let mut collector = Collector::new(&log);
    let mut uplink = Uplink::new(&collector, &log, None);
    uplink.deliver(&mut collector, &log, EVERY, |_, _| {});
    collector.kill();
    std::fs::remove_file(collector.log_dir(&log).join("rows.redb")).unwrap();
    std::fs::remove_file(collector.log_dir(&log).join("checkpoint")).unwrap();
    collector.start();
    collector.kill();
    assert_eq!(rows_of(&collector, &log).end().unwrap(), 301);
    check_directory(&collector.log_dir(&log), &log, &collector.cosigner);
}

fn fill(log: &Log) -> Vec<u8> {
    let mut source = RangeSource::new(&Frontier::new());
    log.leaves
        .iter()
        .for_each(|leaf| source.push_leaf(leaf_hash(leaf)));
    let (end, mut at) = (log.size(), 0);
    let header = AddEntriesHeader {
        origin: log.origin.clone(),
        upload_start: 0,
        upload_end: end,
        ticket: vec![],
    };
    let mut body = header.encode().unwrap();
    while at < end {
        let extent = Extent::standard(at, end);
        let entries = log.leaves[ix(at)..ix(extent.end)]
            .iter()
            .map(Vec::as_slice)
            .collect();
        let proof = build_subtree_proof(&source, extent.subtree_begin, extent.end, end).unwrap();
        let package = RunPackage {
            extent,
            parts: vec![Part::Entries(entries)],
            proof,
        };
        put_package(&mut body, Format::Standard, &package).unwrap();
        at = extent.end;
    }
    body
}

//= A4.4
#[test]
fn holes_are_kept_beside_the_tiles_and_can_be_filled() {
    let mut log = Log::new(1, None);
    log.grow(3_000);
    log.lose(300, 310);
    log.lose(900, 2_500);
    log.grow(50);
    let mut collector = Collector::new(&log);
    let mut uplink = Uplink::new(&collector, &log, None);
    uplink.deliver(&mut collector, &log, EVERY, |_, _| {});
    let dir = collector.log_dir(&log);
    check_directory(&dir, &log, &collector.cosigner);
    assert!(!dir.join("tile/0/001").exists() && dir.join("holes/entries/001").exists());
    let holes: Value =
        serde_json::from_slice(&std::fs::read(dir.join("holes.json")).unwrap()).unwrap();
    let holes = holes["holes"].as_array().unwrap();
    let lost: u64 = holes
        .iter()
        .map(|hole| hole["count"].as_u64().unwrap())
        .sum();
    assert_eq!(lost, 10 + 1_600);
    assert!(
        holes
            .iter()
            .all(|hole| [3_001, 3_002].contains(&hole["named_by"].as_u64().unwrap()))
    );
    let before = std::fs::read(dir.join("checkpoint")).unwrap();

    let (status, line) = collector.post("add-entries", "application/octet-stream", &fill(&log));
    assert_eq!(status, 200, "{line}");
    assert!(String::from_utf8(before.clone()).unwrap().ends_with(&line));
    let holes: Value =
        serde_json::from_slice(&std::fs::read(dir.join("holes.json")).unwrap()).unwrap();
    let filled: u64 = holes["holes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hole| hole["filled"].as_u64().unwrap())
        .sum();
    assert_eq!(filled, lost);
    assert!(dir.join("tile/0/001").exists() && !dir.join("holes/entries/001").exists());
    log.lost.clear();
    assert_eq!(std::fs::read(dir.join("checkpoint")).unwrap(), before);
    for index in 0..12 {
        assert!(
            dir.join(format!("tile/entries/{index:03}")).exists() || index == 11,
            "{index}"
        );
    }
    // The log goes on, and so does its mirror after a restart.
    log.grow(100);
    collector.kill();
    collector.start();
    uplink.deliver(&mut collector, &log, EVERY, |_, _| {});
    assert_eq!(uplink.acked(), Some(log.size()));
    collector.kill();
    assert!(
        rows_of(&collector, &log).get(1_000).unwrap().is_some(),
        "the filled row"
    );
}

//= A4.1
#[test]
fn each_layer_has_its_counter_and_its_sample() {
    let mut log = Log::new(1, None);
    log.grow(20);
    let mut damaged = Captured::new(&log.reading());
    damaged.record_crc ^= 1;
    log.push_captured(damaged);
    let mut collector = Collector::new(&log);
    let mut uplink = Uplink::new(&collector, &log, None);
    uplink.deliver(&mut collector, &log, 2, |_, _| {});
    let mut body = fill(&log);
    let at = body.len() - 300;
    body[at] ^= 1;
    let (status, _) = collector.post("add-entries", "application/octet-stream", &body);
    assert_eq!(status, 422);
    let sample = std::fs::read(collector.log_dir(&log).join("rejected/00.json")).unwrap();
    let sample: Value = serde_json::from_slice(&sample).unwrap();
    assert!(sample["bytes"].as_str().unwrap().len() > 300);
    uplink.deliver(&mut collector, &log, EVERY, |_, _| {});
    assert_eq!(uplink.acked(), Some(log.size()));
    let last = collector.requests().pop().unwrap();
    assert_eq!(last["counters"]["batch_hash_fail_cnt"], 1);
    assert_eq!(last["counters"]["record_crc_fail_cnt"], 1);
    collector.kill();
    let row = rows_of(&collector, &log).get(21).unwrap().unwrap();
    assert!(row.contains("\"record_crc_ok\":false"), "{row}");
}

//= U4
#[test]
fn a_rollback_is_a_conflict_and_a_new_generation_is_linked_and_supersedes() {
    let mut log = Log::new(1, None);
    log.grow(400);
    let mut collector = Collector::new(&log);
    let mut uplink = Uplink::new(&collector, &log, None);
    uplink.deliver(&mut collector, &log, EVERY, |_, _| {});
    let cosigned = log.seal();

    log.leaves.truncate(200);
    log.branch = 1;
    log.grow(100);
    let mut restored = Uplink::new(&collector, &log, None);
    restored.deliver(&mut collector, &log, EVERY, |_, _| {});
    let conflict = restored.reports.iter().find_map(|report| match report {
        Report::Conflict(conflict) => Some(conflict),
        _ => None,
    });
    let evidence = conflict.unwrap().checkpoint.clone().unwrap();
    let signed = proof::SignedCheckpoint::open(&evidence, &[log.vkey()]).unwrap();
    assert_eq!(signed.checkpoint().size, 401);
    let conflicts =
        std::fs::read_to_string(collector.log_dir(&log).join("conflicts.jsonl")).unwrap();
    let fork: Value = serde_json::from_str(conflicts.lines().next().unwrap()).unwrap();
    assert_eq!(
        (fork["kind"].as_str(), fork["offered"].as_str()),
        (Some("no_prefix"), Some(log.seal().note.as_str()))
    );

    let named = Predecessor {
        generation: Generation(1),
        size: 401,
        root: Digest(cosigned.head.root.0),
        checkpoint: Some(cosigned.note),
        cause: None,
    };
    let mut adopted = Log::new(2, Some(named));
    adopted.grow(30);
    let mut second = Uplink::new(&collector, &adopted, None);
    second.deliver(&mut collector, &adopted, EVERY, |_, _| {});
    assert_eq!(second.acked(), Some(31));
    let follows = std::fs::read(collector.log_dir(&adopted).join("follows.json")).unwrap();
    let follows: Value = serde_json::from_slice(&follows).unwrap();
    assert_eq!(follows["link"], "matches");
    assert_eq!(follows["origin"], format!("{BASE}/g1"));

    // The older generation is closed, also after a restart.
    let mut older = Log::new(1, None);
    older.grow(500);
    for _ in 0..2 {
        let mut late = Uplink::new(&collector, &older, None);
        late.deliver(&mut collector, &older, EVERY, |_, _| {});
        assert_eq!(late.acked(), None);
        assert!(
            late.reports
                .iter()
                .any(|report| matches!(report, Report::Conflict(_)))
        );
        collector.kill();
        collector.start();
    }
}

//= A1.2
#[test]
fn without_a_certificate_nobody_is_served() {
    let log = Log::new(1, None);
    let collector = Collector::new(&log);
    let url = format!("https://{}/add-checkpoint", collector.addr());
    assert!(collector.agent(false).post(&url).send("x").is_err());
    // The collector writes it when it has hung up.
    let turned_away = (0..500).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        collector.book("refusals.jsonl").into_iter().next()
    });
    assert_eq!(
        turned_away.unwrap()["actor"].as_str(),
        Some("127.0.0.1 (address)")
    );
    assert_eq!(
        collector
            .agent(true)
            .post(&url)
            .send("x")
            .unwrap()
            .status()
            .as_u16(),
        400
    );
    let plain = TcpStream::connect(collector.addr()).unwrap();
    plain
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    (&plain)
        .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = (&plain).read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

/// Whether a client that speaks only these versions gets through its handshake.
fn handshake(
    collector: &Collector,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> bool {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let node = collector.dir.path().join("node");
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(node.join("ca.pem")).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            vec![CertificateDer::from_pem_file(node.join("node.pem")).unwrap()],
            PrivateKeyDer::from_pem_file(node.join("node.key")).unwrap(),
        )
        .unwrap();
    let name = "localhost".try_into().unwrap();
    let mut tls = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut tcp = TcpStream::connect(collector.addr()).unwrap();
    let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
    let request = b"GET /x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut answer = Vec::new();
    stream.write_all(request).is_ok() && {
        let _ = stream.read_to_end(&mut answer);
        answer.starts_with(b"HTTP/1.1 404")
    }
}

//= A1.2
#[test]
fn tls_1_2_is_refused() {
    let log = Log::new(1, None);
    let collector = Collector::new(&log);
    assert!(handshake(&collector, &[&rustls::version::TLS13]));
    assert!(!handshake(&collector, &[&rustls::version::TLS12]));
}

//= A4.4
#[test]
fn gzip_bodies_are_taken_and_unknown_types_are_not() {
    let mut log = Log::new(1, None);
    log.grow(600);
    let mut collector = Collector::new(&log);
    let mut uplink = Uplink::new(&collector, &log, None);
    uplink.deliver(&mut collector, &log, 2, |_, _| {});
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&fill(&log)).unwrap();
    let body = gzip.finish().unwrap();
    let url = format!("https://{}/add-entries", collector.addr());
    let send = |content_type: &str, encoding: &str, body: &[u8]| {
        let post = collector.agent(true).post(&url).content_type(content_type);
        post.header("content-encoding", encoding)
            .send(body)
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(send("text/plain", "gzip", &body), 415);
    assert_eq!(send("application/octet-stream", "br", &body), 415);
    assert_eq!(send("application/octet-stream", "gzip", b"not gzip"), 400);
    assert_eq!(
        send("application/octet-stream", "gzip", &body[..body.len() / 2]),
        202
    );
    assert_eq!(send("application/octet-stream", "gzip", &body), 200);
    check_directory(&collector.log_dir(&log), &log, &collector.cosigner);
}

#[test]
fn two_collectors_never_share_a_directory() {
    let log = Log::new(1, None);
    let collector = Collector::new(&log);
    let second = collector::registry::Registry::open(&collector.path(), Vec::new());
    assert!(second.is_err());
}
