"""The text kernel: one pass over the bytes of system and prompt, in compiled code.

Tokens are normalised as ``tokens.reference_tokens`` says, runs of ``RUN`` tokens are hashed, and a
position-independent sample of at most ``GRAMS`` hashes is kept per exchange: winnowing (Schleimer,
Wilkerson and Aiken 2003, "Winnowing: local algorithms for document fingerprinting") with the
smallest window that the budget allows. A hash is the minimum of some window of w consecutive
hashes exactly if its *span*, the stretch around it on which nothing is smaller, is at least w; so
keeping the largest spans is winnowing for every w at once. Samples taken with different windows
agree: whatever the wider window selects inside a shared run, the narrower one selects too. Hence
the guarantee: two texts that share a run of at least max(their guarantees) tokens share a hash.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from stillhunt.records.observation import GRAMS

RUN = 6
"""Tokens in a hashed run."""

SYSTEM_GRAMS = 5
"""Of the GRAMS, at most this many go to the system text; the prompt gets the rest."""

CUE_TOKENS = 5
"""Longest cue phrase, in tokens."""

_SEED = np.uint64(0xCBF29CE484222325)
_FNV = np.uint64(0x100000001B3)
_MIX1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX2 = np.uint64(0xC4CEB9FE1A85EC53)
_BASE = np.uint64(0x9E3779B97F4A7C15)
_LOW32 = np.uint64(0xFFFFFFFF)
_BLOOM_BITS = 1 << 14

SEPARATOR, WORD, DIGIT, WIDE = 0, 1, 2, 3


def _byte_classes() -> tuple[np.ndarray, np.ndarray]:
    classes = np.zeros(256, dtype=np.uint8)
    folded = np.arange(256, dtype=np.uint8)
    for b in range(128):
        c = chr(b)
        if c.isdigit():
            classes[b] = DIGIT
        elif c.isalpha() or c == "_":
            classes[b] = WORD
            folded[b] = ord(c.lower())
    classes[0x80:] = WORD
    for lead in (0xC2, 0xE0, *range(0xE2, 0xEE), 0xEF, *range(0xF0, 0xF5)):
        classes[lead] = WIDE
    return classes, folded


_CLASSES, _FOLDED = _byte_classes()


@njit(cache=True, inline="always")
def _mix(h):  # type: ignore[no-untyped-def]
    """Finalise a 64-bit hash (MurmurHash3's fmix64)."""
    h ^= h >> np.uint64(33)
    h *= _MIX1
    h ^= h >> np.uint64(33)
    h *= _MIX2
    return h ^ (h >> np.uint64(33))


@njit(cache=True, inline="always")
def _wide(data, i, end):  # type: ignore[no-untyped-def]
    """Length and class of the sequence at a lead byte that may not be a plain word byte.

    Classes: SEPARATOR, WORD (that one byte), or WIDE (a token by itself).
    """
    lead = data[i]
    second = data[i + 1] if i + 1 < end else np.uint8(0)
    extra = 0
    kind = SEPARATOR
    if lead == 0xC2:
        extra = 1
    elif lead == 0xE0:
        if 0xB8 <= second <= 0xBB:
            extra, kind = 2, WIDE
        else:
            return 1, WORD
    elif lead == 0xE2:
        extra = 2
    elif lead == 0xE3:
        extra = 2
        kind = SEPARATOR if second == 0x80 else WIDE
    elif lead < 0xEE:
        extra, kind = 2, WIDE
    elif lead == 0xEF:
        if second != 0xBC and second != 0xBD:
            return 1, WORD
        extra = 2
    else:
        extra, kind = 3, WIDE
    length = 1
    while length <= extra and i + length < end and 0x80 <= data[i + length] < 0xC0:
        length += 1
    return length, kind


@njit(cache=True, inline="always")
def _offer(value, span, values, spans, kept, budget, window):  # type: ignore[no-untyped-def]
    """Offer a hash to the sample, which is sorted by falling span; returns (kept, window)."""
    if kept == budget and span <= spans[kept - 1]:
        # Not taken: unless its value is there already, the guarantee must exceed its span.
        for j in range(kept):
            if values[j] == value:
                return kept, window
        return kept, max(window, span + 1)
    at = kept
    for j in range(kept):
        if values[j] == value:
            if spans[j] >= span:
                return kept, window
            at = j
            break
    if at == kept:
        if kept == budget:
            at = kept - 1
            window = max(window, spans[at] + 1)
        else:
            kept += 1
    while at > 0 and spans[at - 1] < span:
        values[at] = values[at - 1]
        spans[at] = spans[at - 1]
        at -= 1
    values[at] = value
    spans[at] = span
    return kept, window


@njit(cache=True, nogil=True)
def _field(  # type: ignore[no-untyped-def]
    data, start, end, budget, values, spans, stack_hash, stack_at, bloom, slots, groups, item
):
    """Fingerprint one text.

    Returns (kept, window, tokens, cue bits, item hash). ``values`` and ``spans`` hold the sample;
    the stacks are scratch of at least as many entries as the text has tokens.
    """
    power = np.uint64(1)
    for _ in range(RUN):
        power *= _BASE
    ring = np.zeros(8, dtype=np.uint64)
    mask = np.uint64(len(slots) - 1)
    cues = np.int64(0)
    rolling = np.uint64(0)
    kept, window, depth, grams, tokens = 0, 1, 0, 0, 0
    zero = _mix((_SEED ^ np.uint64(48)) * _FNV)
    i = start
    while i < end:
        kind = _CLASSES[data[i]]
        if kind == SEPARATOR:
            i += 1
            continue
        exact = _SEED
        digits = True
        single = False
        while i < end:
            b = data[i]
            kind = _CLASSES[b]
            if kind == SEPARATOR:
                break
            length = 1
            if kind == WIDE:
                length, wide = _wide(data, i, end)
                if wide == SEPARATOR:
                    break
                if wide == WIDE:
                    if exact != _SEED:
                        break
                    single = True
            for j in range(i, i + length):
                exact = (exact ^ np.uint64(_FOLDED[data[j]])) * _FNV
            digits = digits and kind == DIGIT
            i += length
            if single:
                break
        if exact == _SEED:  # a multi-byte separator
            i += length
            continue
        exact = _mix(exact)
        token = zero if digits else exact
        item = _mix(item * _BASE + exact)
        tokens += 1
        old = ring[(tokens - 1 - RUN) & 7] if tokens > RUN else np.uint64(0)
        ring[(tokens - 1) & 7] = token
        rolling = rolling * _BASE + token - old * power
        bit = token & np.uint64(_BLOOM_BITS - 1)
        if (bloom[bit >> np.uint64(6)] >> (bit & np.uint64(63))) & np.uint64(1):
            phrase = np.uint64(0)
            for back in range(min(CUE_TOKENS, tokens)):
                phrase = _mix(phrase * _BASE + ring[(tokens - 1 - back) & 7] + np.uint64(back))
                slot = phrase & mask
                while slots[slot] != 0:
                    if slots[slot] == phrase:
                        cues |= groups[slot]
                        break
                    slot = (slot + np.uint64(1)) & mask
        if tokens < RUN:
            continue
        h = _mix(rolling)
        while depth > 0 and h < stack_hash[depth - 1]:
            depth -= 1
            left = stack_at[depth - 1] if depth > 0 else -1
            kept, window = _offer(
                np.int32(stack_hash[depth] & _LOW32), grams - left - 1, values, spans, kept, budget, window
            )
        stack_hash[depth] = h
        stack_at[depth] = grams
        depth += 1
        grams += 1
    if 0 < tokens < RUN:
        values[0] = np.int32(_mix(rolling + np.uint64(tokens)) & _LOW32)
        spans[0] = 1
        return 1, 1, tokens, cues, item
    while depth > 0:
        depth -= 1
        left = stack_at[depth - 1] if depth > 0 else -1
        kept, window = _offer(
            np.int32(stack_hash[depth] & _LOW32), grams - left - 1, values, spans, kept, budget, window
        )
    return kept, window, tokens, cues, item


@njit(cache=True, nogil=True)
def fingerprint_rows(  # type: ignore[no-untyped-def]
    system, system_offsets, prompt, prompt_offsets, first, last, bloom, slots, groups,
    out_grams, out_count, out_guarantee, out_cues, out_words, out_item, out_system,
):  # fmt: skip
    """Fingerprint rows first..last-1; writes to the out arrays at the same rows.

    Args:
        system, prompt: uint8 text bytes; ``*_offsets``: int64 (rows + 1,) byte offsets.
        first, last: rows to do.
        bloom, slots, groups: the compiled cue phrases (``cue_table``).
        out_grams: int32 (rows, GRAMS); out_count: uint8; out_guarantee: int32 tokens;
        out_cues: int64 bits; out_words: int32 tokens; out_item: int64 hash of the exact tokens of
        both texts; out_system: int32 hash of the system text's exact tokens (0: none).
    """
    values = np.empty(GRAMS, dtype=np.int32)
    spans = np.empty(GRAMS, dtype=np.int64)
    size = 4096
    stack_hash = np.empty(size, dtype=np.uint64)
    stack_at = np.empty(size, dtype=np.int64)
    for row in range(first, last):
        s0, s1 = system_offsets[row], system_offsets[row + 1]
        p0, p1 = prompt_offsets[row], prompt_offsets[row + 1]
        need = max(s1 - s0, p1 - p0) + 1
        if need > size:
            size = 2 * need
            stack_hash = np.empty(size, dtype=np.uint64)
            stack_at = np.empty(size, dtype=np.int64)
        item = np.uint64(0)
        count, guarantee, words = 0, 0, 0
        cues = np.int64(0)
        out_system[row] = 0
        if s1 > s0:
            kept, window, tokens, bits, item = _field(
                system, s0, s1, SYSTEM_GRAMS, values, spans, stack_hash, stack_at,
                bloom, slots, groups, item,
            )  # fmt: skip
            for j in range(kept):
                out_grams[row, j] = values[j]
            count, words, cues = kept, tokens, bits
            guarantee = window + RUN - 1
            out_system[row] = np.int32(item & _LOW32)
        kept, window, tokens, bits, item = _field(
            prompt, p0, p1, GRAMS - count, values, spans, stack_hash, stack_at,
            bloom, slots, groups, item,
        )  # fmt: skip
        for j in range(kept):
            out_grams[row, count + j] = values[j]
        out_count[row] = count + kept
        out_guarantee[row] = max(guarantee, window + RUN - 1)
        out_cues[row] = cues | bits
        out_words[row] = words + tokens
        out_item[row] = np.int64(item)


@njit(cache=True)
def _token_hash(data):  # type: ignore[no-untyped-def]
    h = _SEED
    for b in data:
        h = (h ^ np.uint64(b)) * _FNV
    return _mix(h)


@njit(cache=True)
def _phrase_hash(tokens):  # type: ignore[no-untyped-def]
    phrase = np.uint64(0)
    n = len(tokens)
    for back in range(n):
        phrase = _mix(phrase * _BASE + tokens[n - 1 - back] + np.uint64(back))
    return phrase


def cue_table(
    phrases: list[tuple[tuple[bytes, ...], int]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compile cue phrases for the kernel.

    Args:
        phrases: (normalised tokens, bit number 0..62) pairs; at most CUE_TOKENS tokens each.

    Returns:
        bloom: uint64 bits over phrases' last tokens; slots: uint64 open-addressing table of phrase
        hashes (0: empty); groups: int64 bit masks beside the slots.
    """
    size = 1 << max(4, (4 * len(phrases)).bit_length())
    slots = np.zeros(size, dtype=np.uint64)
    groups = np.zeros(size, dtype=np.int64)
    bloom = np.zeros(_BLOOM_BITS // 64, dtype=np.uint64)
    for tokens, group in phrases:
        hashes = np.array([_token_hash(np.frombuffer(t, dtype=np.uint8)) for t in tokens], np.uint64)
        bit = int(hashes[-1]) & (_BLOOM_BITS - 1)
        bloom[bit >> 6] |= np.uint64(1 << (bit & 63))
        phrase = int(_phrase_hash(hashes))
        slot = phrase & (size - 1)
        while slots[slot] not in (0, phrase):
            slot = (slot + 1) & (size - 1)
        slots[slot] = phrase
        groups[slot] |= np.int64(1 << group)
    return bloom, slots, groups
