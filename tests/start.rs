//! The first commands: nothing at all, and a run with a name.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod program;

use std::fs;

use program::{assert_fails, folders, program, run, text, train};

#[test]
fn no_arguments_print_help_with_three_first_commands_and_start_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&[][..], &["-q"]] {
        let output = program().args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
        let help = text(&output.stdout);
        let (_, first) = help.split_once("First commands:\n").unwrap();
        assert_eq!(
            first.lines().filter(|line| line.trim_start().starts_with("concrete-dqn ")).count(),
            3,
            "{help}"
        );
        assert!(first.contains("concrete-dqn --env cartpole"), "{help}");
        assert!(help.contains("Usage:"), "{help}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was started");
}

#[test]
fn a_run_has_the_name_that_it_is_given() {
    let runs = tempfile::tempdir().unwrap();
    let flags = ["--env", "cartpole", "--steps", "150", "-q", "--set", "evaluation.episodes=0"];
    let named = |more: &[&str]| train(runs.path(), &[&flags[..], more].concat());
    assert!(named(&["--name", "first try"]).status.success());
    assert!(named(&["--name", "first try", "--seeds", "3,5"]).status.success());
    let names: Vec<_> = folders(runs.path()).iter().map(|run| run.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["first try", "first try__s3", "first try__s5"]);

    // What is there is neither written over nor mixed with.
    let before = fs::read(runs.path().join("first try/episodes.csv")).unwrap();
    assert_fails(
        &named(&["--name", "first try"]),
        2,
        &["first try exists already", "another name", "resume"],
    );
    let others = ["--name", "first try", "--seeds", "4,5", "--set", "agent.gamma=0.5"];
    assert_fails(&named(&others), 2, &["first try__s5 exists already"]);
    assert_eq!(folders(runs.path()).len(), 3, "seed 4 was not started either");
    // The same seeds and more are the same set, which is gone on with.
    let fifth = fs::read(runs.path().join("first try__s5/summary.json")).unwrap();
    assert!(named(&["--name", "first try", "--seeds", "3,5,4"]).status.success());
    assert_eq!(folders(runs.path()).len(), 4);
    assert!(
        fs::read(runs.path().join("first try__s5/summary.json")).unwrap() == fifth,
        "it was not run again"
    );
    assert!(fs::read(runs.path().join("first try/episodes.csv")).unwrap() == before);
    assert_fails(&named(&["--name", "a/b"]), 2, &["--name", "it must be the name of a folder"]);
    assert_fails(&run(&["--name", "x", "envs"]), 2, &["flags of a training stand before a subcommand"]);
}
