//! Python processes.

use std::env;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::failure::Failure;
use crate::python_interpreter;

/// What the process runs. It is part of the Python package too.
const SCRIPT: &str = include_str!("../../../python/concrete_dqn/serve.py");

/// How long an answer may take unless `CONCRETE_DQN_GYM_TIMEOUT` says otherwise. Making an environment may compile or
/// download things.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How much longer is waited, though no longer than the timeout itself: the process ends a step that takes too long by
/// itself and says where it was, unless its interpreter is stuck.
const GRACE: Duration = Duration::from_secs(2);

/// How long a process may take to end by itself.
const PARTING: Duration = Duration::from_secs(1);

/// What starts processes.
#[derive(Debug, Clone)]
pub struct Interpreter {
    python: PathBuf,
    timeout: Result<Duration, String>,
}

impl Interpreter {
    /// This one.
    pub fn new(python: impl Into<PathBuf>, timeout: Duration) -> Self {
        Self { python: python.into(), timeout: Ok(timeout) }
    }

    /// The one that the environment variables say.
    pub fn of_environment() -> Self {
        let timeout = match env::var_os("CONCRETE_DQN_GYM_TIMEOUT").filter(|value| !value.is_empty()) {
            None => Ok(TIMEOUT),
            Some(text) => seconds(&text.to_string_lossy()).ok_or_else(|| {
                format!(
                    "CONCRETE_DQN_GYM_TIMEOUT = {} is not valid; it must be a number of seconds from 0.01 to 1000000",
                    text.to_string_lossy().escape_debug()
                )
            }),
        };
        Self { python: python_interpreter(), timeout }
    }

    /// Starts a process.
    pub fn start(&self) -> Result<Process, Failure> {
        let timeout = self.timeout.clone().map_err(Failure::Refused)?;
        let stuck =
            |error: io::Error| Failure::Refused(format!("a process could not be started for it: {error}"));
        let (stream, other) = UnixStream::pair().map_err(stuck)?;
        let wait = Some(timeout + GRACE.min(timeout));
        stream.set_read_timeout(wait).and_then(|()| stream.set_write_timeout(wait)).map_err(stuck)?;
        let child = Command::new(&self.python)
            .args(["-c", SCRIPT, &timeout.as_secs_f64().to_string()])
            .stdin(OwnedFd::from(other))
            // Environments print, and what is printed here is for those who read what the program says.
            .stdout(Stdio::from(io::stderr()))
            // Ctrl-C is for this program alone, which ends the process when it has saved.
            .process_group(0)
            .spawn()
            .map_err(|error| {
                Failure::Refused(format!(
                    "Python could not be started as `{}` ({error}); install Python 3 and `pip install gymnasium`, or name an \
                     interpreter that has it in CONCRETE_DQN_PYTHON",
                    self.python.display()
                ))
            })?;
        Ok(Process { child, stream, timeout })
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    (0.01..=1e6).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// A Python process and the socket to it. Dropped, it is ended.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pub stream: UnixStream,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl Process {
    /// Ends it, by force where it does not end by itself once the socket is closed. How it ended, as far as is known.
    pub fn end(&mut self, patience: Duration) -> io::Result<ExitStatus> {
        // It fails only where the socket is closed already.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        let asked = Instant::now();
        while asked.elapsed() < patience {
            if let Some(status) = self.child.try_wait()? {
                // What it has started may go on without it; most often there is nothing.
                let _ = self.kill_group();
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(2));
        }
        // With all that it has started: `python3` may itself be a script that starts Python.
        self.kill_group()?;
        self.child.wait()
    }

    fn kill_group(&self) -> io::Result<()> {
        match i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            Some(group) => Ok(kill_process_group(group, Signal::KILL)?),
            None => Ok(()),
        }
    }

    /// Waits for the end of a process that has closed its side, and says how it ended.
    pub fn farewell(&mut self) -> String {
        match self.end(PARTING) {
            Ok(status) => format!("its Python process ended with {status}"),
            Err(error) => format!("its Python process is not to be reached: {error}"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing can be done about a process that can't be ended.
        let _ = self.end(PARTING);
    }
}
