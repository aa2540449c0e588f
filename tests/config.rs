//! Layers of settings, presets, and what is said of wrong ones.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;

use clap::ValueEnum;
use concrete_dqn::config::{Config, ConfigLayer, presets};
use concrete_dqn::engine::DatasetSize;
use concrete_dqn::exploration::{EpsilonGreedy, ExplorationConfig, InformationDirected, RuleName, Ucb};
use control_envs::Registry;

fn resolve(text: &str) -> Result<Config, String> {
    ConfigLayer::parse("my.toml", text)
        .and_then(|layer| Config::resolve(&[layer]))
        .map_err(|error| error.to_string())
}

#[test]
fn later_layers_win_and_leave_the_rest() {
    let layers = [
        ConfigLayer::parse("a", "steps = 10\n[agent]\ngamma = 0.5\nbatch_size = 8").unwrap(),
        ConfigLayer::assignment("agent.gamma=0.9").unwrap(),
        ConfigLayer::assignment("exploration.rule=thompson").unwrap(),
        ConfigLayer::assignment("network.hidden=[7]").unwrap(),
        ConfigLayer::assignment("dropout.dataset_size=300").unwrap(),
    ];
    let config = Config::resolve(&layers).unwrap();
    assert_eq!((config.steps, config.agent.gamma, config.agent.batch_size), (10, 0.9, 8));
    assert_eq!(config.exploration.rule().to_string(), "thompson");
    assert_eq!(config.network.hidden, [7]);
    assert_eq!(config.dropout.dataset_size, DatasetSize::Fixed(300));
    assert_eq!(config.optimizer, Config::default().optimizer);
}

#[test]
fn whole_numbers_may_have_an_exponent() {
    let config = resolve("steps = 1e4\n[agent]\nbatch_size = 3.2e1\n[exploration]\npasses = 1e1").unwrap();
    assert_eq!((config.steps, config.agent.batch_size), (10_000, 32));
    assert_eq!(config.exploration, ExplorationConfig::Ucb(Ucb { passes: 10, ..Ucb::default() }));
}

#[test]
fn a_resolved_config_is_a_config() {
    for config in [
        Config::default(),
        resolve("[dropout]\ndataset_size = 5\n[network]\nfourier_bandwidth = 2.5").unwrap(),
    ] {
        assert_eq!(resolve(&config.to_toml()).unwrap(), config);
    }
}

#[test]
fn every_preset_is_valid_and_names_its_environment() {
    let registry = Registry::builtin();
    for (id, name, text) in presets() {
        let config = Config::resolve(&[ConfigLayer::parse(name, text).unwrap()]).unwrap();
        assert_eq!(config.env, id);
        registry.get(id).unwrap();
        assert_eq!(text, std::fs::read_to_string(name).unwrap(), "the embedded preset is the file's");
    }
    assert_eq!(presets().count(), registry.iter().count());
}

