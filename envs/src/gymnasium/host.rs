//! The process that environments are in, as this side sees it.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::failure::Failure;
use super::process::Process;
use super::protocol::{Head, Hello, Request, Status, VERSION};

/// A process with any number of environments, one request at a time.
#[derive(Debug)]
pub struct Host(Mutex<Connection>);

#[derive(Debug)]
struct Connection {
    reader: BufReader<UnixStream>,
    request: Vec<u8>,
    /// The process, where this side has started it.
    process: Option<Process>,
    /// Environments so far.
    made: u32,
    /// What ended the connection.
    lost: Option<Failure>,
}

impl Host {
    /// A process that was started for this.
    pub fn of_process(process: Process) -> Result<Self, Failure> {
        let stream = process.stream.try_clone().map_err(|error| Failure::Failed(error.to_string()))?;
        Connection::open(stream, Some(process))
    }

    /// One that is there already.
    pub fn of_stream(stream: UnixStream) -> Result<Self, Failure> {
        Connection::open(stream, None)
    }

    /// Whether it will never answer again.
    pub fn is_lost(&self) -> bool {
        self.connection().lost.is_some()
    }

    /// The number of the next environment.
    pub fn number(&self) -> u32 {
        let made = &mut self.connection().made;
        *made += 1;
        *made
    }

    /// Asks the environment numbered `which`. The answer's content replaces that of `content`.
    pub fn ask(&self, which: u32, request: Request<'_>, content: &mut Vec<u8>) -> Result<Head, Failure> {
        self.connection().ask(which, request, content)
    }

    /// Whether nobody else asks it of other environments meanwhile: it is a process of this side, which gives every
    /// environment one of its own.
    pub fn is_own(&self) -> bool {
        self.connection().process.is_some()
    }

    /// Waits for the answer to what it was told. Its content replaces that of `content`.
    pub fn answer(&self, content: &mut Vec<u8>) -> Result<Head, Failure> {
        self.connection().answer(content)
    }

    /// Gives it up, with the answers that are still to come: its process is ended, which may be in the middle of something.
    pub fn abandon(&self) {
        let mut connection = self.connection();
        connection.lost = Some(Failure::Failed("its Python process was given up".to_owned()));
        if let Some(process) = &mut connection.process {
            // Nothing can be done about a process that can't be ended.
            let _ = process.end(Duration::ZERO);
        }
    }

    /// Tells without waiting for an answer.
    pub fn tell(&self, which: u32, request: Request<'_>) -> Result<(), Failure> {
        self.connection().send(which, request)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic in between leaves no half request: those are written in one piece.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn open(stream: UnixStream, process: Option<Process>) -> Result<Host, Failure> {
        let reader = BufReader::with_capacity(1 << 16, stream);
        let mut connection = Self { reader, request: Vec::new(), process, made: 0, lost: None };
        let mut content = Vec::new();
        connection.answer(&mut content)?;
        let hello: Hello = serde_json::from_slice(&content).map_err(|error| {
            Failure::Refused(format!("the process that it is in does not introduce itself: {error}"))
        })?;
        if hello.protocol != VERSION {
            return Err(Failure::Refused(format!(
                "the other side (Python {}, Gymnasium {}) speaks version {} of the protocol, and this program version \
                 {VERSION}; install the package and the program of the same version",
                hello.python, hello.gymnasium, hello.protocol
            )));
        }
        Ok(Host(Mutex::new(connection)))
    }

    fn ask(&mut self, which: u32, request: Request<'_>, content: &mut Vec<u8>) -> Result<Head, Failure> {
        self.send(which, request)?;
        self.answer(content)
    }

    fn send(&mut self, which: u32, request: Request<'_>) -> Result<(), Failure> {
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        request.write(which, &mut self.request);
        let sent = self.reader.get_mut().write_all(&self.request);
        match sent {
            // What ended it may have been told before.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.answer(&mut Vec::new()).map(|_| ()),
            other => other.map_err(|error| self.lose(&error)),
        }
    }

    fn answer(&mut self, content: &mut Vec<u8>) -> Result<Head, Failure> {
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        let head = self.read(content).map_err(|error| self.lose(&error))?;
        let text = || String::from_utf8_lossy(content).into_owned();
        match head.status {
            Status::Done => Ok(head),
            Status::Refused => Err(Failure::Refused(text())),
            Status::Raised => Err(Failure::Failed(text())),
        }
    }

    fn read(&mut self, content: &mut Vec<u8>) -> io::Result<Head> {
        let mut head = [0; Head::SIZE];
        self.reader.read_exact(&mut head)?;
        let garbled = || io::Error::new(ErrorKind::InvalidData, "it answered what is no answer");
        let head = Head::read(head).ok_or_else(garbled)?;
        content.resize(head.length as usize, 0);
        self.reader.read_exact(content)?;
        Ok(head)
    }

    /// The connection has ended, and with it the process: why, in words.
    fn lose(&mut self, error: &io::Error) -> Failure {
        let words = match (error.kind(), &mut self.process) {
            (ErrorKind::WouldBlock | ErrorKind::TimedOut, Some(process)) => {
                let seconds = process.timeout.as_secs_f64();
                // What does not answer does not end either when it is asked to.
                let _ = process.end(Duration::ZERO);
                format!(
                    "its Python process did not answer within {seconds} s and was ended; CONCRETE_DQN_GYM_TIMEOUT says how \
                     many it may take"
                )
            }
            (
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe,
                Some(process),
            ) => process.farewell(),
            (_, Some(process)) => format!("{error}; {}", process.farewell()),
            (_, None) => format!("the process that it is in has gone: {error}"),
        };
        let lost = Failure::Failed(words);
        self.lost = Some(lost.clone());
        lost
    }
}
