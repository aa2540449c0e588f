//! Ctrl-C, and other signals.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::Error;
use crate::evaluation::EvaluationObserver;
use crate::training::Observer;

/// Ends every training that it observes on Ctrl-C (or SIGTERM), and the program at once on the second. Its clones are one: a process has one handler only.
#[derive(Debug, Clone)]
pub struct Interrupt(Arc<AtomicU32>);

impl Interrupt {
    /// Sets the handler.
    pub fn install() -> Self {
        let presses = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&presses);
        let respond = move || {
            if counted.fetch_add(1, Ordering::SeqCst) > 0 {
                // Not std::process::exit, which would run libtorch's destructors under a thread that is still
                // in it.
                signal_hook::low_level::exit(i32::from(Error::Interrupted.exit_code()));
            }
            tracing::warn!("saving and ending; once more ends it at once");
        };
        let on_ctrl_c = ctrlc::set_handler(respond.clone()).map_err(|error| error.to_string());
        if let Err(error) =
            on_ctrl_c.and_then(|()| on_termination(respond).map_err(|error| error.to_string()))
        {
            tracing::warn!("Ctrl-C will end the run at once, because no handler could be set: {error}");
        }
        Self(presses)
    }

    /// Whether the user has asked to end.
    pub fn wants_to_stop(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// Calls `respond` on SIGTERM, and where the terminal hangs up, unless that is to be ignored, as under `nohup`.
#[cfg(unix)]
fn on_termination(respond: impl Fn() + Send + 'static) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGTERM};
    let wanted = [SIGTERM, SIGHUP].into_iter().filter(|signal| *signal == SIGTERM || !is_ignored(*signal));
    let mut signals = signal_hook::iterator::Signals::new(wanted)?;
    std::thread::Builder::new().spawn(move || signals.forever().for_each(|_| respond()))?;
    Ok(())
}

#[cfg(not(unix))]
fn on_termination(_: impl Fn()) -> std::io::Result<()> {
    Ok(())
}

/// Whether whoever started this program has it ignore a signal; where the kernel does not tell, not.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Makes a file-size limit (`ulimit -f`) an error of the write that met it, as a full disk is, and not the
/// end of the program without a word.
pub fn outlive_file_size_limits() {
    #[cfg(unix)]
    if let Err(error) = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default()) {
        tracing::debug!("a file-size limit will end the program: {error}");
    }
}

impl Observer for Interrupt {
    fn wants_to_stop(&self) -> bool {
        self.wants_to_stop()
    }
}

impl EvaluationObserver for Interrupt {
    fn wants_to_stop(&self) -> bool {
        self.wants_to_stop()
    }
}
