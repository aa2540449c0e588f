//! How networks are trained.

use concrete_dqn::Error;
use concrete_dqn::concrete::LogisticNoise;
use concrete_dqn::randomness::{Generator, Stream, generator};
use rand::RngExt;
use tch::nn::{self, OptimizerConfig};
use tch::{Kind, TchError, Tensor};

use crate::networks::{DROPOUT, Networks, numbers};
use crate::problem::Data;

/// How long, and how fast.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    pub steps: usize,
    /// Data in a batch.
    pub batch: usize,
    /// Learning rate of weights and biases at the start.
    pub learning_rate: f64,
    /// Learning rate of p logits, ln tau and ln t at the start.
    pub dropout_learning_rate: f64,
    /// What is left of the learning rates at the end; they fall linearly.
    pub final_fraction: f64,
    pub order: Order,
}

/// Which data make a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Drawn at random, with replacement.
    Random,
    /// One after the other, the last batch of an epoch what is left, as in the authors' notebook.
    Epochs,
}

/// An optimiser and where the noise comes from; both continue from one training to the next.
pub struct Trainer {
    optimizer: nn::Optimizer,
    noise: LogisticNoise,
    random: Generator,
}

impl Trainer {
    /// Adam over all variables of `networks`, noise and batches from `seed`.
    ///
    /// # Errors
    /// Where libtorch can't make the optimiser.
    pub fn new(networks: &Networks, seed: u64) -> Result<Self, TchError> {
        Ok(Self {
            optimizer: nn::Adam::default().build(networks.store(), 0.0)?,
            noise: LogisticNoise::new(generator(seed, Stream::Noise)),
            random: generator(seed, Stream::Replay),
        })
    }

    /// Trains every network on its own data.
    pub fn train(&mut self, networks: &mut Networks, data: &[Data], schedule: &Schedule) {
        self.train_with(networks, data, schedule, |_, _| {});
    }

    /// The same, with something done to the networks before each step, given the share of the training that is over.
    pub fn train_with(
        &mut self,
        networks: &mut Networks,
        data: &[Data],
        schedule: &Schedule,
        before: impl Fn(&mut Networks, f64),
    ) {
        let mut places = vec![0; data.len()];
        for step in 0..schedule.steps {
            let progress = step as f64 / schedule.steps as f64;
            before(networks, progress);
            let rate = 1.0 + progress * (schedule.final_fraction - 1.0);
            self.optimizer.set_lr_group(0, schedule.learning_rate * rate);
            self.optimizer.set_lr_group(DROPOUT, schedule.dropout_learning_rate * rate);
            let (x, y) = self.batch(data, schedule, &mut places);
            let loss = networks.loss(&x, &y, &mut self.noise);
            self.optimizer.backward_step(&loss.sum(Kind::Float));
        }
    }

    /// The objective of each network on its own data, over many noisy passes.
    pub fn objective(&mut self, networks: &Networks, data: &[Data]) -> Vec<f64> {
        const PASSES: usize = 100;
        let schedule = Schedule {
            steps: 0,
            batch: 200,
            learning_rate: 0.0,
            dropout_learning_rate: 0.0,
            final_fraction: 1.0,
            order: Order::Random,
        };
        let mut sums = vec![0.0; data.len()];
        for _ in 0..PASSES {
            let (x, y) = self.batch(data, &schedule, &mut vec![0; data.len()]);
            let loss = tch::no_grad(|| networks.loss(&x, &y, &mut self.noise));
            sums.iter_mut().zip(numbers(&loss)).for_each(|(sum, loss)| *sum += loss / PASSES as f64);
        }
        sums
    }

    /// A batch of each network's data, `[networks, rows, 1]` each. Where batches go through the data in order, all
    /// networks have as many.
    fn batch(&mut self, data: &[Data], schedule: &Schedule, places: &mut [usize]) -> (Tensor, Tensor) {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for (data, place) in data.iter().zip(places) {
            match schedule.order {
                Order::Random => {
                    for _ in 0..schedule.batch {
                        let index = self.random.random_range(0..data.x.len());
                        x.push(data.x[index]);
                        y.push(data.y[index]);
                    }
                }
                Order::Epochs => {
                    let end = (*place + schedule.batch).min(data.x.len());
                    x.extend(&data.x[*place..end]);
                    y.extend(&data.y[*place..end]);
                    *place = end % data.x.len();
                }
            }
        }
        let batch = |values: &[f32]| Tensor::from_slice(values).view([data.len() as i64, -1, 1]);
        (batch(&x), batch(&y))
    }
}

/// An error of libtorch as one of ours.
pub fn failed(error: TchError) -> Error {
    Error::Panicked(error.to_string())
}
