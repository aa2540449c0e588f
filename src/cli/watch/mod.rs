//! `watch RUN`: looks at a run from its files, while another process trains it or later.

mod chart;
mod frame;
mod reading;
mod screen;

use std::time::{Duration, Instant};

use control_envs::Registry;

use self::frame::frame;
use self::reading::Reading;
use self::screen::{Heard, Screen};
use super::arguments::WatchArguments;
use super::terminal::print;
use crate::error::Error;
use crate::run::RunDirectory;

/// From one look at the files to the next.
const PERIOD: Duration = Duration::from_millis(500);

/// Reading takes at most one part in so many of the time, however long the tables are: a training may need the core.
const SHARE: u32 = 10;

pub fn run(registry: &Registry, arguments: &WatchArguments) -> Result<(), Error> {
    let directory = RunDirectory::open(&arguments.run)?;
    let mut reading = Reading::of(&directory, registry)?;
    if arguments.once || !screen::is_terminal() {
        let lines = frame(&reading, screen::size(), "");
        let colored = screen::is_terminal();
        let text: String = lines.iter().map(|line| line.painted(colored) + "\n").collect();
        return print(&text);
    }
    let mut screen = Screen::open()?;
    let mut period = PERIOD;
    loop {
        screen.draw(&frame(&reading, screen::size(), "; q quits"))?;
        match screen.listen(period)? {
            Heard::Quit => return Ok(()),
            Heard::Redraw => continue,
            Heard::Nothing => {}
        }
        if reading.is_outdated(&directory) {
            let started = Instant::now();
            reading = Reading::of(&directory, registry)?;
            period = PERIOD.max(started.elapsed() * SHARE);
        }
    }
}
