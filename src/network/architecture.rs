//! From a config and a space to the layers of a Q-network and what their parameters start from.

use control_envs::{BoxSpace, ImageShape};
use rand::RngExt;

use super::config::{LARGEST_TENSOR, NetworkConfig, NetworkKind};
use super::layer::LayerShape;
use super::parameters::{Initial, Parameter};
use crate::concrete::{ConvShape, InitialDropout, logit};
use crate::error::Error;
use crate::randomness::Generator;

/// What the uncertainty of a network starts from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InitialUncertainty {
    /// Dropout of every layer.
    pub dropout: InitialDropout,
    /// Precision tau of the targets, in network units.
    pub precision: f64,
    /// Whether tau depends on observation and action, by a head of its own; otherwise one tau is for all.
    pub heteroscedastic: bool,
}

/// The layers that `config` asks for, from `features` features of an observation in `space` to `outputs` outputs.
///
/// # Errors
/// Where the network is a convolutional one and an observation is no image, or there are too many weights.
pub fn layer_shapes(
    config: &NetworkConfig,
    space: &BoxSpace,
    features: i64,
    outputs: i64,
) -> Result<Vec<LayerShape>, Error> {
    let mut layers = Vec::new();
    let mut inputs = features;
    if config.kind == NetworkKind::Table {
        if space.one_hot {
            return Ok(layers);
        }
        return Err(Error::Usage(
            "network.kind = \"table\" is for observations that are one-hot, but this environment's are not; \
             network.kind must be \"dense\" here"
                .to_owned(),
        ));
    }
    if config.kind == NetworkKind::Conv {
        let Some(ImageShape { channels, rows, columns }) = space.image else {
            return Err(Error::Usage(
                "network.kind = \"conv\" is for observations that are images, but this environment's are not; \
                 network.kind must be \"dense\" here"
                    .to_owned(),
            ));
        };
        let mut input = [channels, rows, columns].map(|size| size as i64);
        for &outputs in &config.conv.channels {
            let (kernel, stride) = (config.conv.kernel, config.conv.stride);
            let shape =
                ConvShape { input, outputs, kernel, stride, padding: kernel / 2, mask: config.conv.mask };
            layers.push(LayerShape::Conv(shape));
            input = shape.output();
        }
        inputs = input.iter().fold(1, |units, size| units.saturating_mul(*size));
    }
    for &outputs in config.hidden.iter().chain([&outputs]) {
        layers.push(LayerShape::Linear { inputs, outputs });
        inputs = outputs;
    }
    let weights = layers.iter().map(|layer| layer.weight().into_iter().fold(1, i64::saturating_mul));
    let weights = weights.fold(0, i64::saturating_add);
    if weights > LARGEST_TENSOR {
        return Err(Error::Usage(format!(
            "network.hidden and network.conv make {weights} weights with an observation of {} numbers; they must make at \
             most {LARGEST_TENSOR}",
            space.len()
        )));
    }
    Ok(layers)
}

/// All weights (and biases), then all p logits, then ln tau: the many stay aligned to the vector registers. Weights and biases
/// are uniform on `+-1/sqrt(inputs of a unit)`, as PyTorch's layers start; those of a heteroscedastic head are 0, so that tau
/// is at first the same everywhere.
pub fn initial_parameters(
    layers: &[LayerShape],
    biases: bool,
    start: InitialUncertainty,
    generator: &mut Generator,
) -> Vec<Initial> {
    let mut all = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let weight = layer.weight();
        let inputs: i64 = weight[1..].iter().product();
        // The second half of the last layer's outputs.
        let is_head = start.heteroscedastic && index + 1 == layers.len();
        let drawn = if is_head { weight[0] / 2 } else { weight[0] };
        let bound = 1.0 / (inputs as f32).sqrt();
        let mut uniform = |parameter, shape: Vec<i64>| {
            let (count, drawn) = (shape.iter().product::<i64>(), shape[1..].iter().product::<i64>() * drawn);
            let mut values: Vec<f32> = (0..drawn).map(|_| generator.random_range(-bound..bound)).collect();
            values.resize(count as usize, 0.0);
            all.push(Initial { parameter, shape, values });
        };
        uniform(Parameter::Weight(index), weight.clone());
        if biases {
            uniform(Parameter::Bias(index), vec![weight[0]]);
        }
    }
    let constant = |parameter, count: i64, value: f64| Initial {
        parameter,
        shape: vec![count],
        values: vec![value as f32; count as usize],
    };
    all.extend(layers.iter().enumerate().map(|(index, layer)| {
        let groups = start.dropout.groups.count(layer.masks());
        constant(Parameter::DropoutLogit(index), groups, logit(start.dropout.p))
    }));
    all.push(constant(Parameter::LogPrecision, 1, start.precision.ln()));
    all
}

