//! HTTPS: TLS 1.3 with client certificates, the two endpoints, and the stored files.

mod body;
mod clients;
mod read;
mod tls;
mod turned_away;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use evidence::Actor;
use evidence::reasons::Outcome;
use exchange::body::Format;
use exchange::collector::{Announcement, Flow, Reply, Upload};
use exchange::{ALARM_HEADER, BATCH_HEADER, CollectorAlarm, CollectorTime, TIME_HEADER};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use proof::limits::ADD_CHECKPOINT_BYTES_MAX;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::block_in_place;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use trust_plane::Rotation;
use trust_plane::limits::ROTATION_BYTES_MAX;

use crate::audit::{Act, Book, Refusals, note};
use crate::clock;
use crate::error::Error;
use crate::limits::{CONNECTIONS_MAX, HANDSHAKE_TIMEOUT_MS, HEAD_TIMEOUT_MS};
use crate::log::RequestLog;
use crate::registry::Registry;
use crate::store::Alarm;
use body::Pieces;
use clients::Standing;

pub use clients::Told;
pub(crate) use tls::certificates;
pub use tls::{Tls, server_side};

/// What every request works with.
#[derive(Debug)]
struct App {
    registry: Registry,
    books: Arc<Books>,
}

/// Where it is told what was asked, and who was turned away.
#[derive(Debug)]
struct Books {
    log: RequestLog,
    refusals: Refusals,
}

/// Who is at the other end.
#[derive(Clone, Debug)]
struct Peer {
    addr: SocketAddr,
    certificate: String,
    actor: Actor,
}

/// A response, with what the request log should say.
#[derive(Debug)]
struct Answer {
    status: u16,
    content_type: &'static str,
    cache: &'static str,
    body: Vec<u8>,
    origin: Option<String>,
    error: Option<String>,
    alarm: Option<CollectorAlarm>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self {
            status: reply.status,
            content_type: reply.content_type,
            cache: "no-store",
            body: reply.body.into_bytes(),
            origin: None,
            error: None,
            alarm: None,
        }
    }
}

impl From<Error> for Answer {
    fn from(error: Error) -> Self {
        let mut answer = Self::from(Reply::text(500, &"storage failed"));
        answer.error = Some(error.to_string());
        answer
    }
}

/// A listening collector.
pub struct Server {
    listener: TcpListener,
    tls: Tls,
    app: Arc<App>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({:?})", self.listener)
    }
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub async fn bind(
        listen: SocketAddr,
        tls: Tls,
        registry: Registry,
        log: RequestLog,
        refusals: Refusals,
    ) -> Result<Self, Error> {
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            let cure = match error.kind() {
                ErrorKind::AddrNotAvailable => format!(
                    "this host has no such address (ip addr shows those it has); give one of them, or \
                     0.0.0.0:{} for all, with --listen",
                    listen.port()
                ),
                ErrorKind::PermissionDenied => {
                    "ports below 1024 need more rights; give another with --listen".to_owned()
                }
                _ => "stop what listens there, or give another address with --listen".to_owned(),
            };
            Error::setup(format!("cannot listen on {listen}: {error}; {cure}"))
        })?;
        Ok(Self {
            listener,
            tls,
            app: Arc::new(App {
                registry,
                books: Arc::new(Books { log, refusals }),
            }),
        })
    }

    /// The address taken.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn addr(&self) -> Result<SocketAddr, Error> {
        self.listener.local_addr().map_err(Error::setup)
    }

    /// What is served.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.app.registry
    }

    /// Serves until the process ends.
    pub async fn serve(self) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            let (stream, addr) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.app
                        .books
                        .log
                        .line(json!({"event": "accept_failed", "detail": error.to_string()}));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (tls, app) = (self.tls.clone(), Arc::clone(&self.app));
            tokio::spawn(async move {
                if let Err(error) = connection(&tls, Arc::clone(&app), stream, addr).await {
                    // Who it was nothing vouches for: he is known by where he called from.
                    let actor = Actor::caller(&addr.ip().to_string());
                    let books = &app.books;
                    block_in_place(|| {
                        books
                            .refusals
                            .refused(&actor, "connect", "collector", &error)
                    });
                    books
                        .log
                        .line(json!({"event": "connection_failed", "peer": addr, "detail": error}));
                }
                drop(place);
            });
        }
    }
}

