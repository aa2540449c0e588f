//! The space observations lie in.

/// One dimension of a [`BoxSpace`].
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// What is observed, such as `pole angle`.
    pub name: String,
    /// The unit, such as `rad`; empty for a pure number.
    pub unit: String,
    /// The least possible value; may be minus infinity.
    pub low: f32,
    /// The greatest possible value; may be infinity.
    pub high: f32,
    /// The range met in ordinary play, from which agents scale to about [-1, 1]. Equals `(low, high)` unless given.
    pub typical: (f32, f32),
}

impl Dimension {
    /// A dimension whose values lie in `low..=high`, in `unit`.
    pub fn new(name: impl Into<String>, unit: impl Into<String>, low: f32, high: f32) -> Self {
        Self { name: name.into(), unit: unit.into(), low, high, typical: (low, high) }
    }

    /// The same dimension with another typical range, for bounds that are infinite or far wider than what is met.
    pub fn with_typical(self, low: f32, high: f32) -> Self {
        Self { typical: (low, high), ..self }
    }

    /// The `(centre, half_width)` of the typical range: `(value - centre) / half_width` lies in about [-1, 1].
    /// It is `(0, 1)`, which changes nothing, where the typical range is not finite.
    pub fn scale(&self) -> (f32, f32) {
        let (low, high) = self.typical;
        if low.is_finite() && high.is_finite() {
            // Halved first, so that bounds near f32::MAX don't overflow.
            (low / 2.0 + high / 2.0, high / 2.0 - low / 2.0)
        } else {
            (0.0, 1.0)
        }
    }

    /// Whether `value` lies within the bounds, both included. NaN never does.
    pub fn contains(&self, value: f32) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// What is wrong with the dimension itself, as a clause that follows its name.
    pub(crate) fn problem(&self) -> Option<String> {
        let Self { low, high, typical: (from, to), .. } = *self;
        if self.name.trim().is_empty() {
            Some("has no name".to_owned())
        } else if !is_range(low, high) {
            Some(format!("is bounded by {low} and {high}, but its low must be less than its high"))
        } else if !is_range(from, to) {
            Some(format!("is typically between {from} and {to}, but the first must be less than the second"))
        } else {
            None
        }
    }
}

/// False for NaNs too.
fn is_range(low: f32, high: f32) -> bool {
    low < high
}

/// The shape of an image whose pixels are the values of an observation, channel by channel and row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageShape {
    /// Channels, such as 1 for grey and 3 for colours.
    pub channels: usize,
    /// Rows of a channel.
    pub rows: usize,
    /// Columns of a channel.
    pub columns: usize,
}

impl ImageShape {
    /// The number of values in the image.
    pub fn len(&self) -> usize {
        self.channels.saturating_mul(self.rows).saturating_mul(self.columns)
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A box in as many dimensions as an observation has values.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxSpace {
    /// The dimensions, in the order of the observation's values.
    pub dimensions: Vec<Dimension>,
    /// The image that the values are, if they are one.
    pub image: Option<ImageShape>,
    /// Whether at most one value of an observation is 1 and all others are 0.
    pub one_hot: bool,
}

impl BoxSpace {
    /// The number of dimensions, which is the number of values of an observation.
    pub fn len(&self) -> usize {
        self.dimensions.len()
    }

    /// Whether there is no dimension at all.
    pub fn is_empty(&self) -> bool {
        self.dimensions.is_empty()
    }

    /// Whether `observation` has the right size and every value lies within its bounds, which are included.
    pub fn contains(&self, observation: &[f32]) -> bool {
        observation.len() == self.len() && self.outside(observation).is_none()
    }

    /// Whether `observation` is what [`one_hot`](Self::one_hot) promises, where it promises something.
    pub(crate) fn is_one_hot(&self, observation: &[f32]) -> bool {
        let is_bit = |value: &f32| *value == 0.0 || *value == 1.0;
        !self.one_hot || observation.iter().all(is_bit) && observation.iter().sum::<f32>() <= 1.0
    }

    /// The index of the first value outside its bounds.
    pub(crate) fn outside(&self, observation: &[f32]) -> Option<usize> {
        self.dimensions.iter().zip(observation).position(|(dimension, &value)| !dimension.contains(value))
    }
}
