//! Seeds as a person lists them.

use std::collections::HashSet;
use std::str::FromStr;

use super::count::count;

const FORM: &str = "write whole numbers of 0 or more, such as 0-9, 0,3,7 or 0-2,7";

/// Seeds, each once, in the order in which they were named: `0-9`, `0,3,7`, `0-2,7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeds(Vec<u64>);

impl Seeds {
    /// Most seeds at a time; a range of more is more likely a typing error than a wish.
    const MOST: usize = 1000;
    /// A config can hold no larger ones.
    const LARGEST: u64 = i64::MAX as u64;

    /// The seeds.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut seeds = Vec::new();
        let mut named = HashSet::new();
        for part in text.split(',').map(str::trim) {
            if part.is_empty() {
                return Err(format!("a seed is missing; {FORM}"));
            }
            let (first, last) = match part.split_once('-') {
                Some((first, last)) => (seed(first, part)?, seed(last, part)?),
                None => {
                    let seed = seed(part, part)?;
                    (seed, seed)
                }
            };
            if first > last {
                return Err(format!("the range `{part}` runs backwards; write {last}-{first}"));
            }
            for seed in first..=last {
                if !named.insert(seed) {
                    return Err(format!("it names the seed {seed} twice; name every seed once"));
                }
                if seeds.len() == Self::MOST {
                    return Err(format!("it names more than {0} seeds; name {0} at most", Self::MOST));
                }
                seeds.push(seed);
            }
        }
        Ok(Self(seeds))
    }
}

/// One seed of a `part` of the list.
fn seed(text: &str, part: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    let number = count(text);
    if !digits && number.is_none() {
        return Err(format!("`{part}` is neither a seed nor a range of seeds; {FORM}"));
    }
    let seed = number.filter(|seed| *seed <= Seeds::LARGEST);
    seed.ok_or_else(|| format!("the seed {text} is too large; it must be at most {}", Seeds::LARGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<u64>, String> {
        text.parse::<Seeds>().map(|seeds| seeds.0)
    }

    #[test]
    fn ranges_lists_and_mixtures_are_seeds() {
        assert_eq!(parsed("4").unwrap(), [4]);
        assert_eq!(parsed("0-3").unwrap(), [0, 1, 2, 3]);
        assert_eq!(parsed("1_000-1e3").unwrap(), [1000]);
        assert_eq!(parsed("7,0, 3").unwrap(), [7, 0, 3]);
        assert_eq!(parsed("0-2,7,5 - 5").unwrap(), [0, 1, 2, 7, 5]);
        assert_eq!(parsed("9223372036854775806-9223372036854775807").unwrap().len(), 2);
        assert_eq!(parsed("1-1000").unwrap().len(), 1000);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_would_be_right() {
        for (text, words) in [
            ("9-0", "the range `9-0` runs backwards; write 0-9"),
            ("a-b", "`a-b` is neither a seed nor a range"),
            ("", "a seed is missing; write whole numbers"),
            ("1,,2", "a seed is missing"),
            ("1,2,", "such as 0-9, 0,3,7 or 0-2,7"),
            ("-3", "`-3` is neither"),
            ("3-", "`3-` is neither"),
            ("1-2-3", "`1-2-3` is neither"),
            ("+1", "`+1` is neither"),
            ("1.5", "`1.5` is neither"),
            ("3,0-4", "it names the seed 3 twice; name every seed once"),
            ("0-1000", "it names more than 1000 seeds; name 1000 at most"),
            ("0-9223372036854775807", "more than 1000 seeds"),
            (
                "9223372036854775808",
                "9223372036854775808 is too large; it must be at most 9223372036854775807",
            ),
            ("99999999999999999999", "99999999999999999999 is too large"),
        ] {
            let problem = parsed(text).unwrap_err();
            assert!(problem.contains(words), "{text}: {problem}");
        }
    }
}
