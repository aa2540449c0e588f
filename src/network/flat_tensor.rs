//! Numbers that libtorch and the kernels without it share.
#![allow(unsafe_code, reason = "libtorch hands out its memory as a pointer only")]

use tch::{Device, Tensor};

/// A one-dimensional f32 tensor. On the CPU its memory is also a slice.
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

    /// The same tensor, its memory shared. The two are not to be changed while a slice of one is lent.
    pub(super) fn share(&self) -> Self {
        Self { tensor: self.tensor.shallow_clone(), count: self.count }
    }

    /// The tensor, `[count]`.
    pub fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// The tensor, to be changed in place and not to be replaced by one of another size.
    pub(crate) fn tensor_mut(&mut self) -> &mut Tensor {
        &mut self.tensor
    }

    /// How many numbers there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The values.
    ///
    /// # Panics
    /// Where the tensor is not on the CPU.
    pub fn values(&self) -> &[f32] {
        self.assert_on_cpu();
        // SAFETY: `new` and `zeros_like` make a contiguous f32 tensor of `count` elements, and nothing in this crate
        // replaces it. The tensor owns the memory and is borrowed for as long as the slice. Whoever holds another tensor
        // of the same memory is in this module's owners, `Parameters` and `QNetwork`, which lend their tensors and this
        // slice from one borrow of themselves.
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
        assert_eq!((flat.share().values(), flat.zeros_like().values()), (flat.values(), &[0.0; 3][..]));
    }
}
