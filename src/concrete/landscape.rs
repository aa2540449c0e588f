//! What the objective looks like against the p of one dropout group, everything else held.

use super::regularizer::Regularizer;

/// Twice the negative evidence bound per datum as a function of the dropout probability of one group of masks, the weights and
/// all else held: the terms of Gal, Hron & Kendall 2017, eqs. 1-4, that depend on p.
///
/// ```text
/// L(p) = tau c p/(1-p)  +  l^2/N ||W||^2 / (1-p)  -  2/N K H(p)
/// ```
///
/// The first is the likelihood. A hard mask `x * keep / (1-p)` varies by `x^2 p/(1-p)`, so the noise of this group alone adds
/// `c p/(1-p)` to the mean squared error, where the *sensitivity* c is the mean over the data of the sum over the group's
/// masks k of `(x_k df/dx_k)^2`: the squared change of the output f that dropping the input makes, to first order.
///
/// In the logit the gradient is `e^logit (A + B logit / (1 + e^logit)^2)` with `A = tau c + l^2/N ||W||^2` and `B = 2K/N`. It has
/// one zero and that at a p of at most 1/2. Where p is small it is near `sigmoid(-A/B)`: more data push p down and more
/// units push it up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Landscape {
    /// c, in squared units of the output.
    pub sensitivity: f64,
    /// Precision tau of the observation noise, in inverse squared units of the output.
    pub precision: f64,
    /// `||W||^2`.
    pub squared_norm: f64,
    /// Length scale l of the prior.
    pub length_scale: f64,
    /// K, the number of masks that share p.
    pub masks: f64,
    /// N, the number of data.
    pub dataset_size: f64,
}

/// The terms of [`Landscape`] at a p.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// `tau c p/(1-p)`
    pub likelihood: f64,
    /// `l^2/N ||W||^2 / (1-p)`
    pub weight: f64,
    /// `-2/N K H(p)`
    pub entropy: f64,
}

impl Terms {
    /// L.
    pub fn total(&self) -> f64 {
        self.likelihood + self.weight + self.entropy
    }
}

impl Landscape {
    /// The three terms at p = sigmoid(logit).
    pub fn terms(&self, logit: f64) -> Terms {
        let regularizer = self.regularizer();
        Terms {
            // p/(1-p)
            likelihood: self.precision * self.sensitivity * logit.exp(),
            weight: regularizer.weight_term_at(self.squared_norm, logit).value,
            entropy: regularizer.entropy_term_at(self.masks, logit).value,
        }
    }

    /// dL/dlogit.
    pub fn gradient(&self, logit: f64) -> f64 {
        let regularizer = self.regularizer();
        self.precision * self.sensitivity * logit.exp()
            + regularizer.weight_term_at(self.squared_norm, logit).derivative
            + regularizer.entropy_term_at(self.masks, logit).derivative
    }

    /// dL/dlogit over `B p (1-p)`, which is the Fisher information of the K masks times 2/N: how far the logit is from where
    /// a step of 1 takes it. Where p is small it is `logit + A/B`, and a step of 1 leads to the minimum.
    pub fn natural_gradient(&self, logit: f64) -> f64 {
        logit + self.slope() / self.entropy_coefficient() * (1.0 + logit.exp()).powi(2)
    }

    /// The logit of the p at which L is least. It is 0 where nothing but the entropy counts.
    pub fn minimum(&self) -> f64 {
        // A (1 + e^logit)^2 + B logit has the sign of the gradient, rises everywhere, and is below 0 at -4 A/B.
        let ratio = self.slope() / self.entropy_coefficient();
        let (mut low, mut high) = (-4.0 * ratio, 0.0);
        // As often as halves a double's 52 bits, and then some for the smallest.
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if ratio * (1.0 + middle.exp()).powi(2) + middle < 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }

    /// `-tau c N / (2K)`: the logit near which the minimum is where p is small and the weight term counts for little.
    pub fn small_p_minimum(&self) -> f64 {
        -self.precision * self.sensitivity / self.entropy_coefficient()
    }

    /// tau stands before the likelihood.
    fn regularizer(&self) -> Regularizer {
        Regularizer { length_scale: self.length_scale, precision: 1.0, dataset_size: self.dataset_size }
    }

    /// B
    fn entropy_coefficient(&self) -> f64 {
        self.regularizer().dropout_coefficient() * self.masks
    }

