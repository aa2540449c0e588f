//! The terminal while a run is watched.

use std::io::{self, IsTerminal, Stdout, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::style::Print;
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate,
    EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{execute, queue};

use super::frame::{Line, Size};
use crate::error::Error;

/// The size of a frame where there is no terminal.
const PIPED: Size = Size { width: 80, height: 24 };

/// Whether there is a terminal to watch on.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal() && io::stdin().is_terminal()
}

/// The size of a frame.
pub fn size() -> Size {
    let found = if io::stdout().is_terminal() { terminal::size().ok() } else { None };
    match found {
        Some((width, height)) if width > 0 && height > 0 => {
            Size { width: width.into(), height: height.into() }
        }
        _ => PIPED,
    }
}

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    Nothing,
    Redraw,
    Quit,
}

/// The terminal, another screen of it, for as long as this lives. Then it is as it was.
#[derive(Debug)]
pub struct Screen {
    out: Stdout,
    /// Set by signals that end a program.
    ended: Arc<AtomicBool>,
}

impl Screen {
    pub fn open() -> Result<Self, Error> {
        let ended = Arc::new(AtomicBool::new(false));
        // They would end the program with the terminal as it is here.
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
            signal_hook::flag::register(signal, Arc::clone(&ended)).map_err(failed)?;
        }
        terminal::enable_raw_mode().map_err(failed)?;
        // From here on it is given back, whatever fails.
        let mut screen = Self { out: io::stdout(), ended };
        execute!(screen.out, EnterAlternateScreen, Hide, DisableLineWrap).map_err(failed)?;
        Ok(screen)
    }

    /// Shows these lines and nothing else.
    pub fn draw(&mut self, lines: &[Line]) -> Result<(), Error> {
        self.try_draw(lines).map_err(failed)
    }

    fn try_draw(&mut self, lines: &[Line]) -> io::Result<()> {
        queue!(self.out, BeginSynchronizedUpdate)?;
        for (row, line) in (0..).zip(lines) {
            queue!(self.out, MoveTo(0, row), Print(line.painted(true)), Clear(ClearType::UntilNewLine))?;
        }
        queue!(
            self.out,
            MoveTo(0, lines.len() as u16),
            Clear(ClearType::FromCursorDown),
            EndSynchronizedUpdate
        )?;
        self.out.flush()
    }

    /// Waits for the user for so long.
    pub fn listen(&self, period: Duration) -> Result<Heard, Error> {
        let heard = match event::poll(period) {
            Ok(true) => event::read().map(|event| meant(&event)),
            Ok(false) => Ok(Heard::Nothing),
            // A signal.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Heard::Nothing),
            Err(error) => Err(error),
        };
        if self.ended.load(Ordering::SeqCst) { Ok(Heard::Quit) } else { heard.map_err(failed) }
    }
}

fn meant(event: &Event) -> Heard {
    match event {
        Event::Resize(..) => Heard::Redraw,
        Event::Key(key) if key.kind != KeyEventKind::Release => match key.code {
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => Heard::Quit,
            KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => Heard::Quit,
            _ => Heard::Redraw,
        },
        _ => Heard::Nothing,
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(self.out, EnableLineWrap, Show, LeaveAlternateScreen);
        let _ = terminal::disable_raw_mode();
    }
}

fn failed(error: io::Error) -> Error {
    Error::file("use", Path::new("the terminal"))(error)
}
