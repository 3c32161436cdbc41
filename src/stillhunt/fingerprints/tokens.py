r"""What a token is: the reference that the compiled kernel is tested against.

Layer 2. Works on bytes and decides on the UTF-8 lead byte alone, so that any bytes, valid UTF-8 or
not, have exactly one reading and a byte is looked at once:

* ASCII letters are lower-cased. A longest run of ``[a-z0-9_]`` and other *word bytes* is a token; a
  token of ASCII digits only becomes ``b"0"``. All other ASCII separates.
* Punctuation separates: lead C2 with one continuation byte (80..BF), E2 with up to two, E3 80 and
  EF BC, EF BD with up to one more.
* Scripts without spaces give one token a character: leads E3..ED (kana, CJK, Hangul) with up
  to two continuation bytes, F0..F4 with up to three, E0 B8..E0 BB (Thai, Lao) with up to one more.
* All other bytes from 80 on are word bytes: accented Latin, Cyrillic, Greek, Arabic, Devanagari,
  and continuation bytes that follow no lead.
"""

from __future__ import annotations

import re

# The alternatives are told apart by their first two bytes, so the scan never backtracks.
_SCAN = re.compile(
    rb"[\x00-/:-@\[-\^`{-\x7f]++"
    rb"|\xc2[\x80-\xbf]?+"
    rb"|\xe2[\x80-\xbf]{0,2}+"
    rb"|\xe3\x80[\x80-\xbf]?+"
    rb"|\xef[\xbc\xbd][\x80-\xbf]?+"
    rb"|([\xe3-\xed][\x80-\xbf]{0,2}+|[\xf0-\xf4][\x80-\xbf]{0,3}+|\xe0[\xb8-\xbb][\x80-\xbf]?+)"
    rb"|((?:[0-9A-Z_a-z\x80-\xc1\xc3-\xdf\xe1\xee\xf5-\xff]"
    # Not possessive: before Python 3.11.5 a possessive group forgets its lookaheads.
    rb"|\xe0(?![\xb8-\xbb])|\xef(?![\xbc\xbd]))+)"
)


def reference_tokens(text: bytes) -> list[bytes]:
    """Return the normalised tokens of ``text``, in order; any bytes are accepted.

    Args:
        text: bytes, usually UTF-8.

    Returns:
        Tokens, none of them empty.
    """
    tokens: list[bytes] = []
    for character, word in _SCAN.findall(text):
        if character:
            tokens.append(character)
        elif word:
            # bytes.isdigit and bytes.lower know ASCII only, whatever the locale.
            tokens.append(b"0" if word.isdigit() else word.lower())
    return tokens
