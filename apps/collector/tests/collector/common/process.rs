//! A collector's process and its directory, and how a client speaks to it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use proof::note::VerifierKey;
use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use super::Log;

/// A collector's directory and, while it runs, its process.
pub(crate) struct Collector {
    pub(crate) dir: TempDir,
    child: Option<Child>,
    addr: String,
    pub(crate) cosigner: VerifierKey,
    log_keys: Vec<String>,
}

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_fieldnotary-collector"))
}

impl Collector {
    pub(crate) fn new(log: &Log) -> Self {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("c");
        let init = program()
            .args(["init", "--name", "collector.example.org", "--dir"])
            .arg(&path)
            .output()
            .unwrap();
        assert!(init.status.success(), "{init:?}");
        let issue = program()
            .args(["issue", "--reason", "test", "--node", "node7", "--dir"])
            .arg(&path)
            .arg("--out")
            .arg(dir.path().join("node"))
            .output()
            .unwrap();
        assert!(issue.status.success(), "{issue:?}");
        let vkey = String::from_utf8(init.stdout).unwrap();
        let mut collector = Self {
            dir,
            child: None,
            addr: String::new(),
            cosigner: vkey.trim().parse().unwrap(),
            log_keys: vec![log.vkey().to_string()],
        };
        collector.start();
        collector
    }

    /// Gives the key of a log to the next start as well.
    pub(crate) fn pin(&mut self, log: &Log) {
        self.log_keys.push(log.vkey().to_string());
    }

    pub(crate) fn start(&mut self) {
        let ready = self.dir.path().join("ready.json");
        let _ = std::fs::remove_file(&ready);
        let mut command = program();
        command.args([
            "run",
            "--listen",
            "127.0.0.1:0",
            "--die-with-parent",
            "--dir",
        ]);
        command.arg(self.path()).arg("--ready-file").arg(&ready);
        command
            .arg("--log")
            .arg(self.dir.path().join("requests.jsonl"));
        for key in &self.log_keys {
            command.args(["--log-key", key]);
        }
        self.child = Some(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        );
        for _ in 0..1_000 {
            if let Ok(text) = std::fs::read_to_string(&ready)
                && let Ok(value) = serde_json::from_str::<Value>(&text)
            {
                self.addr = value["addr"].as_str().unwrap().to_owned();
                assert_eq!(value["vkey"].as_str().unwrap(), self.cosigner.to_string());
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the collector did not become ready");
    }

    /// Ends the process as a power cut would, as far as a process can be ended so.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.as_ref().unwrap().id()).unwrap()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("c")
    }

    pub(crate) fn log_dir(&self, log: &Log) -> PathBuf {
        self.path()
            .join("logs")
            .join(proof::tile::origin_directory(&log.origin))
    }

    pub(crate) fn addr(&self) -> &str {
        &self.addr
    }

    pub(crate) fn requests(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.path().join("requests.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// A book of its audit.
    pub(crate) fn book(&self, name: &str) -> Vec<Value> {
        let path = self.path().join("audit").join(name);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub(crate) fn agent(&self, with_certificate: bool) -> Agent {
        let node = self.dir.path().join("node");
        let read = |name: &str| std::fs::read(node.join(name)).unwrap();
        let ca = Certificate::from_pem(&read("ca.pem")).unwrap().to_owned();
        let client = with_certificate.then(|| {
            let chain: Vec<_> = parse_pem(&read("node.pem"))
                .filter_map(|item| match item.unwrap() {
                    PemItem::Certificate(certificate) => Some(certificate.to_owned()),
                    _ => None,
                })
                .collect();
            ClientCert::new_with_certs(&chain, PrivateKey::from_pem(&read("node.key")).unwrap())
        });
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[ca]))
            .client_cert(client)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            .build()
            .into()
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let url = format!("https://{}/{path}", self.addr);
        let mut response = self.agent(true).get(&url).call().unwrap();
        (
            response.status().as_u16(),
            response.body_mut().read_to_vec().unwrap(),
        )
    }

    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> (u16, String) {
        let url = format!("https://{}/{path}", self.addr);
        let post = self.agent(true).post(&url).content_type(content_type);
        let mut response = post.send(body).unwrap();
        (
            response.status().as_u16(),
            response.body_mut().read_to_string().unwrap(),
        )
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.kill();
    }
}
