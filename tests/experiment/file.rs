//! What the file of an experiment may say.

use std::path::Path;

use concrete_dqn::config::{Config, ConfigLayer, presets};
use concrete_dqn::experiment::Plan;
use control_envs::Registry;

use crate::TINY;
use crate::program::folders;

fn parse(file: &str) -> Result<Plan, String> {
    Plan::parse("my.toml", file.to_owned(), &Registry::builtin()).map_err(|error| error.to_string())
}

#[test]
fn settings_are_laid_over_each_other_and_the_order_is_the_files() {
    let plan = parse(
        r#"
        seeds = "7,2"
        [settings]
        steps = 1000
        agent.gamma = 0.9
        [variants.z]
        agent.gamma = 0.8
        [variants.a.agent]
        gamma = 0.7
        batch_size = 8
        [variants.m]
        [environments.mountaincar]
        steps = 2000
        agent.gamma = 0.5
        [environments.CartPole-v1]
        "#,
    )
    .unwrap();
    assert_eq!(plan.variants, ["z", "a", "m"]);
    let ids: Vec<&str> = plan.environments.iter().map(|entry| entry.id()).collect();
    assert_eq!(ids, ["MountainCar-v0", "CartPole-v1"]);
    let names: Vec<String> = plan.cells.iter().map(|cell| plan.name(cell)).collect();
    assert_eq!(names.len(), 12);
    assert_eq!(names[..2], ["z, mountaincar, seed 7", "a, mountaincar, seed 7"]);
    assert_eq!(names[11], "m, cartpole, seed 2");
    let of = |name: &str| {
        let config = &plan.cells[names.iter().position(|other| other == name).unwrap()].config;
        (config.env.as_str(), config.seed, config.steps, config.agent.gamma, config.agent.batch_size)
    };
    assert_eq!(of("a, mountaincar, seed 2"), ("MountainCar-v0", 2, 2000, 0.7, 8));
    assert_eq!(of("m, mountaincar, seed 7"), ("MountainCar-v0", 7, 2000, 0.5, 64));
    assert_eq!(of("m, cartpole, seed 7"), ("CartPole-v1", 7, 1000, 0.9, 64));
}

#[test]
fn arguments_of_environments_are_settings_of_an_experiment() {
    let file = |cartpole: &str, settings: &str| {
        format!(
            "seeds = \"0\"\n[environments.deep-sea]\nenv_args.mapping_seed = 3\n{cartpole}\n[settings]\n{settings}\n\
             [variants.small]\n[variants.large]\nenv_args = {{ size = 20 }}\n[variants.windy.env_args]\nstochastic = true"
        )
    };
    let plan = parse(&file("", "env_args.size = 5")).unwrap();
    let titles: Vec<String> = plan.cells.iter().map(|cell| cell.config.env_title()).collect();
    assert_eq!(
        titles,
        [
            "DeepSea-v0 size=5 mapping_seed=3",
            "DeepSea-v0 size=20 mapping_seed=3",
            "DeepSea-v0 size=5 stochastic=true mapping_seed=3"
        ]
    );
    for cell in &plan.cells {
        let entry = plan.entry(cell.environment, cell.variant);
        assert_eq!(cell.config.entry(&Registry::builtin()).unwrap().spec(), entry.spec());
    }
    // Each with its own threshold.
    let threshold = |variant: usize| plan.entry(0, variant).spec().reward_threshold.unwrap();
    assert!(threshold(0) == threshold(1) && threshold(2) < threshold(0));

    let message = parse(&file("", "env_args.size = 1")).unwrap_err();
    assert!(message.contains("my.toml, [settings]: the argument `size`"), "{message}");
    let message = parse(&file("[environments.cartpole]", "")).unwrap_err();
    assert!(
        message.contains("my.toml, [variants.large]: environment `CartPole-v1` has no argument `size`"),
        "{message}"
    );
}

#[test]
fn a_variant_without_settings_is_the_preset() {
    let plan = parse("environments = [\"cartpole\", \"acrobot\"]\nseeds = \"0\"\n[variants.preset]").unwrap();
    for (cell, id) in plan.cells.iter().zip(["CartPole-v1", "Acrobot-v1"]) {
        let (_, name, text) = presets().find(|(env, ..)| *env == id).unwrap();
        assert_eq!(cell.config, Config::resolve(&[ConfigLayer::parse(name, text).unwrap()]).unwrap());
    }
}

#[test]
fn what_is_wrong_in_a_file_is_one_sentence_that_names_file_and_key() {
    for (changed, into, parts) in [
        (
            "environments =",
            "environment =",
            vec!["my.toml: there is no key environment ", "environments, seeds, settings"],
        ),
        (
            "[\"cartpole\"]",
            "[]",
            vec!["my.toml: environments is empty", "such as environments = [\"cartpole\""],
        ),
        ("[\"cartpole\"]", "\"cartpole\"", vec!["my.toml: environments = \"cartpole\" is not a list"]),
        ("[\"cartpole\"]", "[3]", vec!["environments holds 3, which is not a name"]),
        (
            "[\"cartpole\"]",
            "[\"cartpol\"]",
            vec!["my.toml: environments: there is no environment `cartpol`", "cartpole"],
        ),
        ("[\"cartpole\"]", "[\"cartpole\", \"CartPole-v1\"]", vec!["environments names CartPole-v1 twice"]),
        ("seeds = \"3-4\"", "", vec!["my.toml: seeds is missing", "seeds = \"0-9\""]),
        ("\"3-4\"", "\"4-3\"", vec!["my.toml: seeds = \"4-3\": the range `4-3` runs backwards; write 3-4"]),
        ("\"3-4\"", "3", vec!["my.toml: seeds = 3 is not valid", "\"0-9\""]),
        (
            "[variants.ucb]",
            "[variants.\"../ucb\"]",
            vec!["the variant `../ucb` cannot be the name of a folder"],
        ),
        (
            "[settings]",
            "[settings]\nstepz = 3",
            vec!["my.toml, [settings]: there is no key stepz", "did you mean steps?"],
        ),
        (
            "[settings]",
            "[settings]\nseed = 3",
            vec!["my.toml, [settings]: seed cannot be set here, because seeds says"],
        ),
        (
            "[variants.ucb]",
            "[variants.ucb]\nenv = \"cartpole\"",
            vec!["[variants.ucb]: env cannot be set here"],
        ),
        (
            "[variants.ucb]",
            "[variants.ucb]\nagent.gamma = 2",
            vec!["my.toml, [variants.ucb]: agent.gamma = 2", "from 0 to 1"],
        ),
        (
            "[variants.ucb]",
            "[variants]\nucb = 3",
            vec!["my.toml: variants.ucb = 3 is not a section", "[variants.ucb]"],
        ),
        ("[settings]", "[settings", vec!["my.toml is not valid TOML"]),
    ] {
        assert!(TINY.contains(changed), "{changed}");
        let message = parse(&TINY.replace(changed, into)).unwrap_err();
        for part in parts {
            assert!(message.contains(part), "`{part}` is missing in: {message}");
        }
    }
    let message = parse("environments = [\"cartpole\"]\nseeds = \"1\"").unwrap_err();
    assert!(message.contains("my.toml: there are no variants; write a section for each"), "{message}");
}

#[test]
fn the_experiments_in_configs_are_valid() {
    for path in folders(Path::new("configs/experiments")) {
        let plan = Plan::read(&path, &Registry::builtin()).unwrap();
        assert!(!plan.cells.is_empty(), "{}", path.display());
    }
}
