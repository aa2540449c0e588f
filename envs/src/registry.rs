//! Environments by name.

use std::fmt;
use std::sync::Arc;

use crate::{Acrobot, CartPole, Catch, Checked, Env, EnvError, EnvSpec, MountainCar, TimeLimit};

/// Environments by name.
///
/// An environment has two names, a short alias such as `cartpole` and its spec's id such as `CartPole-v1`. Upper
/// case, hyphens and underscores make no difference when a name is looked up: `mountain-car` is `MountainCar`.
#[derive(Clone, Default)]
pub struct Registry {
    entries: Vec<Entry>,
}

/// One environment of a [`Registry`].
#[derive(Clone)]
pub struct Entry {
    alias: String,
    spec: EnvSpec,
    factory: Arc<dyn Fn() -> Box<dyn Env> + Send + Sync>,
}

impl Registry {
    /// A registry without any environment.
    pub fn new() -> Self {
        Self::default()
    }

    /// A registry with this crate's environments: `cartpole`, `mountaincar`, `acrobot` and `catch`.
    pub fn builtin() -> Self {
        let entries = vec![
            Entry::new("cartpole", CartPole::new),
            Entry::new("mountaincar", MountainCar::new),
            Entry::new("acrobot", Acrobot::new),
            Entry::new("catch", Catch::new),
        ];
        Self { entries }
    }

    /// Adds an environment under `alias` and its spec's id. `factory` is called once now, to learn the spec, and
    /// once for every [`make`](Self::make); it returns the bare environment, without wrappers.
    ///
    /// # Errors
    /// [`EnvError::InvalidSpec`] where the spec does not [validate](EnvSpec::validate) or the alias is empty, and
    /// [`EnvError::DuplicateName`] where another environment has one of the two names.
    pub fn register<E: Env + 'static>(
        &mut self,
        alias: &str,
        factory: impl Fn() -> E + Send + Sync + 'static,
    ) -> Result<(), EnvError> {
        let entry = Entry::new(alias, factory);
        entry.spec.validate()?;
        if alias.trim().is_empty() {
            let problem = "the alias it is registered under is empty".to_owned();
            return Err(EnvError::InvalidSpec { env: entry.spec.id, problem });
        }
        for name in entry.names() {
            if let Some(other) = self.find(name) {
                return Err(EnvError::DuplicateName {
                    name: name.to_owned(),
                    taken_by: other.spec.id.clone(),
                });
            }
        }
        self.entries.push(entry);
        Ok(())
    }

    /// A new environment called `name`, alias or id, within [`TimeLimit`] and [`Checked`].
    ///
    /// # Errors
    /// [`EnvError::UnknownEnv`], which lists what there is and suggests the nearest name.
    pub fn make(&self, name: &str) -> Result<Box<dyn Env>, EnvError> {
        self.get(name).map(Entry::make)
    }

    /// The environment called `name`, alias or id, without making one.
    ///
    /// # Errors
    /// [`EnvError::UnknownEnv`], which lists what there is and suggests the nearest name.
    pub fn get(&self, name: &str) -> Result<&Entry, EnvError> {
        self.find(name).ok_or_else(|| EnvError::UnknownEnv {
            // A name with control characters must not reach the terminal as it is.
            name: name.escape_debug().to_string(),
            nearest: self.nearest(name).map(str::to_owned),
            known: self.iter().map(|entry| (entry.alias.clone(), entry.spec.id.clone())).collect(),
        })
    }

    /// All environments, in the order of their registration.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.entries.iter()
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        let key = key(name);
        self.iter().find(|entry| entry.names().iter().any(|known| self::key(known) == key))
    }

    fn nearest(&self, name: &str) -> Option<&str> {
        let key = key(name);
        let similarity = |known: &str| strsim::jaro_winkler(&self::key(known), &key);
        self.iter().flat_map(Entry::names).max_by(|a, b| similarity(a).total_cmp(&similarity(b)))
    }
}

impl<'a> IntoIterator for &'a Registry {
    type Item = &'a Entry;
    type IntoIter = std::slice::Iter<'a, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|entry| (&entry.alias, &entry.spec.id))).finish()
    }
}

impl Entry {
    fn new<E: Env + 'static>(alias: &str, factory: impl Fn() -> E + Send + Sync + 'static) -> Self {
        let spec = factory().spec().clone();
        // Wrapped before it is boxed, so that a step costs one virtual call and not three.
        let factory = move || -> Box<dyn Env> { Box::new(Checked::new(TimeLimit::new(factory()))) };
        Self { alias: alias.to_owned(), spec, factory: Arc::new(factory) }
    }

    /// The short name.
    pub fn alias(&self) -> &str {
        &self.alias
    }

    /// The full name, as in the spec.
    pub fn id(&self) -> &str {
        &self.spec.id
    }

    /// What the environment is.
    pub fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    /// A new environment, within [`TimeLimit`] and [`Checked`].
    pub fn make(&self) -> Box<dyn Env> {
        (self.factory)()
    }

    fn names(&self) -> [&str; 2] {
        [&self.alias, &self.spec.id]
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("alias", &self.alias).field("spec", &self.spec).finish_non_exhaustive()
    }
}

/// What is compared of a name.
fn key(name: &str) -> String {
    name.trim().chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}
