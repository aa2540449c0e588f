//! Arguments of environments, and what is said of wrong ones.

#![allow(clippy::unwrap_used)] // In helpers too, which clippy.toml does not count as tests.

use control_envs::rand::SeedableRng;
use control_envs::{ArgValue, Argument, Env, EnvArgs, EnvError, Registry};
use rand_xoshiro::Xoshiro256PlusPlus;

mod common;
use common::{Scripted, sound};

fn arguments() -> [Argument; 3] {
    [
        Argument::whole("size", 3, 2..=9, "how large it is"),
        Argument::flag("windy", false, "whether there is wind"),
        Argument::number("cost", 0.5, 0.0..=1.0, "what a step costs"),
    ]
}

/// With a time limit of `size`.
fn scripted(args: &EnvArgs) -> Result<Scripted, EnvError> {
    let mut env = Scripted::new(sound);
    env.spec.max_episode_steps = Some(args.get("size")?);
    Ok(env)
}

fn registry() -> Registry {
    let mut registry = Registry::builtin();
    registry.register_with("mine", arguments(), scripted).unwrap();
    registry
}

#[test]
fn an_environment_is_made_with_what_is_given_and_defaults_for_the_rest() {
    let registry = registry();
    let entry = registry.get("mine").unwrap();
    assert_eq!((entry.spec().max_episode_steps, entry.args().label("Mine")), (Some(3), "Mine".to_owned()));
    let given = [("size", ArgValue::from(4)), ("windy", true.into()), ("cost", 1.into())];
    let other = entry.with_args(given).unwrap();
    assert_eq!((other.spec().max_episode_steps, other.make().spec()), (Some(4), other.spec()));
    assert_eq!(other.args().label("Mine"), "Mine size=4 windy=true cost=1");
    assert_eq!(other.args().get::<f64>("cost"), Ok(1.0), "a whole number is a number");
    // Over those that it has already, and the entry in the registry stays as it is.
    let third = other.with_args([("windy", false)]).unwrap();
    assert_eq!(third.args().label("Mine"), "Mine size=4 cost=1");
    assert_eq!(entry.spec().max_episode_steps, Some(3));
    let values: Vec<_> =
        entry.args().iter().map(|(argument, value)| (&argument.name[..], value.to_string())).collect();
    assert_eq!(values, [("size", "3".to_owned()), ("windy", "false".to_owned()), ("cost", "0.5".to_owned())]);
}

#[test]
fn what_is_wrong_is_said_with_what_would_be_right() {
    let registry = registry();
    let message = |env: &str, name: &str, value: ArgValue| {
        registry.get(env).unwrap().with_args([(name, value)]).unwrap_err().to_string()
    };
    assert_eq!(
        message("mine", "sise", 4.into()),
        "environment `Scripted-v0` has no argument `sise`; did you mean `size`? It takes size, windy, cost."
    );
    assert_eq!(
        message("cartpole", "size", 4.into()),
        "environment `CartPole-v1` has no argument `size`; it takes none"
    );
    assert_eq!(
        message("deep-sea", "size", 1.into()),
        "the argument `size` of environment `DeepSea-v0` is 1, but it must be a whole number from 2 to 200"
    );
    for (name, value, words) in [
        ("size", ArgValue::from("large"), "is large, but it must be a whole number from 2 to 9"),
        ("size", 4.5.into(), "is 4.5, but it must be a whole number"),
        ("size", true.into(), "is true, but it must be a whole number"),
        ("windy", 1.into(), "is 1, but it must be true or false"),
        ("cost", f64::NAN.into(), "is NaN, but it must be a number from 0 to 1"),
        ("cost", 1.5.into(), "is 1.5, but it must be a number from 0 to 1"),
        ("cost", "\u{1b}[31m".into(), "is \\u{1b}[31m, but it must be"),
    ] {
        let message = message("mine", name, value);
        assert!(message.contains(words) && message.contains(&format!("`{name}`")), "{message}");
    }
}

#[test]
fn an_argument_is_asked_for_as_it_was_declared() {
    let args = EnvArgs::new("Mine-v0", arguments());
    assert_eq!((args.get::<usize>("size"), args.get::<bool>("windy")), (Ok(3), Ok(false)));
    let error = args.get::<bool>("size").unwrap_err().to_string();
    assert!(error.contains("`size`") && error.contains("bool") && error.contains("cannot hold 3"), "{error}");
    assert!(args.get::<i64>("speed").unwrap_err().to_string().contains("did you mean"));
}

#[test]
fn declarations_that_make_no_sense_are_not_registered() {
    let refused = |arguments: Vec<Argument>| {
        Registry::new().register_with("mine", arguments, scripted).unwrap_err().to_string()
    };
    let size = || Argument::whole("size", 3, 2..=9, "");
    assert!(refused(vec![size(), size()]).contains("its argument `size` is declared twice"));
    for name in ["", "Size", "my size", "2d", "a.b"] {
        let message = refused(vec![Argument::flag(name, true, "")]);
        assert!(message.contains("small letters"), "{message}");
    }
    let message = refused(vec![Argument::whole("size", 1, 2..=9, "")]);
    assert!(
        message.contains("its argument `size` has the default 1, but it must be a whole number from 2 to 9"),
        "{message}"
    );
    assert!(refused(vec![]).contains("no argument `size`"), "the factory's own error is told");
}

#[test]
fn the_id_is_the_same_with_all_arguments_and_every_spec_is_valid() {
    let mut registry = Registry::new();
    registry
        .register_with("mine", arguments(), |args| {
            let mut env = scripted(args)?;
            let size: u64 = args.get("size")?;
            if size == 4 {
                env.spec.id.push('4');
            }
            if size == 5 {
                env.spec.actions.clear();
            }
            if size == 6 { Err(EnvError::failed("Scripted-v0", "6 is too many")) } else { Ok(env) }
        })
        .unwrap();
    let entry = registry.get("mine").unwrap();
    for (size, words) in [(4, "must not change its id"), (5, "it has no actions"), (6, "6 is too many")] {
        let message = entry.with_args([("size", size)]).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn an_environment_that_can_no_longer_be_made_says_so_at_its_reset() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let mut registry = Registry::new();
    registry
        .register_with("mine", arguments(), |args| match MADE.fetch_add(1, Ordering::Relaxed) {
            0 => scripted(args),
            _ => Err(EnvError::failed("Scripted-v0", "the simulator is gone")),
        })
        .unwrap();
    let mut env = registry.make("mine").unwrap();
    assert_eq!(env.spec().id, "Scripted-v0");
    let error = env.reset(&mut Xoshiro256PlusPlus::seed_from_u64(1)).unwrap_err();
    assert_eq!(error.to_string(), "environment `Scripted-v0` failed: the simulator is gone");
    assert!(env.step(0).is_err());
}

#[test]
fn built_in_defaults_are_within_their_ranges_and_make_the_registered_spec() {
    for entry in &Registry::builtin() {
        assert_eq!(entry.make().spec(), entry.spec());
        for (argument, value) in entry.args().iter() {
            assert_eq!(argument.default.as_ref(), Some(value));
            assert!(!argument.help.is_empty());
            assert_eq!(entry.with_args([(&argument.name, value.clone())]).unwrap().args(), entry.args());
        }
    }
}
