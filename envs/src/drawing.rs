//! What a state looks like.

/// A picture of a state: shapes in coordinates of the environment's own, y upwards, later ones over earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// What is in view: left, bottom, right, top. One unit is as long across as it is up.
    pub view: [f64; 4],
    /// What is seen.
    pub shapes: Vec<Shape>,
}

/// A part of a [`Drawing`].
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A line through points, `width` wide.
    Line {
        /// Its points, two or more.
        points: Vec<[f64; 2]>,
        /// In the units of the drawing.
        width: f64,
        /// How it is coloured.
        ink: Ink,
    },
    /// A filled circle.
    Disc {
        /// Its centre.
        centre: [f64; 2],
        /// In the units of the drawing.
        radius: f64,
        /// How it is coloured.
        ink: Ink,
    },
    /// A filled rectangle.
    Rectangle {
        /// Left, bottom, right, top.
        sides: [f64; 4],
        /// How it is coloured.
        ink: Ink,
    },
}

/// The part that a shape plays, from which whoever draws it finds its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// What stands still: the ground, a frame.
    Ground,
    /// What is controlled.
    Body,
    /// What moves with it, such as a pole.
    Limb,
    /// Where it should go.
    Goal,
}

impl Drawing {
    /// A picture of what lies within `view`: left, bottom, right, top.
    pub fn new(view: [f64; 4]) -> Self {
        Self { view, shapes: Vec::new() }
    }

    /// With a line, later shapes over it.
    pub fn line(mut self, points: impl IntoIterator<Item = [f64; 2]>, width: f64, ink: Ink) -> Self {
        self.shapes.push(Shape::Line { points: points.into_iter().collect(), width, ink });
        self
    }

    /// With a disc, later shapes over it.
    pub fn disc(mut self, centre: [f64; 2], radius: f64, ink: Ink) -> Self {
        self.shapes.push(Shape::Disc { centre, radius, ink });
        self
    }

    /// With a rectangle of these sides (left, bottom, right, top), later shapes over it.
    pub fn rectangle(mut self, sides: [f64; 4], ink: Ink) -> Self {
        self.shapes.push(Shape::Rectangle { sides, ink });
        self
    }

    /// A grid of cells one unit wide, row 0 on top.
    pub fn grid(rows: usize, columns: usize) -> Self {
        let (right, top) = (columns as f64, rows as f64);
        let frame = [[0.0, 0.0], [right, 0.0], [right, top], [0.0, top], [0.0, 0.0]];
        Self::new([-0.2, -0.2, right + 0.2, top + 0.2]).line(frame, 0.06, Ink::Ground)
    }
}

/// A cart on a track from `-limit` to `limit` with a pole of this length, at an angle from upright.
pub(crate) fn cart_and_pole(position: f64, angle: f64, length: f64, limit: f64) -> Drawing {
    let reach = limit + 0.4;
    let (tip_x, tip_y) = (position + length * angle.sin(), 0.25 + length * angle.cos());
    Drawing::new([-reach, -length - 0.1, reach, length + 0.6])
        .line([[-limit, 0.0], [limit, 0.0]], 0.03, Ink::Ground)
        .rectangle([position - 0.25, 0.0, position + 0.25, 0.25], Ink::Body)
        .line([[position, 0.25], [tip_x, tip_y]], 0.1, Ink::Limb)
        .disc([position, 0.25], 0.06, Ink::Ground)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::Registry;

    #[test]
    fn every_built_in_environment_has_a_picture_that_moves_and_is_in_view() {
        for entry in Registry::builtin().iter() {
            let mut env = entry.make();
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
            env.reset(&mut rng).unwrap();
            let first = env.drawing().unwrap();
            let action = entry.spec().actions.len() - 1;
            for _ in 0..4 {
                if env.step(action).unwrap().ends_episode() {
                    break;
                }
            }
            let later = env.drawing().unwrap();
            assert_ne!(first, later, "{}", entry.id());
            assert_eq!(first.view, later.view);
            let [left, bottom, right, top] = later.view;
            for shape in &later.shapes {
                let points = match shape {
                    Shape::Line { points, .. } => points.clone(),
                    Shape::Disc { centre, .. } => vec![*centre],
                    Shape::Rectangle { sides: [left, bottom, right, top], .. } => {
                        vec![[*left, *bottom], [*right, *top]]
                    }
                };
                let is_in_view =
                    |[x, y]: [f64; 2]| (left..=right).contains(&x) && (bottom..=top).contains(&y);
                assert!(points.into_iter().all(is_in_view), "{}: {shape:?}", entry.id());
            }
        }
    }
}
