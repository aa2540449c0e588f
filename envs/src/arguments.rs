//! Arguments of environments: what may be given, and what was given.

use std::fmt;
use std::ops::RangeInclusive;

use crate::EnvError;

/// The value of an argument.
#[derive(Debug, Clone, PartialEq)]
pub enum ArgValue {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Number(f64),
    /// A text.
    Text(String),
    /// What no argument can be, as it was written: here to be refused by the argument that it was given for.
    Other(String),
}

impl fmt::Display for ArgValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(value) => value.fmt(f),
            Self::Whole(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) | Self::Other(value) => value.fmt(f),
        }
    }
}

macro_rules! values {
    ($($variant:ident from $type:ty),*) => {$(
        impl From<$type> for ArgValue {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}
values!(Flag from bool, Whole from i64, Whole from i32, Whole from u32, Number from f64, Text from &str, Text from String);

/// A type in which an environment can ask for an argument with [`EnvArgs::get`]: `bool`, `f64`, and the whole numbers
/// `i64`,
/// `u64`, `u32`, `u8` and `usize`.
pub trait FromArg: Sized {
    /// The value in this type, if it is one.
    fn from_arg(value: &ArgValue) -> Option<Self>;
}

impl FromArg for bool {
    fn from_arg(value: &ArgValue) -> Option<Self> {
        if let ArgValue::Flag(value) = value { Some(*value) } else { None }
    }
}

impl FromArg for f64 {
    fn from_arg(value: &ArgValue) -> Option<Self> {
        if let ArgValue::Number(value) = value { Some(*value) } else { None }
    }
}

macro_rules! whole_numbers {
    ($($type:ty),*) => {$(
        impl FromArg for $type {
            fn from_arg(value: &ArgValue) -> Option<Self> {
                if let ArgValue::Whole(value) = value { Self::try_from(*value).ok() } else { None }
            }
        }
    )*};
}
whole_numbers!(i64, u64, u32, u8, usize);

/// What an argument can be.
#[derive(Debug, Clone, PartialEq)]
pub enum ArgRange {
    /// True or false.
    Flag,
    /// A whole number within these bounds.
    Whole(RangeInclusive<i64>),
    /// A number within these bounds; whole numbers are numbers too.
    Number(RangeInclusive<f64>),
    /// Whatever an argument can be.
    Any,
}

impl ArgRange {
    /// The value as this range has it, if it is within.
    fn accept(&self, value: &ArgValue) -> Option<ArgValue> {
        match (self, value) {
            (Self::Flag, ArgValue::Flag(_)) => Some(value.clone()),
            (Self::Whole(range), ArgValue::Whole(number)) if range.contains(number) => Some(value.clone()),
            (Self::Number(range), ArgValue::Number(number)) if range.contains(number) => Some(value.clone()),
            (Self::Number(range), ArgValue::Whole(number)) if range.contains(&(*number as f64)) => {
                Some(ArgValue::Number(*number as f64))
            }
            (Self::Any, ArgValue::Number(number)) if !number.is_finite() => None,
            (Self::Any, ArgValue::Flag(_) | ArgValue::Whole(_) | ArgValue::Number(_) | ArgValue::Text(_)) => {
                Some(value.clone())
            }
            _ => None,
        }
    }
}

/// In words that follow "it must be".
impl fmt::Display for ArgRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => write!(f, "true or false"),
            Self::Whole(range) => write!(f, "a whole number from {} to {}", range.start(), range.end()),
            Self::Number(range) => write!(f, "a number from {} to {}", range.start(), range.end()),
            Self::Any => write!(f, "true or false, a finite number or a text"),
        }
    }
}

/// One argument of an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// What it is called: small letters, digits and underscores, a letter first.
    pub name: String,
    /// What it is where it is not given; `None` where that is for the environment to know.
    pub default: Option<ArgValue>,
    /// What it can be.
    pub range: ArgRange,
    /// What it does, in a few words.
    pub help: String,
}

impl Argument {
    /// An argument that is true or false.
    pub fn flag(name: &str, default: bool, help: &str) -> Self {
        Self::new(name, default.into(), ArgRange::Flag, help)
    }

    /// A whole number.
    pub fn whole(name: &str, default: i64, range: RangeInclusive<i64>, help: &str) -> Self {
        Self::new(name, default.into(), ArgRange::Whole(range), help)
    }

    /// A number.
    pub fn number(name: &str, default: f64, range: RangeInclusive<f64>, help: &str) -> Self {
        Self::new(name, default.into(), ArgRange::Number(range), help)
    }

    fn new(name: &str, default: ArgValue, range: ArgRange, help: &str) -> Self {
        Self { name: name.to_owned(), default: Some(default), range, help: help.to_owned() }
    }

    /// One that is known only because it was given.
    fn given(name: &str) -> Self {
        Self { name: name.to_owned(), default: None, range: ArgRange::Any, help: String::new() }
    }

