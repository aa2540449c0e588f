//! Environments in the process that has started this one.

use control_envs::Registry;

use crate::error::Error;

/// The registry with the environments of Gymnasium in the process at the other end of the standard input.
#[cfg(unix)]
pub fn gymnasium(registry: &Registry) -> Result<Registry, Error> {
    use std::io;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;
    use std::path::Path;

    let socket = io::stdin().as_fd().try_clone_to_owned();
    let socket = socket.map_err(Error::file("open", Path::new("the standard input")))?;
    let mut registry = registry.clone();
    registry.add_gymnasium(control_envs::Gymnasium::in_other_process(UnixStream::from(socket))?);
    Ok(registry)
}

#[cfg(not(unix))]
pub fn gymnasium(_registry: &Registry) -> Result<Registry, Error> {
    Err(Error::Usage("--gymnasium-on-stdin takes a system that has Unix sockets".to_owned()))
}
