//! Ctrl-C and SIGTERM: a checkpoint is written, in the middle of an episode too, and the run is resumed.

use std::fs;
use std::process::Command;

use crate::program::{same_learning, summary};
use crate::runs::{checkpoints, endless, resume, resuming, whole};

#[test]
fn what_is_asked_to_end_ends_with_a_checkpoint() {
    for signal in ["-INT", "-TERM"] {
        let parent = tempfile::tempdir().unwrap();
        // So many steps are never reached, so no rate depends on the step to the bits that are compared.
        let constant = ["--set", "optimizer.final_fraction=1", "--set", "agent.n_step_final=3"];
        let flags = [&constant[..], &["--set", "checkpoint.episodes=3"]].concat();
        let (child, run) = endless(&parent.path().join("runs"), &flags);
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        let steps = summary(&run)["total_steps"].as_u64().unwrap();
        let newest = checkpoints(&run).pop().unwrap();
        assert!(newest.ends_with(format!("step-{steps:012}")), "{newest:?} for {steps} steps");

        // Shortened to where it would have ended anyway: a run of some more steps, one left alone and one resumed.
        let config = fs::read_to_string(run.join("config.toml")).unwrap();
        let more = (steps + 300).to_string();
        fs::write(run.join("config.toml"), config.replace("steps = 100000000", &format!("steps = {more}")))
            .unwrap();
        let refused = resuming(&run, &["--steps", "10"]).output().unwrap();
        assert_eq!(refused.status.code(), Some(2));
        resume(&run);
        let alone = whole(&parent.path().join("alone"), &[&["--steps", more.as_str()], &flags[..]].concat());
        same_learning(&alone, &run);
    }
}
