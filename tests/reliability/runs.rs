//! Small runs in the real program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::program::{folders, program, quick, text};

/// The command that trains into a folder below `runs`.
pub fn training(runs: &Path, arguments: &[&str]) -> Command {
    let mut command = program();
    command
        .args(quick(arguments))
        .args(["--set", "logging.redraw_seconds=1000"])
        .args(arguments)
        .args(["-q", "--runs-dir"])
        .arg(runs);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Trains to the end and returns the run's folder.
pub fn whole(runs: &Path, arguments: &[&str]) -> PathBuf {
    let output = training(runs, arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    only(runs)
}

/// The one run below `runs`.
pub fn only(runs: &Path) -> PathBuf {
    let mut folders = folders(runs);
    assert_eq!(folders.len(), 1, "{folders:?}");
    folders.remove(0)
}

/// The command that resumes a run.
pub fn resuming(run: &Path, arguments: &[&str]) -> Command {
    let mut command = program();
    command.arg("resume").arg(run).args(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Goes on with a run to its end; what it said to stderr.
pub fn resume(run: &Path) -> String {
    let output: Output = resuming(run, &[]).output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

/// The checkpoints of a run, the earliest first.
pub fn checkpoints(run: &Path) -> Vec<PathBuf> {
    let is_whole = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("step-") && !name.contains(".")
    };
    match fs::exists(run.join("checkpoints")) {
        Ok(true) => folders(&run.join("checkpoints")).into_iter().filter(is_whole).collect(),
        _ => Vec::new(),
    }
}

/// Waits until `is_so`, for two minutes at most.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(120), "{what} did not come about");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A run that trains on and on, once it has its first checkpoint.
pub fn endless(runs: &Path, arguments: &[&str]) -> (Child, PathBuf) {
    let child = training(runs, &[&["--steps", "100000000"], arguments].concat()).spawn().unwrap();
    wait_until("a checkpoint", || {
        fs::read_dir(runs).is_ok_and(|mut folders| folders.next().is_some())
            && !checkpoints(&only(runs)).is_empty()
    });
    let run = only(runs);
    (child, run)
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for path in folders(from) {
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(|_| ()).unwrap() }
    }
}
