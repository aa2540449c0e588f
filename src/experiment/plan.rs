//! The file that describes an experiment, and the cells that follow from it.

use std::path::Path;

use control_envs::{Entry, Registry};
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::search::Search;
use crate::config::{Config, ConfigLayer, Seeds, preset, with_arguments};
use crate::error::Error;

/// What an experiment runs.
#[derive(Debug)]
pub struct Plan {
    /// The file's text.
    pub text: String,
    /// The environments, in the file's order.
    pub environments: Vec<Entry>,
    /// The names of the variants, in the file's order; the first is what the others are compared with.
    pub variants: Vec<String>,
    /// Every environment with the arguments that a variant gives it: all variants of the first environment, then all of
    /// the next.
    entries: Vec<Entry>,
    /// Every run, seed after seed: an experiment that is ended early has about as many runs of each variant.
    pub cells: Vec<Cell>,
    /// How many seeds there are.
    pub seeds: usize,
    /// The ranges that it searches in, where it does. The settings that have been tried are variants of their own.
    pub search: Option<Search>,
}

/// One run of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The index of its variant.
    pub variant: usize,
    /// The index of its environment.
    pub environment: usize,
    /// Its settings, environment and seed among them.
    pub config: Config,
}

impl Plan {
    /// Reads an experiment's file.
    ///
    /// # Errors
    /// [`Error::Usage`] where it can't be read, and those of [`parse`](Self::parse).
    pub fn read(path: &Path, registry: &Registry) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::Usage(format!("could not read the experiment file {}: {error}", path.display()))
        })?;
        Self::parse(&path.display().to_string(), text, registry)
    }

    /// The experiment that a text describes. `source` is what an error calls it, such as a file's path.
    ///
    /// # Errors
    /// [`Error::Usage`] for the first thing that is wrong; it names the source, the key and what is allowed.
    pub fn parse(source: &str, text: String, registry: &Registry) -> Result<Self, Error> {
        let table = text.parse::<Table>().map_err(|error| {
            Error::Usage(format!("{source} is not valid TOML: {}", error.to_string().trim_end()))
        })?;
        let file = File { source, table: &table, text: &text };
        file.refuse_unknown_keys()?;
        let environments = file.environments(registry)?;
        let seeds = file.seeds()?;
        let shared = match table.get("settings") {
            None => ConfigLayer::empty(source),
            Some(value) => file.layer("settings", value)?,
        };
        let search = file.search()?;
        let variants = file.variants(search.is_some())?;

        let (mut configs, mut entries) = (Vec::new(), Vec::new());
        for (environment, (entry, own)) in environments.iter().enumerate() {
            for (variant, (_, settings)) in variants.iter().enumerate() {
                let mut layers = Vec::new();
                if let Some((name, text)) = preset(entry.id()) {
                    layers.push(ConfigLayer::parse(name, text)?);
                }
                layers.extend([shared.clone(), own.clone(), settings.clone()]);
                let entry = with_arguments(entry, layers.iter())?;
                let config = Config::resolve(&layers)?.in_environment(&entry);
                entries.push(entry);
                configs.push((variant, environment, config));
            }
            if let Some(search) = &search {
                file.check_ranges(search, &[shared.clone(), own.clone()], entry)?;
            }
        }
        let mut cells = Vec::new();
        for seed in seeds.iter() {
            cells.extend(configs.iter().map(|(variant, environment, config)| Cell {
                variant: *variant,
                environment: *environment,
                config: Config { seed, ..config.clone() },
            }));
        }
        let environments = environments.into_iter().map(|(entry, _)| entry).collect();
        let variants = variants.into_iter().map(|(name, _)| name).collect();
        Ok(Self { text, environments, variants, entries, cells, seeds: seeds.iter().count(), search })
    }

    /// An environment with the arguments that a variant gives it, both by their index.
    pub fn entry(&self, environment: usize, variant: usize) -> &Entry {
        &self.entries[environment * self.variants.len() + variant]
    }

    /// What a cell is called, such as `ucb, cartpole, seed 3`.
    pub fn name(&self, cell: &Cell) -> String {
        let (variant, environment) =
            (&self.variants[cell.variant], self.environments[cell.environment].alias());
        format!("{variant}, {environment}, seed {}", cell.config.seed)
    }
}

