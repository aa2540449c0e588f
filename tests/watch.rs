//! `watch`, run as a user runs it: once, through a pipe, and in a terminal.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use program::{assert_fails, folders, program, run, text, train};

fn trained(runs: &Path) -> PathBuf {
    let flags = ["--env", "cartpole", "--steps", "900", "-q", "--set", "evaluation.period=300"];
    let output = train(runs, &flags);
    assert!(output.status.success(), "{}", text(&output.stderr));
    folders(runs).remove(0)
}

#[test]
fn a_frame_goes_through_a_pipe_as_plain_text() {
    let runs = tempfile::tempdir().unwrap();
    let folder = trained(runs.path());
    let folder = folder.to_str().unwrap();
    let once = run(&["watch", folder, "--once"]);
    assert!(once.status.success(), "{}", text(&once.stderr));
    let frame = text(&once.stdout);
    for part in
        ["CartPole-v1 · ucb · seed 0", "finished: 900 steps in", "100%", "mean return", "evaluation", "N "]
    {
        assert!(frame.contains(part), "`{part}` is missing in:\n{frame}");
    }
    for layer in 0..3 {
        assert!(frame.contains(&format!("p, layer {layer}")), "{frame}");
    }
    assert!(!frame.contains('\x1b'), "no colours and no cursor in a pipe: {frame}");
    assert!(frame.lines().count() <= 24 && frame.lines().all(|line| line.chars().count() <= 80), "{frame}");
    // Without a terminal there is nothing to wait at.
    assert_eq!(text(&run(&["watch", folder]).stdout), frame);
}

#[test]
fn a_run_that_was_not_ended_and_one_of_an_earlier_version_are_shown() {
    let runs = tempfile::tempdir().unwrap();
    let folder = trained(runs.path());
    let once = || text(&run(&["watch", folder.to_str().unwrap(), "--once"]).stdout);
    fs::remove_file(folder.join("summary.json")).unwrap();
    assert!(once().contains("step 900 of 900") && !once().contains("finished"), "{}", once());
    fs::remove_file(folder.join("monitor.csv")).unwrap();
    assert!(once().contains("step 900 of 900") && !once().contains("a second"), "{}", once());
    for table in ["episodes.csv", "updates.csv", "evaluations.csv"] {
        fs::remove_file(folder.join(table)).unwrap();
    }
    assert!(once().contains("step 0 of 900"), "{}", once());

    assert_fails(&run(&["watch", "no/such/run"]), 2, &["there is no run folder no/such/run"]);
    assert_fails(&run(&["watch"]), 2, &["RUN"]);
    fs::write(folder.join("episodes.csv"), "episode\n1\n").unwrap();
    assert_fails(&run(&["watch", folder.to_str().unwrap()]), 1, &["episodes.csv", "it has no column"]);
}

/// What a frame ends with.
#[cfg(target_os = "linux")]
const FOOTER: &str = "q quits";

/// What the program says in a terminal, when `keys` are pressed once it has shown the run. `None` where there is no `script` to make one.
#[cfg(target_os = "linux")]
fn in_terminal(command: &str, keys: &str, no_color: bool) -> Option<Output> {
    use std::io::{Read, Write};
    let mut script = Command::new("script");
    script.args(["-qec", command, "/dev/null"]).env("TERM", "xterm-256color").env_remove("NO_COLOR");
    if no_color {
        script.env("NO_COLOR", "1");
    }
    let spawned = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else {
        eprintln!("skipped: there is no `script`, which makes a terminal");
        return None;
    };
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = Vec::new();
    while !text(&shown).contains(FOOTER) {
        let mut some = [0; 1024];
        let count = stdout.read(&mut some).unwrap();
        assert!(count > 0, "it ended before it had shown the run: {}", text(&shown));
        shown.extend_from_slice(&some[..count]);
    }
    stdin.write_all(keys.as_bytes()).unwrap();
    stdin.flush().unwrap();
    stdout.read_to_end(&mut shown).unwrap();
    drop(stdin);
    Some(Output { stdout: shown, ..child.wait_with_output().unwrap() })
}

#[cfg(target_os = "linux")]
#[test]
fn in_a_terminal_it_stays_until_q_and_leaves_the_terminal_as_it_was() {
    let runs = tempfile::tempdir().unwrap();
    let folder = trained(runs.path());
    let watch = |then: &str| {
        format!("{then}exec {} watch '{}'", program().get_program().to_string_lossy(), folder.display())
    };
    for (keys, no_color) in [("q", false), ("\x03", true)] {
        let Some(output) = in_terminal(&watch("stty cols 100 rows 30; "), keys, no_color) else { return };
        let shown = text(&output.stdout);
        assert!(output.status.success(), "{shown}");
        assert!(shown.contains("finished: 900 steps in"), "{shown}");
        // Another screen and no cursor, and then neither; a colour, unless none is wanted.
        for (set, reset) in
            [("\x1b[?1049h", "\x1b[?1049l"), ("\x1b[?25l", "\x1b[?25h"), ("\x1b[?7l", "\x1b[?7h")]
        {
            let (before, after) = (shown.find(set).unwrap(), shown.rfind(reset).unwrap());
            assert!(before < after, "{shown:?}");
        }
        assert_eq!(shown.contains("\x1b[38;5;"), !no_color, "{shown:?}");
    }
}
