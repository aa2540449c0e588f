//! The same seed gives the same bytes, whatever the machine's threads are set to.

use crate::program::same_run;
use crate::runs::{only, training};

#[test]
fn the_same_seed_is_the_same_run_under_any_number_of_threads() {
    for engine in ["fused", "autograd"] {
        let parent = tempfile::tempdir().unwrap();
        let runs: Vec<_> = ["1", "1", "4"]
            .iter()
            .enumerate()
            .map(|(index, threads)| {
                let runs = parent.path().join(index.to_string());
                let mut command = training(&runs, &["--steps", "700", "--seed", "5", "--engine", engine]);
                for variable in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"] {
                    command.env(variable, threads);
                }
                assert!(command.output().unwrap().status.success());
                only(&runs)
            })
            .collect();
        same_run(&runs[0], &runs[1]);
        same_run(&runs[0], &runs[2]);
    }
}
