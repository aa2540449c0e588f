//! Commands of this program, as they can be pasted into a shell.

use std::ffi::OsStr;
use std::path::Path;

/// `program SUBCOMMAND RUN ...`, with quotation marks where a shell needs them.
pub fn command(program: &OsStr, subcommand: &str, folders: &[&Path]) -> String {
    let folders = folders.iter().map(|folder| folder.as_os_str());
    line([program, OsStr::new(subcommand)].into_iter().chain(folders))
}

/// The words of a command line.
pub fn line<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> String {
    words.into_iter().map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:=@%,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_words_as_they_are() {
        let folders = [Path::new("runs/cartpole__ucb__s0__20250101T000000Z"), Path::new("it's läufe/a")];
        assert_eq!(
            command(OsStr::new("target/release/concrete-dqn"), "plot", &folders),
            r"target/release/concrete-dqn plot runs/cartpole__ucb__s0__20250101T000000Z 'it'\''s läufe/a'"
        );
    }
}
