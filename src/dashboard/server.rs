//! Connections and answers.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{Either, Full};
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::feed::Feed;
use super::request::{Wanted, wanted};
use super::site::Site;
use crate::report::Page;

/// So many connections are held at once; a browser takes about six a page.
const CONNECTIONS: usize = 64;
/// The most bytes that the head of a request may have, and how long it may take.
const HEAD_BYTES: usize = 16 * 1024;
const HEAD_TIME: Duration = Duration::from_secs(5);
/// How often the server looks whether the run is over.
const PERIOD: Duration = Duration::from_millis(200);
/// How long it waits for the pages that are then told so, and for what they are told to have been sent.
const PATIENCE: Duration = Duration::from_secs(2);
const FLUSH: Duration = Duration::from_millis(100);

type Answer = Response<Either<Full<Bytes>, Feed>>;

/// Answers requests until the run is over.
pub fn serve(socket: TcpListener, site: &Arc<Site>) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    runtime.block_on(async {
        let socket = tokio::net::TcpListener::from_std(socket)?;
        let mut connections = JoinSet::new();
        while !site.is_finished() {
            while connections.try_join_next().is_some() {}
            match timeout(PERIOD, socket.accept()).await {
                // One too many is closed.
                Ok(Ok((stream, _))) if connections.len() < CONNECTIONS => {
                    connections.spawn(connection(stream, Arc::clone(site)));
                }
                // Such as too many open files, which may pass.
                Ok(Err(_)) => sleep(PERIOD).await,
                Ok(Ok(_)) | Err(_) => {}
            }
        }
        let latest = Instant::now() + PATIENCE;
        while site.feeds() > 0 && Instant::now() < latest {
            sleep(FLUSH).await;
        }
        sleep(FLUSH).await;
        Ok(())
    })
}

async fn connection(stream: TcpStream, site: Arc<Site>) {
    let service = service_fn(|request| {
        let answer = answer(&request, &site);
        async { Ok::<_, Infallible>(answer) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    // A browser that goes away, or what is no HTTP, is nobody's concern.
    if let Err(error) = served.await {
        tracing::debug!("a connection of the dashboard ended: {error}");
    }
}

fn answer<B>(request: &Request<B>, site: &Arc<Site>) -> Answer {
    let of_page = |text: fn(&Page) -> String, kind| match site.page() {
        Some(Ok(page)) => whole(StatusCode::OK, kind, text(&page)),
        Some(Err(error)) => {
            whole(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("The run can't be read: {error}\n"))
        }
        None => {
            let mut answer =
                whole(StatusCode::SERVICE_UNAVAILABLE, TEXT, "No run has begun yet.\n".to_owned());
            answer.headers_mut().insert("refresh", HeaderValue::from_static("1"));
            answer
        }
    };
    let mut answer = match wanted(request, site.address) {
        Err((status, reason)) => whole(status, TEXT, format!("{reason}\n")),
        Ok(Wanted::Page) => of_page(Page::html, "text/html; charset=utf-8"),
        Ok(Wanted::Data) => of_page(Page::json, "application/json"),
        Ok(Wanted::Events { token, after }) => {
            let feed = Feed::new(Arc::clone(site), &token, after);
            of_kind(StatusCode::OK, "text/event-stream", Either::Right(feed))
        }
    };
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    if answer.status() == StatusCode::METHOD_NOT_ALLOWED {
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    }
    answer
}

const TEXT: &str = "text/plain; charset=utf-8";

fn whole(status: StatusCode, kind: &'static str, text: String) -> Answer {
    of_kind(status, kind, Either::Left(Full::new(text.into())))
}

fn of_kind(status: StatusCode, kind: &'static str, body: Either<Full<Bytes>, Feed>) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
