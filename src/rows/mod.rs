//! The rows of a run's tables: one structure a table, one writer and one reader for all of them.
//!
//! | table | a row for |
//! |---|---|
//! | `episodes.csv` | [`EpisodeRecord`]: every episode |
//! | `updates.csv` | [`UpdateRecord`]: every `logging.update_period` learner steps |
//! | `evaluations.csv` | [`EvaluationRecord`]: every evaluation while training |
//! | `maps.csv` | [`MapRecord`]: every cell of a plane of states, at five moments |
//! | `layers.csv` | [`LayerRecord`]: every dropout group of every layer, at every episode's end |

mod episode;
mod evaluation;
mod layer;
mod map;
mod number;
mod reader;
mod update;
mod writer;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use episode::EpisodeRecord;
pub use evaluation::EvaluationRecord;
pub use layer::LayerRecord;
pub use map::{MapRecord, whole_maps};
pub use reader::{read, read_after};
pub use update::UpdateRecord;
pub use writer::RowWriter;

/// A row of a table. Its fields are the columns, in their order.
pub trait Row: Default + Serialize + DeserializeOwned {
    /// The table's file in the folder of a run.
    const FILE: &'static str;

    /// What the names of the last columns start with, if there is a column for every layer: `p_` for `p_0`, `p_1`, ...
    const LAYER_COLUMNS: Option<&'static str> = None;

    /// The values of the last columns.
    fn of_layers(&self) -> &[f64] {
        &[]
    }

    /// Sets the values of the last columns.
    fn set_of_layers(&mut self, _values: Vec<f64>) {}

