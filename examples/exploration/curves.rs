//! From studies to series.

use concrete_dqn::plot::Series;

use crate::study::Study;

/// A series for each agent, a curve for each seed. Studies of one agent follow each other.
pub fn series<'a>(
    studies: impl IntoIterator<Item = &'a Study>,
    mut curve: impl FnMut(&Study) -> Vec<(f64, f64)>,
) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for study in studies {
        let name = study.agent.to_owned();
        match series.last_mut().filter(|series| series.name == name) {
            Some(series) => series.runs.push(curve(study)),
            None => series.push(Series { name, runs: vec![curve(study)] }),
        }
    }
    series
}
