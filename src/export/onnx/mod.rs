//! A Q-function as graphs of ONNX: the deterministic pass, and noisy passes whose noise is an input.

mod graph;

use super::function::{AboutLayer, Kind, QFunction};
use graph::{Attribute, Element, Graph, Name};

use crate::network::{Parameter, QNetwork, TilingNumbers};

const OBSERVATION: &str = "observations";
const NOISE: &str = "noise";

/// `mean_pass.onnx`: from `observations`, `[rows, numbers]`, to `q`, `[rows, actions]`, and `action`, the best.
pub fn mean_pass(function: &QFunction<'_>) -> Vec<u8> {
    let mut writer = Writer::start(function);
    let outputs = writer.outputs(None);
    let q = writer.first_outputs(&outputs);
    let q = writer.in_units_of_return(&q);
    writer.output(&q, "q", false);
    writer.best_action(&q);
    writer.finish("mean_pass")
}

/// `noisy_passes.onnx`: from `observations` and `noise`, uniform, `[passes, rows, masks]`, to `q`, `[passes, rows,
/// actions]`, its `mean`, `epistemic_std` and `aleatoric_std`, `[rows, actions]`, and the best `action` by the mean. Of a
/// table there is no noise, and one pass.
pub fn noisy_passes(function: &QFunction<'_>) -> Vec<u8> {
    let mut writer = Writer::start(function);
    let noise = (!function.is_table()).then(|| writer.noise());
    let outputs = writer.outputs(noise.as_deref());
    let outputs = match noise {
        Some(_) => outputs,
        None => writer.unsqueezed(&outputs),
    };
    let q = writer.first_outputs(&outputs);
    let mean = writer.over_passes("ReduceMean", &q);
    let variance = writer.epistemic_variance(&q, &mean);
    let noise_variance = writer.noise_variance(&outputs, &q);
    for (name, value, is_variance) in [
        ("q", &q, false),
        ("mean", &mean, false),
        ("epistemic_std", &variance, true),
        ("aleatoric_std", &noise_variance, true),
    ] {
        let value = if is_variance { writer.graph.node("Sqrt", &[value], &[]) } else { value.clone() };
        let value = writer.in_units_of_return(&value);
        writer.output(&value, name, name == "q");
    }
    writer.best_action(&mean);
    writer.finish("noisy_passes")
}

/// A graph of a function that is being written.
struct Writer<'a> {
    function: &'a QFunction<'a>,
    graph: Graph,
    /// The observation in the scale of the network.
    scaled: Name,
}

impl<'a> Writer<'a> {
    fn start(function: &'a QFunction<'a>) -> Self {
        let mut graph = Graph::default();
        graph.input(OBSERVATION, &["rows", &function.about.observation.to_string()]);
        function.named().for_each(|named| {
            graph.floats(&named.name, named.shape, &named.values);
        });
        let centred = graph.node("Sub", &[OBSERVATION, &Parameter::Centre.to_string()], &[]);
        let scaled = graph.node("Div", &[&centred, &Parameter::HalfWidth.to_string()], &[]);
        Self { function, graph, scaled }
    }

    fn finish(self, name: &str) -> Vec<u8> {
        let actions = serde_json::to_string(self.function.about.actions).unwrap_or_default();
        self.graph.into_model(name, &[("env", self.function.about.env), ("actions", &actions)])
    }

    /// The noise as standard logistic numbers, `[passes, rows, masks of all layers]`.
    fn noise(&mut self) -> Name {
        let masks: i64 = self.function.about.layers.iter().map(|layer| layer.masks).sum();
        self.graph.input(NOISE, &["passes", "rows", &masks.to_string()]);
        let one = self.graph.number(1.0);
        let rest = self.graph.node("Sub", &[&one, NOISE], &[]);
        let [drop, keep] = [NOISE, &rest].map(|u| self.graph.node("Log", &[u], &[]));
        self.graph.node("Sub", &[&drop, &keep], &[])
    }

