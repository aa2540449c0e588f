//! An environment around a physics engine, trained with the whole command line: a ball on a plank, simulated by Rapier.
//!
//! ```sh
//! cargo run --release --manifest-path examples/rapier/Cargo.toml --target-dir target -- --env plank --steps 20_000
//! ```

use std::process::ExitCode;

use control_envs::rand::{Rng, RngExt};
use control_envs::{About, Dimension, Drawing, Env, EnvError, EnvSpec, Ink, Registry, Step};
use rapier2d::prelude::*;

const ID: &str = "Plank-v0";
/// Half the length of the plank and half its thickness, and the ball's radius (m).
const PLANK: [f32; 2] = [1.0, 0.05];
const RADIUS: f32 = 0.1;
/// How fast the plank is tilted (rad/s), and how far.
const TILT: f32 = 1.0;
const STEEPEST: f32 = 0.3;
/// Steps of the simulator, 1/60 s each, for one of the environment.
const SUBSTEPS: usize = 2;

/// Keep a ball on a plank by tilting the plank.
struct Plank {
    spec: EnvSpec,
    world: PhysicsWorld,
    plank: RigidBodyHandle,
    ball: RigidBodyHandle,
}

impl Plank {
    fn new() -> Self {
        let infinite = f32::INFINITY;
        let dimensions = [
            Dimension::new("ball position", "m", -infinite, infinite).with_typical(-1.0, 1.0),
            Dimension::new("ball velocity", "m/s", -infinite, infinite).with_typical(-2.0, 2.0),
            Dimension::new("plank angle", "rad", -infinite, infinite).with_typical(-STEEPEST, STEEPEST),
        ];
        let about = About {
            description: "Keep a ball on a plank by tilting the plank".into(),
            rewards: "1 a step, the last one included".into(),
            start: "the ball at rest, up to 0.5 m from the middle of the level plank".into(),
            end: "terminated where the ball has left the plank".into(),
            source: "an example; simulated by Rapier".into(),
        };
        let spec = EnvSpec::new(ID, dimensions, ["tilt left", "hold", "tilt right"])
            .with_max_episode_steps(500)
            .with_reward_threshold(475.0)
            .with_about(about);
        let (world, plank, ball) = world(0.0);
        Self { spec, world, plank, ball }
    }

    fn observation(&self) -> Vec<f32> {
        let (plank, ball) = (&self.world.bodies[self.plank], &self.world.bodies[self.ball]);
        vec![ball.translation().x, ball.linvel().x, plank.rotation().angle()]
    }
}

/// A level plank that only its own velocity moves, and a ball on it. Everything in it is made anew for every episode, so
/// that an episode is a function of its start.
fn world(position: f32) -> (PhysicsWorld, RigidBodyHandle, RigidBodyHandle) {
    let mut world = PhysicsWorld::new();
    let (plank, _) = world.insert(
        RigidBodyBuilder::kinematic_velocity_based(),
        ColliderBuilder::cuboid(PLANK[0], PLANK[1]),
    );
    let (ball, _) = world.insert(
        RigidBodyBuilder::dynamic().translation(Vector::new(position, PLANK[1] + RADIUS)).can_sleep(false),
        ColliderBuilder::ball(RADIUS),
    );
    (world, plank, ball)
}

impl Env for Plank {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        (self.world, self.plank, self.ball) = world(rng.random_range(-0.5..0.5));
        Ok(self.observation())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        for _ in 0..SUBSTEPS {
            let plank = &mut self.world.bodies[self.plank];
            let velocity = [TILT, 0.0, -TILT][action];
            let is_steepest = plank.rotation().angle() * velocity.signum() >= STEEPEST;
            plank.set_angvel(if is_steepest { 0.0 } else { velocity }, true);
            self.world.step();
        }
        let ball = self.world.bodies[self.ball].translation();
        Ok(Step::new(self.observation(), 1.0, ball.x.abs() > PLANK[0] || ball.y < -PLANK[0]))
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        postcard::to_stdvec(&self.world).ok()
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let world = postcard::from_bytes(state);
        self.world = world.map_err(|_| EnvError::NotRestored { env: ID.to_owned() })?;
        Ok(())
    }

    fn drawing(&self) -> Option<Drawing> {
        let (plank, ball) = (&self.world.bodies[self.plank], self.world.bodies[self.ball].translation());
        let (sine, cosine) = plank.rotation().angle().sin_cos();
        let ends = [-1.0, 1.0].map(|side| [side * PLANK[0] * cosine, side * PLANK[0] * sine].map(f64::from));
        let drawing = Drawing::new([-1.2, -0.8, 1.2, 0.8]);
        let drawing = drawing.line(ends, f64::from(2.0 * PLANK[1]), Ink::Body);
        Some(drawing.disc([ball.x, ball.y].map(f64::from), f64::from(RADIUS), Ink::Limb))
    }
}

fn main() -> ExitCode {
    let mut registry = Registry::builtin();
    if let Err(error) = registry.register("plank", Plank::new) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    concrete_dqn::cli::run(&registry, std::env::args_os())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_contract() {
        assert_eq!(control_envs::contract::check(Plank::new, 1, 1_000), Ok(vec![]));
    }
}
