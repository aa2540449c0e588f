//! Whatever is in a file or behind a flag: an error in words, and no panic.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use clap::ValueEnum;
use concrete_dqn::checkpoint::Checkpoints;
use concrete_dqn::config::{Config, ConfigLayer};
use concrete_dqn::experiment::Plan;
use concrete_dqn::exploration::RuleName;
use concrete_dqn::randomness::{Generator, Stream, generator};
use concrete_dqn::run::Record;
use control_envs::Registry;
use control_envs::rand::RngExt;
use proptest::prelude::*;

use crate::program::{program, text};
use crate::row;
use crate::runs::{checkpoints, copy, whole};

/// Values of every kind that a key may be given, most of them wrong for most keys.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}")),
        "\\PC{0,12}",
        "[-+0-9.eE_x]{1,12}",
        prop::sample::select(vec![
            "nan",
            "-inf",
            "inf",
            "0",
            "-0",
            "-1",
            "1e308",
            "18446744073709551616",
            "true",
            "\"\"",
            "[]",
            "{}",
            "[[]]",
            "[1, \"a\"]",
            "\"auto\"",
            "1979-05-27",
            "'\\u0000'",
            "\"\u{202e}\u{1F980}\"",
            "[nan]",
            "0x7f",
            "\"ucb\"",
        ])
        .prop_map(str::to_owned),
    ]
}

/// A key of a config, or one that is near to one, or none.
fn key() -> impl Strategy<Value = String> {
    let settings = |rule: &RuleName| Config { exploration: (*rule).into(), ..Config::default() }.settings();
    let known = RuleName::value_variants().iter().flat_map(settings).map(|(key, _)| key);
    let known: Vec<String> = known.collect::<BTreeSet<_>>().into_iter().collect();
    prop_oneof![
        8 => prop::sample::select(known.clone()),
        1 => (prop::sample::select(known), "\\PC").prop_map(|(key, letter)| format!("{key}{letter}")),
        1 => "\\PC{0,20}",
    ]
}

/// Whether a message is one for people: it says something, in one place, and is no Rust.
fn is_a_sentence(message: &str) -> bool {
    message.len() > 20
        && message.contains(' ')
        && !message.contains("unwrap")
        && !message.contains("panicked")
}

fn assignments(key: &str, value: &str) -> Result<(), TestCaseError> {
    for rule in RuleName::value_variants() {
        let layers = [format!("exploration.rule={rule}"), format!("{key}={value}")];
        let layers = layers.iter().map(|text| ConfigLayer::assignment(text)).collect::<Result<Vec<_>, _>>();
        if let Err(error) = layers.and_then(|layers| Config::resolve(&layers)) {
            prop_assert_eq!(error.exit_code(), 2);
            prop_assert!(is_a_sentence(&error.to_string()), "{}", error);
        }
    }
    Ok(())
}

fn texts(text: &str) -> Result<(), TestCaseError> {
    let resolved = ConfigLayer::parse("my.toml", text).and_then(|layer| Config::resolve(&[layer]));
    let planned = Plan::parse("my.toml", text.to_owned(), &Registry::builtin()).map(|_| ());
    for error in [resolved.map(|_| ()), planned].into_iter().filter_map(Result::err) {
        prop_assert_eq!(error.exit_code(), 2);
        prop_assert!(error.to_string().contains("my.toml"), "{}", error);
    }
    Ok(())
}

fn toml() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        (key(), value()).prop_map(|(key, value)| format!("{key} = {value}")),
        (key(), value()).prop_map(|(key, value)| {
            let (section, name) = key.split_once('.').unwrap_or(("agent", &key));
            format!("[{section}]\n{name} = {value}")
        }),
        "\\PC{0,30}",
        "\\[[a-z.]{0,12}\\]",
    ];
    prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn any_assignment_is_taken_or_refused_in_words(key in key(), value in value()) {
        assignments(&key, &value)?;
    }

    #[test]
    fn any_text_is_taken_or_refused_in_words(text in toml()) {
        texts(&text)?;
    }
}

#[test]
#[ignore = "half a minute"]
fn settings() {
    let cases = 20_000;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(cases));
    runner.run(&(key(), value()), |(key, value)| assignments(&key, &value)).unwrap();
    runner.run(&toml(), |text| texts(&text)).unwrap();
    row("settings of any kind, by `--set`, in a config and in an experiment", 2 * cases, "0 panics");
}

