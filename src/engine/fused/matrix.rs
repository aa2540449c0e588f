//! Views of slices as row-major matrices whose rows may be padded.

use faer::{MatMut, MatRef};

/// `[rows, columns]` in a slice; from a row to the next it is `stride` numbers.
pub fn view(slice: &[f32], rows: usize, columns: usize, stride: usize) -> MatRef<'_, f32> {
    MatRef::from_column_major_slice_with_stride(slice, columns, rows, stride).transpose()
}

/// The same, to be written.
///
/// As a transpose, since `from_row_major_slice_with_stride_mut` of faer 0.24.4 takes the stride for that of the columns
/// and writes past the end.
pub fn view_mut(slice: &mut [f32], rows: usize, columns: usize, stride: usize) -> MatMut<'_, f32> {
    MatMut::from_column_major_slice_with_stride_mut(slice, columns, rows, stride).transpose_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_where_they_belong_and_the_padding_is_left_alone() {
        let mut numbers = [0.0, 1.0, 9.0, 2.0, 3.0, 9.0];
        let matrix = view(&numbers, 2, 2, 3);
        assert_eq!([matrix[(0, 0)], matrix[(0, 1)], matrix[(1, 0)], matrix[(1, 1)]], [0.0, 1.0, 2.0, 3.0]);
        view_mut(&mut numbers, 2, 2, 3).fill(5.0);
        assert_eq!(numbers, [5.0, 5.0, 9.0, 5.0, 5.0, 9.0]);
    }
}
