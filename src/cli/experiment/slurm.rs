//! `--on slurm`: the runs of an experiment as a job array, each task of which begins or resumes a run.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf, absolute};
use std::process::{Command, ExitCode};

use super::prepare;
use crate::cli::experiment_flags::ExperimentArguments;
use crate::cli::shell;
use crate::cli::terminal::{Terminal, print};
use crate::error::Error;
use crate::experiment::{Plan, Store};
use crate::files;
use crate::run::RunState;

/// Seconds before a task's limit at which it is told to save and end.
const WARNING: u32 = 120;

/// Prints the script, or writes it into the experiment's folder and submits it.
pub fn run(
    plan: &Plan,
    store: &Store,
    states: &[RunState],
    arguments: &ExperimentArguments,
    command: &[OsString],
    terminal: &Terminal,
) -> Result<ExitCode, Error> {
    let folder = absolute(store.path()).map_err(Error::file("find", store.path()))?;
    let unfinished: Vec<String> = plan
        .cells
        .iter()
        .zip(states)
        .filter(|(_, state)| state.finished().is_none())
        .map(|(cell, _)| plan.name(cell))
        .collect();
    let program = command.first().map(OsString::as_os_str).unwrap_or_default();
    let gather = shell::line([
        program,
        OsStr::new("experiment"),
        arguments.file.as_os_str(),
        OsStr::new("--output"),
        folder.as_os_str(),
        OsStr::new("--gather"),
    ]);
    if unfinished.is_empty() {
        terminal.report(format_args!("all runs are finished; their tables and plots: {gather}"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let script = script(&folder, &unfinished, arguments)?;
    if arguments.dry_run {
        return print(&script).map(|()| ExitCode::SUCCESS);
    }
    // Not for longer than it takes to submit the array, whose tasks lock their own runs.
    let _lock = store.lock()?;
    prepare(plan, store)?;
    let (logs, path) = (folder.join("slurm"), folder.join("slurm.sh"));
    fs::create_dir_all(&logs).map_err(Error::file("create the folder", &logs))?;
    files::replace(&path, script.as_bytes())?;
    let submitted = Command::new("sbatch").arg(&path).output().map_err(|error| {
        Error::Usage(format!(
            "sbatch could not be started ({error}); run this where Slurm's jobs are submitted from, or submit {} there",
            path.display()
        ))
    })?;
    let said = String::from_utf8_lossy(if submitted.status.success() {
        &submitted.stdout
    } else {
        &submitted.stderr
    })
    .trim()
    .to_owned();
    if !submitted.status.success() {
        return Err(Error::Elsewhere(format!("sbatch refused {}: {said}", path.display())));
    }
    terminal.report(format_args!("{said}\nlogs        {}\nwhen done   {gather}", logs.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn script(folder: &Path, cells: &[String], arguments: &ExperimentArguments) -> Result<String, Error> {
    let quoted = |word: &OsStr| shell::line([word]);
    let this = env::current_exe().map_err(Error::file("find", Path::new("this program")))?;
    let here = env::current_dir().map_err(Error::file("find", Path::new("the working directory")))?;
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let at_once = arguments.jobs.map(|jobs| format!("%{jobs}")).unwrap_or_default();
    let log: PathBuf = folder.join("slurm").join("%A_%a.log");
    let mut options = vec![
        format!("--job-name={}", quoted(OsStr::new(&name))),
        format!("--array=0-{}{at_once}", cells.len() - 1),
        "--ntasks=1".to_owned(),
        "--cpus-per-task=1".to_owned(),
        "--requeue".to_owned(),
        "--open-mode=append".to_owned(),
        format!("--signal=B:USR1@{WARNING}"),
        format!("--output={}", quoted(log.as_os_str())),
    ];
    // Of two options of one name the later one holds.
    options.extend(arguments.sbatch.iter().cloned());
    let options: String = options.iter().map(|option| format!("#SBATCH {option}\n")).collect();
    let cells: String = cells.iter().map(|cell| format!("    {}\n", quoted(OsStr::new(cell)))).collect();
    let (this, here) = (quoted(this.as_os_str()), quoted(here.as_os_str()));
    let (file, folder) = (quoted(folder.join("experiment.toml").as_os_str()), quoted(folder.as_os_str()));
    Ok(format!(
        r#"#!/bin/bash
{options}
cells=(
{cells})

# Before the limit the run saves and ends, and the task goes back into the queue, to resume it.
requeue=
trap 'trap "" USR1; requeue=1; kill -INT "$run"' USR1
cd {here} || exit
{this} experiment {file} --output {folder} --cell "${{cells[$SLURM_ARRAY_TASK_ID]}}" &
run=$!
wait "$run"
code=$?
if [[ $requeue ]]; then
    wait "$run"
    code=$?
    [[ $code = 130 ]] && scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
"#
    ))
}
