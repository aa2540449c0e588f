//! Named arrays in the safetensors format, which other programs read too.

use std::borrow::Cow;
use std::collections::HashMap;

use bytemuck::Pod;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use crate::network::NamedValues;

/// Some named arrays, borrowed where they lie in memory.
#[derive(Debug, Default)]
pub struct Arrays<'a>(Vec<Array<'a>>);

/// One of them.
#[derive(Debug)]
struct Array<'a> {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Arrays<'a> {
    /// Adds numbers of type `f32`.
    pub fn floats(&mut self, name: &str, shape: &[usize], values: &'a [f32]) {
        self.add(name, Dtype::F32, shape, Cow::Borrowed(bytemuck::cast_slice(values)));
    }

    /// Adds numbers of type `u32`.
    pub fn integers(&mut self, name: &str, shape: &[usize], values: &'a [u32]) {
        self.add(name, Dtype::U32, shape, Cow::Borrowed(bytemuck::cast_slice(values)));
    }

    /// Adds truth values.
    pub fn truths(&mut self, name: &str, values: &'a [bool]) {
        self.add(name, Dtype::BOOL, &[values.len()], Cow::Borrowed(bytemuck::cast_slice(values)));
    }

    /// Adds bytes.
    pub fn bytes(&mut self, name: &str, values: &'a [u8]) {
        self.add(name, Dtype::U8, &[values.len()], Cow::Borrowed(values));
    }

    /// Adds named numbers.
    pub fn named(&mut self, named: NamedValues<'a>) {
        let shape: Vec<usize> = named.shape.iter().map(|&size| size as usize).collect();
        let bytes = match named.values {
            Cow::Borrowed(values) => Cow::Borrowed(bytemuck::cast_slice(values)),
            Cow::Owned(values) => Cow::Owned(bytemuck::cast_slice(&values).to_vec()),
        };
        self.add(&named.name, Dtype::F32, &shape, bytes);
    }

    fn add(&mut self, name: &str, dtype: Dtype, shape: &[usize], bytes: Cow<'a, [u8]>) {
        self.0.push(Array { name: name.to_owned(), dtype, shape: shape.to_vec(), bytes });
    }

    /// The file, or why there is none.
    pub fn serialize(&self) -> Result<Vec<u8>, String> {
        self.serialize_with(None)
    }

    /// The same, with texts by name in its header.
    pub fn serialize_with(&self, metadata: Option<HashMap<String, String>>) -> Result<Vec<u8>, String> {
        let views = self.0.iter().map(|array| {
            let view = TensorView::new(array.dtype, array.shape.clone(), &array.bytes);
            view.map(|view| (array.name.as_str(), view))
        });
        let views: Vec<_> = views.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        serialize(views, metadata).map_err(|error| error.to_string())
    }
}

/// A file that has been read: its header is checked against its length before anything is allocated for a
/// tensor.
#[derive(Debug)]
pub struct Stored<'a>(HashMap<String, TensorView<'a>>);

impl<'a> Stored<'a> {
    /// The arrays of a file.
    pub fn parse(file: &'a [u8]) -> Result<Self, String> {
        let parsed = SafeTensors::deserialize(file)
            .map_err(|error| format!("it is not a whole safetensors file ({error})"))?;
        Ok(Self(parsed.tensors().into_iter().collect()))
    }

    /// Numbers by name, with their shape.
    pub fn floats(&self, name: &str) -> Result<(Vec<f32>, Vec<usize>), String> {
        Ok((self.numbers(name, Dtype::F32)?, self.0[name].shape().to_vec()))
    }

    /// Whole numbers by name.
    pub fn integers(&self, name: &str) -> Result<Vec<u32>, String> {
        self.numbers(name, Dtype::U32)
    }

    /// Truth values by name.
    pub fn truths(&self, name: &str) -> Result<Vec<bool>, String> {
        Ok(self.numbers::<u8>(name, Dtype::BOOL)?.into_iter().map(|byte| byte != 0).collect())
    }

    /// Whether there is an array of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Bytes by name, if there are any of that name.
    pub fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        self.has(name).then(|| self.numbers(name, Dtype::U8)).transpose()
    }

    fn numbers<T: Pod>(&self, name: &str, dtype: Dtype) -> Result<Vec<T>, String> {
        let view = self.0.get(name).ok_or_else(|| format!("it holds no tensor `{name}`"))?;
        if view.dtype() != dtype {
            return Err(format!(
                "its tensor `{name}` is of type {:?} where {dtype:?} is needed",
                view.dtype()
            ));
        }
        // Copied byte by byte, since a file's content need not be aligned.
        Ok(bytemuck::pod_collect_to_vec(view.data()))
    }

    /// Numbers by name, which must be of this shape.
    pub fn shaped(&self, name: &str, shape: &[i64]) -> Result<Vec<f32>, String> {
        let (values, found) = self.floats(name)?;
        if !found.iter().map(|&size| size as i64).eq(shape.iter().copied()) {
            return Err(format!(
                "its tensor `{name}` has shape {found:?} where the run's config needs {shape:?}"
            ));
        }
        Ok(values)
    }

    /// Fills the values of this name and shape.
    pub fn fill(&self, name: &str, shape: &[i64], values: &mut [f32]) -> Result<(), String> {
        values.copy_from_slice(&self.shaped(name, shape)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_begins_as_the_format_says() {
        let mut arrays = Arrays::default();
        arrays.floats("x", &[1, 2], &[1.0, -2.5]);
        arrays.truths("y", &[true, false, true]);
        let file = arrays.serialize().unwrap();
        // Eight bytes of length, little-endian, a JSON header of that length, then the numbers.
        let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        let header: serde_json::Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
        assert_eq!(header["x"]["dtype"], "F32");
        assert_eq!(header["x"]["shape"], serde_json::json!([1, 2]));
        let offsets: [usize; 2] = serde_json::from_value(header["x"]["data_offsets"].clone()).unwrap();
        let data = &file[8 + length..];
        assert_eq!(data[offsets[0]..offsets[1]], [1.0_f32.to_le_bytes(), (-2.5_f32).to_le_bytes()].concat());

        let stored = Stored::parse(&file).unwrap();
        assert_eq!(stored.floats("x").unwrap(), (vec![1.0, -2.5], vec![1, 2]));
        assert_eq!(stored.truths("y").unwrap(), [true, false, true]);
        assert_eq!(stored.bytes("z").unwrap(), None);
        assert!(stored.integers("x").unwrap_err().contains("type F32"));
        assert!(stored.floats("z").unwrap_err().contains("no tensor `z`"));
    }

    #[test]
    fn a_header_that_promises_more_than_there_is_allocates_nothing() {
        let lies = |header: &str| {
            let mut file = (header.len() as u64).to_le_bytes().to_vec();
            file.extend(header.as_bytes());
            Stored::parse(&file).map(|_| ()).unwrap_err()
        };
        let huge = r#"{"x":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4000000000000]}}"#;
        assert!(lies(huge).contains("not a whole safetensors file"));
        assert!(
            lies(r#"{"x":{"dtype":"F32","shape":[18446744073709551615,8],"data_offsets":[0,8]}}"#)
                .contains("(")
        );
        assert!(Stored::parse(&u64::MAX.to_le_bytes()).is_err());
        assert!(Stored::parse(b"").is_err());
    }
}
