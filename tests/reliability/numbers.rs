//! Numbers that are not finite stop a training before they are saved.

use concrete_dqn::Error;
use concrete_dqn::agent::Agent;
use concrete_dqn::checkpoint::Checkpoints;
use concrete_dqn::config::{Config, ConfigLayer};
use concrete_dqn::training::{TrainingProgress, TrainingSnapshot};
use control_envs::Registry;
use tch::Device;

use crate::program::{assert_fails, text};
use crate::runs::{checkpoints, only, resuming, training};

#[test]
fn a_training_that_diverges_says_when_and_what_and_keeps_its_last_good_checkpoint() {
    let runs = tempfile::tempdir().unwrap();
    let flags = ["--steps", "3000", "--set", "checkpoint.seconds=0", "--set", "optimizer.learning_rate=1e12"];
    let output = training(runs.path(), &flags).output().unwrap();
    assert_fails(&output, 1, &["is not finite at step 10", "the learning has diverged"]);
    let run = only(runs.path());
    // The last one from before the numbers went, and it is whole: going on ends the same way.
    assert!(!checkpoints(&run).is_empty());
    let output = resuming(&run, &[]).output().unwrap();
    assert_fails(&output, 1, &["is not finite at step 10"]);
}

#[test]
fn a_poisoned_tensor_is_named_and_never_saved() {
    for tensor in ["online.layers.1.weight", "target.layers.0.weight", "adam.second_moment.layers.2.weight"] {
        let folder = tempfile::tempdir().unwrap();
        let small =
            "steps = 500\n[network]\nhidden = [16, 16]\n[agent]\nlearning_starts = 100\nbatch_size = 16";
        let config = Config::resolve(&[ConfigLayer::parse("test", small).unwrap()]).unwrap();
        let mut env = Registry::builtin().make("cartpole").unwrap();
        let mut agent = Agent::new(&config, env.spec(), Device::Cpu).unwrap();
        let mut checkpoints = Checkpoints::new(folder.path().into(), 2);
        let mut progress = TrainingProgress::start(0, 1);
        let mut observation = env.reset(&mut progress.starts).unwrap();
        let saved = (1..=250).try_for_each(|step| {
            let action = agent.act(&observation)?;
            let outcome = env.step(action)?;
            agent.observe(&observation, action, &outcome);
            agent.learn()?;
            let ended = outcome.ends_episode();
            observation = if ended { env.reset(&mut progress.starts)? } else { outcome.observation };
            if step == 250 {
                // As a bug or broken memory would.
                agent.restore_named(&mut |name, _, values| {
                    values[0] = if name == tensor { f32::NAN } else { values[0] };
                    Ok::<(), Error>(())
                })?;
            }
            let snapshot =
                TrainingSnapshot { envs: std::slice::from_ref(&env), agent: &agent, progress: &progress };
            if step % 10 == 0 { checkpoints.save(snapshot, String::new(), None, 0) } else { Ok(()) }
        });
        let problem = saved.unwrap_err().to_string();
        assert!(problem.contains(&format!("the tensor `{tensor}` is not finite at step 250")), "{problem}");
        let newest = checkpoints.newest::<u32>().unwrap().unwrap();
        assert_eq!(newest.state.agent.steps(), 240, "the last good one");
    }
}

#[test]
fn values_beyond_the_rewards_are_warned_of_once_and_the_advice_helps() {
    let runs = tempfile::tempdir().unwrap();
    let flags = ["--steps", "7000", "--set", "agent.target_beta=100"];
    let command = training(runs.path(), &flags);
    let arguments: Vec<_> = command.get_args().filter(|word| *word != "-q").map(ToOwned::to_owned).collect();
    let output = std::process::Command::new(command.get_program()).args(arguments).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(said.matches("the mean Q-value of a batch is").count(), 1, "{said}");
    for part in ["a return of 100 in size", "the bonus of optimistic targets", "bounded_targets = true"] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
    // What it advises helps.
    let output = std::process::Command::new(command.get_program())
        .args(command.get_args().filter(|word| *word != "-q"))
        .args(["--set", "agent.bounded_targets=true"])
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert!(output.status.success() && !said.contains("the mean Q-value of a batch is"), "{said}");
}
