//! A run without a checkpoint, which can only start again from its first step. Nothing that it has computed is
//! removed.

use std::fs;

use super::directory::RunDirectory;
use super::summary::Summary;
use crate::config::Config;
use crate::error::Error;
use crate::files::{read_json, rename, sync_folder};

impl RunDirectory {
    /// Makes way for a new start: sets what the run has left aside, in a folder within its own.
    ///
    /// # Errors
    /// [`Error::Usage`] where the run has finished or was to write no checkpoints, since there is more to lose
    /// than the steps to its first one; and where a file can't be moved.
    pub fn start_over(&self, config: &Config) -> Result<(), Error> {
        let finished = read_json(&self.summary()).is_ok_and(|summary: Summary| summary.ended == "finished");
        let reason = match config.checkpoint.keep {
            0 => "checkpoint.keep = 0 has it write none",
            _ if finished => "they were removed after it had finished",
            _ => return self.set_aside(),
        };
        let (run, file) = (self.path().display(), self.config());
        Err(Error::Usage(format!(
            "{run} cannot be resumed, since it has no checkpoints ({reason}) and would start over from its first \
             step; train anew, into a folder of its own, with `--config {}`",
            file.display()
        )))
    }

    fn set_aside(&self) -> Result<(), Error> {
        let tables = [self.episodes(), self.layers(), self.updates(), self.evaluations(), self.maps()];
        let events = self.event_files()?.into_iter().map(|name| self.path().join(name));
        let files = tables.into_iter().chain([self.monitor(), self.model(), self.summary()]).chain(events);
        let left: Vec<_> = files.into_iter().filter(|file| file.exists()).collect();
        if left.is_empty() {
            return Ok(());
        }
        let mut number = 1;
        let mut aside = self.path().join("before-restart-1");
        while aside.exists() {
            number += 1;
            aside = self.path().join(format!("before-restart-{number}"));
        }
        fs::create_dir(&aside).map_err(Error::file("create the folder", &aside))?;
        for file in left {
            let name = file.file_name().unwrap_or_default();
            rename(&file, &aside.join(name))?;
        }
        sync_folder(self.path())?;
        tracing::warn!(
            "{} was ended before its first checkpoint and starts again from its first step; what it had left is in \
             {}",
            self.path().display(),
            aside.display()
        );
        Ok(())
    }
}
