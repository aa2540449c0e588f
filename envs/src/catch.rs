//! Catch.

use rand::{Rng, RngExt};

use crate::{About, Dimension, Drawing, Env, EnvError, EnvSpec, ImageShape, Ink, Step, saved};

const ROWS: usize = 10;
const COLUMNS: usize = 5;
/// The paddle's row.
const BOTTOM: usize = ROWS - 1;

/// `Catch-v0`: catch a falling ball with a paddle, seeing the board as an image.
///
/// # Actions
/// | Number | Name    | Effect                                                       |
/// |--------|---------|--------------------------------------------------------------|
/// | 0      | `left`  | the paddle moves one column to the left, unless at the edge  |
/// | 1      | `stay`  | nothing                                                      |
/// | 2      | `right` | the paddle moves one column to the right, unless at the edge |
///
/// # Observation
/// An image of one channel, 10 rows and 5 columns, row by row from the top left: 50 values, 1 where the ball or the paddle
/// is and 0 elsewhere. On the last observation of an episode the two may cover the same pixel.
///
/// | Index          | Name                   | Unit | Bounds | Typical                                           |
/// |----------------|------------------------|------|--------|---------------------------------------------------|
/// | 5 row + column | `pixel in row, column` | none | 0 to 1 | ±1, so that 0 stays 0 where agents scale by it    |
///
/// # Dynamics
/// Each step moves the paddle, which stays in the bottom row, by the action, and then the ball down by one row in its column.
///
/// # Reward
/// 0 until the ball is in the bottom row; then 1 where the paddle is in its column and -1 where it is not. The best policy
/// always gets 1; the reward threshold is 0.95, at most one ball in forty missed.
///
/// # Start of an episode
/// The ball is in the top row, its column uniform; the paddle is in the middle column.
///
/// # End of an episode
/// Terminated after 9 steps, when the ball is in the bottom row. There is no time limit.
///
/// # Source
/// V. Mnih, N. Heess, A. Graves and K. Kavukcuoglu (2014), *Recurrent models of visual attention*; I. Osband et al. (2020),
/// *Behaviour suite for reinforcement learning*. Board, dynamics and rewards as in
/// bsuite, which has no threshold.
#[derive(Debug, Clone)]
pub struct Catch {
    spec: EnvSpec,
    /// Row and column of the ball.
    ball: [usize; 2],
    /// Column of the paddle.
    paddle: usize,
}

impl Catch {
    /// The environment, which needs a reset before its first step.
    pub fn new() -> Self {
        let pixels: Vec<Dimension> = (0..ROWS * COLUMNS)
            .map(|index| {
                let name = format!("pixel in row {}, column {}", index / COLUMNS, index % COLUMNS);
                Dimension::new(name, "", 0.0, 1.0).with_typical(-1.0, 1.0)
            })
            .collect();
        let spec = EnvSpec::new("Catch-v0", pixels, ["left", "stay", "right"])
            .with_image(ImageShape { channels: 1, rows: ROWS, columns: COLUMNS })
            .with_reward_threshold(0.95).with_about(About::of([
                "Catch a falling ball with a paddle, seeing the board as an image",
                "0 until the ball is in the bottom row; then 1 where the paddle is in its column and -1 where it is not",
                "the ball in the top row, each column as likely, the paddle in the middle column",
                "terminated after 9 steps, when the ball is in the bottom row",
                "V. Mnih et al. (2014); the rules of bsuite",
            ]));
        Self { spec, ball: [0, 0], paddle: COLUMNS / 2 }
    }

    /// Row and column of the ball, from the top left, and the column of the paddle.
    pub fn state(&self) -> [usize; 3] {
        [self.ball[0], self.ball[1], self.paddle]
    }

    fn observation(&self) -> Vec<f32> {
        let mut board = vec![0.0; ROWS * COLUMNS];
        let [row, column] = self.ball;
        board[row * COLUMNS + column] = 1.0;
        board[BOTTOM * COLUMNS + self.paddle] = 1.0;
        board
    }
}

impl Default for Catch {
    fn default() -> Self {
        Self::new()
    }
}

impl Env for Catch {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut dyn Rng) -> Result<Vec<f32>, EnvError> {
        self.ball = [0, rng.random_range(0..COLUMNS)];
        self.paddle = COLUMNS / 2;
        Ok(self.observation())
    }

    fn step(&mut self, action: usize) -> Result<Step, EnvError> {
        self.paddle = match action {
            0 => self.paddle.saturating_sub(1),
            1 => self.paddle,
            2 => (self.paddle + 1).min(COLUMNS - 1),
            _ => return Err(EnvError::ActionOutOfRange { env: self.spec.id.clone(), action, actions: 3 }),
        };
        self.ball[0] += 1;
        let [row, column] = self.ball;
        let terminated = row == BOTTOM;
        let reward = match (terminated, column == self.paddle) {
            (false, _) => 0.0,
            (true, true) => 1.0,
            (true, false) => -1.0,
        };
        Ok(Step::new(self.observation(), reward, terminated))
    }

    fn save_state(&self) -> Option<Vec<u8>> {
        Some(saved::numbers(&self.state().map(|cell| cell as f64)))
    }

    fn restore_state(&mut self, state: &[u8]) -> Result<(), EnvError> {
        let [row, column, paddle] = saved::read_numbers(state, &self.spec)?.map(|cell| cell as usize);
        if row >= BOTTOM || column.max(paddle) >= COLUMNS {
            return Err(EnvError::NotRestored { env: self.spec.id.clone() });
        }
        (self.ball, self.paddle) = ([row, column], paddle);
        Ok(())
    }

    fn drawing(&self) -> Option<Drawing> {
        let [row, column, paddle] = self.state().map(|cell| cell as f64);
        let drawing = Drawing::grid(ROWS, COLUMNS)
            .rectangle([paddle + 0.05, 0.05, paddle + 0.95, 0.45], Ink::Body)
            .disc([column + 0.5, ROWS as f64 - row - 0.5], 0.35, Ink::Goal);
        Some(drawing)
    }
}
