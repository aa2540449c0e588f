//! Devices by name.

use tch::{Cuda, Device};

use crate::error::Error;

/// The device of this name.
pub fn device(name: &str) -> Result<Device, Error> {
    let index = match name {
        "cpu" => return Ok(Device::Cpu),
        "cuda" => Some(0),
        _ => name.strip_prefix("cuda:").and_then(|index| index.parse::<usize>().ok()),
    };
    let Some(index) = index else {
        return Err(Error::Usage(format!("there is no device `{name}`; device must be cpu, cuda or cuda:N")));
    };
    if !Cuda::is_available() {
        return Err(Error::Usage(format!(
            "the device {name} is not available, because this build's libtorch has no CUDA or finds no GPU; use \
             --device cpu, or build against a CUDA libtorch as the README describes"
        )));
    }
    let count = Cuda::device_count();
    if index as i64 >= count {
        return Err(Error::Usage(format!(
            "the device {name} is not available, since there are {count} CUDA devices, numbered from 0"
        )));
    }
    Ok(Device::Cuda(index))
}
