//! What the agent thought of every place of a space of two dimensions, or of a plane through a larger one, at several moments: `maps.csv`.

use std::path::Path;

use control_envs::EnvSpec;
use serde::Serialize;

use super::columns::Numbers;
use crate::error::Error;
use crate::rows::{MapRecord, Row, read, whole_maps};
use crate::state_grid::StateGrid;

/// So many cells are on a page at most, those of all moments together.
const CELLS: usize = 60_000;

/// The maps of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Maps {
    /// What x and y are.
    axes: [String; 2],
    /// Whether the space is a grid, its row 0 on top.
    is_grid: bool,
    /// Whether the maps are of a plane through the space, all other variables at their median in the replay.
    is_slice: bool,
    /// The centres of the cells.
    x: Numbers,
    y: Numbers,
    moments: Vec<Moment>,
}

/// The cells at one moment, those of the first y first.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct Moment {
    env_steps: u64,
    visits: Numbers,
    value: Numbers,
    greedy_action: Numbers,
    epistemic_std: Numbers,
    /// Empty without local dropout, and so are the two after it.
    local_p: Numbers,
    place_p: Numbers,
    place_sensitivity: Numbers,
    dataset_size: u64,
    precision: f64,
}

impl Maps {
    /// Those in a run's folder, where it has any.
    ///
    /// # Errors
    /// Where the file can't be read, or its cells are no grid that is the same at every moment.
    pub fn read(folder: &Path, spec: Option<&EnvSpec>) -> Result<Option<Self>, Error> {
        let path = folder.join(MapRecord::FILE);
        if !path.exists() {
            return Ok(None);
        }
        Self::of(&read(&path)?, spec).map_err(|problem| Error::Content { path, problem })
    }

    fn of(rows: &[MapRecord], spec: Option<&EnvSpec>) -> Result<Option<Self>, String> {
        let (columns, maps) = whole_maps(rows);
        let Some(first) = maps.first() else { return Ok(None) };
        let x: Vec<f64> = first[..columns].iter().map(|cell| cell.x).collect();
        let y: Vec<f64> = first.chunks(columns).map(|line| line[0].y).collect();
        let is_cell = |index: usize, cell: &MapRecord| {
            (Some(&cell.x), Some(&cell.y)) == (x.get(index % x.len()), y.get(index / x.len()))
        };
        let lines = y.len();
        let is_sound = |map: &&[MapRecord]| {
            map.len() == columns * lines && map.iter().enumerate().all(|(at, cell)| is_cell(at, cell))
        };
        if !maps.iter().all(is_sound) {
            return Err(format!("its cells are not the same {columns} x {lines} at every moment, y after y"));
        }
        let most = (CELLS / (columns * lines)).max(2);
        let period = maps.len().div_ceil(most).max(1);
        // The last one is kept.
        let mut kept: Vec<Moment> = maps.iter().rev().step_by(period).map(|cells| moment(cells)).collect();
        kept.reverse();
        let space = spec.map(|spec| &spec.observation_space);
        let grid = spec.and_then(StateGrid::of);
        let is_slice = grid.as_ref().is_some_and(StateGrid::is_slice);
        let names = grid.map(|grid| grid.axes().each_ref().map(|axis| axis.name.clone()));
        let axes = names.unwrap_or_else(|| ["x", "y"].map(str::to_owned));
        let is_grid = space.is_some_and(|space| space.one_hot);
        Ok(Some(Self { axes, is_grid, is_slice, x: Numbers::of(x), y: Numbers::of(y), moments: kept }))
    }
}

fn moment(cells: &[MapRecord]) -> Moment {
    let of = |field: fn(&MapRecord) -> f64| Numbers::rounded(cells.iter().map(field));
    let has_local = cells.iter().any(|cell| cell.local_p.is_some());
    let of_local = |field: fn(&MapRecord) -> Option<f64>| match has_local {
        true => Numbers::rounded(cells.iter().map(|cell| field(cell).unwrap_or(f64::NAN))),
        false => Numbers::default(),
    };
    Moment {
        env_steps: cells[0].env_steps,
        visits: of(|cell| cell.visits as f64),
        value: of(|cell| cell.value),
        greedy_action: of(|cell| cell.greedy_action as f64),
        epistemic_std: of(|cell| cell.epistemic_std),
        local_p: of_local(|cell| cell.local_p),
        place_p: of_local(|cell| cell.place_p),
        place_sensitivity: of_local(|cell| cell.place_sensitivity),
        dataset_size: cells[0].dataset_size,
        precision: cells[0].precision,
    }
}

#[cfg(test)]
mod tests {
    use control_envs::{Dimension, EnvSpec, ImageShape};

    use super::*;

    fn rows(moments: u64, has_local: bool) -> Vec<MapRecord> {
        let cell = |env_steps, y: u32, x: u32| MapRecord {
            env_steps,
            x: f64::from(x) + 0.5,
            y: f64::from(y) * 10.0,
            visits: u64::from(x + y),
            value: f64::from(x) / 3.0,
            local_p: has_local.then_some(0.5),
            ..MapRecord::default()
        };
        let cells = move |moment| (0..2).flat_map(move |y| (0..3).map(move |x| cell(1000 * moment, y, x)));
        (1..=moments).flat_map(cells).collect()
    }

    #[test]
    fn cells_become_maps_whose_axes_are_named() {
        let dimensions =
            [Dimension::new("position", "m", -1.0, 1.0), Dimension::new("velocity", "", -1.0, 1.0)];
        let spec = EnvSpec::new("X-v0", dimensions, ["a", "b"]);
        let maps = Maps::of(&rows(2, true), Some(&spec)).unwrap().unwrap();
        let json = serde_json::to_value(&maps).unwrap();
        assert_eq!(json["axes"], serde_json::json!(["position (m)", "velocity"]));
        assert_eq!(
            (json["x"].to_string().as_str(), json["y"].to_string().as_str()),
            ("[0.5,1.5,2.5]", "[0,10]")
        );
        assert_eq!(json["moments"][1]["env_steps"], 2000);
        assert_eq!(json["moments"][1]["value"][1], 0.33333);
        assert_eq!(json["moments"][0]["local_p"].as_array().unwrap().len(), 6);
        let cells: Vec<Dimension> =
            (0..6).map(|cell| Dimension::new(format!("cell {cell}"), "", 0.0, 1.0)).collect();
        let shape = ImageShape { channels: 1, rows: 2, columns: 3 };
        let grid = EnvSpec::new("Y-v0", cells, ["a", "b"]).with_image(shape).with_one_hot();
        let grid = Maps::of(&rows(1, false), Some(&grid)).unwrap().unwrap();
        assert!(
            grid.is_grid && grid.axes == ["column", "row"] && grid.moments[0].local_p == Numbers::default()
        );
        assert_eq!(Maps::of(&[], None).unwrap(), None);
    }

    #[test]
    fn a_moment_that_is_being_written_is_left_out_and_other_cells_are_refused() {
        let mut growing = rows(3, false);
        growing.truncate(15);
        assert_eq!(Maps::of(&growing, None).unwrap().unwrap().moments.len(), 2);
        let mut other = rows(3, false);
        other[7].x = 9.0;
        assert!(Maps::of(&other, None).unwrap_err().contains("3 x 2"));
        let many = Maps::of(&rows(30_000, false), None).unwrap().unwrap();
        assert!(many.moments.len() <= 10_000 && many.moments.last().unwrap().env_steps == 30_000_000);
    }
}
