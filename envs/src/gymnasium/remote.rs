//! An environment in another process.

use std::sync::Arc;

use rand::Rng;

use super::PREFIX;
use super::failure::Failure;
use super::host::Host;
use super::protocol::{About, Request, Wanted};
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
        Ok(Self { spec: about.spec(PREFIX), host, number, is_seeded: false, content, mask: None })
    }

    fn ask(&mut self, request: Request<'_>) -> Result<Step, EnvError> {
        let answered = self.host.ask(self.number, request, &mut self.content);
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
        let request = if self.is_seeded { Request::Reset } else { Request::SeededReset(rng.next_u32()) };
        self.is_seeded = true;
        self.ask(request).map(|step| step.observation)
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        self.ask(Request::Step(action))
    }

    fn action_mask(&self) -> Option<Vec<bool>> {
        self.mask.clone()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // A process that has gone has closed it already.
        let _ = self.host.tell(self.number, Request::Close);
    }
}
