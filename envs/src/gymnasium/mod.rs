//! Environments of [Gymnasium](https://gymnasium.farama.org), which run in Python.
//!
//! They are named `gym:ID`, such as `gym:LunarLander-v3`, and `gym:module:ID` where importing a module registers them.
//! Each runs in a Python process of its own, which is asked over a socket; `docs/gymnasium.md` has the protocol, and what
//! Python is chosen.

mod failure;
mod host;
mod process;
mod protocol;
mod remote;

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use self::failure::Failure;
use self::host::Host;
use self::process::Interpreter;
use self::remote::Remote;
use crate::{Env, EnvArgs, EnvError};

/// The prefix of their names.
pub const PREFIX: &str = "gym";

/// Where environments of Gymnasium are: Python processes, started as they are needed, or one that is there already.
#[derive(Debug)]
pub struct Gymnasium(Source);

#[derive(Debug)]
enum Source {
    /// Starts processes. A host that only this list holds has no environment and can be given the next.
    Processes { interpreter: Interpreter, hosts: Mutex<Vec<Arc<Host>>> },
    /// Has all environments.
    One(Arc<Host>),
}

impl Gymnasium {
    /// Environments in Python processes of their own. The interpreter is that of `CONCRETE_DQN_PYTHON`, that of the
    /// virtual environment that is active, or `python3`; an answer may take `CONCRETE_DQN_GYM_TIMEOUT` seconds, or 60.
    pub fn in_processes() -> Self {
        Self(Source::Processes { interpreter: Interpreter::of_environment(), hosts: Mutex::default() })
    }

    /// The same with this interpreter, and at most this long for an answer.
    pub fn in_processes_of(python: impl Into<PathBuf>, timeout: Duration) -> Self {
        let interpreter = Interpreter::new(python, timeout);
        Self(Source::Processes { interpreter, hosts: Mutex::default() })
    }

    /// Environments of the process at the other end of `stream`, which waits for as long as they take.
    ///
    /// # Errors
    /// [`EnvError::Unavailable`] where it does not speak this protocol.
    pub fn in_other_process(stream: UnixStream) -> Result<Self, EnvError> {
        let host = Host::of_stream(stream).map_err(|failure| failure.of(PREFIX))?;
        Ok(Self(Source::One(Arc::new(host))))
    }

    /// The environment that Gymnasium knows by this name, its arguments the keyword arguments of `gymnasium.make`.
    ///
    /// # Errors
    /// [`EnvError::Unavailable`] where there is no Python, no Gymnasium, no such environment, or no agent of this kind for
    /// it, and [`EnvError::Outside`] where making it fails.
    pub fn make(&self, name: &str, args: &EnvArgs) -> Result<impl Env + use<>, EnvError> {
        let full = format!("{PREFIX}:{name}");
        let host = self.host().map_err(|failure| failure.of(&full))?;
        Remote::make(host, name, args).map_err(|failure| failure.of(&full))
    }

    fn host(&self) -> Result<Arc<Host>, Failure> {
        let (interpreter, hosts) = match &self.0 {
            Source::One(host) => return Ok(Arc::clone(host)),
            Source::Processes { interpreter, hosts } => (interpreter, hosts),
        };
        // Not held while a process starts, since others may start beside it.
        let hosts = || hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts().retain(|host| !host.is_lost());
        if let Some(idle) = hosts().iter().find(|host| Arc::strong_count(host) == 1) {
            return Ok(Arc::clone(idle));
        }
        let host = Arc::new(Host::of_process(interpreter.start()?)?);
        hosts().push(Arc::clone(&host));
        Ok(host)
    }
}
