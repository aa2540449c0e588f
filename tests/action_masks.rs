//! No action that is not valid is ever taken: by no rule, on no engine, at random, in evaluations, in recordings; nor is one
//! valued in a target. The environment panics where one is.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[path = "program/minefield.rs"]
mod minefield;

use concrete_dqn::{Config, Session};
use control_envs::{Env, Wrappers, contract};
use minefield::Minefield;

fn config(settings: &str) -> Config {
    tch::set_num_threads(1);
    let quick = "steps = 250\nnetwork.hidden = [8]\nagent.learning_starts = 100\nagent.batch_size = 16\n\
                 evaluation.period = 150\nevaluation.episodes = 3";
    Config::for_env("Minefield-v0").unwrap().with(quick).unwrap().with(settings).unwrap()
}

#[test]
fn every_rule_and_engine_keeps_to_valid_actions() {
    for rule in ["ucb", "thompson", "information-directed", "epsilon-greedy", "greedy"] {
        for settings in ["engine = \"fused\"", "engine = \"autograd\"", "local.tilings = 0"] {
            let settings = format!("exploration.rule = \"{rule}\"\n{settings}");
            let mut session = Session::new(Minefield::new, config(&settings)).unwrap();
            let summary = session.train(&mut ()).unwrap();
            assert_eq!(summary.total_steps, 250, "{settings}");
            session.evaluate(5).unwrap();
            let recording = session.policy().unwrap().record(100, &()).unwrap();
            assert!(!recording.steps.is_empty());
        }
    }
}

#[test]
fn in_wrappers_too() {
    let settings =
        "wrappers = { frame_stack = 3, action_repeat = 2, sticky_actions = 0.25, clip_rewards = true }";
    let mut session = Session::new(Minefield::new, config(settings)).unwrap();
    session.train(&mut ()).unwrap();
    session.evaluate(5).unwrap();
    contract::check(Minefield::new, 1, 1_000).unwrap();
    let wrappers = Wrappers { action_repeat: 3, sticky_actions: 0.5, ..Wrappers::default() };
    contract::check(|| wrappers.wrap(Minefield::new()), 1, 1_000).unwrap();
}

#[test]
fn what_is_learned_is_the_value_of_valid_actions() {
    // Without noise and local dropout, one-step targets of what follows: from cell 3 the jump ends at -0.5, and from 4 the
    // step at -1. The action that would pay 3 for ever is never valid, so no value may come near it.
    let settings = "steps = 3000\nnetwork.hidden = [16, 16]\nevaluation.period = 0\nexploration.rule = \"epsilon-greedy\"\nagent.gamma = 0.9\nagent.n_step = 1\n\
                    agent.n_step_final = 1\nlocal.tilings = 0\nagent.target_beta = 0";
    let mut session = Session::new(Minefield::new, config(settings)).unwrap();
    session.train(&mut ()).unwrap();
    let values = |session: &mut Session, cell: f32| session.predict(&[cell]).unwrap().mean;
    assert!((values(&mut session, 3.0)[3] + 0.5).abs() < 0.3, "{:?}", values(&mut session, 3.0));
    assert!((values(&mut session, 4.0)[2] + 1.0).abs() < 0.3, "{:?}", values(&mut session, 4.0));
    for cell in 0..5_u8 {
        let valid = [1, 2].into_iter().chain((cell == 1 || cell == 3).then_some(3));
        let mean = values(&mut session, f32::from(cell));
        assert!(
            valid.filter(|action| cell > 0 || *action != 1).all(|action| mean[action] < 0.3),
            "{cell}: {mean:?}"
        );
    }
}

#[test]
fn a_policy_is_asked_among_valid_actions() {
    let mut session = Session::new(Minefield::new, config("")).unwrap();
    session.train(&mut ()).unwrap();
    let policy = session.policy().unwrap();
    for action in 0..4 {
        let only: Vec<bool> = (0..4).map(|other| other == action).collect();
        assert_eq!(policy.predict_among(Some(&only), &[2.0]).unwrap().action, action);
    }
    for wrong in [vec![true; 3], vec![false; 4]] {
        let problem = policy.predict_among(Some(&wrong), &[2.0]).unwrap_err().to_string();
        assert!(
            problem.contains("no mask of the actions of Minefield-v0; it must be 4 truth values"),
            "{problem}"
        );
    }
    assert!(Minefield::new().action_mask().is_some());
}

#[test]
fn returns_are_those_of_the_environment_where_rewards_are_clipped() {
    // -2 a step becomes -1; the return of thirty steps stays -60.
    struct Costly(Minefield);
    impl Env for Costly {
        fn spec(&self) -> &control_envs::EnvSpec {
            self.0.spec()
        }
        fn reset(
            &mut self,
            rng: &mut dyn control_envs::rand::Rng,
        ) -> Result<Vec<f32>, control_envs::EnvError> {
            self.0.reset(rng)
        }
        fn step(&mut self, _action: usize) -> Result<control_envs::Step, control_envs::EnvError> {
            Ok(control_envs::Step::new(vec![0.0], -2.0, false))
        }
    }
    let settings = "steps = 300\nwrappers.clip_rewards = true\nagent.gamma = 0.0";
    let mut session = Session::new(|| Costly(Minefield::new()), config(settings)).unwrap();
    let summary = session.train(&mut ()).unwrap();
    assert_eq!(summary.mean_return_100, Some(-60.0));
    assert_eq!(session.evaluate(2).unwrap().mean_return, -60.0);
    // What is learned is the clipped reward.
    assert_eq!(session.agent().replay().reward_range(), (-1.0, 0.0));
}
