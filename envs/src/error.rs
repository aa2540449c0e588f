//! What can go wrong with an environment.

/// What can go wrong with an environment. Every message names the environment and says what would be right.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// An action that the environment does not have.
    #[error(
        "action {action} is out of range: environment `{env}` has {actions} actions, numbered from 0 to {}",
        actions.saturating_sub(1)
    )]
    ActionOutOfRange {
        /// The environment's id.
        env: String,
        /// The action asked for.
        action: usize,
        /// How many actions there are.
        actions: usize,
    },

    /// An action that the environment has, and that is not valid now.
    #[error(
        "action {action} (`{name}`) is not valid in this state of environment `{env}`; valid are {}",
        .valid.join(", ")
    )]
    InvalidAction {
        /// The environment's id.
        env: String,
        /// The action asked for.
        action: usize,
        /// Its name.
        name: String,
        /// Those that are valid, each as its number and name.
        valid: Vec<String>,
    },

    /// A step before the first reset, or after the end of an episode.
    #[error(
        "environment `{env}` was stepped outside an episode: call `reset` before the first step and after every step \
         that is terminated or truncated"
    )]
    EpisodeOver {
        /// The environment's id.
        env: String,
    },

    /// The environment returned what no environment may return.
    #[error("environment `{env}` misbehaved: {problem}")]
    Misbehaved {
        /// The environment's id.
        env: String,
        /// What it returned, when, and what would be right.
        problem: String,
    },

    /// A spec on which no agent can be built.
    #[error("the spec of environment `{env}` is invalid: {problem}")]
    InvalidSpec {
        /// The environment's id.
        env: String,
        /// What is wrong with it.
        problem: String,
    },

    /// No environment of this name is registered.
    #[error("there is no environment `{name}`{}{}", did_you_mean(.nearest), listing(.known))]
    UnknownEnv {
        /// The name asked for.
        name: String,
        /// The registered name nearest to it, if any is registered.
        nearest: Option<String>,
        /// All registered environments, each as alias and id.
        known: Vec<(String, String)>,
    },

    /// A name that is already taken in the registry.
    #[error(
        "the environment name `{name}` is already taken by `{taken_by}`: names must be unique, and upper case, hyphens \
         and underscores don't tell them apart"
    )]
    DuplicateName {
        /// The name that was to be registered.
        name: String,
        /// The id of the environment that has it.
        taken_by: String,
    },

    /// An argument that the environment does not take.
    #[error("environment `{env}` has no argument `{name}`{}", takes(.nearest, .known))]
    UnknownArgument {
        /// What the environment is called.
        env: String,
        /// The name of the argument.
        name: String,
        /// The name of the environment's argument nearest to it, if it takes any.
        nearest: Option<String>,
        /// The names of all its arguments.
        known: Vec<String>,
    },

    /// An argument of the wrong type, or out of its range.
    #[error("the argument `{name}` of environment `{env}` is {value}, but it must be {allowed}")]
    InvalidArgument {
        /// What the environment is called.
        env: String,
        /// The name of the argument.
        name: String,
        /// What was given.
        value: String,
        /// What it can be, such as `a whole number from 2 to 200`.
        allowed: String,
    },

    /// An environment outside this program failed there. What came before its last step is as it was.
    #[error("environment `{env}` failed: {message}")]
    Outside {
        /// The environment's id.
        env: String,
        /// What happened, with the traceback where there is one.
        message: String,
    },

    /// An environment outside this program that can't be had.
    #[error("environment `{env}` is not available: {reason}")]
    Unavailable {
        /// The name asked for.
        env: String,
        /// Why not, and what would have to be done.
        reason: String,
    },

    /// A state that could not be gone back to.
    #[error(
        "environment `{env}` could not go back to a saved state: the bytes are none of its own, or its version has \
         changed since they were saved"
    )]
    NotRestored {
        /// The environment's id.
        env: String,
    },

    /// An environment's own failure, such as a simulator that could not be reached.
    #[error("environment `{env}` failed: {message}")]
    Failed {
        /// The environment's id.
        env: String,
        /// What happened, in the environment's own words.
        message: String,
    },
}

impl EnvError {
    /// An environment's own failure, for implementors of [`Env`](crate::Env).
    pub fn failed(env: impl Into<String>, cause: impl std::fmt::Display) -> Self {
        Self::Failed { env: env.into(), message: cause.to_string() }
    }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

fn takes(nearest: &Option<String>, known: &[String]) -> String {
    if known.is_empty() {
        return "; it takes none".to_owned();
    }
    format!("{} It takes {}.", did_you_mean(nearest), known.join(", "))
}

fn listing(known: &[(String, String)]) -> String {
    if known.is_empty() {
        return "; none is registered".to_owned();
    }
    let names: Vec<_> = known.iter().map(|(alias, id)| format!("{alias} ({id})")).collect();
    format!(" Known are: {}.", names.join(", "))
}
