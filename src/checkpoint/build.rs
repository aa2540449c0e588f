//! Which build of the program wrote a checkpoint.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A build of the program. Only the same one on the same machine is sure to compute the same bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Version of concrete-dqn.
    pub version: String,
    /// Version of libtorch, if the build could read it.
    pub libtorch: Option<String>,
    /// Operating system and architecture.
    pub platform: String,
    /// Size and date of the executable file, which a build changes and nothing else does.
    pub executable: Option<String>,
}

impl Build {
    /// The one that is running.
    pub fn current() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            libtorch: option_env!("LIBTORCH_VERSION").map(str::to_owned),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            executable: executable(),
        }
    }
}

fn executable() -> Option<String> {
    let file = std::env::current_exe().ok()?.metadata().ok()?;
    let built = jiff::Timestamp::try_from(file.modified().ok()?).ok()?;
    Some(format!("{} bytes of {}", file.len(), built.strftime("%Y-%m-%dT%H:%M:%SZ")))
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let libtorch = self.libtorch.as_deref().unwrap_or("of unknown version");
        write!(f, "version {}, libtorch {libtorch}, {}", self.version, self.platform)?;
        self.executable.as_ref().map_or(Ok(()), |executable| write!(f, ", an executable of {executable}"))
    }
}
