//! `--dashboard ADDR`.

use std::net::{Ipv4Addr, SocketAddr};

use crate::dashboard::{Address, Dashboard};
use crate::error::Error;

/// The address that a flag names: a port of this machine, or address and port.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    let local = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let port = text.strip_prefix("localhost:").unwrap_or(text);
    let address = port.parse().map(local).ok().or_else(|| text.parse().ok());
    address.ok_or_else(|| {
        "it must be a port, such as 8008 (0 for any that is free), or an address by number with a port, such as \
         127.0.0.1:8008 or [::1]:8008"
            .to_owned()
    })
}

/// Serves at the address that was asked for, if one was.
pub fn serve(address: Option<SocketAddr>) -> Result<Option<Dashboard>, Error> {
    let Some(address) = address.map(Address::bind).transpose()? else { return Ok(None) };
    if !address.is_loopback() {
        tracing::warn!(
            "the dashboard at {} can be read by every machine that reaches this one, settings and paths included, \
             without a password; 127.0.0.1 keeps it to this machine",
            address.url()
        );
    }
    let served =
        address.serve().inspect_err(|error| tracing::warn!("the dashboard can't be served: {error}"));
    Ok(served.ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_of_this_machine_and_names_are_refused() {
        let read = |text: &str| address(text).map(|address| address.to_string());
        assert_eq!(read("8008").as_deref(), Ok("127.0.0.1:8008"));
        assert_eq!(read("localhost:0").as_deref(), Ok("127.0.0.1:0"));
        assert_eq!(read("0.0.0.0:80").as_deref(), Ok("0.0.0.0:80"));
        assert_eq!(read("[::1]:9").as_deref(), Ok("[::1]:9"));
        for wrong in ["", "70000", "-1", "example.org:80", "127.0.0.1", "http://127.0.0.1:80/"] {
            assert!(read(wrong).unwrap_err().contains("127.0.0.1:8008"), "{wrong}");
        }
    }
}
