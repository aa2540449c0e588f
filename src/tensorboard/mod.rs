//! Event files as [TensorBoard](https://www.tensorflow.org/tensorboard) reads them. Knows nothing of runs.
//!
//! A file is a sequence of [records](record), each an `Event` of TensorFlow's `event.proto`, which is written as a
//! message of Protocol Buffers ([`Message`]). Why not by a crate is in docs/decisions/0015-runs-in-other-tools.md.

mod histogram;
mod record;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::Error;
use crate::files::AppendedFile;
use crate::protobuf::Message;

pub use histogram::Histogram;

/// The version of the format, which every file starts with.
const VERSION: &str = "brain.Event:2";

/// `SessionLog.START`.
const START: u64 = 1;

/// An event file that is on disk up to its last event.
#[derive(Debug)]
pub struct EventWriter(AppendedFile);

impl EventWriter {
    /// Creates the file. TensorBoard takes it for one if its name holds `tfevents`, and reads several of a folder in the
    /// order of their names. What it holds starts at `step`: readers drop what the files before it have of that step and
    /// of those after it.
    ///
    /// # Errors
    /// Where it exists or can't be written.
    pub fn create(path: &Path, step: u64) -> Result<Self, Error> {
        let version = event(0).text(3, VERSION);
        let session = event(step).message(7, &Message::default().whole(1, START));
        let start = [version, session].map(|event| record::framed(&event.into_bytes())).concat();
        AppendedFile::create(path, &start).map(Self)
    }

    /// Appends scalars, each with its tag. What is not finite is left out, since no chart shows it.
    ///
    /// # Errors
    /// Where they can't be written.
    pub fn scalars(&mut self, step: u64, scalars: &[(&str, f64)]) -> Result<(), Error> {
        let finite = scalars.iter().filter(|(_, value)| value.is_finite());
        let values = finite.map(|&(tag, value)| Message::default().text(1, tag).single(2, value as f32));
        self.append(event(step).message(5, &summary(values)))
    }

    /// Appends a histogram.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn histogram(&mut self, step: u64, tag: &str, histogram: &Histogram) -> Result<(), Error> {
        let value = Message::default().text(1, tag).message(5, &histogram.message());
        self.append(event(step).message(5, &summary([value])))
    }

    fn append(&mut self, event: Message) -> Result<(), Error> {
        self.0.append(&record::framed(&event.into_bytes()))
    }
}

/// An `Event` of now.
fn event(step: u64) -> Message {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Message::default().double(1, now.as_secs_f64()).whole(2, step)
}

/// A `Summary` of such values.
fn summary(values: impl IntoIterator<Item = Message>) -> Message {
    values.into_iter().fold(Message::default(), |summary, value| summary.message(1, &value))
}
