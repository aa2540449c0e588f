//! The Q-network: layers with Concrete Dropout in front of each.

mod local_part;

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

    /// Makes `logit` that of the p of a dropout group; of a layer or group that there is not, nothing.
    pub fn set_dropout_logit(&mut self, layer: usize, group: usize, logit: f64) {
        if let Ok(range) = self.parameters.range(Parameter::DropoutLogit(layer))
            && let Some(index) = range.clone().nth(group)
        {
            self.parameters.flat_mut().set(index, logit as f32);
        }
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

    /// Where the weights and biases lie that make the hidden units.
    pub fn hidden_ranges(&self) -> Vec<Range<usize>> {
        let of_layer = |layer| [Parameter::Weight(layer), Parameter::Bias(layer)];
        let hidden = (0..self.layers.len().saturating_sub(1)).flat_map(of_layer);
        hidden.filter_map(|parameter| self.parameters.range(parameter).ok()).collect()
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

    /// The shapes of all layers, from input to output.
    pub fn layer_shapes(&self) -> Vec<LayerShape> {
        self.layers.iter().map(Layer::shape).collect()
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
mod tests;
