//! Which requests are answered.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use hyper::http::uri::Authority;
use hyper::{Method, Request, StatusCode};

use crate::report::Ends;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The page.
    Page,
    /// Its data.
    Data,
    /// What happens after these ends of the tables, for the page with this token.
    Events { token: String, after: Option<Ends> },
}

/// Why a request is not answered: its status and a sentence.
pub type Refusal = (StatusCode, &'static str);

/// What a request to the server at `address` asks for.
///
/// # Errors
/// Its refusal. A page of another site can have a browser send requests here, and a name that it makes point to this
/// machine (DNS rebinding) would let it read the answers: so the request must name this server as `localhost` or by a
/// number, and where it is served on the loopback, by one of the loopback.
pub fn wanted<B>(request: &Request<B>, address: SocketAddr) -> Result<Wanted, Refusal> {
    if request.method() != Method::GET {
        return Err((StatusCode::METHOD_NOT_ALLOWED, "Only GET is answered here."));
    }
    let headers = request.headers();
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0");
    if has_body {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, "A request with a body is not answered here."));
    }
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).and_then(|host| host.parse().ok());
    let names = [host.as_ref(), request.uri().authority()];
    let names_us = host.is_some()
        && hosts.next().is_none()
        && names.into_iter().flatten().all(|name| is_us(name, address));
    if !names_us {
        return Err((
            StatusCode::FORBIDDEN,
            "The request names another host. Open the page as localhost, or by the number of this machine's address.",
        ));
    }
    match request.uri().path() {
        "/" => Ok(Wanted::Page),
        "/data.json" => Ok(Wanted::Data),
        "/events" => {
            let asked = |key: &str| {
                let pairs = request.uri().query().unwrap_or_default().split('&');
                pairs
                    .filter_map(|pair| pair.split_once('='))
                    .find(|(name, _)| *name == key)
                    .map(|(_, value)| value)
            };
            // What the browser has already been told comes before what its page began with.
            let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
            let after = last.or(asked("after")).and_then(|id| id.parse().ok());
            Ok(Wanted::Events { token: asked("token").unwrap_or_default().to_owned(), after })
        }
        _ => Err((StatusCode::NOT_FOUND, "There is nothing here; the page is at /.")),
    }
}

fn is_us(name: &Authority, address: SocketAddr) -> bool {
    let host = name.host().trim_start_matches('[').trim_end_matches(']');
    let is_allowed = match host.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || !address.ip().is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    };
    let without_user = !name.as_str().contains('@');
    is_allowed && without_user && name.port_u16().unwrap_or(80) == address.port()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOPBACK: &str = "127.0.0.1:8008";

    fn asked(method: &str, uri: &str, headers: &[(&str, &str)], at: &str) -> Result<Wanted, u16> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        wanted(&request.body(()).unwrap(), at.parse().unwrap()).map_err(|(status, _)| status.as_u16())
    }

    fn get(uri: &str, host: &str) -> Result<Wanted, u16> {
        asked("GET", uri, &[("host", host)], LOOPBACK)
    }

    #[test]
    fn three_paths_are_answered_and_no_other() {
        assert_eq!(get("/", LOOPBACK), Ok(Wanted::Page));
        assert_eq!(get("/?x=1", LOOPBACK), Ok(Wanted::Page));
        assert_eq!(get("/data.json", LOOPBACK), Ok(Wanted::Data));
        for path in [
            "/config.toml",
            "/../../etc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "//etc/passwd",
            "/events/..",
            "/data.json/",
        ] {
            assert_eq!(get(path, LOOPBACK), Err(404), "{path}");
        }
    }

    #[test]
    fn get_alone_is_answered_and_without_a_body() {
        for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "CONNECT"] {
            assert_eq!(asked(method, "/", &[("host", LOOPBACK)], LOOPBACK), Err(405), "{method}");
        }
        for header in [("content-length", "5"), ("transfer-encoding", "chunked")] {
            assert_eq!(asked("GET", "/", &[("host", LOOPBACK), header], LOOPBACK), Err(413));
        }
        assert_eq!(
            asked("GET", "/", &[("host", LOOPBACK), ("content-length", "0")], LOOPBACK),
            Ok(Wanted::Page)
        );
    }

    #[test]
    fn only_requests_that_name_this_server_are_answered() {
        for host in [LOOPBACK, "localhost:8008", "LOCALHOST:8008", "[::1]:8008", "127.0.0.2:8008"] {
            assert!(get("/", host).is_ok(), "{host}");
        }
        let others = [
            "rebound.example:8008",
            "localhost.rebound.example:8008",
            "192.168.1.7:8008",
            "localhost",
            "localhost:80",
            "127.0.0.1:8009",
            "",
            "user@localhost:8008",
        ];
        for host in others {
            assert_eq!(get("/", host), Err(403), "{host}");
        }
        assert_eq!(asked("GET", "/", &[], LOOPBACK), Err(403));
        assert_eq!(
            asked("GET", "/", &[("host", LOOPBACK), ("host", "rebound.example:8008")], LOOPBACK),
            Err(403)
        );
        assert_eq!(get("http://rebound.example:8008/", LOOPBACK), Err(403));
        // Served to the network, it is named by number too, which no name that is rebound is.
        let open = |host| asked("GET", "/", &[("host", host)], "0.0.0.0:8008");
        assert!(open("192.168.1.7:8008").is_ok() && open("localhost:8008").is_ok());
        assert_eq!(open("rebound.example:8008"), Err(403));
    }

    #[test]
    fn events_go_on_from_what_the_browser_was_told_last() {
        let events = |headers: &[(&str, &str)]| {
            let headers = [&[("host", LOOPBACK)], headers].concat();
            match asked("GET", "/events?token=a-1&after=1.2.3.4", &headers, LOOPBACK) {
                Ok(Wanted::Events { token, after }) => (token, after.map(|ends| ends.to_string())),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(events(&[]), ("a-1".to_owned(), Some("1.2.3.4".to_owned())));
        assert_eq!(events(&[("last-event-id", "5.6.7.8")]).1.as_deref(), Some("5.6.7.8"));
        assert_eq!(events(&[("last-event-id", "../x")]).1, None);
    }
}
