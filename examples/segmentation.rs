//! Concrete Dropout on images: which pixels belong to the disc? A square beside it looks just like it, pixel by pixel.
//!
//! ```sh
//! cargo run --release --example segmentation
//! ```
//!
//! Trains a small convolutional network twice: with the N that goes with a mean over pixels, and with the number of images,
//! which forgets that every pixel is a datum. Prints a table of both and draws held-out images with what the first network
//! predicts and how sure it is, `runs/segmentation/segmentation.png`.

use std::path::Path;
use std::process::ExitCode;

use concrete_dqn::Error;
use concrete_dqn::concrete::{
    ConcreteConv2d, ConcreteDropout, ConvMask, ConvShape, LogisticNoise, PixelLoss, Regularizer, logit,
    pixelwise_dataset_size,
};
use concrete_dqn::plot::{Bounds, Heatmap, HeatmapRow, Heatmaps, draw_heatmaps};
use concrete_dqn::randomness::{Generator, Stream, generator};
use control_envs::rand::RngExt;
use tch::{Device, Kind, Reduction, Tensor, nn, nn::OptimizerConfig};

/// Rows and columns of an image.
const SIDE: i64 = 16;
const BATCH: i64 = 20;
const PASSES: usize = 20;
const SEEDS: u64 = 5;

/// How much is trained.
struct Study {
    images: i64,
    held_out: i64,
    steps: u32,
}

/// Images `[images, 1, SIDE, SIDE]`, and 1 where a pixel belongs to the disc.
struct Shapes {
    images: Tensor,
    discs: Tensor,
}

impl Shapes {
    /// One disc and one square an image, of one brightness, and noise.
    fn draw(count: i64, random: &mut Generator, noise: &mut LogisticNoise) -> Self {
        let (mut shapes, mut discs) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let mut place = || -> [f32; 2] { std::array::from_fn(|_| random.random_range(3.0..12.0)) };
            let (disc, square) = (place(), place());
            let radius: f32 = random.random_range(2.2..3.5);
            let brightness: f32 = random.random_range(0.6..1.0);
            for pixel in 0..SIDE * SIDE {
                let at = [(pixel / SIDE) as f32, (pixel % SIDE) as f32];
                let from = |centre: [f32; 2]| [at[0] - centre[0], at[1] - centre[1]];
                let [x, y] = from(disc);
                let in_disc = x.hypot(y) <= radius;
                // As large as the disc.
                let in_square = from(square).iter().all(|offset| offset.abs() <= 0.89 * radius);
                shapes.push(if in_disc || in_square { brightness } else { 0.0 });
                discs.push(f32::from(u8::from(in_disc)));
            }
        }
        let size = [count, 1, SIDE, SIDE];
        let noise = noise.sample(&size, Device::Cpu) * 0.05;
        Self {
            images: Tensor::from_slice(&shapes).view(size) + noise,
            discs: Tensor::from_slice(&discs).view(size),
        }
    }
}

/// Three convolutions of 5 x 5 with as many dropout probabilities.
struct Network {
    store: nn::VarStore,
    layers: Vec<ConcreteConv2d>,
}

impl Network {
    fn new(random: &mut Generator) -> Self {
        let store = nn::VarStore::new(Device::Cpu);
        let root = store.root();
        // A feature map is dropped as a whole; of the image, that would be all there is.
        let shapes = [(1, 16, ConvMask::Unit), (16, 16, ConvMask::FeatureMap), (16, 1, ConvMask::FeatureMap)];
        let layers = shapes.into_iter().enumerate().map(|(index, (channels, outputs, mask))| {
            let path = &root / index;
            let shape =
                ConvShape { input: [channels, SIDE, SIDE], outputs, kernel: 5, stride: 1, padding: 2, mask };
            let inputs = shape.weight()[1..].iter().product::<i64>();
            let bound = 1.0 / (inputs as f32).sqrt();
            let values: Vec<f32> =
                (0..inputs * outputs).map(|_| random.random_range(-bound..bound)).collect();
            let p_logit = path.set_group(1).var("p_logit", &[1], nn::Init::Const(logit(0.1)));
            ConcreteConv2d {
                dropout: ConcreteDropout::from_logit(p_logit, 0.1),
                weight: path.var_copy("weight", &Tensor::from_slice(&values).view(shape.weight())),
                bias: Some(path.zeros("bias", &[outputs])),
                shape,
            }
        });
        let layers = layers.collect();
        Self { store, layers }
    }

