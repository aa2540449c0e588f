//! Python, and the scripts of this program that it runs.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use control_envs::python_interpreter;

use crate::error::Error;

/// Starts a script, asked on its standard input and answering on its standard output; what it says beside that goes into
/// `log`. Ctrl-C is for this program alone.
///
/// # Errors
/// [`Error::Usage`] where there is no Python; it says that `packages` are to be installed too.
pub fn start(script: &str, packages: &str, log: File) -> Result<Child, Error> {
    let python = python_interpreter();
    let mut command = Command::new(&python);
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map_err(|error| {
        Error::Usage(format!(
            "Python could not be started as `{}` ({error}); install Python 3 and `pip install {packages}`, or name an \
             interpreter that has it in CONCRETE_DQN_PYTHON",
            python.display()
        ))
    })
}
