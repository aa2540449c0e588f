//! What a policy thinks of every cell of the state space.

use super::policy::Policy;
use crate::agent::Agent;
use crate::error::Error;
use crate::network::PlaceFigures;
use crate::rows::MapRecord;
use crate::state_grid::StateGrid;

/// The shares of a training after which the state space is mapped.
const MOMENTS: [f64; 5] = [0.02, 0.06, 0.2, 0.5, 1.0];

/// Whether a training of `budget` steps is mapped after `steps` of them.
pub fn is_moment(steps: u64, budget: u64) -> bool {
    MOMENTS.iter().any(|share| (share * budget as f64).round() as u64 == steps)
}

/// A row for every cell: what the policy says there, and how many transitions in the agent's replay start there.
///
/// # Errors
/// Those of [`Policy::predict`].
pub fn state_map(grid: &StateGrid, policy: &mut Policy, agent: &Agent) -> Result<Vec<MapRecord>, Error> {
    let mut visits = vec![0; grid.len()];
    for (input, _) in agent.replay().transitions() {
        grid.cell(input).into_iter().for_each(|cell| visits[cell] += 1);
    }
    let others = grid.others(agent.replay().transitions().map(|(input, _)| input));
    let rows = visits.into_iter().enumerate().map(|(cell, visits)| {
        let (observation, [x, y]) = (grid.observation(cell, &others), grid.centre(cell));
        let values = policy.predict(&observation)?;
        // The agent's, since a policy does not count transitions.
        let place = agent.network().local_place(&observation, values.action);
        let share = |place: PlaceFigures| place.transitions as f64 / agent.dataset_size().max(1) as f64;
        Ok(MapRecord {
            env_steps: agent.steps(),
            x,
            y,
            visits,
            value: values.mean[values.action],
            greedy_action: values.action,
            epistemic_std: values.epistemic_std[values.action],
            local_p: policy.network().local_p(&observation, values.action),
            place_p: place.map(|place| place.p),
            place_sensitivity: place.map(|place| place.squared_weight * share(place)),
            dataset_size: agent.dataset_size(),
            precision: agent.network().precision(),
        })
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_is_mapped_five_times() {
        let moments: Vec<u64> = (1..=50_000).filter(|steps| is_moment(*steps, 50_000)).collect();
        assert_eq!(moments, [1_000, 3_000, 10_000, 25_000, 50_000]);
        assert!(is_moment(1, 1) && !is_moment(2, 1));
    }
}
