//! Several seeds side by side: each the run that it is alone, none in the way of another.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod program;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use concrete_dqn::randomness::{Stream, generator};
use control_envs::rand::{Rng, RngExt};
use control_envs::{Dimension, Env, EnvError, EnvSpec, Registry, Step};
use program::{QUICK, assert_fails, folders, is_caught, program, run, summary, text, train, wait_for};

fn of_seed(runs: &Path, seed: u64) -> PathBuf {
    let named = |folder: &PathBuf| folder.to_string_lossy().contains(&format!("__s{seed}__"));
    let mut found = folders(runs).into_iter().filter(named);
    let folder = found.next().unwrap_or_else(|| panic!("seed {seed} has no run"));
    assert_eq!(found.next(), None, "seed {seed} has one run");
    folder
}

/// As returns are printed: three significant digits, one decimal at least.
fn three_digits(value: f64) -> String {
    let decimals = (2.0 - value.abs().max(0.1).log10().floor()).max(1.0) as usize;
    if value == 0.0 { "0.0".to_owned() } else { format!("{value:.decimals$}") }
}

#[test]
fn every_seed_is_the_run_that_it_is_alone() {
    let parent = tempfile::tempdir().unwrap();
    let (alone, together) = (parent.path().join("alone"), parent.path().join("it's läufe"));
    for seed in ["0", "1", "2"] {
        assert!(train(&alone, &["--steps", "600", "-q", "--seed", seed]).status.success());
    }
    let output = train(&together, &["--steps", "600", "--seeds", "0-2", "--jobs", "2"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(folders(&together).len(), 3);
    for seed in 0..3 {
        let (alone, together) = (of_seed(&alone, seed), of_seed(&together, seed));
        for file in [
            "config.toml",
            "episodes.csv",
            "layers.csv",
            "updates.csv",
            "evaluations.csv",
            "model.safetensors",
        ] {
            assert_eq!(
                fs::read(alone.join(file)).unwrap(),
                fs::read(together.join(file)).unwrap(),
                "{file} of seed {seed}"
            );
        }
        let (alone, together) = (summary(&alone), summary(&together));
        assert_eq!(alone["evaluation"], together["evaluation"]);
        assert_eq!(together["ended"], "finished");
    }

    // The table: a header, a row a seed in their order, and what they come to.
    let report = text(&output.stdout);
    let mut lines = report.lines();
    assert!(lines.next().unwrap().starts_with("seed  evaluation  last 100"), "{report}");
    let mut returns = Vec::new();
    for seed in 0..3 {
        let row = lines.next().unwrap();
        let folder = of_seed(&together, seed);
        let mean = summary(&folder)["evaluation"]["mean_return"].as_f64().unwrap();
        returns.push(mean);
        let cells: Vec<_> = row.split_whitespace().collect();
        assert_eq!(cells[..2], [seed.to_string(), three_digits(mean)], "{row}");
        assert!(row.ends_with(folder.to_str().unwrap()), "{row}");
    }
    let mean = returns.iter().sum::<f64>() / 3.0;
    let deviation = (returns.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    assert_eq!(
        lines.next().unwrap(),
        format!("evaluation  mean return {} +- {} over 3 seeds", three_digits(mean), three_digits(deviation))
    );
    // The command is one that a shell can run.
    let command = lines.next().unwrap().strip_prefix("compare     ").unwrap();
    let compared = Command::new("sh").args(["-c", command]).current_dir(parent.path()).output().unwrap();
    assert!(compared.status.success(), "{}", text(&compared.stderr));
    assert!(parent.path().join("runs/comparison.png").is_file());

    // Lines name their seed where there is no terminal.
    let said = text(&output.stderr);
    for part in
        ["seed 0: CartPole-v1 for 600 steps", "seed 1: training is over", "seed 2 is done: mean return"]
    {
        assert!(said.contains(part), "`{part}` is missing in: {said}");
    }
}

#[test]
fn seeds_may_be_fewer_than_jobs_and_quiet() {
    let runs = tempfile::tempdir().unwrap();
    let output = train(runs.path(), &["--steps", "200", "--seeds", "7,2", "--jobs", "50", "-q"]);
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
    assert_eq!(folders(runs.path()).len(), 2);
    let output = train(runs.path(), &["--steps", "200", "--seeds", "4"]);
    assert!(text(&output.stdout).contains("over 1 seed\n"), "{}", text(&output.stdout));
}

#[test]
fn wrong_usage_is_a_sentence_and_code_2_before_anything_starts() {
    let runs = tempfile::tempdir().unwrap();
    let wrong = |arguments: &[&str], parts: &[&str]| assert_fails(&train(runs.path(), arguments), 2, parts);
    wrong(&["--seeds", "9-0"], &["'--seeds <SEEDS>'", "the range `9-0` runs backwards; write 0-9"]);
    wrong(&["--seeds", "a-b"], &["'--seeds <SEEDS>'", "`a-b` is neither a seed nor a range", "0-2,7"]);
    wrong(&["--seeds", "-1"], &["'--seeds <SEEDS>'", "`-1` is neither"]);
    wrong(&["--seeds", ""], &["'--seeds <SEEDS>'", "a seed is missing"]);
    wrong(&["--seeds", "0-2,1"], &["'--seeds <SEEDS>'", "it names the seed 1 twice"]);
    wrong(&["--seeds", "0-5000"], &["'--seeds <SEEDS>'", "name 1000 at most"]);
    wrong(&["--seeds", "9223372036854775808"], &["'--seeds <SEEDS>'", "at most 9223372036854775807"]);
    wrong(&["--seeds", "0-1", "--seed", "3"], &["--seeds", "cannot be used with", "--seed"]);
    wrong(&["--seeds", "0-1", "--set", "seed=3"], &["--seeds and `--set seed=3` cannot be used together"]);
    for jobs in ["0", "-2", "many", "1.5"] {
        wrong(&["--seeds", "0-1", "--jobs", jobs], &["--jobs", jobs, "a whole number of 1 or more"]);
    }
    wrong(&["--jobs", "2"], &["--seeds"]);
    wrong(&["--seeds", "0-1e1_"], &["`0-1e1_` is neither a seed nor a range"]);
    wrong(&["--seeds", "0-1", "--set", "agent.gamma=2"], &["--set agent.gamma=2", "from 0 to 1"]);
    wrong(&["--seeds", "0-1", "--env", "nonsense"], &["there is no environment `nonsense`"]);
    let memory = ["--seeds", "0-1", "--set", "agent.replay_capacity=1000000000000"];
    wrong(&memory, &["agent.replay_capacity", "memory"]);
    assert!(folders(runs.path()).is_empty(), "nothing was started");
    assert_fails(&run(&["--seeds", "0-1", "envs"]), 2, &["before a subcommand"]);
}

#[test]
fn failures_name_their_seeds_and_the_code_is_1() {
    let runs = tempfile::tempdir().unwrap();
    let output = train(
        runs.path(),
        &["--steps", "600", "--seeds", "0,3", "--set", "optimizer.learning_rate=1e12", "-q"],
    );
    let sentences = ["error: seed 0 failed: ", "error: seed 3 failed: ", "is not finite"];
    assert_fails(&output, 1, &sentences);
    let file = runs.path().join("file");
    fs::write(&file, "").unwrap();
    assert_fails(&train(&file, &["--seeds", "0-1"]), 1, &["error: could not create the folder", "file"]);
}

/// Ten-step episodes. The first start of a training decides its mood: from step 205 on it goes on, misbehaves or panics.
struct Moody {
    spec: EnvSpec,
    steps: u32,
    mood: Option<u32>,
}

impl Moody {
    fn new() -> Self {
        let spec = EnvSpec::new("Moody-v0", [Dimension::new("x", "m", -1.0, 1.0)], ["go", "stop"])
            .with_max_episode_steps(10);
        Self { spec, steps: 0, mood: None }
    }

    fn mood(rng: &mut dyn Rng) -> u32 {
        rng.random_range(0..3)
    }
}

impl Env for Moody {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        let mood = Self::mood(rng);
        self.mood.get_or_insert(mood);
        Ok(vec![0.0])
    }

    fn step(&mut self, _action: usize) -> Result<Step, EnvError> {
        self.steps += 1;
        match self.mood {
            Some(1) if self.steps >= 205 => Ok(Step::new(vec![f32::NAN], 1.0, false)),
            Some(2) if self.steps >= 205 => panic!("a mood"),
            _ => Ok(Step::new(vec![0.5], 1.0, false)),
        }
    }
}

#[test]
fn a_seed_that_fails_takes_no_other_with_it() {
    let mut registry = Registry::new();
    registry.register("moody", Moody::new).unwrap();
    let runs = tempfile::tempdir().unwrap();
    let arguments: Vec<OsString> = ["x", "--env", "moody", "--steps", "400", "--seeds", "0-8", "-q"]
        .into_iter()
        .chain(QUICK)
        .chain(["--runs-dir"])
        .map(OsString::from)
        .chain([runs.path().into()])
        .collect();
    let code = concrete_dqn::cli::run(&registry, arguments);
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(1)));

    let mut moods = HashSet::new();
    for seed in 0..9 {
        let folder = of_seed(runs.path(), seed);
        let summary = summary(&folder);
        let mood = Moody::mood(&mut generator(seed, Stream::Environment));
        moods.insert(mood);
        let (ended, steps) = match mood {
            1 => ("`Moody-v0` misbehaved: in step 5 of an episode", 204),
            2 => ("the run broke off: a mood", 204),
            _ => ("finished", 400),
        };
        assert!(summary["ended"].as_str().unwrap().contains(ended), "seed {seed}: {}", summary["ended"]);
        assert_eq!(summary["total_steps"], steps);
        assert_eq!(summary["evaluation"].is_object(), mood == 0);
        assert!(folder.join("model.safetensors").is_file() && folder.join("plots/overview.svg").is_file());
    }
    assert_eq!(moods.len(), 3, "every mood occurs");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_every_training_and_starts_no_other() {
    let runs = tempfile::tempdir().unwrap();
    let child = program()
        .args(QUICK)
        .args(["--steps", "100000000", "--seeds", "0-3", "--jobs", "2", "--runs-dir"])
        .arg(runs.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let rows = |folder: PathBuf| {
        fs::read_to_string(folder.join("episodes.csv")).map_or(0, |episodes| episodes.lines().count())
    };
    while folders(runs.path()).into_iter().filter(|folder| rows(folder.clone()) > 5).count() < 2 {
        assert!(started.elapsed() < Duration::from_secs(120), "no episodes were written");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert_eq!(folders(runs.path()).len(), 2);
    for seed in 0..2 {
        let folder = of_seed(runs.path(), seed);
        let summary = summary(&folder);
        assert_eq!(summary["ended"], "interrupted");
        let episodes = fs::read_to_string(folder.join("episodes.csv")).unwrap();
        let last: Vec<&str> = episodes.lines().last().unwrap().split(',').collect();
        let (ended, steps) = (last[1].parse::<u64>().unwrap(), summary["total_steps"].as_u64().unwrap());
        assert!(ended <= steps, "the episode under way has no row");
        assert!(
            folder.join(format!("checkpoints/step-{steps:012}")).is_dir(),
            "it can be resumed in its middle"
        );
        assert!(folder.join("model.safetensors").is_file() && folder.join("plots/overview.png").is_file());
    }
    let report = text(&output.stdout);
    assert_eq!(report.matches("interrupted").count(), 2, "{report}");
    assert_eq!(report.matches("not started").count(), 2, "{report}");
    let again = format!(" --seeds 0-3 --jobs 2 --runs-dir {}", runs.path().display());
    let resume: Vec<_> = report.lines().filter(|line| line.starts_with("resume ")).collect();
    assert!(resume.len() == 1 && resume[0].ends_with(&again), "{report}");
    assert!(!text(&output.stderr).contains("error"), "{}", text(&output.stderr));
}

/// Steps enough to be caught in the middle, and checkpoints all along.
const CAUGHT: [&str; 6] =
    ["--steps", "8000", "--set", "checkpoint.seconds=0.05", "--set", "logging.redraw_seconds=1000"];

/// Starts the program and kills it once some run has a checkpoint in its folder. Returns the runs that were caught.
#[cfg(unix)]
fn killed(runs: &Path, flags: &[&str]) -> Vec<PathBuf> {
    let mut child = program()
        .args(QUICK)
        .args(flags)
        .arg("--runs-dir")
        .arg(runs)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let caught = wait_for(|| {
        let begun = if runs.is_dir() { folders(runs) } else { Vec::new() };
        let caught: Vec<_> = begun.into_iter().filter(|run| is_caught(run)).collect();
        (!caught.is_empty()).then_some(caught)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    caught.unwrap_or_else(|| panic!("no checkpoint was written"))
}

#[cfg(unix)]
#[test]
fn seeds_that_were_ended_early_are_resumed_and_no_other_is_run_again() {
    let parent = tempfile::tempdir().unwrap();
    let (alone, unnamed, named) =
        (parent.path().join("alone"), parent.path().join("unnamed"), parent.path().join("named"));
    let flags = |more: &[&'static str]| [&CAUGHT[..], more].concat();
    assert!(train(&alone, &flags(&["--seeds", "0-2", "-q"])).status.success());

    for (runs, name) in [(&unnamed, &[][..]), (&named, &["--name", "mine"])] {
        let again = [&flags(&["--seeds", "0-2", "--jobs", "1"]), name].concat();
        // Seed 0 alone first, so that one is finished.
        assert!(train(runs, &[&flags(&["--seeds", "0"]), name].concat()).status.success());
        let finished = folders(runs);
        let mut first = again.clone();
        if name.is_empty() {
            // Without a name it would be trained anew.
            first[again.iter().position(|flag| *flag == "0-2").unwrap()] = "1-2";
        }
        let caught = killed(runs, &first);
        assert_eq!(caught.len(), 1);
        let output = train(runs, &again);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = text(&output.stderr);
        for part in
            ["1 to be resumed, 1 finished, 1 to be begun", "seed 1: resumed at step ", "seed 2 is done"]
        {
            assert!(said.contains(part), "`{part}` is missing in: {said}");
        }
        let ran = folders(runs);
        assert_eq!(ran.len(), 3);
        assert!(ran.contains(&caught[0]) && ran.contains(&finished[0]));
        assert!(
            !fs::read_dir(&caught[0])
                .unwrap()
                .any(|entry| { entry.unwrap().file_name().to_string_lossy().starts_with("before-restart") })
        );
        let of = |runs: &Path, seed: u64| -> PathBuf {
            let is_of = |folder: &PathBuf| summary(folder)["seed"] == seed;
            folders(runs).into_iter().find(is_of).unwrap()
        };
        for seed in 0..3 {
            program::same_run(&of(&alone, seed), &of(runs, seed));
        }
    }
    // All are finished: without a name they are trained anew, and with it there is nothing to do.
    let again = flags(&["--seeds", "0-2", "-q"]);
    assert!(train(&unnamed, &again).status.success());
    assert!(train(&named, &[&again[..], &["--name", "mine"]].concat()).status.success());
    assert_eq!((folders(&unnamed).len(), folders(&named).len()), (6, 3));
}

#[test]
fn what_was_begun_last_is_gone_on_with_whatever_was_finished_before() {
    let runs = tempfile::tempdir().unwrap();
    let again = || {
        let output = train(runs.path(), &["--steps", "600", "--seeds", "3,5", "-q"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    again();
    let finished = folders(runs.path());
    // As if the same command had been given again later, and had been killed with seed 5 in its middle.
    let copy = |run: &Path| {
        let name = run.file_name().unwrap().to_str().unwrap();
        let (setting, _) = name.rsplit_once("__").unwrap();
        let later = runs.path().join(format!("{setting}__29991231T235959Z"));
        let copied = Command::new("cp").arg("-r").args([run, later.as_path()]).status().unwrap();
        assert!(copied.success());
        later
    };
    let later = finished.iter().map(|run| copy(run)).collect::<Vec<_>>();
    fs::remove_file(later[1].join("summary.json")).unwrap();
    again();
    assert_eq!(folders(runs.path()).len(), 4, "nothing is begun anew");
    assert_eq!(summary(&later[1])["evaluation"], summary(&finished[1])["evaluation"]);
}