#[test]
fn errors_name_source_key_value_and_what_is_allowed() {
    for (text, parts) in [
        ("stepz = 3", vec!["my.toml", "stepz", "did you mean steps?"]),
        ("gamma = 0.98", vec!["there is no key gamma; did you mean agent.gamma?"]),
        ("passes = 5", vec!["did you mean evaluation.passes or exploration.passes?"]),
        ("[optimizer]\ngamma = 0.98", vec!["no key optimizer.gamma; did you mean agent.gamma?"]),
        ("lerning_rate = 1", vec!["did you mean optimizer.learning_rate?"]),
        ("thompson_mask = \"step\"", vec!["did you mean exploration.thompson_mask?"]),
        ("[agnt]\ngamma = 1", vec!["there is no key agnt; did you mean agent?"]),
        ("[agent]\nxyz = 1", vec!["there is no key agent.xyz; allowed here are"]),
        ("[training]\nxyz = 1", vec!["there is no key training; allowed here are"]),
        ("[agent]\ngama = 1", vec!["my.toml", "agent.gama", "did you mean agent.gamma?", "batch_size"]),
        ("agent = 3", vec!["agent = 3", "section"]),
        ("[agent]\ngamma = \"x\"", vec!["my.toml", "agent.gamma = \"x\"", "expected a number"]),
        ("[agent]\ngamma = 1.5", vec!["agent.gamma = 1.5", "from 0 to 1"]),
        ("[agent]\ngamma = nan", vec!["agent.gamma = NaN", "from 0 to 1"]),
        (
            "[agent]\nbatch_size = -1",
            vec!["agent.batch_size = -1", "integer `-1`", "expected a whole number of 0 or more"],
        ),
        ("[agent]\nbatch_size = 0", vec!["agent.batch_size = 0", "1 to 65536"]),
        ("[network]\nhidden = \"64, 64\"", vec!["which has brackets; write network.hidden=[64,64]"]),
        ("[network]\nhidden = 32", vec!["network.hidden = 32 is not valid", "write network.hidden=[32]"]),
        ("[network]\nhidden = \"wide\"", vec!["write network.hidden=["]),
        ("steps = 1.5", vec!["steps = 1.5", "expected a whole number of 0 or more"]),
        ("[network]\nhidden = []", vec!["network.hidden = []", "1 to 16 layers"]),
        ("[network]\nhidden = [64, \"a\"]", vec!["network.hidden = [64, \"a\"]", "expected a whole number"]),
        ("[network]\nfourier_bandwidth = \"wide\"", vec!["network.fourier_bandwidth = \"wide\"", "\"auto\""]),
        (
            "[dropout]\ndataset_size = \"batch\"",
            vec!["dropout.dataset_size = \"batch\"", "\"replay\"", "\"final\"", "whole number"],
        ),
        ("[network.conv]\nchannels = []", vec!["network.conv.channels = []", "1 to 16 convolutions"]),
        ("[network.conv]\nkernels = 3", vec!["network.conv.kernels", "did you mean network.conv.kernel?"]),
        ("[network]\nkind = \"mlp\"", vec!["network.kind = \"mlp\"", "`dense`", "`conv`"]),
        (
            "[precision]\nlearned = false\nheteroscedastic = true",
            vec!["precision.heteroscedastic = true", "precision.learned = false"],
        ),
        ("[dropout]\ninitial_p = 1.0", vec!["dropout.initial_p = 1", "0.000001 to 0.999999"]),
        ("[dropout]\ninitial_p = 0.0", vec!["dropout.initial_p = 0", "0 with dropout.learned = false"]),
        ("[agent]\nn_step_final = 0", vec!["agent.n_step_final = 0", "1 to 1000"]),
        ("[exploration]\nrule = \"ucbb\"", vec!["exploration.rule = \"ucbb\"", "`ucb`", "`thompson`"]),
        ("[exploration]\nrule = 3", vec!["my.toml", "exploration.rule = 3", "not valid"]),
        (
            "exploration = \"thompson\"",
            vec!["exploration = \"thompson\"", "section with the keys beta, passes, rule"],
        ),
        ("[exploration]\nbeta = \"x\"", vec!["my.toml: exploration.beta = \"x\"", "expected a number"]),
        ("[exploration]\nbeta = -1", vec!["exploration.beta = -1", "from 0 to 1e12"]),
        (
            "[exploration]\nbet = 1",
            vec!["exploration.bet", "did you mean exploration.beta?", "beta, passes, rule"],
        ),
        (
            "[exploration]\nrule = \"thompson\"\nthompson_mask = \"year\"",
            vec!["exploration.thompson_mask = \"year\"", "`episode`", "`step`"],
        ),
        ("steps = ", vec!["my.toml is not valid TOML"]),
    ] {
        let message = resolve(text).unwrap_err();
        for part in parts {
            assert!(message.contains(part), "`{part}` is missing in: {message}");
        }
    }
    for wrong in ["gamma", "agent.=3", "=3", "a b=3", "[agent]\nx=1"] {
        let message = ConfigLayer::assignment(wrong).unwrap_err().to_string();
        assert!(message.contains("section.key=value"), "{message}");
    }
}

#[test]
fn a_setting_of_another_rule_is_an_error_that_names_key_rule_and_what_is_allowed() {
    for (text, sentence) in [
        (
            "exploration.epsilon_final = 0.1",
            "my.toml: exploration.epsilon_final is a setting of epsilon-greedy, and the rule is ucb; allowed \
             with ucb: beta, passes; for epsilon-greedy, set exploration.rule = \"epsilon-greedy\" first",
        ),
        (
            "exploration.rule = \"thompson\"\nexploration.beta = 2.0",
            "my.toml: exploration.beta is a setting of ucb and information-directed, and the rule is thompson; \
             allowed with thompson: thompson_mask; for ucb, set exploration.rule = \"ucb\" first",
        ),
        (
            "exploration.rule = \"greedy\"\nexploration.thompson_mask = \"step\"",
            "my.toml: exploration.thompson_mask is a setting of thompson, and the rule is greedy; \
             greedy has no settings; for thompson, set exploration.rule = \"thompson\" first",
        ),
    ] {
        assert_eq!(resolve(text).unwrap_err(), sentence);
    }
}

