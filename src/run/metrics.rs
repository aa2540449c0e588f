//! `episodes.csv` and `updates.csv`, a row as it happens.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
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

    /// Goes on after the first `bytes`: the rows after them are cut off.
    fn reopen(path: PathBuf, header: &[String], bytes: u64) -> Result<Self, Error> {
        let content = |problem| Error::Content { path: path.clone(), problem };
        let file = File::options().read(true).write(true).open(&path);
        let mut file = file.map_err(Error::file("open", &path))?;
        let length = file.metadata().map_err(Error::file("read", &path))?.len();
        if length < bytes {
            return Err(content(format!(
                "it has {length} bytes, but had {bytes} when the checkpoint was made; rows of it are lost"
            )));
        }
        let expected = format!("{}\n", header.join(","));
        let mut found = vec![0; expected.len().min(bytes as usize)];
        file.read_exact(&mut found).map_err(Error::file("read", &path))?;
        if found != expected.as_bytes() {
            return Err(content(format!(
                "its columns are not those that this program writes, {}",
                header.join(",")
            )));
        }
        file.set_len(bytes).map_err(Error::file("cut", &path))?;
        file.seek(SeekFrom::End(0)).map_err(Error::file("read", &path))?;
        Ok(Self { path, writer: csv::Writer::from_writer(file) })
    }

    /// Waits until the rows are on the disk and returns how many bytes they are.
    fn sync(&self) -> Result<u64, Error> {
        let file = self.writer.get_ref();
        let length = file.sync_data().and_then(|()| file.metadata()).map(|metadata| metadata.len());
        length.map_err(Error::file("write", &self.path))
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
        Ok(Self(CsvFile::create(path.to_owned(), &Self::header(layers))?))
    }

    /// Goes on after the first `bytes` of the file and cuts off what follows them.
    ///
    /// # Errors
    /// Where the file is shorter, has other columns, or can't be written.
    pub fn reopen(path: &Path, layers: usize, bytes: u64) -> Result<Self, Error> {
        Ok(Self(CsvFile::reopen(path.to_owned(), &Self::header(layers), bytes)?))
    }

    /// Waits until all rows are on the disk and returns how many bytes the file has.
    ///
    /// # Errors
    /// Where they can't be written.
    pub fn sync(&self) -> Result<u64, Error> {
        self.0.sync()
    }

    fn header(layers: usize) -> Vec<String> {
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
            "aleatoric_std",
            "exploratory_share",
        ]
        .map(str::to_owned)
        .into();
        for name in ["p", "squared_norm", "sensitivity"] {
            header.extend((0..layers).map(|layer| format!("{name}_{layer}")));
        }
        header
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
            single(record.aleatoric_std),
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
        Ok(Self(CsvFile::create(path.to_owned(), &Self::header())?))
    }

    /// As [`EpisodesCsv::reopen`].
    ///
    /// # Errors
    /// As there.
    pub fn reopen(path: &Path, bytes: u64) -> Result<Self, Error> {
        Ok(Self(CsvFile::reopen(path.to_owned(), &Self::header(), bytes)?))
    }

    /// As [`EpisodesCsv::sync`].
    ///
    /// # Errors
    /// As there.
    pub fn sync(&self) -> Result<u64, Error> {
        self.0.sync()
    }

    fn header() -> Vec<String> {
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
        header.map(str::to_owned).into()
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
            aleatoric_std: 0.3,
            exploratory_share: Some(0.25),
            p: vec![0.099_999_994, 0.000_025],
            squared_norm: vec![1.5, 2.0],
            sensitivity: vec![0.5, 0.0],
            groups: Vec::new(),
        };
        csv.append(&record).unwrap();
        csv.append(&EpisodeRecord { exploratory_share: None, ..record }).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "episode,total_steps,episode_return,episode_length,terminated,mean_return_100,dataset_size,precision,\
             epistemic_std,aleatoric_std,exploratory_share,p_0,p_1,squared_norm_0,squared_norm_1,sensitivity_0,\
             sensitivity_1\n1,17,17,17,true,17.5,17,10,0.1,0.3,0.25,0.1,0.000025,1.5,2,0.5,0\n\
             1,17,17,17,true,17.5,17,10,0.1,0.3,,0.1,0.000025,1.5,2,0.5,0\n"
        );
        assert!(EpisodesCsv::create(&path, 2).is_err(), "an existing file is never overwritten");
    }
}