    /// Logits of one noisy pass, `[images, 1, SIDE, SIDE]`.
    fn pass(&self, images: &Tensor, noise: &mut LogisticNoise) -> Tensor {
        let rows = images.size()[0];
        let mut x = images.shallow_clone();
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x, &noise.sample(&layer.noise_shape(rows), Device::Cpu));
            x = if index + 1 < self.layers.len() { x.relu() } else { x };
        }
        x
    }

    fn train(
        &self,
        shapes: &Shapes,
        dataset_size: f64,
        steps: u32,
        noise: &mut LogisticNoise,
    ) -> Result<(), Error> {
        let failed =
            |error: tch::TchError| Error::Usage(format!("the optimiser could not be built: {error}"));
        let mut optimizer = nn::Adam::default().build(&self.store, 3e-3).map_err(failed)?;
        let regularizer = Regularizer { length_scale: 0.01, precision: 1.0, dataset_size };
        let batches = shapes.images.size()[0] / BATCH;
        for step in 0..steps {
            let left = 1.0 - f64::from(step) / f64::from(steps);
            optimizer.set_lr_group(0, 3e-3 * left);
            optimizer.set_lr_group(1, 5e-2 * left);
            let first = i64::from(step) % batches * BATCH;
            let (images, discs) =
                (shapes.images.narrow(0, first, BATCH), shapes.discs.narrow(0, first, BATCH));
            let logits = self.pass(&images, noise);
            // Twice the negative log-likelihood, as everywhere.
            let data =
                logits.binary_cross_entropy_with_logits::<Tensor>(&discs, None, None, Reduction::Mean) * 2.0;
            let kl: Tensor = self.layers.iter().map(|layer| layer.regularization(&regularizer)).sum();
            optimizer.backward_step(&(data + kl).sum(Kind::Float));
        }
        Ok(())
    }
}

/// What passes over held-out images say of every pixel, each `[images, 1, SIDE, SIDE]`.
struct Predicted {
    probability: Tensor,
    epistemic_std: Tensor,
}

impl Predicted {
    fn of(network: &Network, images: &Tensor, noise: &mut LogisticNoise) -> Self {
        let passes: Vec<Tensor> =
            tch::no_grad(|| (0..PASSES).map(|_| network.pass(images, noise).sigmoid()).collect());
        let (epistemic_std, probability) = Tensor::stack(&passes, 0).std_mean_dim(0, true, false);
        Self { probability, epistemic_std }
    }

    /// Pixels in both the predicted and the true disc, as a share of those in either.
    fn intersection_over_union(&self, discs: &Tensor) -> f64 {
        let (predicted, truth) = (self.probability.gt(0.5), discs.gt(0.5));
        let count = |pixels: Tensor| pixels.sum(Kind::Float).double_value(&[]);
        count(predicted.logical_and(&truth)) / count(predicted.logical_or(&truth))
    }
}

/// What a training came to.
struct Trained {
    p: Vec<f64>,
    intersection_over_union: f64,
    epistemic_std: f64,
    predicted: Predicted,
}

fn train(study: &Study, seed: u64, dataset_size: f64, held_out: &Shapes) -> Result<Trained, Error> {
    let mut random = generator(seed, Stream::Environment);
    let mut noise = LogisticNoise::new(generator(seed, Stream::Noise));
    let shapes = Shapes::draw(study.images, &mut random, &mut noise);
    let network = Network::new(&mut generator(seed, Stream::Initialisation));
    network.train(&shapes, dataset_size, study.steps, &mut noise)?;
    let predicted = Predicted::of(&network, &held_out.images, &mut noise);
    Ok(Trained {
        p: network.layers.iter().map(|layer| layer.dropout.mean_p()).collect(),
        intersection_over_union: predicted.intersection_over_union(&held_out.discs),
        epistemic_std: predicted.epistemic_std.mean(Kind::Float).double_value(&[]),
        predicted,
    })
}