/// The keys of the file.
const KEYS: [&str; 6] = ["environments", "seeds", "settings", "variants", "sample", "ranges"];

/// A parsed file.
struct File<'a> {
    source: &'a str,
    table: &'a Table,
    text: &'a str,
}

impl File<'_> {
    fn wrong(&self, what: impl std::fmt::Display) -> Error {
        Error::Usage(format!("{}: {what}", self.source))
    }

    fn refuse_unknown_keys(&self) -> Result<(), Error> {
        match self.table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => {
                let problem =
                    format!("there is no key {key} in an experiment; allowed are {}", KEYS.join(", "));
                Err(self.wrong(format_args!("{problem} (settings of a run go under [settings])")))
            }
        }
    }

    /// The environments and the settings that each has for itself.
    fn environments(&self, registry: &Registry) -> Result<Vec<(Entry, ConfigLayer)>, Error> {
        const FORM: &str = "list them, such as environments = [\"cartpole\", \"mountaincar\"]";
        let mut environments: Vec<(Entry, ConfigLayer)> = Vec::new();
        let mut add = |name: &str, settings: ConfigLayer| {
            let entry =
                registry.get(name).map_err(|error| self.wrong(format_args!("environments: {error}")))?;
            if environments.iter().any(|(other, _)| other.id() == entry.id()) {
                return Err(self.wrong(format_args!(
                    "environments names {} twice; name every environment once",
                    entry.id()
                )));
            }
            environments.push((entry, settings));
            Ok(())
        };
        match self.table.get("environments") {
            None => return Err(self.wrong(format_args!("environments is missing; {FORM}"))),
            Some(Value::Array(names)) => {
                for name in names {
                    let name = name.as_str().ok_or_else(|| {
                        self.wrong(format_args!("environments holds {name}, which is not a name; {FORM}"))
                    })?;
                    add(name, ConfigLayer::empty(self.source))?;
                }
            }
            Some(Value::Table(table)) => {
                for name in self.in_order("environments") {
                    if let Some(settings) = table.get(&name) {
                        add(&name, self.layer(&format!("environments.{name}"), settings)?)?;
                    }
                }
            }
            Some(other) => {
                return Err(self.wrong(format_args!("environments = {other} is not a list; {FORM}")));
            }
        }
        if environments.is_empty() {
            return Err(self.wrong(format_args!("environments is empty; {FORM}")));
        }
        Ok(environments)
    }

    fn seeds(&self) -> Result<Seeds, Error> {
        match self.table.get("seeds") {
            None => Err(self.wrong("seeds is missing; write seeds = \"0-9\", or a list such as \"0,3,7\"")),
            Some(Value::String(text)) => {
                text.parse().map_err(|problem| self.wrong(format_args!("seeds = \"{text}\": {problem}")))
            }
            Some(other) => Err(self.wrong(format_args!(
                "seeds = {other} is not valid; write a text such as seeds = \"0-9\" or \"0,3,7\""
            ))),
        }
    }

    /// What it searches in, where it does.
    fn search(&self) -> Result<Option<Search>, Error> {
        let sample = match self.table.get("sample") {
            None => None,
            Some(Value::Integer(sample)) if (1..=10_000).contains(sample) => usize::try_from(*sample).ok(),
            Some(other) => {
                return Err(
                    self.wrong(format_args!("sample = {other} must be a whole number from 1 to 10000"))
                );
            }
        };
        match (sample, self.table.get("ranges")) {
            (None, None) => Ok(None),
            (Some(sample), Some(Value::Table(section))) => {
                Search::new(sample, section).map(Some).map_err(|problem| self.wrong(problem))
            }
            (None, _) => Err(self.wrong("there are ranges and no sample; write how many settings of them are tried, such as sample = 40")),
            (_, None) => Err(self.wrong("there is a sample and no ranges; write them below [ranges]")),
            (_, Some(other)) => Err(self.wrong(format_args!("ranges = {other} is not a section; write [ranges]"))),
        }
    }

    /// Refuses ranges that hold what no run could have, and what can't be searched in.
    fn check_ranges(&self, search: &Search, below: &[ConfigLayer], entry: &Entry) -> Result<(), Error> {
        if self.in_order("environments").len() > 1
            || self.table.get("environments").and_then(Value::as_array).is_some_and(|names| names.len() > 1)
        {
            return Err(self.wrong(
                "a search takes one environment, since returns of different ones have no common scale; write a file \
                 for each",
            ));
        }
        for range in &search.ranges {
            for value in range.domain.samples() {
                let probe: Table =
                    format!("{} = {value}", range.key).parse().map_err(|error| self.wrong(error))?;
                let probe = self.layer("ranges", &Value::Table(probe))?;
                let mut layers = below.to_vec();
                if let Some((name, text)) = preset(entry.id()) {
                    layers.insert(0, ConfigLayer::parse(name, text)?);
                }
                layers.push(probe);
                with_arguments(entry, layers.iter())?;
                if Config::resolve(&layers)?.evaluation.episodes == 0 {
                    return Err(self.wrong(
                        "a search judges settings by their evaluations, so evaluation.episodes must not be 0",
                    ));
                }
            }
        }
        Ok(())
    }

    /// They may be left out where settings are searched for.
    fn variants(&self, may_lack: bool) -> Result<Vec<(String, ConfigLayer)>, Error> {
        const FORM: &str = "write a section for each, such as [variants.ucb]";
        let table = match self.table.get("variants") {
            Some(Value::Table(table)) if !table.is_empty() => table,
            None if may_lack => return Ok(Vec::new()),
            _ => return Err(self.wrong(format_args!("there are no variants; {FORM}"))),
        };
        let mut variants = Vec::new();
        for name in self.in_order("variants") {
            // The name is that of a folder.
            let is_plain = |c: char| c.is_alphanumeric() || "-_.+=".contains(c);
            if !name.starts_with(char::is_alphanumeric) || !name.chars().all(is_plain) {
                return Err(self.wrong(format_args!(
                    "the variant `{}` cannot be the name of a folder; use letters, digits and - _ . + =, a letter or \
                     digit first",
                    name.escape_debug()
                )));
            }
            if let Some(settings) = table.get(&name) {
                variants.push((name.clone(), self.layer(&format!("variants.{name}"), settings)?));
            }
        }
        Ok(variants)
    }

    /// The settings of a section.
    fn layer(&self, section: &str, value: &Value) -> Result<ConfigLayer, Error> {
        let Value::Table(settings) = value else {
            return Err(self.wrong(format_args!(
                "{section} = {value} is not a section; write its settings below [{section}]"
            )));
        };
        let mut layer = ConfigLayer::empty(&format!("{}, [{section}]", self.source));
        for (key, value) in settings {
            if let Some(named_by) = [("env", "environments"), ("seed", "seeds")]
                .into_iter()
                .find_map(|(setting, named_by)| (key == setting).then_some(named_by))
            {
                return Err(Error::Usage(format!(
                    "{}: {key} cannot be set here, because {named_by} says it for the whole experiment; leave it out",
                    layer.source()
                )));
            }
            layer.set(key, value.clone());
        }
        Ok(layer)
    }

    /// The keys of a section as the file orders them, which a [`Table`] forgets.
    fn in_order(&self, section: &str) -> Vec<String> {
        let Ok(document) = DeTable::parse(self.text) else { return Vec::new() };
        let found = document.get_ref().iter().find(|(key, _)| key.get_ref() == section);
        let Some(DeValue::Table(table)) = found.map(|(_, value)| value.get_ref()) else { return Vec::new() };
        let mut keys: Vec<_> = table.keys().collect();
        keys.sort_by_key(|key| key.span().start);
        keys.into_iter().map(|key| key.get_ref().to_string()).collect()
    }
}
