use control_envs::Dimension;

use super::*;
use crate::concrete::Landscape;
use crate::network::Features;
use crate::randomness::{Stream, generator};

/// Features that leave an observation of these bounds as it is.
fn plain() -> Features {
    Features::new(&space(2, false), 0, 1.0, &mut generator(1, Stream::Initialisation), Device::Cpu).unwrap()
}

fn space(dimensions: usize, one_hot: bool) -> BoxSpace {
    let dimensions = (0..dimensions).map(|i| Dimension::new(i.to_string(), "", -1.0, 1.0)).collect();
    BoxSpace { dimensions, image: None, one_hot }
}

fn local(tilings: usize, is_table: bool) -> LocalDropout {
    let config = LocalConfig { tilings, prior: 0.5, ..LocalConfig::default() };
    LocalDropout::new(config, &space(2, is_table), 3, is_table, &mut generator(1, Stream::Places))
}

fn variance(local: &LocalDropout, observation: &[f32]) -> Vec<f32> {
    let mut out = Vec::new();
    local.variance(&local.input(observation), &plain().scaling(), &mut out);
    out
}

#[test]
fn where_nothing_was_seen_the_standard_deviation_is_the_prior() {
    for (tilings, is_table) in [(1, false), (16, false), (16, true)] {
        let local = local(tilings, is_table);
        assert!(variance(&local, &[0.3, 1.0]).iter().all(|v| (v - 0.25).abs() < 1e-6));
    }
}

#[test]
fn draws_have_mean_0_and_the_variance_in_closed_form() {
    let mut local = local(4, false);
    let observation = [0.1, -0.7];
    for _ in 0..3 {
        local.count(&observation, 1, &plain().scaling(), true);
    }
    (0..50).for_each(|_| local.learn(&observation, &[1], &plain().scaling(), |_| 10.0, None));
    let expected = variance(&local, &observation);
    assert!(expected[1] < 0.9 * expected[0]);
    let (mut sums, mut squares) = ([0.0; 3], [0.0; 3]);
    let features = plain();
    for seed in 0..200_000 {
        let mut q = [0.0; 3];
        local.sample(seed, &observation, &features.scaling(), &mut q);
        for action in 0..3 {
            sums[action] += f64::from(q[action]);
            squares[action] += f64::from(q[action] * q[action]);
        }
    }
    for action in 0..3 {
        let (mean, variance) = (sums[action] / 2e5, squares[action] / 2e5);
        assert!(mean.abs() < 5.0 * (variance / 2e5).sqrt(), "{mean}");
        assert!((variance / f64::from(expected[action]) - 1.0).abs() < 0.05, "{variance}, {expected:?}");
    }
}

#[test]
fn p_goes_to_the_minimum_of_its_own_landscape_and_back_where_all_is_forgotten() {
    let mut local = local(4, false);
    let (here, there) = ([0.1, -0.7], [-0.9, 0.9]);
    for (observation, visits) in [(here, 9), (there, 2)] {
        (0..visits).for_each(|_| local.count(&observation, 2, &plain().scaling(), true));
        (0..60).for_each(|_| local.learn(&observation, &[2], &plain().scaling(), |_| 40.0, None));
    }
    for (observation, visits) in [(here, 9.0), (there, 2.0)] {
        let landscape = Landscape {
            sensitivity: visits / 1000.0 * 0.25 / 4.0,
            precision: 40.0,
            squared_norm: 0.0,
            length_scale: 0.0,
            masks: 1.0,
            dataset_size: 1000.0,
        };
        let logits = local.logits();
        local.entries_of(&observation, &plain().scaling(), |first| {
            assert!((f64::from(logits[first + 2]) - landscape.minimum()).abs() < 1e-4);
            assert_eq!(logits[first], 0.0, "another action");
        });
    }
    (0..9).for_each(|_| local.count(&here, 2, &plain().scaling(), false));
    assert!((variance(&local, &here)[2] - 0.25).abs() < 1e-6);
}

#[test]
fn the_controls_count_and_hold() {
    let after = |p, visits: usize| {
        let config = LocalConfig { prior: 0.5, p, ..LocalConfig::default() };
        let mut local =
            LocalDropout::new(config, &space(2, true), 3, true, &mut generator(1, Stream::Places));
        let (features, input) = (plain(), [1.0]);
        (0..visits).for_each(|_| local.count(&input, 1, &features.scaling(), true));
        local.learn(&input, &[1], &features.scaling(), |_| 40.0, Some(&[0.0]));
        variance(&local, &[0.0, 1.0])[1]
    };
    for visits in [0, 1, 3, 24] {
        assert!((after(LocalP::Counted, visits) - 0.25 / (1.0 + visits as f32)).abs() < 1e-7);
        assert_eq!(after(LocalP::Held, visits), 0.25);
    }
    assert!(after(LocalP::Learned, 24) < after(LocalP::Learned, 3));
}

#[test]
fn values_of_a_table_by_hand() {
    let mut local = local(1, true);
    let observation = [0.0, 1.0];
    let input = local.input(&observation).into_owned();
    assert_eq!(input, [1.0]);
    local.count(&input, 0, &plain().scaling(), true);
    local.learn(&input, &[0], &plain().scaling(), |_| 1.0, Some(&[8.0]));
    local.follow(0.25);
    let of = |local: &LocalDropout, of_target| {
        let mut values = Vec::new();
        local.values(&input, &plain().scaling(), of_target, &mut values);
        values
    };
    assert_eq!((of(&local, false), of(&local, true)), (vec![4.0, 0.0, 0.0], vec![1.0, 0.0, 0.0]));
    local.rescale(0.5);
    assert_eq!((of(&local, false), of(&local, true)), (vec![2.0, 0.0, 0.0], vec![0.5, 0.0, 0.0]));
}
