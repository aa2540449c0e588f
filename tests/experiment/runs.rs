//! Real experiments through the real program.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use control_envs::rand::Rng;
use control_envs::{Dimension, Env, EnvError, EnvSpec, Registry, Step};
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::TINY;
use crate::program::{
    assert_fails, folders, is_caught, program, runs_of_experiment as runs, same_run, summary, text, wait_for,
};

fn experiment(file: &Path, output: &Path, flags: &[&str]) -> Output {
    program().arg("experiment").arg(file).arg("--output").arg(output).args(flags).output().unwrap()
}

/// The file of an experiment and the folder that it goes to.
fn written(parent: &Path, file: &str) -> (PathBuf, PathBuf) {
    let path = parent.join("tiny.toml");
    fs::write(&path, file).unwrap();
    (path, parent.join("output"))
}

/// The value of a column in every row of `table.csv`.
fn column(output: &Path, name: &str) -> Vec<String> {
    let mut table = csv::Reader::from_path(output.join("table.csv")).unwrap();
    let index = table.headers().unwrap().iter().position(|header| header == name).unwrap();
    table.records().map(|row| row.unwrap()[index].to_owned()).collect()
}

#[test]
fn nothing_starts_where_something_is_wrong() {
    let parent = tempfile::tempdir().unwrap();
    let (file, output) = written(parent.path(), &TINY.replace("16, 16", "0"));
    assert_fails(&experiment(&file, &output, &[]), 2, &["tiny.toml, [settings]: network.hidden = [0]"]);
    let (file, output) = written(
        parent.path(),
        &TINY.replace("[variants.ucb]", "[variants.ucb]\nagent.replay_capacity = 1000000000000"),
    );
    assert_fails(&experiment(&file, &output, &[]), 2, &["the variant ucb in CartPole-v1: ", "memory"]);
    assert_fails(
        &experiment(&file, &output, &["--jobs", "0"]),
        2,
        &["--jobs", "a whole number of 1 or more"],
    );
    let missing = parent.path().join("missing.toml");
    assert_fails(
        &experiment(&missing, &output, &[]),
        2,
        &["could not read the experiment file", "missing.toml"],
    );
    assert!(!output.exists());
}