#[cfg(test)]
mod tests {
    use control_envs::{Catch, Dimension, Env, EnvSpec};
    use tch::{Device, Kind, Tensor};

    use super::*;
    use crate::concrete::{ConvMask, DropoutGroups, InitialDropout, LogisticNoise, Regularizer};
    use crate::network::{ConvConfig, PassNoise, QNetwork};
    use crate::randomness::{Stream, generator};

    fn config(mask: ConvMask) -> NetworkConfig {
        NetworkConfig {
            kind: NetworkKind::Conv,
            hidden: vec![7],
            conv: ConvConfig { channels: vec![4, 3], kernel: 3, stride: 2, mask },
            ..NetworkConfig::default()
        }
    }

    fn network(config: &NetworkConfig, heteroscedastic: bool) -> QNetwork {
        grouped(config, heteroscedastic, DropoutGroups::Layer)
    }

    fn grouped(config: &NetworkConfig, heteroscedastic: bool, groups: DropoutGroups) -> QNetwork {
        let dropout = InitialDropout { p: 0.3, groups, ..InitialDropout::default() };
        let start = InitialUncertainty { dropout, precision: 10.0, heteroscedastic };
        let mut generator = generator(1, Stream::Initialisation);
        QNetwork::pair(config, start, Catch::new().spec(), &mut generator, Device::Cpu).unwrap().0
    }

    fn noise(network: &QNetwork, passes: usize, rows: usize) -> PassNoise {
        let mut noise = PassNoise::default();
        noise.draw(&mut LogisticNoise::new(generator(2, Stream::Noise)), network.masks(), passes, rows);
        noise
    }

    fn boards(rows: i64) -> Tensor {
        LogisticNoise::new(generator(3, Stream::Noise)).sample(&[rows, 50], Device::Cpu)
    }

    #[test]
    fn layers_of_an_image_by_hand() {
        // 1 x 10 x 5, halved to 4 x 5 x 3 and to 3 x 3 x 2; 18 units go on into the linear layers.
        for (mask, masks) in
            [(ConvMask::Unit, vec![50, 60, 18, 7]), (ConvMask::FeatureMap, vec![1, 4, 18, 7])]
        {
            let network = network(&config(mask), false);
            assert_eq!(network.masks(), masks);
            let named = network.parameters().slots().iter();
            let named = named.map(|slot| (slot.parameter.to_string(), slot.shape.clone()));
            let expected: [(&str, &[i64]); 9] = [
                ("layers.0.weight", &[4, 1, 3, 3]),
                ("layers.1.weight", &[3, 4, 3, 3]),
                ("layers.2.weight", &[7, 18]),
                ("layers.3.weight", &[3, 7]),
                ("layers.0.p_logit", &[1]),
                ("layers.1.p_logit", &[1]),
                ("layers.2.p_logit", &[1]),
                ("layers.3.p_logit", &[1]),
                ("log_precision", &[1]),
            ];
            assert_eq!(
                named.collect::<Vec<_>>(),
                expected.map(|(name, size)| (name.to_owned(), size.to_vec()))
            );
            assert_eq!((network.is_dense(), network.actions()), (false, 3));
        }
    }

    #[test]
    fn the_mean_pass_is_what_libtorch_computes() {
        let network = network(&config(ConvMask::Unit), false);
        let weight = |layer| network.parameters().view(Parameter::Weight(layer)).unwrap().detach();
        let x = boards(6);
        let mut z = x.view([6, 1, 10, 5]);
        for index in 0..2 {
            z = z.conv2d(&weight(index), None::<Tensor>, [2, 2], [1, 1], [1, 1], 1).relu();
        }
        let z = z.flatten(1, -1).matmul(&weight(2).tr()).relu();
        let expected = z.matmul(&weight(3).tr());
        assert!(network.mean(&x).allclose(&expected, 1e-5, 1e-6, false));
    }

