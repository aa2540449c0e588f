//! Which checkpoint of a run is meant.

use std::str::FromStr;

/// Which checkpoint of a run is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointChoice {
    /// The one with the highest score, of equals the later one.
    Best,
    /// The newest.
    Last,
    /// The one after so many environment steps.
    Step(u64),
}

impl FromStr for CheckpointChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "best" => Ok(Self::Best),
            "last" => Ok(Self::Last),
            _ => text
                .parse()
                .map(Self::Step)
                .map_err(|_| "it must be best, last, or the step of a checkpoint, such as 5000".to_owned()),
        }
    }
}
