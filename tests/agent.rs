//! The agent without files or terminal: N follows the replay, seeds decide everything, every rule trains.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use concrete_dqn::Error;
use concrete_dqn::agent::{Agent, Misfit};
use concrete_dqn::config::{Config, ConfigLayer};
use concrete_dqn::engine::engine;
use concrete_dqn::evaluation::Evaluator;
use concrete_dqn::rows::{EpisodeRecord, UpdateRecord};
use concrete_dqn::training::{Observer, TrainingProgress, train};
use concrete_dqn::units::NetworkUnits;
use control_envs::rand::Rng;
use control_envs::{Dimension, Env, EnvError, EnvSpec, Registry, Step};
use tch::Device;

#[derive(Debug, Default, PartialEq)]
struct Recorded {
    episodes: Vec<EpisodeRecord>,
    updates: Vec<UpdateRecord>,
}

impl Observer for Recorded {
    fn on_update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        self.updates.push(record.clone());
        Ok(())
    }

    fn on_episode(&mut self, record: &EpisodeRecord, agent: &Agent) -> Result<(), Error> {
        assert_eq!(agent.steps(), record.total_steps);
        self.episodes.push(record.clone());
        Ok(())
    }
}

/// A small network, quick to train, with `settings` over it.
fn config(settings: &[&str]) -> Config {
    let mut layers = vec![
        ConfigLayer::parse(
            "test",
            "steps = 700\n[network]\nhidden = [16, 16]\nfourier_features = 4\n[agent]\nlearning_starts = 100\n\
             batch_size = 16\nreplay_capacity = 400\n[logging]\nupdate_period = 10",
        )
        .unwrap(),
    ];
    layers.extend(settings.iter().map(|setting| ConfigLayer::assignment(setting).unwrap()));
    Config::resolve(&layers).unwrap()
}

fn run(config: &Config) -> (Agent, Recorded) {
    tch::set_num_threads(1);
    let registry = Registry::builtin();
    let mut envs: Vec<_> = (0..config.agent.envs).map(|_| registry.make(&config.env).unwrap()).collect();
    let mut agent = Agent::new(config, envs[0].spec(), Device::Cpu).unwrap();
    let mut recorded = Recorded::default();
    let mut progress = TrainingProgress::start(config.seed, envs.len());
    train(&mut envs, &mut agent, &mut progress, &mut recorded).unwrap();
    (agent, recorded)
}

#[test]
fn the_dataset_size_follows_the_replay_at_episode_ends() {
    let (agent, recorded) = run(&config(&[]));
    assert_eq!(agent.steps(), 700);
    for record in &recorded.episodes {
        // The replay holds 400 transitions at most.
        assert_eq!(record.dataset_size, record.total_steps.min(400));
    }
    // Held at a number, or at what there will be.
    for (setting, size) in [("123", 123), ("final", 400)] {
        let (_, held) = run(&config(&[&format!("dropout.dataset_size={setting}")]));
        assert!(held.episodes.iter().all(|record| record.dataset_size == size));
    }
}

#[test]
fn the_temperature_falls_by_the_same_factor_at_every_step() {
    let (agent, _) = run(&config(&["dropout.temperature=0.3", "dropout.temperature_final_fraction=0.1"]));
    assert!((agent.network().temperature() - 0.03).abs() < 1e-12);
    let config = config(&["dropout.temperature_final_fraction=0.25"]);
    assert!((config.dropout.temperature_at(0.5) - 0.05).abs() < 1e-12);
    assert_eq!(config.evaluation_temperature(), config.dropout.temperature_at(1.0));
    let (agent, _) = run(&self::config(&[]));
    assert_eq!(agent.network().temperature(), 0.1);
}

#[test]
fn every_rule_form_of_targets_and_engine_trains_reproducibly() {
    for rule in ["ucb", "thompson", "information-directed", "epsilon-greedy", "greedy"] {
        for targets in ["double-q", "optimistic"] {
            for engine in ["fused", "autograd"] {
                let settings = [("exploration.rule", rule), ("agent.targets", targets), ("engine", engine)];
                let settings = settings.map(|(key, value)| format!("{key}={value}"));
                trains_reproducibly(&config(&settings.each_ref().map(String::as_str)));
            }
        }
    }
    let (_, one) = run(&config(&["seed=1"]));
    let (_, two) = run(&config(&["seed=2"]));
    assert_ne!(one, two);
}