    /// What is wrong with the argument itself, as a clause that follows its name.
    fn problem(&self) -> Option<String> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !self.name.starts_with(|c: char| c.is_ascii_lowercase()) || !self.name.chars().all(is_plain) {
            return Some(
                "must be called by small letters, digits and underscores, a letter first".to_owned(),
            );
        }
        let Self { default, range, .. } = self;
        let default = default.as_ref()?;
        (range.accept(default).as_ref() != Some(default))
            .then(|| format!("has the default {default}, but it must be {range}"))
    }
}

/// All arguments of an environment, each with a value within its range.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EnvArgs {
    /// What errors call the environment.
    env: String,
    arguments: Vec<(Argument, ArgValue)>,
    /// Whether more can be given than these.
    is_open: bool,
}

impl EnvArgs {
    /// These arguments with their defaults. `env` is what errors call the environment.
    pub fn new(env: &str, arguments: impl IntoIterator<Item = Argument>) -> Self {
        let with_default = |argument: Argument| Some((argument.clone(), argument.default?));
        let arguments = arguments.into_iter().filter_map(with_default).collect();
        Self { env: env.to_owned(), arguments, is_open: false }
    }

    /// None yet, of an environment that takes whatever it is given.
    pub(crate) fn open(env: &str) -> Self {
        Self { is_open: true, ..Self::new(env, []) }
    }

    /// The same arguments with other values for those that are given.
    ///
    /// # Errors
    /// [`EnvError::UnknownArgument`], which lists what there is and suggests the nearest name, and
    /// [`EnvError::InvalidArgument`], which says what is allowed.
    pub fn with<N: AsRef<str>, V: Into<ArgValue>>(
        mut self,
        given: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, EnvError> {
        for (name, value) in given {
            let (name, value) = (name.as_ref(), value.into());
            let place = self.arguments.iter().position(|(argument, _)| argument.name == name);
            let argument = match place {
                Some(place) => self.arguments[place].0.clone(),
                None if self.is_open => Argument::given(name),
                None => return Err(self.unknown(name)),
            };
            let held = argument.range.accept(&value).ok_or_else(|| EnvError::InvalidArgument {
                env: self.env.clone(),
                name: name.to_owned(),
                value: printable(&value.to_string()),
                allowed: argument.range.to_string(),
            })?;
            match place {
                Some(place) => self.arguments[place].1 = held,
                None => self.arguments.push((argument, held)),
            }
        }
        Ok(self)
    }

    /// The value of the argument called `name`.
    ///
    /// # Errors
    /// Where the environment asks for an argument that it has not declared, or in a type that can't hold what it has
    /// declared: [`EnvError::UnknownArgument`] and [`EnvError::Misbehaved`].
    pub fn get<T: FromArg>(&self, name: &str) -> Result<T, EnvError> {
        let argument = self.arguments.iter().find(|(argument, _)| argument.name == name);
        let (_, value) = argument.ok_or_else(|| self.unknown(name))?;
        T::from_arg(value).ok_or_else(|| EnvError::Misbehaved {
            env: self.env.clone(),
            problem: format!(
                "it asks for its argument `{name}` in the type {}, which cannot hold {value}",
                std::any::type_name::<T>()
            ),
        })
    }

    /// Every argument and its value, in the order of their declaration.
    pub fn iter(&self) -> impl Iterator<Item = (&Argument, &ArgValue)> {
        self.arguments.iter().map(|(argument, value)| (argument, value))
    }

    /// Whether the environment takes none.
    pub fn is_empty(&self) -> bool {
        self.arguments.is_empty() && !self.is_open
    }

    /// Whether the environment takes whatever it is given, as keyword arguments of a program that only it knows.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// A name with what is not as by default behind it, such as `DeepSea-v0 size=20`.
    pub fn label(&self, name: &str) -> String {
        let other = self.iter().filter(|(argument, value)| argument.default.as_ref() != Some(value));
        other.fold(name.to_owned(), |label, (argument, value)| format!("{label} {}={value}", argument.name))
    }

    /// The same for an environment that errors call `env`.
    pub(crate) fn of(self, env: &str) -> Self {
        Self { env: env.to_owned(), ..self }
    }

    /// What is wrong with the declaration of the arguments.
    pub(crate) fn problem(&self) -> Option<String> {
        let named = |(index, (argument, _)): (usize, &(Argument, ArgValue))| {
            let name = &argument.name;
            let twice = self.arguments[..index].iter().any(|(other, _)| other.name == *name);
            let problem = if twice { Some("is declared twice".to_owned()) } else { argument.problem() };
            problem.map(|problem| format!("its argument `{name}` {problem}"))
        };
        self.arguments.iter().enumerate().find_map(named)
    }

    fn unknown(&self, name: &str) -> EnvError {
        let known: Vec<String> = self.iter().map(|(argument, _)| argument.name.clone()).collect();
        let similarity = |known: &str| strsim::jaro_winkler(known, name);
        let nearest = known.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b))).cloned();
        EnvError::UnknownArgument { env: self.env.clone(), name: printable(name), nearest, known }
    }
}

/// A text without the control characters in it, which must not reach the terminal as they are.
fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(plain).collect()
}
