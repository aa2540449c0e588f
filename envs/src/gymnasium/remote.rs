//! An environment in another process.

use std::sync::Arc;

use rand::Rng;

use super::PREFIX;
use super::failure::Failure;
use super::host::Host;
use super::protocol::{About, Head, Request, Wanted};
use crate::{Env, EnvArgs, EnvError, EnvSpec, Step};

/// An environment in another process. It can't be saved.
#[derive(Debug)]
pub struct Remote {
    spec: EnvSpec,
    host: Arc<Host>,
    number: u32,
    /// Only the first reset is seeded, as Gymnasium means it: what is random goes on from there.
    is_seeded: bool,
    content: Vec<u8>,
    /// The action that it was told of, and has not answered yet.
    begun: Option<usize>,
    /// Which actions are valid, where it says so.
    mask: Option<Vec<bool>>,
}

impl Remote {
    /// Makes one.
    pub fn make(host: Arc<Host>, name: &str, args: &EnvArgs) -> Result<Self, Failure> {
        let failed =
            |error: serde_json::Error| Failure::Failed(format!("what it is can't be understood: {error}"));
        let (number, mut content) = (host.number(), Vec::new());
        let wanted = serde_json::to_vec(&Wanted::new(name, args)).map_err(failed)?;
        host.ask(number, Request::Make(&wanted), &mut content)?;
        let about: About = serde_json::from_slice(&content).map_err(failed)?;
        Ok(Self {
            spec: about.spec(PREFIX),
            host,
            number,
            is_seeded: false,
            content,
            begun: None,
            mask: None,
        })
    }

    fn ask(&mut self, request: Request<'_>) -> Result<Step, EnvError> {
        let answered = self.host.ask(self.number, request, &mut self.content);
        self.understand(answered)
    }

    /// Waits for the answer to the step that was begun.
    fn awaited(&mut self) -> Result<Step, EnvError> {
        self.begun = None;
        let answered = self.host.answer(&mut self.content);
        self.understand(answered)
    }

    fn understand(&mut self, answered: Result<Head, Failure>) -> Result<Step, EnvError> {
        let head = answered.map_err(|failure| failure.of(&self.spec.id))?;
        let masked = if head.masked { self.spec.actions.len() } else { 0 };
        let (observation, mask) = self.content.split_at(self.content.len().saturating_sub(masked));
        self.mask = head.masked.then(|| mask.iter().map(|&byte| byte != 0).collect());
        let (values, _) = observation.as_chunks::<4>();
        Ok(Step {
            observation: values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            reward: head.reward,
            terminated: head.terminated,
            truncated: head.truncated,
        })
    }
}

impl Env for Remote {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        if self.begun.is_some() {
            // Of an episode that is left. Where nothing can be asked any more, the reset says so.
            let _ = self.awaited();
        }
        let request = if self.is_seeded { Request::Reset } else { Request::SeededReset(rng.next_u32()) };
        self.is_seeded = true;
        self.ask(request).map(|step| step.observation)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        match self.begun {
            Some(begun) if begun == action => self.awaited(),
            Some(begun) => Err(Failure::Failed(format!("action {action} was taken where {begun} was begun"))
                .of(&self.spec.id)),
            None => self.ask(Request::Step(action)),
        }
    }

    fn begin_step(&mut self, action: usize) -> Result<(), EnvError> {
        // Where others ask the same process, their answers would come in between.
        if self.begun.is_none() && self.host.is_own() {
            self.host
                .tell(self.number, Request::Step(action))
                .map_err(|failure| failure.of(&self.spec.id))?;
            self.begun = Some(action);
        }
        Ok(())
    }

    fn action_mask(&self) -> Option<Vec<bool>> {
        self.mask.clone()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if self.begun.is_some() {
            return self.host.abandon();
        }
        // A process that has gone has closed it already.
        let _ = self.host.tell(self.number, Request::Close);
    }
}