/// Both trainings, with N of pixels first.
fn run(study: &Study, seed: u64) -> Result<(Shapes, [Trained; 2]), Error> {
    tch::set_num_threads(1);
    let mut random = generator(seed, Stream::Evaluation);
    let mut noise = LogisticNoise::new(generator(seed, Stream::EvaluationNoise));
    let held_out = Shapes::draw(study.held_out, &mut random, &mut noise);
    let images = study.images as usize;
    let size = |loss| pixelwise_dataset_size(images, SIDE as usize, SIDE as usize, loss);
    let pixels = train(study, seed, size(PixelLoss::Mean), &held_out)?;
    let forgotten = train(study, seed, images as f64, &held_out)?;
    Ok((held_out, [pixels, forgotten]))
}

/// Values from 0 to 1 of an image as percentages.
fn percentages(pixels: &Tensor, image: i64) -> Vec<Vec<f64>> {
    let value = |row: i64, column: i64| pixels.double_value(&[image, 0, row, column]).clamp(0.0, 1.0);
    (0..SIDE).map(|row| (0..SIDE).map(|column| (100.0 * value(row, column)).round()).collect()).collect()
}

fn figure(held_out: &Shapes, predicted: &Predicted) -> Heatmaps {
    let row = |image: i64| {
        let heatmap = |name: &str, pixels: &Tensor| Heatmap {
            name: name.to_owned(),
            cells: percentages(pixels, image),
            dots: Vec::new(),
        };
        HeatmapRow {
            name: format!("Held-out image {}", image + 1),
            colors: None,
            heatmaps: vec![
                heatmap("brightness", &held_out.images),
                heatmap("disc", &held_out.discs),
                heatmap("predicted probability", &predicted.probability),
                heatmap("epistemic std", &predicted.epistemic_std),
            ],
        }
    };
    let pixels = |name: &str| Bounds { name: format!("{name} (pixels)"), low: 0.0, high: SIDE as f64 };
    Heatmaps {
        title: "Which pixels belong to the disc".to_owned(),
        subtitle: format!(
            "Mean and standard deviation of the probability over {PASSES} passes; white: below half a percent"
        ),
        horizontal: pixels("column"),
        vertical: pixels("row"),
        counted: "percent".to_owned(),
        rows: (0..3).map(row).collect(),
    }
}

/// Mean and standard deviation over the seeds.
fn spread(values: &[f64]) -> String {
    let values = Tensor::from_slice(values);
    let (std, mean) = values.std_mean(true);
    format!("{:.3} ± {:.3}", mean.double_value(&[]), std.double_value(&[]))
}

fn study() -> Result<(), Error> {
    let study = Study { images: 200, held_out: 100, steps: 500 };
    let seeds = (0..SEEDS).map(|seed| run(&study, seed)).collect::<Result<Vec<_>, _>>()?;
    println!("{SEEDS} seeds: mean and standard deviation over them");
    println!(
        "| N | p, image | p, hidden 1 | p, hidden 2 | disc found (IoU) | epistemic std |\n|---|---|---|---|---|---|"
    );
    for (index, name) in ["images x pixels", "images, pixels forgotten"].into_iter().enumerate() {
        let column = |value: &dyn Fn(&Trained) -> f64| {
            spread(&seeds.iter().map(|(_, trained)| value(&trained[index])).collect::<Vec<_>>())
        };
        let p: Vec<String> = (0..3).map(|layer| column(&|trained| trained.p[layer])).collect();
        let found = column(&|trained| trained.intersection_over_union);
        println!("| {name} | {} | {found} | {} |", p.join(" | "), column(&|trained| trained.epistemic_std));
    }
    if let Some((held_out, [pixels, _])) = seeds.first() {
        let stem = Path::new("runs/segmentation").join("segmentation");
        for path in draw_heatmaps(&figure(held_out, &pixels.predicted), &stem)? {
            println!("{}", path.display());
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let outcome = study();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgotten_size_lets_p_rise_from_where_it_started() {
        let (_, [pixels, forgotten]) = run(&Study { images: 20, held_out: 20, steps: 40 }, 0).unwrap();
        for (layer, (p, other)) in pixels.p.iter().zip(&forgotten.p).enumerate() {
            println!("layer {layer}: p {p:.3}, with the size forgotten {other:.3}");
            assert!(p < other && *other > 0.2, "layer {layer}: {p} and {other}");
        }
    }
}
