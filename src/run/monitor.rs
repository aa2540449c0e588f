//! `monitor.csv`: every episode's return, length and time, as Stable-Baselines3 writes them, for the tools that read it.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files::AppendedFile;
use crate::rows::EpisodeRecord;

/// Most bytes of the first line: an environment's id is short.
const LONGEST: u64 = 10_000;

/// The file, on disk up to its last row. Its format is that of `stable_baselines3.common.monitor` 2.9.2.
#[derive(Debug)]
pub struct Monitor {
    file: AppendedFile,
    head: Head,
}

/// The first line, behind a `#`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Head {
    /// Seconds from 1970 to the start of the run, UTC.
    t_start: f64,
    env_id: String,
}

impl Monitor {
    /// Creates the file of a run that starts now.
    ///
    /// # Errors
    /// Where it exists or can't be written.
    pub fn create(path: &Path, env: &str) -> Result<Self, Error> {
        let head = Head { t_start: now(), env_id: env.to_owned() };
        let line = serde_json::to_string(&head).map_err(|error| Error::file("write", path)(error.into()))?;
        Ok(Self { file: AppendedFile::create(path, format!("#{line}\nr,l,t\n").as_bytes())?, head })
    }

    /// Opens the file as it was when it had `bytes` bytes: the rows after them are cut off.
    ///
    /// # Errors
    /// Where it is shorter, has another first line, or can't be written.
    pub fn reopen(path: &Path, bytes: u64) -> Result<Self, Error> {
        let mut file = AppendedFile::open(path, bytes)?;
        let start = file.start(bytes.min(LONGEST))?;
        let line = start.split(|byte| *byte == b'\n').next().and_then(|line| line.strip_prefix(b"#"));
        let head = line.and_then(|line| serde_json::from_slice(line).ok()).ok_or_else(|| {
            let problem = "its first line is not `#` and a JSON object with t_start and env_id".to_owned();
            Error::Content { path: path.to_owned(), problem }
        })?;
        file.cut(bytes)?;
        Ok(Self { file, head })
    }

    /// Appends an episode.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn append(&mut self, record: &EpisodeRecord) -> Result<(), Error> {
        let EpisodeRecord { episode_return, episode_length, .. } = record;
        let seconds = now() - self.head.t_start;
        self.file.append(format!("{episode_return},{episode_length},{seconds:.6}\n").as_bytes())
    }

    /// Waits until all rows are on the disk and returns how many bytes the file has.
    ///
    /// # Errors
    /// Where they can't be written.
    pub fn sync(&self) -> Result<u64, Error> {
        self.file.sync()
    }
}

/// The column `t` of the file: when every episode ended, in seconds since the start of the run. What is not a whole row is
/// the last one, which is being written.
///
/// # Errors
/// Where the file can't be read.
pub fn episode_times(path: &Path) -> Result<Vec<f64>, Error> {
    #[derive(Deserialize)]
    struct Time {
        t: f64,
    }
    let rows = csv::ReaderBuilder::new().comment(Some(b'#')).from_path(path);
    let rows = rows.map_err(|error| Error::file("read", path)(error.into()))?;
    Ok(rows.into_deserialize().map_while(|row| row.ok().map(|Time { t }| t)).collect())
}

/// Seconds since 1970, UTC.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn episode(episode_return: f64) -> EpisodeRecord {
        EpisodeRecord { episode_return, episode_length: 7, ..EpisodeRecord::default() }
    }

    #[test]
    fn rows_after_the_checkpoint_are_cut_off_and_time_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("monitor.csv");
        let mut monitor = Monitor::create(&path, "X-v0").unwrap();
        monitor.append(&episode(-0.5)).unwrap();
        let bytes = monitor.sync().unwrap();
        monitor.append(&episode(2.0)).unwrap();
        let mut monitor = Monitor::reopen(&path, bytes).unwrap();
        monitor.append(&episode(3.0)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("#{\"t_start\":") && lines[0].ends_with(",\"env_id\":\"X-v0\"}"),
            "{text}"
        );
        assert_eq!(lines[1], "r,l,t");
        assert!(lines[2].starts_with("-0.5,7,") && lines[3].starts_with("3,7,"), "{text}");
        let seconds = |line: &str| line.rsplit(',').next().unwrap().parse::<f64>().unwrap();
        assert!(seconds(lines[3]) >= seconds(lines[2]));
        assert_eq!(episode_times(&path).unwrap(), [lines[2], lines[3]].map(seconds));

        fs::write(&path, "r,l,t\n1,2,3\n").unwrap();
        let problem = Monitor::reopen(&path, 12).unwrap_err().to_string();
        assert!(problem.contains("monitor.csv is not usable: its first line"), "{problem}");
    }
}
