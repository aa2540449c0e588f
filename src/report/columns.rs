//! Columns of numbers, made few enough for a page.

use std::collections::BTreeSet;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::plot::points::extremes;
use crate::statistics;

/// A column's name, and what a row has in it.
pub type Field<R> = (&'static str, fn(&R) -> f64);

/// Named columns of equal length. As JSON an object of arrays; what is not a finite number is null.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns(Vec<(String, Vec<f64>)>);

/// Numbers of a page, each in as few characters as tell it: 17 and not 17.0. What is not finite is null.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Numbers(Vec<f64>);

impl Numbers {
    /// These, with all their digits.
    pub fn of(values: Vec<f64>) -> Self {
        Self(values)
    }

    /// These, to five significant digits: more than a colour tells.
    pub fn rounded(values: impl IntoIterator<Item = f64>) -> Self {
        let round = |value: f64| format!("{value:.4e}").parse().unwrap_or(value);
        Self(values.into_iter().map(round).collect())
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|&value| Brief(value)))
    }
}

impl Columns {
    /// A column for each of `fields`, a number a row.
    pub fn of<R>(rows: &[R], fields: &[Field<R>]) -> Self {
        let column =
            |(name, field): &Field<R>| ((*name).to_owned(), rows.iter().map(field).collect::<Vec<f64>>());
        Self(fields.iter().map(column).collect())
    }

    /// The same with columns `p_0`, `p_1`, ... of what each row has of every layer.
    pub fn with_layers<R>(mut self, rows: &[R], of_layers: impl Fn(&R) -> &[f64]) -> Self {
        let layers = rows.iter().map(|row| of_layers(row).len()).max().unwrap_or(0);
        let value = |row: &R, layer: usize| of_layers(row).get(layer).copied().unwrap_or(f64::NAN);
        let column =
            |layer: usize| (format!("p_{layer}"), rows.iter().map(|row| value(row, layer)).collect());
        self.0.extend((0..layers).map(column));
        self
    }

    /// The same with one more column.
    pub fn with(mut self, name: &str, values: Vec<f64>) -> Self {
        self.0.push((name.to_owned(), values));
        self
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.0.first().map_or(0, |(_, values)| values.len())
    }

    /// The column of this name; empty where there is none.
    pub fn column(&self, name: &str) -> &[f64] {
        self.0.iter().find(|(other, _)| other == name).map_or(&[], |(_, values)| values)
    }

    /// Rows that show what all of them show, about `most` of them where there are more: the first, the last, and of
    /// each of as many equal stretches as that allows those in which a column is lowest or highest. So no peak of any
    /// column gets lost.
    pub fn telling(&self, most: usize) -> BTreeSet<usize> {
        if self.len() <= most {
            return (0..self.len()).collect();
        }
        let of_each = most / self.0.len();
        let mut rows = BTreeSet::new();
        for (_, values) in &self.0 {
            let finite = values.iter().enumerate().filter(|(_, value)| value.is_finite());
            let points: Vec<(f64, f64)> = finite.map(|(row, value)| (row as f64, *value)).collect();
            rows.extend(extremes(&points, of_each).into_iter().map(|point| points[point].0 as usize));
        }
        rows
    }

    /// The means of `count` equal stretches of the rows at most, of what is finite in each, to six significant digits.
    pub fn means(&self, count: usize) -> Self {
        let length = self.len().div_ceil(count.max(1)).max(1);
        let mean = |stretch: &[f64]| {
            let finite: Vec<f64> = stretch.iter().copied().filter(|value| value.is_finite()).collect();
            if finite.is_empty() { f64::NAN } else { rounded(statistics::mean(&finite)) }
        };
        let means = |values: &[f64]| values.chunks(length).map(mean).collect();
        Self(self.0.iter().map(|(name, values)| (name.clone(), means(values))).collect())
    }

    /// These rows alone.
    pub fn rows(&self, rows: &BTreeSet<usize>) -> Self {
        let kept = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        Self(self.0.iter().map(|(name, values)| (name.clone(), kept(values))).collect())
    }
}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, values) in &self.0 {
            map.serialize_entry(name, &Numbers(values.clone()))?;
        }
        map.end()
    }
}

/// More digits than a curve tells.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

struct Brief(f64);

impl Serialize for Brief {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value) = *self;
        // Beyond it not every whole number is a double.
        const WHOLE: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() < WHOLE {
            serializer.serialize_i64(value as i64)
        } else {
            serializer.serialize_f64(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(rows: usize) -> Columns {
        let row: Vec<f64> = (0..rows).map(|row| row as f64).collect();
        Columns::of(&row, &[("step", |row| *row), ("wave", |row| (row * 0.7).sin()), ("none", |_| f64::NAN)])
    }

    #[test]
    fn numbers_are_brief_and_what_is_missing_is_null() {
        let rows = [0.1, 17.0, f64::NAN, f64::INFINITY, -3.0, 1e300];
        let json = serde_json::to_string(&Columns::of(&rows, &[("x", |x| *x)])).unwrap();
        assert_eq!(json, r#"{"x":[0.1,17,null,null,-3,1e+300]}"#);
    }

    #[test]
    fn means_are_of_equal_stretches_and_of_what_is_there() {
        let rows = [1.0, 3.0, f64::NAN, 8.0, f64::NAN, f64::NAN, 1.0 / 3.0];
        let means = Columns::of(&rows, &[("x", |x| *x)]).means(4);
        let [first, second, third, fourth] = means.column("x") else { unreachable!() };
        assert!((*first, *second, *fourth) == (2.0, 8.0, 0.333333) && third.is_nan());
        assert_eq!(Columns::default().means(3).len(), 0);
    }

    #[test]
    fn few_rows_are_all_kept_and_of_many_every_peak() {
        assert_eq!(columns(50).telling(50).len(), 50);
        let mut many = columns(100_000);
        let (_, wave) = &mut many.0[1];
        (wave[31_234], wave[77_777]) = (50.0, -50.0);
        let rows = many.telling(1_000);
        assert!((300..=1_000).contains(&rows.len()), "{}", rows.len());
        for row in [0, 31_234, 77_777, 99_999] {
            assert!(rows.contains(&row), "{row}");
        }
        let kept = many.rows(&rows);
        assert_eq!(kept.len(), rows.len());
        assert_eq!(kept.column("wave").iter().copied().fold(f64::MIN, f64::max), 50.0);
    }
}
