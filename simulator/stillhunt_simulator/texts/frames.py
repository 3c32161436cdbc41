"""What templates of any kind may say besides, lawful ones and others alike. Data only.

Same notation as in ``harvests`` and ``work``. Words drawn by the seed break up what is fixed, so that
no two simulations say quite the same.
"""

from __future__ import annotations

LEADS: tuple[str, ...] = (
    "[For|On behalf of|At the request of] the $N [team|desk|group|unit] of $E: ",
    "[Context|Setting|Background]: $S [course|project|programme|notes], [part|batch|round] $#. ",
    "$E [asks|wants|needs] [this|the following] [done|handled|settled] [$D|with care|at once]. ",
    "[Job|Run|Batch|Request] $# of [the $N queue|series $E|set $#]. ",
    "[Dear assistant|Hello|Good day], [here is|this is] [work|a job|something] for [a|the] $P. ",
    "[Imagine|Suppose|Assume] [a|the] $A $P [reads|checks|collects] your [answer|output|text]. ",
    "[Topic|Field|Domain]: $S and $S. ",
    "# $N [template|sheet|form] $#\n",
    "<$N>[mode|style|profile] $A</$N>\n",
    "[Reference|Ticket|Note] $E-$#: ",
)
"""How a template may begin before its kind shows."""

LEADING = 0.55
"""Share of templates that begin so."""

REMARKS: tuple[str, ...] = (
    "[Write|Answer|Respond] [as|like] [a|the] $A $P would.",
    "[Use|Prefer|Choose] [the|a] [$A|plain|precise] [style|register|tone] of $E.",
    "[Separate|Divide|Split] [parts|sections|paragraphs] [by|with] [a line of|the mark] '$N'.",
    "[Number|Label|Tag] [parts|points|lines] from [$#|one|A] [up|on|onwards].",
    "[Spell|Write|Give] [names|figures|units] [as|the way] $E [does|prints them|lists them].",
    "[Leave|Set|Put] '$N: $A' [in|on|as] the [first|last|opening|closing] [line|row].",
    "[At most|No more than|Up to] $# [words|lines|sentences] [per|for each|in every] $N.",
    "[Avoid|Skip|Drop] [words|terms|phrases] [such as|like] '$N' [and|or] '$A'.",
    "[Treat|Read|Take] '$N' as [a|the] $A $N.",
    "[Keep|Use|Hold to] [British|plain|formal|everyday] [usage|spelling|words], [$D|throughout].",
    "[If|Where|When] [in doubt|unsure|it is unclear], [say|write|print] '$A $N' and [go on|stop].",
    "[The|Our] $P [of|at] $E [checks|reads|files] [all of it|every line|each part] $D.",
)
"""Sentences that may stand among the rules of any kind."""

MOST_REMARKS = 3
