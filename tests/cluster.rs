//! `experiment --on ray` on a real cluster whose nodes are processes on this machine, with addresses of their own on the
//! loopback; and `--on slurm` with programs that stand in for Slurm's.
//!
//! Ray needs a Python that has it: the one that `TEST_RAY_PYTHON` names, or `python3`; where neither has it, these tests
//! say so and try nothing. `cargo test --release --test cluster -- --ignored --nocapture` is the large form.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod program;

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use program::{
    assert_fails, folders, is_caught, program, runs_of_experiment, same_experiment, summary, text, wait_for,
};

/// So long is waited for what has to happen.
const PATIENCE: Duration = Duration::from_secs(300);

/// Short runs with checkpoints all along.
fn file(seeds: usize, steps: usize) -> String {
    format!(
        r#"
        environments = ["cartpole"]
        seeds = "0-{}"
        [settings]
        steps = {steps}
        network.hidden = [16, 16]
        agent.learning_starts = 100
        agent.batch_size = 16
        evaluation.episodes = 2
        checkpoint.seconds = 0.05
        logging.redraw_seconds = 1000
        [variants.ucb]
        [variants.thompson]
        exploration.rule = "thompson"
        "#,
        seeds - 1
    )
}

/// A Python that has Ray.
fn python() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TEST_RAY_PYTHON") {
        return Some(named.into());
    }
    let has_ray = Command::new("python3")
        .args(["-c", "import ray"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has_ray {
        eprintln!(
            "skipped: python3 lacks ray; set TEST_RAY_PYTHON to one with python/requirements-cluster.txt"
        );
    }
    has_ray.then(|| "python3".into())
}

/// A process with all that it has started, which end with it.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0.id())]).output();
        let _ = self.0.wait();
    }
}

