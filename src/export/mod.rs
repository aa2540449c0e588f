//! A trained network for other programs: Q(s, a) with all that it depends on, as safetensors with a loader in NumPy and
//! as ONNX, and examples of what this program says, so that whoever loads it can hold one against the other.

mod examples;
mod function;
mod onnx;

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files;
use crate::session::Policy;
use function::QFunction;

/// What reads `policy.safetensors`.
const LOADER: &str = include_str!("../../python/export/policy.py");
/// What holds all of it against the examples.
const CHECK: &str = include_str!("../../python/export/check.py");

/// Writes the network of a policy into `folder`, which need not exist yet, in place of what was exported there before.
/// Returns the files.
///
/// # Errors
/// [`Error::Usage`] where the policy has seen no reward, since its values have no unit then, and where a file can't be
/// written.
pub fn export(policy: &mut Policy, folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let function = QFunction::of(policy)?;
    let tensors = function.to_safetensors().map_err(unwritable(folder))?;
    let [mean_pass, noisy_passes] = [onnx::mean_pass(&function), onnx::noisy_passes(&function)];
    drop(function);
    let examples = examples::of(policy)?.map_err(unwritable(folder))?;
    std::fs::create_dir_all(folder).map_err(Error::file("create the folder", folder))?;
    let contents: [(&str, &[u8]); 6] = [
        ("policy.safetensors", &tensors),
        ("mean_pass.onnx", &mean_pass),
        ("noisy_passes.onnx", &noisy_passes),
        ("examples.safetensors", &examples),
        ("policy.py", LOADER.as_bytes()),
        ("check.py", CHECK.as_bytes()),
    ];
    let written = contents.into_iter().map(|(name, content)| {
        let path = folder.join(name);
        files::replace(&path, content).map(|()| path)
    });
    written.collect()
}

fn unwritable(folder: &Path) -> impl Fn(String) -> Error + '_ {
    |problem| Error::file("write", folder)(io::Error::other(problem))
}
