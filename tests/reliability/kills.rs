//! `kill -9` at random moments, most of them in the middle of writing a checkpoint.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use concrete_dqn::randomness::{Stream, generator};
use control_envs::rand::RngExt;

use crate::program::same_run;
use crate::row;
use crate::runs::{checkpoints, only, resuming, training, wait_until, whole};

#[test]
fn a_run_that_is_killed_again_and_again_ends_as_the_one_that_never_was() {
    let killed = killed_runs(2, &[&["--env", "cartpole", "--steps", "6000"]]);
    assert!(killed.kills >= 2);
}

#[test]
#[ignore = "half a minute"]
fn kills() {
    let killed = killed_runs(
        80,
        &[
            &["--env", "cartpole", "--steps", "10000"],
            &["--env", "mountaincar", "-x", "thompson", "--steps", "10000"],
            &["--env", "acrobot", "-x", "epsilon-greedy", "--steps", "10000"],
        ],
    );
    assert!(killed.kills >= 50 && killed.while_writing >= 1, "{killed:?}");
    row(
        "`kill -9` at a random moment, then `resume`",
        format!("{} kills, {} of them caught a checkpoint half written", killed.kills, killed.while_writing),
        format!("{} of {} runs end equal to the byte", killed.runs, killed.runs),
    );
}

#[derive(Debug, Default)]
struct Killed {
    runs: usize,
    kills: usize,
    /// Kills that left a file or folder half written.
    while_writing: usize,
}

/// Kills each kind of run again and again, until there were `kills` in all or it has got to its end, and compares it with
/// one that was left alone.
fn killed_runs(kills: usize, kinds: &[&[&str]]) -> Killed {
    let parent = tempfile::tempdir().unwrap();
    let mut random = generator(1, Stream::Bootstrap);
    let mut killed = Killed::default();
    let undisturbed: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(kind, flags)| whole(&parent.path().join(format!("whole {kind}")), flags))
        .collect();
    for (kind, flags) in kinds.iter().enumerate() {
        let runs = parent.path().join(format!("killed {}", killed.runs));
        // As often as there is time for, and at least so often that a life gets a run a little further.
        let often = ["--set", "checkpoint.seconds=0.003"];
        let mut child = training(&runs, &[flags, &often[..]].concat()).spawn().unwrap();
        wait_until("the run's folder", || {
            runs.is_dir()
                && fs::read_dir(&runs).unwrap().any(|run| run.unwrap().path().join("config.toml").exists())
        });
        let run = only(&runs);
        let share = kills.div_ceil(kinds.len());
        let mut lives = 0;
        let ended = loop {
            // Every other life is long enough to get the run a little further, however slow the machine is.
            let before = checkpoints(&run).pop();
            let has_got_further = |child: &mut Child| {
                child.try_wait().unwrap().is_some() || lives % 2 == 0 || checkpoints(&run).pop() != before
            };
            wait_until("a newer checkpoint", || has_got_further(&mut child));
            if lives % 3 == 2 {
                // Not by chance alone: what is killed is in the middle of a checkpoint.
                let waited = Instant::now();
                while !is_half_written(&run.join("checkpoints")) && waited.elapsed().as_secs() < 1 {}
            } else {
                std::thread::sleep(Duration::from_millis(random.random_range(0..100)));
            }
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if lives == share {
                break child.wait().unwrap();
            }
            child.kill().unwrap();
            child.wait().unwrap();
            lives += 1;
            killed.kills += 1;
            killed.while_writing += usize::from(is_half_written(&run.join("checkpoints")));
            child = resuming(&run, &["-q"]).spawn().unwrap();
        };
        assert!(ended.success(), "after {} kills: {:?}", killed.kills, child.wait_with_output());
        same_run(&undisturbed[kind], &run);
        killed.runs += 1;
        fs::remove_dir_all(&runs).unwrap();
    }
    killed
}

fn is_half_written(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        path.extension().is_some_and(|ending| ending == "partial") || path.is_dir() && is_half_written(&path)
    })
}
