//! Messages of [Protocol Buffers](https://protobuf.dev/programming-guides/encoding/): fields one after another, each with
//! its number and how it is written.

/// How a field is written: the wire types that are needed here.
#[derive(Debug, Clone, Copy)]
enum Wire {
    Whole = 0,
    Double = 1,
    Bytes = 2,
    Single = 5,
}

/// A message that is being written.
#[derive(Debug, Default)]
pub struct Message(Vec<u8>);

impl Message {
    /// Adds a whole number.
    pub fn whole(self, field: u64, value: u64) -> Self {
        self.key(field, Wire::Whole).varint(value)
    }

    /// Adds a number of 64 bits.
    pub fn double(self, field: u64, value: f64) -> Self {
        self.key(field, Wire::Double).raw(&value.to_le_bytes())
    }

    /// Adds a number of 32 bits.
    pub fn single(self, field: u64, value: f32) -> Self {
        self.key(field, Wire::Single).raw(&value.to_le_bytes())
    }

    /// Adds numbers of 64 bits, packed.
    pub fn doubles(self, field: u64, values: impl IntoIterator<Item = f64>) -> Self {
        let packed: Vec<u8> = values.into_iter().flat_map(f64::to_le_bytes).collect();
        self.bytes(field, &packed)
    }

    /// Adds a text.
    pub fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    /// Adds a message.
    pub fn message(self, field: u64, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    /// Adds bytes.
    pub fn bytes(self, field: u64, bytes: &[u8]) -> Self {
        self.key(field, Wire::Bytes).varint(bytes.len() as u64).raw(bytes)
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn key(self, field: u64, wire: Wire) -> Self {
        self.varint((field << 3) | wire as u64)
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_guide_says() {
        // The examples of the guide to the encoding.
        assert_eq!(Message::default().whole(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().text(2, "testing").into_bytes(), *b"\x12\x07testing");
        let inner = Message::default().whole(1, 150);
        assert_eq!(Message::default().message(3, &inner).into_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(Message::default().single(2, 1.0).into_bytes(), [0x15, 0, 0, 0x80, 0x3f]);
        assert_eq!(Message::default().double(1, 1.0).into_bytes(), [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        let packed = [0x32, 8, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f];
        assert_eq!(Message::default().doubles(6, [1.0]).into_bytes(), packed);
    }
}
