//! What is sent: requests and replies of a fixed form, little-endian, and JSON where an environment is made.

use serde::{Deserialize, Serialize};

use crate::{ArgValue, BoxSpace, Dimension, EnvArgs, EnvSpec, ImageShape};

/// The version, which `serve.py` has too.
pub const VERSION: u32 = 2;

/// More than any observation; a longer reply is no reply.
pub const LONGEST: u32 = 1 << 30;

/// What can be asked of an environment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Request<'a> {
    /// Make it. The content is a [`Wanted`], the reply's an [`About`].
    Make(&'a [u8]),
    /// Start an episode, and draw all that is random from this seed on.
    SeededReset(u32),
    /// Start an episode.
    Reset,
    /// Take this action.
    Step(usize),
    /// Close it. There is no reply.
    Close,
}

impl Request<'_> {
    /// The request to the environment numbered `which`: what, which, an argument of eight bytes, and the content.
    pub fn write(self, which: u32, bytes: &mut Vec<u8>) {
        let (what, argument, content): (u32, u64, &[u8]) = match self {
            Self::Make(content) => (0, content.len() as u64, content),
            Self::SeededReset(seed) => (1, seed.into(), &[]),
            Self::Reset => (2, 0, &[]),
            Self::Step(action) => (3, action as u64, &[]),
            Self::Close => (4, 0, &[]),
        };
        bytes.clear();
        bytes.extend(what.to_le_bytes());
        bytes.extend(which.to_le_bytes());
        bytes.extend(argument.to_le_bytes());
        bytes.extend(content);
    }
}

/// How an answer turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As asked.
    Done,
    /// Not at all; the content is a sentence that says why.
    Refused,
    /// With an exception; the content is what it was and its traceback.
    Raised,
}

/// What every answer begins with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Head {
    pub status: Status,
    pub terminated: bool,
    pub truncated: bool,
    /// Whether a mask of the valid actions follows the observation, a byte an action.
    pub masked: bool,
    /// Bytes of the content that follows: an observation, or a text.
    pub length: u32,
    pub reward: f64,
}

impl Head {
    /// Bytes that it takes.
    pub const SIZE: usize = 16;

    /// The head in these bytes, if they are one.
    pub fn read(bytes: [u8; Self::SIZE]) -> Option<Self> {
        let [status, end, _, _, length @ .., _, _, _, _, _, _, _, _] = bytes;
        let [.., r0, r1, r2, r3, r4, r5, r6, r7] = bytes;
        let status = match status {
            0 => Status::Done,
            1 => Status::Refused,
            2 => Status::Raised,
            _ => return None,
        };
        let length = Some(u32::from_le_bytes(length)).filter(|length| *length <= LONGEST)?;
        let reward = f64::from_le_bytes([r0, r1, r2, r3, r4, r5, r6, r7]);
        let [terminated, truncated, masked] = [1, 2, 4].map(|bit| end & bit != 0);
        Some(Self { status, terminated, truncated, masked, length, reward })
    }
}

/// What the other side says before it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hello {
    pub protocol: u32,
    pub python: String,
    pub gymnasium: String,
}

/// An environment to be made.
#[derive(Debug, Serialize)]
pub struct Wanted<'a> {
    name: &'a str,
    arguments: serde_json::Map<String, serde_json::Value>,
}

impl<'a> Wanted<'a> {
    pub fn new(name: &'a str, args: &EnvArgs) -> Self {
        let value = |value: &ArgValue| match value {
            ArgValue::Flag(value) => (*value).into(),
            ArgValue::Whole(value) => (*value).into(),
            ArgValue::Number(value) => (*value).into(),
            ArgValue::Text(value) | ArgValue::Other(value) => value.as_str().into(),
        };
        let named = args.iter().map(|(argument, given)| (argument.name.clone(), value(given)));
        Self { name, arguments: named.collect() }
    }
}

/// What an environment is. Bounds are `None` where they are infinite.
#[derive(Debug, Clone, Deserialize)]
pub struct About {
    id: String,
    dimensions: Vec<(String, Option<f64>, Option<f64>)>,
    image: Option<[usize; 3]>,
    one_hot: bool,
    actions: Vec<String>,
    max_episode_steps: Option<usize>,
    reward_threshold: Option<f64>,
}

impl About {
    /// The same as a spec. A dimension that can have one value only says nothing of its scale, as one without bounds.
    pub fn spec(self, prefix: &str) -> EnvSpec {
        let dimension = |(name, low, high): (String, Option<f64>, Option<f64>)| {
            let (low, high) = (
                low.map_or(f32::NEG_INFINITY, |low| low as f32),
                high.map_or(f32::INFINITY, |high| high as f32),
            );
            let (low, high) = if low < high { (low, high) } else { (f32::NEG_INFINITY, f32::INFINITY) };
            Dimension::new(name, "", low, high)
        };
        EnvSpec {
            id: format!("{prefix}:{}", self.id),
            observation_space: BoxSpace {
                dimensions: self.dimensions.into_iter().map(dimension).collect(),
                image: self.image.map(|[channels, rows, columns]| ImageShape { channels, rows, columns }),
                one_hot: self.one_hot,
            },
            actions: self.actions,
            max_episode_steps: self.max_episode_steps,
            reward_threshold: self.reward_threshold,
            about: crate::About {
                description: "An environment of Gymnasium, whose documentation describes it".to_owned(),
                source: "Gymnasium, or the package that registers it there".to_owned(),
                ..crate::About::default()
            },
            plane: None,
        }
    }
}
