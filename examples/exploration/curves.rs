//! From studies to groups of curves.

use concrete_dqn::run::plots::Group;

use crate::study::Study;

/// A group of curves for each rule, a curve for each seed. Studies of one rule follow each other.
pub fn groups(studies: &[Study], mut curve: impl FnMut(&Study) -> Vec<(f64, f64)>) -> Vec<Group> {
    studies
        .chunk_by(|a, b| a.rule == b.rule)
        .map(|of_rule| Group {
            name: of_rule[0].rule.to_string(),
            runs: of_rule.iter().map(&mut curve).collect(),
        })
        .collect()
}
