//! The matrix products of a learner step, and nothing else: its floor.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use tch::{Device, Kind, Tensor};

/// The products of the network 4-width-width-2 for a batch: of a forward pass for every entry of `forward_rows`, and
/// of one backward pass.
pub struct Products {
    batch: usize,
    forward_rows: Vec<usize>,
    shapes: [(usize, usize); 3],
}

impl Products {
    /// The next observations in one pass of the online network and `passes` of the target network, and the batch in two
    /// passes of the online one.
    pub fn new(width: usize, batch: usize, passes: usize) -> Self {
        let shapes = [(4, width), (width, width), (width, 2)];
        Self { batch, forward_rows: vec![batch, passes * batch, 2 * batch], shapes }
    }

    /// By the library that the fused engine uses.
    pub fn faer(&self) -> impl FnMut() + use<> {
        let Self { batch, forward_rows, shapes } = self;
        let most = forward_rows.iter().copied().max().unwrap_or(*batch);
        let numbers = |count: usize| vec![0.5_f32; count];
        let mut layers: Vec<[Vec<f32>; 5]> = shapes
            .iter()
            .map(|&(k, n)| {
                [numbers(most * k), numbers(n * k), numbers(most * n), numbers(n * k), numbers(batch * k)]
            })
            .collect();
        let (batch, forward_rows, shapes) = (*batch, forward_rows.clone(), *shapes);
        move || {
            for &rows in &forward_rows {
                for ([x, w, y, ..], &(k, n)) in layers.iter_mut().zip(&shapes) {
                    product(&mut y[..rows * n], n, view(&x[..rows * k], k), view(w, k).transpose());
                }
            }
            for ([x, w, y, weight_gradient, input_gradient], &(k, n)) in layers.iter_mut().zip(&shapes) {
                let upstream = view(&y[..batch * n], n);
                product(weight_gradient, k, upstream.transpose(), view(&x[..batch * k], k));
                product(input_gradient, k, upstream, view(w, k));
            }
        }
    }

    /// By libtorch.
    pub fn libtorch(&self) -> impl FnMut() + use<> {
        let tensor = |rows: usize, columns: usize| {
            Tensor::full([rows as i64, columns as i64], 0.5, (Kind::Float, Device::Cpu))
        };
        let weights: Vec<Tensor> = self.shapes.iter().map(|&(k, n)| tensor(n, k)).collect();
        let inputs = |rows: usize| self.shapes.iter().map(|&(k, _)| tensor(rows, k)).collect::<Vec<_>>();
        let forward: Vec<Vec<Tensor>> = self.forward_rows.iter().map(|&rows| inputs(rows)).collect();
        let backward = inputs(self.batch);
        let upstream: Vec<Tensor> = self.shapes.iter().map(|&(_, n)| tensor(self.batch, n)).collect();
        move || {
            for inputs in &forward {
                for (x, w) in inputs.iter().zip(&weights) {
                    drop(std::hint::black_box(x.matmul(&w.tr())));
                }
            }
            for ((x, w), g) in backward.iter().zip(&weights).zip(&upstream) {
                drop(std::hint::black_box(g.tr().matmul(x)));
                drop(std::hint::black_box(g.matmul(w)));
            }
        }
    }
}

fn view(values: &[f32], columns: usize) -> MatRef<'_, f32> {
    MatRef::from_row_major_slice(values, values.len() / columns, columns)
}

fn product(out: &mut [f32], columns: usize, left: MatRef<'_, f32>, right: MatRef<'_, f32>) {
    let rows = out.len() / columns;
    matmul(MatMut::from_row_major_slice_mut(out, rows, columns), Accum::Replace, left, right, 1.0, Par::Seq);
}
