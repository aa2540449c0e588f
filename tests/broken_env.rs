//! An environment that misbehaves in the middle of a run: the run stops, names it, and keeps what was learned.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::ffi::OsString;
use std::fs;
use std::process::ExitCode;

use control_envs::rand::Rng;
use control_envs::{Dimension, Env, EnvError, EnvSpec, Registry, Step};

/// Ten-step episodes; from step 205 on every step is `broken`, or a panic.
struct Breaks {
    spec: EnvSpec,
    steps: u32,
    broken: Option<Step>,
}

impl Breaks {
    fn new(broken: Option<Step>) -> Self {
        let spec = EnvSpec::new("Breaks-v0", [Dimension::new("x", "m", -1.0, 1.0)], ["go", "stop"])
            .with_max_episode_steps(10);
        Self { spec, steps: 0, broken }
    }
}

impl Env for Breaks {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, _rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        Ok(vec![0.0])
    }

    fn step(&mut self, _action: usize) -> Result<Step, EnvError> {
        self.steps += 1;
        Ok(if self.steps < 205 { Step::new(vec![0.5], 1.0, false) } else { self.broken.clone().unwrap() })
    }
}

#[test]
fn what_was_learned_is_written_before_the_error() {
    for (broken, word) in [
        (
            Some(Step::new(vec![f32::NAN], 1.0, false)),
            "`Breaks-v0` misbehaved: in step 5 of an episode, value 0",
        ),
        (
            Some(Step::new(vec![0.5, 0.5], 1.0, false)),
            "`Breaks-v0` misbehaved: in step 5 of an episode, the observation",
        ),
        (
            Some(Step::new(vec![0.5], f64::INFINITY, false)),
            "`Breaks-v0` misbehaved: in step 5 of an episode, the reward",
        ),
        (
            Some(Step::new(vec![0.5], 1e300, false)),
            "`Breaks-v0` misbehaved: in step 5 of an episode, the reward",
        ),
        (None, "the run broke off: called `Option::unwrap()`"),
    ] {
        let mut registry = Registry::new();
        registry.register("breaks", move || Breaks::new(broken.clone())).unwrap();
        let runs = tempfile::tempdir().unwrap();
        let arguments: Vec<OsString> =
            ["x", "--env", "breaks", "--set", "agent.learning_starts=50", "-q", "--runs-dir"]
                .map(OsString::from)
                .into_iter()
                .chain([runs.path().into()])
                .collect();
        let code = concrete_dqn::cli::run(&registry, arguments);
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(1)));

        let folder = fs::read_dir(runs.path()).unwrap().next().unwrap().unwrap().path();
        let summary = fs::read_to_string(folder.join("summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
        let ended = summary["ended"].as_str().unwrap();
        assert!(ended.contains(word), "{ended}");
        assert_eq!(summary["total_steps"], 204);
        let episodes = fs::read_to_string(folder.join("episodes.csv")).unwrap();
        assert_eq!(episodes.lines().count(), 1 + 20);
        assert!(folder.join("model.safetensors").is_file() && folder.join("plots/overview.svg").is_file());
    }
}