async fn connection(
    tls: &Tls,
    app: Arc<App>,
    stream: TcpStream,
    addr: SocketAddr,
) -> Result<(), String> {
    let handshake = timeout(
        Duration::from_millis(HANDSHAKE_TIMEOUT_MS),
        TlsAcceptor::from(Arc::clone(&tls.config)).accept(stream),
    );
    let stream = handshake
        .await
        .map_err(|_| "the handshake took too long".to_owned())?
        .map_err(|error| error.to_string())?;
    let (certificate, actor) = tls::peer(stream.get_ref().1);
    let peer = Peer {
        addr,
        certificate,
        actor,
    };
    let standing = tls.standing(stream.get_ref().1);
    if let Standing::TurnedAway(words) = standing.map_err(|error| error.to_string())? {
        let books = Arc::clone(&app.books);
        drop(app);
        turned_away::answer_once(stream, books, peer, words).await;
        return Ok(());
    }
    let router = Router::new()
        .fallback(handle)
        .layer(Extension(peer))
        .with_state(app);
    let service = TowerToHyperService::new(router);
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(HEAD_TIMEOUT_MS));
    // A connection that ends early is the client's affair; the upload goes on from where it stands.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
    Ok(())
}

async fn handle(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let started = clock::instant();
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let mut answer = match (&parts.method, path) {
        (&Method::POST, "/add-checkpoint") => add_checkpoint(&app, body).await,
        (&Method::POST, "/add-rotation") => add_rotation(&app, &peer.actor, body).await,
        (&Method::POST, "/add-entries") => add_entries(&app, &parts.headers, body).await,
        (&Method::GET | &Method::HEAD, _) => read::file(&app.registry, path),
        _ => Answer::from(Reply::text(405, &"the method is not for this path")),
    };
    if answer.status == 403 {
        let scope = answer.origin.as_deref().unwrap_or("no log that is named");
        let why = first_line(&answer.body);
        let refusals = &app.books.refusals;
        block_in_place(|| refusals.refused(&peer.actor, "deliver", scope, &why));
    }
    let found = block_in_place(|| alarms(&app, &peer, &mut answer));
    let took_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    app.books.log.line(json!({
        "event": "request",
        "peer": peer.addr,
        "certificate": peer.certificate,
        "method": parts.method.as_str(),
        "path": path,
        "batch": batch_of(&parts),
        "origin": answer.origin,
        "status": answer.status,
        "answer": (answer.status != 200).then(|| first_line(&answer.body)),
        "error": answer.error,
        "alarms": found,
        "took_us": took_us,
        "counters": app.registry.counters().snapshot().into_iter().collect::<std::collections::BTreeMap<_, _>>(),
    }));
    respond(answer)
}

/// Tells of what was found wrong with a log: in the audit, with the request, and to its node.
fn alarms(app: &App, peer: &Peer, answer: &mut Answer) -> Option<Vec<Alarm>> {
    let origin = answer.origin.as_deref()?;
    // Where its lock is lost to a panic, every request of the log fails and says so.
    let (found, stands) = app.registry.alarms(origin).ok()?;
    answer.alarm = stands;
    for one in &found {
        app.registry.counters().alarm();
        let act = Act {
            actor: &peer.actor,
            action: "deliver",
            scope: origin,
            reason: &format!("{}: {}", one.alarm, one.detail),
            outcome: Outcome::Done,
            count: 1,
        };
        if let Err(error) = note(app.registry.dir(), Book::Alarms, &act) {
            answer.error.get_or_insert(error.to_string());
        }
    }
    (!found.is_empty()).then_some(found)
}

fn batch_of(parts: &Parts) -> Option<String> {
    let batch = parts.headers.get(BATCH_HEADER)?.to_str().ok()?;
    let is_id = batch.len() == 64 && batch.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| batch.to_owned())
}

