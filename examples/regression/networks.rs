//! Many small networks side by side: the same tensors hold all of them, so that a step of thirty costs little more than
//! one of five. They share nothing but the noise generator.

use concrete_dqn::concrete::{ConcreteDropout, LogisticNoise, Regularizer, Temperature, logit};
use concrete_dqn::randomness::{Stream, generator};
use rand::RngExt;
use tch::nn::{self, Path, VarStore};
use tch::{Device, Kind, Tensor};

/// Group of the optimiser that holds p logits, log precisions and log temperatures; weights are in group 0.
pub const DROPOUT: usize = 1;

/// How the observation noise is modelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noise {
    /// One learned precision tau for all inputs.
    Homoscedastic,
    /// A head of the network gives the logarithm of the variance of each input, as in the authors' notebook.
    Heteroscedastic,
}

/// What the networks look like and start from.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Units of each of the three hidden layers.
    pub width: i64,
    pub noise: Noise,
    /// Temperature of the masks.
    pub temperature: f64,
    /// Whether it is learned, from there.
    pub learned_temperature: bool,
}

/// Dropout and a linear layer for each network: weight `[networks, inputs, outputs]`, p logit `[networks, 1, 1]`.
struct Layer {
    dropout: ConcreteDropout,
    weight: Tensor,
    bias: Tensor,
}

impl Layer {
    fn new(path: &Path<'_>, shape: &Shape, inputs: i64, outputs: i64, seeds: &[u64], index: u64) -> Self {
        let networks = seeds.len() as i64;
        // Uniform on +-1/sqrt(inputs), as PyTorch's linear layers start; of one seed the same whoever stands beside.
        let bound = 1.0 / (inputs as f32).sqrt();
        let uniform = |count: i64| -> Vec<f32> {
            let values = seeds.iter().flat_map(|seed| {
                let mut random =
                    generator(seed * 1000 + index * 2 + u64::from(count == outputs), Stream::Initialisation);
                (0..count).map(move |_| random.random_range(-bound..bound)).collect::<Vec<f32>>()
            });
            values.collect()
        };
        let weight = Tensor::from_slice(&uniform(inputs * outputs)).view([networks, inputs, outputs]);
        let bias = Tensor::from_slice(&uniform(outputs)).view([networks, 1, outputs]);
        let slow = path.set_group(DROPOUT);
        let p_logit = slow.var("p_logit", &[networks, 1, 1], nn::Init::Const(logit(0.1)));
        let temperature = if shape.learned_temperature {
            Temperature::Learned(slow.var(
                "log_temperature",
                &[networks, 1, 1],
                nn::Init::Const(shape.temperature.ln()),
            ))
        } else {
            Temperature::Fixed(shape.temperature)
        };
        Self {
            dropout: ConcreteDropout::from_logit(p_logit, temperature),
            weight: path.var_copy("weight", &weight),
            bias: path.var_copy("bias", &bias),
        }
    }

    fn inputs(&self) -> i64 {
        self.weight.size()[1]
    }

    fn linear(&self, x: &Tensor) -> Tensor {
        x.matmul(&self.weight) + &self.bias
    }
}

/// Networks of one shape, each with a dataset size N of its own: three hidden layers of rectified units, dropout in front
/// of every linear layer.
pub struct Networks {
    store: VarStore,
    /// The hidden layers, then the mean's, then the log variance's if it has one.
    layers: Vec<Layer>,
    /// ln tau, `[networks, 1, 1]`, where there is one for all inputs.
    log_precision: Option<Tensor>,
    /// N of the objective, `[networks, 1, 1]`.
    dataset_sizes: Tensor,
    length_scale: f64,
}

const HIDDEN: usize = 3;

/// What the networks say of a batch: `[networks, rows, 1]` each, or `[networks, 1, 1]` where the variance is one for all.
pub struct Prediction {
    pub mean: Tensor,
    pub log_variance: Tensor,
}

impl Networks {
    /// A network for each of `seeds`, and N for each of them.
    pub fn new(shape: &Shape, length_scale: f64, seeds: &[u64], dataset_sizes: &[usize]) -> Self {
        let store = VarStore::new(Device::Cpu);
        let mut sizes =
            vec![(1, shape.width), (shape.width, shape.width), (shape.width, shape.width), (shape.width, 1)];
        if shape.noise == Noise::Heteroscedastic {
            sizes.push((shape.width, 1));
        }
        let root = store.root();
        let layers = sizes.into_iter().enumerate().map(|(index, (inputs, outputs))| {
            Layer::new(&(&root / index), shape, inputs, outputs, seeds, index as u64)
        });
        let layers = layers.collect();
        let log_precision = (shape.noise == Noise::Homoscedastic).then(|| {
            let one = [seeds.len() as i64, 1, 1];
            root.set_group(DROPOUT).var("log_precision", &one, nn::Init::Const(0.0))
        });
        let mut networks =
            Self { store, layers, log_precision, dataset_sizes: Tensor::default(), length_scale };
        networks.set_dataset_sizes(dataset_sizes);
        networks
    }

