//! Local dropout: a mask with a p of its own for every place of the observation space and every action.

mod config;

use std::borrow::Cow;

use control_envs::BoxSpace;
use tch::Device;

pub use config::{LocalConfig, LocalP};

use super::features::Scaling;
use super::parameters::{Fill, Initial, Parameter, Parameters};
use super::places::Places;
use crate::concrete::single_mask_minimum;
use crate::randomness::Generator;

/// What is added to the Q-values of an observation in places j:
///
/// ```text
/// sum over j of  w_ja (keep_ja / (1 - p_ja) - 1)     and, in a table,  + v_ja
/// ```
///
/// The weights w are +-`prior / sqrt(places)` and never learned, so the sum has mean 0 and, where no data were seen and p
/// is 1/2, the standard deviation `prior`. Only p is: to the minimum of the paper's objective for this one mask, given
/// the transitions in the replay that pass it ([`single_mask_minimum`]). The variance is known in closed form, `sum of w^2
/// e^logit`.
#[derive(Debug)]
pub struct LocalDropout {
    places: Places,
    actions: usize,
    /// w^2.
    squared_weight: f32,
    rate: f32,
    p: LocalP,
    /// Logits of p; of a table also values and those of the target network: `[places, actions]` each, on the CPU.
    parameters: Parameters,
    /// `e^logit` of every logit, since what is known is asked far more often than it changes.
    odds: Vec<f32>,
    is_table: bool,
    /// Transitions of the replay in each place, by action: `[places, actions]`.
    counts: Vec<u32>,
}

/// All that the landscape of a place and action depends on, beside tau.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlaceFigures {
    /// Its p.
    pub p: f64,
    /// n, the transitions of the replay in it.
    pub transitions: u64,
    /// w^2, in squared network units.
    pub squared_weight: f64,
}

impl LocalDropout {
    /// Local dropout for observations in `space`, p at 1/2 everywhere, the values of a table 0.
    pub fn new(
        config: LocalConfig,
        space: &BoxSpace,
        actions: usize,
        is_table: bool,
        generator: &mut Generator,
    ) -> Self {
        let places = Places::new(space, config.tilings.max(1), config.axes, config.cells, generator);
        let entries = places.count() * actions;
        let shape = vec![places.count() as i64, actions as i64];
        let zeros = |parameter| Initial { parameter, shape: shape.clone(), values: vec![0.0; entries] };
        let mut initial = vec![zeros(Parameter::LocalLogit)];
        if is_table {
            initial.extend([zeros(Parameter::LocalValue), zeros(Parameter::LocalTargetValue)]);
        }
        Self {
            squared_weight: (config.prior * config.prior / places.active() as f64) as f32,
            rate: config.rate as f32,
            p: config.p,
            parameters: Parameters::new(&initial, false, Device::Cpu),
            odds: vec![1.0; entries],
            counts: vec![0; entries],
            places,
            actions,
            is_table,
        }
    }

    /// Whether it holds the values too.
    pub fn is_table(&self) -> bool {
        self.is_table
    }

    /// Which places an observation is in.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// w^2, in squared network units.
    pub fn squared_weight(&self) -> f32 {
        self.squared_weight
    }

    /// How many places an observation is in.
    pub fn active(&self) -> usize {
        self.places.active()
    }

