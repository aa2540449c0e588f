//! `model.safetensors`: everything a pass of the network depends on, as named tensors.

use std::collections::HashMap;
use std::path::Path;

use tch::{Tensor, no_grad};

use super::directory::replace_atomically;
use crate::error::Error;
use crate::network::QNetwork;

/// Writes the network, whole or not at all.
///
/// # Errors
/// Where the file can't be written.
pub fn save(network: &QNetwork, path: &Path) -> Result<(), Error> {
    replace_atomically(path, |temporary| {
        Tensor::write_safetensors(&network.named_tensors(), temporary)
            .map_err(|error| Error::file("write", path)(std::io::Error::other(error)))
    })
}

/// Reads tensors into a network of the same shape.
///
/// # Errors
/// Where the file can't be read, is not of the format, lacks a tensor of the network or has one of another shape.
pub fn load(network: &mut QNetwork, path: &Path) -> Result<(), Error> {
    std::fs::metadata(path).map_err(Error::file("read", path))?;
    let content = |problem: String| Error::Content { path: path.to_owned(), problem };
    let stored = Tensor::read_safetensors(path)
        .map_err(|error| content(format!("it is not a whole safetensors file ({error})")))?;
    let stored: HashMap<String, Tensor> = stored.into_iter().collect();
    let wanted = network.named_tensors();
    for (name, tensor) in &wanted {
        let source =
            stored.get(name).ok_or_else(|| content(format!("the run's config needs a tensor `{name}`")))?;
        if source.size() != tensor.size() {
            return Err(content(format!(
                "tensor `{name}` has shape {:?} where the run's config needs {:?}",
                source.size(),
                tensor.size()
            )));
        }
    }
    for (name, mut tensor) in wanted {
        no_grad(|| tensor.copy_(&stored[&name]));
    }
    Ok(())
}