    /// More data came in: N of each network from now on.
    pub fn set_dataset_sizes(&mut self, dataset_sizes: &[usize]) {
        let sizes: Vec<f32> = dataset_sizes.iter().map(|size| *size as f32).collect();
        self.dataset_sizes = Tensor::from_slice(&sizes).view([-1, 1, 1]);
    }

    /// The temperature of all masks from now on; 0 makes them hard.
    pub fn set_temperature(&mut self, temperature: f64) {
        for layer in &mut self.layers {
            layer.dropout.temperature = Temperature::Fixed(temperature);
        }
    }

    /// Temperature of the first hidden layer's masks in each network.
    pub fn temperatures(&self) -> Vec<f64> {
        match &self.layers[1].dropout.temperature {
            Temperature::Fixed(temperature) => vec![*temperature; self.count()],
            Temperature::Learned(log) => numbers(&log.exp()),
        }
    }

    /// The variables, for an optimiser.
    pub fn store(&self) -> &VarStore {
        &self.store
    }

    /// Number of networks.
    pub fn count(&self) -> usize {
        self.dataset_sizes.numel()
    }

    /// One noisy pass over `x` `[networks, rows, 1]`, every row with a mask of its own.
    pub fn sample(&self, x: &Tensor, noise: &mut LogisticNoise) -> Prediction {
        self.through_layers(x, |_, layer, x| {
            layer.linear(&layer.dropout.apply(x, &noise.sample(&x.size(), Device::Cpu)))
        })
    }

    fn through_layers(
        &self,
        x: &Tensor,
        mut forward: impl FnMut(usize, &Layer, &Tensor) -> Tensor,
    ) -> Prediction {
        let mut x = x.shallow_clone();
        for (index, layer) in self.layers[..HIDDEN].iter().enumerate() {
            x = forward(index, layer, &x).relu();
        }
        let mean = forward(HIDDEN, &self.layers[HIDDEN], &x);
        let log_variance = match (&self.log_precision, self.layers.get(HIDDEN + 1)) {
            (None, Some(head)) => forward(HIDDEN + 1, head, &x),
            (Some(log_precision), _) => -log_precision,
            (None, None) => mean.zeros_like(),
        };
        Prediction { mean, log_variance }
    }

    /// Twice the negative evidence bound per datum of each network, `[networks, 1, 1]`, from one noisy pass over a batch of
    /// `x` and `y` `[networks, rows, 1]`.
    pub fn loss(&self, x: &Tensor, y: &Tensor, noise: &mut LogisticNoise) -> Tensor {
        let Prediction { mean, log_variance } = self.sample(x, noise);
        let errors = (mean - y).square() * (-&log_variance).exp() + log_variance;
        let data_term = errors.mean_dim(1_i64, true, Kind::Float);
        // Its N is each network's own, below.
        let regularizer = Regularizer { length_scale: self.length_scale, precision: 1.0, dataset_size: 1.0 };
        let penalties = self.layers.iter().map(|layer| {
            let p_logit = &layer.dropout.p_logit;
            let norms = layer.weight.square().sum_dim_intlist([1_i64, 2].as_slice(), true, Kind::Float);
            regularizer.weight_term(&norms, p_logit)
                + regularizer.entropy_term(layer.inputs() as f64, p_logit)
        });
        let penalty: Tensor = penalties.sum();
        data_term + penalty / &self.dataset_sizes
    }

    /// p of each layer, `[layer][network]`: the three in front of the hidden layers, the mean's, the log variance's.
    pub fn p(&self) -> Vec<Vec<f64>> {
        self.layers.iter().map(|layer| numbers(&layer.dropout.p_logit.sigmoid())).collect()
    }

    /// c of each layer `[layer][network]` at inputs `x` `[networks, rows, 1]`: the sum over a layer's inputs of the squared
    /// change of the mean that dropping it makes, to first order, averaged over rows. Noise in this layer alone then has
    /// the variance `c p / (1-p)`.
    pub fn sensitivity(&self, x: &Tensor) -> Vec<Vec<f64>> {
        let mut masks = Vec::new();
        let prediction = self.through_layers(x, |_, layer, x| {
            let mask = x.ones_like().set_requires_grad(true);
            let out = layer.linear(&(x * &mask));
            masks.push(mask);
            out
        });
        let masks = &masks[..=HIDDEN];
        let gradients = Tensor::run_backward(&[prediction.mean.sum(Kind::Float)], masks, false, false);
        let layer = |gradient: &Tensor| {
            let changes = gradient.square().sum_dim_intlist(2_i64, false, Kind::Float);
            numbers(&changes.mean_dim(1_i64, false, Kind::Float))
        };
        gradients.iter().map(layer).collect()
    }
}

/// The elements of a tensor, in a row.
pub fn numbers(tensor: &Tensor) -> Vec<f64> {
    let tensor = tensor.detach().to_kind(Kind::Double).contiguous().view(-1);
    let mut numbers = vec![0.0; tensor.numel()];
    let count = numbers.len();
    tensor.copy_data(&mut numbers, count);
    numbers
}
