//! `model.safetensors`: everything a pass of the network depends on, as named tensors.

use std::io;
use std::path::Path;

use crate::error::Error;
use crate::files;
use crate::network::QNetwork;
use crate::tensors::{Arrays, Stored};

/// Writes the network, whole or not at all.
///
/// # Errors
/// Where the file can't be written.
pub fn save(network: &QNetwork, path: &Path) -> Result<(), Error> {
    let mut arrays = Arrays::default();
    network.named("").into_iter().for_each(|named| arrays.named(named));
    let content = arrays.serialize().map_err(|error| Error::file("write", path)(io::Error::other(error)))?;
    files::replace(path, &content)
}

/// Reads tensors into a network of the same shape.
///
/// # Errors
/// Where the file can't be read, is not of the format, lacks a tensor of the network or has one of another
/// shape. The network is then of no use.
pub fn load(network: &mut QNetwork, path: &Path) -> Result<(), Error> {
    let content = std::fs::read(path).map_err(Error::file("read", path))?;
    Stored::parse(&content)
        .and_then(|stored| network.restore("", &mut |name, shape, values| stored.fill(name, shape, values)))
        .map_err(|problem| Error::Content { path: path.to_owned(), problem })
}
