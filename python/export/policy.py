"""Q(s, a) of an exported run in NumPy; what it is made of is in policy.safetensors.

    policy = Policy("policy.safetensors")
    values = policy.noisy_passes(observations, policy.noise(len(observations)))
    values["mean"].argmax(axis=1)  # the greedy actions; values["epistemic_std"] tells how unsure of each action it is

Observations are [rows, numbers], values [rows, actions], in units of the return.
"""

import json

import numpy as np
from safetensors import safe_open


class Policy:
    def __init__(self, path):
        with safe_open(path, "np") as file:
            self.tensors = {name: file.get_tensor(name) for name in file.keys()}
            self.about = json.loads(file.metadata()["policy"])
        self.actions, self.layers, self.local = (self.about[key] for key in ("actions", "layers", "local"))

    def noise(self, rows, passes=10, generator=np.random.default_rng()):
        """Noise for `noisy_passes`, uniform from 0 to below 1: [passes, rows, masks]."""
        return generator.random((passes, rows, sum(layer["masks"] for layer in self.layers)), np.float32)

    def mean_pass(self, observations):
        """Q in the one pass that drops nothing. It is near the mean over noisy passes, and another function."""
        return self.about["return_scale"] * self.outputs(observations)[:, : len(self.actions)]

    def noisy_passes(self, observations, noise):
        """Q in every pass, [passes, rows, actions]; its mean, epistemic and aleatoric standard deviations."""
        outputs = self.outputs(observations, noise).astype(np.float64)
        q, log_precision = outputs[..., : len(self.actions)], self.tensors["log_precision"]
        if self.about["heteroscedastic"]:
            log_precision = np.clip(outputs[..., len(self.actions) :] + log_precision, -30, 30)
        variance = q.var(axis=0, ddof=1) if len(q) > 1 else np.zeros(q.shape[1:])
        if self.local:
            odds = np.exp(self.tensors["local.p_logit"])[self.places(observations)]
            variance = variance + self.local["squared_weight"] * odds.sum(axis=1)
        noise_variance = np.broadcast_to(np.exp(-np.float64(log_precision)), q.shape).mean(axis=0)
        values = {"q": q, "mean": q.mean(axis=0), "epistemic_std": variance**0.5, "aleatoric_std": noise_variance**0.5}
        return {name: self.about["return_scale"] * value for name, value in values.items()}

    def outputs(self, observations, noise=None):
        """What the network puts out: [rows, outputs], or with noise [passes, rows, outputs], in network units."""
        if "local.value" in self.tensors:
            values = self.tensors["local.value"][self.places(observations)[:, 0]]
            return values if noise is None else values[None]
        x, first = self.scaled(observations), 0
        if "features.frequencies" in self.tensors:
            angle = x @ self.tensors["features.frequencies"]
            x = np.concatenate([x, np.sin(angle), np.cos(angle)], axis=-1)
        for index, layer in enumerate(self.layers):
            weight, bias, logit = (self.tensors.get(f"layers.{index}.{name}") for name in ("weight", "bias", "p_logit"))
            if noise is not None:  # x keep / (1-p)
                mask = self.keep(logit, noise[..., first : first + layer["masks"]]) * (1 + np.exp(logit))
                x, first = x * np.repeat(mask, x.shape[-1] // layer["masks"], axis=-1), first + layer["masks"]
            x = x @ weight.T if layer["kind"] == "linear" else convolved(x, weight, layer)
            x = x if bias is None else x + np.repeat(bias, x.shape[-1] // len(bias))
            x = np.maximum(x, 0) if index + 1 < len(self.layers) else x
        return x

    def keep(self, logit, u):
        """The concrete masks, from 0 to 1, of uniform noise."""
        with np.errstate(divide="ignore", over="ignore"):
            logistic, temperature = logit + np.log(u) - np.log1p(-u), np.float32(self.about["temperature"])
            return 1 / (1 + np.exp(logistic / temperature)) if temperature else np.float32(logistic < 0)

    def places(self, observations):
        """The places of local dropout that observations are in: [rows, places]."""
        if self.local["one_hot"]:
            is_one = np.asarray(observations) > 0.5
            return np.where(is_one.any(axis=1), is_one.argmax(axis=1), is_one.shape[1])[:, None]
        dimensions, offsets, first, strides = (
            self.tensors[f"local.{name}"] for name in ("dimensions", "offsets", "first", "strides")
        )
        unit = np.clip(0.5 * (self.scaled(observations) + 1), 0, 1)[:, dimensions]
        along = (unit * self.local["cells"] + offsets).astype(np.int64)
        return first + np.minimum(along, self.local["cells"]) @ strides

    def scaled(self, observations):
        centred = np.asarray(observations, np.float32) - self.tensors["features.centre"]
        return centred / self.tensors["features.half_width"]


def convolved(x, weight, layer):
    """A convolution of flat images, [..., units], to flat images."""
    around, stride = (layer["padding"], layer["padding"]), layer["stride"]
    images = np.pad(x.reshape(-1, *layer["input"]), ((0, 0), (0, 0), around, around))
    windows = np.lib.stride_tricks.sliding_window_view(images, weight.shape[2:], (2, 3))[:, :, ::stride, ::stride]
    return np.einsum("ncrsij,ocij->nors", windows, weight, optimize=True).reshape(*x.shape[:-1], -1)
