//! What a page is told while the run trains: server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::site::Site;
use crate::error::Error;
use crate::report::{Ends, Tables};

/// As often as a page is redrawn.
const PERIOD: Duration = Duration::from_millis(500);
/// After so many periods without news a page is told that there are none, to find out that it has gone.
const SILENCE: u32 = 20;

/// The body of the answer: an event with the rows that were added, twice a second, whose id says how far they go. A
/// browser that was cut off asks for what follows the last one by itself.
#[derive(Debug)]
pub struct Feed {
    site: Arc<Site>,
    /// `None` where the page is not one of this dashboard, or can't say what it has.
    after: Option<Ends>,
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
        let after = after.filter(|_| token == site.token);
        Self { site, after, ticks, silent: 0, is_over: false }
    }

    /// The next event, where there is news.
    fn news(&mut self) -> Result<Option<String>, Error> {
        let Some(after) = self.after else {
            self.is_over = true;
            return Ok(Some(event("reload", "")));
        };
        if self.site.is_finished() {
            self.is_over = true;
            return Ok(Some(event("end", &self.site.last_page()?.json())));
        }
        match Tables::read_after(&self.site.subject.directory, after)? {
            None => {
                self.is_over = true;
                Ok(Some(event("reload", "")))
            }
            Some((added, ends)) if !added.is_empty() => {
                self.after = Some(ends);
                // Numbers under names, so that it can't fail.
                let rows = serde_json::to_string(&added).unwrap_or_default();
                Ok(Some(format!("id: {ends}\n{}", event("rows", &rows))))
            }
            Some(_) => Ok(None),
        }
    }

    /// What is sent at a tick.
    fn tick(&mut self) -> Option<String> {
        let news = self.news().unwrap_or_else(|error| {
            tracing::debug!("the dashboard could not read the run: {error}");
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
