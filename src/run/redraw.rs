//! Redraws a run's plots while it trains.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::Error;
use crate::plot::{RunLabel, draw_run};

/// A thread that draws the plots every so often from the run's files. It shares nothing with the training but
/// the disk, so that it can't disturb it.
#[derive(Debug)]
pub struct Redraw {
    folder: PathBuf,
    label: RunLabel,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Redraw {
    /// Starts drawing the run in `folder`.
    pub fn start(folder: PathBuf, label: RunLabel, period: Duration) -> Self {
        let (stop, stopped) = channel::<()>();
        let (thread_folder, thread_label) = (folder.clone(), label.clone());
        let thread = std::thread::Builder::new().spawn(move || {
            while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = draw_run(&thread_folder, &thread_label) {
                    tracing::warn!("could not draw the plots: {error}");
                }
            }
        });
        if let Err(error) = &thread {
            tracing::warn!(
                "the plots are drawn at the end only, since no thread could be started for them: {error}"
            );
        }
        Self { folder, label, stop: Some(stop), thread: thread.ok() }
    }

    /// Ends the thread and draws once more, from the complete files.
    ///
    /// # Errors
    /// Where the last drawing fails.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.stop_thread();
        draw_run(&self.folder, &self.label)
    }

    fn stop_thread(&mut self) {
        // Dropping the sender wakes the thread, which then ends.
        self.stop = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::warn!("the thread that draws the plots ended early");
        }
    }
}

impl Drop for Redraw {
    fn drop(&mut self) {
        self.stop_thread();
    }
}
