//! The page of a run, or of several, served while they train.
//!
//! A thread of its own reads the runs' files, as they are on the disk, and shares nothing else with the training: it can
//! neither slow nor stop it. It answers GET alone, on three paths that name no file, and only requests that mean this
//! very server (see `request.rs`).

mod feed;
mod request;
mod server;
mod site;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::error::Error;
use crate::report::Subject;
use site::Site;

/// An address at which a dashboard will be served.
#[derive(Debug)]
pub struct Address {
    socket: TcpListener,
    address: SocketAddr,
}

impl Address {
    /// Takes the address. With port 0 it is a port that is free.
    ///
    /// # Errors
    /// [`Error::Usage`] where it is taken or not one of this machine.
    pub fn bind(address: SocketAddr) -> Result<Self, Error> {
        let bound = TcpListener::bind(address).and_then(|socket| {
            socket.set_nonblocking(true)?;
            Ok(Self { address: socket.local_addr()?, socket })
        });
        bound.map_err(|error| {
            Error::Usage(format!(
                "--dashboard {address} can't be served ({error}); give another address or port, such as --dashboard \
                 127.0.0.1:0 for any that is free"
            ))
        })
    }

    /// What a browser on this machine opens.
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// Whether only programs on this machine reach it.
    pub fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }

    /// Serves the page of the runs that are then [added](Dashboard::add), until the dashboard is dropped.
    ///
    /// # Errors
    /// Where there are no threads left.
    pub fn serve(self) -> io::Result<Dashboard> {
        let site = Arc::new(Site::new(self.address));
        let of_thread = Arc::clone(&site);
        let thread = thread::Builder::new().name("dashboard".to_owned()).spawn(move || {
            if let Err(error) = server::serve(self.socket, &of_thread) {
                tracing::warn!("the dashboard can't be served: {error}");
            }
        })?;
        Ok(Dashboard { site, thread: Some(thread) })
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}/")
}

/// A page that is being served. Dropped, it sends all pages that are open what the runs came to, which takes two seconds at
/// most, and ends.
#[derive(Debug)]
pub struct Dashboard {
    site: Arc<Site>,
    thread: Option<JoinHandle<()>>,
}

impl Dashboard {
    /// Shows a run, beside those that are shown already. Returns whether it is the first, before which there is no page.
    pub fn add(&self, subject: Subject) -> bool {
        self.site.add(subject)
    }

    /// What a browser on this machine opens.
    pub fn url(&self) -> String {
        url(self.site.address)
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.site.finish();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::warn!("the thread of the dashboard ended early");
        }
    }
}
