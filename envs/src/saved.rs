//! Saved states as bytes, little-endian.

use crate::{EnvError, EnvSpec};

/// The bytes of some numbers.
pub fn numbers(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The numbers that [`numbers`] made bytes of, to the bit.
pub fn read_numbers<const N: usize>(bytes: &[u8], spec: &EnvSpec) -> Result<[f64; N], EnvError> {
    let wrong = || EnvError::NotRestored { env: spec.id.clone() };
    let (chunks, rest) = bytes.as_chunks::<8>();
    let chunks: &[[u8; 8]; N] = chunks.try_into().map_err(|_| wrong())?;
    if !rest.is_empty() {
        return Err(wrong());
    }
    Ok(chunks.map(f64::from_le_bytes))
}

/// A wrapper's own count, and then the state of what it wraps.
pub fn count_and(count: u64, inner: Vec<u8>) -> Vec<u8> {
    let mut bytes = count.to_le_bytes().to_vec();
    bytes.extend(inner);
    bytes
}

/// The two parts that [`count_and`] joined.
pub fn read_count<'a>(bytes: &'a [u8], spec: &EnvSpec) -> Result<(u64, &'a [u8]), EnvError> {
    let (count, inner) =
        bytes.split_first_chunk().ok_or_else(|| EnvError::NotRestored { env: spec.id.clone() })?;
    Ok((u64::from_le_bytes(*count), inner))
}

/// A wrapper's own state of any length, and then the state of what it wraps.
pub fn both(own: &[u8], inner: Vec<u8>) -> Vec<u8> {
    let mut bytes = count_and(own.len() as u64, own.to_vec());
    bytes.extend(inner);
    bytes
}

/// The two parts that [`both`] joined.
pub fn read_both<'a>(bytes: &'a [u8], spec: &EnvSpec) -> Result<(&'a [u8], &'a [u8]), EnvError> {
    let (length, rest) = read_count(bytes, spec)?;
    let parts = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    parts.ok_or_else(|| EnvError::NotRestored { env: spec.id.clone() })
}
