//! A node's uplink: the engine's actions carried out over real HTTPS.

use evidence::MonoNs;
use exchange::{
    Action, BATCH_HEADER, Failure, Head, Limits, Method, Node, NodeConfig, Report, Request,
    Response, Tick,
};
use ureq::Agent;

use super::{Collector, Log};

/// A node's uplink.
pub(crate) struct Uplink {
    pub(crate) node: Node,
    pub(crate) now: MonoNs,
    pub(crate) reports: Vec<Report>,
    agent: Agent,
}

impl Uplink {
    pub(crate) fn new(collector: &Collector, log: &Log, acked: Option<Head>) -> Self {
        let limits = Limits {
            request_entries_max: 256,
            ..Limits::default()
        };
        let cosigner = collector.cosigner.clone();
        let config = NodeConfig {
            origin: log.origin.clone(),
            cosigner,
            limits,
        };
        Self {
            node: Node::new(config, acked),
            now: MonoNs(0),
            reports: Vec::new(),
            agent: collector.agent(true),
        }
    }

    /// Delivers the log's newest head; calls `before` ahead of every request. Stops after `requests`.
    pub(crate) fn deliver(
        &mut self,
        collector: &mut Collector,
        log: &Log,
        requests: usize,
        mut before: impl FnMut(&mut Collector, usize),
    ) {
        self.node.offer(log.seal());
        self.node.caught_up();
        let mut sent = 0;
        for _ in 0..10_000 {
            match self.node.poll(Tick {
                now: self.now,
                random: 0,
            }) {
                Action::Nothing => return,
                Action::WaitUntil(then) => self.now = then,
                Action::NeedLeaves(need) => self.node.supply(log.supply(need)).unwrap(),
                Action::Report(report) => self.reports.push(report),
                Action::Send(_) if sent >= requests => return,
                Action::Send(request) => {
                    before(collector, sent);
                    sent += 1;
                    let tick = Tick {
                        now: self.now,
                        random: 0,
                    };
                    match self.call(collector, &request) {
                        Some(response) => self.node.answered(tick, request.id, response),
                        None => self.node.failed(tick, request.id, Failure::Lost),
                    }
                }
            }
        }
        panic!("no rest in state {}", self.node.state());
    }

    fn call(&self, collector: &Collector, request: &Request) -> Option<Response> {
        let url = format!("https://{}/{}", collector.addr(), request.path);
        let batch = request
            .batch
            .map_or_else(String::new, |batch| batch.to_string());
        let called = match request.method {
            Method::Get => self.agent.get(&url).call(),
            Method::Post => self
                .agent
                .post(&url)
                .content_type(request.content_type)
                .header(BATCH_HEADER, batch)
                .send(&request.body[..]),
        };
        let mut response = called.ok()?;
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_vec().ok()?;
        Some(Response {
            status,
            body,
            retry_after_s: None,
        })
    }

    pub(crate) fn acked(&self) -> Option<u64> {
        self.node.acked().map(|head| head.size)
    }
}
