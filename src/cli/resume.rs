//! `resume RUN`: trains on from a run's newest checkpoint.

use std::ffi::OsString;
use std::process::ExitCode;

use control_envs::Registry;

use super::arguments::ResumeArguments;
use super::dashboard;
use super::interrupt::Interrupt;
use super::report::report;
use super::settings::{warn_of_endless, warn_of_odd};
use super::stretch::stretched;
use super::terminal::Terminal;
use super::training::TrainingContext;
use crate::error::Error;
use crate::session::SavedRun;

pub fn run(
    registry: &Registry,
    arguments: &ResumeArguments,
    command: &[OsString],
    terminal: &Terminal,
) -> Result<ExitCode, Error> {
    let mut saved = SavedRun::open(&arguments.run)?;
    let folder = saved.folder().display().to_string();
    let before = saved.config.clone();
    let steps = arguments.steps.unwrap_or(before.steps);
    if steps < before.steps {
        return Err(Error::Usage(format!(
            "--steps {steps} is fewer than the {} that {folder} trains for; give a larger number, or \
             leave it out",
            before.steps
        )));
    }
    saved.config.steps = steps;
    if saved.is_finished() {
        let how = if saved.has_checkpoint()? {
            "--steps with a larger number trains on"
        } else {
            "it has no checkpoint to train on from"
        };
        terminal.report(format_args!("{folder} has finished all its {steps} steps; {how}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(device) = &arguments.device {
        saved.config.device.clone_from(device);
    }
    warn_of_odd(&saved.config);
    let dashboard = dashboard::serve(arguments.dashboard)?;
    let context = TrainingContext {
        terminal,
        interrupt: Interrupt::install(),
        shared_progress: None,
        dashboard,
        tells_folder: false,
    };
    let session = saved.resume(registry)?;
    warn_of_endless(session.environment());
    context.say(
        "",
        format_args!(
            "{} from step {} to {steps}, in {folder}",
            session.environment().id(),
            session.agent().steps()
        ),
    );
    let step = session.agent().steps();
    if let Some(changes) = stretched(&before, session.config(), step).filter(|_| step > 0) {
        context.say("", format_args!("{changes}"));
    }
    let trained = context.train("", session);
    let reported = terminal.report(report(&trained, command));
    trained.ended.and(reported).map(|()| ExitCode::SUCCESS)
}
