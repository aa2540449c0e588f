//! The Q-network: layers with Concrete Dropout in front of each.

use std::borrow::Cow;
use std::ops::Range;

use control_envs::EnvSpec;
use tch::{Device, Kind, Tensor};

use super::adam::Adam;
use super::architecture::{InitialUncertainty, initial_parameters, layer_shapes};
use super::config::NetworkConfig;
use super::features::Features;
use super::layer::{Layer, LayerShape};
use super::local::LocalDropout;
use super::parameters::{Fill, Initial, MissingParameter, NamedValues, Parameter, Parameters};
use super::pass_noise::PassNoise;
use crate::concrete::{Regularizer, Temperature, sigmoid};
use crate::error::Error;
use crate::randomness::Generator;
use crate::statistics::mean;
use crate::units::ValueScale;

/// What passes of a network put out.
#[derive(Debug)]
pub(crate) struct Outputs {
    /// Q-values, `[passes, rows, actions]`.
    pub q: Tensor,
    /// ln tau of the targets: of a heteroscedastic network of the same shape, otherwise one element.
    pub log_precisions: Tensor,
}

/// Q(observation, action) for all actions at once.
///
/// With hidden sizes `h_1 ... h_n` the network is `Linear(Drop(...ReLU(Linear(Drop(features)))))`, n + 1 linear layers
/// with dropout in front of each; a convolutional one has `ReLU(Conv(Drop(...)))` of the image in front of them. Its
/// parameters, log tau included, are views into one flat tensor. A heteroscedastic network has as many outputs again:
/// what is added to log tau for each action.
#[derive(Debug)]
pub struct QNetwork {
    features: Features,
    layers: Vec<Layer>,
    /// K of each layer.
    masks: Vec<usize>,
    /// `K_g` of each dropout group of each layer.
    group_masks: Tensor,
    actions: usize,
    heteroscedastic: bool,
    log_precision: Tensor,
    parameters: Parameters,
    /// Units of the return in a network unit, or 0: on the CPU.
    return_scale: Parameters,
    /// Local dropout, which a target network has no part of its own in.
    local: Option<LocalDropout>,
}

impl QNetwork {
    /// The largest |ln tau| that [`descend`](Self::descend) leaves.
    pub const LOG_PRECISION_BOUND: f32 = 30.0;

    /// An online network and a target network, equal at first.
    ///
    /// # Errors
    /// Where the observations of `spec` are not what `config` is for, or there are too many weights.
    pub fn pair(
        config: &NetworkConfig,
        start: InitialUncertainty,
        spec: &EnvSpec,
        generator: &mut Generator,
        device: Device,
    ) -> Result<(Self, Self), Error> {
        let space = &spec.observation_space;
        let bandwidth = config.bandwidth(space.len());
        // The target network's features are drawn by the same generator.
        let mut again = generator.clone();
        let features = |generator| Features::new(space, config.frequencies(), bandwidth, generator, device);
        let (online, target) = (features(generator)?, features(&mut again)?);
        let actions = spec.actions.len();
        let outputs = actions as i64 * if start.heteroscedastic { 2 } else { 1 };
        let shapes = layer_shapes(config, space, online.count() as i64, outputs)?;
        let initial = initial_parameters(&shapes, config.biases, start, generator);
        let assemble = |features, trainable| {
            Self::assemble(features, &shapes, &initial, start, actions, trainable, device)
        };
        Ok((assemble(online, true)?, assemble(target, false)?))
    }

    fn assemble(
        features: Features,
        shapes: &[LayerShape],
        initial: &[Initial],
        start: InitialUncertainty,
        actions: usize,
        trainable: bool,
        device: Device,
    ) -> Result<Self, MissingParameter> {
        let parameters = Parameters::new(initial, trainable, device);
        let layers = shapes
            .iter()
            .enumerate()
            .map(|(index, shape)| Layer::assemble(*shape, index, &parameters, start.dropout));
        let layers = layers.collect::<Result<Vec<_>, _>>()?;
        let of_groups = |layer: &Layer| {
            let groups = layer.dropout().p_logit.numel();
            std::iter::repeat_n(layer.masks_per_group() as f32, groups)
        };
        let group_masks: Vec<f32> = layers.iter().flat_map(of_groups).collect();
        Ok(Self {
            features,
            layers,
            group_masks: Tensor::from_slice(&group_masks).to_device(device),
            masks: shapes.iter().map(|layer| layer.masks() as usize).collect(),
            actions,
            heteroscedastic: start.heteroscedastic,
            log_precision: parameters.view(Parameter::LogPrecision)?.shallow_clone(),
            parameters,
            return_scale: Parameters::new(
                &[Initial { parameter: Parameter::ReturnScale, shape: vec![1], values: vec![0.0] }],
                false,
                Device::Cpu,
            ),
            local: None,
        })
    }

