"""The package as its user has it, over the real program."""

import os
import signal
import threading
import time

import gymnasium
import numpy
import pytest
from gymnasium import spaces

from concrete_dqn import ConcreteDQN, ProgramFailed, ProgramNotFound

QUICK = {
    "network.hidden": [16, 16],
    "agent.learning_starts": 100,
    "agent.batch_size": 16,
    "evaluation.episodes": 2,
    "evaluation.period": 0,
}


class Corridor(gymnasium.Env):
    """Five cells; the way out is to the right. Actions are 1 and 2."""

    observation_space = spaces.Discrete(5)
    action_space = spaces.Discrete(2, start=1)

    def __init__(self, fails_at=None):
        self.cell, self.steps, self.fails_at, self.closed, self.seeds = 0, 0, fails_at, False, []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell = 0
        self.seeds.append(seed)
        return self.cell, {}

    def step(self, action):
        self.steps += 1
        if self.steps == self.fails_at:
            raise LookupError("no way")
        self.cell = max(self.cell + (1 if action == 2 else -1), 0)
        return self.cell, -1.0, self.cell == 4, self.steps % 50 == 0, {}

    def close(self):
        self.closed = True


class Gated(Corridor):
    """The way to the left ends at the first cell, and going on there is an error."""

    def mask(self):
        return {"action_mask": numpy.array([self.cell > 0, True])}

    def reset(self, **keywords):
        return super().reset(**keywords)[0], self.mask()

    def step(self, action):
        if action == 1 and self.cell == 0:
            raise LookupError("a wall")
        return *super().step(action)[:-1], self.mask()


def agent(env, runs, **keywords):
    return ConcreteDQN(env, settings=QUICK | keywords.pop("settings", {}), runs=runs, verbose=False, **keywords)


def test_an_id_is_learned_evaluated_saved_loaded_and_learned_on(tmp_path):
    trained = agent("CartPole-v1", tmp_path / "runs", seed=3, settings={"evaluation.period": 200}).learn(400)
    assert trained.summary["total_steps"] == 400 and trained.summary["seed"] == 3
    assert trained.run.name.startswith("gym-CartPole-v1__ucb__") and "__s3__" in trained.run.name
    assert {"config.toml", "episodes.csv", "evaluations.csv", "plots"} <= set(os.listdir(trained.run))
    assert trained.evaluate(episodes=3)["episodes"] == 3

    observation = numpy.array([0.0, 0.1, 0.05, -0.1])
    action, std = trained.predict(observation)
    assert action in (0, 1) and std >= 0
    trained.save(tmp_path / "saved")
    loaded = ConcreteDQN.load(tmp_path / "saved", verbose=False)
    values, again = trained.values(observation), loaded.values(observation)
    assert len(values["mean"]) == 2
    # The noise of the passes is drawn anew, so the means differ by its share.
    assert numpy.allclose(values["mean"], again["mean"], rtol=0.5)
    loaded.learn(100)
    assert loaded.summary["total_steps"] == 500 and trained.summary["total_steps"] == 400
    loaded.close()


def test_an_environment_stays_in_its_process_and_is_never_closed(tmp_path):
    env = Corridor()
    trained = agent(env, tmp_path).learn(600)
    assert trained.run.name.startswith("gym-Corridor__")
    assert env.steps >= 600 and not env.closed
    assert env.seeds[0] is not None and env.seeds.count(None) > 10
    right, _ = trained.predict(2)
    assert right in (1, 2)
    assert trained.evaluate(2)["episodes"] == 2 and not env.closed
    loaded = ConcreteDQN.load(trained.run, env, verbose=False)
    assert loaded.predict(2)[0] in (1, 2)


def test_a_function_makes_environments_that_are_evaluated_in_and_closed(tmp_path):
    made = []

    def make():
        made.append(Corridor())
        return made[-1]

    agent(make, tmp_path, settings={"evaluation.period": 200}).learn(400)
    assert sum(env.steps > 0 for env in made) >= 2 and all(env.closed for env in made)


def test_several_environments_are_several(tmp_path):
    made = []

    def make():
        made.append(Corridor())
        return made[-1]

    trained = agent(make, tmp_path / "runs", settings={"agent.envs": 3}).learn(300)
    assert sum(env.steps >= 100 for env in made) == 3
    config = tmp_path / "three.toml"
    config.write_text("[agent]\nenvs = 3\n")
    for one in [
        agent(Corridor(), tmp_path, settings={"agent.envs": 3}),
        agent(Corridor(), tmp_path, config=config),
        ConcreteDQN.load(trained.run, env=Corridor()),
    ]:
        with pytest.raises(ValueError, match="agent.envs = 3 takes as many environments, and this is one"):
            one.learn(600)


def test_keyword_arguments_and_settings_are_those_of_the_run(tmp_path):
    trained = agent("FrozenLake-v1", tmp_path, env_args={"is_slippery": False}, settings={"agent.gamma": 0.5})
    config = (trained.learn(200).run / "config.toml").read_text()
    assert "is_slippery = false" in config and "gamma = 0.5" in config


def test_an_exception_is_the_users_own_and_loses_nothing(tmp_path):
    env = Corridor(fails_at=300)
    trained = agent(env, tmp_path)
    with pytest.raises(LookupError, match="no way") as caught:
        trained.learn(1000)
    assert caught.traceback[-1].name == "step"
    assert trained.summary["total_steps"] == 299
    trained.learn(1)
    assert trained.summary["total_steps"] == 1000, "the rest of what was cut short"
    trained.learn(1)
    assert trained.summary["total_steps"] == 1001