fn first_line(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.lines().next().unwrap_or_default().to_owned()
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    // Digits and a point are a value of a header.
    if let Ok(time) = HeaderValue::from_str(&CollectorTime::header(clock::utc_ns())) {
        headers.insert(TIME_HEADER, time);
    }
    let alarm = answer.alarm.map(|alarm| alarm.header());
    // Words and digits are a value of a header.
    if let Some(Ok(alarm)) = alarm.map(|alarm| HeaderValue::from_str(&alarm)) {
        headers.insert(ALARM_HEADER, alarm);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(answer.cache));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

/// A body of so many bytes at the most; the answer to a larger one.
async fn bounded(body: Body, bytes_max: usize, larger_than: &str) -> Result<Vec<u8>, Answer> {
    let mut pieces = Pieces::new(body, false);
    let mut bytes = Vec::new();
    while let Some(piece) = pieces.next().await {
        bytes.extend_from_slice(&piece);
        if bytes.len() > bytes_max {
            pieces.drain().await;
            let words = format!("the body is larger than {larger_than} can be");
            return Err(Answer::from(Reply::text(413, &words)));
        }
    }
    Ok(bytes)
}

async fn add_rotation(app: &App, actor: &Actor, body: Body) -> Answer {
    let bytes = match bounded(body, ROTATION_BYTES_MAX, "a statement of new keys").await {
        Ok(bytes) => bytes,
        Err(answer) => return answer,
    };
    let stated = match Rotation::read(&bytes) {
        Ok(stated) => stated,
        Err(error) => return Answer::from(Reply::text(400, &error)),
    };
    let reply = block_in_place(|| app.registry.add_rotation(&stated, &bytes, actor));
    let mut answer = reply.map_or_else(Answer::from, Answer::from);
    answer.origin = Some(stated.origin());
    answer
}

async fn add_checkpoint(app: &App, body: Body) -> Answer {
    let bytes = match bounded(body, ADD_CHECKPOINT_BYTES_MAX, "a checkpoint").await {
        Ok(bytes) => bytes,
        Err(answer) => return answer,
    };
    let announcement = match Announcement::read(&bytes) {
        Ok(announcement) => announcement,
        Err(reply) => return Answer::from(reply),
    };
    let reply = block_in_place(|| app.registry.add_checkpoint(&announcement));
    let mut answer = reply.map_or_else(Answer::from, Answer::from);
    answer.origin = Some(announcement.origin().to_owned());
    answer
}

async fn add_entries(app: &App, headers: &HeaderMap, body: Body) -> Answer {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let gzip = text(axum::http::header::CONTENT_ENCODING).unwrap_or("identity");
    let mut pieces = Pieces::new(body, gzip.eq_ignore_ascii_case("gzip"));
    let format = Format::from_content_type(text(CONTENT_TYPE).unwrap_or_default());
    let known = gzip.eq_ignore_ascii_case("gzip") || gzip.eq_ignore_ascii_case("identity");
    let Some(format) = format.filter(|_| known) else {
        pieces.drain().await;
        return Answer::from(Reply::text(
            415,
            &"the content type or encoding is not known here",
        ));
    };
    let mut upload = Upload::new(format);
    let early = take(app, &mut pieces, &mut upload).await;
    let reply = match early {
        Ok(Some(reply)) => {
            pieces.drain().await;
            Ok(reply)
        }
        Ok(None) => block_in_place(|| app.registry.finish(&mut upload)),
        Err(error) => Err(error),
    };
    let mut answer = reply.map_or_else(Answer::from, Answer::from);
    answer.origin = upload.origin().ok().flatten().map(ToOwned::to_owned);
    answer
}

/// Streams a body into an upload; a reply where one is due before the body ends.
async fn take(app: &App, pieces: &mut Pieces, upload: &mut Upload) -> Result<Option<Reply>, Error> {
    while let Some(piece) = pieces.next().await {
        if !upload.push(&piece) {
            pieces.drain().await;
            break;
        }
        match block_in_place(|| app.registry.advance(upload))? {
            Flow::More => {}
            Flow::Answer(reply) => return Ok(Some(reply)),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
