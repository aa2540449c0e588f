"""Asks Optuna which settings an experiment is to try next; docs/experiments.md describes the search.

The file stands alone: the program runs it as `python3 -c SOURCE`, writes a line of JSON to its standard input, with the
ranges and what the settings so far came to, and reads one with the next settings.
"""

import json
import sys
import warnings

PACKAGES = "optuna==5.0.0"


def main():
    request = json.loads(sys.stdin.readline())
    try:
        import optuna
    except ImportError as error:
        how = f"{sys.executable} has no Optuna ({error}); `{sys.executable} -m pip install {PACKAGES}` installs it"
        return print(json.dumps({"refused": how}))
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.trial import TrialState, create_trial

    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def distribution(of):
        if of["kind"] == "choice":
            return CategoricalDistribution(list(range(len(of["choices"]))))
        kind = IntDistribution if of["kind"] == "whole" else FloatDistribution
        return kind(of["low"], of["high"], log=of["log"])

    distributions = {of["key"]: distribution(of) for of in request["ranges"]}
    told = request["trials"]
    # Those that are asked for together know of each other, and every call draws other numbers.
    sampler = optuna.samplers.TPESampler(seed=len(told), constant_liar=True)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for trial in told:
        params = dict(zip(distributions, trial["values"]))
        # One whose runs diverged is worse than all that have a value.
        state = TrialState.PRUNED if trial["score"] is None else TrialState.COMPLETE
        study.add_trial(create_trial(state=state, value=trial["score"], params=params, distributions=distributions))
    asked = [study.ask(distributions) for _ in range(request["number"])]
    print(json.dumps({"asked": [[trial.params[key] for key in distributions] for trial in asked]}))


if __name__ == "__main__":
    main()
