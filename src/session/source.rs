//! Where a session finds its environment.

use control_envs::{Entry, Env, EnvError, Registry};

use crate::config::Config;

/// Where a session finds the environment that its config names: a [`Registry`], an [`Entry`] of one, or a
/// function that makes an environment of one's own, such as `MyEnv::new`.
/// It comes with the arguments of the config.
///
/// Every environment is handed out within [`TimeLimit`](control_envs::TimeLimit) and
/// [`Checked`](control_envs::Checked).
pub trait EnvSource {
    /// The environment that `config` names.
    ///
    /// # Errors
    /// [`EnvError::UnknownEnv`] where there is none of that name, [`EnvError::InvalidSpec`], and those of
    /// [`Entry::with_args`].
    fn entry(self, config: &Config) -> Result<Entry, EnvError>;
}

impl EnvSource for &Registry {
    fn entry(self, config: &Config) -> Result<Entry, EnvError> {
        config.entry(self)
    }
}

/// The caller has looked it up, so the config's name decides nothing.
impl EnvSource for &Entry {
    fn entry(self, config: &Config) -> Result<Entry, EnvError> {
        config.with_own_arguments(self)
    }
}

impl<F, E> EnvSource for F
where
    F: Fn() -> E + Send + Sync + 'static,
    E: Env + 'static,
{
    fn entry(self, config: &Config) -> Result<Entry, EnvError> {
        let id = self().spec().id.clone();
        let mut registry = Registry::new();
        registry.register(&id, self)?;
        config.entry(&registry)
    }
}
