//! A graph of [ONNX](https://onnx.ai/onnx/repo-docs/IR.html) that is being written.

use std::collections::HashSet;

use crate::protobuf::Message;

/// The version of the operators.
const OPSET: u64 = 17;
/// The version of the format that came with them.
const IR_VERSION: u64 = 8;

/// The name of a tensor in a graph.
pub type Name = String;

/// The type of a tensor's numbers, as the format counts them.
#[derive(Debug, Clone, Copy)]
pub enum Element {
    Float = 1,
    Whole = 7,
}

/// An attribute of an operation.
#[derive(Debug, Clone, Copy)]
pub enum Attribute<'a> {
    Whole(&'a str, i64),
    Wholes(&'a str, &'a [i64]),
}

/// Operations in the order in which they are done, and what they start from.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: Vec<Message>,
    /// What the nodes take.
    taken: HashSet<Name>,
    initializers: Vec<(Name, Message)>,
    inputs: Vec<Message>,
    outputs: Vec<Message>,
}

impl Graph {
    /// Adds an operation with one result and returns the result's name.
    pub fn node(&mut self, operation: &str, inputs: &[&str], attributes: &[Attribute<'_>]) -> Name {
        let name = format!("{}_{}", operation.to_lowercase(), self.nodes.len());
        self.named_node(operation, inputs, &name, attributes);
        name
    }

    /// Gives a result of the graph its name.
    pub fn output(&mut self, result: &str, name: &str, element: Element, shape: &[&str]) {
        self.named_node("Identity", &[result], name, &[]);
        self.outputs.push(value(name, element, shape));
    }

    fn named_node(&mut self, operation: &str, inputs: &[&str], output: &str, attributes: &[Attribute<'_>]) {
        self.taken.extend(inputs.iter().map(ToString::to_string));
        let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
        let node = node.text(2, output).text(3, output).text(4, operation);
        self.nodes
            .push(attributes.iter().fold(node, |node, attribute| node.message(5, &attribute.message())));
    }

    /// Adds an input of the graph. A number in its shape is that; a word stands for any number.
    pub fn input(&mut self, name: &str, shape: &[&str]) {
        self.inputs.push(value(name, Element::Float, shape));
    }

    /// Adds numbers.
    pub fn floats(&mut self, name: &str, shape: &[i64], values: &[f32]) -> Name {
        self.initializer(name, shape, Element::Float, bytemuck::cast_slice(values))
    }

    /// Adds whole numbers.
    pub fn wholes(&mut self, name: &str, shape: &[i64], values: &[i64]) -> Name {
        self.initializer(name, shape, Element::Whole, bytemuck::cast_slice(values))
    }

    /// Adds a number that needs no name.
    pub fn number(&mut self, value: f32) -> Name {
        self.floats(&format!("number_{}", self.initializers.len()), &[], &[value])
    }

    /// Adds whole numbers that need no name, such as a shape.
    pub fn list(&mut self, values: &[i64]) -> Name {
        self.wholes(&format!("list_{}", self.initializers.len()), &[values.len() as i64], values)
    }

    fn initializer(&mut self, name: &str, shape: &[i64], element: Element, bytes: &[u8]) -> Name {
        let tensor = shape.iter().fold(Message::default(), |tensor, &size| tensor.whole(1, size as u64));
        let tensor = tensor.whole(2, element as u64).text(8, name).bytes(9, bytes);
        self.initializers.push((name.to_owned(), tensor));
        name.to_owned()
    }

    /// The file, without numbers that nothing takes. `notes` are names and texts beside the graph.
    pub fn into_model(self, name: &str, notes: &[(&str, &str)]) -> Vec<u8> {
        let mut graph = Message::default();
        let taken = self.initializers.into_iter().filter(|(name, _)| self.taken.contains(name));
        let initializers: Vec<Message> = taken.map(|(_, tensor)| tensor).collect();
        for (field, messages) in [(1, self.nodes), (5, initializers), (11, self.inputs), (12, self.outputs)] {
            graph = messages.iter().fold(graph, |graph, message| graph.message(field, message));
        }
        let model = Message::default()
            .whole(1, IR_VERSION)
            .text(2, env!("CARGO_PKG_NAME"))
            .text(3, env!("CARGO_PKG_VERSION"))
            .message(7, &graph.text(2, name))
            .message(8, &Message::default().text(1, "").whole(2, OPSET));
        let note = |(key, text): &(&str, &str)| Message::default().text(1, key).text(2, text);
        notes.iter().fold(model, |model, noted| model.message(14, &note(noted))).into_bytes()
    }
}

impl Attribute<'_> {
    fn message(&self) -> Message {
        match *self {
            Self::Whole(name, value) => Message::default().text(1, name).whole(3, value as u64).whole(20, 2),
            Self::Wholes(name, values) => {
                let named = Message::default().text(1, name).whole(20, 7);
                values.iter().fold(named, |attribute, &value| attribute.whole(8, value as u64))
            }
        }
    }
}

fn value(name: &str, element: Element, shape: &[&str]) -> Message {
    let dimension = |size: &&str| match size.parse::<u64>() {
        Ok(size) => Message::default().whole(1, size),
        Err(_) => Message::default().text(2, size),
    };
    let sizes = shape.iter().map(dimension).fold(Message::default(), |sizes, size| sizes.message(1, &size));
    let tensor = Message::default().whole(1, element as u64).message(2, &sizes);
    Message::default().text(1, name).message(2, &Message::default().message(1, &tensor))
}