    /// What a network with it is given of an observation: of a table the number of the place, which is all that it
    /// needs of a one-hot observation, however long that is.
    pub fn input<'a>(&self, observation: &'a [f32]) -> Cow<'a, [f32]> {
        match self.is_table {
            true => Cow::Owned(vec![self.places.one_hot(observation) as f32]),
            false => Cow::Borrowed(observation),
        }
    }

    /// What is saved of it.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Lets `fill` write what is saved of it.
    ///
    /// # Errors
    /// The first that `fill` returns. Nothing is changed then.
    pub fn restore<E>(&mut self, fill: &mut Fill<'_, E>) -> Result<(), E> {
        self.parameters.restore("", fill)?;
        self.odds = self.logits().iter().map(|logit| logit.exp()).collect();
        Ok(())
    }

    fn entries(&self) -> usize {
        self.counts.len()
    }

    /// The mean of p over all places and actions.
    pub fn mean_p(&self) -> f64 {
        self.odds.iter().map(|&odds| f64::from(odds / (1.0 + odds))).sum::<f64>() / self.entries() as f64
    }

    /// p of an action at an input, the mean over its places.
    pub fn p(&self, input: &[f32], action: usize, scaling: &Scaling<'_>) -> f64 {
        let mut sum = 0.0;
        self.entries_of(input, scaling, |first| {
            let odds = f64::from(self.odds[first + action]);
            sum += odds / (1.0 + odds);
        });
        sum / self.active() as f64
    }

    /// The first place of an input, and an action.
    pub fn first_place(&self, input: &[f32], action: usize, scaling: &Scaling<'_>) -> PlaceFigures {
        let mut first = None;
        self.entries_of(input, scaling, |entry| first = first.or(Some(entry + action)));
        let entry = first.unwrap_or(action);
        let odds = f64::from(self.odds[entry]);
        PlaceFigures {
            p: odds / (1.0 + odds),
            transitions: self.counts[entry].into(),
            squared_weight: self.squared_weight.into(),
        }
    }

    /// Calls `visit` with the first entry of each place of an input.
    fn entries_of(&self, input: &[f32], scaling: &Scaling<'_>, mut visit: impl FnMut(usize)) {
        entries_of(&self.places, self.is_table, self.actions, input, scaling, &mut visit);
    }

    /// Adds what `of` has for each entry of an input, to `[rows, actions]` at the end of `out`.
    fn add_up(&self, inputs: &[f32], scaling: &Scaling<'_>, of: &[f32], out: &mut Vec<f32>) {
        for input in inputs.chunks_exact(self.input_size(scaling)) {
            let start = out.len();
            out.resize(start + self.actions, 0.0);
            self.entries_of(input, scaling, |first| {
                let of = &of[first..first + self.actions];
                out[start..].iter_mut().zip(of).for_each(|(sum, value)| *sum += value);
            });
        }
    }

    /// Numbers in an input.
    fn input_size(&self, scaling: &Scaling<'_>) -> usize {
        if self.is_table { 1 } else { scaling.dimensions() }
    }

    /// Appends the variance of Q that it makes at inputs `[rows, inputs]`: `[rows, actions]`, in squared network units.
    pub fn variance(&self, inputs: &[f32], scaling: &Scaling<'_>, out: &mut Vec<f32>) {
        let start = out.len();
        self.add_up(inputs, scaling, &self.odds, out);
        out[start..].iter_mut().for_each(|sum| *sum *= self.squared_weight);
    }

    /// Appends the values of a table at inputs `[rows, inputs]`: `[rows, actions]`, those that learn or those of the
    /// target network.
    pub fn values(&self, inputs: &[f32], scaling: &Scaling<'_>, of_target: bool, out: &mut Vec<f32>) {
        let values = &self.parameters.values()[self.entries()..];
        let of = if of_target { &values[self.entries()..] } else { values };
        self.add_up(inputs, scaling, of, out);
    }

    /// Adds a draw of the masks to the Q-values at an input. A seed stands for a draw of all masks at once, so that the same
    /// ones are met again wherever the seed is held.
    pub fn sample(&self, seed: u64, input: &[f32], scaling: &Scaling<'_>, q: &mut [f32]) {
        let weight = self.squared_weight.sqrt();
        let mut is_negative = false;
        self.entries_of(input, scaling, |first| {
            // Of both signs, so that the sum is as likely too high as too low.
            let signed = if is_negative { -weight } else { weight };
            is_negative = !is_negative;
            for (action, q) in q.iter_mut().enumerate() {
                let entry = first + action;
                let odds = self.odds[entry];
                // With probability 1/(1+odds) the mask keeps.
                let keeps = uniform(seed, entry) * (1.0 + odds) < 1.0;
                *q += signed * if keeps { odds } else { -1.0 };
            }
        });
    }

    /// Takes a transition of the replay in, or out. Where none is left, p is what it was before any.
    pub fn count(&mut self, input: &[f32], action: usize, scaling: &Scaling<'_>, is_added: bool) {
        let Self { places, is_table, actions, counts, parameters, odds, p, .. } = self;
        entries_of(places, *is_table, *actions, input, scaling, &mut |first| {
            let entry = first + action;
            counts[entry] = if is_added { counts[entry] + 1 } else { counts[entry].saturating_sub(1) };
            let logit = match (*p, counts[entry]) {
                (LocalP::Counted, count) => -(1.0 + count as f32).ln(),
                (_, 0) => 0.0,
                _ => return,
            };
            parameters.values_mut()[entry] = logit;
            odds[entry] = logit.exp();
        });
    }

    /// How many transitions of the replay are in each place, by action: `[places, actions]`.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Goes on from counts that were saved. `None`, and nothing is done, where they are of other places or actions.
    pub fn set_counts(&mut self, counts: Vec<u32>) -> Option<()> {
        (counts.len() == self.entries()).then(|| self.counts = counts)
    }

    /// Counts transitions, which are all that there are, `(input, action)`. Where there are none, p is what it was before
    /// any.
    pub fn count_all<'a>(
        &mut self,
        transitions: impl Iterator<Item = (&'a [f32], usize)>,
        scaling: &Scaling<'_>,
    ) {
        self.counts.fill(0);
        transitions.for_each(|(input, action)| self.count(input, action, scaling, true));
        let Self { counts, parameters, odds, .. } = self;
        let logits = parameters.values_mut();
        for (entry, _) in counts.iter().enumerate().filter(|(_, count)| **count == 0) {
            (logits[entry], odds[entry]) = (0.0, 1.0);
        }
    }

    /// Learns from transitions from `inputs` `[rows, inputs]` by `actions` `[rows]`, where the target of a row has the precision
    /// tau: p goes its share of the way to its minimum, and the value in a table its share of the way to its target, one of
    /// `targets` `[rows]`.
    pub fn learn(
        &mut self,
        inputs: &[f32],
        actions: &[i64],
        scaling: &Scaling<'_>,
        tau: impl Fn(usize) -> f64,
        targets: Option<&[f32]>,
    ) {
        let half_squared_weight = 0.5 * self.squared_weight;
        let inputs = inputs.chunks_exact(self.input_size(scaling));
        let Self { places, is_table, actions: stride, counts, parameters, odds, rate, p, .. } = self;
        let (logits, values) = parameters.values_mut().split_at_mut(counts.len());
        for (row, (input, &action)) in inputs.zip(actions).enumerate() {
            let pull = tau(row) as f32 * half_squared_weight;
            entries_of(places, *is_table, *stride, input, scaling, &mut |first| {
                let entry = first + action as usize;
                if *p == LocalP::Learned {
                    let minimum = single_mask_minimum(pull * counts[entry] as f32);
                    logits[entry] += *rate * (minimum - logits[entry]);
                    odds[entry] = logits[entry].exp();
                }
                if let (true, Some(targets)) = (*is_table, targets) {
                    values[entry] += *rate * (targets[row] - values[entry]);
                }
            });
        }
    }

    /// Multiplies the values of a table. What is not known is as large in network units as it was.
    pub fn rescale(&mut self, factor: f32) {
        let entries = self.entries();
        self.parameters.values_mut()[entries..].iter_mut().for_each(|value| *value *= factor);
    }

    /// The target network's values go a share of the way to those that learn.
    pub fn follow(&mut self, weight: f64) {
        if self.is_table {
            let entries = self.entries();
            let (values, targets) = self.parameters.values_mut()[entries..].split_at_mut(entries);
            for (target, value) in targets.iter_mut().zip(values) {
                *target += weight as f32 * (*value - *target);
            }
        }
    }

    /// The logits of p, `[places, actions]`.
    pub fn logits(&self) -> &[f32] {
        &self.parameters.values()[..self.entries()]
    }
}

/// Calls `visit` with the first entry of each place of an input.
fn entries_of(
    places: &Places,
    is_table: bool,
    actions: usize,
    input: &[f32],
    scaling: &Scaling<'_>,
    visit: &mut impl FnMut(usize),
) {
    if is_table {
        visit(input[0] as usize * actions);
    } else {
        places.of(input, |dimension| scaling.scaled(input, dimension), |place| visit(place * actions));
    }
}

/// A number from 0 to below 1, a function of both (splitmix64; Steele, Lea & Flood 2014).
fn uniform(seed: u64, entry: usize) -> f32 {
    let mut state = seed.wrapping_add((entry as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (((state ^ (state >> 31)) >> 40) as f32) / (1_u64 << 24) as f32
}

#[cfg(test)]
mod tests;
