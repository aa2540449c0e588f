//! `landscape` and `plot`.

use std::fs;
use std::path::Path;

use concrete_dqn::rows::{LayerRecord, read};

use crate::program::{assert_fails, folders, program, run, text, train};

#[test]
fn the_landscape_of_a_layer_is_drawn() {
    let runs = tempfile::tempdir().unwrap();
    let stem = runs.path().join("by hand");
    let output =
        program().args(["landscape", "--n=2e2", "--k=5_00", "--output"]).arg(&stem).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    // c = tau = 1: the minimum is where logit = -N/(2K) (1 + e^logit)^2, the small-p one at sigmoid(-0.2).
    assert!(text(&output.stdout).contains("minimum at p = 3.748e-1; sigmoid(-tau c N / (2K)) = 4.502e-1"));
    for ending in ["svg", "png"] {
        assert!(stem.with_extension(ending).is_file());
    }

    assert!(train(runs.path(), &["--steps", "600", "-q"]).status.success());
    let folder = folders(runs.path()).into_iter().find(|path| path.is_dir()).unwrap();
    let run_path = folder.to_str().unwrap();
    let output = run(&["landscape", run_path, "--layer", "2", "--episode", "5"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(folder.join("plots/landscape-layer2-episode5.png").is_file());
    let episodes = fs::read_to_string(folder.join("episodes.csv")).unwrap();
    let header: Vec<&str> = episodes.lines().next().unwrap().split(',').collect();
    let row: Vec<&str> = episodes.lines().nth(5).unwrap().split(',').collect();
    let cell =
        |name: &str| row[header.iter().position(|column| *column == name).unwrap()].parse::<f64>().unwrap();
    let said = text(&output.stdout);
    assert!(said.contains(&format!("N = {}, K = 16,", cell("dataset_size"))), "{said}");
    assert!(said.contains(&format!("p stood at {:.3e}", cell("p_2"))), "{said}");
    // The layer's coefficients are those of its row.
    let groups: Vec<LayerRecord> = read(&folder.join("layers.csv")).unwrap();
    let group = groups.iter().find(|row| (row.episode, row.layer) == (5, 2)).unwrap();
    assert!(group.sensitivity > 0.0 && group.squared_norm > 0.0 && group.masks == 16);
    // What is given beside a run takes the place of what the run had.
    assert!(text(&run(&["landscape", run_path, "--n", "12345"]).stdout).starts_with("N = 12345, K = "));

    assert_fails(&run(&["landscape", run_path, "--layer", "3"]), 2, &["no layer 3", "from 0 to 2"]);
    assert_fails(
        &run(&["landscape", run_path, "--group", "1"]),
        2,
        &["no dropout group", "1", "from 0 to 0"],
    );
    assert_fails(&run(&["landscape", run_path, "--episode", "9999"]), 2, &["no episode 9999", "from 1 to"]);

    // The files are enough: nobody need know the environment.
    let config = fs::read_to_string(folder.join("config.toml")).unwrap();
    fs::write(folder.join("config.toml"), config.replace("CartPole-v1", "Mine-v0")).unwrap();
    assert_eq!(text(&run(&["landscape", run_path, "--layer", "2", "--episode", "5"]).stdout), said);
    let layers = fs::read_to_string(folder.join("layers.csv")).unwrap();
    fs::write(folder.join("layers.csv"), layers.lines().next().unwrap().to_owned() + "\n").unwrap();
    assert_fails(&run(&["landscape", run_path]), 1, &["layers.csv is not usable: it has no row of episode"]);
    fs::remove_file(folder.join("layers.csv")).unwrap();
    assert_fails(
        &run(&["landscape", run_path]),
        2,
        &["holds no layers.csv", "earlier versions", "meta.json"],
    );

    assert_fails(&run(&["landscape", "--n", "200"]), 2, &["--k"]);
    assert_fails(&run(&["landscape", "--n", "0", "--k", "1"]), 2, &["--n", "a number from 1e-9"]);
    assert_fails(&run(&["landscape", "--n", "2", "--k", "1", "--layer", "1"]), 2, &["RUN"]);
}

#[test]
fn runs_are_told_apart_in_a_figure_that_goes_where_it_is_asked_for() {
    let parent = tempfile::tempdir().unwrap();
    let runs = parent.path().join("runs");
    for env in ["cartpole", "mountaincar", "cartpole"] {
        let flags = ["--env", env, "--steps", "300", "-q", "--set", "evaluation.episodes=0"];
        assert!(train(&runs, &flags).status.success());
    }
    let [cartpole, twin, mountaincar] = folders(&runs).try_into().unwrap();
    let plot = |runs: [&Path; 2], flags: &[&str]| {
        program().current_dir(&parent).arg("plot").args(runs).args(flags).output().unwrap()
    };
    let drawn = |output: std::process::Output| {
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).lines().map(|line| parent.path().join(line)).collect::<Vec<_>>()
    };

    // Where Git ignores it, unless asked.
    let both = drawn(plot([&cartpole, &mountaincar], &[]));
    assert_eq!(both, ["runs/comparison.svg", "runs/comparison.png"].map(|path| parent.path().join(path)));
    let legend = fs::read_to_string(&both[0]).unwrap();
    assert!(legend.contains("CartPole-v1, ucb, seed 0") && legend.contains("MountainCar-v0, ucb, seed 0"));

    let vector = drawn(plot([&cartpole, &twin], &["--output", "twins.svg"]));
    assert_eq!(vector, [parent.path().join("twins.svg")]);
    assert!(!parent.path().join("twins.png").exists(), "one format was asked for");
    let legend = fs::read_to_string(&vector[0]).unwrap();
    let name = |run: &Path| format!("ucb, seed 0, {}", run.file_name().unwrap().to_str().unwrap());
    assert!(legend.contains(&name(&cartpole)) && legend.contains(&name(&twin)), "{}", name(&twin));
    let bitmap = drawn(plot([&cartpole, &twin], &["--output", "new/twins.PNG"]));
    assert_eq!(bitmap, [parent.path().join("new/twins.PNG")]);
    assert!(fs::read(&bitmap[0]).unwrap().starts_with(b"\x89PNG"));

    let before = folders(parent.path());
    let unknown = ["not as jpg", "write x.svg, x.png, or x for both"];
    assert_fails(&plot([&cartpole, &twin], &["--output", "x.jpg"]), 2, &unknown);
    assert_fails(&plot([&cartpole, &twin], &["--output", "new"]), 2, &["--output", "it is a folder"]);
    let landscape = |flags: &[&str]| {
        program().current_dir(&parent).args(["landscape", "--n=200", "--k=500"]).args(flags).output().unwrap()
    };
    assert_fails(&landscape(&["--output", "x.jpeg"]), 2, &["svg or png, not as jpeg"]);
    assert_eq!(folders(parent.path()), before, "nothing was written");
    assert!(landscape(&[]).status.success());
    assert_eq!(folders(parent.path()), before, "nothing was written outside runs/");
    assert!(runs.join("landscape.svg").is_file() && runs.join("landscape.png").is_file());
}

#[test]
fn the_threshold_of_an_environment_that_is_not_known_here_is_the_one_of_its_training() {
    let runs = tempfile::tempdir().unwrap();
    assert!(train(runs.path(), &["--env", "cartpole", "--steps", "300", "-q"]).status.success());
    let folder = folders(runs.path()).remove(0);
    let drawn = || {
        assert!(run(&["plot", folder.to_str().unwrap()]).status.success());
        fs::read_to_string(folder.join("plots/return.svg")).unwrap()
    };
    assert!(drawn().contains("threshold 475"));
    let config = folder.join("config.toml");
    let other =
        fs::read_to_string(&config).unwrap().replace("env = \"CartPole-v1\"", "env = \"Elsewhere-v0\"");
    fs::write(&config, other).unwrap();
    let svg = drawn();
    assert!(svg.contains("threshold 475") && svg.contains("Elsewhere-v0"));
}
