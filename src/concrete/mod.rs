//! Concrete Dropout (Gal, Hron & Kendall 2017, arXiv 1705.07832), usable in any `tch` model.
//!
//! A [`ConcreteLinear`] is a linear layer whose input is dropped with a learned probability. The loss to minimise for
//! a batch out of N data is the data term plus every layer's [`ConcreteLinear::regularization`]; noise comes in from
//! outside, so that whoever owns the generator owns the randomness.
//!
//! ```
//! use concrete_dqn::concrete::{ConcreteLinear, LogisticNoise, Regularizer};
//! use concrete_dqn::randomness::{Stream, generator};
//! use tch::{Device, Kind, Tensor, nn, nn::OptimizerConfig};
//!
//! let store = nn::VarStore::new(Device::Cpu);
//! let layer = ConcreteLinear::new(&store.root(), 1, 1, 0.1, 0.1);
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
//! assert!(layer.dropout.p() > 0.0 && layer.dropout.p() < 1.0);
//! # Ok::<(), tch::TchError>(())
//! ```

mod conv;
mod dataset_size;
mod dropout;
mod landscape;
mod noise;
mod predictive;
mod regularizer;

pub use conv::{ConcreteConv2d, ConvMask, ConvShape};
pub use dataset_size::{PixelLoss, pixelwise_dataset_size};
pub use dropout::{ConcreteDropout, ConcreteLinear, Temperature, logit, sigmoid};
pub use landscape::{Landscape, Terms};
pub use noise::{LogisticNoise, logistic};
pub use predictive::{PredictiveVariance, heteroscedastic_nll};
pub use regularizer::{Regularizer, entropy, squared_norm};
