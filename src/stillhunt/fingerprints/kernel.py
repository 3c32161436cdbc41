"""The text kernel: system and prompt to numbers, in compiled code over Arrow's bytes.

Tokens are those of ``tokens.reference_tokens``. Runs of ``RUN`` tokens (*grams*) are hashed, and a
position-independent sample of at most ``GRAMS`` hashes is kept per exchange: winnowing (Schleimer,
Wilkerson and Aiken 2003, "Winnowing: local algorithms for document fingerprinting") with the
smallest window that the budget allows. The sample for windows of w consecutive hashes is the set
of their minima. Samples taken with different windows agree: the minimum of a wider window is also
that of each narrower one around it. Hence the guarantee: two texts that share a run of at least
max(their guarantees) tokens, in system or prompt of either, share a hash. What is counted against
the budget is how often the minimum changes from one window to the next, so that a phrase said
over and over takes one place and not all of them.

A text is read in steps: (1) it is lower-cased and the places where tokens begin and end are listed
(``boundaries``); (2) tokens are hashed; (3) cue phrases are looked up; (4) runs are hashed; (5) the
sample is chosen (``winnowing``). Each step is a loop of its own over arrays that stay in the nearest
cache, so that no iteration waits for the one before, nor on a branch that cannot be predicted.

Numba keeps compiled functions beside the file that defines them and does not see that a function
they call, from another file, has changed: after editing one of these files delete ``__pycache__``.
"""

# mypy: allow-untyped-defs, no-check-untyped-defs, allow-untyped-calls
# Compiled functions get their types from numba.

from __future__ import annotations

import numpy as np
from numba import njit

from stillhunt.fingerprints.boundaries import MARGIN, token_boundaries
from stillhunt.fingerprints.boundaries import compiled as _compiled
from stillhunt.fingerprints.boundaries import inlined as _inlined
from stillhunt.fingerprints.machine import load64, places_of
from stillhunt.fingerprints.winnowing import MOST_RUNS, RUNS_MEMORY, sample
from stillhunt.records.observation import GRAMS

RUN = 6
"""Tokens in a gram."""

SYSTEM_GRAMS = 5
"""Of the GRAMS, at most this many go to the system text; the prompt gets the rest."""

ENDS = 2
"""Of a text's grams so many are its first and its last one."""

CUE_TOKENS = 5
"""Longest cue phrase, in tokens."""

