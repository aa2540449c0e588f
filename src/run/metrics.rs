//! `episodes.csv` and `updates.csv`, a row as it happens.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::agent::UpdateRecord;
use crate::error::Error;
use crate::training::EpisodeRecord;

/// A CSV file that is on disk up to its last row.
#[derive(Debug)]
struct CsvFile {
    path: PathBuf,
    writer: csv::Writer<File>,
}

impl CsvFile {
    fn create(path: PathBuf, header: &[String]) -> Result<Self, Error> {
        let file = File::create_new(&path).map_err(Error::file("create", &path))?;
        let mut csv = Self { path, writer: csv::Writer::from_writer(file) };
        csv.write(header)?;
        Ok(csv)
    }

    fn write(&mut self, row: &[String]) -> Result<(), Error> {
        let written = self.writer.write_record(row).map_err(std::io::Error::from);
        written.and_then(|()| self.writer.flush()).map_err(Error::file("write", &self.path))
    }
}

/// `episodes.csv`.
#[derive(Debug)]
pub struct EpisodesCsv(CsvFile);

impl EpisodesCsv {
    /// Creates the file with its header, the columns `p_i`, `squared_norm_i` and `sensitivity_i` for each of `layers`.
    ///
    /// # Errors
    /// Where it exists or can't be written.
    pub fn create(path: &Path, layers: usize) -> Result<Self, Error> {
        let mut header: Vec<String> = [
            "episode",
            "total_steps",
            "episode_return",
            "episode_length",
            "terminated",
            "mean_return_100",
            "dataset_size",
            "precision",
            "epistemic_std",
            "exploratory_share",
        ]
        .map(str::to_owned)
        .into();
        for name in ["p", "squared_norm", "sensitivity"] {
            header.extend((0..layers).map(|layer| format!("{name}_{layer}")));
        }
        Ok(Self(CsvFile::create(path.to_owned(), &header)?))
    }

    /// Appends a row.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn append(&mut self, record: &EpisodeRecord) -> Result<(), Error> {
        let mut row = vec![
            record.episode.to_string(),
            record.total_steps.to_string(),
            record.episode_return.to_string(),
            record.episode_length.to_string(),
            record.terminated.to_string(),
            record.mean_return_100.to_string(),
            record.dataset_size.to_string(),
            single(record.precision),
            single(record.epistemic_std),
            record.exploratory_share.map(single).unwrap_or_default(),
        ];
        for layers in [&record.p, &record.squared_norm, &record.sensitivity] {
            row.extend(layers.iter().copied().map(single));
        }
        self.0.write(&row)
    }
}

/// `updates.csv`.
#[derive(Debug)]
pub struct UpdatesCsv(CsvFile);

impl UpdatesCsv {
    /// Creates the file with its header.
    ///
    /// # Errors
    /// Where it exists or can't be written.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let header = [
            "update",
            "total_steps",
            "loss",
            "data_term",
            "weight_term",
            "entropy_term",
            "precision_term",
            "td_error",
            "q_mean",
            "epistemic_std",
            "gradient_norm",
            "learning_rate",
        ];
        Ok(Self(CsvFile::create(path.to_owned(), &header.map(str::to_owned))?))
    }

    /// Appends a row.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn append(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        self.0.write(&[
            record.update.to_string(),
            record.total_steps.to_string(),
            single(record.loss),
            single(record.data_term),
            single(record.weight_term),
            single(record.entropy_term),
            single(record.precision_term),
            single(record.td_error),
            single(record.q_mean),
            single(record.epistemic_std),
            single(record.gradient_norm),
            single(record.learning_rate),
        ])
    }
}

/// A number that comes from f32 arithmetic, in the six significant digits that it is good for.
fn single(value: f64) -> String {
    let rounded = format!("{value:.5e}").parse::<f64>().unwrap_or(value);
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_on_disk_as_they_happen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("episodes.csv");
        let mut csv = EpisodesCsv::create(&path, 2).unwrap();
        let record = EpisodeRecord {
            episode: 1,
            total_steps: 17,
            episode_return: 17.0,
            episode_length: 17,
            terminated: true,
            mean_return_100: 17.5,
            dataset_size: 17,
            precision: 10.0,
            epistemic_std: 0.1,
            exploratory_share: Some(0.25),
            p: vec![0.099_999_994, 0.000_025],
            squared_norm: vec![1.5, 2.0],
            sensitivity: vec![0.5, 0.0],
        };
        csv.append(&record).unwrap();
        csv.append(&EpisodeRecord { exploratory_share: None, ..record }).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "episode,total_steps,episode_return,episode_length,terminated,mean_return_100,dataset_size,precision,\
             epistemic_std,exploratory_share,p_0,p_1,squared_norm_0,squared_norm_1,sensitivity_0,\
             sensitivity_1\n1,17,17,17,true,17.5,17,10,0.1,0.25,0.1,0.000025,1.5,2,0.5,0\n\
             1,17,17,17,true,17.5,17,10,0.1,,0.1,0.000025,1.5,2,0.5,0\n"
        );
        assert!(EpisodesCsv::create(&path, 2).is_err(), "an existing file is never overwritten");
    }
}
