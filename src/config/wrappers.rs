//! The `[wrappers]` section of a config, which is [`Wrappers`] as the environments have it.

use control_envs::Wrappers;

use crate::section::{Ranges, Section};

impl Section for Wrappers {
    fn check(&self, ranges: &mut Ranges) {
        let Self { time_limit, sticky_actions, action_repeat, clip_rewards: _, frame_stack } = *self;
        ranges.whole_or_zero("time_limit", time_limit as u64);
        ranges.probability("sticky_actions", sticky_actions);
        ranges.whole("action_repeat", action_repeat, 1..=1000);
        ranges.whole("frame_stack", frame_stack, 1..=64);
    }
}
