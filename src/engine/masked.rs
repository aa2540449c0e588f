//! Targets where not every action is valid, by hand and on both engines.

use control_envs::{Dimension, EnvSpec};
use tch::Device;

use super::{Autograd, Fused, Learner, LearnerSections, LearnerSettings, LearnerStep};
use crate::concrete::{LogisticNoise, Regularizer};
use crate::config::Config;
use crate::network::{Parameter, Slot};
use crate::randomness::{Stream, generator};
use crate::replay::Batch;
use crate::td::Targets;
use crate::units::NetworkUnits;

/// Networks whose Q is 1, 5 and 2 wherever they are asked.
fn learner(sections: &LearnerSections) -> Learner {
    let dimensions = ["x", "y"].map(|name| Dimension::new(name, "", -1.0, 1.0));
    let spec = EnvSpec::new("Test-v0", dimensions, ["a", "b", "c"]);
    let mut learner = Learner::new(sections.clone(), &spec, Device::Cpu).unwrap();
    for network in [&mut learner.online, &mut learner.target] {
        for Slot { parameter, range, .. } in network.parameters().slots().to_vec() {
            let values = &mut network.parameters_mut().values_mut()[range];
            match parameter {
                Parameter::Weight(1) => values.fill(0.0),
                Parameter::Bias(1) => values.copy_from_slice(&[1.0, 5.0, 2.0]),
                _ => {}
            }
        }
    }
    learner
}

#[test]
fn targets_of_actions_that_are_not_valid_by_hand() {
    let mut sections = LearnerSections::from(&Config::default());
    (sections.network.hidden, sections.network.biases) = (vec![8], true);
    (sections.local.tilings, sections.targets) = (0, Targets::DoubleQ);
    let learner = learner(&sections);
    let settings = LearnerSettings::from(&sections);
    let step = LearnerStep {
        regularizer: Regularizer { length_scale: 0.1, precision: 1.0, dataset_size: 100.0 },
        schedule: 1.0,
        target_bounds: None,
        updates_target: true,
    };
    let noise = || LogisticNoise::new(generator(1, Stream::Noise));
    let mask = [true, false, true, true, false, false, true, true, true, false, false, false];
    // Targets with the mask 1 + 2, 0.5 x 1, 5 and 7, where Q is 1, 1, 5 and 2: errors of 2, 0.5, 0, 5. Without it 1 + 5,
    // 0.5 x 5, 5 and 7: errors of 5, 1.5, 0, 5.
    for (next_valid, expected) in [(&mask[..], 7.5 / 4.0), (&[], 11.5 / 4.0)] {
        let batch = Batch {
            observations: vec![0.0; 8],
            actions: vec![0, 0, 1, 2],
            rewards: vec![1.0, 0.0, 0.0, 7.0],
            discounts: vec![1.0, 0.5, 1.0, 0.0],
            next_observations: vec![0.0; 8],
            next_valid: next_valid.to_vec(),
        };
        let (_, by_autograd) = Autograd::new(settings).gradient(&learner, &batch, &step, &mut noise());
        let mut fused = Fused::new(settings, &learner.online).unwrap();
        let by_fused = fused.write_gradient(&learner, &batch, &step, &mut noise());
        for statistics in [by_autograd, by_fused] {
            let NetworkUnits(error) = statistics.absolute_error;
            assert!((error - expected).abs() < 1e-6, "{error}, and by hand {expected}");
        }
    }
}