#[test]
fn convolutional_and_heteroscedastic_networks_train_reproducibly_on_the_reference_engine() {
    let catch = ["env=Catch-v0", "network.kind=conv", "network.conv.channels=[3]"];
    let noise = "precision.heteroscedastic=true";
    for settings in [
        &catch[..],
        &[catch[0], catch[1], catch[2], "network.conv.mask=unit", "agent.targets=double-q", noise],
        &[noise],
    ] {
        trains_reproducibly(&config(settings));
        let refused = config(&[settings, &["engine=fused"]].concat());
        let env = Registry::builtin().make(&refused.env).unwrap();
        let message = Agent::new(&refused, env.spec(), Device::Cpu).unwrap_err().to_string();
        let only = if settings.len() == 1 { "one precision" } else { "dense networks" };
        assert!(message.contains(only) && message.contains("must be auto or autograd"), "{message}");
    }
}

fn trains_reproducibly(config: &Config) {
    let (agent, recorded) = run(config);
    let (_, again) = run(config);
    assert_eq!(recorded, again, "{config:?}");
    assert_eq!(agent.updates(), 601, "one learner step a transition from step 100 on");
    assert_eq!(recorded.updates.len(), 60);
    for update in &recorded.updates {
        let sum = update.data_term + update.weight_term + update.entropy_term + update.precision_term;
        assert!((update.loss - sum).abs() < 1e-4 * (1.0 + sum.abs()), "{update:?}");
        assert!(update.entropy_term < 0.0 && update.weight_term > 0.0, "{update:?}");
    }
    let p = agent.network().mean_p();
    assert!(p.iter().all(|&p| 0.0 < p && p < 1.0 && (p - 0.1).abs() > 1e-3), "p has moved: {p:?}");
}

#[test]
fn a_fixed_p_stays() {
    for engine in ["fused", "autograd"] {
        let held = [
            "local.tilings=0",
            "dropout.learned=false",
            "dropout.initial_p=0.2",
            &format!("engine={engine}"),
        ];
        let (agent, recorded) = run(&config(&held));
        assert!(agent.network().mean_p().iter().all(|p| (p - 0.2).abs() < 1e-6));
        assert!(recorded.updates.iter().all(|update| update.epistemic_std > 0.0));
    }
}

#[test]
fn without_dropout_nothing_is_uncertain() {
    for engine in ["fused", "autograd"] {
        let none =
            ["local.tilings=0", "dropout.learned=false", "dropout.initial_p=0", &format!("engine={engine}")];
        let (_, recorded) = run(&config(&none));
        assert!(recorded.updates.iter().all(|update| update.epistemic_std == 0.0));
        assert!(recorded.episodes.iter().all(|episode| episode.exploratory_share.unwrap_or(0.0) == 0.0));
    }
}

#[test]
fn a_mask_is_held_for_an_episode_or_a_step() {
    let (_, episode) = run(&config(&["exploration.rule=thompson"]));
    let (_, step) = run(&config(&["exploration.rule=thompson", "exploration.thompson_mask=step"]));
    for recorded in [&episode, &step] {
        // Whatever the single sample is, the layers' masks alone or with places, its best action is taken.
        let shares: Vec<f64> = recorded.episodes.iter().filter_map(|row| row.exploratory_share).collect();
        assert!(!shares.is_empty() && shares.iter().all(|share| *share == 0.0), "{shares:?}");
    }
    assert_ne!(episode, step);
}

#[test]
fn a_fixed_precision_stays_and_a_learned_one_moves() {
    let (agent, _) = run(&config(&["precision.learned=false", "precision.initial=25"]));
    assert!((agent.network().precision() - 25.0).abs() < 1e-3);
    let (agent, _) = run(&config(&[]));
    assert!((agent.network().precision() - 10.0).abs() > 1.0);
}

/// Local dropout adds nothing to the mean of Q, by which epsilon-greedy and double-Q targets go.
#[test]
fn without_uncertainty_in_decisions_local_dropout_acts_through_tau_alone() {
    let trained = |learned: bool, tilings: usize| {
        let (agent, recorded) = run(&config(&[
            "exploration.rule=epsilon-greedy",
            "agent.targets=double-q",
            &format!("precision.learned={learned}"),
            &format!("local.tilings={tilings}"),
        ]));
        let weights: Vec<f32> = agent.network().parameters().values().to_vec();
        (recorded.episodes.iter().map(|episode| episode.episode_return).collect::<Vec<_>>(), weights)
    };
    assert_eq!(trained(false, 16), trained(false, 0));
    assert_ne!(trained(true, 16).1, trained(true, 0).1);
}

