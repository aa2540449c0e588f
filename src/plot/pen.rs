//! What a picture is drawn with: lines, dots, areas and text in the picture's own units, on any backend.

use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::prelude::{
    DrawingArea, DrawingBackend, FontDesc, FontFamily, FontStyle, FontTransform, IntoTextStyle, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::figure::Stroke;
use super::stroke;

/// Nothing, or what the drawing library said.
pub(crate) type Drawn = Result<(), String>;

/// A place on a picture, in units, from its top left corner.
pub(crate) type Place = (f64, f64);

/// Where a text stands relative to its place. Its middle is always on the place's height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Center,
    Right,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Font {
    pub size: f64,
    pub bold: bool,
    pub color: RGBColor,
}

impl Font {
    fn description(&self, scale: f64) -> FontDesc<'static> {
        let style = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        // Even sizes, since the bitmap font renderer halves them to find the base line.
        FontDesc::new(FontFamily::SansSerif, (self.size * scale / 2.0).round() * 2.0, style)
    }

    /// How wide a text is, in units. An SVG is shown with another font, which may be a little wider.
    pub fn width(&self, text: &str) -> f64 {
        self.description(4.0).box_size(text).map_or(0.0, |(width, _)| f64::from(width) / 4.0)
    }

    /// The text, cut short with an ellipsis where it would be wider than `most`.
    pub fn fitted(&self, text: &str, most: f64) -> String {
        let mut text = text.to_owned();
        if self.width(&text) <= most {
            return text;
        }
        while !text.is_empty() && self.width(&format!("{text}…")) > most {
            text.pop();
        }
        text.truncate(text.trim_end().len());
        text + "…"
    }
}

/// Whether a backend smooths the edges of lines itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    Vector,
    Bitmap,
}

/// Draws on a backend that has `scale` pixels a unit.
pub(crate) struct Pen<'a, B: DrawingBackend> {
    pub area: &'a DrawingArea<B, Shift>,
    pub medium: Medium,
    pub scale: f64,
}

impl<B: DrawingBackend> Pen<'_, B> {
    /// A line through the points; a dot where there is only one.
    pub fn line(&self, points: &[Place], stroke: &Stroke) -> Drawn {
        match points {
            [] => Ok(()),
            [point] => self.dot(*point, 1.5 * stroke.width, stroke.color, stroke.alpha),
            _ if stroke.dashed => {
                let solid = Stroke { dashed: false, ..*stroke };
                stroke::dashes(points, 3.0 * stroke.width).iter().try_for_each(|dash| self.line(dash, &solid))
            }
            _ if self.medium == Medium::Bitmap => {
                self.cover(points, stroke.width, stroke.color, stroke.alpha)
            }
            _ => self.draw(&PathElement::new(
                self.pixels(points),
                ShapeStyle {
                    color: stroke.color.mix(stroke.alpha),
                    filled: false,
                    stroke_width: self.pixel(stroke.width) as u32,
                },
            )),
        }
    }

    /// A filled circle.
    pub fn dot(&self, place: Place, diameter: f64, color: RGBColor, alpha: f64) -> Drawn {
        match self.medium {
            Medium::Bitmap => self.cover(&[place], diameter, color, alpha),
            Medium::Vector => {
                let (center, radius) = (self.pixels(&[place])[0], self.pixel(diameter / 2.0));
                self.draw(&Circle::new(center, radius, color.mix(alpha).filled()))
            }
        }
    }

    /// A filled polygon.
    pub fn area(&self, corners: &[Place], color: RGBColor, alpha: f64) -> Drawn {
        self.draw(&Polygon::new(self.pixels(corners), color.mix(alpha)))
    }

    /// A filled rectangle.
    pub fn rectangle(&self, top_left: Place, bottom_right: Place, color: RGBColor) -> Drawn {
        let corners = self.pixels(&[top_left, bottom_right]);
        self.draw(&Rectangle::new([corners[0], corners[1]], color.filled()))
    }

    /// A text beside its place.
    pub fn text(&self, text: &str, (x, y): Place, align: Align, font: &Font) -> Drawn {
        let horizontal = match align {
            Align::Left => HPos::Left,
            Align::Center => HPos::Center,
            Align::Right => HPos::Right,
        };
        // A bitmap's text stands higher than an SVG's by this part of its size.
        let drop = if self.medium == Medium::Bitmap { 0.11 * font.size } else { 0.0 };
        let style: TextStyle<'_> = font
            .description(self.scale)
            .into_text_style(self.area)
            .color(&font.color)
            .pos(Pos::new(horizontal, VPos::Center));
        self.area.draw_text(text, &style, self.pixels(&[(x, y + drop)])[0]).map_err(|error| error.to_string())
    }

    /// A text that runs upwards, its middle at its place.
    pub fn text_upwards(&self, text: &str, place: Place, font: &Font) -> Drawn {
        let style: TextStyle<'_> = font
            .description(self.scale)
            .into_text_style(self.area)
            .transform(FontTransform::Rotate270)
            .color(&font.color)
            .pos(Pos::new(HPos::Center, VPos::Center));
        self.area.draw_text(text, &style, self.pixels(&[place])[0]).map_err(|error| error.to_string())
    }

    fn cover(&self, points: &[Place], width: f64, color: RGBColor, alpha: f64) -> Drawn {
        let scaled: Vec<_> = points.iter().map(|(x, y)| (x * self.scale, y * self.scale)).collect();
        stroke::cover(&scaled, width * self.scale, |x, y, covered| {
            self.area.draw_pixel((x, y), &color.mix(alpha * covered)).map_err(|error| error.to_string())
        })
    }

    fn draw<'e, E>(&self, element: &'e E) -> Drawn
    where
        &'e E: plotters::element::PointCollection<'e, (i32, i32)>,
        E: plotters::element::Drawable<B>,
    {
        self.area.draw(element).map_err(|error| error.to_string())
    }

    fn pixel(&self, length: f64) -> i32 {
        (length * self.scale).round() as i32
    }

    fn pixels(&self, places: &[Place]) -> Vec<(i32, i32)> {
        places.iter().map(|(x, y)| (self.pixel(*x), self.pixel(*y))).collect()
    }
}
