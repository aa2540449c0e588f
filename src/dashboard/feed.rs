//! What a page is told while its runs train: server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::body::{Body, Bytes, Frame};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::site::Site;
use crate::error::Error;
use crate::report::{Ends, Tables};

/// As often as a page is redrawn.
const PERIOD: Duration = Duration::from_millis(500);
/// After so many periods without news a page is told that there are none, to find out that it has gone.
const SILENCE: u32 = 20;

/// A page of several runs is sent anew so often at most, and so seldom that reading the runs for it takes no more than a
/// twentieth of the time.
const PAGE_PERIOD: Duration = Duration::from_secs(2);
const PAGE_SHARE: u32 = 20;

/// The body of the answer. For a page of one run it is an event with the rows that were added, twice a second, whose id
/// says how far they go; a browser that was cut off asks for what follows the last one by itself. For a page of several it
/// is the whole page, since of many long tables a page has a choice of rows.
#[derive(Debug)]
pub struct Feed {
    site: Arc<Site>,
    /// What the page says it is a page of.
    token: String,
    /// Up to where the page has the rows of its one run.
    after: Option<Ends>,
    /// When the page of several runs is read next.
    next: Instant,
    ticks: Interval,
    silent: u32,
    is_over: bool,
}

impl Feed {
    /// What happens after `after`, for a page with this token.
    pub fn new(site: Arc<Site>, token: &str, after: Option<Ends>) -> Self {
        site.begin_feed();
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (token, next) = (token.to_owned(), Instant::now() + PAGE_PERIOD);
        Self { site, token, after, next, ticks, silent: 0, is_over: false }
    }

    /// The next event, where there is news.
    fn news(&mut self) -> Result<Option<String>, Error> {
        // A page that lacks the last runs is told of them here, since it could not ask again.
        if self.site.is_finished() && self.site.is_own(&self.token) {
            let page = self.site.last_page()?.json();
            return Ok(Some(self.last("end", &page)));
        }
        let subjects = self.site.subjects();
        if self.token != self.site.token(&subjects) {
            return Ok(Some(self.last("reload", "")));
        }
        let [subject] = subjects.as_slice() else { return self.page() };
        let added = match self.after {
            None => None,
            Some(after) => Tables::read_after(&subject.directory, after)?,
        };
        match added {
            None => Ok(Some(self.last("reload", ""))),
            Some((added, ends)) if !added.is_empty() => {
                self.after = Some(ends);
                // Numbers under names, so that it can't fail.
                let rows = serde_json::to_string(&added).unwrap_or_default();
                Ok(Some(format!("id: {ends}\n{}", event("rows", &rows))))
            }
            Some(_) => Ok(None),
        }
    }

    /// The page of several runs, where it is time for one.
    fn page(&mut self) -> Result<Option<String>, Error> {
        let started = Instant::now();
        if started < self.next {
            return Ok(None);
        }
        let page = self.site.page().transpose()?;
        self.next = Instant::now() + PAGE_PERIOD.max(started.elapsed() * PAGE_SHARE);
        Ok(page.map(|page| event("page", &page.json())))
    }

    /// An event after which there is none.
    fn last(&mut self, name: &str, data: &str) -> String {
        self.is_over = true;
        event(name, data)
    }

    /// What is sent at a tick.
    fn tick(&mut self) -> Option<String> {
        let news = self.news().unwrap_or_else(|error| {
            tracing::debug!("the dashboard could not read a run: {error}");
            None
        });
        self.silent = if news.is_some() { 0 } else { self.silent + 1 };
        news.or_else(|| self.silent.is_multiple_of(SILENCE).then(|| ": nothing new\n\n".to_owned()))
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.site.end_feed();
    }
}

/// `data` has no line ends, as JSON has none.
fn event(name: &str, data: &str) -> String {
    format!("event: {name}\nretry: 1000\ndata: {data}\n\n")
}

impl Body for Feed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        while !self.is_over {
            ready!(self.ticks.poll_tick(context));
            if let Some(text) = self.tick() {
                return Poll::Ready(Some(Ok(Frame::data(text.into()))));
            }
        }
        Poll::Ready(None)
    }
}