#[test]
fn a_layer_with_another_rule_starts_its_settings_anew() {
    let exploration = |assignments: &[&str]| {
        let layers: Vec<ConfigLayer> =
            assignments.iter().map(|text| ConfigLayer::assignment(text).unwrap()).collect();
        Config::resolve(&layers).unwrap().exploration
    };
    let (ucb, directed) = ("exploration.rule=ucb", "exploration.rule=information-directed");
    let (beta, passes) = ("exploration.beta=3", "exploration.passes=5");
    // The same rule again changes nothing.
    assert_eq!(exploration(&[beta, ucb, passes]), ExplorationConfig::Ucb(Ucb { beta: 3.0, passes: 5 }));
    // Another does, also where it has settings of the same names, and there is no way back to what was set
    // before.
    let default = InformationDirected::default();
    let expected = InformationDirected { passes: 5, ..default };
    assert_eq!(exploration(&[beta, directed, passes]), ExplorationConfig::InformationDirected(expected));
    assert_eq!(exploration(&[beta, directed, ucb]), ExplorationConfig::Ucb(Ucb::default()));
    // Rule and settings in one layer, in any order of the lines.
    let config = resolve("exploration.epsilon_final = 0.1\nexploration.rule = \"epsilon-greedy\"").unwrap();
    let expected = EpsilonGreedy { epsilon_final: 0.1, ..EpsilonGreedy::default() };
    assert_eq!(config.exploration, ExplorationConfig::EpsilonGreedy(expected));
}

#[test]
fn every_rule_is_a_config_and_is_read_from_one_that_holds_the_settings_of_all() {
    let layer = |text: &str| ConfigLayer::parse("config.toml", text).unwrap();
    let all = RuleName::value_variants().iter().flat_map(|rule| {
        let config = Config { exploration: (*rule).into(), ..Config::default() };
        assert_eq!(Config::resolve(&[layer(&config.to_toml())]).unwrap(), config);
        config.settings().into_iter().filter(|(key, _)| key.starts_with("exploration."))
    });
    let all: BTreeMap<String, String> = all.filter(|(key, _)| key != "exploration.rule").collect();
    assert_eq!(all.len(), 6);
    let all: String = all.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    for rule in RuleName::value_variants() {
        let text = format!("{all}exploration.rule = \"{rule}\"");
        assert!(Config::resolve(&[layer(&text)]).is_err());
        let config = Config::resolve(&[layer(&text).without_other_rules()]).unwrap();
        assert_eq!(config.exploration, (*rule).into());
    }
    let mistyped = layer("exploration.rule = \"ucb\"\nexploration.bet = 1").without_other_rules();
    assert!(Config::resolve(&[mistyped]).is_err());
}

#[test]
fn arguments_of_the_environment_are_settings() {
    let given = ConfigLayer::env_argument("size=20").unwrap();
    assert_eq!(
        (
            given.source(),
            Config::resolve(std::slice::from_ref(&given)).unwrap().env_args["size"].as_integer()
        ),
        ("--env-arg size=20", Some(20))
    );
    let registry = Registry::builtin();
    let config =
        Config::for_env("deep-sea").unwrap().with("env_args.size = 20\nenv_args.stochastic = true").unwrap();
    let entry = config.entry(&registry).unwrap();
    assert_eq!(entry.spec().observation_space.len(), 400);
    assert_eq!(config.env_title(), "DeepSea-v0 size=20 stochastic=true");
    // A run names them all, and what it writes is read as it was.
    let resolved = config.in_environment(&entry);
    let text = resolved.to_toml();
    for line in
        ["[env_args]", "size = 20", "stochastic = true", "mapping_seed = 42", "randomize_actions = true"]
    {
        assert!(text.contains(line), "{line} is missing in: {text}");
    }
    assert_eq!(resolve(&text).unwrap(), resolved);
    assert_eq!(resolved.env_title(), "DeepSea-v0 size=20 stochastic=true");
    assert!(resolved.settings().contains(&("env_args.size".to_owned(), "20".to_owned())));
    assert!(!Config::default().to_toml().contains("env_args"), "without arguments there is nothing to write");

    let own = Config { env: "Mine-v0".to_owned(), ..resolved.clone() };
    assert!(own.env_title().starts_with("Mine-v0 mapping_seed=42 "), "{}", own.env_title());
    let error =
        Config::for_env("cartpole").unwrap().with("env_args.size = 3").unwrap().entry(&registry).unwrap_err();
    assert!(error.to_string().contains("`CartPole-v1` has no argument `size`; it takes none"), "{error}");
}

