//! Tests of the network.

use control_envs::{Dimension, EnvSpec};

use super::*;
use crate::concrete::{ConcreteDropout, InitialDropout, LogisticNoise, logit};
use crate::randomness::{Stream, generator};

fn network(biases: bool, fourier_features: usize, p: f64) -> QNetwork {
    let dimensions = [Dimension::new("x", "m", -2.0, 2.0), Dimension::new("v", "m/s", 0.0, 10.0)];
    let spec = EnvSpec::new("Test-v0", dimensions, ["a", "b", "c"]);
    let config = NetworkConfig { hidden: vec![5, 4], biases, fourier_features, ..NetworkConfig::default() };
    let start = InitialUncertainty {
        dropout: InitialDropout { p, ..InitialDropout::default() },
        precision: 10.0,
        heteroscedastic: false,
    };
    QNetwork::pair(&config, start, &spec, &mut generator(1, Stream::Initialisation), Device::Cpu).unwrap().0
}

fn observations() -> Tensor {
    Tensor::from_slice(&[0.5_f32, 2.0, -1.0, 9.0, 1.5, 5.0]).view([3, 2])
}

fn draw(network: &QNetwork, passes: usize, rows: usize) -> PassNoise {
    let mut noise = PassNoise::default();
    noise.draw(&mut LogisticNoise::new(generator(2, Stream::Noise)), network.masks(), passes, rows);
    noise
}

#[test]
fn names_shapes_and_order_of_the_flat_tensor() {
    let network = network(true, 3, 0.1);
    let slots = network.parameters().slots().iter();
    let named: Vec<_> = slots.map(|slot| (slot.parameter.to_string(), slot.shape.clone())).collect();
    let expected = [
        ("layers.0.weight", vec![5, 8]),
        ("layers.0.bias", vec![5]),
        ("layers.1.weight", vec![4, 5]),
        ("layers.1.bias", vec![4]),
        ("layers.2.weight", vec![3, 4]),
        ("layers.2.bias", vec![3]),
        ("layers.0.p_logit", vec![1]),
        ("layers.1.p_logit", vec![1]),
        ("layers.2.p_logit", vec![1]),
        ("log_precision", vec![1]),
    ];
    assert_eq!(named, expected.map(|(name, shape)| (name.to_owned(), shape)));
    assert_eq!(network.parameters().count(), 8 * 5 + 5 * 4 + 4 * 3 + 12 + 4);
    assert!((network.precision() - 10.0).abs() < 1e-5);
    assert!(network.mean_p().iter().all(|p| (p - 0.1).abs() < 1e-6));
}

#[test]
fn an_update_of_the_flat_tensor_is_seen_by_every_layer() {
    let mut network = network(true, 0, 0.1);
    let before = network.mean(&observations());
    let _ = tch::no_grad(|| network.parameters_mut().flat_mut().tensor_mut().g_add_scalar_(0.1));
    assert!(!network.mean(&observations()).allclose(&before, 1e-3, 1e-3, false));
    assert!((network.log_precision.double_value(&[0]) - (10.0_f64.ln() + 0.1)).abs() < 1e-5);
}

#[test]
fn without_dropout_a_noisy_pass_is_the_mean_pass() {
    let network = network(true, 3, 1e-6);
    let noise = draw(&network, 1, 3);
    assert!(network.sample(&observations(), &noise).squeeze_dim(0).allclose(
        &network.mean(&observations()),
        1e-4,
        1e-5,
        false
    ));
}

#[test]
fn passes_in_one_batch_equal_passes_one_by_one() {
    let network = network(false, 3, 0.4);
    let noise = draw(&network, 4, 3);
    let together = network.sample(&observations(), &noise);
    assert_eq!(together.size(), [4, 3, 3]);
    for pass in 0..4 {
        let one = network.sample(&observations(), &noise.pass(pass as usize));
        assert!(one.get(0).allclose(&together.get(pass), 1e-5, 1e-6, false));
    }
    assert!(
        together.std_dim(0, true, false).min().double_value(&[]) > 0.0,
        "every pass has a mask of its own"
    );
}

#[test]
fn a_held_mask_is_the_same_for_every_row() {
    let network = network(false, 0, 0.4);
    let held = draw(&network, 1, 1);
    let same = Tensor::from_slice(&[0.5_f32, 2.0]).repeat([6, 1]);
    let q = network.sample(&same, &held);
    assert!(q.std_dim(1, true, false).max().double_value(&[]) < 1e-6);
}