#[test]
fn an_experiment_is_run_once_and_summed_up_each_time_alike() {
    let parent = tempfile::tempdir().unwrap();
    let (file, output) = written(parent.path(), TINY);
    let listed = text(&experiment(&file, &output, &["--dry-run"]).stdout);
    assert_eq!(listed.matches("to be run").count(), 4, "{listed}");
    assert!(!output.exists(), "a dry run writes nothing");

    let first = experiment(&file, &output, &["--jobs", "2"]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    assert!(text(&first.stderr).contains("4 of 4: "), "{}", text(&first.stderr));
    let made = runs(&output);
    assert_eq!(made.len(), 4);
    for run in &made {
        assert_eq!(summary(run)["total_steps"], 600);
        assert!(run.join("model.safetensors").is_file() && run.join("plots/overview.png").is_file());
    }
    for name in ["return", "dropout"] {
        for ending in ["svg", "png"] {
            assert!(output.join(format!("plots/cartpole-{name}.{ending}")).is_file());
        }
    }
    assert_eq!(fs::read_to_string(output.join("experiment.toml")).unwrap(), TINY);

    // The table says what the runs' own files say.
    let returns = |variant: &str| -> Vec<f64> {
        let own = made.iter().filter(|run| run.parent().unwrap().ends_with(variant));
        own.map(|run| summary(run)["evaluation"]["mean_return"].as_f64().unwrap()).collect()
    };
    assert_eq!(column(&output, "variant"), ["ucb", "epsilon-greedy"]);
    assert_eq!(column(&output, "runs"), ["2", "2"]);
    let means = ["ucb", "epsilon-greedy"].map(|variant| returns(variant).iter().sum::<f64>() / 2.0);
    // Of two runs no quarter is cut off.
    for name in ["evaluation_mean", "evaluation_iqm"] {
        let shown: Vec<f64> = column(&output, name).iter().map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(shown, means, "{name}");
    }
    let online = |run: &PathBuf| -> f64 {
        let mut episodes = csv::Reader::from_path(run.join("episodes.csv")).unwrap();
        let returns: Vec<f64> = episodes.records().map(|row| row.unwrap()[2].parse().unwrap()).collect();
        returns.iter().sum::<f64>() / returns.len() as f64
    };
    let own = made.iter().filter(|run| run.parent().unwrap().ends_with("ucb")).map(online);
    let shown: f64 = column(&output, "training_return_iqm")[0].parse().unwrap();
    assert!((shown - own.sum::<f64>() / 2.0).abs() < 1e-9);
    let markdown = fs::read_to_string(output.join("table.md")).unwrap();
    assert!(text(&first.stdout).starts_with(&markdown));
    assert!(markdown.lines().all(|line| line.starts_with('|') && line.ends_with('|')), "{markdown}");
    assert!(markdown.contains("P(better than ucb)"), "{markdown}");

    // So does the one with a row a run, in both of its forms.
    let mut table = csv::Reader::from_path(output.join("runs.csv")).unwrap();
    let header = table.headers().unwrap().clone();
    let rows: Vec<_> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4);
    for row in &rows {
        let value = |name: &str| &row[header.iter().position(|column| column == name).unwrap()];
        let run = output.join(value("run"));
        assert!(made.contains(&run) && run.parent().unwrap().ends_with(value("variant")));
        assert_eq!(summary(&run)["seed"], value("seed").parse::<u64>().unwrap());
        let mean: f64 = value("evaluation_mean_return").parse().unwrap();
        assert_eq!(summary(&run)["evaluation"]["mean_return"], mean);
        assert_eq!(value("exploration.rule"), value("variant"), "a setting that differs");
        assert!(!header.iter().any(|column| column == "agent.batch_size"), "and none that does not");
    }
    let parquet = fs::File::open(output.join("runs.parquet")).unwrap();
    let parquet = SerializedFileReader::new(parquet).unwrap();
    assert_eq!(parquet.metadata().file_metadata().num_rows(), 4);
    let columns = parquet.metadata().file_metadata().schema_descr();
    let names: Vec<_> = columns.columns().iter().map(|column| column.name().to_owned()).collect();
    assert_eq!(names, header.iter().collect::<Vec<_>>());

    // A second time there is nothing to do, and the same to say.
    let table = fs::read(output.join("table.csv")).unwrap();
    let picture = fs::read(output.join("plots/cartpole-return.svg")).unwrap();
    let second = experiment(&file, &output, &[]);
    assert!(second.status.success());
    assert!(text(&second.stderr).contains("0 of 4 runs are to be done"), "{}", text(&second.stderr));
    assert_eq!(runs(&output), made);
    assert_eq!(fs::read_to_string(output.join("table.md")).unwrap(), markdown);
    assert_eq!(fs::read(output.join("table.csv")).unwrap(), table);
    assert_eq!(fs::read(output.join("plots/cartpole-return.svg")).unwrap(), picture);

    // One seed more is one run more a variant.
    fs::write(&file, TINY.replace("3-4", "3-5")).unwrap();
    assert!(experiment(&file, &output, &["-q"]).status.success());
    assert_eq!(runs(&output).len(), 6);

    // Runs of what the file names no more stay, and that they are there is said.
    let (fewer, _) = TINY.split_once("[variants.epsilon-greedy]").unwrap();
    fs::write(&file, fewer).unwrap();
    let fewer = experiment(&file, &output, &[]);
    assert!(text(&fewer.stderr).contains("does not name (epsilon-greedy)"), "{}", text(&fewer.stderr));
    assert_eq!(runs(&output).len(), 6);

    // Other settings are refused, and nothing is touched.
    fs::write(&file, TINY.replace("steps = 600", "steps = 700")).unwrap();
    assert_fails(&experiment(&file, &output, &[]), 2, &["ucb", "steps = 600, not 700", "another --output"]);
    assert_eq!(runs(&output).len(), 6);

    // So is a run that is older than a setting.
    fs::write(&file, TINY).unwrap();
    let config = made[0].join("config.toml");
    let older: String = fs::read_to_string(&config)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with("gamma ="))
        .map(|line| line.to_owned() + "\n")
        .collect();
    fs::write(&config, older).unwrap();
    assert_fails(&experiment(&file, &output, &[]), 2, &["without agent.gamma = 0.99"]);
}

