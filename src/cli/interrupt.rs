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
        let installed = ctrlc::set_handler(move || {
            if counted.fetch_add(1, Ordering::SeqCst) > 0 {
                // Not std::process::exit, which would run libtorch's destructors under a thread that is still
                // in it.
                signal_hook::low_level::exit(i32::from(Error::Interrupted.exit_code()));
            }
            tracing::warn!(
                "saving and ending, so that `resume` goes on from here; once more ends it at once"
            );
        });
        if let Err(error) = installed {
            tracing::warn!("Ctrl-C will end the run at once, because no handler could be set: {error}");
        }
        Self(presses)
    }

    /// Whether the user has asked to end.
    pub fn wants_to_stop(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
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
