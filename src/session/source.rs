//! Where a session finds its environment.

use control_envs::{Entry, Env, EnvError, Registry};

/// Where a session finds the environment that its config names: a [`Registry`], an [`Entry`] of one, or a
/// function that makes an environment of one's own, such as `MyEnv::new`.
///
/// Every environment is handed out within [`TimeLimit`](control_envs::TimeLimit) and
/// [`Checked`](control_envs::Checked).
pub trait EnvSource {
    /// The environment called `name`.
    ///
    /// # Errors
    /// [`EnvError::UnknownEnv`] where there is none of that name, and [`EnvError::InvalidSpec`].
    fn entry(self, name: &str) -> Result<Entry, EnvError>;
}

impl EnvSource for &Registry {
    fn entry(self, name: &str) -> Result<Entry, EnvError> {
        self.get(name).cloned()
    }
}

/// The caller has looked it up, so `name` decides nothing.
impl EnvSource for &Entry {
    fn entry(self, _name: &str) -> Result<Entry, EnvError> {
        Ok(self.clone())
    }
}

impl<F, E> EnvSource for F
where
    F: Fn() -> E + Send + Sync + 'static,
    E: Env + 'static,
{
    fn entry(self, name: &str) -> Result<Entry, EnvError> {
        let id = self().spec().id.clone();
        let mut registry = Registry::new();
        registry.register(&id, self)?;
        registry.get(name).cloned()
    }
}