    /// A
    fn slope(&self) -> f64 {
        self.precision * self.sensitivity + self.regularizer().weight_coefficient() * self.squared_norm
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use tch::{Device, Kind, Tensor};

    use super::*;
    use crate::concrete::{ConcreteDropout, ConcreteLinear, LogisticNoise, Regularizer, logit, sigmoid};
    use crate::randomness::{Stream, generator};

    fn landscape() -> Landscape {
        Landscape {
            sensitivity: 0.7,
            precision: 3.0,
            squared_norm: 40.0,
            length_scale: 0.5,
            masks: 500.0,
            dataset_size: 200.0,
        }
    }

    #[test]
    fn terms_by_hand() {
        // p = 0.2: odds 1/4, 1/(1-p) = 5/4, H = -0.2 ln 0.2 - 0.8 ln 0.8 = 0.500402.
        let terms = landscape().terms(logit(0.2));
        assert!((terms.likelihood - 3.0 * 0.7 * 0.25).abs() < 1e-12);
        assert!((terms.weight - 0.25 / 200.0 * 40.0 * 1.25).abs() < 1e-12);
        assert!((terms.entropy + 5.0 * 0.500_402_423).abs() < 1e-8);
    }

    #[test]
    fn weight_and_entropy_are_those_of_the_layer() {
        let weight = Tensor::from_slice(&[1.0, -2.0, 0.5, 3.0, 1.5, -1.0]).view([2, 3]);
        let regularizer = Regularizer { length_scale: 0.5, precision: 1.0, dataset_size: 200.0 };
        for logit in [-8.0, -1.0, 0.0, 2.0] {
            let layer = ConcreteLinear {
                dropout: ConcreteDropout::from_logit(Tensor::from_slice(&[logit]), 0.1),
                weight: weight.shallow_clone(),
                bias: None,
            };
            let squared_norm = weight.square().sum(Kind::Double).double_value(&[]);
            let terms = Landscape { squared_norm, masks: 3.0, ..landscape() }.terms(logit);
            let expected = layer.regularization(&regularizer).double_value(&[]);
            assert!((terms.weight + terms.entropy - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn the_likelihood_is_what_hard_masks_add_to_the_squared_error() {
        // One linear layer: f = w x, whose noise is exactly what the first order says.
        let weights = [0.5, -1.0, 2.0_f64];
        let x = [1.0, 0.5, -0.3];
        let sensitivity = weights.iter().zip(x).map(|(w, x)| (w * x).powi(2)).sum::<f64>();
        let draws = 200_000;
        let noise = LogisticNoise::new(generator(5, Stream::Noise))
            .sample(&[draws, 3], Device::Cpu)
            .to_kind(Kind::Double);
        for p in [0.05, 0.3] {
            let dropout = ConcreteDropout::from_logit(Tensor::from_slice(&[logit(p)]), 0.0);
            let f = dropout.apply(&Tensor::from_slice(&x), &noise).matmul(&Tensor::from_slice(&weights));
            let error = (f - weights.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()).square();
            let (std, mean) = error.std_mean(true);
            let expected =
                Landscape { sensitivity, precision: 1.0, ..landscape() }.terms(logit(p)).likelihood;
            let standard_error = std.double_value(&[]) / (draws as f64).sqrt();
            assert!((mean.double_value(&[]) - expected).abs() < 5.0 * standard_error);
        }
    }

    #[test]
    fn where_p_is_small_the_minimum_is_the_sigmoid() {
        let data = Landscape { dataset_size: 5000.0, ..landscape() };
        assert!(data.small_p_minimum() < -10.0);
        assert!((data.minimum() / data.small_p_minimum() - 1.0).abs() < 0.01);
        let nothing = Landscape { sensitivity: 0.0, squared_norm: 0.0, ..landscape() };
        assert_eq!(nothing.minimum(), 0.0);
    }

    fn any_landscape() -> impl Strategy<Value = Landscape> {
        // The first is tau c N / (2K), which decides where the minimum is.
        (1e-3..10.0, 0.1..100.0, 0.1..1000.0, 1e-3..0.1, 1.0..1000.0, 10.0..1e4).prop_map(
            |(ratio, precision, squared_norm, length_scale, masks, dataset_size)| Landscape {
                sensitivity: ratio * 2.0 * masks / (precision * dataset_size),
                precision,
                squared_norm,
                length_scale,
                masks,
                dataset_size,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

        #[test]
        fn the_gradient_agrees_with_finite_differences(landscape in any_landscape(), logit in -12.0..3.0) {
            let total = |logit| landscape.terms(logit).total();
            let numeric = (total(logit + 1e-4) - total(logit - 1e-4)) / 2e-4;
            let analytic = landscape.gradient(logit);
            let size = analytic.abs() + 1e-3 * total(logit).abs();
            prop_assert!((numeric - analytic).abs() < 1e-4 * size, "{analytic} against {numeric}");
        }

        #[test]
        fn the_natural_gradient_is_the_gradient_over_the_fisher_information(landscape in any_landscape(), logit in -12.0..3.0) {
            let p = sigmoid(logit);
            let fisher = landscape.masks * p * (1.0 - p);
            let expected = landscape.gradient(logit) / (2.0 / landscape.dataset_size * fisher);
            let natural = landscape.natural_gradient(logit);
            prop_assert!((natural - expected).abs() < 1e-9 * expected.abs().max(1.0), "{natural} against {expected}");
            prop_assert!(landscape.natural_gradient(landscape.minimum()).abs() < 1e-6);
        }

        #[test]
        fn the_minimum_is_that_of_a_fine_grid(landscape in any_landscape()) {
            let minimum = landscape.minimum();
            prop_assert!(minimum <= 0.0);
            let step = 1e-3;
            let grid = (-5000..5000).map(|index| minimum + f64::from(index) * step);
            let best = grid.min_by(|a, b| landscape.terms(*a).total().total_cmp(&landscape.terms(*b).total()));
            let best = best.unwrap();
            // Within a step, or where rounding has levelled the valley's floor.
            let floor = landscape.terms(minimum).total();
            let level = landscape.terms(best).total() - floor;
            prop_assert!((best - minimum).abs() <= step || level.abs() < 1e-14 * floor.abs(), "{best} against {minimum}");
        }

        #[test]
        fn more_data_push_the_minimum_down_and_more_units_up(landscape in any_landscape(), factor in 1.5..10.0) {
            let minimum = landscape.minimum();
            let more_data = Landscape { dataset_size: landscape.dataset_size * factor, ..landscape };
            prop_assert!(more_data.minimum() < minimum);
            let more_units = Landscape { masks: landscape.masks * factor, ..landscape };
            prop_assert!(more_units.minimum() > minimum);
        }
    }
}