#[test]
fn what_failed_is_named_and_keeps_nothing_else_from_being_finished() {
    let parent = tempfile::tempdir().unwrap();
    let broken =
        TINY.replace("[variants.ucb]", "[variants.ucb]\n[variants.steep]\noptimizer.learning_rate = 1e12");
    let (file, output) = written(parent.path(), &broken);
    let done = experiment(&file, &output, &["-q"]);
    let sentence = "is not finite at step 100: the learning has diverged";
    assert_fails(
        &done,
        1,
        &["error: steep, cartpole, seed 3 failed: ", sentence, "error: steep, cartpole, seed 4 "],
    );
    assert_eq!(column(&output, "variant"), ["ucb", "steep", "epsilon-greedy"]);
    assert_eq!(column(&output, "runs"), ["2", "0", "2"]);
    assert_eq!(column(&output, "planned_runs"), ["2", "2", "2"]);
    assert!(output.join("plots/cartpole-return.png").is_file());

    // What failed is tried again where it was: of these runs at their start, and what they had left is set aside.
    let before = runs(&output);
    assert_fails(&experiment(&file, &output, &["-q"]), 1, &[sentence]);
    assert_eq!((before.len(), runs(&output)), (6, before.clone()));
    assert_eq!(before.iter().filter(|run| run.join("before-restart-1/episodes.csv").is_file()).count(), 2);
}

/// Ten-step episodes that only say how they are called, for an environment without a threshold.
struct Plain(EnvSpec);

impl Env for Plain {
    fn spec(&self) -> &EnvSpec {
        &self.0
    }

    fn reset(&mut self, _rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        Ok(vec![0.0])
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        Ok(Step::new(vec![0.5], action as f64, false))
    }
}

#[test]
fn environments_may_lack_a_threshold_and_an_evaluation() {
    let mut registry = Registry::builtin();
    let spec = || {
        EnvSpec::new("Plain-v0", [Dimension::new("x", "m", -1.0, 1.0)], ["go", "stop"])
            .with_max_episode_steps(10)
    };
    registry.register("plain", move || Plain(spec())).unwrap();
    let parent = tempfile::tempdir().unwrap();
    let plain = TINY
        .replace("[\"cartpole\"]", "[\"plain\", \"mountaincar\"]")
        .replace("episodes = 2", "episodes = 0");
    let (file, output) = written(parent.path(), &plain);
    let arguments =
        ["x".into(), "experiment".into(), "-q".into(), "--output".into(), output.clone().into(), file.into()];
    let code = concrete_dqn::cli::run(&registry, arguments.into_iter().collect::<Vec<OsString>>());
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
    assert_eq!(column(&output, "environment"), ["Plain-v0", "Plain-v0", "MountainCar-v0", "MountainCar-v0"]);
    assert_eq!(column(&output, "runs"), ["2", "2", "2", "2"]);
    assert_eq!(column(&output, "evaluation_iqm"), ["", "", "", ""]);
    assert_eq!(column(&output, "reached_threshold"), ["", "", "0", "0"]);
    assert!(output.join("plots/plain-return.png").is_file());
}

