//! The p of a single mask in front of a fixed weight, with as many data as it sees.

/// The minimum over the logit of
///
/// ```text
/// n tau w^2 e^logit / 2  -  H(p)
/// ```
///
/// the objective of a mask that n of the data pass (the paper's with K = 1, times N/2, without the weight term, whose pull `l^2 w^2/2` is nothing
/// beside that of the data where `l^2` is far below `n tau`, as 1e-4 beside 10 is):
/// `w keep / (1-p)` varies by `w^2 e^logit`. It is at `logit = -pull (1 + e^logit)^2` with `pull = n tau w^2 / 2`: 0 where
/// no data were seen, and near `-pull` where there are many. N is not in it: what counts are the data that pass.
pub fn single_mask_minimum(pull: f32) -> f32 {
    // logit + pull (1 + e^logit)^2 rises everywhere and is convex, and it is not below 0 here: Newton's method comes down
    // to its zero from above.
    let mut logit = -pull;
    for _ in 0..5 {
        let odds = logit.exp();
        let scale = 1.0 + odds;
        let value = logit + pull * scale * scale;
        let step = value / (1.0 + 2.0 * pull * scale * odds);
        logit -= step;
        if step <= f32::EPSILON * pull {
            break;
        }
    }
    logit.max(LOWEST_LOGIT)
}

/// p is not held for smaller: its variance is nothing beside anything.
const LOWEST_LOGIT: f32 = -30.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::concrete::Landscape;

    #[test]
    fn the_minimum_is_that_of_the_landscape() {
        // N data of which n pass: the sensitivity is the mean of w^2 over all of them.
        let (n, tau, w, all) = (7.0, 20.0, 0.1, 500.0);
        for factor in [0.0, 0.01, 0.3, 1.0, 3.0, 20.0] {
            let landscape = Landscape {
                sensitivity: factor * n / all * w * w,
                precision: tau,
                squared_norm: 0.0,
                length_scale: 0.0,
                masks: 1.0,
                dataset_size: all,
            };
            let found = single_mask_minimum((factor * n * tau * w * w / 2.0) as f32);
            let expected = landscape.minimum();
            assert!((f64::from(found) - expected).abs() < 1e-4, "{factor}: {found} against {expected}");
        }
    }

    #[test]
    fn without_data_p_is_a_half_and_more_data_pull_it_down() {
        assert_eq!(single_mask_minimum(0.0), 0.0);
        let pulls = [0.0, 1e-3, 0.1, 1.0, 5.0, 1e3, 1e9];
        let minima = pulls.map(single_mask_minimum);
        assert!(minima.windows(2).all(|pair| pair[1] < pair[0] || pair[0] == LOWEST_LOGIT), "{minima:?}");
        // Near -pull where p is small.
        assert!((single_mask_minimum(8.0) + 8.0).abs() < 0.01);
    }
}
