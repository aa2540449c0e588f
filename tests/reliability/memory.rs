//! What a run holds in memory does not grow.

use std::fs;

use crate::row;
use crate::runs::{only, training, wait_until};

/// Environment steps of a run so far, by its rows.
fn steps(runs: &std::path::Path) -> u64 {
    if !runs.is_dir() || fs::read_dir(runs).unwrap().next().is_none() {
        return 0;
    }
    let rows = fs::read_to_string(only(runs).join("episodes.csv")).unwrap_or_default();
    let last = rows.lines().last().and_then(|row| row.split(',').nth(1)?.parse().ok());
    last.unwrap_or(0)
}

/// Resident memory of a process, kB.
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "a minute"]
fn memory_does_not_grow_over_200_000_steps() {
    let parent = tempfile::tempdir().unwrap();
    let runs = parent.path().join("runs");
    let flags =
        ["--steps", "1000000", "--set", "agent.replay_capacity=10000", "--set", "checkpoint.seconds=1"];
    let mut child = training(&runs, &flags).spawn().unwrap();
    let mut measured = Vec::new();
    for wanted in [20_000, 220_000] {
        wait_until_long(|| steps(&runs) >= wanted);
        measured.push(resident(child.id()));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let grown = measured[1] as i64 - measured[0] as i64;
    row(
        "resident memory after 20,000 and after 220,000 steps, a checkpoint a second",
        format!("{} and {} kB", measured[0], measured[1]),
        format!("{grown} kB more"),
    );
    // A byte a step would be 200 kB; an allocator's leftovers are allowed.
    assert!(grown < 4_000, "{measured:?}");
}

fn wait_until_long(mut is_so: impl FnMut() -> bool) {
    for _ in 0..4 {
        let mut tries = 0;
        wait_until("the steps", || {
            tries += 1;
            std::thread::sleep(std::time::Duration::from_millis(50));
            is_so() || tries > 2_000
        });
        if is_so() {
            return;
        }
    }
}