#[test]
fn evaluation_repeats_and_depends_on_the_seed() {
    let config = config(&[]);
    let (agent, _) = run(&config);
    let play = |seed| {
        let mut env = Registry::builtin().make("cartpole").unwrap();
        let mut engine = engine(&config, agent.network()).unwrap();
        let evaluator = Evaluator { episodes: 5, passes: 3, seed, ..Evaluator::from(&config) };
        evaluator.evaluate(agent.network(), engine.as_mut(), env.as_mut(), &mut ()).unwrap()
    };
    assert_eq!(play(1), play(1));
    assert_ne!(play(1), play(2));
    let played = play(1);
    assert_eq!(played.mean_return, played.mean_length, "CartPole gives 1 a step");
    assert!(played.min_return <= played.mean_return && played.mean_return <= played.max_return);
}

/// One step an episode; the reward is 1 and the episode either terminates or is truncated by the time limit.
struct OneStep {
    spec: EnvSpec,
    terminates: bool,
}

impl OneStep {
    fn new(terminates: bool) -> Self {
        let spec = EnvSpec::new("OneStep-v0", [Dimension::new("nothing", "", -1.0, 1.0)], ["go"])
            .with_max_episode_steps(1);
        Self { spec, terminates }
    }
}

impl Env for OneStep {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, _rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        Ok(vec![0.5])
    }

    fn step(&mut self, _action: usize) -> Result<Step, EnvError> {
        Ok(Step::new(vec![0.5], 1.0, self.terminates))
    }
}

/// Q of the only action after training, in units of the return.
fn value_of_one_step(terminates: bool, targets: &str) -> f64 {
    let targets = format!("agent.targets={targets}");
    let config = config(&[
        "agent.gamma=0.9",
        &targets,
        "steps=1500",
        "network.biases=true",
        "agent.target_beta=0",
        "precision.learned=false",
        "precision.initial=10000",
        "agent.target_lerp=0.2",
    ]);
    let mut registry = Registry::new();
    registry.register("onestep", move || OneStep::new(terminates)).unwrap();
    let mut env = registry.make("onestep").unwrap();
    let mut agent = Agent::new(&config, env.spec(), Device::Cpu).unwrap();
    train(std::slice::from_mut(&mut env), &mut agent, &mut TrainingProgress::start(0, 1), &mut ()).unwrap();
    let q = engine(&config, agent.network()).unwrap().predict(agent.network(), &[0.5], None).q[0];
    agent.network().value_scale().to_return(NetworkUnits(f64::from(q))).0
}

#[test]
fn truncation_bootstraps_and_termination_does_not() {
    for targets in ["double-q", "optimistic"] {
        // The return is 1 where the episode terminates, and 1 / (1 - 0.9) = 10 where it is only cut off.
        let terminated = value_of_one_step(true, targets);
        assert!((terminated - 1.0).abs() < 0.3, "{terminated} with {targets}");
        let truncated = value_of_one_step(false, targets);
        assert!((truncated - 10.0).abs() < 1.0, "{truncated} with {targets}");
    }
}

/// An agent for one number without an end, of which `settings` are over those of the other tests.
fn agent_of_a_number(dimension: Dimension, settings: &[&str]) -> Agent {
    tch::set_num_threads(1);
    let spec = EnvSpec::new("Number-v0", [dimension], ["down", "up"]);
    Agent::new(&config(settings), &spec, Device::Cpu).unwrap()
}

#[test]
fn a_place_that_a_transition_leaves_and_enters_at_once_stays_as_known_as_it_was() {
    let settings = ["agent.replay_capacity=1", "agent.learning_starts=1"];
    let mut agent = agent_of_a_number(Dimension::new("x", "", -1.0, 1.0), &settings);
    let p = |agent: &Agent| agent.network().local_p(&[0.3], 0).unwrap();
    let observe = |agent: &mut Agent| agent.observe(&[0.3], 0, &Step::new(vec![0.3], 1.0, false));
    observe(&mut agent);
    (0..50).for_each(|_| drop(agent.learn().unwrap()));
    let known = p(&agent);
    assert!(known < 0.49, "{known}");
    observe(&mut agent);
    assert_eq!(p(&agent), known);
    // And where it is left for good, p is 1/2 again.
    agent.observe(&[-0.9], 1, &Step::new(vec![-0.9], 1.0, false));
    assert_eq!(p(&agent), 0.5);
}

