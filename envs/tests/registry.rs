//! Environments by name.

use control_envs::rand::SeedableRng;
use control_envs::{About, CartPole, Entry, Env, EnvError, Registry};
use rand_xoshiro::Xoshiro256PlusPlus;

mod common;
use common::{Scripted, sound};

fn custom(id: &'static str) -> impl Fn() -> Scripted + Send + Sync {
    move || {
        let mut env = Scripted::new(sound);
        env.spec.id = id.to_owned();
        env
    }
}

#[test]
fn built_ins_are_found_by_both_names() {
    let registry = Registry::builtin();
    let names: Vec<_> = registry.iter().map(|entry| (entry.alias(), entry.id())).collect();
    assert_eq!(
        names,
        [
            ("cartpole", "CartPole-v1"),
            ("mountaincar", "MountainCar-v0"),
            ("acrobot", "Acrobot-v1"),
            ("catch", "Catch-v0"),
            ("deep-sea", "DeepSea-v0"),
            ("cartpole-swingup", "CartPoleSwingup-v0"),
            ("sparse-mountaincar", "SparseMountainCar-v0"),
        ]
    );
    for (alias, id) in names {
        assert_eq!(registry.make(alias).unwrap().spec().id, id);
        assert_eq!(registry.make(id).unwrap().spec().id, id);
    }
}

#[test]
fn case_hyphens_and_underscores_make_no_difference() {
    let registry = Registry::builtin();
    for name in
        ["MOUNTAINCAR", "mountain-car", "mountain_car", "mountaincar-V0", "Mountain-Car-v0", " mountaincar "]
    {
        assert_eq!(registry.find(name).map(Entry::id), Some("MountainCar-v0"), "{name}");
    }
}

#[test]
fn built_in_names_and_specs_would_register() {
    let mut registry = Registry::new();
    for entry in &Registry::builtin() {
        let (alias, entry) = (entry.alias().to_owned(), entry.clone());
        registry.register(&alias, move || entry.make()).unwrap();
    }
}

#[test]
fn what_is_made_is_limited_and_checked() {
    let mut registry = Registry::new();
    registry.register("scripted", || Scripted::new(sound)).unwrap();
    let mut env = registry.make("scripted").unwrap();
    assert!(matches!(env.step(0), Err(EnvError::EpisodeOver { .. })));
    env.reset(&mut Xoshiro256PlusPlus::seed_from_u64(1)).unwrap();
    assert!(matches!(env.step(9), Err(EnvError::ActionOutOfRange { action: 9, actions: 2, .. })));
    let truncated: Vec<bool> = (0..5).map(|_| env.step(0).unwrap().truncated).collect();
    assert_eq!(truncated, [false, false, false, false, true]);
}

#[test]
fn an_unknown_name_lists_the_known_and_suggests_the_nearest() {
    let registry = Registry::builtin();
    let message = |name: &str| registry.make(name).err().unwrap().to_string();
    assert_eq!(
        message("cartpol"),
        "there is no environment `cartpol`; did you mean `cartpole`? Known are: cartpole (CartPole-v1), \
         mountaincar (MountainCar-v0), acrobot (Acrobot-v1), catch (Catch-v0), deep-sea (DeepSea-v0), \
         cartpole-swingup (CartPoleSwingup-v0), sparse-mountaincar (SparseMountainCar-v0)."
    );
    for (name, nearest) in [
        ("Carpole", "cartpole"),
        ("CartPole-v0", "CartPole-v1"),
        ("mountain", "mountaincar"),
        ("akrobot", "acrobot"),
        ("Acrobot-v2", "Acrobot-v1"),
    ] {
        assert!(message(name).contains(&format!("did you mean `{nearest}`?")), "{}", message(name));
    }
    for name in ["nonsense", "", "🚗"] {
        assert!(message(name).contains("acrobot (Acrobot-v1)"), "{}", message(name));
    }
    let message = Registry::new().make("cartpole").err().unwrap().to_string();
    assert_eq!(message, "there is no environment `cartpole`; none is registered");
}

#[test]
fn an_environment_of_ones_own_stands_beside_the_built_ins() {
    let mut registry = Registry::builtin();
    registry.register("mine", custom("Mine-v0")).unwrap();
    registry.register("boxed", || Box::new(custom("Boxed-v0")()) as Box<dyn Env>).unwrap();
    // An alias may be the id.
    registry.register("Same", custom("same")).unwrap();

    let copy = registry.clone();
    assert_eq!(copy.make("mine").unwrap().spec().id, "Mine-v0");
    assert_eq!(copy.make("Boxed-v0").unwrap().spec().id, "Boxed-v0");
    let aliases: Vec<_> = copy.iter().map(Entry::alias).collect();
    assert_eq!(aliases[aliases.len() - 3..], ["mine", "boxed", "Same"]);
    assert_eq!(copy.get("mine").unwrap().spec().max_episode_steps, Some(5));
}

#[test]
fn a_name_can_be_taken_once() {
    let mut registry = Registry::builtin();
    for (alias, id, taken) in [
        ("cartpole", "Mine-v0", "cartpole"),
        ("Cart-Pole", "Mine-v0", "Cart-Pole"),
        ("mine", "cartpole-V1", "cartpole-V1"),
        ("CartPole-v1", "Mine-v0", "CartPole-v1"),
        ("mine", "cartpole", "cartpole"),
    ] {
        let error = registry.register(alias, custom(id)).unwrap_err();
        assert_eq!(
            error,
            EnvError::DuplicateName { name: taken.to_owned(), taken_by: "CartPole-v1".to_owned() },
            "{alias}, {id}"
        );
    }
    assert!(registry.register("cartpole", CartPole::new).is_err());
    assert_eq!(registry.iter().count(), Registry::builtin().iter().count(), "nothing was added");
}

#[test]
fn what_no_agent_can_be_built_on_is_not_registered() {
    let mut registry = Registry::new();
    let message = registry.register("mine", custom("")).unwrap_err().to_string();
    assert!(message.contains("its id is empty"), "{message}");
    let message = registry.register(" ", custom("Mine-v0")).unwrap_err().to_string();
    assert!(message.contains("`Mine-v0`") && message.contains("alias"), "{message}");
    assert_eq!(registry.iter().count(), 0);
}

#[test]
fn every_built_in_environment_says_in_words_what_it_is() {
    for entry in &Registry::builtin() {
        let About { description, rewards, start, end, source } = &entry.spec().about;
        for text in [description, rewards, start, end, source] {
            assert!(!text.is_empty() && !text.ends_with('.'), "{}: {text:?}", entry.id());
        }
    }
}
