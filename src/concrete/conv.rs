//! Concrete Dropout in front of a convolution.

use tch::{Tensor, nn};

use super::dropout::ConcreteDropout;
use super::groups::InitialDropout;
use super::regularizer::Regularizer;

/// What one mask of a convolution's input covers, and so how many masks K there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConvMask {
    /// A mask for every unit, as in front of a linear layer: K = channels x rows x columns.
    Unit,
    /// A mask for every feature map (channel), which is kept or dropped as a whole: K = channels. Neighbouring units say
    /// much the same, so a single dropped one is hardly missed (spatial dropout, Tompson et al. 2015).
    FeatureMap,
}

/// The shape of a convolution with square kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    /// Channels, rows and columns of the input.
    pub input: [i64; 3],
    /// Channels of the output.
    pub outputs: i64,
    /// Side of the kernel.
    pub kernel: i64,
    /// From one place of the kernel to the next.
    pub stride: i64,
    /// Zeros around the input.
    pub padding: i64,
    /// What a mask covers.
    pub mask: ConvMask,
}

impl ConvShape {
    /// Channels, rows and columns of the output.
    pub fn output(&self) -> [i64; 3] {
        let [_, rows, columns] = self.input;
        let places = |side: i64| (side + 2 * self.padding - self.kernel).div_euclid(self.stride) + 1;
        [self.outputs, places(rows), places(columns)]
    }

    /// Shape of the weight, `[outputs, channels, kernel, kernel]`.
    pub fn weight(&self) -> [i64; 4] {
        [self.outputs, self.input[0], self.kernel, self.kernel]
    }

    /// The shape of all masks of one input: `[channels, rows, columns]`, or `[channels, 1, 1]`.
    pub fn mask_shape(&self) -> [i64; 3] {
        let [channels, rows, columns] = self.input;
        match self.mask {
            ConvMask::Unit => [channels, rows, columns],
            ConvMask::FeatureMap => [channels, 1, 1],
        }
    }

    /// K: how many masks are drawn for one input.
    pub fn masks(&self) -> i64 {
        self.mask_shape().iter().product()
    }
}

/// A convolution with Concrete Dropout in front: `W * (x keep / (1-p)) + b`.
///
/// K of the entropy term is the number of masks that one input takes ([`ConvShape::masks`]): it is their entropies that add
/// up. The weight term counts the kernel once, as the prior is over the kernel and not over its places. A kernel that covers
/// the whole input, with a mask for every unit, is a [`ConcreteLinear`](super::ConcreteLinear) of the flattened input, and a
/// kernel of 1 x 1, with a mask for every feature map, one whose mask is held over all pixels; both to the letter, K included.
#[derive(Debug)]
pub struct ConcreteConv2d {
    /// The dropout of the input.
    pub dropout: ConcreteDropout,
    /// Weight W, `[outputs, channels, kernel, kernel]`.
    pub weight: Tensor,
    /// Bias b, `[outputs]`, neither dropped nor regularised.
    pub bias: Option<Tensor>,
    /// Input, kernel and masks.
    pub shape: ConvShape,
}

impl ConcreteConv2d {
    /// A layer in a `tch` model, initialised as `nn::conv2d` does by default, its dropout starting at `initial`.
    pub fn new(path: &nn::Path, shape: ConvShape, initial: InitialDropout) -> Self {
        let config = nn::ConvConfig { stride: shape.stride, padding: shape.padding, ..Default::default() };
        let conv = nn::conv2d(path, shape.input[0], shape.outputs, shape.kernel, config);
        Self {
            dropout: ConcreteDropout::new(path, &shape.mask_shape(), initial),
            weight: conv.ws,
            bias: conv.bs,
            shape,
        }
    }

    /// Number K of masks, the units or feature maps that are dropped.
    pub fn masks(&self) -> i64 {
        self.shape.masks()
    }

    /// One noisy pass. `x` is `[..., channels, rows, columns]`, `noise` standard logistic of the shape that
    /// [`noise_shape`](Self::noise_shape) says, or any that broadcasts with x; the result is `[..., outputs, rows, columns]`.
    pub fn forward(&self, x: &Tensor, noise: &Tensor) -> Tensor {
        self.forward_mean(&self.dropout.apply(x, noise))
    }

