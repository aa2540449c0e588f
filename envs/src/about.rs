//! What an environment is, in words.

/// What an environment is, in words: what `envs NAME` prints beside the actions and the observation. Every text is a sentence
/// or two, without its full stop; an empty one is not known.
///
/// ```
/// use control_envs::About;
///
/// let about = About {
///     description: "Walk to the last of ten cells".into(),
///     rewards: "-1 a step".into(),
///     start: "in one of the first five cells, each as likely".into(),
///     end: "terminated in the last cell".into(),
///     source: "made up for this example".into(),
/// };
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// What is to be done.
    pub description: String,
    /// What is paid, and for what.
    pub rewards: String,
    /// How an episode starts.
    pub start: String,
    /// When an episode ends by itself. Its step limit is another matter.
    pub end: String,
    /// Where it comes from.
    pub source: String,
}

impl About {
    /// Of five texts, in the order of the fields.
    pub(crate) fn of([description, rewards, start, end, source]: [&str; 5]) -> Self {
        let [description, rewards, start, end, source] =
            [description, rewards, start, end, source].map(str::to_owned);
        Self { description, rewards, start, end, source }
    }
}
