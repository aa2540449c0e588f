//! Concrete Dropout (Gal, Hron & Kendall 2017, arXiv 1705.07832), usable in any `tch` model.
//!
//! A [`ConcreteLinear`] is a linear layer whose input is dropped with a learned probability: one for the layer, or one
//! for every unit ([`DropoutGroups`]). The loss to minimise for
//! a batch out of N data is the data term plus every layer's [`ConcreteLinear::regularization`]; noise comes in from
//! outside, so that whoever owns the generator owns the randomness.
//!
//! ```
//! use concrete_dqn::concrete::{ConcreteLinear, InitialDropout, LogisticNoise, Regularizer};
//! use concrete_dqn::randomness::{Stream, generator};
//! use tch::{Device, Kind, Tensor, nn, nn::OptimizerConfig};
//!
//! let store = nn::VarStore::new(Device::Cpu);
//! let layer = ConcreteLinear::new(&store.root(), 1, 1, InitialDropout::default());
//! let mut optimizer = nn::Adam::default().build(&store, 1e-2)?;
//! let mut noise = LogisticNoise::new(generator(0, Stream::Noise));
//!
//! let x = Tensor::linspace(-1.0, 1.0, 100, (Kind::Float, Device::Cpu)).view([100, 1]);
//! let y = &x * 2.0 + 8.0;
//! let mut regularizer = Regularizer { length_scale: 1e-2, precision: 1.0, dataset_size: 100.0 };
//! for _ in 0..3 {
//!     let prediction = layer.forward(&x, &noise.sample(&layer.noise_shape(100), Device::Cpu));
//!     let loss = prediction.mse_loss(&y, tch::Reduction::Mean) + layer.regularization(&regularizer);
//!     optimizer.backward_step(&loss.sum(Kind::Float));
//! }
//! regularizer.dataset_size = 200.0; // More data came in: the same loop goes on, and p adapts.
//! assert!(layer.dropout.mean_p() > 0.0 && layer.dropout.mean_p() < 1.0);
//! # Ok::<(), tch::TchError>(())
//! ```

mod bernoulli;
mod conv;
mod dataset_size;
mod dropout;
mod groups;
mod landscape;
mod likelihood;
mod linear;
mod noise;
mod predictive;
mod regularizer;
mod single;

pub use bernoulli::{Term, entropy, entropy_at, log_sigmoid, logit, sigmoid};
pub use conv::{ConcreteConv2d, ConvMask, ConvShape};
pub use dataset_size::{PixelLoss, pixelwise_dataset_size};
pub use dropout::{ConcreteDropout, Temperature};
pub use groups::{DropoutGroups, InitialDropout};
pub use landscape::{Landscape, Terms};
pub use likelihood::{PrecisionPrior, gaussian_nll, gaussian_nll_at};
pub use linear::ConcreteLinear;
pub use noise::{LogisticNoise, logistic};
pub use predictive::PredictiveVariance;
pub use regularizer::Regularizer;
pub use single::single_mask_minimum;
