//! Environments by name.

use std::fmt;
use std::sync::Arc;

use rand::Rng;

#[cfg(unix)]
use crate::gymnasium::{self, Gymnasium};
use crate::{
    Acrobot, ArgValue, Argument, CartPole, CartPoleSwingup, Catch, Checked, DeepSea, Env, EnvArgs, EnvError,
    EnvSpec, MountainCar, SparseMountainCar, Step, TimeLimit, Wrappers,
};

/// Environments by name.
///
/// An environment has two names, a short alias such as `cartpole` and its spec's id such as `CartPole-v1`. Upper
/// case, hyphens and underscores make no difference when a name is looked up: `mountain-car` is `MountainCar`.
///
/// A family of environments has names that begin with its prefix, such as `gym:`, and are otherwise taken as they are. Its
/// environments are known only once they are asked for.
#[derive(Clone, Default)]
pub struct Registry {
    entries: Vec<Entry>,
    families: Vec<Family>,
}

#[derive(Clone)]
struct Family {
    prefix: String,
    make: Arc<FamilyFactory>,
}

/// One environment of a [`Registry`], with its arguments and its wrappers.
#[derive(Clone)]
pub struct Entry {
    alias: String,
    /// Within its wrappers.
    spec: EnvSpec,
    own_spec: EnvSpec,
    args: EnvArgs,
    wrappers: Wrappers,
    factory: Arc<Factory>,
}

/// Makes the environment of this name, without the prefix, in a family.
type FamilyFactory = dyn Fn(&str, &EnvArgs) -> Result<Box<dyn Env>, EnvError> + Send + Sync;

/// Makes an environment with some arguments, in its wrappers.
type Factory = dyn Fn(&EnvArgs, &Wrappers) -> Result<Box<dyn Env>, EnvError> + Send + Sync;

impl Registry {
    /// A registry without any environment.
    pub fn new() -> Self {
        Self::default()
    }

    /// A registry with this crate's environments: `cartpole`, `mountaincar`, `acrobot`, `catch`,
    /// `deep-sea`, `cartpole-swingup` and `sparse-mountaincar`, and those of [Gymnasium](crate::Gymnasium), `gym:ID`.
    pub fn builtin() -> Self {
        let entries = vec![
            Entry::new("cartpole", CartPole::new),
            Entry::new("mountaincar", MountainCar::new),
            Entry::new("acrobot", Acrobot::new),
            Entry::new("catch", Catch::new),
            Entry::of(
                "deep-sea",
                DeepSea::new().spec().clone(),
                DeepSea::arguments(),
                DeepSea::with_arguments,
            ),
            Entry::of(
                "cartpole-swingup",
                CartPoleSwingup::new().spec().clone(),
                CartPoleSwingup::arguments(),
                CartPoleSwingup::with_arguments,
            ),
            Entry::new("sparse-mountaincar", SparseMountainCar::new),
        ];
        let mut registry = Self { entries, families: Vec::new() };
        #[cfg(unix)]
        registry.add_gymnasium(Gymnasium::in_processes());
        registry
    }

    /// Adds the environments of Gymnasium, `gym:ID`, as they are found there, instead of those that were added before.
    #[cfg(unix)]
    pub fn add_gymnasium(&mut self, gymnasium: Gymnasium) {
        self.register_family(gymnasium::PREFIX, move |name, args| gymnasium.make(name, args));
    }

