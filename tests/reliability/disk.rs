//! Disks that are full, and folders that are not what they were.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{assert_fails, program, same_run, summary, text};
use crate::row;
use crate::runs::{checkpoints, endless, only, resume, resuming, training, wait_until, whole};

/// Of images, of which there are no maps that would be larger than the rest.
const RUN: [&str; 8] =
    ["--env", "catch", "--steps", "1500", "--set", "network.kind=dense", "--set", "checkpoint.episodes=1"];

/// The most blocks of 512 bytes that a file may have: enough for the network, not for all transitions.
#[test]
fn a_file_size_limit_stops_the_run_and_leaves_the_last_checkpoint_whole() {
    let parent = tempfile::tempdir().unwrap();
    let undisturbed = whole(&parent.path().join("whole"), &RUN[..6]);
    let runs = parent.path().join("limited");
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 240; exec \"$0\" \"$@\""]);
    let training = training(&runs, &RUN);
    let output = limited.arg(training.get_program()).args(training.get_args()).output().unwrap();
    assert_fails(&output, 1, &["error: could not write", "limited", "checkpoints", "File too large"]);
    let run = only(&runs);
    assert!(!checkpoints(&run).is_empty());
    assert!(resume(&run).is_empty() || !checkpoints(&run).is_empty());
    same_run(&undisturbed, &run);
}

#[test]
fn a_folder_that_vanishes_is_an_error_that_names_it() {
    let runs = tempfile::tempdir().unwrap();
    let (child, run) = endless(runs.path(), &["--set", "checkpoint.seconds=0.05"]);
    fs::rename(&run, runs.path().join("elsewhere")).unwrap();
    fs::write(&run, "in its place").unwrap();
    let output = child.wait_with_output().unwrap();
    let name = run.file_name().unwrap().to_str().unwrap();
    assert_fails(&output, 1, &["error: could not", name]);
    // What was written by then has only moved.
    let moved = runs.path().join("elsewhere");
    let steps = newest_step(&moved);
    let output = resuming(&moved, &["--steps", "100000001", "--device", "nonsense"]).output().unwrap();
    assert_fails(&output, 2, &["there is no device `nonsense`"]);
    assert!(steps > 0);
}

fn newest_step(run: &Path) -> u64 {
    let newest = checkpoints(run).pop().unwrap();
    newest.file_name().unwrap().to_str().unwrap().strip_prefix("step-").unwrap().parse().unwrap()
}

#[test]
fn a_folder_that_is_none_is_an_error_that_names_it() {
    let parent = tempfile::tempdir().unwrap();
    let run = whole(&parent.path().join("runs"), &["--steps", "300"]);
    // Nothing can be made in what is no folder, whoever asks.
    fs::remove_dir_all(run.join("checkpoints/replay")).unwrap();
    fs::write(run.join("checkpoints/replay"), "").unwrap();
    let output = resuming(&run, &["--steps", "600"]).output().unwrap();
    assert_fails(&output, 1, &["error: could not read", "replay/segment-00000", "Not a directory"]);
}

#[test]
fn a_second_process_is_refused_and_disturbs_nothing() {
    let runs = tempfile::tempdir().unwrap();
    let (mut child, run) = endless(runs.path(), &["--set", "checkpoint.seconds=0.05"]);
    let output = resuming(&run, &[]).output().unwrap();
    assert_fails(&output, 1, &["another process is writing into", run.to_str().unwrap()]);
    assert_eq!(child.try_wait().unwrap(), None, "the first one goes on");
    child.kill().unwrap();
    child.wait().unwrap();
    // The lock goes with the process.
    let output = resuming(&run, &["--device", "nonsense"]).output().unwrap();
    assert_fails(&output, 2, &["nonsense"]);
}

/// A small file system in memory, unmounted in the end. `None` where this user may not mount one.
struct Mount(PathBuf);

