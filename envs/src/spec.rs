//! What an environment says about itself.

use crate::{About, BoxSpace, Dimension, EnvError, ImageShape};

/// What an environment is: its name, what is observed, what can be done, and when it counts as solved.
#[derive(Debug, Clone, PartialEq)]
pub struct EnvSpec {
    /// The full name with a version, such as `CartPole-v1`. A change that changes results deserves a new version.
    pub id: String,
    /// The space observations lie in.
    pub observation_space: BoxSpace,
    /// The names of the actions; an action is an index into them.
    pub actions: Vec<String>,
    /// The number of steps after which [`TimeLimit`](crate::TimeLimit) truncates an episode; `None` for no limit.
    pub max_episode_steps: Option<usize>,
    /// The mean episode return from which on the task counts as solved.
    pub reward_threshold: Option<f64>,
    /// The same and more in words, for who wants to know.
    pub about: About,
    /// The two values of an observation, by index, over which maps of the state space are drawn; `None` for the first two.
    pub plane: Option<[usize; 2]>,
}

impl EnvSpec {
    /// A spec with neither time limit nor reward threshold.
    pub fn new(
        id: impl Into<String>,
        dimensions: impl Into<Vec<Dimension>>,
        actions: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            id: id.into(),
            observation_space: BoxSpace { dimensions: dimensions.into(), image: None, one_hot: false },
            actions: actions.into_iter().map(Into::into).collect(),
            max_episode_steps: None,
            reward_threshold: None,
            about: About::default(),
            plane: None,
        }
    }

    /// The same spec with a time limit, in steps.
    pub fn with_max_episode_steps(self, steps: usize) -> Self {
        Self { max_episode_steps: Some(steps), ..self }
    }

    /// The same spec, its observations the pixels of an image.
    pub fn with_image(mut self, shape: ImageShape) -> Self {
        self.observation_space.image = Some(shape);
        self
    }

    /// The same spec, at most one value of its observations being 1 and all others 0.
    pub fn with_one_hot(mut self) -> Self {
        self.observation_space.one_hot = true;
        self
    }

    /// The same spec with the mean episode return from which on the task counts as solved.
    pub fn with_reward_threshold(self, threshold: f64) -> Self {
        Self { reward_threshold: Some(threshold), ..self }
    }

    /// The same spec, its maps drawn over these two values of an observation, across and up.
    pub fn with_plane(self, plane: [usize; 2]) -> Self {
        Self { plane: Some(plane), ..self }
    }

    /// The same spec with what it is in words.
    pub fn with_about(self, about: About) -> Self {
        Self { about, ..self }
    }

    /// Checks that an agent can be built on the spec.
    ///
    /// # Errors
    /// [`EnvError::InvalidSpec`] for the first of: an empty id, no dimension, a dimension without a name or with a
    /// low not below its high, an image of another size than the observation, a one-hot observation with bounds other than 0
    /// and 1, no action, an action without a name, a time limit of zero steps, a reward threshold that is not finite, or a
    /// plane that is not of two values of an observation.
    pub fn validate(&self) -> Result<(), EnvError> {
        match self.problem() {
            None => Ok(()),
            Some(problem) => Err(EnvError::InvalidSpec { env: self.id.clone(), problem }),
        }
    }

    fn problem(&self) -> Option<String> {
        if self.id.trim().is_empty() {
            return Some("its id is empty".to_owned());
        }
        if self.observation_space.is_empty() {
            return Some("its observation space has no dimensions".to_owned());
        }
        for (index, dimension) in self.observation_space.dimensions.iter().enumerate() {
            if let Some(problem) = dimension.problem() {
                return Some(format!(
                    "dimension {index} (`{}`) of its observation space {problem}",
                    dimension.name
                ));
            }
        }
        if let Some(image) = self.observation_space.image
            && (image.is_empty() || image.len() != self.observation_space.len())
        {
            return Some(format!(
                "its image of {} x {} x {} values (channels, rows, columns) is not of the size of an observation, which \
                 has {} values",
                image.channels,
                image.rows,
                image.columns,
                self.observation_space.len()
            ));
        }
        if self.observation_space.one_hot
            && let Some(other) = self
                .observation_space
                .dimensions
                .iter()
                .find(|dimension| (dimension.low, dimension.high) != (0.0, 1.0))
        {
            return Some(format!(
                "its observation is said to be one-hot, but `{}` is bounded by {} and {}; the bounds must be 0 and 1",
                other.name, other.low, other.high
            ));
        }
        if self.actions.is_empty() {
            return Some("it has no actions".to_owned());
        }
        if let Some(index) = self.actions.iter().position(|name| name.trim().is_empty()) {
            return Some(format!("its action {index} has no name"));
        }
        if self.max_episode_steps == Some(0) {
            return Some("its time limit is 0 steps, but an episode needs at least one".to_owned());
        }
        let values = self.observation_space.len();
        if let Some([x, y]) = self.plane
            && (x == y || x.max(y) >= values)
        {
            return Some(format!(
                "its maps are to be drawn over the values {x} and {y} of an observation, but they must be two of its {values}, \
                 counted from 0"
            ));
        }
        match self.reward_threshold {
            Some(threshold) if !threshold.is_finite() => {
                Some(format!("its reward threshold is {threshold}, but it must be a finite number"))
            }
            _ => None,
        }
    }
}