/// A cluster has a token of its own, whatever there is for other clusters of this user.
fn authentication(token: &str) -> [(&'static str, &str); 2] {
    [("RAY_AUTH_MODE", "token"), ("RAY_AUTH_TOKEN", token)]
}

/// A node of a cluster, with the address 127.0.0.`number`.
fn node(python: &Path, token: &str, folder: &Path, number: usize, flags: &[&str]) -> Group {
    let child = Command::new(python)
        .envs(authentication(token))
        // Otherwise its workers run at niceness 15, and not at all on a machine with anything else to do.
        .env("RAY_worker_niceness", "0")
        .args(["-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"])
        .args(["--include-log-monitor=false", "--object-store-memory=80000000"])
        .arg(format!("--node-ip-address=127.0.0.{number}"))
        .arg(format!("--temp-dir={}", folder.join(number.to_string()).display()))
        .args(flags)
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Group(child.unwrap())
}

/// A Ray cluster: a head that trains nothing, and nodes of one CPU.
struct Cluster {
    python: PathBuf,
    address: String,
    token: String,
    nodes: Vec<Group>,
    _head: Group,
    folder: tempfile::TempDir,
}

impl Cluster {
    fn start(python: PathBuf, nodes: usize) -> Self {
        // Its sockets lie there, whose names may not be long.
        let folder = tempfile::Builder::new().prefix("ray").tempdir_in("/tmp").unwrap();
        let port = TcpListener::bind("127.0.0.2:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.2:{port}");
        let random = ["-c", "import secrets; print(secrets.token_hex(32))"];
        let token = text(&Command::new(&python).args(random).output().unwrap().stdout).trim().to_owned();
        let head = ["--head", "--num-cpus=0", "--include-dashboard=false", &format!("--port={port}")];
        let head = node(&python, &token, folder.path(), 2, &head);
        let mut cluster = Self { python, address, token, nodes: Vec::new(), _head: head, folder };
        cluster.wait_for(1);
        for number in 0..nodes {
            let flags = [&format!("--address={}", cluster.address), "--num-cpus=1"];
            let started = node(&cluster.python, &cluster.token, cluster.folder.path(), 3 + number, &flags);
            cluster.nodes.push(started);
        }
        cluster.wait_for(1 + nodes);
        cluster
    }

    fn wait_for(&self, nodes: usize) {
        let count = format!(
            "import ray; ray.init('{}', logging_level='error'); print(sum(node['Alive'] for node in ray.nodes()))",
            self.address
        );
        let started = Instant::now();
        loop {
            let output = Command::new(&self.python)
                .args(["-c", &count])
                .envs(authentication(&self.token))
                .output()
                .unwrap();
            if text(&output.stdout).trim() == nodes.to_string() {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "the cluster has not come up: {}", text(&output.stderr));
            sleep(Duration::from_millis(200));
        }
    }

    fn experiment(&self, file: &Path, output: &Path, flags: &[&str]) -> Command {
        let mut command = experiment(file, output, &["--on", "ray", "--address", &self.address]);
        command.args(flags).env("CONCRETE_DQN_PYTHON", &self.python).envs(authentication(&self.token));
        command
    }

    /// The process of a node that Ray knows it by.
    fn raylet(&self, node: usize) -> Option<u32> {
        let parent = self.nodes[node].0.id();
        processes()
            .into_iter()
            .find(|process| process.parent == parent && process.name == "raylet")
            .map(|process| process.id)
    }

    /// Kills a node in the middle of a run that has been saved. Returns the process that trained it.
    fn kill_node(&self, node: usize) -> u32 {
        let raylet = self.raylet(node).unwrap();
        let training = wait(|| {
            let processes = processes();
            let above =
                |id: u32| processes.iter().find(|process| process.id == id).map(|process| process.parent);
            let mut trainings = processes.iter().filter(|process| process.command.contains("\0--cell\0"));
            let own = trainings.find(|process| above(process.parent) == Some(raylet))?;
            let words: Vec<&str> = own.command.trim_end_matches('\0').split('\0').collect();
            let (variant, seed) = cell(words.last()?);
            let output = Path::new(words[words.iter().position(|word| *word == "--output")? + 1]);
            let of_cell = |run: &PathBuf| run.to_string_lossy().contains(&format!("__s{seed}__"));
            let run = listed(&output.join("runs").join(variant)).into_iter().find(of_cell)?;
            is_caught(&run).then_some(own.id)
        });
        assert!(Command::new("kill").args(["-KILL", &raylet.to_string()]).status().unwrap().success());
        training
    }
}

/// `ucb, cartpole, seed 3`.
fn cell(name: &str) -> (String, u64) {
    let (variant, rest) = name.split_once(", ").unwrap();
    (variant.to_owned(), rest.rsplit(' ').next().unwrap().parse().unwrap())
}

struct Process {
    id: u32,
    parent: u32,
    name: String,
    command: String,
}

fn processes() -> Vec<Process> {
    let of = |entry: fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let status = fs::read_to_string(entry.path().join("status")).ok()?;
        let value = |key: &str| {
            status.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned())
        };
        let command = String::from_utf8_lossy(&fs::read(entry.path().join("cmdline")).ok()?).into_owned();
        Some(Process { id, parent: value("PPid:")?.parse().ok()?, name: value("Name:")?, command })
    };
    fs::read_dir("/proc").unwrap().filter_map(|entry| of(entry.ok()?)).collect()
}

fn wait<T>(until: impl FnMut() -> Option<T>) -> T {
    wait_for(until).unwrap_or_else(|| panic!("it has not happened"))
}

fn experiment(file: &Path, output: &Path, flags: &[&str]) -> Command {
    let mut command = program();
    command.arg("experiment").arg(file).arg("--output").arg(output).args(flags);
    command
}

fn listed(folder: &Path) -> Vec<PathBuf> {
    if folder.is_dir() { folders(folder) } else { Vec::new() }
}

fn is_finished(run: &Path) -> bool {
    run.join("summary.json").is_file() && summary(run)["evaluation"].is_object()
}

fn assert_done(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stderr)
}

