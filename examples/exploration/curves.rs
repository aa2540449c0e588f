//! From studies to groups of curves.

use concrete_dqn::plot::Group;

use crate::study::Study;

/// A group of curves for each rule, a curve for each seed. Studies of one rule follow each other.
pub fn groups<'a>(
    studies: impl IntoIterator<Item = &'a Study>,
    mut curve: impl FnMut(&Study) -> Vec<(f64, f64)>,
) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for study in studies {
        let name = study.rule.to_string();
        match groups.last_mut().filter(|group| group.name == name) {
            Some(group) => group.runs.push(curve(study)),
            None => groups.push(Group { name, runs: vec![curve(study)] }),
        }
    }
    groups
}