    /// Adds a family of environments, instead of one of the same prefix that was added before. `make` is given the
    /// rest of the name, which it alone understands, and whatever arguments are given.
    pub fn register_family<E: Env + 'static>(
        &mut self,
        prefix: &str,
        make: impl Fn(&str, &EnvArgs) -> Result<E, EnvError> + Send + Sync + 'static,
    ) {
        self.families.retain(|family| family.prefix != prefix);
        let make = move |name: &str, args: &EnvArgs| -> Result<Box<dyn Env>, EnvError> {
            Ok(Box::new(make(name, args)?))
        };
        self.families.push(Family { prefix: prefix.to_owned(), make: Arc::new(make) });
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
        self.add(Entry::new(alias, factory))
    }

    /// [`register`](Self::register), for an environment that takes arguments: the factory is given their values, each
    /// within its range.
    ///
    /// ```
    /// # use control_envs::{Argument, DeepSea, EnvError, Registry};
    /// # fn main() -> Result<(), EnvError> {
    /// # let mut registry = Registry::new();
    /// let size = Argument::whole("size", 10, 2..=200, "rows and columns of the grid");
    /// registry.register_with("sea", [size], |args| {
    ///     let size: i64 = args.get("size")?;
    ///     DeepSea::with_arguments(&DeepSea::arguments().with([("size", size)])?)
    /// })?;
    /// let large = registry.get("sea")?.with_args([("size", 20)])?;
    /// assert_eq!(large.spec().observation_space.len(), 400);
    /// assert!(registry.get("sea")?.with_args([("size", 1)]).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As for [`register`](Self::register), [`EnvError::InvalidSpec`] where an argument's name is not made of small
    /// letters, digits and underscores, or is declared twice, or its default is out of its range, and those of the
    /// factory.
    pub fn register_with<E: Env + 'static>(
        &mut self,
        alias: &str,
        arguments: impl IntoIterator<Item = Argument>,
        factory: impl Fn(&EnvArgs) -> Result<E, EnvError> + Send + Sync + 'static,
    ) -> Result<(), EnvError> {
        let args = EnvArgs::new(alias, arguments);
        if let Some(problem) = args.problem() {
            return Err(EnvError::InvalidSpec { env: alias.to_owned(), problem });
        }
        let spec = factory(&args)?.spec().clone();
        self.add(Entry::of(alias, spec, args, factory))
    }

    fn add(&mut self, entry: Entry) -> Result<(), EnvError> {
        entry.spec.validate()?;
        let alias = &entry.alias;
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
        self.get(name).map(|entry| entry.make())
    }

    /// The environment called `name`: alias, id, or the name of one in a family.
    ///
    /// # Errors
    /// [`EnvError::UnknownEnv`], which lists what there is and suggests the nearest name; for one in a family, whatever
    /// making it fails with, and [`EnvError::InvalidSpec`].
    pub fn get(&self, name: &str) -> Result<Entry, EnvError> {
        if let Some((prefix, rest)) = name.trim().split_once(':')
            && let Some(family) = self.families.iter().find(|family| family.prefix == prefix)
        {
            return family.entry(rest);
        }
        self.find(name).cloned().ok_or_else(|| EnvError::UnknownEnv {
            // A name with control characters must not reach the terminal as it is.
            name: name.escape_debug().to_string(),
            nearest: self.nearest(name).map(str::to_owned),
            known: self.iter().map(|entry| (entry.alias.clone(), entry.spec.id.clone())).collect(),
        })
    }

    /// All environments but those of families, in the order of their registration.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// The prefixes of all families.
    pub fn families(&self) -> impl Iterator<Item = &str> {
        self.families.iter().map(|family| family.prefix.as_str())
    }

    /// The environment called `name`, alias or id, where it is known without looking for it, as those of families are
    /// not.
    pub fn find(&self, name: &str) -> Option<&Entry> {
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

impl Family {
    fn entry(&self, name: &str) -> Result<Entry, EnvError> {
        let args = EnvArgs::open(&format!("{}:{name}", self.prefix));
        let spec = (self.make)(name, &args)?.spec().clone();
        spec.validate()?;
        let (make, name, alias) = (Arc::clone(&self.make), name.to_owned(), spec.id.clone());
        Ok(Entry::of(&alias, spec, args, move |args| make(&name, args)))
    }
}

impl Entry {
    fn new<E: Env + 'static>(alias: &str, factory: impl Fn() -> E + Send + Sync + 'static) -> Self {
        let spec = factory().spec().clone();
        Self::of(alias, spec, EnvArgs::default(), move |_| Ok(factory()))
    }

    /// `spec` is that of an environment that the factory makes with these arguments.
    fn of<E: Env + 'static>(
        alias: &str,
        spec: EnvSpec,
        args: EnvArgs,
        factory: impl Fn(&EnvArgs) -> Result<E, EnvError> + Send + Sync + 'static,
    ) -> Self {
        let factory = move |args: &EnvArgs, wrappers: &Wrappers| -> Result<Box<dyn Env>, EnvError> {
            let env = factory(args)?;
            Ok(match *wrappers == Wrappers::default() {
                // Wrapped before it is boxed, so that a step costs one virtual call and not three.
                true => Box::new(Checked::new(TimeLimit::new(env))),
                false => Box::new(Checked::new(wrappers.wrap(env))),
            })
        };
        let args = args.of(&spec.id);
        let (own_spec, wrappers) = (spec.clone(), Wrappers::default());
        Self { alias: alias.to_owned(), spec, own_spec, args, wrappers, factory: Arc::new(factory) }
    }

    /// The same environment with other values for the arguments that are given.
    ///
    /// # Errors
    /// [`EnvError::UnknownArgument`] and [`EnvError::InvalidArgument`], those of the environment's factory, and
    /// [`EnvError::InvalidSpec`] where the spec does not [validate](EnvSpec::validate) or the id is another.
    pub fn with_args<N: AsRef<str>, V: Into<ArgValue>>(
        &self,
        given: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, EnvError> {
        let args = self.args.clone().with(given)?;
        if args == self.args {
            return Ok(self.clone());
        }
        let spec = (self.factory)(&args, &Wrappers::default())?.spec().clone();
        spec.validate()?;
        if spec.id != self.spec.id {
            let problem = format!("its arguments make it `{}`, but they must not change its id", spec.id);
            return Err(EnvError::InvalidSpec { env: self.spec.id.clone(), problem });
        }
        Ok(Self { spec: self.wrappers.spec(&spec), own_spec: spec, args, ..self.clone() })
    }

    /// The same environment in these wrappers, in place of those that it was in.
    pub fn with_wrappers(&self, wrappers: Wrappers) -> Self {
        Self { spec: wrappers.spec(&self.own_spec), wrappers, ..self.clone() }
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

    /// Its arguments and their values.
    pub fn args(&self) -> &EnvArgs {
        &self.args
    }

    /// A new environment, within its wrappers, [`TimeLimit`] at least, and [`Checked`]. One that can't be made any more, although it could be
    /// before, says why at its first reset.
    pub fn make(&self) -> Box<dyn Env> {
        (self.factory)(&self.args, &self.wrappers)
            .unwrap_or_else(|error| Box::new(Unmade { spec: self.spec.clone(), error }))
    }

    fn names(&self) -> [&str; 2] {
        [&self.alias, &self.spec.id]
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("alias", &self.alias).field("args", &self.args).finish_non_exhaustive()
    }
}

/// What stands for an environment that could not be made.
struct Unmade {
    spec: EnvSpec,
    error: EnvError,
}

impl Env for Unmade {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, _rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        Err(self.error.clone())
    }

    fn step(&mut self, _action: usize) -> Result<Step, EnvError> {
        Err(self.error.clone())
    }
}

/// What is compared of a name.
fn key(name: &str) -> String {
    name.trim().chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect()
}
