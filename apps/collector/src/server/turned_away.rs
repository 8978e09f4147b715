//! The one answer that a client has whose certificate was taken back: since when, by whom and why, whatever it asks. What
//! answers here has no way to what is stored.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::block_in_place;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;

use super::body::Pieces;
use super::{Books, Peer};
use crate::limits::{TURNED_AWAY_DRAIN_MS, TURNED_AWAY_MS};

/// Answers once, and closes: whoever is turned away holds no place.
pub(super) async fn answer_once(
    stream: TlsStream<TcpStream>,
    books: Arc<Books>,
    peer: Peer,
    words: String,
) {
    let router = Router::new()
        .fallback(answer)
        .layer(Extension((peer, words)))
        .with_state(books);
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(TURNED_AWAY_MS))
        .keep_alive(false);
    let served = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    // One that does not ask in time, or does not listen, hears nothing.
    let _ = timeout(Duration::from_millis(TURNED_AWAY_MS), served).await;
}

async fn answer(
    State(books): State<Arc<Books>>,
    Extension((peer, words)): Extension<(Peer, String)>,
    request: Request,
) -> Response {
    // What he asks for is his own text, and nothing of it is kept.
    let body = request.into_body();
    block_in_place(|| {
        books
            .refusals
            .refused(&peer.actor, "connect", "collector", &words);
    });
    books.log.line(json!({
        "event": "turned_away",
        "peer": peer.addr,
        "certificate": peer.certificate,
        "status": StatusCode::FORBIDDEN.as_u16(),
        "answer": words,
    }));
    // Thrown away as it comes, for a while: a connection that is closed over unread bytes is reset, and the answer with it.
    let mut unread = Pieces::new(body, false);
    let _ = timeout(Duration::from_millis(TURNED_AWAY_DRAIN_MS), unread.drain()).await;
    let mut response = Response::new(Body::from(words));
    *response.status_mut() = StatusCode::FORBIDDEN;
    let headers = response.headers_mut();
    let text = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(CONTENT_TYPE, text);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
