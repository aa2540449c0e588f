//! TFRecord: how TensorFlow puts one piece of data after another into a file, each with checksums.

use crc::{CRC_32_ISCSI, Crc};

/// CRC-32C.
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// The data as a record: its length, the length's checksum, the data, the data's checksum, all in little endian.
pub fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), data, &masked(data)].concat()
}

/// The checksum, masked, since one of data that hold checksums themselves would be weak.
fn masked(data: &[u8]) -> [u8; 4] {
    CHECKSUM.checksum(data).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standard() {
        // RFC 3720, B.4.
        let counting: Vec<u8> = (0..32).collect();
        for (data, checksum) in
            [([0; 32].as_slice(), 0x8a91_36aa), (&[0xff; 32], 0x62a8_ab43), (&counting, 0x46dd_794e)]
        {
            assert_eq!(CHECKSUM.checksum(data), checksum);
        }
    }

    #[test]
    fn a_record_is_the_one_that_tensorboard_writes() {
        // By `RecordWriter` of the Python package tensorboard 2.21.0: the first event of a file, at time 0.
        let event = b"\x09\0\0\0\0\0\0\0\0\x1a\x0dbrain.Event:2";
        let (head, tail) = (b"\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22", b"\xee\xdf\x28\xa3");
        assert_eq!(framed(event), [&head[..], event, tail].concat());
    }
}
