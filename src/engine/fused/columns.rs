//! What a mask of a layer's input depends on: a number for every column of the input.

use crate::concrete::sigmoid;

use super::layout::LayerLayout;

/// Functions of p, for every input of a layer, padded to the stride of its rows.
#[derive(Debug, Default)]
pub struct Columns {
    /// p / (1 - p)
    pub odds: Vec<f32>,
    /// 1 / (1 - p)
    pub scale: Vec<f32>,
    /// For every uniform below it the keep mask rounds to 1.
    pub certain: Vec<f32>,
}

impl Columns {
    /// Those of a layer in a network with these parameters.
    pub fn set(&mut self, layer: &LayerLayout, parameters: &[f32], temperature: f64) {
        // 1 / (1 + e^z) rounds to 1 in f32 where e^z is below 2^-25, whatever the mantissa.
        const CERTAIN: f64 = -17.4;
        for (vector, padding) in
            [(&mut self.odds, 0.0), (&mut self.scale, 1.0), (&mut self.certain, f32::INFINITY)]
        {
            vector.clear();
            vector.resize(layer.input_stride, padding);
        }
        let masks = layer.masks_per_group();
        for (group, &logit) in parameters[layer.p_logits.clone()].iter().enumerate() {
            let odds = logit.min(60.0).exp();
            let inputs = group * masks..(group + 1) * masks;
            self.odds[inputs.clone()].fill(odds);
            self.scale[inputs.clone()].fill(1.0 + odds);
            self.certain[inputs].fill(sigmoid(CERTAIN * temperature - f64::from(logit)) as f32);
        }
    }
}
