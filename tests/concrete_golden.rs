//! The layer against the paper authors' own code; the origin of the data is in `tests/data/README.md`.
//!
//! Two differences are on purpose, and each is accounted for exactly, so that everything agrees to 1e-9 in f64:
//!
//! - the notebook squares the bias together with the weight; we leave the bias, which is not dropped, alone;
//! - the notebook adds eps = 1e-7 inside each logarithm of the mask (not of the entropy); we work from the logit, which
//!   needs none. There eps shifts the noise and changes the derivative by the logit a little.
#![allow(clippy::unwrap_used, reason = "a test that can't read its data should fail")]

use concrete_dqn::concrete::{ConcreteDropout, ConcreteLinear, Regularizer, sigmoid};
use serde::Deserialize;
use tch::{Kind, Tensor};

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    length_scale: f64,
    precision: f64,
    dataset_size: f64,
    temperature: f64,
    eps: f64,
    weight_regularizer: f64,
    dropout_regularizer: f64,
    p_logit: f64,
    x: Vec<Vec<f64>>,
    y: Vec<Vec<f64>>,
    uniform_noise: Vec<Vec<f64>>,
    weight: Vec<Vec<f64>>,
    bias: Vec<f64>,
    output: Vec<Vec<f64>>,
    regularizer: f64,
    bias_term_in_regularizer: f64,
    loss: f64,
    grad_weight: Vec<Vec<f64>>,
    grad_bias: Vec<f64>,
    grad_p_logit: f64,
}

fn matrix(rows: &[Vec<f64>]) -> Tensor {
    Tensor::stack(&rows.iter().map(|row| Tensor::from_slice(row)).collect::<Vec<_>>(), 0)
}

fn assert_close(name: &str, ours: &Tensor, golden: &Tensor, tolerance: f64) {
    assert_eq!(ours.size(), golden.size(), "{name}");
    let error = ((ours - golden).abs() / (golden.abs() + 1.0)).max().double_value(&[]);
    assert!(error < tolerance, "{name}: error {error}");
}

fn assert_scalar(name: &str, ours: f64, golden: f64, tolerance: f64) {
    assert_close(name, &Tensor::from(ours), &Tensor::from(golden), tolerance);
}

/// Checks one case in the given kind.
fn check(case: &Case, kind: Kind, tolerance: f64) {
    let eps = case.eps;
    let leaf = |tensor: Tensor| tensor.to_kind(kind).set_requires_grad(true);
    let layer = ConcreteLinear {
        dropout: ConcreteDropout::from_logit(leaf(Tensor::from_slice(&[case.p_logit])), case.temperature),
        weight: leaf(matrix(&case.weight)),
        bias: Some(leaf(Tensor::from_slice(&case.bias))),
    };
    let regularizer = Regularizer {
        length_scale: case.length_scale,
        precision: case.precision,
        dataset_size: case.dataset_size,
    };
    assert_scalar("weight coefficient", regularizer.weight_coefficient(), case.weight_regularizer, 1e-15);
    assert_scalar("dropout coefficient", regularizer.dropout_coefficient(), case.dropout_regularizer, 1e-15);

    // The notebook's noise and logit, eps included, less our logit.
    let (p, q) = (sigmoid(case.p_logit), sigmoid(-case.p_logit));
    let u = matrix(&case.uniform_noise);
    let shift = (p + eps).ln() - (q + eps).ln() - case.p_logit;
    let noise = leaf((&u + eps).log() - (-&u + 1.0 + eps).log() + shift);

    let output = layer.forward(&matrix(&case.x).to_kind(kind), &noise);
    assert_close("output", &output.to_kind(Kind::Double), &matrix(&case.output), tolerance);

    let ours = layer.regularization(&regularizer).sum(kind);
    let golden_regularizer = case.regularizer - case.bias_term_in_regularizer;
    assert_scalar("regularizer", ours.double_value(&[]), golden_regularizer, tolerance);

    let errors = (&output - matrix(&case.y).to_kind(kind)).square();
    let loss = errors.sum_dim_intlist(1, false, kind).mean(kind) + ours;
    assert_scalar(
        "loss",
        loss.double_value(&[]),
        case.loss - case.regularizer + golden_regularizer,
        tolerance,
    );
    loss.backward();
    assert_close(
        "weight gradient",
        &layer.weight.grad().to_kind(Kind::Double),
        &matrix(&case.grad_weight),
        tolerance,
    );

    // The bias term is c ||b||^2 / (1-p), and 1/(1-p) = 1 + exp(logit).
    let bias = Tensor::from_slice(&case.bias);
    let golden_bias = Tensor::from_slice(&case.grad_bias) - &bias * (2.0 * case.weight_regularizer / q);
    let ours = layer.bias.as_ref().unwrap().grad().to_kind(Kind::Double);
    assert_close("bias gradient", &ours, &golden_bias, tolerance);

    // Noise and logit enter the mask as a sum, so the noise's gradient is the mask's share of the logit's; there the
    // notebook has the derivative of ln(p + eps) - ln(q + eps) instead of 1.
    let mask_share = noise.grad().sum(Kind::Double).double_value(&[]);
    let mask_factor = p * q * (1.0 / (p + eps) + 1.0 / (q + eps));
    let golden_p = case.grad_p_logit - case.bias_term_in_regularizer * p - mask_share * (mask_factor - 1.0);
    assert_scalar("p gradient", layer.dropout.p_logit.grad().double_value(&[0]), golden_p, tolerance);
}

#[test]
fn the_layer_agrees_with_the_authors_code() {
    let golden: Golden = serde_json::from_str(include_str!("data/concrete_dropout_golden.json")).unwrap();
    assert_eq!(golden.cases.len(), 4);
    for case in &golden.cases {
        check(case, Kind::Double, 1e-9);
        check(case, Kind::Float, 1e-4);
    }
}
