//! One training, and what is observed of its exploration.

use concrete_dqn::agent::Agent;
use concrete_dqn::concrete::LogisticNoise;
use concrete_dqn::engine::{Engine, engine};
use concrete_dqn::network::PassNoise;
use concrete_dqn::randomness::{Stream, generator};
use concrete_dqn::rows::EpisodeRecord;
use concrete_dqn::training::Observer;
use concrete_dqn::units::NetworkUnits;
use concrete_dqn::{Config, Error, Session};
use control_envs::MountainCar;

use crate::grid::{Grid, SIDE, State};
use crate::traced::{Trace, Traced};

/// What a training did to explore.
pub struct Study {
    /// What is compared, by name.
    pub agent: &'static str,
    pub seed: u64,
    /// The step that first led to the goal.
    pub goal: Option<u64>,
    /// The states that its steps led to.
    pub states: Vec<State>,
    pub decisions: Vec<Decisions>,
    pub checkpoints: Vec<Checkpoint>,
}

/// The decisions of an episode.
pub struct Decisions {
    /// N while they were made.
    pub dataset_size: u64,
    pub count: u64,
    /// The share of them that was not greedy.
    pub exploratory_share: f64,
}

/// What the network did not know at a time.
pub struct Checkpoint {
    /// Environment steps so far.
    pub step: u64,
    /// Epistemic variance of the greedy action in the middle of each cell, in squared units of the return.
    pub variance: Vec<f64>,
}

/// How often the passes of an evaluation are made at a checkpoint. Many, since at a p of 1e-5 hardly any pass
/// drops anything; not all at once, since they would not fit into a cache.
const ROUNDS: usize = 10;

impl Study {
    /// Trains with this config and watches.
    ///
    /// # Errors
    /// Those of the training.
    pub fn run(agent: &'static str, config: &Config, grid: &Grid) -> Result<Self, Error> {
        let trace = Trace::default();
        let left = trace.clone();
        let env = move || Traced::new(MountainCar::new(), left.clone());
        let mut session = Session::new(env, config.clone())?;
        let mut watch = Watch {
            config,
            middles: grid.middles(),
            engine: engine(config, session.agent().network())?,
            noise: PassNoise::default(),
            // No evaluation takes place, so its noise is free; the training's own must not be touched.
            source: LogisticNoise::new(generator(config.seed, Stream::EvaluationNoise)),
            due: checkpoints(config.agent.learning_starts, config.steps),
            dataset_size: None,
            goal: None,
            decisions: Vec::new(),
            checkpoints: Vec::new(),
        };
        session.train(&mut watch)?;
        Ok(Self {
            agent,
            seed: config.seed,
            goal: watch.goal,
            decisions: watch.decisions,
            checkpoints: watch.checkpoints,
            states: trace.take(),
        })
    }

    /// Number of the step, from 1, that first led to each cell.
    pub fn first_visits(&self, grid: &Grid) -> Vec<Option<u64>> {
        let mut first = vec![None; SIDE * SIDE];
        for (state, step) in self.states.iter().zip(1..) {
            first[grid.cell(*state)].get_or_insert(step);
        }
        first
    }
}

/// Steps at which to look at the network: twenty to a factor of ten, since most happens early.
fn checkpoints(first: u64, last: u64) -> Vec<u64> {
    let steps =
        (0..).map(|index| (first.max(1) as f64 * 10_f64.powf(f64::from(index) / 20.0)).round() as u64);
    steps.take_while(|step| *step <= last).collect()
}

struct Watch<'a> {
    config: &'a Config,
    middles: Vec<f32>,
    engine: Box<dyn Engine>,
    noise: PassNoise,
    source: LogisticNoise,
    due: Vec<u64>,
    /// N as of the last episode's end.
    dataset_size: Option<u64>,
    goal: Option<u64>,
    decisions: Vec<Decisions>,
    checkpoints: Vec<Checkpoint>,
}

impl Observer for Watch<'_> {
    fn on_step(&mut self, agent: &Agent) {
        if self.due.binary_search(&agent.steps()).is_err() {
            return;
        }
        let (network, cells) = (agent.network(), SIDE * SIDE);
        let in_units = |std| network.value_scale().to_return(NetworkUnits(std)).0;
        let mut variance = vec![0.0; cells];
        for _ in 0..ROUNDS {
            self.noise.draw(&mut self.source, network.masks(), self.config.evaluation.passes, cells);
            let prediction = self.engine.predict(network, &self.middles, Some(&self.noise));
            for (cell, variance) in variance.iter_mut().enumerate() {
                let samples = prediction.row(cell);
                *variance += in_units(samples.std(samples.greedy_action())).powi(2) / ROUNDS as f64;
            }
        }
        self.checkpoints.push(Checkpoint { step: agent.steps(), variance });
    }

    fn on_episode(&mut self, record: &EpisodeRecord, _agent: &Agent) -> Result<(), Error> {
        self.goal = self.goal.or(record.terminated.then_some(record.total_steps));
        let before = self.dataset_size.replace(record.dataset_size);
        if let Some(exploratory_share) = record.exploratory_share {
            self.decisions.push(Decisions {
                dataset_size: before.unwrap_or(record.dataset_size),
                count: record.episode_length,
                exploratory_share,
            });
        }
        Ok(())
    }
}