/// The files of a run, each read by some command, with random damage.
fn damaged_files(times: usize) -> usize {
    let parent = tempfile::tempdir().unwrap();
    let run = whole(&parent.path().join("runs"), &["--steps", "400"]);
    let mut random = generator(4, Stream::Bootstrap);
    let files = [
        "config.toml",
        "episodes.csv",
        "layers.csv",
        "updates.csv",
        "evaluations.csv",
        "model.safetensors",
        "summary.json",
    ];
    let mut refused = 0;
    for time in 0..times {
        let file = run.join(files[time % files.len()]);
        let before = fs::read(&file).unwrap();
        fs::write(&file, garbled(&before, &mut random)).unwrap();
        for command in [&["plot"][..], &["landscape"], &["evaluate", "--episodes", "1"], &["resume"]] {
            let copied = parent.path().join("läufe und mehr");
            copy(&run, &copied);
            let output = program()
                .arg(command[0])
                .arg(&copied)
                .args(&command[1..])
                .env("RUST_BACKTRACE", "0")
                .output()
                .unwrap();
            let said = text(&output.stderr);
            assert!(!said.contains("panicked"), "{command:?} of {}: {said}", file.display());
            match output.status.code() {
                Some(0) => {}
                Some(1 | 2) => {
                    assert!(said.contains("error: ") && is_a_sentence(&said), "{said}");
                    refused += 1;
                }
                code => panic!("{command:?} ended with {code:?}: {said}"),
            }
            fs::remove_dir_all(&copied).unwrap();
        }
        fs::write(&file, before).unwrap();
    }
    refused
}

fn garbled(content: &[u8], random: &mut Generator) -> Vec<u8> {
    let mut content = content.to_vec();
    let place = random.random_range(0..content.len());
    match random.random_range(0..5) {
        0 => content.truncate(place),
        1 => content[place] ^= 1 << random.random_range(0..8),
        2 => content.clear(),
        3 => content = (0..200).map(|_| random.random()).collect(),
        _ => drop(content.splice(place..place, (0..8).map(|_| random.random()))),
    }
    content
}

#[test]
fn garbled_files_of_a_run_are_refused_in_words() {
    damaged_files(5);
}

#[test]
#[ignore = "minutes"]
fn files() {
    let times = 50;
    let refused = damaged_files(times);
    row(
        "config, CSV, model and summary garbled, each read by `plot`, `evaluate` and `resume`",
        3 * times,
        format!("0 panics; {refused} refused with a sentence and code 1 or 2, the others not concerned"),
    );
}

#[test]
fn a_checkpoint_that_lies_is_refused_in_words() {
    lies(40);
}

#[test]
#[ignore = "half a minute"]
fn checkpoints_that_lie() {
    let times = 1_000;
    lies(times);
    row("checkpoints garbled and given checksums to match", times, "0 panics");
}

/// Garbles a file of a checkpoint and makes its checksum right again, as only someone who means it does: what is read then
/// has to stand for itself.
fn lies(times: usize) {
    let parent = tempfile::tempdir().unwrap();
    let run = whole(&parent.path().join("runs"), &["--steps", "300"]);
    let newest = checkpoints(&run).pop().unwrap();
    let sums = fs::read_to_string(newest.join("SHA256SUMS")).unwrap();
    let paths: Vec<&str> = sums.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    let mut random = generator(5, Stream::Bootstrap);
    for time in 0..times {
        let file = newest.join(paths[time % paths.len()]);
        let before = fs::read(&file).unwrap();
        let mut content = garbled(&before, &mut random);
        if random.random_bool(0.5) {
            // In the header or the text, where it matters more than in a number.
            content = before.clone();
            let place = random.random_range(0..content.len().min(400));
            content[place] = b"0123456789{}[]\",:-e "[random.random_range(0..20)];
        }
        fs::write(&file, content).unwrap();
        fs::write(newest.join("SHA256SUMS"), sums_of(&newest, &paths)).unwrap();
        let outcome = catch_unwind(|| restored(&run));
        if let Err(problem) = outcome.unwrap_or_else(|_| panic!("a panic over {}", file.display())) {
            assert!(is_a_sentence(&problem), "{problem}");
        }
        fs::write(&file, before).unwrap();
    }
}

fn sums_of(folder: &Path, paths: &[&str]) -> String {
    let line = |path: &&str| {
        format!("{}  {path}\n", concrete_dqn::checkpoint::checksum(&fs::read(folder.join(path)).unwrap()))
    };
    paths.iter().map(line).collect()
}

fn restored(run: &Path) -> Result<(), String> {
    let layer = ConfigLayer::read(&run.join("config.toml")).unwrap();
    let config = Config::resolve(&[layer]).unwrap();
    let mut env = Registry::builtin().make(&config.env).unwrap();
    let mut agent = concrete_dqn::agent::Agent::new(&config, env.spec(), tch::Device::Cpu)
        .map_err(|error| error.to_string())?;
    let mut checkpoints = Checkpoints::new(run.join("checkpoints"), 3);
    let found = checkpoints.newest::<Record>().map_err(|error| error.to_string())?.unwrap();
    let progress = checkpoints
        .restore(&found, std::slice::from_mut(&mut env), &mut agent)
        .map_err(|error| error.to_string())?;
    assert!(
        progress.environments[0]
            .episode
            .as_ref()
            .is_none_or(|episode| episode.observation.len() == env.spec().observation_space.len())
    );
    Ok(())
}