#[test]
fn a_layer_with_another_environment_starts_its_arguments_anew() {
    let env_args = |texts: &[&str]| {
        let layers: Vec<ConfigLayer> =
            texts.iter().map(|text| ConfigLayer::parse("layer", text).unwrap()).collect();
        Config::resolve(&layers).unwrap().env_args.to_string()
    };
    let (sea, size, cartpole) = ("env = \"DeepSea-v0\"", "env_args.size = 20", "env = \"CartPole-v1\"");
    assert_eq!(env_args(&[sea, size]), "size = 20\n");
    assert_eq!(env_args(&[sea, size, sea, "env_args.stochastic = true"]), "size = 20\nstochastic = true\n");
    assert_eq!(env_args(&[sea, size, cartpole]), "");
    assert_eq!(env_args(&[sea, size, cartpole, sea]), "");
    assert_eq!(env_args(&["env = \"DeepSea-v0\"\nenv_args.size = 20"]), "size = 20\n");
}

#[test]
fn what_is_no_argument_is_a_sentence() {
    let message = resolve("env_args = 3").unwrap_err();
    assert!(
        message.contains("my.toml: env_args = 3 is not valid") && message.contains("env_args.size = 20"),
        "{message}"
    );
    assert!(resolve("env_arg.size = 3").unwrap_err().contains("did you mean env_args?"));
    for wrong in ["size", "=3", "a.b=3", "a b=3", ""] {
        let message = ConfigLayer::env_argument(wrong).unwrap_err().to_string();
        assert!(message.contains("--env-arg name=value"), "{message}");
    }
}

/// That every range is beside its field and under its name.
#[test]
fn every_number_that_makes_no_sense_is_refused_by_its_own_name() {
    for rule in RuleName::value_variants() {
        let config = Config { exploration: (*rule).into(), ..Config::default() };
        let base = ConfigLayer::parse("base", &config.to_toml()).unwrap();
        for (key, value) in config.settings() {
            let wrong = match (value.parse::<i64>(), value.parse::<f64>()) {
                (Ok(_), _) => "-1",
                (_, Ok(_)) => "nan",
                _ => continue,
            };
            let layers = [base.clone(), ConfigLayer::assignment(&format!("{key}={wrong}")).unwrap()];
            let message = Config::resolve(&layers).unwrap_err().to_string();
            let named = format!(": {key} = {}", if wrong == "nan" { "NaN is out of range" } else { "-1 is" });
            assert!(message.contains(&named), "{message}");
        }
    }
}

#[test]
fn tilings_with_too_many_cells_are_refused() {
    assert!(resolve("[local]\naxes = 3\ncells = 8").is_ok());
    let problem = resolve("[local]\naxes = 4\ncells = 31").unwrap_err();
    let words = "local.cells = 31 is out of range; it must be so small that tilings (cells + 1)^axes, here 1.678e7, is at most";
    assert!(problem.contains(words), "{problem}");
}

#[test]
fn wrappers_are_settings_like_all_others() {
    let config = resolve("[wrappers]\nframe_stack = 4\nsticky_actions = 0.25\ntime_limit = 1e3").unwrap();
    assert_eq!((config.wrappers.frame_stack, config.wrappers.time_limit), (4, 1_000));
    assert_eq!(config.entry(&Registry::builtin()).unwrap().spec().observation_space.len(), 16);
    assert_eq!(resolve(&config.to_toml()).unwrap(), config);
    for (setting, words) in [
        (
            "frame_stack = 0",
            "wrappers.frame_stack = 0 is out of range; it must be a whole number from 1 to 64",
        ),
        ("action_repeat = 0", "wrappers.action_repeat = 0 is out of range"),
        (
            "sticky_actions = 1.5",
            "wrappers.sticky_actions = 1.5 is out of range; it must be a number from 0 to 1",
        ),
        ("clip_rewards = 1", "wrappers.clip_rewards = 1 is not valid"),
        ("frames = 4", "there is no key wrappers.frames"),
    ] {
        let problem = resolve(&format!("[wrappers]\n{setting}")).unwrap_err();
        assert!(problem.contains(words), "{problem}");
    }
}
