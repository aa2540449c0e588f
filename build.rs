//! Records where libtorch lies in the binaries (rpath), so that they run without `LD_LIBRARY_PATH`, and its
//! version.
//!
//! Cargo hands no linker arguments on to programs that depend on this package. They find the same argument in
//! `DEP_CONCRETE_DQN_LINK_ARG`, for a build script of theirs: see examples/library.

use std::fs;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Exported by torch-sys, which has already resolved LIBTORCH, LIBTORCH_USE_PYTORCH or its own download.
    let Ok(lib) = std::env::var("DEP_TCH_LIBTORCH_LIB") else { return };
    let mut argument = format!("-Wl,-rpath,{lib}");
    if Path::new(&lib).join("libtorch_cuda.so").exists() {
        // Nothing refers to a symbol of libtorch_cuda.so: it registers its kernels when it is loaded, and
        // without this the linker would drop it and CUDA would seem to be missing.
        argument.push_str(",--no-as-needed,-ltorch_cuda");
    }
    println!("cargo:rustc-link-arg={argument}");
    println!("cargo:link_arg={argument}");
    if let Some(version) = libtorch_version(Path::new(&lib)) {
        println!("cargo:rustc-env=LIBTORCH_VERSION={version}");
    }
}

/// The version that libtorch's own headers state.
fn libtorch_version(lib: &Path) -> Option<String> {
    let header = lib.parent()?.join("include/torch/headeronly/version.h");
    println!("cargo:rerun-if-changed={}", header.display());
    let text = fs::read_to_string(header).ok()?;
    let part = |name: &str| {
        let define = format!("#define TORCH_VERSION_{name} ");
        text.lines().find_map(|line| line.strip_prefix(&define)).map(str::trim)
    };
    Some(format!("{}.{}.{}", part("MAJOR")?, part("MINOR")?, part("PATCH")?))
}
