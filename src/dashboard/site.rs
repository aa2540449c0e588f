//! What a dashboard serves, and whether it still does.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::report::{Page, Subject};

/// What all connections of a dashboard share.
#[derive(Debug)]
pub struct Site {
    subjects: Mutex<Vec<Subject>>,
    /// Where it is served.
    pub address: SocketAddr,
    /// Tells it from another that was served at the same address.
    name: String,
    finished: AtomicBool,
    feeds: AtomicUsize,
}

impl Site {
    /// One without a run, served at `address` from now on.
    pub fn new(address: SocketAddr) -> Self {
        let name = format!("{:x}-{}", jiff::Timestamp::now().as_millisecond(), std::process::id());
        let (finished, feeds) = (AtomicBool::new(false), AtomicUsize::new(0));
        Self { subjects: Mutex::default(), address, name, finished, feeds }
    }

    /// Shows a run too. Returns whether it is the first.
    pub fn add(&self, subject: Subject) -> bool {
        let mut subjects = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        subjects.push(subject);
        subjects.len() == 1
    }

    /// The runs.
    pub fn subjects(&self) -> Vec<Subject> {
        self.subjects.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells a page of these runs from one of other runs, such as those before another one was added, or of another
    /// dashboard.
    pub fn token(&self, subjects: &[Subject]) -> String {
        format!("{}-{}", self.name, subjects.len())
    }

    /// Whether a token is one of this dashboard, for whatever runs.
    pub fn is_own(&self, token: &str) -> bool {
        token.rsplit_once('-').is_some_and(|(name, _)| name == self.name)
    }

    /// The page as it is now, to go on from. `None` before there is a run.
    pub fn page(&self) -> Option<Result<Page, Error>> {
        let subjects = self.subjects();
        (!subjects.is_empty()).then(|| Page::read_live(&subjects, &self.token(&subjects)))
    }

    /// The page of the runs that are over, as their report is.
    pub fn last_page(&self) -> Result<Page, Error> {
        Page::read(&self.subjects())
    }

    /// The runs are over.
    pub fn finish(&self) {
        self.finished.store(true, Ordering::SeqCst);
    }

    /// Whether the runs are over.
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
