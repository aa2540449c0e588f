//! The page itself: HTML, style and program around the data.

use serde::Serialize;

use super::Subject;
use super::run::RunData;
use super::tables::Ends;
use crate::config::Config;
use crate::error::Error;
use crate::plot::RunLabel;
use crate::run::compared_labels;

const TEMPLATE: &str = include_str!("../../assets/page/page.html");
const STYLE: &str =
    concat!(include_str!("../../assets/uplot/uPlot.min.css"), include_str!("../../assets/page/page.css"));
/// In the order in which they use each other.
const PROGRAM: &str = concat!(
    include_str!("../../assets/uplot/uPlot.iife.min.js"),
    include_str!("../../assets/page/numbers.js"),
    include_str!("../../assets/page/charts.js"),
    include_str!("../../assets/page/landscape.js"),
    include_str!("../../assets/page/maps.js"),
    include_str!("../../assets/page/episode.js"),
    include_str!("../../assets/page/page.js"),
);

/// About so many rows of each table are on a page, all its runs together: two points a pixel and column.
const ROWS: usize = 12_000;
/// Of each run so many at least.
const ROWS_OF_A_RUN: usize = 600;

/// What a page shows.
#[derive(Debug, Clone, Serialize)]
pub struct Page {
    /// The program that made it.
    version: &'static str,
    runs: Vec<RunData>,
    /// Where it goes on from, while its runs train.
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<Live>,
}

/// How a page is kept up to date.
#[derive(Debug, Clone, Serialize)]
pub struct Live {
    /// What tells the page from those of other dashboards.
    token: String,
    /// Up to where the tables of its one run are in it, as the id of the last event would say; nothing for several runs.
    after: String,
}

impl Page {
    /// Reads the runs.
    ///
    /// # Errors
    /// Where a table of a run can't be read.
    pub fn read(subjects: &[Subject]) -> Result<Self, Error> {
        let most = (ROWS / subjects.len().max(1)).max(ROWS_OF_A_RUN);
        let runs = subjects
            .iter()
            .zip(labels(subjects))
            .map(|(subject, label)| RunData::read(subject, label, most).map(|(run, _)| run));
        Ok(Self { version: env!("CARGO_PKG_VERSION"), runs: runs.collect::<Result<_, _>>()?, live: None })
    }

    /// Reads runs that are training, for the dashboard with this token.
    ///
    /// # Errors
    /// Where a table of a run can't be read.
    pub fn read_live(subjects: &[Subject], token: &str) -> Result<Self, Error> {
        let live = |after| Some(Live { token: token.to_owned(), after });
        let [subject] = subjects else {
            return Ok(Self { live: live(String::new()), ..Self::read(subjects)? });
        };
        let label = RunLabel::of(&subject.config, subject.spec.as_ref());
        let (run, ends): (_, Ends) = RunData::read(subject, label, ROWS)?;
        Ok(Self { version: env!("CARGO_PKG_VERSION"), runs: vec![run], live: live(ends.to_string()) })
    }

    /// The data, as JSON.
    pub fn json(&self) -> String {
        // Maps with text as keys and numbers are all there is in it, so that it can't fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The whole page.
    pub fn html(&self) -> String {
        // What could end the element that holds it is written otherwise.
        let data = self.json().replace('<', "\\u003c");
        let mut html = String::with_capacity(TEMPLATE.len() + STYLE.len() + PROGRAM.len() + data.len());
        let mut rest = TEMPLATE;
        for (mark, content) in [("/*style*/", STYLE), ("/*data*/", &data), ("/*program*/", PROGRAM)] {
            let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
            html.push_str(before);
            html.push_str(content);
            rest = after;
        }
        html + rest
    }
}

/// What the runs of a page are called.
fn labels(subjects: &[Subject]) -> Vec<RunLabel> {
    if let [subject] = subjects {
        return vec![RunLabel::of(&subject.config, subject.spec.as_ref())];
    }
    let configs: Vec<Config> = subjects.iter().map(|subject| subject.config.clone()).collect();
    let of_config = |config: &Config| {
        subjects.iter().find(|subject| subject.config == *config).and_then(|subject| subject.spec.clone())
    };
    compared_labels(&configs, of_config)
}