    /// All outputs in network units: `[rows, outputs]`, under noise `[passes, rows, outputs]`.
    fn outputs(&mut self, noise: Option<&str>) -> Name {
        if self.function.is_table() {
            let places = self.places();
            let values = Parameter::LocalValue.to_string();
            let of_places = self.graph.node("Gather", &[&values, &places], &[Attribute::Whole("axis", 0)]);
            let axis = self.graph.list(&[1]);
            return self.graph.node("Squeeze", &[&of_places, &axis], &[]);
        }
        let mut x = self.features();
        let (mut first, layers) = (0, &self.function.about.layers);
        for (index, layer) in layers.iter().enumerate() {
            x = self.in_shape(&x, layer, noise.is_some() && index > 0);
            if let Some(noise) = noise {
                let of_layer = self.slice(noise, first, first + layer.masks);
                let mask = self.mask(&of_layer, index, layer);
                x = self.graph.node("Mul", &[&x, &mask], &[]);
                first += layer.masks;
            }
            x = self.layer(&x, index, layer, noise);
            if index + 1 < layers.len() {
                x = self.graph.node("Relu", &[&x], &[]);
            }
        }
        x
    }

    /// The scaled observation and its Fourier features.
    fn features(&mut self) -> Name {
        let frequencies = Parameter::Frequencies.to_string();
        if !self.function.named().any(|named| named.name == frequencies) {
            return self.scaled.clone();
        }
        let angle = self.graph.node("MatMul", &[&self.scaled, &frequencies], &[]);
        let [sine, cosine] = ["Sin", "Cos"].map(|wave| self.graph.node(wave, &[&angle], &[]));
        self.graph.node("Concat", &[&self.scaled, &sine, &cosine], &[Attribute::Whole("axis", -1)])
    }

    /// What goes into a convolution as images.
    fn in_shape(&mut self, x: &str, layer: &AboutLayer, has_passes: bool) -> Name {
        let Kind::Conv { input: [channels, rows, columns], .. } = layer.kind else { return x.to_owned() };
        // 0 leaves a size as it is.
        let shape = match has_passes {
            true => self.graph.list(&[0, 0, channels, rows, columns]),
            false => self.graph.list(&[0, channels, rows, columns]),
        };
        self.graph.node("Reshape", &[x, &shape], &[])
    }

    /// `keep / (1-p)` of a layer under its logistic noise, to be multiplied with what goes in.
    fn mask(&mut self, noise: &str, index: usize, layer: &AboutLayer) -> Name {
        let logit = Parameter::DropoutLogit(index).to_string();
        let sum = self.graph.node("Add", &[noise, &logit], &[]);
        let temperature = self.function.about.temperature as f32;
        let keep = if temperature == 0.0 {
            let zero = self.graph.number(0.0);
            let is_kept = self.graph.node("Less", &[&sum, &zero], &[]);
            self.graph.node("Cast", &[&is_kept], &[Attribute::Whole("to", Element::Float as i64)])
        } else {
            let factor = self.graph.number(-1.0 / temperature);
            let scaled = self.graph.node("Mul", &[&sum, &factor], &[]);
            self.graph.node("Sigmoid", &[&scaled], &[])
        };
        let (odds, one) = (self.graph.node("Exp", &[&logit], &[]), self.graph.number(1.0));
        let factor = self.graph.node("Add", &[&odds, &one], &[]);
        let mask = self.graph.node("Mul", &[&keep, &factor], &[]);
        let Kind::Conv { input: [channels, rows, columns], .. } = layer.kind else { return mask };
        let shape = match layer.masks == channels {
            true => self.graph.list(&[0, 0, channels, 1, 1]),
            false => self.graph.list(&[0, 0, channels, rows, columns]),
        };
        self.graph.node("Reshape", &[&mask, &shape], &[])
    }

