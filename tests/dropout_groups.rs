//! A layer whose inputs each have a p of their own, against values from `tests/data/dropout_groups/generate.py`.
#![allow(clippy::unwrap_used, reason = "a test that can't read its data should fail")]

use concrete_dqn::concrete::{
    ConcreteConv2d, ConcreteDropout, ConcreteLinear, ConvMask, ConvShape, Regularizer,
};
use serde::Deserialize;
use tch::{Kind, Tensor};

#[derive(Deserialize)]
struct Golden {
    length_scale: f64,
    precision: f64,
    dataset_size: f64,
    temperature: f64,
    x: Vec<Vec<f64>>,
    y: Vec<Vec<f64>>,
    uniforms: Vec<Vec<f64>>,
    weight: Vec<Vec<f64>>,
    logits: Vec<f64>,
    output: Vec<Vec<f64>>,
    regularizer: f64,
    loss: f64,
    weight_gradient: Vec<Vec<f64>>,
    logit_gradient: Vec<f64>,
}

impl Golden {
    fn read() -> Self {
        serde_json::from_str(include_str!("data/dropout_groups/golden.json")).unwrap()
    }

    fn regularizer(&self) -> Regularizer {
        let Self { length_scale, precision, dataset_size, .. } = *self;
        Regularizer { length_scale, precision, dataset_size }
    }

    fn noise(&self) -> Tensor {
        matrix(&self.uniforms).logit(None::<f64>)
    }

    /// Output, regulariser, loss and gradients of a layer with these parameters.
    fn check(&self, logits: &Tensor, weight: &Tensor, output: &Tensor, regularizer: &Tensor) {
        close("output", output, &matrix(&self.output), 1e-12);
        close("regulariser", regularizer, &Tensor::from(self.regularizer), 1e-12);
        let errors = (output - matrix(&self.y)).square().sum_dim_intlist(1, false, Kind::Double);
        let loss = errors.mean(Kind::Double) + regularizer;
        close("loss", &loss, &Tensor::from(self.loss), 1e-12);
        loss.backward();
        // Finite differences have an error of this size.
        let expected = matrix(&self.weight_gradient);
        close("weight gradient", &weight.grad().reshape_as(&expected), &expected, 1e-9);
        let expected = Tensor::from_slice(&self.logit_gradient);
        close("logit gradient", &logits.grad().reshape_as(&expected), &expected, 1e-9);
    }
}

fn matrix(rows: &[Vec<f64>]) -> Tensor {
    Tensor::from_slice(&rows.concat()).view([rows.len() as i64, -1])
}

fn close(name: &str, ours: &Tensor, golden: &Tensor, tolerance: f64) {
    assert_eq!(ours.size(), golden.size(), "{name}");
    let error = ((ours - golden).abs() / (golden.abs() + 1.0)).max().double_value(&[]);
    assert!(error < tolerance, "{name}: error {error}");
}

#[test]
fn a_linear_layer_with_three_groups() {
    let golden = Golden::read();
    let logits = Tensor::from_slice(&golden.logits).set_requires_grad(true);
    let layer = ConcreteLinear {
        dropout: ConcreteDropout::from_logit(logits.shallow_clone(), golden.temperature),
        weight: matrix(&golden.weight).set_requires_grad(true),
        bias: None,
    };
    assert_eq!((layer.squared_norms().size(), layer.masks_per_group()), (vec![3], 1.0));
    let output = layer.forward(&matrix(&golden.x), &golden.noise());
    golden.check(&logits, &layer.weight, &output, &layer.regularization(&golden.regularizer()));
}

/// Three feature maps of one pixel are the three inputs of the linear layer.
#[test]
fn a_convolution_with_three_groups() {
    let golden = Golden::read();
    let logits = Tensor::from_slice(&golden.logits).view([3, 1, 1]).set_requires_grad(true);
    for mask in [ConvMask::FeatureMap, ConvMask::Unit] {
        let layer = ConcreteConv2d {
            dropout: ConcreteDropout::from_logit(logits.shallow_clone(), golden.temperature),
            weight: matrix(&golden.weight).view([2, 3, 1, 1]).set_requires_grad(true),
            bias: None,
            shape: ConvShape { input: [3, 1, 1], outputs: 2, kernel: 1, stride: 1, padding: 0, mask },
        };
        let mut logits = logits.shallow_clone();
        logits.zero_grad();
        let output = layer.forward(&matrix(&golden.x).view([5, 3, 1, 1]), &golden.noise().view([5, 3, 1, 1]));
        let regularizer = layer.regularization(&golden.regularizer());
        golden.check(&logits, &layer.weight, &output.flatten(1, -1), &regularizer);
    }
}

/// Equal p in all groups is one p for the layer, in value and in the sum of the gradients.
#[test]
fn groups_of_equal_p_are_one_group() {
    let golden = Golden::read();
    let of = |logits: &Tensor, shape: ConvShape| {
        let layer = ConcreteConv2d {
            dropout: ConcreteDropout::from_logit(logits.shallow_clone(), golden.temperature),
            weight: Tensor::arange(2 * 3 * 4, (Kind::Double, tch::Device::Cpu)).view([2, 3, 2, 2]) / 10.0,
            bias: None,
            shape,
        };
        layer.regularization(&golden.regularizer())
    };
    for mask in [ConvMask::FeatureMap, ConvMask::Unit] {
        let shape = ConvShape { input: [3, 4, 5], outputs: 2, kernel: 2, stride: 1, padding: 0, mask };
        let one = Tensor::from_slice(&[-0.7]).set_requires_grad(true);
        let many =
            Tensor::full(shape.mask_shape(), -0.7, (Kind::Double, tch::Device::Cpu)).set_requires_grad(true);
        let (of_one, of_many) = (of(&one, shape), of(&many, shape));
        close("regulariser", &of_many, &of_one, 1e-12);
        of_one.backward();
        of_many.backward();
        close("gradient", &many.grad().sum(Kind::Double), &one.grad().squeeze(), 1e-12);
    }
}
