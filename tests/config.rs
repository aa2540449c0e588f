//! Layers of settings, presets, and what is said of wrong ones.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use concrete_dqn::config::{Config, Layer, presets};
use concrete_dqn::engine::DatasetSize;
use control_envs::Registry;

fn resolve(text: &str) -> Result<Config, String> {
    Layer::parse("my.toml", text)
        .and_then(|layer| Config::resolve(&[layer]))
        .map_err(|error| error.to_string())
}

#[test]
fn later_layers_win_and_leave_the_rest() {
    let layers = [
        Layer::parse("a", "steps = 10\n[agent]\ngamma = 0.5\nbatch_size = 8").unwrap(),
        Layer::assignment("agent.gamma=0.9").unwrap(),
        Layer::assignment("exploration.rule=thompson").unwrap(),
        Layer::assignment("network.hidden=[7]").unwrap(),
        Layer::assignment("dropout.dataset_size=300").unwrap(),
    ];
    let config = Config::resolve(&layers).unwrap();
    assert_eq!((config.steps, config.agent.gamma, config.agent.batch_size), (10, 0.9, 8));
    assert_eq!(config.exploration.rule.to_string(), "thompson");
    assert_eq!(config.network.hidden, [7]);
    assert_eq!(config.dropout.dataset_size, DatasetSize::Fixed(300));
    assert_eq!(config.optimizer, Config::default().optimizer);
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
        let config = Config::resolve(&[Layer::parse(name, text).unwrap()]).unwrap();
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
        ("[agent]\ngama = 1", vec!["my.toml", "agent.gama", "did you mean agent.gamma?", "batch_size"]),
        ("agent = 3", vec!["agent = 3", "section"]),
        ("[agent]\ngamma = \"x\"", vec!["my.toml", "agent.gamma = \"x\"", "expected a number"]),
        ("[agent]\ngamma = 1.0", vec!["agent.gamma = 1", "from 0 to below 1"]),
        ("[agent]\ngamma = nan", vec!["agent.gamma = NaN", "from 0 to below 1"]),
        (
            "[agent]\nbatch_size = -1",
            vec!["agent.batch_size = -1", "integer `-1`", "expected a whole number of 0 or more"],
        ),
        ("[agent]\nbatch_size = 0", vec!["agent.batch_size = 0", "1 to 65536"]),
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
        ("steps = ", vec!["my.toml is not valid TOML"]),
    ] {
        let message = resolve(text).unwrap_err();
        for part in parts {
            assert!(message.contains(part), "`{part}` is missing in: {message}");
        }
    }
    for wrong in ["gamma", "agent.=3", "=3", "a b=3", "[agent]\nx=1"] {
        let message = Layer::assignment(wrong).unwrap_err().to_string();
        assert!(message.contains("section.key=value"), "{message}");
    }
}
