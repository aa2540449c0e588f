//! What a run's folder is called, unless it is told.

use super::label::learning_settings;
use crate::config::Config;

/// Most bytes of the environment's label, and of what differs from its preset: a file name may have 255 in all.
const LONGEST: usize = 80;

/// `<env>__<exploration>__<what differs from the environment's preset>__s<seed>`, a setting each, such as
/// `cartpole__ucb__gamma=0.98__hidden=16-16__s0`. What there is no room for is counted: `+2`. Valid as a file name.
pub fn run_name(env_label: &str, config: &Config) -> String {
    let mut env: String = env_label.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    while env.len() > LONGEST {
        env.pop();
    }
    let mut parts = vec![env, config.exploration.rule().to_string()];
    let different = differences(config);
    let mut room = LONGEST;
    let fits = different.iter().take_while(|part| {
        let fits = part.len() <= room;
        room = room.saturating_sub(part.len());
        fits
    });
    let shown = fits.count();
    parts.extend_from_slice(&different[..shown]);
    if shown < different.len() {
        parts.push(format!("+{}", different.len() - shown));
    }
    parts.push(format!("s{}", config.seed));
    parts.join("__")
}

/// The settings that change what is learned and are not the preset's, as `key=value`. The environment's arguments are
/// in its label.
fn differences(config: &Config) -> Vec<String> {
    // Its rule has settings of its own, which differ from those of the preset's rule in any case.
    let rule = format!("exploration.rule = \"{}\"", config.exploration.rule());
    let Ok(preset) = Config::for_env(&config.env).and_then(|preset| preset.with(&rule)) else {
        return Vec::new();
    };
    let (keys, preset) = (config.settings(), learning_settings(&preset));
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let is_unique = |name: &str| keys.iter().filter(|(key, _)| last(key) == name).count() == 1;
    let mut settings = learning_settings(config);
    settings.retain(|setting| !setting.0.starts_with("env_args.") && !preset.contains(setting));
    let part = |(key, value): (String, String)| {
        let name = Some(last(&key)).filter(|name| is_unique(name)).unwrap_or(key);
        format!("{name}={}", plain(&value))
    };
    settings.into_iter().map(part).collect()
}

/// A value without what TOML has around it, and without what a file name can't have: `[16, 16]` is `16-16`.
fn plain(value: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || "._+-".contains(c);
    value.split(|c| !kept(c)).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(env: &str, settings: &str) -> String {
        run_name("my env", &Config::for_env(env).unwrap().with(settings).unwrap())
    }

    #[test]
    fn a_name_says_what_differs_from_the_preset() {
        assert_eq!(name("MountainCar-v0", ""), "my-env__ucb__s0");
        let settings = "seed = 3\nagent.gamma = 0.98\nnetwork.hidden = [16, 16]\nlogging.update_period = 7";
        assert_eq!(name("CartPole-v1", settings), "my-env__ucb__gamma=0.98__hidden=16-16__s3");
        assert_eq!(name("CartPole-v1", "exploration.rule = \"thompson\""), "my-env__thompson__s0");
        assert_eq!(name("DeepSea-v0", "env_args.size = 20"), "my-env__ucb__s0");
        assert_eq!(name("Mine-v0", "local.rate = 0.25"), "my-env__ucb__rate=0.25__s0");
        assert_eq!(name("Mine-v0", "dropout.dataset_size = 500"), "my-env__ucb__dataset_size=500__s0");
    }

    #[test]
    fn a_name_is_never_too_long_for_a_file() {
        let layers = vec!["1024"; 16].join(", ");
        let settings = format!("agent.gamma = 0.5\nnetwork.hidden = [{layers}]\nsteps = 7");
        assert_eq!(name("CartPole-v1", &settings), "my-env__ucb__gamma=0.5__+2__s0");
        let long = run_name(&"ä".repeat(300), &Config::for_env("CartPole-v1").unwrap());
        assert_eq!(long, format!("{}__ucb__s0", "ä".repeat(40)));
    }
}
