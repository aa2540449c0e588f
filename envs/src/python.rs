//! Which Python is run.

use std::env;
use std::path::{Path, PathBuf};

/// The interpreter of all that runs in Python: that of `CONCRETE_DQN_PYTHON`, that of the virtual environment that is
/// active, or `python3`.
pub fn python_interpreter() -> PathBuf {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    let of_venv = || set("VIRTUAL_ENV").map(|venv| Path::new(&venv).join("bin/python"));
    set("CONCRETE_DQN_PYTHON").map(PathBuf::from).or_else(of_venv).unwrap_or_else(|| "python3".into())
}
