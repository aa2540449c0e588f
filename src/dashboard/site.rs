//! What a dashboard serves, and whether it still does.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::Error;
use crate::report::{Page, Subject};

/// What all connections of a dashboard share.
#[derive(Debug)]
pub struct Site {
    /// The run.
    pub subject: Subject,
    /// Where it is served.
    pub address: SocketAddr,
    /// Tells a page of this dashboard from one of another that was served at the same address.
    pub token: String,
    finished: AtomicBool,
    feeds: AtomicUsize,
}

impl Site {
    /// The run, served at `address` from now on.
    pub fn new(subject: Subject, address: SocketAddr) -> Self {
        let token = format!("{:x}-{}", jiff::Timestamp::now().as_millisecond(), std::process::id());
        Self { subject, address, token, finished: AtomicBool::new(false), feeds: AtomicUsize::new(0) }
    }

    /// The page as it is now, to go on from.
    pub fn page(&self) -> Result<Page, Error> {
        Page::read_live(&self.subject, &self.token)
    }

    /// The page of the run that is over, as its report is.
    pub fn last_page(&self) -> Result<Page, Error> {
        Page::read(std::slice::from_ref(&self.subject))
    }

    /// The run is over.
    pub fn finish(&self) {
        self.finished.store(true, Ordering::SeqCst);
    }

    /// Whether the run is over.
    pub fn is_finished(&self) -> bool {
        self.finished.load(Ordering::SeqCst)
    }

    /// A page begins to listen.
    pub fn begin_feed(&self) {
        self.feeds.fetch_add(1, Ordering::SeqCst);
    }

    /// A page has gone, or been told all there is.
    pub fn end_feed(&self) {
        self.feeds.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many pages listen.
    pub fn feeds(&self) -> usize {
        self.feeds.load(Ordering::SeqCst)
    }
}
