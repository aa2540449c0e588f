//! A tensor's memory as a slice, for the kernels that compute without libtorch.
#![allow(unsafe_code, reason = "libtorch hands out its memory as a pointer only")]

use tch::{Device, Kind, Tensor};

/// The values of a contiguous f32 tensor on the CPU.
///
/// # Panics
/// Where it is another kind of tensor: only those that this crate has made itself are to come here.
pub fn values(tensor: &Tensor) -> &[f32] {
    let (pointer, count) = memory(tensor);
    // SAFETY: `memory` has checked that there are `count` f32 in a row at `pointer`. The tensor owns them and is
    // borrowed for as long as the slice. Whoever holds another tensor of the same memory is this crate's `Parameters`
    // or `QNetwork`, which lend their tensors and this slice from the same borrow of themselves.
    unsafe { std::slice::from_raw_parts(pointer, count) }
}

/// The same, to be changed.
///
/// # Panics
/// As [`values`].
pub fn values_mut(tensor: &mut Tensor) -> &mut [f32] {
    let (pointer, count) = memory(tensor);
    // SAFETY: as in `values`; the mutable borrow of the owner excludes every other use of the memory meanwhile.
    unsafe { std::slice::from_raw_parts_mut(pointer, count) }
}

fn memory(tensor: &Tensor) -> (*mut f32, usize) {
    assert!(
        tensor.kind() == Kind::Float && tensor.device() == Device::Cpu && tensor.is_contiguous(),
        "only a contiguous f32 tensor on the CPU can be read as a slice"
    );
    match tensor.numel() {
        0 => (std::ptr::NonNull::dangling().as_ptr(), 0),
        count => (tensor.data_ptr().cast(), count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_and_its_tensor_are_the_same_memory() {
        let mut tensor = Tensor::from_slice(&[1.0_f32, 2.0, 3.0]);
        values_mut(&mut tensor)[1] = 5.0;
        assert_eq!(tensor.double_value(&[1]), 5.0);
        let view = tensor.narrow(0, 1, 2);
        assert_eq!(values(&view), [5.0, 3.0]);
        assert_eq!(values(&tensor.narrow(0, 0, 0)), [0.0; 0]);
    }

    #[test]
    #[should_panic(expected = "contiguous f32")]
    fn a_transposed_tensor_is_refused() {
        let tensor = Tensor::from_slice(&[1.0_f32, 2.0, 3.0, 4.0]).view([2, 2]);
        values(&tensor.tr());
    }
}