#[cfg(unix)]
#[test]
fn an_interrupted_experiment_goes_on_where_it_was() {
    let parent = tempfile::tempdir().unwrap();
    // Seed 3 of the first variant ends, the second one would never.
    let endless = TINY.replace("rule = \"epsilon-greedy\"", "rule = \"epsilon-greedy\"\nsteps = 100000000");
    let (file, output) = written(parent.path(), &endless);
    let child = program()
        .arg("experiment")
        .arg(&file)
        .arg("--output")
        .arg(&output)
        .args(["--jobs", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let second = output.join("runs/epsilon-greedy");
    let has_episodes = || {
        second.is_dir()
            && folders(&second).iter().any(|run| {
                fs::read_to_string(run.join("episodes.csv"))
                    .is_ok_and(|episodes| episodes.lines().count() > 5)
            })
    };
    while !has_episodes() {
        assert!(started.elapsed() < Duration::from_secs(120), "no episodes were written");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Another one in its folder is refused, but for looking.
    assert_fails(&experiment(&file, &output, &[]), 1, &["another process is writing into", "output"]);
    assert!(experiment(&file, &output, &["--dry-run"]).status.success());
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let interrupted = child.wait_with_output().unwrap();
    assert_eq!(interrupted.status.code(), Some(130), "{}", text(&interrupted.stderr));
    assert_eq!(column(&output, "runs"), ["1", "0"]);
    assert!(text(&interrupted.stdout).contains("1 of 2"), "{}", text(&interrupted.stdout));
    let said = text(&interrupted.stdout);
    let again = format!("experiment {} --output {} --jobs 1", file.display(), output.display());
    assert!(said.lines().any(|line| line.starts_with("resume ") && line.ends_with(&again)), "{said}");

    // A run that was interrupted may have its settings changed: it is another run then.
    fs::write(&file, TINY).unwrap();
    assert!(experiment(&file, &output, &["-q"]).status.success());
    assert_eq!(column(&output, "runs"), ["2", "2"]);
    assert_eq!(folders(&second).len(), 3);
}

/// Steps enough to be caught in the middle, and checkpoints all along.
fn catchable() -> String {
    TINY.replace("steps = 600", "steps = 3000\ncheckpoint.seconds = 0.05\nlogging.redraw_seconds = 1000")
}

/// Starts an experiment, and kills it with a run in its middle.
fn killed(file: &Path, output: &Path, flags: &[&str]) -> PathBuf {
    let mut child = program()
        .arg("experiment")
        .arg(file)
        .arg("--output")
        .arg(output)
        .args(flags)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let caught = wait_for(|| {
        let begun = if output.join("runs").is_dir() { runs(output) } else { Vec::new() };
        begun.into_iter().find(|run| is_caught(run))
    });
    child.kill().unwrap();
    child.wait().unwrap();
    caught.unwrap_or_else(|| panic!("no checkpoint was written"))
}

/// The finished run of every cell, by variant and seed.
fn by_cell(runs: impl IntoIterator<Item = PathBuf>) -> Vec<(String, u64, PathBuf)> {
    let mut cells: Vec<_> = runs
        .into_iter()
        .map(|run| {
            let variant = run.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
            (variant, summary(&run)["seed"].as_u64().unwrap(), run)
        })
        .collect();
    cells.sort();
    cells
}

#[test]
fn a_cell_that_was_ended_early_is_resumed() {
    let parent = tempfile::tempdir().unwrap();
    let (file, output) = written(parent.path(), &catchable());
    let undisturbed = parent.path().join("undisturbed");
    assert!(experiment(&file, &undisturbed, &["-q"]).status.success());

    let caught = killed(&file, &output, &["--jobs", "1"]);
    let listed = text(&experiment(&file, &output, &["--dry-run"]).stdout);
    assert!(listed.contains(&format!("to be resumed in {}", caught.display())), "{listed}");
    // Of the next one nothing but a damaged checkpoint is left: it begins anew, and what there is stays.
    let damaged = killed(&file, &output, &["--jobs", "1"]);
    for checkpoint in folders(&damaged.join("checkpoints")) {
        if checkpoint.join("state.json").is_file() {
            fs::write(checkpoint.join("state.json"), "{}").unwrap();
        }
    }
    let done = experiment(&file, &output, &["-v"]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let said = text(&done.stderr);
    assert!(said.contains("none of its") && said.contains("it begins anew"), "{said}");
    if damaged != caught {
        assert!(text(&fs::read(caught.join("meta.json")).unwrap()).contains("resum"), "{}", caught.display());
    }
    assert_eq!(runs(&output).len(), 5);
    let finished: Vec<_> =
        by_cell(runs(&output).into_iter().filter(|run| run.join("summary.json").is_file()));
    for ((variant, seed, run), (_, _, wanted)) in finished.iter().zip(by_cell(runs(&undisturbed))) {
        assert_eq!(summary(run)["ended"], "finished", "{variant} {seed}");
        same_run(run, &wanted);
    }
}
