//! Ctrl-C.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{QUICK, folders, program, run, summary, text};

/// Waits until the only run in a folder has so many lines in `episodes.csv`, and returns how many it has.
fn wait_for_rows(runs: &Path, count: usize) -> usize {
    let started = Instant::now();
    let rows = || {
        let folder = fs::read_dir(runs).ok()?.next()?.ok()?.path();
        Some(fs::read_to_string(folder.join("episodes.csv")).ok()?.lines().count())
    };
    loop {
        match rows() {
            Some(rows) if rows >= count => return rows,
            _ => assert!(started.elapsed() < Duration::from_secs(120), "no episode was written"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_run_after_the_episode_in_hand() {
    let runs = tempfile::tempdir().unwrap();
    let child = program()
        .args(QUICK)
        .args(["--steps", "100000000", "--runs-dir"])
        .arg(runs.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_rows(runs.path(), 5);
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let folder = folders(runs.path()).remove(0);
    let how = format!("resume      {} resume {}", env!("CARGO_BIN_EXE_concrete-dqn"), folder.display());
    assert_eq!(text(&output.stdout).lines().last(), Some(how.as_str()));
    let summary = summary(&folder);
    assert_eq!(summary["ended"], "interrupted");
    let episodes = fs::read_to_string(folder.join("episodes.csv")).unwrap();
    assert!(episodes.ends_with('\n'));
    let last: Vec<&str> = episodes.lines().last().unwrap().split(',').collect();
    let (ended, steps) = (last[1].parse::<u64>().unwrap(), summary["total_steps"].as_u64().unwrap());
    assert!(ended <= steps, "the episode under way has no row");
    assert!(folder.join(format!("checkpoints/step-{steps:012}")).is_dir(), "it can be resumed in its middle");
    assert!(run(&["evaluate", folder.to_str().unwrap(), "--episodes", "1"]).status.success());
    assert!(folder.join("plots/overview.png").is_file());
}

#[cfg(unix)]
#[test]
fn a_second_interrupt_ends_the_program_at_once_and_quietly() {
    for delay in 0..10 {
        let runs = tempfile::tempdir().unwrap();
        let child = program()
            .args(["--env", "mountaincar", "--steps", "100000000", "-q", "--runs-dir"])
            .arg(runs.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The third episode is the first that is learned in; the handler is set by then.
        wait_for_rows(runs.path(), 4);
        let pid = child.id().to_string();
        for _ in 0..2 {
            Command::new("kill").args(["-INT", &pid]).status().unwrap();
            std::thread::sleep(Duration::from_millis(5 + delay));
        }
        let output = child.wait_with_output().unwrap();
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_training_under_nohup_outlives_its_terminal() {
    let runs = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_concrete-dqn");
    let mut child = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh", program])
        .args(QUICK)
        .args(["--steps", "100000000", "-q", "--runs-dir"])
        .arg(runs.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let send = |signal: &str| assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    let before = wait_for_rows(runs.path(), 5);
    send("-HUP");
    wait_for_rows(runs.path(), before + 5);
    assert!(child.try_wait().unwrap().is_none());
    send("-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
