//! N where a datum is not a row: losses over pixels.

/// How a loss over the pixels of a batch of images is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelLoss {
    /// The mean over images and pixels, as most libraries do.
    Mean,
    /// The sum over the pixels of an image, and the mean over the images.
    Sum,
}

/// The N that goes into a [`Regularizer`](super::Regularizer) beside a loss over the pixels of `images` images of
/// `rows` x `columns`.
///
/// The objective of the whole data set is the sum of the loss over all pixels of all images plus the KL term. A loss that
/// is the mean over pixels has divided that sum by images x rows x columns, so the KL term is to be divided by the same
/// ([`PixelLoss::Mean`]); a loss that sums over the pixels has divided it by images alone ([`PixelLoss::Sum`]). Both then
/// have the same minimum. With N = images beside a mean over pixels the regularisation would be rows x columns times as
/// strong as the data warrant: p stays high however much there is to learn from.
///
/// A pixel is a datum of its own here, independent of its neighbours given the network's output, as the sum of their
/// losses says.
pub fn pixelwise_dataset_size(images: usize, rows: usize, columns: usize, loss: PixelLoss) -> f64 {
    match loss {
        PixelLoss::Mean => images as f64 * rows as f64 * columns as f64,
        PixelLoss::Sum => images as f64,
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, nn, nn::OptimizerConfig};

    use super::*;
    use crate::concrete::{ConcreteConv2d, ConvMask, ConvShape, InitialDropout, LogisticNoise, Regularizer};
    use crate::randomness::{Stream, generator};

    const IMAGES: usize = 8;
    const SIDE: usize = 6;

    /// p after training one convolution to copy a channel of random images, with this loss and N.
    fn learned_p(loss: PixelLoss, dataset_size: f64) -> f64 {
        tch::set_num_threads(1);
        let (images, side) = (IMAGES as i64, SIDE as i64);
        let mut noise = LogisticNoise::new(generator(1, Stream::Noise));
        let x = noise.sample(&[images, 2, side, side], Device::Cpu).sign();
        let y = x.narrow(1, 0, 1);
        let shape = ConvShape {
            input: [2, side, side],
            outputs: 1,
            kernel: 3,
            stride: 1,
            padding: 1,
            mask: ConvMask::FeatureMap,
        };
        let store = nn::VarStore::new(Device::Cpu);
        let mut layer = ConcreteConv2d::new(&store.root(), shape, InitialDropout::default());
        let _ = tch::no_grad(|| layer.weight.zero_());
        let mut optimizer = nn::Adam::default().build(&store, 0.02).unwrap();
        // A small precision, so that p settles away from 0 within a second.
        let regularizer = Regularizer { length_scale: 0.01, precision: 0.05, dataset_size };
        for _ in 0..500 {
            let errors = layer.forward(&x, &noise.sample(&layer.noise_shape(images), Device::Cpu)) - &y;
            let data = match loss {
                PixelLoss::Mean => errors.square().mean(Kind::Float),
                PixelLoss::Sum => errors.square().sum(Kind::Float) / IMAGES as f64,
            };
            let objective = data + layer.regularization(&regularizer);
            optimizer.backward_step(&objective.sum(Kind::Float));
        }
        layer.dropout.mean_p()
    }

    #[test]
    fn mean_and_sum_learn_the_same_p_and_a_forgotten_size_another() {
        let size = |loss| pixelwise_dataset_size(IMAGES, SIDE, SIDE, loss);
        assert_eq!((size(PixelLoss::Mean), size(PixelLoss::Sum)), (288.0, 8.0));
        let mean = learned_p(PixelLoss::Mean, size(PixelLoss::Mean));
        let sum = learned_p(PixelLoss::Sum, size(PixelLoss::Sum));
        assert!((mean - sum).abs() < 0.01, "{mean} and {sum}");
        // The number of images in place of that of the pixels: regularised 36 times as strongly.
        let forgotten = learned_p(PixelLoss::Mean, size(PixelLoss::Sum));
        assert!(mean < 0.2 && forgotten > 0.45, "{mean}, forgotten {forgotten}");
    }
}
