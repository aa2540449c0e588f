//! Q(s, a) as numbers with names, and what has to be known to put them together.

use std::collections::HashMap;

use serde::Serialize;

use crate::error::Error;
use crate::network::{LayerShape, LocalDropout, NamedValues, Parameter, QNetwork, TilingNumbers};
use crate::session::Policy;
use crate::tensors::Arrays;
use crate::units::NetworkUnits;

/// All that the values of a policy depend on.
pub struct QFunction<'a> {
    network: &'a QNetwork,
    tilings: Option<TilingNumbers>,
    pub about: About<'a>,
}

/// What the tensors don't say. In the file it is JSON, in the header's `policy`.
#[derive(Debug, Serialize)]
pub struct About<'a> {
    /// The environment's id.
    pub env: &'a str,
    pub actions: &'a [String],
    /// Numbers in an observation.
    pub observation: usize,
    /// Units of the return in a network unit.
    pub return_scale: f64,
    /// Temperature of the masks; 0 for hard ones.
    pub temperature: f64,
    /// Whether there are as many outputs again, which are added to ln tau.
    pub heteroscedastic: bool,
    pub layers: Vec<AboutLayer>,
    pub local: Option<AboutLocal>,
}

/// A layer, a ReLU behind each but the last.
#[derive(Debug, Serialize)]
pub struct AboutLayer {
    /// K: what comes in is divided into as many neighbouring parts of equal size, a mask each.
    pub masks: i64,
    #[serde(flatten)]
    pub kind: Kind,
}

/// What a layer does.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    Linear,
    Conv { input: [i64; 3], stride: i64, padding: i64 },
}

/// Local dropout.
#[derive(Debug, Serialize)]
pub struct AboutLocal {
    pub squared_weight: f64,
    /// Whether an observation's place is that of its 1. Otherwise the tensors tell the tilings.
    pub one_hot: bool,
    /// Cells along an axis of a tiling.
    pub cells: usize,
}

impl<'a> QFunction<'a> {
    /// That of a policy.
    pub fn of(policy: &'a Policy) -> Result<Self, Error> {
        let (network, spec) = (policy.network(), policy.environment().spec());
        let return_scale = network.value_scale().to_return(NetworkUnits(1.0)).0;
        if !policy.has_seen_rewards() {
            return Err(Error::Usage(format!(
                "the run has seen no reward other than 0 in {}, so its values have no unit and can't be exported; train it \
                 longer first",
                spec.id
            )));
        }
        let tilings = network.local().and_then(|local| local.places().numbers());
        let about_local = |local: &LocalDropout| AboutLocal {
            squared_weight: local.squared_weight().into(),
            one_hot: tilings.is_none(),
            cells: tilings.as_ref().map_or(0, |tilings| tilings.cells),
        };
        let about = About {
            env: &spec.id,
            actions: &spec.actions,
            observation: network.dimensions(),
            return_scale,
            temperature: network.temperature(),
            heteroscedastic: network.is_heteroscedastic(),
            layers: network.layer_shapes().into_iter().map(about_layer).collect(),
            local: network.local().map(about_local),
        };
        Ok(Self { network, tilings, about })
    }

    /// Its numbers by name, but those of tilings. What only learning needs is left out.
    pub fn named(&self) -> impl Iterator<Item = NamedValues<'_>> {
        let is_learned_from =
            [Parameter::LocalTargetValue, Parameter::ReturnScale].map(|part| part.to_string());
        self.network.named("").into_iter().filter(move |named| !is_learned_from.contains(&named.name))
    }

    /// The tilings of local dropout, where there are any.
    pub fn tilings(&self) -> Option<&TilingNumbers> {
        self.tilings.as_ref()
    }

    /// Whether a table takes the place of the layers.
    pub fn is_table(&self) -> bool {
        self.network.is_table()
    }

    /// `policy.safetensors`.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, String> {
        let mut arrays = Arrays::default();
        self.named().for_each(|named| arrays.named(named));
        if let Some(tilings) = &self.tilings {
            let TilingNumbers { axes, cells: _, dimensions, offsets, first, strides } = tilings;
            let shape = [first.len(), *axes];
            arrays.integers("local.dimensions", &shape, dimensions);
            arrays.floats("local.offsets", &shape, offsets);
            arrays.integers("local.first", &[first.len()], first);
            arrays.integers("local.strides", &[*axes], strides);
        }
        let about = serde_json::to_string(&self.about).map_err(|error| error.to_string())?;
        arrays.serialize_with(Some(HashMap::from([("policy".to_owned(), about)])))
    }
}

fn about_layer(shape: LayerShape) -> AboutLayer {
    let kind = match shape {
        LayerShape::Linear { .. } => Kind::Linear,
        LayerShape::Conv(conv) => {
            Kind::Conv { input: conv.input, stride: conv.stride, padding: conv.padding }
        }
    };
    AboutLayer { masks: shape.masks(), kind }
}
