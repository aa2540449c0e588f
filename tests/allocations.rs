//! Learning and acting allocate nothing once their buffers have their size.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use allocation_counter::measure;
use concrete_dqn::agent::Agent;
use concrete_dqn::config::{Config, ConfigLayer};
use concrete_dqn::randomness::{Stream, generator};
use control_envs::Registry;
use tch::Device;

#[test]
fn nothing_is_allocated_in_steady_state() {
    for targets in ["double-q", "optimistic"] {
        // With local dropout a rule that draws from it copies the values of a decision.
        for (rule, tilings) in
            [("ucb", 0), ("ucb", 16), ("thompson", 0), ("information-directed", 0), ("epsilon-greedy", 16)]
        {
            let settings = [
                format!("agent.targets={targets}"),
                format!("exploration.rule={rule}"),
                format!("local.tilings={tilings}"),
                // Writing a record draws passes of its own.
                "logging.update_period=1000000".to_owned(),
            ];
            let layers: Vec<ConfigLayer> =
                settings.iter().map(|setting| ConfigLayer::assignment(setting).unwrap()).collect();
            let config = Config::resolve(&layers).unwrap();
            let mut env = Registry::builtin().make("cartpole").unwrap();
            let mut agent = Agent::new(&config, env.spec(), Device::Cpu).unwrap();
            let mut starts = generator(0, Stream::Environment);
            let mut observation = env.reset(&mut starts).unwrap();
            agent.begin_episode(0);
            for _ in 0..600 {
                let action = agent.act(&observation).unwrap();
                let step = env.step(action).unwrap();
                agent.observe(&observation, action, &step);
                agent.learn().unwrap();
                observation =
                    if step.ends_episode() { env.reset(&mut starts).unwrap() } else { step.observation };
            }
            let learning = measure(|| assert!(agent.learn().unwrap().is_none()));
            assert_eq!(learning.count_total, 0, "learning with {settings:?}: {learning:?}");
            let acting = measure(|| assert!(agent.act(&observation).is_ok()));
            assert_eq!(acting.count_total, 0, "acting with {settings:?}: {acting:?}");
        }
    }
}