CueTable = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""What ``cue_table`` returns."""

_U = np.uint64
_SEED = _U(0xCBF29CE484222325)
_MIX1 = _U(0xFF51AFD7ED558CCD)
_MIX2 = _U(0xC4CEB9FE1A85EC53)
_BASE = _U(0x9E3779B97F4A7C15)
_LOW32 = _U(0xFFFFFFFF)
_BLOOM_WORDS = 1 << 11
_BLOOM_SHIFT = _U(64 - 11)
_LONGER = np.int64(-(1 << 63))
_BEFORE = max(RUN, CUE_TOKENS)  # zeros before a text's first token, never written
BEFORE = _BEFORE


# By how many bytes of a token are left, 0 to 16.
_FIRST_EIGHT = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(17)], dtype=np.uint64)
_SECOND_EIGHT = np.array([(1 << 8 * max(n - 8, 0)) - 1 for n in range(17)], dtype=np.uint64)


@_inlined
def _mix(h):
    """Finalise a 64-bit hash (MurmurHash3's fmix64)."""
    h ^= h >> _U(33)
    h *= _MIX1
    h ^= h >> _U(33)
    h *= _MIX2
    return h ^ (h >> _U(33))


@_inlined
def _chain(h, token):
    """Append a token to the hash of a token sequence."""
    return (((h << _U(29)) | (h >> _U(35))) ^ token) * _BASE


@_inlined
def _absorb(h, chunk):
    """Append eight bytes to the hash of a token."""
    h = (h ^ chunk) * _MIX1
    return h ^ (h >> _U(32))


@_inlined
def _finish(h):
    h *= _MIX2
    return h ^ (h >> _U(29))


@_inlined
def _all_digits(text, at, end):
    while at < end and 48 <= text[at] <= 57:
        at += 1
    return at == end


@_inlined
def _hash_bytes(text, at, end):
    """Hash of a token. Tokens hold no zero byte, so zeros may fill up the last sixteen.

    Sixteen, because whether a word has more than eight letters cannot be predicted.
    """
    h = _SEED
    while end - at > 16:
        h = _absorb(h, load64(text, at))
        at += 8
    rest = _U(end - at)
    h = _absorb(h, load64(text, at) & _FIRST_EIGHT[rest])
    return _finish(_absorb(h, load64(text, at + 8) & _SECOND_EIGHT[rest]))


@_compiled
def _take(folded, begins, ends, count, tokens, item):
    """Step 2: hash the tokens; returns the hash of the sequence of exact tokens."""
    zero = _finish(_absorb(_absorb(_SEED, _U(48)), _U(0)))
    for t in range(_U(count)):
        begin, end = begins[t], ends[t]
        exact = _hash_bytes(folded, begin, end)
        item = _chain(item, exact)
        if 48 <= folded[_U(begin)] <= 57 and _all_digits(folded, begin, end):
            exact = zero
        tokens[t + _U(_BEFORE)] = exact
    return item


@_inlined
def _bloom_bit(bloom, h):
    """The filter's bit for a hash, as the lowest bit."""
    return bloom[h >> _BLOOM_SHIFT] >> (h & _U(63))


@_compiled
def _cues(tokens, count, places, ends, phrases, slots, groups):
    """Step 3: the groups of the phrases in the text; ``places`` is overwritten.

    Phrases are looked up from their last token backwards. Few tokens pass both filters, and no
    branch depends on them until they have.
    """
    passed = 0
    for t in range(_U(_BEFORE), _U(_BEFORE + count)):
        token = tokens[t]
        pair = _chain(token, tokens[t - _U(1)])
        places[_U(passed)] = t
        passed += np.int64((_bloom_bit(ends, token) | _bloom_bit(ends, pair)) & _U(1))
    likely = 0
    for i in range(_U(passed)):
        t = _U(places[i])
        token = tokens[t]
        pair = _chain(token, tokens[t - _U(1)])
        three = _chain(pair, tokens[t - _U(2)])
        seen = _bloom_bit(phrases, token) | _bloom_bit(phrases, pair) | _bloom_bit(phrases, three)
        places[_U(likely)] = t
        likely += np.int64(seen & _U(1))
    found = np.int64(0)
    mask = _U(len(slots) - 1)
    for i in range(_U(likely)):
        t = _U(places[i])
        back = t
        phrase = tokens[t]
        while True:
            slot = (phrase >> _U(32)) & mask
            while slots[slot] != 0 and slots[slot] != phrase:
                slot = (slot + _U(1)) & mask
            if slots[slot] == 0:
                break
            found |= groups[slot] & ~_LONGER
            if groups[slot] >= 0 or t - back == _U(CUE_TOKENS - 1):
                break
            back -= _U(1)
            phrase = _chain(phrase, tokens[back])
    return found


@_compiled
def _hash_runs(tokens, count, pairs, hashes):
    """Step 4: hash every run of RUN tokens; returns how many there are.

    ``tokens`` starts with the _BEFORE places before the text. A run is three pairs. Loops go on to
    a multiple of sixteen, so that they are vectors to their end: there is memory for that.
    """
    grams = count - RUN + 1
    square = _BASE * _BASE
    for t in range(_U((grams + 4 + 15) & ~15)):
        pairs[t] = tokens[t + _U(_BEFORE)] * _BASE + tokens[t + _U(_BEFORE + 1)]
    for g in range(_U((grams + 15) & ~15)):
        h = (pairs[g] * square + pairs[g + _U(2)]) * square + pairs[g + _U(4)]
        h = (h ^ (h >> _U(32))) * _MIX1
        hashes[g] = h ^ (h >> _U(32))
    return grams


@_compiled
def _distinct(chosen, number):
    """Drop what occurs twice among the first ones of ``chosen``; returns how many are left."""
    twice = _U(0)
    for i in range(number):
        twice |= places_of(chosen, 0, chosen[i]) & ((_U(1) << _U(i)) - _U(1))
    if not twice:
        return number
    kept = 1
    for i in range(1, number):
        kept = _keep(chosen, kept, chosen[i])
    return kept


@_inlined
def _keep(chosen, kept, value):
    """Add a gram to the chosen ones unless it is among them; returns their new number."""
    for j in range(kept):
        if chosen[j] == value:
            return kept
    chosen[kept] = value
    return kept + 1


@_compiled
def token_hashes(data, start, end, folded, begins, ends, tokens):
    """Hashes of the tokens of bytes start..end-1, from ``tokens[BEFORE]`` on; returns how many.

    The first memory of ``scratch`` is what the last four arguments are.
    """
    count = token_boundaries(data, start, end, folded, begins, ends)
    _take(folded, begins, ends, count, tokens, _U(0))
    return count


@_compiled
def pair_hash(one, two):
    """Hash of two neighbouring tokens."""
    return _mix(_chain(one, two))


@_compiled
def _field(data, start, end, budget, chosen, bits, numbers, cue_table, item):
    """Fingerprint one text: bytes start..end-1 of data.

    Returns (grams in ``chosen``, window, tokens, cue bits, item hash).
    """
    folded, begins, ends = bits
    tokens, pairs, minima, runs, halves = numbers
    count = token_boundaries(data, start, end, folded, begins, ends)
    item = _take(folded, begins, ends, count, tokens, item)
    cues = _cues(tokens, count, begins, *cue_table)
    if count >= RUN:
        grams = _hash_runs(tokens, count, pairs, minima)
        first = np.int32(minima[0] & _LOW32)
        last = np.int32(minima[grams - 1] & _LOW32)
        # Few grams are all kept; of more, two places are for the ends.
        inner = budget if grams <= budget else budget - ENDS
        kept, window = sample(minima, grams, inner, runs, halves, chosen)
        kept = _distinct(chosen, kept)
        kept = _keep(chosen, kept, first)
        kept = _keep(chosen, kept, last)
        return kept, window, count, cues, item
    if count == 0:
        return 0, 1, count, cues, item
    # Too short for a gram: the whole text is one.
    h = _U(count)
    for t in range(_BEFORE, _BEFORE + count):
        h = _chain(h, tokens[t])
    chosen[0] = np.int32(_mix(h) & _LOW32)
    return 1, 1, count, cues, item


@_inlined
def _append(chosen, kept, row, count, out_grams):
    """Append the chosen grams that the row does not have yet; returns the new count."""
    had = count
    for j in range(kept):
        new = True
        for i in range(had):
            if out_grams[row, i] == chosen[j]:
                new = False
        if new:
            out_grams[row, count] = chosen[j]
            count += 1
    return count


@_compiled
def fingerprint_rows(
    system, system_offsets, prompt, prompt_offsets, first, last, cue_table,
    out_grams, out_count, out_guarantee, out_cues, out_words, out_item, out_system,
    folded, begins, ends, tokens, pairs, minima, runs, halves, chosen,
):  # fmt: skip
    """Fingerprint rows first..last-1; writes to the out arrays at the same rows.

    Args:
        system, prompt: uint8 text bytes; ``*_offsets``: int64 (rows + 1,) byte offsets.
        first, last: rows to do.
        cue_table: the compiled cue phrases (``cue_table``).
        out_grams: int32 (rows, GRAMS), distinct; out_count: uint8; out_guarantee: int32 tokens;
        out_cues: int64 bits; out_words: int32 tokens; out_item: int64 hash of the exact tokens of
        both texts; out_system: int32 hash of the system text's exact tokens (0: none).
    """
    bits = (folded, begins, ends)
    numbers = (tokens, pairs, minima, runs, halves)
    tokens[:_BEFORE] = 0
    for row in range(first, last):
        s0, s1 = system_offsets[row], system_offsets[row + 1]
        p0, p1 = prompt_offsets[row], prompt_offsets[row + 1]
        item = _U(0)
        count, guarantee, words = 0, 0, 0
        cues = np.int64(0)
        out_system[row] = 0
        if s1 > s0:
            kept, window, words, cues, item = _field(
                system, s0, s1, SYSTEM_GRAMS, chosen, bits, numbers, cue_table, item
            )
            count = _append(chosen, kept, row, 0, out_grams)
            guarantee = window + RUN - 1
            if words > 0:
                # Finished here, so that words moved from system to prompt make another item.
                item = _mix(item)
                short = np.int32(item & _LOW32)
                out_system[row] = short if short != 0 else 1
        kept, window, more, bits_seen, item = _field(
            prompt, p0, p1, GRAMS - count, chosen, bits, numbers, cue_table, item
        )
        out_count[row] = _append(chosen, kept, row, count, out_grams)
        out_guarantee[row] = max(guarantee, window + RUN - 1)
        out_cues[row] = cues | bits_seen
        out_words[row] = words + more
        out_item[row] = np.int64(_mix(item))


def scratch(longest: int) -> tuple[np.ndarray, ...]:
    """Memory for ``fingerprint_rows``, one per thread: its last arguments.

    A text has at most as many tokens as bytes. What is never touched costs no memory.

    Args:
        longest: bytes of the longest text.
    """
    return (
        np.empty(longest + MARGIN, dtype=np.uint8),
        np.empty(longest + MARGIN, dtype=np.int64),
        np.empty(longest + MARGIN, dtype=np.int64),
        np.empty(longest + MARGIN, dtype=np.uint64),
        np.empty(longest + MARGIN, dtype=np.uint64),
        np.empty(3 * (longest + MARGIN), dtype=np.uint64),
        np.empty(RUNS_MEMORY, dtype=np.uint64),
        np.empty(RUNS_MEMORY, dtype=np.uint32),
        np.empty(MOST_RUNS, dtype=np.int32),
    )


@njit(cache=True)
def _append_token(h, token):
    return _chain(h, token)


@njit(cache=True)
def _token_hash(token):
    text = np.zeros(len(token) + 16, dtype=np.uint8)
    text[: len(token)] = token
    return _hash_bytes(text, 0, len(token))


def cue_table(
    phrases: list[tuple[tuple[bytes, ...], int]],
) -> CueTable:
    """Compile cue phrases for the kernel: a tree read from each phrase's last token backwards.

    Args:
        phrases: (normalised tokens, bit number 0..62) pairs; at most CUE_TOKENS tokens each.

    Returns:
        ends: uint64, a filter of the phrases of one token and of the last two tokens of longer
        ones; phrases: uint64, a filter of the phrases of one and two tokens and of the last three
        tokens of longer ones; slots: uint64 open-addressing table of the hashes of phrases and of
        their endings (0: empty); groups: int64 beside the slots, bits of the phrase's groups, and
        the sign bit where longer phrases end the same.
    """
    nodes: dict[int, int] = {}
    ends, whole = np.zeros((2, _BLOOM_WORDS), dtype=np.uint64)

    def set_bit(bloom: np.ndarray, h: int) -> None:
        bloom[h >> int(_BLOOM_SHIFT)] |= _U(1 << (h & 63))

    for tokens, group in phrases:
        hashes = [_U(_token_hash(np.frombuffer(t, np.uint8))) for t in reversed(tokens)]
        endings = [hashes[0]]
        for token in hashes[1:]:
            endings.append(_U(_append_token(endings[-1], token)))
        set_bit(ends, int(endings[:2][-1]))
        set_bit(whole, int(endings[:3][-1]))
        for ending in endings[:-1]:
            nodes[int(ending)] = nodes.get(int(ending), 0) | int(_LONGER)
        nodes[int(endings[-1])] = nodes.get(int(endings[-1]), 0) | 1 << group
    size = 1 << max(4, (2 * len(nodes)).bit_length())
    slots = np.zeros(size, dtype=np.uint64)
    groups = np.zeros(size, dtype=np.int64)
    for node, bits in nodes.items():
        slot = (node >> 32) & (size - 1)
        while slots[slot]:
            slot = (slot + 1) & (size - 1)
        slots[slot] = node
        groups[slot] = bits
    return ends, whole, slots, groups