    /// The deterministic pass, every unit kept: `[..., channels, rows, columns]` to `[..., outputs, rows, columns]`.
    pub fn forward_mean(&self, x: &Tensor) -> Tensor {
        let ConvShape { input, stride, padding, .. } = self.shape;
        let mut size = x.size();
        size.truncate(size.len() - input.len());
        size.extend(self.shape.output());
        let [channels, rows, columns] = input;
        x.reshape([-1, channels, rows, columns])
            .conv2d(&self.weight, self.bias.as_ref(), [stride; 2], [padding; 2], [1; 2], 1)
            .view(size.as_slice())
    }

    /// Noise for one pass of `images` images: the shape to draw.
    pub fn noise_shape(&self, images: i64) -> [i64; 4] {
        let [channels, rows, columns] = self.shape.mask_shape();
        [images, channels, rows, columns]
    }

    /// `||W_g||^2` of every group, flat, `[groups]`, differentiable. A channel's share of the kernel counts once: where
    /// the units of a feature map have masks of their own, each takes an equal part of it.
    pub fn squared_norms(&self) -> Tensor {
        let (squares, kind) = (self.weight.square(), self.weight.kind());
        if self.dropout.p_logit.numel() == 1 {
            return squares.sum(kind).view([1]);
        }
        let [channels, rows, columns] = self.shape.mask_shape();
        let channel = squares.sum_dim_intlist([0, 2, 3].as_slice(), false, kind) / (rows * columns) as f64;
        channel.view([channels, 1, 1]).expand([channels, rows, columns], false).reshape([-1])
    }

    /// Number `K_g` of masks in each group.
    pub fn masks_per_group(&self) -> f64 {
        self.masks() as f64 / self.dropout.p_logit.numel() as f64
    }

