"""concrete-dqn from Python: an online DQN agent whose dropout adapts while it learns, in environments of Gymnasium."""

from .agent import ConcreteDQN
from .program import ProgramFailed, ProgramNotFound

__all__ = ["ConcreteDQN", "ProgramFailed", "ProgramNotFound"]