    /// Passes at observations `[rows, dimensions]`: noisy ones under noise for as many rows, or for one row, which is a
    /// mask held over all rows; without noise the deterministic mean pass, every unit kept.
    pub(crate) fn forward(&self, observations: &Tensor, noise: Option<&PassNoise>) -> Outputs {
        let device = self.device();
        let outputs = match noise {
            Some(noise) => self.through_layers(observations, |index, layer, x| {
                layer.forward(x, &noise.logistic(index, device))
            }),
            None => self.through_layers(observations, |_, layer, x| layer.forward_mean(x)).unsqueeze(0),
        };
        if !self.heteroscedastic {
            return Outputs { q: outputs, log_precisions: self.log_precision.shallow_clone() };
        }
        let (actions, bound) = (self.actions as i64, f64::from(Self::LOG_PRECISION_BOUND));
        let log_precisions = outputs.narrow(-1, actions, actions) + &self.log_precision;
        Outputs { q: outputs.narrow(-1, 0, actions), log_precisions: log_precisions.clamp(-bound, bound) }
    }

    fn through_layers(
        &self,
        observations: &Tensor,
        mut forward: impl FnMut(usize, &Layer, &Tensor) -> Tensor,
    ) -> Tensor {
        let last = self.layers.len() - 1;
        let mut x = self.features.forward(observations);
        for (index, layer) in self.layers.iter().enumerate() {
            x = forward(index, layer, &x);
            if index < last {
                x = x.relu_();
            }
        }
        x
    }

    /// The sensitivity c of every dropout group of every layer at `observations` `[rows, dimensions]`, in squared
    /// network units: the mean over rows of the sum over the group's masks k of `(x_k dQ/dx_k)^2` (of a feature map, all
    /// its units together), of the greedy action under the mean pass. See [`Landscape`](crate::concrete::Landscape).
    pub fn sensitivity(&self, observations: &Tensor) -> Vec<Vec<f64>> {
        let rows = observations.size()[0];
        // dQ/dmask at a mask of ones is x dQ/dx.
        let mut masks = Vec::with_capacity(self.layers.len());
        let outputs = self.through_layers(observations, |_, layer, x| {
            let mask = Tensor::ones([rows, layer.masks()], (x.kind(), x.device())).set_requires_grad(true);
            let y = layer.forward_masked(x, &mask);
            masks.push(mask);
            y
        });
        let greedy = outputs.narrow(-1, 0, self.actions as i64).amax(1, false).sum(Kind::Float);
        let gradients = Tensor::run_backward(&[greedy], &masks, false, false);
        let of_layer = |(layer, gradient): (&Layer, &Tensor)| {
            let each = gradient.square().mean_dim(0, false, Kind::Double);
            let groups = layer.dropout().p_logit.numel() as i64;
            numbers(&each.view([groups, -1]).sum_dim_intlist(1, false, Kind::Double))
        };
        self.layers.iter().zip(&gradients).map(of_layer).collect()
    }

    /// `||W_g||^2` of every dropout group of every layer, from input to output.
    pub fn squared_norms(&self) -> Vec<Vec<f64>> {
        tch::no_grad(|| self.layers.iter().map(|layer| numbers(&layer.squared_norms())).collect())
    }

    /// The weight and the entropy term of the KL per datum, each summed over the layers; differentiable scalars.
    pub fn regularization(&self, regularizer: &Regularizer) -> (Tensor, Tensor) {
        let logits: Vec<Tensor> =
            self.layers.iter().map(|layer| layer.dropout().p_logit.reshape([-1])).collect();
        let norms: Vec<Tensor> = self.layers.iter().map(Layer::squared_norms).collect();
        // For all layers at once, since an operation on a number or two costs as much as one on a thousand.
        let (norms, logits) = (Tensor::cat(&norms, 0), Tensor::cat(&logits, 0));
        (
            regularizer.weight_term(&norms, &logits).sum(Kind::Float),
            (regularizer.entropy_term(1.0, &logits) * &self.group_masks).sum(Kind::Float),
        )
    }

