//! `--output` of a figure.

use std::ffi::OsString;
use std::path::PathBuf;

/// The path of a figure: with `.svg` or `.png` that file alone, without an ending both.
pub fn figure_path(text: OsString) -> Result<PathBuf, String> {
    let is_folder = text.to_string_lossy().ends_with(std::path::is_separator);
    let path = PathBuf::from(text);
    let formats = "a figure is written as svg or png";
    if is_folder || path.is_dir() || path.file_name().is_none() {
        return Err(format!("it is a folder; give the name of a file in it; {formats}"));
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned()).unwrap_or_default();
    // What follows a dot and is a number, as in `beta-0.5`, is a part of the name.
    let is_format = ending.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_format && !["svg", "png"].contains(&ending.to_lowercase().as_str()) {
        let stem = path.with_extension("");
        let stem = stem.display();
        return Err(format!("{formats}, not as {ending}; write {stem}.svg, {stem}.png, or {stem} for both"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure_path(text: &str) -> Result<PathBuf, String> {
        super::figure_path(text.into())
    }

    #[test]
    fn endings_of_figures_are_taken_and_others_refused_with_what_is_right() {
        for path in ["x", "x.svg", "a/x.PNG", "beta-0.5"] {
            assert_eq!(figure_path(path), Ok(PathBuf::from(path)));
        }
        let problem = figure_path("a/x.jpg").unwrap_err();
        assert_eq!(
            problem,
            "a figure is written as svg or png, not as jpg; write a/x.svg, a/x.png, or a/x for both"
        );
        for folder in ["a/", "..", ".", "src"] {
            assert!(figure_path(folder).unwrap_err().starts_with("it is a folder"), "{folder}");
        }
    }
}
