//! Mistakes that implementations of Concrete Dropout are known to make, a test for each that fails where it is made.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use concrete_dqn::Error;
use concrete_dqn::agent::Agent;
use concrete_dqn::concrete::{ConcreteDropout, LogisticNoise, Regularizer, entropy, logit};
use concrete_dqn::config::{Config, ConfigLayer};
use concrete_dqn::engine::engine;
use concrete_dqn::network::PassNoise;
use concrete_dqn::randomness::{Stream, generator};
use concrete_dqn::rows::UpdateRecord;
use concrete_dqn::training::{Observer, TrainingProgress, train};
use control_envs::Registry;
use tch::{Device, Kind, Tensor};

/// p that stays where it starts, so that the objective's terms are known.
fn config(settings: &[&str]) -> Config {
    let mut layers = vec![
        ConfigLayer::parse(
            "test",
            "steps = 320\nnetwork = { hidden = [16], fourier_features = 0 }\nlogging.update_period = 1\n\
             agent = { learning_starts = 300, batch_size = 16 }\n\
             optimizer = { learning_rate = 1e-9, dropout_learning_rate = 1e-9 }\ndropout.initial_p = 0.3",
        )
        .unwrap(),
    ];
    layers.extend(settings.iter().map(|setting| ConfigLayer::assignment(setting).unwrap()));
    Config::resolve(&layers).unwrap()
}

#[derive(Default)]
struct Updates(Vec<UpdateRecord>);

impl Observer for Updates {
    fn on_update(&mut self, record: &UpdateRecord) -> Result<(), Error> {
        self.0.push(record.clone());
        Ok(())
    }
}

fn trained(config: &Config) -> (Agent, Vec<UpdateRecord>) {
    tch::set_num_threads(1);
    let mut env = Registry::builtin().make(&config.env).unwrap();
    let mut agent = Agent::new(config, env.spec(), Device::Cpu).unwrap();
    let mut updates = Updates::default();
    train(
        std::slice::from_mut(&mut env),
        &mut agent,
        &mut TrainingProgress::start(config.seed, 1),
        &mut updates,
    )
    .unwrap();
    (agent, updates.0)
}

#[test]
fn n_is_the_size_of_the_replay_and_never_of_the_batch() {
    for name in ["autograd", "fused"] {
        let (_, updates) = trained(&config(&[&format!("engine={name}")]));
        // -2/N sum of K H(p), over 4 inputs of the pole and 16 hidden units.
        let entropy = -(0.3_f64 * 0.3_f64.ln() + 0.7 * 0.7_f64.ln());
        for update in updates {
            let n = -2.0 * 20.0 * entropy / update.entropy_term;
            assert!(
                n > 250.0 && n <= update.total_steps as f64 + 0.01,
                "{name}: the objective counts {n} data"
            );
        }
    }
}

#[test]
fn no_logarithm_meets_a_zero() {
    // At these logits p or 1-p is 0 or 1 in f32, and ln p without an eps is infinite.
    for logit in [-120.0_f32, -40.0, -20.0, 20.0, 40.0, 80.0] {
        let leaf = Tensor::from_slice(&[logit]).set_requires_grad(true);
        let dropout = ConcreteDropout::from_logit(leaf.shallow_clone(), 0.1);
        let noise = LogisticNoise::new(generator(1, Stream::Noise)).sample(&[256, 8], Device::Cpu);
        assert_eq!(noise.isfinite().all().int64_value(&[]), 1);
        let loss = dropout.keep_mask(&noise).sum(Kind::Float) + entropy(&leaf).sum(Kind::Float);
        loss.backward();
        for number in [loss.double_value(&[]), leaf.grad().double_value(&[0])] {
            assert!(number.is_finite(), "{number} at logit {logit}");
        }
        assert!(entropy(&leaf).double_value(&[0]) >= 0.0);
    }
}

#[test]
fn the_weight_term_knows_p() {
    // Without the 1/(1-p) it is the same at every p and p's gradient lacks it.
    let regularizer = Regularizer { length_scale: 1.0, precision: 1.0, dataset_size: 10.0 };
    let norm = Tensor::from(5.0_f64);
    let leaf = Tensor::from_slice(&[logit(0.75)]).set_requires_grad(true);
    let term = regularizer.weight_term(&norm, &leaf);
    // 5 / 10 / (1 - 0.75), and d/dlogit 1/(1-p) = p/(1-p).
    assert!((term.double_value(&[0]) - 2.0).abs() < 1e-12);
    term.sum(Kind::Double).backward();
    assert!((leaf.grad().double_value(&[0]) - 0.5 * 3.0).abs() < 1e-12);

    // The agent's objective has it too: at p = 0.9 the term is seven times that at p = 0.3 with the same weights.
    for name in ["autograd", "fused"] {
        let engine = format!("engine={name}");
        let term = |p: &str| trained(&config(&[&engine, p])).1[0].weight_term;
        let ratio = term("dropout.initial_p=0.9") / term("dropout.initial_p=0.3");
        assert!((ratio - 7.0).abs() < 1e-3, "{name}: {ratio}");
    }
}

#[test]
fn where_passes_are_meant_there_are_passes() {
    for name in ["autograd", "fused"] {
        let config = config(&[&format!("engine={name}")]);
        let (agent, updates) = trained(&config);
        // What is learned from and measured is noisy, or there would be no spread at all.
        assert!(updates.iter().all(|update| update.epistemic_std > 0.0));
        let network = agent.network();
        let mut engine = engine(&config, network).unwrap();
        let mut noise = PassNoise::default();
        noise.draw(&mut LogisticNoise::new(generator(3, Stream::Noise)), network.masks(), 10, 1);
        let observation = [0.5, 0.1, 0.05, -0.2];
        let prediction = engine.predict(network, &observation, Some(&noise));
        let samples = prediction.row(0);
        assert_eq!((prediction.passes, samples.passes()), (10, 10));
        assert!((0..2).all(|action| samples.std(action) > 0.0));
    }
    // Fewer passes than a standard deviation needs are refused.
    for key in ["exploration.passes", "agent.target_passes", "evaluation.passes"] {
        let one = Config::resolve(&[ConfigLayer::assignment(&format!("{key}=1")).unwrap()]);
        assert!(one.unwrap_err().to_string().contains(key), "{key} = 1 is taken");
    }
}