#[test]
fn the_flat_gradient_agrees_with_finite_differences() {
    let mut network = network(true, 2, 0.3);
    let noise = draw(&network, 1, 3);
    let regularizer = Regularizer { length_scale: 0.5, precision: 1.0, dataset_size: 20.0 };
    let loss = |network: &QNetwork| {
        let (weight, entropy) = network.regularization(&regularizer);
        let data = network.sample(&observations(), &noise).square().mean(Kind::Float);
        data * network.log_precision.exp() + weight + entropy - &network.log_precision
    };
    let gradient = network.parameters().gradient(&loss(&network).sum(Kind::Float));
    // Along random directions, since a single f32 coordinate drowns in rounding.
    let mut directions = LogisticNoise::new(generator(3, Stream::Noise));
    for _ in 0..5 {
        let direction = directions.sample(&[network.parameters().count() as i64], Device::Cpu);
        let mut at = |offset: f64| {
            tch::no_grad(|| {
                let _ = network.parameters_mut().flat_mut().tensor_mut().g_add_(&(&direction * offset));
                let value = loss(&network).double_value(&[0]);
                let _ = network.parameters_mut().flat_mut().tensor_mut().g_sub_(&(&direction * offset));
                value
            })
        };
        let numeric = (at(1e-3) - at(-1e-3)) / 2e-3;
        let analytic = (&gradient * &direction).sum(Kind::Float).double_value(&[]);
        assert!((numeric - analytic).abs() < 0.02 * (1.0 + analytic.abs()), "{analytic} against {numeric}");
    }
}

#[test]
fn the_sensitivity_is_the_variance_that_a_layers_noise_alone_makes() {
    let network = network(true, 2, 0.3);
    let observations = observations();
    let mean = network.mean(&observations);
    let greedy = mean.argmax(1, true);
    let mut noise = LogisticNoise::new(generator(9, Stream::Noise));
    let (p, draws) = (0.05, 20_000);
    for (noisy, sensitivity) in network.sensitivity(&observations).into_iter().flatten().enumerate() {
        let dropout = ConcreteDropout::from_logit(Tensor::from_slice(&[logit(p) as f32]), 0.0);
        let tiled = observations.repeat([draws, 1]);
        let q = network.through_layers(&tiled, |index, layer, x| {
            if index == noisy {
                layer.forward_mean(&dropout.apply(x, &noise.sample(&x.size(), Device::Cpu)))
            } else {
                layer.forward_mean(x)
            }
        });
        let q = q.gather(1, &greedy.repeat([draws, 1]), false).view([draws, 3]);
        let variance = q.var_dim(0, true, false).mean(Kind::Float).double_value(&[]) * (1.0 - p) / p;
        // The last layer is linear in its input; 12,000 drops leave an error of 2%. Before it, units that a drop switches on
        // or off are beyond the first order.
        let within = if noisy == 2 { 1.1 } else { 2.0 };
        let ratio = variance / sensitivity;
        assert!(ratio < within && ratio > 1.0 / within, "layer {noisy}: {variance} against {sensitivity}");
    }
}

#[test]
fn the_network_is_regularised_as_its_layers_are() {
    let network = network(true, 2, 0.3);
    let regularizer = Regularizer { length_scale: 0.5, precision: 1.0, dataset_size: 20.0 };
    let (weight, entropy) = network.regularization(&regularizer);
    let layers: Tensor = network.layers().iter().map(|layer| layer.regularization(&regularizer)).sum();
    assert!((weight + entropy).allclose(&layers.squeeze(), 1e-5, 1e-7, false));
}

#[test]
fn lerp_moves_the_target_a_share_of_the_way() {
    let (online, mut target) = (network(true, 0, 0.3), network(true, 0, 0.1));
    let flat = |network: &QNetwork| Tensor::from_slice(network.parameters().values());
    let expected = flat(&target) * 0.75 + flat(&online) * 0.25;
    tch::no_grad(|| target.parameters_mut().lerp(online.parameters(), 0.25));
    assert!(flat(&target).allclose(&expected, 1e-6, 1e-6, false));
    tch::no_grad(|| target.parameters_mut().lerp(online.parameters(), 1.0));
    assert!(flat(&target).equal(&flat(&online)));
}

#[test]
fn fixed_features_by_hand() {
    // The space's centre and half-width map x = 0.5 to 0.25 and v = 2 to -0.6; without Fourier features that's all.
    let network = network(true, 0, 0.1);
    let z = network.features.forward(&observations().narrow(0, 0, 1));
    assert!(z.allclose(&Tensor::from_slice(&[0.25_f32, -0.6]).view([1, 2]), 1e-6, 1e-6, false));
    let fourier = self::network(true, 3, 0.1).features.forward(&observations());
    let (sin, cos) = (fourier.narrow(1, 2, 3), fourier.narrow(1, 5, 3));
    assert!((sin.square() + cos.square()).allclose(&sin.ones_like(), 1e-5, 1e-5, false));
}
