//! Checkpoints that are not as they were written.

use std::fs;
use std::path::{Path, PathBuf};

use concrete_dqn::checkpoint::{Checkpoints, VERSION};
use concrete_dqn::randomness::{Generator, Stream, generator};
use concrete_dqn::run::Record;
use control_envs::rand::RngExt;

use crate::program::{assert_fails, same_run};
use crate::row;
use crate::runs::{checkpoints, copy, only, resume, resuming, whole};

const RUN: [&str; 6] = ["--steps", "2500", "--set", "checkpoint.episodes=5", "--set", "checkpoint.keep=4"];

/// A run as it is when it was killed: no summary. Its checkpoints are several.
fn killed(parent: &Path) -> PathBuf {
    let run = whole(&parent.join("runs"), &RUN);
    assert!(checkpoints(&run).len() >= 4);
    run
}

/// The files that the newest checkpoint is made of.
fn files(run: &Path) -> Vec<PathBuf> {
    let newest = checkpoints(run).pop().unwrap();
    let text = fs::read_to_string(newest.join("state.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&text).unwrap();
    let segments = state["segments"].as_array().unwrap().iter();
    let segments = segments.map(|name| run.join("checkpoints/replay").join(name.as_str().unwrap()));
    let own = ["state.json", "tensors.safetensors", "SHA256SUMS"].map(|name| newest.join(name));
    own.into_iter().chain(segments).collect()
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Emptied,
    CutShort,
    BitFlipped,
    Overwritten,
    Removed,
}

const ALL: [Damage; 5] =
    [Damage::Emptied, Damage::CutShort, Damage::BitFlipped, Damage::Overwritten, Damage::Removed];

impl Damage {
    fn inflict(self, path: &Path, random: &mut Generator) {
        let mut content = fs::read(path).unwrap();
        let place = random.random_range(0..content.len());
        match self {
            Self::Emptied => content.clear(),
            Self::CutShort => content.truncate(place),
            Self::BitFlipped => content[place] ^= 1 << random.random_range(0..8),
            Self::Overwritten => {
                let end = (place + 16).min(content.len());
                content[place..end].iter_mut().for_each(|byte| *byte = random.random());
            }
            Self::Removed => return fs::remove_file(path).unwrap(),
        }
        fs::write(path, content).unwrap();
    }
}

#[test]
fn damage_is_named_and_the_checkpoint_before_it_is_used() {
    let parent = tempfile::tempdir().unwrap();
    let run = killed(parent.path());
    let undisturbed = whole(&parent.path().join("whole"), &RUN[..2]);
    let mut random = generator(3, Stream::Bootstrap);
    for (index, damage) in [Damage::Emptied, Damage::CutShort, Damage::BitFlipped].into_iter().enumerate() {
        let copy = parent.path().join(format!("{damage:?}"));
        self::copy(&run, &copy);
        fs::remove_file(copy.join("summary.json")).unwrap();
        let file = &files(&copy)[index + usize::from(index == 2)];
        damage.inflict(file, &mut random);
        let said = resume(&copy);
        let name = file.file_name().unwrap().to_str().unwrap();
        for part in [name, "is not usable", "resuming from the checkpoint before it"] {
            assert!(said.contains(part), "`{part}` is missing in: {said}");
        }
        same_run(&undisturbed, &copy);
    }
}

#[test]
fn another_version_of_the_format_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let run = whole(&parent.path().join("runs"), &["--steps", "300"]);
    fs::remove_file(run.join("summary.json")).unwrap();
    let newest = only_checkpoint(&run);
    let state = fs::read_to_string(newest.join("state.json")).unwrap();
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    let first = include_str!("../data/checkpoint_v1_state.json").to_owned();
    let version = |number: u32| format!("\"version\": {number}");
    assert!(state.contains(&version(VERSION)), "{state}");
    let later = state.replacen(&version(VERSION), &version(VERSION + 3), 1);
    let reads = format!("this program reads version {VERSION}");
    for (other, number) in [(first, 1), (later, VERSION + 3)] {
        let words = &format!("has version {number} of the format");
        fs::write(newest.join("state.json"), other).unwrap();
        sum_again(&newest);
        // The settings of another version need not be those of this one.
        for config in [&config, "unheard_of = true"] {
            fs::write(run.join("config.toml"), config).unwrap();
            let output = resuming(&run, &[]).output().unwrap();
            assert_fails(
                &output,
                1,
                &[words.as_str(), reads.as_str(), "resume the run with the program that wrote it"],
            );
        }
        fs::write(run.join("config.toml"), &config).unwrap();
        let refused = Checkpoints::new(run.join("checkpoints"), 3).newest::<Record>().unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
        assert_eq!(only_checkpoint(&run), newest, "it stays where it is");
    }
    // Another build of the program is only told of.
    fs::write(newest.join("state.json"), state.replacen("bytes of 2", "bytes of 1", 1)).unwrap();
    sum_again(&newest);
    let said = resume(&run);
    assert!(said.contains("was written by another build of this program"), "{said}");
}

fn only_checkpoint(run: &Path) -> PathBuf {
    let mut found = checkpoints(run);
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// Writes the checksums of what is there now, as someone does who means it.
fn sum_again(checkpoint: &Path) {
    let sums = fs::read_to_string(checkpoint.join("SHA256SUMS")).unwrap();
    let paths: Vec<&str> = sums.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    let output =
        std::process::Command::new("sha256sum").args(paths).current_dir(checkpoint).output().unwrap();
    assert!(output.status.success());
    fs::write(checkpoint.join("SHA256SUMS"), output.stdout).unwrap();
}

#[test]
fn no_damaged_file_is_taken_for_a_whole_one() {
    assert_eq!(damaged(100), 100);
}

#[test]
#[ignore = "ten seconds"]
fn damage() {
    let tried = 2000;
    row(
        "files of a checkpoint emptied, cut short, a bit flipped, overwritten, removed",
        format!("{tried} damages"),
        format!("{} detected, and the checkpoint before used", damaged(tried)),
    );
}

/// Damages a random file of the newest checkpoint in a random way, `times` times, and counts how often that was seen.
fn damaged(times: usize) -> usize {
    let parent = tempfile::tempdir().unwrap();
    let run = killed(parent.path());
    let mut random = generator(2, Stream::Bootstrap);
    let newest = checkpoints(&run).pop().unwrap();
    let mut detected = 0;
    for time in 0..times {
        let files = files(&run);
        let file = &files[random.random_range(0..files.len())];
        let before = fs::read(file).unwrap();
        ALL[time % ALL.len()].inflict(file, &mut random);
        if fs::read(file).is_ok_and(|after| after == before) {
            // Overwritten with what was there: one time in many.
            detected += 1;
            continue;
        }
        let mut checkpoints = Checkpoints::new(run.join("checkpoints"), 4);
        let found = checkpoints.newest::<Record>().unwrap().unwrap();
        detected += usize::from(found.folder < newest);
        // As it was.
        fs::write(file, &before).or_else(|_| fs::create_dir_all(&newest)).unwrap();
        let aside = newest.with_extension("damaged");
        if aside.exists() {
            if newest.exists() {
                fs::remove_dir_all(&newest).unwrap();
            }
            fs::rename(&aside, &newest).unwrap();
            fs::write(file, &before).unwrap();
        }
    }
    let whole = Checkpoints::new(run.join("checkpoints"), 4).newest::<Record>().unwrap().unwrap();
    assert_eq!(whole.folder, newest, "what was repaired is whole again");
    detected
}

#[test]
fn a_run_of_which_no_checkpoint_is_whole_says_so_and_touches_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let run = whole(&parent.path().join("runs"), &["--steps", "300"]);
    fs::remove_file(run.join("summary.json")).unwrap();
    let rows = fs::read(run.join("episodes.csv")).unwrap();
    let newest = only_checkpoint(&run);
    fs::write(newest.join("tensors.safetensors"), "").unwrap();
    let output = resuming(&run, &[]).output().unwrap();
    assert_fails(&output, 1, &["none of its 1 checkpoints is whole", "tensors.safetensors", "SHA-256"]);
    assert_eq!(fs::read(run.join("episodes.csv")).unwrap(), rows);
    assert_eq!(only(&parent.path().join("runs")), run);
}