    #[test]
    fn passes_of_an_image_in_one_batch_equal_passes_one_by_one() {
        for mask in [ConvMask::Unit, ConvMask::FeatureMap] {
            let network = network(&config(mask), false);
            let (x, noise) = (boards(3), noise(&network, 4, 3));
            let together = network.sample(&x, &noise);
            assert_eq!(together.size(), [4, 3, 3]);
            for pass in 0..4 {
                let one = network.sample(&x, &noise.pass(pass as usize));
                assert!(one.get(0).allclose(&together.get(pass), 1e-5, 1e-6, false));
            }
            let held = self::noise(&network, 1, 1);
            let q = network.sample(&x.get(0).repeat([5, 1]), &held);
            assert!(q.std_dim(1, true, false).max().double_value(&[]) < 1e-6, "one mask for all rows");
            let regularizer = Regularizer { length_scale: 0.5, precision: 1.0, dataset_size: 20.0 };
            let (weight, entropy) = network.regularization(&regularizer);
            let layers: Tensor =
                network.layers().iter().map(|layer| layer.regularization(&regularizer)).sum();
            assert!((weight + entropy).allclose(&layers.squeeze(), 1e-5, 1e-7, false));
        }
    }

    #[test]
    fn sensitivity_to_a_feature_map_is_that_of_all_its_units_together() {
        // One pixel of 1 in the only channel: dropping the pixel and dropping the channel are the same.
        let x = Tensor::zeros([1, 50], (Kind::Float, Device::Cpu));
        let _ = x.narrow(1, 22, 1).fill_(1.0);
        let of = |mask| network(&config(mask), false).sensitivity(&x)[0][0];
        let (unit, map) = (of(ConvMask::Unit), of(ConvMask::FeatureMap));
        assert!((unit / map - 1.0).abs() < 1e-4 && unit > 0.0, "{unit} and {map}");
    }

    #[test]
    fn a_heteroscedastic_head_starts_from_one_precision_and_leaves_q_alone() {
        let dense = NetworkConfig { hidden: vec![7, 5], biases: true, ..NetworkConfig::default() };
        for config in [config(ConvMask::FeatureMap), dense] {
            let (one, mut head) = (network(&config, false), network(&config, true));
            assert_eq!((head.actions(), head.is_heteroscedastic()), (3, true));
            let (x, noise) = (boards(5), noise(&one, 2, 5));
            let of_one = one.forward(&x, Some(&noise)).log_precisions;
            assert_eq!(of_one.numel(), 1);
            let outputs = head.forward(&x, Some(&noise));
            assert_eq!(outputs.q.size(), [2, 5, 3]);
            assert_eq!(outputs.q.isfinite().all().int64_value(&[]), 1);
            if !config.biases {
                // The last layer's q rows are drawn first, and nothing is drawn after them.
                assert!(outputs.q.allclose(&one.sample(&x, &noise), 1e-5, 1e-6, false));
            }
            let log_precisions = outputs.log_precisions;
            let flat = log_precisions.full_like(10.0_f64.ln());
            assert!(log_precisions.allclose(&flat, 1e-6, 1e-6, false));
            // Its weights get a gradient all the same.
            let gradient = head.parameters().gradient(&log_precisions.sum(Kind::Float));
            let last = head.parameters().range(Parameter::Weight(head.layers().len() - 1)).unwrap();
            let gradient = gradient.narrow(0, last.start as i64, last.len() as i64).view([6, -1]);
            assert_eq!(gradient.narrow(0, 0, 3).abs().sum(Kind::Float).double_value(&[]), 0.0);
            assert!(gradient.narrow(0, 3, 3).abs().sum(Kind::Float).double_value(&[]) > 0.0);
            let _ = tch::no_grad(|| head.parameters_mut().flat_mut().tensor_mut().g_add_scalar_(1.0));
            let moved = head.forward(&x, Some(&noise)).log_precisions;
            assert!(moved.std(true).double_value(&[]) > 0.0, "tau depends on the observation now");
        }
    }

    #[test]
    fn what_no_network_can_be_built_for_is_said_in_a_sentence() {
        let spec = EnvSpec::new("Test-v0", [Dimension::new("x", "m", 0.0, 1.0)], ["go"]);
        let message = |config: &NetworkConfig, spec: &EnvSpec| {
            layer_shapes(config, &spec.observation_space, 50, 3).unwrap_err().to_string()
        };
        assert!(message(&config(ConvMask::Unit), &spec).contains("network.kind must be \"dense\" here"));
        let large = NetworkConfig { hidden: vec![16_384; 3], ..config(ConvMask::Unit) };
        assert!(message(&large, Catch::new().spec()).contains("at most 268435456"));
    }
}