    /// The names of the columns of a run with `layers` layers.
    fn columns(layers: usize) -> Vec<String> {
        // A row with a header and without the columns of the layers; into memory, which does not fail.
        let mut header = csv::Writer::from_writer(Vec::new());
        let written = header.serialize(Self::default()).ok().and_then(|()| header.into_inner().ok());
        let header = String::from_utf8_lossy(&written.unwrap_or_default()).into_owned();
        let names = header.lines().next().unwrap_or_default().split(',').map(str::to_owned);
        let of_layers = Self::LAYER_COLUMNS
            .into_iter()
            .flat_map(|prefix| (0..layers).map(move |layer| format!("{prefix}{layer}")));
        names.chain(of_layers).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn episode() -> EpisodeRecord {
        EpisodeRecord {
            episode: 1,
            total_steps: 17,
            episode_return: 17.0,
            episode_length: 17,
            terminated: true,
            mean_return_100: 17.5,
            dataset_size: 17,
            precision: 10.0,
            epistemic_std: 0.123_456_789,
            aleatoric_std: 0.3,
            exploratory_share: Some(0.25),
            p: vec![0.099_999_994, 0.000_025],
            layers: Vec::new(),
        }
    }

    #[test]
    fn rows_are_on_disk_as_they_happen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("episodes.csv");
        let mut writer = RowWriter::create(&path, 2).unwrap();
        writer.append([&episode()]).unwrap();
        writer.append([&EpisodeRecord { exploratory_share: None, ..episode() }]).unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "episode,total_steps,episode_return,episode_length,terminated,mean_return_100,dataset_size,precision,\
             epistemic_std,aleatoric_std,exploratory_share,p_0,p_1\n1,17,17,17,true,17.5,17,10,0.123457,0.3,0.25,0.1,\
             0.000025\n1,17,17,17,true,17.5,17,10,0.123457,0.3,,0.1,0.000025\n"
        );
        let read: Vec<EpisodeRecord> = read(&path).unwrap();
        assert_eq!((read[0].p.as_slice(), read[0].epistemic_std), (&[0.1, 0.000_025][..], 0.123_457));
        assert_eq!((read[1].exploratory_share, read.len()), (None, 2));
        let taken = RowWriter::<EpisodeRecord>::create(&path, 2).unwrap_err().to_string();
        assert!(taken.contains("episodes.csv"), "an existing file is never overwritten: {taken}");
    }

    #[test]
    fn a_table_is_cut_to_where_it_was_and_written_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("layers.csv");
        let row = |episode| LayerRecord { episode, masks: 4, p: 0.1, ..LayerRecord::default() };
        let mut writer = RowWriter::create(&path, 0).unwrap();
        writer.append(&[row(1), row(1)]).unwrap();
        let bytes = writer.sync().unwrap();
        writer.append(&[row(2)]).unwrap();
        let mut writer = RowWriter::reopen(&path, 0, bytes).unwrap();
        writer.append(&[row(3)]).unwrap();
        let episodes: Vec<u64> = read::<LayerRecord>(&path).unwrap().iter().map(|row| row.episode).collect();
        assert_eq!(episodes, [1, 1, 3]);

        let long = RowWriter::<LayerRecord>::reopen(&path, 0, 10_000).unwrap_err().to_string();
        assert!(long.contains("rows of it are lost"), "{long}");
        let other = RowWriter::<UpdateRecord>::reopen(&path, 0, bytes).unwrap_err().to_string();
        assert!(other.contains("its columns are not those that this program writes"), "{other}");
    }

    #[test]
    fn a_row_that_is_being_written_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("layers.csv");
        fs::write(&path, "episode,layer,group,masks,p,squared_norm,sensitivity\n1,0,0,4,0.1,2,3\n1,1,")
            .unwrap();
        assert_eq!(read::<LayerRecord>(&path).unwrap().len(), 1);
        fs::write(&path, "episode,la").unwrap();
        assert!(read::<LayerRecord>(&path).unwrap().is_empty());
    }

    #[test]
    fn a_table_that_grows_is_read_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("layers.csv");
        let mut writer = RowWriter::create(&path, 0).unwrap();
        let row = |episode| LayerRecord { episode, ..LayerRecord::default() };
        let after = |bytes| {
            let (rows, end) = read_after::<LayerRecord>(&path, bytes).unwrap()?;
            Some((rows.iter().map(|row| row.episode).collect::<Vec<_>>(), end))
        };
        let (none, header) = after(0).unwrap();
        assert!(none.is_empty() && after(header) == Some((vec![], header)));
        writer.append(&[row(1), row(2)]).unwrap();
        let (rows, two) = after(header).unwrap();
        assert_eq!((rows, two), (vec![1, 2], writer.sync().unwrap()));
        writer.append(&[row(3)]).unwrap();
        assert_eq!(after(two).unwrap().0, [3]);
        assert_eq!(after(0).unwrap().0, [1, 2, 3]);
        // What is in the middle of a row, or beyond the end, was never where a row ended.
        assert!(after(3).is_none() && after(two + 1).is_none() && after(two + 1000).is_none());
        let whole = fs::read(&path).unwrap();
        fs::write(&path, [whole.as_slice(), b"4,0,"].concat()).unwrap();
        assert_eq!(after(two).unwrap().0, [3], "a row that is being written is not read");
    }

    #[test]
    fn rows_of_older_versions_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("episodes.csv");
        let columns =
            "episode,total_steps,episode_return,episode_length,terminated,mean_return_100,dataset_size";
        fs::write(
            &path,
            format!("{columns},precision,epistemic_std,p_0,squared_norm_0\n1,9,9,9,false,9,9,2,,0.1,5\n"),
        )
        .unwrap();
        let row = read::<EpisodeRecord>(&path).unwrap().remove(0);
        assert!(row.epistemic_std.is_nan() && row.aleatoric_std.is_nan() && row.exploratory_share.is_none());
        assert_eq!((row.total_steps, row.terminated, row.precision, row.p), (9, false, 2.0, vec![0.1]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("layers.csv");
        let header = "episode,layer,group,masks,p,squared_norm,sensitivity\n";
        for (text, words) in [
            (format!("{header}1,0,0,4,0.1,2,3\n1,0,0,four,0.1,2,3\n"), "line 3"),
            (
                format!("{header}1,0,0,four,0.1,2,3\n"),
                "column `masks` holds `four`, which is not a whole number of 0 or more",
            ),
            (format!("{header}1,0,0\n"), "it has 3 cells where the header has 7"),
            (format!("{header}1,0,0,4,,2,3\n"), "column `p` holds ``, which is not a number"),
            ("episode,layer\n1,0\n".to_owned(), "has no column `group`"),
        ] {
            fs::write(&path, text).unwrap();
            let problem = read::<LayerRecord>(&path).unwrap_err().to_string();
            assert!(problem.contains(words) && problem.contains("layers.csv"), "{problem}");
        }
    }
}
