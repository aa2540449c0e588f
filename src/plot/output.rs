//! Writes a picture as SVG and PNG, each file whole or not at all.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use plotters::backend::{BitMapBackend, SVGBackend};
use plotters::prelude::{DrawingBackend, IntoDrawingArea};
use plotters::style::{FontStyle, register_font};

use super::PlotError;
use super::pen::{Drawn, Medium, Pen};

/// Something that draws itself with a pen on any backend.
pub(crate) trait Picture {
    /// Width and height, in units.
    fn size(&self) -> (u32, u32);

    /// Draws all of it.
    fn draw<B: DrawingBackend>(&self, pen: &Pen<'_, B>) -> Drawn;
}

/// Backends take whole pixels only. A vector picture is drawn this much larger, so that its curves have no steps.
const SVG_SCALE: u32 = 4;
/// A bitmap is drawn this much larger and each pixel becomes the mean of its parts, so that all edges are smooth.
const PNG_SCALE: u32 = 2;

/// Writes `<stem>.svg` and `<stem>.png` and returns the two paths.
pub(crate) fn write(picture: &impl Picture, stem: &Path) -> Result<Vec<PathBuf>, PlotError> {
    register_fonts();
    if let Some(folder) = stem.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|source| PlotError::Write { path: folder.to_owned(), source })?;
    }
    let vector = extended(stem, "svg");
    let text = svg(picture).map_err(|problem| PlotError::Draw { path: vector.clone(), problem })?;
    replace(&vector, |temporary| std::fs::write(temporary, &text))?;

    let bitmap = extended(stem, "png");
    let pixels = pixels(picture).map_err(|problem| PlotError::Draw { path: bitmap.clone(), problem })?;
    replace(&bitmap, |temporary| encode(&pixels, picture.size(), temporary))?;
    Ok(vec![vector, bitmap])
}

/// The font of all bitmaps. Without it the library has none; the SVGs only name their font's family.
fn register_fonts() {
    static REGISTERED: OnceLock<()> = OnceLock::new();
    REGISTERED.get_or_init(|| {
        // A font that cannot be read shows itself as soon as it is drawn with, as an error that names the picture.
        for (style, font) in [
            (FontStyle::Normal, include_bytes!("../../assets/Inter-Regular.ttf").as_slice()),
            (FontStyle::Bold, include_bytes!("../../assets/Inter-SemiBold.ttf").as_slice()),
        ] {
            let _ = register_font("sans-serif", style, font);
        }
    });
}

fn svg(picture: &impl Picture) -> Result<String, String> {
    let (width, height) = picture.size();
    let (drawn_width, drawn_height) = (width * SVG_SCALE, height * SVG_SCALE);
    let mut text = String::new();
    draw(
        picture,
        SVGBackend::with_string(&mut text, (drawn_width, drawn_height)),
        Medium::Vector,
        SVG_SCALE,
    )?;
    Ok(text.replacen(
        &format!(r#"width="{drawn_width}" height="{drawn_height}""#),
        &format!(r#"width="{width}" height="{height}""#),
        1,
    ))
}

fn pixels(picture: &impl Picture) -> Result<Vec<u8>, String> {
    let (width, height) = picture.size();
    let (width, height) = (width * PNG_SCALE, height * PNG_SCALE);
    let mut large = vec![255; 3 * (width * height) as usize];
    draw(picture, BitMapBackend::with_buffer(&mut large, (width, height)), Medium::Bitmap, PNG_SCALE)?;
    Ok(halved(&large, 3 * width as usize))
}

fn draw<B: DrawingBackend>(picture: &impl Picture, backend: B, medium: Medium, scale: u32) -> Drawn {
    let area = backend.into_drawing_area();
    picture.draw(&Pen { area: &area, medium, scale: f64::from(scale) })?;
    area.present().map_err(|error| error.to_string())
}

/// The bitmap at half its size: every pixel is the mean of four.
fn halved(large: &[u8], row: usize) -> Vec<u8> {
    let mut small = vec![255; large.len() / 4];
    let mut sums = vec![0u16; row];
    for (rows, small) in large.chunks_exact(2 * row).zip(small.chunks_exact_mut(row / 2)) {
        let (upper, lower) = rows.split_at(row);
        for ((sum, upper), lower) in sums.iter_mut().zip(upper).zip(lower) {
            *sum = u16::from(*upper) + u16::from(*lower);
        }
        for (pixel, sums) in small.chunks_exact_mut(3).zip(sums.chunks_exact(6)) {
            for (channel, value) in pixel.iter_mut().enumerate() {
                *value = ((sums[channel] + sums[channel + 3]) / 4) as u8;
            }
        }
    }
    small
}

fn encode(pixels: &[u8], size: (u32, u32), path: &Path) -> std::io::Result<()> {
    let mut backend = BitMapBackend::new(path, size);
    backend
        .blit_bitmap((0, 0), size, pixels)
        .and_then(|()| backend.present())
        .map_err(|error| std::io::Error::other(error.to_string()))
}

/// Writes a file under a temporary name and gives it its own once it is whole.
fn replace(path: &Path, write: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), PlotError> {
    // The process in the name, since a run and a `plot` command may draw the same picture at the same time. The
    // extension at its end, since the library chooses the format by it.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{}.{name}", std::process::id()));
    write(&temporary).and_then(|()| std::fs::rename(&temporary, path)).map_err(|source| {
        let _ = std::fs::remove_file(&temporary);
        PlotError::Write { path: path.to_owned(), source }
    })
}

/// The path with an extension added, whatever dots its name already has.
fn extended(stem: &Path, extension: &str) -> PathBuf {
    let mut path = OsString::from(stem);
    path.push(".");
    path.push(extension);
    PathBuf::from(path)
}