    /// One step of `adam` down the flat `gradient`, ln tau kept within its bounds.
    pub fn descend(&mut self, adam: &mut Adam, gradient: &Tensor, schedule: f64) {
        tch::no_grad(|| {
            adam.step(&mut self.parameters, gradient, schedule);
            let bound = f64::from(Self::LOG_PRECISION_BOUND);
            // Keeps tau finite in f32 where the targets are predicted perfectly and ln tau would rise for ever.
            let _ = self.log_precision.clamp_(-bound, bound);
        });
    }

    /// `self <- self + weight (source - self)`: a target network's update; weight 1 copies.
    pub fn follow(&mut self, source: &Self, weight: f64) {
        tch::no_grad(|| self.parameters.lerp(&source.parameters, weight));
    }

    /// What its values are in units of the return.
    pub fn value_scale(&self) -> ValueScale {
        ValueScale::of(self.return_scale.values()[0])
    }

    /// Makes `scale` units of the return a network unit and changes no weight.
    pub fn begin_return_scale(&mut self, scale: f32) {
        self.return_scale.values_mut()[0] = scale;
    }

    /// Makes `scale` units of the return a network unit. Values in units of the return stay what they were (the rescaling
    /// of van Hasselt et al. 2016, Learning values across many orders of magnitude, without the shift), unless this is
    /// the first scale. Returns what the values in network units were multiplied by.
    pub fn set_return_scale(&mut self, scale: f32) -> Option<f32> {
        let before = std::mem::replace(&mut self.return_scale.values_mut()[0], scale);
        if before == 0.0 {
            return None;
        }
        let factor = before / scale;
        for range in self.value_ranges() {
            self.parameters.flat_mut().multiply(range, factor);
        }
        if let Some(local) = &mut self.local {
            local.rescale(factor);
        }
        Some(factor)
    }

    /// Multiplies the precision tau of the targets.
    pub fn multiply_precision(&mut self, factor: f64) {
        tch::no_grad(|| {
            let _ = self.log_precision.g_add_scalar_(factor.ln());
        });
    }

    /// Where the weights and biases lie that make the values out of the last hidden units.
    pub fn value_ranges(&self) -> Vec<Range<usize>> {
        let Some(last) = self.layers.len().checked_sub(1) else { return Vec::new() };
        let ranges = [Parameter::Weight(last), Parameter::Bias(last)].map(|part| self.parameters.range(part));
        // Of a heteroscedastic network the values come first, and as much again is of its precision.
        let shrink = |range: Range<usize>| match self.heteroscedastic {
            true => range.start..range.start + range.len() / 2,
            false => range,
        };
        ranges.into_iter().flatten().map(shrink).collect()
    }

    /// The precision tau of the targets, in network units.
    pub fn precision(&self) -> f64 {
        self.log_precision.double_value(&[0]).exp()
    }

    /// Whether tau depends on observation and action; [`precision`](Self::precision) is then what all have in common.
    pub fn is_heteroscedastic(&self) -> bool {
        self.heteroscedastic
    }

    /// Whether all layers are linear.
    pub fn is_dense(&self) -> bool {
        self.layers.iter().all(|layer| matches!(layer, Layer::Linear(_)))
    }

    /// Temperature t of the masks.
    pub fn temperature(&self) -> f64 {
        self.layers.first().map_or(1.0, |layer| layer.dropout().temperature.value())
    }

    /// Sets the temperature t of all masks; 0 makes them hard, which no gradient of p passes.
    pub fn set_temperature(&mut self, temperature: f64) {
        for layer in &mut self.layers {
            layer.dropout_mut().temperature = Temperature::Fixed(temperature);
        }
    }

    /// The dropout probability of every group of every layer, from input to output.
    pub fn p(&self) -> Vec<Vec<f64>> {
        let of_layer = |layer: &Layer| numbers(&layer.dropout().p_logit).into_iter().map(sigmoid).collect();
        self.layers.iter().map(of_layer).collect()
    }

    /// The mean dropout probability of every layer, from input to output, and last that of local dropout, if there is any.
    pub fn mean_p(&self) -> Vec<f64> {
        let of_layers = self.p().into_iter().map(mean);
        of_layers.chain(self.local.iter().map(LocalDropout::mean_p)).collect()
    }

    /// How many numbers [`mean_p`](Self::mean_p) returns.
    pub fn dropout_parts(&self) -> usize {
        self.layers.len() + usize::from(self.local.is_some())
    }

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

    /// Takes a transition of the replay into local dropout's counts, or out of them.
    pub fn count_local(&mut self, input: &[f32], action: usize, is_added: bool) {
        let Self { local, features, .. } = self;
        if let Some(local) = local {
            local.count(input, action, &features.scaling(), is_added);
        }
    }