/// Two experiments of `2 * seeds` runs on a cluster of three nodes: in one a node is killed half-way, in the other, whose
/// runs are sent back, a node and then the driver. Both end as the local form does.
fn faults(seeds: usize, steps: usize) {
    let Some(python) = python() else { return };
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("small.toml");
    fs::write(&path, file(seeds, steps)).unwrap();
    let local = parent.path().join("local");
    let started = Instant::now();
    assert_done(&experiment(&path, &local, &[]).output().unwrap());
    println!("{} runs on this machine: {:.1} s", 2 * seeds, started.elapsed().as_secs_f64());

    let mut cluster = Cluster::start(python, 3);
    // Whoever lacks its token is told so.
    let mut stranger = cluster.experiment(&path, &parent.path().join("stranger"), &[]);
    stranger.env_remove("RAY_AUTH_TOKEN").env("RAY_AUTH_MODE", "disabled");
    assert_fails(
        &stranger.output().unwrap(),
        2,
        &[&cluster.address, "asks for a token", "RAY_AUTH_MODE=token"],
    );
    let finished = |output: &Path| runs_of_experiment(output).iter().filter(|run| is_finished(run)).count();
    let spawn =
        |command: &mut Command| command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();

    let shared = parent.path().join("shared");
    let started = Instant::now();
    let child = spawn(&mut cluster.experiment(&path, &shared, &[]));
    wait(|| (finished(&shared) >= seeds).then_some(()));
    let training = cluster.kill_node(0);
    let said = assert_done(&child.wait_with_output().unwrap());
    println!(
        "with Ray on three nodes, one of them killed half-way: {:.1} s",
        started.elapsed().as_secs_f64()
    );
    for words in ["Ray has 4 nodes and 3 CPUs", " was lost and goes on from ", " is done: mean return "] {
        assert!(said.contains(words), "`{words}` is missing in: {said}");
    }
    assert!(!processes().iter().any(|process| process.id == training), "what trains ends with its node");
    same_experiment(&shared, &local);
    let has_begun_anew = |run: &PathBuf| run.join("before-restart-1").exists();
    assert!(!runs_of_experiment(&shared).iter().any(has_begun_anew));
    drop(cluster.nodes.remove(0));

    // Ctrl-C has runs that are written in place save and end.
    let endless = parent.path().join("endless.toml");
    fs::write(&endless, file(1, 100_000_000)).unwrap();
    let interrupted = parent.path().join("interrupted");
    let child = spawn(&mut cluster.experiment(&endless, &interrupted, &[]));
    wait(|| runs_of_experiment(&interrupted).iter().any(|run| is_caught(run)).then_some(()));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).lines().any(|line| line.starts_with("resume ") && line.contains("--on ray"))
    );
    let ended = |run: &PathBuf| run.join("summary.json").is_file() && summary(run)["ended"] == "interrupted";
    assert!(runs_of_experiment(&interrupted).iter().any(ended), "{}", text(&output.stderr));

    let sent = parent.path().join("sent");
    let scratch = parent.path().join("scratch");
    let flags = ["--scratch", scratch.to_str().unwrap()];
    let mut child = spawn(&mut cluster.experiment(&path, &sent, &flags));
    wait(|| (finished(&sent) >= seeds / 2).then_some(()));
    cluster.kill_node(0);
    wait(|| (finished(&sent) >= seeds).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    let before: Vec<_> = runs_of_experiment(&sent).into_iter().filter(|run| is_finished(run)).collect();
    let written = |run: &PathBuf| fs::metadata(run.join("summary.json")).unwrap().modified().unwrap();
    let times: Vec<_> = before.iter().map(written).collect();
    let said = assert_done(&cluster.experiment(&path, &sent, &flags).output().unwrap());
    let rest = format!("{} of {} runs are to be done", 2 * seeds - before.len(), 2 * seeds);
    assert!(said.contains(&rest), "`{rest}` is missing in: {said}");
    assert_eq!(before.iter().map(written).collect::<Vec<_>>(), times, "what is finished is not run again");
    same_experiment(&sent, &local);
}

#[test]
fn a_node_and_a_driver_may_die() {
    faults(6, 1500);
}

#[test]
#[ignore = "takes minutes"]
fn a_node_and_a_driver_may_die_among_sixty_runs() {
    faults(30, 1500);
}
