//! Draws a figure as an SVG, and the PNG from the SVG: the same on every machine, with the font that is
//! embedded here.

pub(super) mod canvas;
mod layout;
mod panel;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use self::canvas::{Canvas, Drawn, INTER, INTER_SEMI_BOLD};
pub(super) use self::layout::{BELOW_TITLES, MARGIN, legend_height, titles};
use super::figure::Figure;
use crate::error::Error;
use crate::files;

/// Writes `<path>.svg` and `<path>.png`, or where the path ends in one of the two, that file alone. Each is
/// written whole or not at all. Returns their paths.
pub(crate) fn write(figure: &Figure, path: &Path) -> Result<Vec<PathBuf>, Error> {
    write_drawing(figure.size, path, |canvas| layout::draw(canvas, figure))
}

/// The same for whatever draws itself on a canvas of this size.
pub(super) fn write_drawing(
    size: (u32, u32),
    path: &Path,
    draw: impl FnOnce(&mut Canvas<'_>) -> Drawn,
) -> Result<Vec<PathBuf>, Error> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::file("create the folder", folder))?;
    }
    let failed = |problem: String| Error::Draw { path: path.to_owned(), problem };
    let svg = canvas::svg(size, draw).map_err(|error| failed(error.to_string()))?;
    let [is_vector, is_bitmap] = ["svg", "png"].map(|format| has_extension(path, format));
    let mut written = Vec::new();
    if !is_bitmap {
        let vector = if is_vector { path.to_owned() } else { extended(path, "svg") };
        files::replace(&vector, svg.as_bytes())?;
        written.push(vector);
    }
    if !is_vector {
        let bitmap = if is_bitmap { path.to_owned() } else { extended(path, "png") };
        files::replace(&bitmap, &png(&svg, size).map_err(failed)?)?;
        written.push(bitmap);
    }
    Ok(written)
}

fn has_extension(path: &Path, format: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(format))
}

fn png(svg: &str, (width, height): (u32, u32)) -> Result<Vec<u8>, String> {
    static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = fontdb::Database::new();
        for font in [INTER, INTER_SEMI_BOLD] {
            fonts.load_font_source(fontdb::Source::Binary(Arc::new(font)));
        }
        Arc::new(fonts)
    });
    let options = Options { fontdb: FONTS.clone(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let mut pixels = Pixmap::new(width, height).ok_or("it has no pixels")?;
    resvg::render(&tree, Transform::identity(), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}

/// The path with an extension added, whatever dots its name already has.
fn extended(stem: &Path, extension: &str) -> PathBuf {
    let mut path = OsString::from(stem);
    path.push(".");
    path.push(extension);
    PathBuf::from(path)
}

#[cfg(test)]
mod tests {
    use plotters::style::{BLACK, WHITE};

    use super::canvas::{Align, Font, PLAIN};
    use super::*;
    use crate::plot::figure::Stroke;

    const SIZE: (u32, u32) = (60, 20);

    /// How dark the pixels of a drawing are: 0 is white, 255 black.
    fn drawn(draw: impl Fn(&mut Canvas<'_>) -> Drawn) -> Vec<Vec<u8>> {
        let on_white = |canvas: &mut Canvas<'_>| {
            canvas.rectangle((0.0, 0.0), (60.0, 20.0), WHITE)?;
            draw(canvas)
        };
        let png = png(&canvas::svg(SIZE, on_white).unwrap(), SIZE).unwrap();
        let pixels = Pixmap::decode_png(&png).unwrap();
        assert_eq!((pixels.width(), pixels.height()), SIZE);
        let rows = pixels.pixels().chunks(SIZE.0 as usize);
        rows.map(|row| row.iter().map(|pixel| 255 - pixel.red()).collect()).collect()
    }

    fn black(width: f64) -> Stroke {
        Stroke { color: BLACK, alpha: 1.0, width, dashed: false }
    }

    #[test]
    fn straight_lines_have_sharp_edges() {
        let rows = drawn(|canvas| canvas.straight((10.0, 9.6), (50.0, 10.3), &black(2.0)));
        for (y, row) in rows.iter().enumerate() {
            let expected = |x: usize| if (9..11).contains(&y) && (10..50).contains(&x) { 255 } else { 0 };
            assert!(row.iter().enumerate().all(|(x, dark)| *dark == expected(x)), "row {y}");
        }
    }

    #[test]
    fn a_translucent_line_that_crosses_itself_is_evenly_translucent() {
        let back_and_forth = [(10.0, 10.0), (50.0, 10.0), (10.0, 10.0)];
        let rows = drawn(|canvas| canvas.line(&back_and_forth, &Stroke { alpha: 0.4, ..black(4.0) }));
        assert!((8..12).all(|y| (10..50).all(|x| rows[y][x] == 102)), "{:?}", rows[10]);
        assert_eq!((rows[5][30], rows[15][30]), (0, 0));
    }

    #[test]
    fn dashes_and_gaps_are_equally_long() {
        let dashed = Stroke { dashed: true, ..black(2.0) };
        let rows = drawn(|canvas| canvas.line(&[(0.0, 10.0), (17.0, 10.0), (60.0, 10.0)], &dashed));
        let expected = |x: usize| if (x / 6).is_multiple_of(2) { 255 } else { 0 };
        assert!((0..60).all(|x| rows[10][x] == expected(x)), "{:?}", rows[10]);
    }

    #[test]
    fn text_stands_where_it_is_put_and_is_as_wide_as_it_is_measured() {
        for bold in [false, true] {
            let font = Font { size: 12.0, bold, color: BLACK };
            let rows = drawn(|canvas| canvas.text("80808", (5.0, 10.0), Align::Left, &font));
            let dark = |y: usize| rows[y].iter().any(|dark| *dark > 128);
            let (top, bottom) = ((0..20).find(|y| dark(*y)).unwrap(), (0..20).rfind(|y| dark(*y)).unwrap());
            assert!(
                (19..=21).contains(&(top + bottom + 1)),
                "its middle is at {}",
                (top + bottom + 1) as f64 / 2.0
            );
            let right = (0..60).rfind(|x| rows.iter().any(|row| row[*x] > 128)).unwrap() as f64;
            assert!(
                (5.0 + 0.85 * font.width("80808")..5.0 + font.width("80808")).contains(&right),
                "{right}"
            );
        }
    }

    #[test]
    fn every_letter_that_figures_need_is_in_both_fonts() {
        let width = |bold, letter: char| Font { bold, ..PLAIN }.width(&letter.to_string());
        for bold in [false, true] {
            for letter in "·…−–×⁰¹²³⁴⁵⁶⁷⁸⁹⁻₀₁₂₃₄₅₆₇₈₉µμσατ".chars()
            {
                let missing = width(bold, '\u{10FFFF}');
                assert!(width(bold, letter) != missing, "{letter} is missing");
            }
        }
    }
}