impl Mount {
    fn new(folder: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let options = format!("size={size}");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "none"]).arg(folder).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(folder.to_owned()))
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
#[ignore = "needs the right to mount; a few seconds"]
fn full_and_read_only_disks() {
    let parent = tempfile::tempdir().unwrap();
    let undisturbed = whole(&parent.path().join("whole"), &RUN[..2]);
    let Some(mount) = Mount::new(&parent.path().join("small disk"), "500k") else {
        row("a full and a read-only file system", "not tried: this user may not mount one", "-");
        return;
    };
    let runs = mount.0.join("runs");
    let output = training(&runs, &RUN).output().unwrap();
    assert_fails(&output, 1, &["error: could not write", "No space left on device"]);
    let run = only(&runs);
    let steps = newest_step(&run);
    mount.remount("ro");
    let output = resuming(&run, &[]).output().unwrap();
    assert_fails(&output, 1, &["Read-only file system"]);
    assert_eq!(newest_step(&run), steps);
    mount.remount("rw,size=20m");
    resume(&run);
    same_run(&undisturbed, &run);
    row(
        "a full disk (tmpfs of 500 kB), then read-only, then larger",
        "1 run",
        format!(
            "stopped twice with the system's reason; went on from step {steps} and ended equal to the byte"
        ),
    );
}

#[test]
fn what_cannot_be_resumed_says_why() {
    let parent = tempfile::tempdir().unwrap();
    let fails =
        |run: &Path, code, parts: &[&str]| assert_fails(&resuming(run, &[]).output().unwrap(), code, parts);
    fails(Path::new("no/such/run"), 2, &["there is no run folder no/such/run"]);
    fails(parent.path(), 2, &["it holds no config.toml"]);
    let run = whole(&parent.path().join("runs"), &["--steps", "300"]);
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    fs::remove_file(run.join("summary.json")).unwrap();

    fs::write(run.join("config.toml"), config.replace("[16, 16]", "[16, 17]")).unwrap();
    fails(
        &run,
        1,
        &["tensors.safetensors is not usable", "has shape [16, 16] where the run's config needs [17, 16]"],
    );
    fs::write(run.join("config.toml"), config.replace("CartPole-v1", "Pole-v1")).unwrap();
    fails(&run, 2, &["config.toml", "there is no environment `Pole-v1`"]);
    fs::write(run.join("config.toml"), config.replace("replay_capacity = 100000", "replay_capacity = 200"))
        .unwrap();
    fails(&run, 1, &["checkpoints"]);
    fs::write(run.join("config.toml"), &config).unwrap();

    // Other settings are allowed, and said.
    fs::write(run.join("config.toml"), config.replace("gamma = 0.99", "gamma = 0.5")).unwrap();
    let said = resume(&run);
    assert!(said.contains("was written under other settings; from here on agent.gamma = 0.5"), "{said}");

    // Rows that are lost, and columns of another version.
    fs::remove_file(run.join("summary.json")).unwrap();
    let rows = fs::read_to_string(run.join("episodes.csv")).unwrap();
    fs::write(run.join("episodes.csv"), rows.replacen("episode,", "chapter,", 1)).unwrap();
    fails(&run, 1, &["episodes.csv is not usable: its columns are not those"]);
    fs::write(run.join("episodes.csv"), &rows[..rows.len() / 2]).unwrap();
    fails(&run, 1, &["episodes.csv is not usable", "rows of it are lost"]);
    fs::remove_file(run.join("episodes.csv")).unwrap();
    fails(&run, 1, &["could not open", "episodes.csv"]);
    assert!(summary_is_gone(&run));
}

fn summary_is_gone(run: &Path) -> bool {
    !run.join("summary.json").exists()
}

#[test]
fn a_run_that_was_ended_before_its_first_checkpoint_starts_again() {
    let parent = tempfile::tempdir().unwrap();
    let undisturbed = whole(&parent.path().join("whole"), &["--steps", "3000"]);
    let runs = parent.path().join("ended");
    let mut child = training(&runs, &["--steps", "3000"]).spawn().unwrap();
    wait_until("a row", || {
        runs.is_dir()
            && fs::read_dir(&runs).unwrap().any(|run| {
                fs::read_to_string(run.unwrap().path().join("episodes.csv"))
                    .is_ok_and(|rows| rows.lines().count() > 2)
            })
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let run = only(&runs);
    resume(&run);
    same_run(&undisturbed, &run);
    assert_eq!(summary(&run)["total_steps"], 3000);
    let listing = program().args(["plot"]).arg(&run).output().unwrap();
    assert!(listing.status.success(), "{}", text(&listing.stderr));
}
