//! What a run is called in its figures.

use control_envs::EnvSpec;

use crate::config::Config;
use crate::plot::RunLabel;
use crate::state_grid::StateGrid;

impl RunLabel {
    /// The label of a run with this config, in an environment of which more is known where `spec` is given.
    pub fn of(config: &Config, spec: Option<&EnvSpec>) -> Self {
        let (env, seed) = (config.env_title(), config.seed);
        let rule = config.exploration.rule();
        let grid = spec.and_then(StateGrid::of);
        Self {
            title: format!("{env} · {rule} · seed {seed}"),
            short: format!("{rule}, seed {seed}"),
            setting: format!("{env} · {rule}"),
            reward_threshold: spec.and_then(|spec| spec.reward_threshold),
            axes: grid.as_ref().map(|grid| grid.axes().clone()),
            is_slice: grid.is_some_and(|grid| grid.is_slice()),
            length_scale: config.dropout.length_scale,
            has_local_dropout: config.has_local_dropout(),
        }
    }
}

/// The labels of runs that are compared: each names the settings in which it differs from the others, so that
/// runs of one setting and several seeds share its name.
pub fn compared_labels(configs: &[Config], spec: impl Fn(&Config) -> Option<EnvSpec>) -> Vec<RunLabel> {
    let settings: Vec<Vec<(String, String)>> = configs.iter().map(compared_settings).collect();
    let differs = |config: &Config, key: &str, value: &str| {
        // Of another environment it is another run in any case, and has other presets.
        let mut alike = configs.iter().zip(&settings).filter(|(other, _)| other.env == config.env);
        alike.any(|(_, settings)| match settings.iter().find(|(name, _)| name == key) {
            Some((_, other_value)) => other_value != value,
            // Of an environment whose arguments are open, a run names those that it was given.
            None => key.starts_with("env_args."),
        })
    };
    // What is the same in all is in the figure's title.
    let same = |setting: fn(&Config) -> String| configs.iter().all(|c| setting(c) == setting(&configs[0]));
    let shared = [same(|config| config.env.clone()), same(|config| config.exploration.rule().to_string())];
    let [one_env, _] = shared;
    let label = |(config, settings): (&Config, &Vec<(String, String)>)| {
        let different = settings.iter().filter(|(key, value)| differs(config, key, value));
        let different: Vec<String> = different.map(|(key, value)| format!("{key} = {value}")).collect();
        let label = RunLabel::of(config, spec(config).as_ref());
        let names = [config.env.clone(), config.exploration.rule().to_string()];
        let own = names.into_iter().zip(shared).filter(|(_, shared)| !shared).map(|(name, _)| name);
        let parts: Vec<String> = own.chain(different.iter().cloned()).collect();
        let env = (!one_env).then(|| config.env.clone());
        RunLabel {
            short: env.into_iter().chain([label.short]).chain(different).collect::<Vec<_>>().join(", "),
            setting: if parts.is_empty() { label.setting } else { parts.join(", ") },
            ..label
        }
    };
    configs.iter().zip(&settings).map(label).collect()
}

/// The settings that change what is shown of a run.
fn compared_settings(config: &Config) -> Vec<(String, String)> {
    let evaluated = ["evaluation.passes", "evaluation.mask", "evaluation.max_episode_steps"];
    let mut settings = learning_settings(config);
    let all = config.settings().into_iter();
    settings.extend(all.filter(|(key, _)| evaluated.contains(&key.as_str())));
    settings
}

/// The settings that change what is learned, as dotted keys and values; not what the label says already.
pub(super) fn learning_settings(config: &Config) -> Vec<(String, String)> {
    let mut settings = config.settings();
    let told = ["env", "seed", "device", "exploration.rule"];
    let aside = ["evaluation.", "logging.", "checkpoint."];
    settings.retain(|(key, _)| {
        !told.contains(&key.as_str()) && !aside.iter().any(|section| key.starts_with(section))
    });
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigLayer;

    #[test]
    fn runs_of_one_setting_have_one_name_and_others_name_what_differs() {
        let config = |assignments: &[&str]| {
            let layers: Vec<ConfigLayer> =
                assignments.iter().map(|text| ConfigLayer::assignment(text).unwrap()).collect();
            Config::resolve(&layers).unwrap()
        };
        let configs =
            [config(&["seed=1"]), config(&["seed=2"]), config(&["seed=1", "dropout.dataset_size=500"])];
        let labels = compared_labels(&configs, |_| None);
        assert_eq!(labels[0].setting, labels[1].setting);
        assert_eq!(labels[0].setting, "dropout.dataset_size = \"replay\"");
        assert_eq!(labels[2].setting, "dropout.dataset_size = 500");
        assert_eq!(labels[2].short, "ucb, seed 1, dropout.dataset_size = 500");
        let alike = compared_labels(&configs[..2], |_| None);
        assert_eq!(
            (alike[0].short.as_str(), alike[0].setting.as_str()),
            ("ucb, seed 1", "CartPole-v1 · ucb")
        );
        let evaluated = [config(&[]), config(&["evaluation.mask=hard"]), config(&["evaluation.episodes=3"])];
        let labels = compared_labels(&evaluated, |_| None);
        assert_eq!(labels[1].setting, "evaluation.mask = \"hard\"");
        assert_eq!(labels[0].setting, labels[2].setting, "how often changes nothing of what is shown");
        let plain = config(&["env=gym:X"]);
        let windy = config(&["env=gym:X", "env_args.wind=true"]);
        let slow = config(&["env=gym:X", "agent.gamma=0.5"]);
        let labels = compared_labels(&[plain, windy, slow], |_| None);
        assert!(labels[1].setting.contains("env_args.wind = true") && labels[1].short.contains("wind"));
        assert_ne!(labels[0].setting, labels[1].setting);
        let rules = [config(&[]), config(&["exploration.rule=thompson"])];
        assert_eq!(compared_labels(&rules, |_| None)[1].setting, "thompson");
        let envs = [config(&["env=CartPole-v1"]), config(&["env=MountainCar-v0", "steps=9"])];
        let labels = compared_labels(&envs, |_| None);
        assert_eq!(labels[0].short, "CartPole-v1, ucb, seed 0");
        assert_eq!(labels[1].short, "MountainCar-v0, ucb, seed 0");
    }
}