    /// Forgets local dropout's counts.
    pub fn clear_local_counts(&mut self) {
        self.local.iter_mut().for_each(LocalDropout::clear_counts);
    }

    /// Local dropout learns from a batch of inputs `[rows, inputs]` and actions `[rows]`. `targets` `[rows]` are those of
    /// the values of a table.
    pub fn learn_local(&mut self, inputs: &[f32], actions: &[i64], tau: f64, targets: Option<&[f32]>) {
        let Self { local, features, .. } = self;
        if let Some(local) = local {
            local.learn(inputs, actions, &features.scaling(), tau, targets);
        }
    }

    /// The target values of a table go a share of the way to those that learn.
    pub fn follow_local(&mut self, weight: f64) {
        self.local.iter_mut().for_each(|local| local.follow(weight));
    }

    /// Number of actions.
    pub fn actions(&self) -> usize {
        self.actions
    }

    /// Numbers in an observation.
    pub fn dimensions(&self) -> usize {
        self.features.dimensions()
    }

    /// Number K of masks of each layer: its inputs, or, where a mask covers a feature map, their number.
    pub fn masks(&self) -> &[usize] {
        &self.masks
    }

    /// The fixed features in front of the layers, to be scaled.
    pub fn features_mut(&mut self) -> &mut Features {
        &mut self.features
    }

    /// The fixed features in front of the layers.
    pub fn features(&self) -> &Features {
        &self.features
    }

    #[cfg(test)]
    pub(super) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The mean pass, `[rows, actions]`.
    #[cfg(test)]
    pub(super) fn mean(&self, observations: &Tensor) -> Tensor {
        self.forward(observations, None).q.squeeze_dim(0)
    }

    /// Noisy passes, `[passes, rows, actions]`.
    #[cfg(test)]
    pub(super) fn sample(&self, observations: &Tensor, noise: &PassNoise) -> Tensor {
        self.forward(observations, Some(noise)).q
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The parameters, to be changed in place.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    /// Everything that a pass and its unit depend on by name: the parameters behind `prefix`, the fixed features and the
    /// scale of returns.
    pub fn named(&self, prefix: &str) -> Vec<NamedValues<'_>> {
        let mut named = self.parameters.named(prefix);
        named.extend(self.features.parameters().named(""));
        named.extend(self.return_scale.named(""));
        named.extend(self.local.iter().flat_map(|local| local.parameters().named("")));
        named
    }

    /// Lets `fill` write everything that [`named`](Self::named) names.
    ///
    /// # Errors
    /// The first that `fill` returns.
    pub fn restore<E>(&mut self, prefix: &str, fill: &mut Fill<'_, E>) -> Result<(), E> {
        self.parameters.restore(prefix, fill)?;
        self.features.restore(fill)?;
        self.return_scale.restore("", fill)?;
        self.local.as_mut().map_or(Ok(()), |local| local.restore(fill))
    }

    /// Where the parameters live.
    pub fn device(&self) -> Device {
        self.parameters.device()
    }
}

/// The numbers of a tensor.
fn numbers(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.detach().to_device(Device::Cpu).to_kind(Kind::Double).reshape([-1]);
    let mut values = vec![0.0; flat.numel()];
    flat.copy_data(&mut values, flat.numel());
    values
}

#[cfg(test)]
mod tests {
    use control_envs::{Dimension, EnvSpec};

    use super::*;
    use crate::concrete::{ConcreteDropout, InitialDropout, LogisticNoise, logit};
    use crate::randomness::{Stream, generator};

    fn network(biases: bool, fourier_features: usize, p: f64) -> QNetwork {
        let dimensions = [Dimension::new("x", "m", -2.0, 2.0), Dimension::new("v", "m/s", 0.0, 10.0)];
        let spec = EnvSpec::new("Test-v0", dimensions, ["a", "b", "c"]);
        let config =
            NetworkConfig { hidden: vec![5, 4], biases, fourier_features, ..NetworkConfig::default() };
        let start = InitialUncertainty {
            dropout: InitialDropout { p, ..InitialDropout::default() },
            precision: 10.0,
            heteroscedastic: false,
        };
        QNetwork::pair(&config, start, &spec, &mut generator(1, Stream::Initialisation), Device::Cpu)
            .unwrap()
            .0
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
            assert!(
                (numeric - analytic).abs() < 0.02 * (1.0 + analytic.abs()),
                "{analytic} against {numeric}"
            );
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
            assert!(
                ratio < within && ratio > 1.0 / within,
                "layer {noisy}: {variance} against {sensitivity}"
            );
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
}
