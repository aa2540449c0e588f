//! How the agent acts: in one environment, or in several at once.

use rand::RngExt;

use super::Agent;
use crate::error::Error;
use crate::exploration::{DecisionContext, Passes, QSamples};

/// A decision that is to be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision<'a> {
    /// The environment, from 0 on.
    pub environment: usize,
    /// Its observation.
    pub observation: &'a [f32],
    /// Which of its actions are valid; `None` where all are.
    pub valid: Option<&'a [bool]>,
}

impl Agent {
    /// Starts an episode in an environment: a rule that holds a mask gets a new one.
    pub fn begin_episode(&mut self, environment: usize) {
        self.returns.begin_episode(environment);
        let episode = &mut self.episodes[environment];
        (episode.decisions, episode.exploratory) = (0, 0);
        if self.rule.passes() == Passes::Held {
            self.hold_mask(environment);
        }
    }

    fn hold_mask(&mut self, environment: usize) {
        let (episode, online) = (&mut self.episodes[environment], &self.learner.online);
        episode.hold_mask(&mut self.streams.exploration_noise, online.masks());
        if online.local().is_some() {
            episode.local_draw = self.streams.exploration.random();
        }
    }

    /// The action to try at `observation`, where there is one environment: uniformly random before learning starts, then the
    /// exploration rule's.
    ///
    /// # Errors
    /// Where a Q-value is not finite.
    pub fn act(&mut self, observation: &[f32]) -> Result<usize, Error> {
        let mut chosen = 0;
        self.act_each(&[Decision { environment: 0, observation, valid: None }], |_, action| chosen = action)?;
        Ok(chosen)
    }

    /// The same for several decisions, at most one an environment, in one batch. Hands every environment and its action
    /// over.
    ///
    /// # Errors
    /// As for [`act`](Self::act).
    pub fn act_each(
        &mut self,
        decisions: &[Decision<'_>],
        mut take: impl FnMut(usize, usize),
    ) -> Result<(), Error> {
        if self.counters.steps < self.config.agent.learning_starts {
            for decision in decisions {
                take(decision.environment, self.random_action(decision.valid));
            }
            return Ok(());
        }
        self.anneal();
        if self.rule.passes() == Passes::Held {
            for decision in decisions {
                // Its episode began under another rule, or was not said to begin.
                if self.episodes[decision.environment].held_from.is_none() {
                    self.hold_mask(decision.environment);
                }
            }
        }
        let online = &self.learner.online;
        self.inputs.clear();
        decisions
            .iter()
            .for_each(|decision| self.inputs.extend_from_slice(&online.input(decision.observation)));
        let progress = self.schedules.progress(self.counters.steps);
        let passes = self.rule.passes();
        let noise = match passes {
            Passes::Fresh(passes) => {
                self.noise.draw(&mut self.streams.exploration_noise, online.masks(), passes, decisions.len());
                Some(&self.noise)
            }
            Passes::Held => {
                let held = |decision: &Decision<'_>| &self.episodes[decision.environment].held;
                self.noise.stack(decisions.iter().map(held));
                Some(&self.noise)
            }
            Passes::Mean => None,
        };
        let prediction = self.engine.predict(online, &self.inputs, noise);
        if !prediction.is_finite() {
            return Err(self.not_finite("a Q-value"));
        }
        for (row, decision) in decisions.iter().enumerate() {
            let episode = &mut self.episodes[decision.environment];
            let samples = prediction.row(row).among(decision.valid);
            let greedy = samples.greedy_action();
            let noise_variance = prediction.aleatoric_std(row, greedy).powi(2);
            let context = DecisionContext { progress, noise_variance };
            let exploration = &mut self.streams.exploration;
            let (action, greedy) = match passes {
                // One network of many, so one draw of the local masks too.
                Passes::Held | Passes::Fresh(1) if online.local().is_some() => {
                    if passes != Passes::Held {
                        episode.local_draw = exploration.random();
                    }
                    let mut drawn: Vec<f32> =
                        (0..samples.actions()).map(|action| samples.mean(action) as f32).collect();
                    let input = &self.inputs[row * online.inputs()..][..online.inputs()];
                    online.sample_local(episode.local_draw, input, &mut drawn);
                    let drawn = QSamples::new(&drawn, samples.actions()).among(decision.valid);
                    (self.rule.choose(&drawn, context, exploration), drawn.greedy_action())
                }
                _ => (self.rule.choose(&samples, context, exploration), greedy),
            };
            episode.decisions += 1;
            episode.exploratory += u64::from(action != greedy);
            take(decision.environment, action);
        }
        Ok(())
    }

    fn random_action(&mut self, valid: Option<&[bool]>) -> usize {
        let mut actions =
            (0..self.network().actions()).filter(|&action| valid.is_none_or(|valid| valid[action]));
        let chosen = self.streams.exploration.random_range(0..actions.clone().count().max(1));
        actions.nth(chosen).unwrap_or(0)
    }

    /// The share of the rule's decisions, in the episode of the environment that was observed last, that were not the
    /// greedy action of the same samples. `None` before its first one: the random actions before learning starts are not
    /// the rule's.
    pub fn exploratory_share(&self) -> Option<f64> {
        let environments = self.episodes.len();
        self.episodes[(self.turn() + environments - 1) % environments].exploratory_share()
    }
}