    /// A layer's weights and biases; what comes out is flat.
    fn layer(&mut self, x: &str, index: usize, layer: &AboutLayer, noise: Option<&str>) -> Name {
        let [weight, bias] = [Parameter::Weight(index), Parameter::Bias(index)].map(|part| part.to_string());
        let has_bias = self.function.named().any(|named| named.name == bias);
        let Kind::Conv { input: [channels, rows, columns], stride, padding } = layer.kind else {
            let columns = self.graph.node("Transpose", &[&weight], &[Attribute::Wholes("perm", &[1, 0])]);
            let product = self.graph.node("MatMul", &[x, &columns], &[]);
            return if has_bias { self.graph.node("Add", &[&product, &bias], &[]) } else { product };
        };
        let images = self.graph.list(&[-1, channels, rows, columns]);
        let images = self.graph.node("Reshape", &[x, &images], &[]);
        let inputs: &[&str] = if has_bias { &[&images, &weight, &bias] } else { &[&images, &weight] };
        let attributes =
            [Attribute::Wholes("strides", &[stride; 2]), Attribute::Wholes("pads", &[padding; 4])];
        let maps = self.graph.node("Conv", inputs, &attributes);
        let flat = match noise {
            None => self.graph.list(&[0, -1]),
            Some(noise) => {
                // Passes and rows again, which the convolution took for one.
                let sizes = self.graph.node("Shape", &[noise], &[Attribute::Whole("end", 2)]);
                let rest = self.graph.list(&[-1]);
                self.graph.node("Concat", &[&sizes, &rest], &[Attribute::Whole("axis", 0)])
            }
        };
        self.graph.node("Reshape", &[&maps, &flat], &[])
    }

    /// The numbers from one to before another of the last dimension.
    fn slice(&mut self, x: &str, from: i64, to: i64) -> Name {
        let [from, to, axis] = [from, to, -1].map(|number| self.graph.list(&[number]));
        self.graph.node("Slice", &[x, &from, &to, &axis], &[])
    }

    /// The outputs that are values.
    fn first_outputs(&mut self, outputs: &str) -> Name {
        match self.function.about.heteroscedastic {
            true => self.slice(outputs, 0, self.actions()),
            false => outputs.to_owned(),
        }
    }

    fn actions(&self) -> i64 {
        self.function.about.actions.len() as i64
    }

    fn unsqueezed(&mut self, x: &str) -> Name {
        let axis = self.graph.list(&[0]);
        self.graph.node("Unsqueeze", &[x, &axis], &[])
    }

    /// A mean over the passes.
    fn over_passes(&mut self, operation: &str, x: &str) -> Name {
        self.graph.node(operation, &[x], &[Attribute::Wholes("axes", &[0]), Attribute::Whole("keepdims", 0)])
    }

    /// The unbiased variance over the passes, 0 of a single one, and that of local dropout.
    fn epistemic_variance(&mut self, q: &str, mean: &str) -> Name {
        let deviation = self.graph.node("Sub", &[q, mean], &[]);
        let square = self.graph.node("Mul", &[&deviation, &deviation], &[]);
        let axis = self.graph.list(&[0]);
        let sum = self.graph.node("ReduceSum", &[&square, &axis], &[Attribute::Whole("keepdims", 0)]);
        let passes = self.graph.node("Shape", &[q], &[Attribute::Whole("end", 1)]);
        let passes = self.graph.node("Cast", &[&passes], &[Attribute::Whole("to", Element::Float as i64)]);
        let one = self.graph.number(1.0);
        let freedom = self.graph.node("Sub", &[&passes, &one], &[]);
        let freedom = self.graph.node("Max", &[&freedom, &one], &[]);
        let variance = self.graph.node("Div", &[&sum, &freedom], &[]);
        match self.local_variance() {
            Some(local) => self.graph.node("Add", &[&variance, &local], &[]),
            None => variance,
        }
    }

    /// The variance of local dropout, `[rows, actions]`.
    fn local_variance(&mut self) -> Option<Name> {
        let squared_weight = self.function.about.local.as_ref()?.squared_weight as f32;
        let places = self.places();
        let odds = self.graph.node("Exp", &[&Parameter::LocalLogit.to_string()], &[]);
        let of_places = self.graph.node("Gather", &[&odds, &places], &[Attribute::Whole("axis", 0)]);
        let axis = self.graph.list(&[1]);
        let sum = self.graph.node("ReduceSum", &[&of_places, &axis], &[Attribute::Whole("keepdims", 0)]);
        let squared_weight = self.graph.number(squared_weight);
        Some(self.graph.node("Mul", &[&sum, &squared_weight], &[]))
    }

    /// The places that an observation is in, `[rows, places]`.
    fn places(&mut self) -> Name {
        match self.function.tilings() {
            Some(tilings) => self.cells(tilings),
            None => self.one_hot(),
        }
    }