    /// This layer's share of the KL per datum, weight and entropy term together; a differentiable scalar. For a loss
    /// over pixels N is what [`pixelwise_dataset_size`](super::pixelwise_dataset_size) says.
    pub fn regularization(&self, regularizer: &Regularizer) -> Tensor {
        let p_logit = self.dropout.p_logit.reshape([-1]);
        regularizer.total(&self.squared_norms(), self.masks_per_group(), &p_logit)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;
    use crate::concrete::{ConcreteLinear, LogisticNoise, logit};
    use crate::randomness::{Stream, generator};

    const REGULARIZER: Regularizer = Regularizer { length_scale: 0.7, precision: 1.0, dataset_size: 9.0 };

    fn random(seed: u64, shape: &[i64]) -> Tensor {
        LogisticNoise::new(generator(seed, Stream::Noise)).sample(shape, Device::Cpu).to_kind(Kind::Double)
    }

    fn layer(shape: ConvShape) -> ConcreteConv2d {
        ConcreteConv2d {
            dropout: ConcreteDropout::from_logit(Tensor::from_slice(&[logit(0.3)]), 0.1),
            weight: random(1, &shape.weight()),
            bias: Some(random(2, &[shape.outputs])),
            shape,
        }
    }

    fn linear(layer: &ConcreteConv2d) -> ConcreteLinear {
        ConcreteLinear {
            dropout: ConcreteDropout::from_logit(layer.dropout.p_logit.shallow_clone(), 0.1),
            weight: layer.weight.flatten(1, -1),
            bias: layer.bias.as_ref().map(Tensor::shallow_clone),
        }
    }

    fn close(one: &Tensor, other: &Tensor) {
        assert_eq!(one.size(), other.size());
        assert!(one.allclose(other, 1e-12, 1e-12, false), "{one:?} {other:?}");
    }

    #[test]
    fn a_kernel_as_large_as_the_input_is_a_linear_layer() {
        let conv = layer(ConvShape {
            input: [2, 3, 3],
            outputs: 4,
            kernel: 3,
            stride: 1,
            padding: 0,
            mask: ConvMask::Unit,
        });
        let linear = linear(&conv);
        let (x, noise) = (random(3, &[5, 2, 3, 3]), random(4, &conv.noise_shape(5)));
        close(
            &conv.forward(&x, &noise).flatten(1, -1),
            &linear.forward(&x.flatten(1, -1), &noise.flatten(1, -1)),
        );
        assert_eq!((conv.masks(), linear.inputs()), (18, 18));
        close(&conv.regularization(&REGULARIZER), &linear.regularization(&REGULARIZER));
    }

    #[test]
    fn a_kernel_of_one_pixel_is_a_linear_layer_with_a_mask_held_over_the_pixels() {
        let conv = layer(ConvShape {
            input: [3, 4, 2],
            outputs: 5,
            kernel: 1,
            stride: 1,
            padding: 0,
            mask: ConvMask::FeatureMap,
        });
        let linear = linear(&conv);
        let (x, noise) = (random(3, &[1, 3, 4, 2]), random(4, &conv.noise_shape(1)));
        let pixels = x.flatten(2, 3).squeeze_dim(0).transpose(0, 1);
        let expected = linear.forward(&pixels, &noise.view([1, 3])).transpose(0, 1).view([1, 5, 4, 2]);
        close(&conv.forward(&x, &noise), &expected);
        assert_eq!((conv.masks(), linear.inputs()), (3, 3));
        close(&conv.regularization(&REGULARIZER), &linear.regularization(&REGULARIZER));
    }

    #[test]
    fn units_are_dropped_one_by_one_and_feature_maps_as_a_whole() {
        for mask in [ConvMask::Unit, ConvMask::FeatureMap] {
            let conv =
                layer(ConvShape { input: [64, 8, 8], outputs: 1, kernel: 3, stride: 1, padding: 1, mask });
            let ones = Tensor::ones([20, 64, 8, 8], (Kind::Double, Device::Cpu));
            let noisy = conv.dropout.apply(&ones, &random(5, &conv.noise_shape(20)));
            let spread = noisy.flatten(2, 3).std_dim(2, true, false).mean(Kind::Double).double_value(&[]);
            assert_eq!(spread < 1e-9, mask == ConvMask::FeatureMap, "{spread} with {mask:?}");
            // p = 0.3 of them, five standard errors over as many masks as there are.
            let masks = conv.dropout.keep_mask(&random(5, &conv.noise_shape(20)));
            let dropped = masks.lt(0.5).to_kind(Kind::Double).mean(None).double_value(&[]);
            let masks = (20 * conv.masks()) as f64;
            assert!((dropped - 0.3).abs() < 5.0 * (0.21 / masks).sqrt(), "{dropped} with {mask:?}");
        }
    }

    #[test]
    fn shapes_by_hand_and_as_libtorch_has_them() {
        // Padding 1 keeps 10 x 5 under a kernel of 3; a stride of 2 leaves ceil(10/2) x ceil(5/2).
        for (stride, output) in [(1, [6, 10, 5]), (2, [6, 5, 3])] {
            let shape = ConvShape {
                input: [1, 10, 5],
                outputs: 6,
                kernel: 3,
                stride,
                padding: 1,
                mask: ConvMask::Unit,
            };
            assert_eq!(shape.output(), output);
            // Leading dimensions, such as passes and rows, stay as they are; noise of one row is held over all.
            let conv = layer(shape);
            let x = random(3, &[2, 7, 1, 10, 5]);
            let held = conv.forward(&x, &random(4, &conv.noise_shape(1)));
            assert_eq!(held.size()[..2], [2, 7]);
            assert_eq!(held.size()[2..], output);
            close(&held.get(1), &conv.forward(&x.get(1), &random(4, &conv.noise_shape(1))));
        }
    }

    #[test]
    fn gradients_of_kernel_and_p_agree_with_finite_differences() {
        for mask in [ConvMask::Unit, ConvMask::FeatureMap] {
            let shape = ConvShape { input: [2, 4, 3], outputs: 2, kernel: 3, stride: 1, padding: 1, mask };
            let (x, count) = (random(3, &[2, 2, 4, 3]), shape.weight().iter().product::<i64>());
            let noise = random(4, &[2, shape.mask_shape()[0], shape.mask_shape()[1], shape.mask_shape()[2]]);
            let loss = |parameters: &Tensor| {
                let layer = ConcreteConv2d {
                    dropout: ConcreteDropout::from_logit(parameters.narrow(0, count, 1), 0.5),
                    weight: parameters.narrow(0, 0, count).view(shape.weight()),
                    bias: None,
                    shape,
                };
                (layer.forward(&x, &noise).square().mean(Kind::Double) + layer.regularization(&REGULARIZER))
                    .sum(Kind::Double)
            };
            let start = random(6, &[count + 1]) * 0.3;
            let leaf = start.copy().set_requires_grad(true);
            loss(&leaf).backward();
            for index in 0..=count {
                let moved = |by: f64| {
                    let moved = start.copy();
                    let _ = moved.get(index).g_add_scalar_(by);
                    loss(&moved).double_value(&[])
                };
                let numeric = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                let analytic = leaf.grad().double_value(&[index]);
                let error = (numeric - analytic).abs() / (1.0 + numeric.abs());
                assert!(error < 1e-7, "parameter {index} with {mask:?}: {analytic} against {numeric}");
            }
        }
    }
}
