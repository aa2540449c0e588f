//! Uncertainty on a problem whose answer is known: the regression of the paper's authors, y = 2x + 8 + noise.
//!
//! ```sh
//! cargo run --release --example regression
//! cargo run --release --example regression -- online --quick
//! ```
//!
//! Three studies: `sizes` (what N and K do to p and to the uncertainty, by the authors' protocol and by a converged one),
//! `online` (adapting to more data against training again), and `temperature` (what it does to masks and to what is learned).
//! Each prints its tables in Markdown and leaves figures and a CSV file in `runs/regression/`; docs/uncertainty.md tells what
//! they show.

mod figures;
mod measure;
mod networks;
mod online;
mod problem;
mod sizes;
mod table;
mod temperature;
mod training;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use concrete_dqn::Error;

/// Studies the uncertainty of Concrete Dropout on y = 2x + 8 + noise
#[derive(Debug, Parser)]
struct Arguments {
    /// Which studies [default: all]
    studies: Vec<Study>,

    /// A form that takes seconds, which shows that all of it works and nothing else
    #[arg(long)]
    quick: bool,

    /// Where figures and tables go
    #[arg(short, long, value_name = "DIR", default_value = "runs/regression")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Study {
    /// What N and K do to p and to the uncertainty
    Sizes,
    /// Adapting to more data against training again
    Online,
    /// What the temperature of the masks does
    Temperature,
}

fn main() -> ExitCode {
    run(std::env::args_os())
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    concrete_dqn::cli::run_one(arguments, study)
}

fn study(arguments: &Arguments) -> Result<(), Error> {
    tch::set_num_threads(1);
    let Arguments { studies, quick, output } = arguments;
    std::fs::create_dir_all(output).map_err(|source| Error::File {
        action: "create the folder",
        path: output.clone(),
        source,
    })?;
    let wanted = |study| studies.is_empty() || studies.contains(&study);
    if wanted(Study::Sizes) {
        let protocols = if *quick { sizes::Protocol::quick() } else { sizes::Protocol::full() };
        sizes::study(&protocols, output)?;
    }
    if wanted(Study::Online) {
        online::study(&if *quick { online::Plan::quick() } else { online::Plan::full() }, output)?;
    }
    if wanted(Study::Temperature) {
        temperature::study(
            &if *quick { temperature::Plan::quick() } else { temperature::Plan::full() },
            output,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_usage_is_code_2() {
        let code = run(["regression", "weather"].map(OsString::from));
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(2)));
    }
}