#[test]
fn the_places_of_a_dimension_that_leaves_its_bounds_are_counted_anew() {
    let mut agent =
        agent_of_a_number(Dimension::new("x", "", -1.0, 1.0), &["agent.learning_starts=1", "local.cells=8"]);
    let observe = |agent: &mut Agent, x: f32| agent.observe(&[x], 0, &Step::new(vec![x], 1.0, false));
    for i in 0..200 {
        assert!(observe(&mut agent, -1.0 + 0.01 * i as f32).is_empty());
        agent.learn().unwrap();
    }
    let transitions = |agent: &Agent, x: f32| agent.network().local_place(&[x], 0).unwrap().transitions;
    assert!((15..60).contains(&transitions(&agent, 0.1)), "an eighth or so");
    assert!(agent.network().local_p(&[-0.9], 0).unwrap() < 0.45);
    assert_eq!(observe(&mut agent, 60.0), [Misfit::Exceeded(0)]);
    // What was from one bound to the other is a place or two in the middle of what is seen now.
    assert!(transitions(&agent, 0.1) >= 100, "{}", transitions(&agent, 0.1));
    let tilings = 16;
    assert_eq!(agent.local_counts().unwrap().iter().sum::<u32>(), 201 * tilings);
    // Where nothing is now, nothing is known.
    let empty = agent.local_counts().unwrap().iter().zip(agent.network().local().unwrap().logits());
    assert!(empty.filter(|(count, _)| **count == 0).all(|(_, logit)| *logit == 0.0));
}

#[test]
fn the_figures_of_an_episode_are_taken_at_the_temperature_of_now() {
    let figures = |temperature: f64| {
        let settings = ["dropout.temperature_final_fraction=0.1"];
        let mut agent = agent_of_a_number(Dimension::new("x", "", -1.0, 1.0), &settings);
        for i in 0..50 {
            agent.observe(&[0.01 * i as f32], i % 2, &Step::new(vec![0.0], 1.0, false));
        }
        agent.set_temperature(temperature);
        agent.end_episode(50).unwrap()
    };
    assert_eq!(figures(1.0), figures(0.01));
}

#[test]
fn a_return_of_another_order_comes_late_and_learning_goes_on() {
    for settings in
        [&["precision.learned=true"][..], &["precision.prior_count=0"], &["precision.learned=false"]]
    {
        let mut agent = agent_of_a_number(Dimension::new("x", "", -1.0, 1.0), settings);
        let observe = |agent: &mut Agent, i: u16, reward: f64| {
            let x = f32::from(i % 20) / 10.0 - 1.0;
            agent.observe(&[x], usize::from(i % 2), &Step::new(vec![x], reward, false));
        };
        // What is left of a sum that should be 0.
        for i in 0..200 {
            observe(&mut agent, i, 5.6e-17);
            agent.learn().unwrap();
        }
        for i in 0..200 {
            observe(&mut agent, i, 1.0);
            agent.learn().unwrap();
        }
        assert!(agent.network().precision() <= f64::from(30.0_f32).exp());
    }
}

#[test]
fn the_dataset_size_is_at_least_half_of_what_the_replay_holds() {
    let mut agent = agent_of_a_number(Dimension::new("x", "", -1.0, 1.0), &[]);
    let observe = |agent: &mut Agent| agent.observe(&[0.5], 0, &Step::new(vec![0.5], 1.0, false));
    (0..9).for_each(|_| drop(observe(&mut agent)));
    agent.end_episode(9).unwrap();
    assert_eq!(agent.dataset_size(), 9);
    // An episode that is long, after a short one: from 18 to 19, 38 to 39, and so on.
    for steps in 10..=300 {
        observe(&mut agent);
        assert!(2 * agent.dataset_size() >= steps, "{} at step {steps}", agent.dataset_size());
    }
    assert_eq!(agent.dataset_size(), 159);
}

#[test]
fn a_rule_that_holds_a_mask_has_one_also_where_no_episode_was_said_to_begin() {
    let settings = ["exploration.rule=thompson", "agent.learning_starts=0"];
    let mut agent = agent_of_a_number(Dimension::new("x", "", -1.0, 1.0), &settings);
    let action = agent.act(&[0.3]).unwrap();
    assert!((0..20).all(|_| agent.act(&[0.3]).unwrap() == action), "it is held");
}

#[test]
fn a_table_has_one_precision() {
    let settings = [r#"network.kind="table""#, "precision.heteroscedastic=true", "env=DeepSea-v0"];
    let spec = Registry::builtin().make("deep-sea").unwrap().spec().clone();
    let problem = Agent::new(&config(&settings), &spec, Device::Cpu).unwrap_err();
    assert!(
        matches!(&problem, Error::Usage(text) if text.contains("precision.heteroscedastic")),
        "{problem}"
    );
}