def test_an_interruption_saves(tmp_path):
    env = Corridor()
    trained = agent(env, tmp_path)

    def interrupt():
        while env.steps < 500:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        trained.learn(1_000_000)
    assert 500 <= trained.summary["total_steps"] < 1_000_000 and trained.summary["ended"] == "interrupted"


def test_what_is_wrong_is_said(tmp_path, monkeypatch):
    with pytest.raises(ProgramFailed, match="gamma = 7.* must be"):
        agent("CartPole-v1", tmp_path, settings={"agent.gamma": 7}).learn(100)
    with pytest.raises(ProgramFailed, match="gym:CartPol-v1.*not available"):
        agent("CartPol-v1", tmp_path).learn(100)
    with pytest.raises(RuntimeError, match="call learn first"):
        agent("CartPole-v1", tmp_path).predict([0, 0, 0, 0])
    with pytest.raises(FileNotFoundError, match="no folder of a run"):
        ConcreteDQN.load(tmp_path)
    with pytest.raises(TypeError, match="this is 3"):
        ConcreteDQN(3)
    monkeypatch.setenv("CONCRETE_DQN", str(tmp_path / "none"))
    with pytest.raises(ProgramNotFound, match="CONCRETE_DQN is"):
        agent("CartPole-v1", tmp_path).learn(100)


def test_only_actions_that_are_valid_are_taken_and_predicted(tmp_path):
    trained = agent(Gated, tmp_path).learn(300)
    assert trained.summary["total_steps"] == 300
    assert trained.predict(0, action_mask=[True, False])[0] == 1
    assert trained.predict(0, action_mask=numpy.array([0, 1]))[0] == 2
    with pytest.raises(ValueError, match="is no mask of the actions of .*it must be 2 truth values"):
        trained.predict(0, action_mask=[True])


def test_a_lent_environment_is_not_evaluated_in_while_it_trains(tmp_path):
    with pytest.raises(ValueError, match="evaluation.period = 50 .* this is one"):
        agent(Corridor(), tmp_path, settings={"evaluation.period": 50}).learn(100)
    trained = agent(Corridor, tmp_path, settings={"evaluation.period": 150}).learn(200)
    with pytest.raises(ValueError, match="evaluation.period = 150"):
        ConcreteDQN.load(trained.run, Corridor()).learn(100)
    assert ConcreteDQN.load(trained.run, Corridor, verbose=False).learn(100).summary["total_steps"] == 300


def test_settings_are_written_as_they_are(tmp_path):
    with pytest.raises(TypeError, match="env_args.is_slippery = None"):
        agent("FrozenLake-v1", tmp_path, env_args={"is_slippery": None}).learn(100)
    trained = agent("FrozenLake-v1", tmp_path, settings={"agent.gamma": numpy.float32(0.5), "seed": numpy.int64(3)})
    config = (trained.learn(100).run / "config.toml").read_text()
    assert "gamma = 0.5" in config and "seed = 3" in config
    with pytest.raises(TypeError, match="settings"):
        ConcreteDQN.load(trained.run, settings={"agent.gamma": 0.9})


def test_what_is_no_observation_is_refused_and_a_value_without_a_unit_is_nan(tmp_path):
    class Idle(Corridor):
        def step(self, action):
            observation, _, *rest = super().step(action)
            return observation, 0.0, *rest

    trained = agent(Idle, tmp_path).learn(200)
    for wrong in (-1, 5, numpy.array([1, 2])):
        with pytest.raises(ValueError, match="is no observation of Discrete"):
            trained.predict(wrong)
    action, std = trained.predict(0)
    assert action in (1, 2) and numpy.isnan(std) and numpy.isnan(trained.values(0)["mean"]).all()


def test_frames_are_stacked(tmp_path):
    trained = agent(Corridor, tmp_path, settings={"wrappers.frame_stack": 2}).learn(200)
    assert trained.predict([0, 1])[0] in (1, 2)
    with pytest.raises(ValueError, match="3 observations are no stack of wrappers.frame_stack = 2"):
        trained.predict([0, 1, 2])


def test_threads_get_answers_to_their_own_questions(tmp_path):
    trained = agent(Corridor, tmp_path).learn(300)
    trained.values(0)
    wrong = []

    def ask(action):
        mask = [action == 1, action == 2]
        wrong.extend(action for _ in range(200) if trained.predict(0, action_mask=mask)[0] != action)

    threads = [threading.Thread(target=ask, args=(action,)) for action in (1, 2, 1, 2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not wrong


def test_a_process_that_predicts_and_dies_is_followed_by_another(tmp_path):
    trained = agent(Corridor, tmp_path).learn(200)
    trained.predict(0)
    trained._predictor.process.kill()
    with pytest.raises(ProgramFailed, match="has ended; the next prediction starts another"):
        trained.predict(0)
    assert trained.predict(0)[0] in (1, 2)


def test_after_an_interruption_a_question_gets_its_own_answer(tmp_path):
    trained = agent(Corridor, tmp_path).learn(300)
    right = trained.predict(3)
    trained.predict(0)
    process = trained._predictor.process
    process.send_signal(signal.SIGSTOP)
    # What was started in the background of a shell ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    threading.Timer(1.0, process.send_signal, (signal.SIGCONT,)).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            trained.predict(0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert trained.predict(3) == right


def test_what_was_killed_before_its_summary_is_learned_on(tmp_path):
    trained = agent(Corridor, tmp_path).learn(200)
    (trained.run / "summary.json").unlink()
    assert ConcreteDQN.load(trained.run, Corridor, verbose=False).learn(100).summary["total_steps"] == 300
