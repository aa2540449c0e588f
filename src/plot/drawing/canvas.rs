//! What a figure is drawn on: lines, dots, areas and text in the figure's own units, as an SVG.

use std::io;

use plotters::backend::SVGBackend;
use plotters::element::{DashedPathElement, Drawable};
use plotters::prelude::{DrawingBackend, FontDesc, FontFamily, FontStyle, FontTransform, TextStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle};
use plotters_backend::DrawingErrorKind;
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

use crate::plot::axis::Axis;
use crate::plot::figure::Stroke;
use crate::plot::palette::{FRAME, INK, LARGE, SMALL, SOFT_INK};

pub(super) const INTER: &[u8] = include_bytes!("../../../assets/Inter-Regular.ttf");
pub(super) const INTER_SEMI_BOLD: &[u8] = include_bytes!("../../../assets/Inter-SemiBold.ttf");

/// What comes of drawing, or what the drawing library said.
pub(crate) type Drawn<T = ()> = Result<T, DrawingErrorKind<io::Error>>;

/// A place on a figure, in units, from its top left corner.
pub(super) type Place = (f64, f64);

/// The backend takes whole pixels only. It is given this many a unit, so that curves have no steps.
const SCALE: u32 = 4;

/// The SVG of a drawing, `size` units wide and high.
pub(super) fn svg(size: (u32, u32), draw: impl FnOnce(&mut Canvas<'_>) -> Drawn) -> Drawn<String> {
    let scaled = (size.0 * SCALE, size.1 * SCALE);
    let mut text = String::new();
    let mut canvas = Canvas(SVGBackend::with_string(&mut text, scaled));
    draw(&mut canvas)?;
    canvas.0.present()?;
    drop(canvas);
    // Of the right size where it is shown, and without a spike wherever a line turns back.
    let root = |(width, height): (u32, u32)| format!(r#"width="{width}" height="{height}""#);
    Ok(text.replacen(&root(scaled), &format!(r#"{} stroke-linejoin="round""#, root(size)), 1))
}

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

/// Text that is read.
pub(crate) const PLAIN: Font = Font { size: SMALL, bold: false, color: INK };
/// Text that explains.
pub(crate) const SOFT: Font = Font { color: SOFT_INK, ..PLAIN };
/// The name of what is below it.
pub(crate) const HEADING: Font = Font { size: LARGE, bold: true, color: INK };

impl Font {
    /// How wide a text is at most, in units.
    pub fn width(&self, text: &str) -> f64 {
        /// A browser without this font takes another, which may be a little wider.
        const ROOM: f64 = 1.08;
        let Ok(font) = FontRef::new(if self.bold { INTER_SEMI_BOLD } else { INTER }) else { return 0.0 };
        let (glyphs, widths) =
            (font.charmap(), font.glyph_metrics(Size::new(self.size as f32), LocationRef::default()));
        let width = |letter| widths.advance_width(glyphs.map(letter).unwrap_or_default()).unwrap_or(0.0);
        ROOM * text.chars().map(|letter| f64::from(width(letter))).sum::<f64>()
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

    fn style(&self, align: Align, direction: FontTransform) -> TextStyle<'_> {
        let (family, style) = match self.bold {
            true => ("Inter Semi Bold, Inter, sans-serif", FontStyle::Bold),
            false => ("Inter, sans-serif", FontStyle::Normal),
        };
        let horizontal = match align {
            Align::Left => HPos::Left,
            Align::Center => HPos::Center,
            Align::Right => HPos::Right,
        };
        // The backend divides sizes by 1.24.
        let font = FontDesc::new(FontFamily::Name(family), 1.24 * self.size * f64::from(SCALE), style);
        TextStyle::from(font.transform(direction)).color(&self.color).pos(Pos::new(horizontal, VPos::Center))
    }
}

/// A rectangle on a figure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Frame {
    /// Where a value on the horizontal axis lies.
    pub fn x(&self, across: &Axis, value: f64) -> f64 {
        self.left + across.position(value) * (self.right - self.left)
    }

    /// Where a value on the vertical axis lies.
    pub fn y(&self, upwards: &Axis, value: f64) -> f64 {
        self.bottom - upwards.position(value) * (self.bottom - self.top)
    }

    pub fn middle(&self) -> Place {
        ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }
}

/// The lines of a frame.
pub(crate) const OUTLINE: Stroke = Stroke { color: FRAME, alpha: 1.0, width: 2.0, dashed: false };

/// Draws on an SVG.
pub(crate) struct Canvas<'a>(SVGBackend<'a>);

impl Canvas<'_> {
    /// A line through the points; a dot where there is only one.
    pub fn line(&mut self, points: &[Place], stroke: &Stroke) -> Drawn {
        let style = ShapeStyle {
            color: stroke.color.mix(stroke.alpha),
            filled: false,
            stroke_width: pixel(stroke.width) as u32,
        };
        match points {
            [] => Ok(()),
            [point] => self.dot(*point, 1.5 * stroke.width, stroke.color, stroke.alpha),
            _ if stroke.dashed => {
                let (size, dash) = (self.0.get_size(), pixel(3.0 * stroke.width));
                let points = || points.iter().copied().map(pixels);
                DashedPathElement::new(points(), dash, dash, style).draw(points(), &mut self.0, size)
            }
            _ => self.0.draw_path(points.iter().copied().map(pixels), &style),
        }
    }

    /// A level line across a figure, or an upright one: on whole units, so that its edges are sharp.
    pub fn straight(&mut self, from: Place, to: Place, stroke: &Stroke) -> Drawn {
        let whole = |(x, y): Place| (x.round(), y.round());
        self.line(&[whole(from), whole(to)], stroke)
    }

    /// The four sides of a frame.
    pub fn outline(&mut self, Frame { left, right, top, bottom }: Frame) -> Drawn {
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        (0..4).try_for_each(|side| self.straight(corners[side], corners[(side + 1) % 4], &OUTLINE))
    }

    /// A filled circle.
    pub fn dot(&mut self, place: Place, diameter: f64, color: RGBColor, alpha: f64) -> Drawn {
        self.0.draw_circle(pixels(place), pixel(diameter / 2.0) as u32, &color.mix(alpha).filled(), true)
    }

    /// A filled polygon.
    pub fn area(&mut self, corners: &[Place], color: RGBColor, alpha: f64) -> Drawn {
        self.0.fill_polygon(corners.iter().copied().map(pixels), &color.mix(alpha))
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, top_left: Place, bottom_right: Place, color: RGBColor) -> Drawn {
        self.0.draw_rect(pixels(top_left), pixels(bottom_right), &color.filled(), true)
    }

    /// A text beside its place.
    pub fn text(&mut self, text: &str, (x, y): Place, align: Align, font: &Font) -> Drawn {
        // The backend sets small letters in the middle; digits and capitals are higher.
        let place = pixels((x, y + 0.1 * font.size));
        self.0.draw_text(text, &font.style(align, FontTransform::None), place)
    }

    /// A text that runs upwards, its middle at its place.
    pub fn text_upwards(&mut self, text: &str, place: Place, font: &Font) -> Drawn {
        self.0.draw_text(text, &font.style(Align::Center, FontTransform::Rotate270), pixels(place))
    }
}

fn pixel(length: f64) -> i32 {
    (length * f64::from(SCALE)).round() as i32
}

fn pixels((x, y): Place) -> (i32, i32) {
    (pixel(x), pixel(y))
}
