//! The command that compares runs, as it can be pasted into a shell.

use std::ffi::OsStr;
use std::path::Path;

/// `program plot RUN RUN ...`, with quotation marks where a shell needs them.
pub fn plot_command(program: &OsStr, folders: &[&Path]) -> String {
    let mut words = vec![quoted(&program.to_string_lossy()), "plot".to_owned()];
    words.extend(folders.iter().map(|folder| quoted(&folder.to_string_lossy())));
    words.join(" ")
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
            plot_command(OsStr::new("target/release/concrete-dqn"), &folders),
            r"target/release/concrete-dqn plot runs/cartpole__ucb__s0__20250101T000000Z 'it'\''s läufe/a'"
        );
    }
}
