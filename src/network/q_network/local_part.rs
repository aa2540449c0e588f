//! What a network passes on to its local dropout, if it has one.

use std::borrow::Cow;

use super::QNetwork;
use crate::network::local::{LocalDropout, PlaceFigures};

impl QNetwork {
    /// Gives it local dropout.
    pub fn attach(&mut self, local: LocalDropout) {
        self.local = Some(local);
    }

    /// Its local dropout.
    pub fn local(&self) -> Option<&LocalDropout> {
        self.local.as_ref()
    }

    /// Whether it has no layers but a table.
    pub fn is_table(&self) -> bool {
        self.local.as_ref().is_some_and(LocalDropout::is_table)
    }

    /// What the network is given of an observation: the observation, or, of a table, the number of its place.
    pub fn input<'a>(&self, observation: &'a [f32]) -> Cow<'a, [f32]> {
        self.local.as_ref().map_or(Cow::Borrowed(observation), |local| local.input(observation))
    }

    /// Numbers in an [`input`](Self::input).
    pub fn inputs(&self) -> usize {
        if self.is_table() { 1 } else { self.dimensions() }
    }

    /// Writes the variance that local dropout makes at inputs `[rows, inputs]`: `[rows, actions]`, in squared network
    /// units, or nothing where there is none.
    pub fn write_local_variance(&self, inputs: &[f32], out: &mut Vec<f32>) {
        out.clear();
        if let Some(local) = &self.local {
            local.variance(inputs, &self.features.scaling(), out);
        }
    }

    /// Writes the values of a table at inputs `[rows, inputs]`: `[rows, actions]`, those that learn or those of the target
    /// network.
    pub fn write_table(&self, inputs: &[f32], of_target: bool, out: &mut Vec<f32>) {
        out.clear();
        if let Some(local) = &self.local {
            local.values(inputs, &self.features.scaling(), of_target, out);
        }
    }

    /// Adds a draw of the masks of local dropout to the Q-values at an input. The same seed is the same draw.
    pub fn sample_local(&self, seed: u64, input: &[f32], q: &mut [f32]) {
        if let Some(local) = &self.local {
            local.sample(seed, input, &self.features.scaling(), q);
        }
    }

    /// Local p of an action at an observation, the mean over its places, if there is local dropout.
    pub fn local_p(&self, observation: &[f32], action: usize) -> Option<f64> {
        let local = self.local.as_ref()?;
        Some(local.p(&local.input(observation), action, &self.features.scaling()))
    }

    /// The first place of an observation, and an action, if there is local dropout.
    pub fn local_place(&self, observation: &[f32], action: usize) -> Option<PlaceFigures> {
        let local = self.local.as_ref()?;
        Some(local.first_place(&local.input(observation), action, &self.features.scaling()))
    }

    /// Takes a transition of the replay into local dropout's counts, or out of them.
    pub fn count_local(&mut self, input: &[f32], action: usize, is_added: bool) {
        let Self { local, features, .. } = self;
        if let Some(local) = local {
            local.count(input, action, &features.scaling(), is_added);
        }
    }

    /// Makes these transitions, `(input, action)`, all that local dropout counts.
    pub fn count_all_local<'a>(&mut self, transitions: impl Iterator<Item = (&'a [f32], usize)>) {
        let Self { local, features, .. } = self;
        if let Some(local) = local {
            local.count_all(transitions, &features.scaling());
        }
    }

    /// Goes on from local dropout's counts that were saved. `None`, and nothing is done, where they are not of this network.
    pub fn set_local_counts(&mut self, counts: Vec<u32>) -> Option<()> {
        self.local.as_mut()?.set_counts(counts)
    }

    /// Local dropout learns from a batch of inputs `[rows, inputs]` and actions `[rows]`, whose targets have the precision
    /// tau of their row. `targets` `[rows]` are those of the values of a table.
    pub fn learn_local(
        &mut self,
        inputs: &[f32],
        actions: &[i64],
        tau: impl Fn(usize) -> f64,
        targets: Option<&[f32]>,
    ) {
        let Self { local, features, .. } = self;
        if let Some(local) = local {
            local.learn(inputs, actions, &features.scaling(), tau, targets);
        }
    }

    /// The target values of a table go a share of the way to those that learn.
    pub fn follow_local(&mut self, weight: f64) {
        self.local.iter_mut().for_each(|local| local.follow(weight));
    }
}
