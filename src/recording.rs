//! An episode of a policy, step by step, to be watched: `recording.json`.

use control_envs::{Drawing, Ink, Shape};
use serde::Serialize;
use serde_json::{Value, json};

/// So many values of an observation are worth their room where there is a picture of the state.
const OBSERVED: usize = 64;

/// An episode as a policy played it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Recording {
    /// Its steps, in order.
    pub steps: Vec<RecordedStep>,
    /// Whether it ended; otherwise there was more of it.
    pub is_whole: bool,
}

/// What was seen, thought and done at a step. Values are in units of the return; without a reward in training they have
/// none and are null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordedStep {
    /// The observation; empty where it is an image of which there is a picture.
    pub observation: Vec<f32>,
    /// The state before the action, where there is a picture of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawing: Option<Value>,
    /// Mean of Q over the passes, an action each.
    pub mean: Vec<f64>,
    /// Its epistemic standard deviation.
    pub epistemic_std: Vec<f64>,
    /// What was done.
    pub action: usize,
    /// What it brought.
    pub reward: f64,
    /// Return of the episode with it, in rewards of the environment itself, whatever wrappers make of them.
    pub episode_return: f64,
}

/// The part of an observation that is recorded beside a picture.
pub fn shown(observation: &[f32], has_drawing: bool) -> Vec<f32> {
    if has_drawing && observation.len() > OBSERVED { Vec::new() } else { observation.to_vec() }
}

/// A drawing in short: its view, and each shape as a list of its kind, its ink and its numbers.
pub fn compact(drawing: &Drawing) -> Value {
    let shape = |shape: &Shape| match shape {
        Shape::Line { points, width, ink } => {
            numbers("line", *ink, [*width].into_iter().chain(points.iter().copied().flatten()))
        }
        Shape::Disc { centre, radius, ink } => numbers("disc", *ink, [*radius].into_iter().chain(*centre)),
        Shape::Rectangle { sides, ink } => numbers("rectangle", *ink, sides.iter().copied()),
    };
    json!({ "view": drawing.view, "shapes": drawing.shapes.iter().map(shape).collect::<Vec<_>>() })
}

fn numbers(kind: &str, ink: Ink, numbers: impl Iterator<Item = f64>) -> Value {
    let ink = match ink {
        Ink::Ground => "ground",
        Ink::Body => "body",
        Ink::Limb => "limb",
        Ink::Goal => "goal",
    };
    // Less than a pixel of any view that is a few units wide.
    let rounded = numbers.map(|number| json!((number * 1e4).round() / 1e4));
    [json!(kind), json!(ink)].into_iter().chain(rounded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_are_short() {
        let drawing = Drawing::new([0.0, 0.0, 2.0, 1.0])
            .line([[0.0, 0.5], [1.0 / 3.0, 1.0]], 0.1, Ink::Limb)
            .disc([1.0, 0.5], 0.25, Ink::Goal)
            .rectangle([0.0, 0.0, 0.5, 0.5], Ink::Body);
        assert_eq!(
            compact(&drawing).to_string(),
            r#"{"shapes":[["line","limb",0.1,0.0,0.5,0.3333,1.0],["disc","goal",0.25,1.0,0.5],["rectangle","body",0.0,0.0,0.5,0.5]],"view":[0.0,0.0,2.0,1.0]}"#
        );
        assert_eq!(
            (shown(&[0.0; 100], true).len(), shown(&[0.0; 100], false).len(), shown(&[0.0; 4], true).len()),
            (0, 100, 4)
        );
    }
}
