//! Numbers that libtorch and the kernels without it share.
#![allow(unsafe_code, reason = "libtorch hands out its memory as a pointer only")]

use std::borrow::Cow;
use std::ops::Range;

use tch::{Device, Tensor};

/// A one-dimensional f32 tensor. On the CPU its memory is also a slice.
///
/// Tensors that share its memory never leave `network`: outside there are slices, whose borrows the compiler checks.
#[derive(Debug)]
pub struct FlatTensor {
    tensor: Tensor,
    count: usize,
}

impl FlatTensor {
    /// A tensor of these values.
    pub fn new(values: &[f32], device: Device) -> Self {
        Self { tensor: Tensor::from_slice(values).to_device(device), count: values.len() }
    }

    /// Zeros, as many and where as in `self`.
    pub fn zeros_like(&self) -> Self {
        Self { tensor: self.tensor.zeros_like(), count: self.count }
    }

    /// The tensor, `[count]`.
    pub(super) fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// The tensor, to be changed in place and not to be replaced by one of another size.
    pub(super) fn tensor_mut(&mut self) -> &mut Tensor {
        &mut self.tensor
    }

    /// Where it lies.
    pub fn device(&self) -> Device {
        self.tensor.device()
    }

    /// How many numbers there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The values, copied only where they are not on the CPU.
    pub fn read(&self) -> Cow<'_, [f32]> {
        if self.device() == Device::Cpu {
            return Cow::Borrowed(self.values());
        }
        let mut values = vec![0.0; self.count];
        self.tensor.to_device(Device::Cpu).copy_data(&mut values, self.count);
        Cow::Owned(values)
    }

    /// Puts other values, as many as there are, in place of those of now.
    pub fn write(&mut self, values: &[f32]) {
        tch::no_grad(|| self.tensor.copy_(&Tensor::from_slice(values)));
    }

    /// Puts `value` in the place of one of the values.
    pub fn set(&mut self, index: usize, value: f32) {
        if self.device() == Device::Cpu {
            self.values_mut()[index] = value;
        } else {
            let _ = tch::no_grad(|| self.tensor.get(index as i64).fill_(f64::from(value)));
        }
    }

    /// Multiplies some of the values.
    pub fn multiply(&mut self, range: Range<usize>, factor: f32) {
        let mut part = self.tensor.narrow(0, range.start as i64, range.len() as i64);
        let _ = tch::no_grad(|| part.g_mul_scalar_(f64::from(factor)));
    }

    /// The values.
    ///
    /// # Panics
    /// Where the tensor is not on the CPU.
    pub fn values(&self) -> &[f32] {
        self.assert_on_cpu();
        // SAFETY: `new` and `zeros_like` make a contiguous f32 tensor of `count` elements, and nothing in `network`
        // replaces it. The tensor owns the memory and is borrowed for as long as the slice. Other tensors of the same
        // memory are private to the types of `network` that own this one; they change them through `&mut self` only, so a
        // change would need a mutable borrow of the owner that this slice borrows from.
        unsafe { std::slice::from_raw_parts(self.tensor.data_ptr().cast::<f32>(), self.count) }
    }

    /// The values, to be changed in place.
    ///
    /// # Panics
    /// As [`values`](Self::values).
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.assert_on_cpu();
        // SAFETY: as in `values`; the mutable borrow of the owner excludes every other use of the memory meanwhile.
        unsafe { std::slice::from_raw_parts_mut(self.tensor.data_ptr().cast::<f32>(), self.count) }
    }

    fn assert_on_cpu(&self) {
        assert!(self.count > 0 && self.tensor.device() == Device::Cpu, "only numbers on the CPU are a slice");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_and_its_tensor_are_the_same_memory() {
        let mut flat = FlatTensor::new(&[1.0, 2.0, 3.0], Device::Cpu);
        flat.values_mut()[1] = 5.0;
        assert_eq!(flat.tensor().double_value(&[1]), 5.0);
        let _ = flat.tensor_mut().g_add_scalar_(1.0);
        assert_eq!(flat.values(), [2.0, 6.0, 4.0]);
        flat.write(&[7.0, 8.0, 9.0]);
        assert_eq!((flat.read().as_ref(), flat.zeros_like().values()), (&[7.0, 8.0, 9.0][..], &[0.0; 3][..]));
    }
}