    fn one_hot(&mut self) -> Name {
        let half = self.graph.number(0.5);
        let is_one = self.graph.node("Greater", &[OBSERVATION, &half], &[]);
        let ones = self.graph.node("Cast", &[&is_one], &[Attribute::Whole("to", Element::Float as i64)]);
        // One more that is always 1, and so the first where there is no other.
        let pads = self.graph.list(&[0, 0, 0, 1]);
        let one = self.graph.number(1.0);
        let padded = self.graph.node("Pad", &[&ones, &pads, &one], &[]);
        self.graph.node("ArgMax", &[&padded], &[Attribute::Whole("axis", 1)])
    }

    fn cells(&mut self, tilings: &TilingNumbers) -> Name {
        let TilingNumbers { axes, cells, dimensions, offsets, first, strides } = tilings;
        let shape = [first.len() as i64, *axes as i64];
        let whole = |values: &[u32]| values.iter().map(|&value| value.into()).collect::<Vec<i64>>();
        let dimensions = self.graph.wholes("local.dimensions", &shape, &whole(dimensions));
        let offsets = self.graph.floats("local.offsets", &shape, offsets);
        let first = self.graph.wholes("local.first", &shape[..1], &whole(first));
        let strides = self.graph.wholes("local.strides", &shape[1..], &whole(strides));
        let [zero, half, one, cells] = [0.0, 0.5, 1.0, *cells as f32].map(|value| self.graph.number(value));
        let shifted = self.graph.node("Add", &[&self.scaled, &one], &[]);
        let unit = self.graph.node("Mul", &[&shifted, &half], &[]);
        let unit = self.graph.node("Clip", &[&unit, &zero, &one], &[]);
        let unit = self.graph.node("Gather", &[&unit, &dimensions], &[Attribute::Whole("axis", 1)]);
        let along = self.graph.node("Mul", &[&unit, &cells], &[]);
        let along = self.graph.node("Add", &[&along, &offsets], &[]);
        let along = self.graph.node("Floor", &[&along], &[]);
        let along = self.graph.node("Min", &[&along, &cells], &[]);
        let along = self.graph.node("Cast", &[&along], &[Attribute::Whole("to", Element::Whole as i64)]);
        let along = self.graph.node("Mul", &[&along, &strides], &[]);
        let axis = self.graph.list(&[-1]);
        let cell = self.graph.node("ReduceSum", &[&along, &axis], &[Attribute::Whole("keepdims", 0)]);
        self.graph.node("Add", &[&cell, &first], &[])
    }

    /// The variance of the TD targets' noise, `[rows, actions]`: 1 / tau, of a heteroscedastic network its mean over the
    /// passes.
    fn noise_variance(&mut self, outputs: &str, q: &str) -> Name {
        let common = Parameter::LogPrecision.to_string();
        if self.function.about.heteroscedastic {
            let own = self.slice(outputs, self.actions(), 2 * self.actions());
            let sum = self.graph.node("Add", &[&own, &common], &[]);
            let bound = QNetwork::LOG_PRECISION_BOUND;
            let [low, high] = [-bound, bound].map(|bound| self.graph.number(bound));
            let log_precision = self.graph.node("Clip", &[&sum, &low, &high], &[]);
            let log_variance = self.graph.node("Neg", &[&log_precision], &[]);
            let variance = self.graph.node("Exp", &[&log_variance], &[]);
            return self.over_passes("ReduceMean", &variance);
        }
        let log_variance = self.graph.node("Neg", &[&common], &[]);
        let variance = self.graph.node("Exp", &[&log_variance], &[]);
        let sizes = self.graph.node("Shape", &[q], &[Attribute::Whole("start", 1)]);
        self.graph.node("Expand", &[&variance, &sizes], &[])
    }

    fn in_units_of_return(&mut self, x: &str) -> Name {
        let scale = self.graph.number(self.function.about.return_scale as f32);
        self.graph.node("Mul", &[x, &scale], &[])
    }

    fn output(&mut self, result: &str, name: &str, has_passes: bool) {
        let actions = self.actions().to_string();
        let shape = ["passes", "rows", &actions];
        self.graph.output(result, name, Element::Float, &shape[usize::from(!has_passes)..]);
    }

    fn best_action(&mut self, q: &str) {
        let attributes = [Attribute::Whole("axis", -1), Attribute::Whole("keepdims", 0)];
        let best = self.graph.node("ArgMax", &[q], &attributes);
        self.graph.output(&best, "action", Element::Whole, &["rows"]);
    }
}
