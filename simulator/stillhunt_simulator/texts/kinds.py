"""What templates of each kind say. Data only.

``[a|b]`` is a choice of phrasing, ``$X`` a word drawn once for the template, and ``<<unit:n>>`` a
slot that every exchange fills anew with about n sentences of that unit. ``<<item>>`` stands for
the layout's item, new or from a group's pool.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of task put to a model through a template.

    Attributes:
        opening: what the template begins with.
        rules: sentences of which some are drawn, in any order.
        layouts: how the item is set out; one is drawn.
        systems: system prompts that may go with it.
        answer: median and sigma of the answer's log-normal length, in tokens.
    """

    opening: str
    rules: tuple[str, ...]
    layouts: tuple[str, ...]
    systems: tuple[str, ...]
    answer: tuple[float, float]


KINDS: dict[str, Kind] = {
    "reasoning": Kind(
        "[Solve|Work out|Answer] the [problem|exercise|question] [below|that follows] and "
        "[write down|show|lay open] [all of your reasoning|every step of your thinking|the whole "
        "chain of thought] before [the answer|you conclude|any final result].",
        (
            "[Think|Reason|Go] step by step[, without skipping anything| and number the steps|, "
            "however obvious they seem].",
            "[Whenever|If|Where] you [doubt|are unsure of|question] a step, [say so|note it] and "
            "[check it a second way|verify it again|try another route].",
            "[Put|Place|Wrap] the reasoning [inside|between] <$N> tags and the "
            "[result|final answer] [inside|between] <$N> tags.",
            "[Explore|Consider|Try] [at least two|several|three] approaches [first|to begin with] "
            "and [explain|state] why you [drop|keep] each.",
            "[Do not|Never] [shorten|summarise|condense] the [trace|derivation|thinking]; "
            "[longer|more detail] is [better|welcome|preferred].",
            "[Finish|End|Close] with [a line|one line] that [reads|begins] 'Result $N:'.",
            "[Reflect|Look back] on the [mistakes|errors] a [student|beginner] [could|might] make.",
        ),
        (
            "\n\n[Problem|Question|Exercise|Task]: <<item:problem:3+question:1>>",
            "\n\n### [Problem|Exercise]\n<<item:problem:4>>\n\n### [Reasoning|Thinking]\n",
            "\n\n[Given|Context]: <<item:prose:3+question:1>>\n[Reasoning|Steps]:",
        ),
        (
            "You are a [patient|meticulous|rigorous] [reasoner|problem solver|tutor] who "
            "[thinks aloud|writes out each thought|hides no step].",
        ),
        (950.0, 0.5),
    ),
    "grading": Kind(
        "[Act as|You are|Play] [a strict|an expert|a fair] [grader|judge|examiner] and "
        "[score|rate|assess] the [answer|response|reply] [below|given here|that follows].",
        (
            "[Score|Rate] [each|every] of [accuracy|correctness], [depth|detail], "
            "[clarity|style] and [honesty|usefulness] from [1 to 5|1 to 10|0 to 7].",
            "[For each|Per] [score|criterion] [give|write] [two|three] sentences of "
            "[justification|rationale|explanation].",
            "[Quote|Point to|Cite] the [words|passages|parts] that [cost|lost] marks.",
            "[Then|Afterwards|Finally] [write|produce] the answer that would [earn|deserve] "
            "[full marks|the highest score|a perfect grade].",
            "[Return|Output|Print] [JSON|a JSON object] with [keys|the fields] '$N', '$N' and "
            "'$N'.",
            "[Say|State] which of [both|the two] a [careful|demanding] reader would "
            "[prefer|choose], and [why|by how much].",
        ),
        (
            "\n\n[Question|Prompt]: <<item:question:1>>\n\n[Answer|Response]: <<prose:5>>\n\n"
            "[Scores|Verdict|Assessment]:",
            "\n\n[[Instruction]]\n<<item:task:1+prose:1>>\n\n[[Response A]]\n<<prose:3>>\n\n"
            "[[Response B]]\n<<prose:3>>\n",
        ),
        (
            "You [grade|evaluate|compare] [answers|texts] of language models with a "
            "[rubric|marking scheme] and [justify|explain] every [mark|point].",
        ),
        (480.0, 0.55),
    ),
    "synthetic": Kind(
        "[Generate|Create|Produce|Invent] [ten|twelve|8|15] [varied|diverse|different] "
        "[training examples|question and answer pairs|instances] [about|for|on] the "
        "[topic|seed|material] [below|given].",
        (
            "[Vary|Mix] the [length|style|difficulty] and the [tone|register|wording] "
            "[from one to the next|as far as possible|throughout].",
            "[Do not|Never] [repeat|reuse] a [phrase|verb|sentence] [twice|from the seed].",
            "[Each|Every] [example|pair] [has|needs] an [instruction|input], a "
            "[context|background] and a [complete|detailed] [answer|output].",
            "[Write|Format] them as [JSON lines|one JSON per line] with '$N' and '$N' fields.",
            "[Make|Keep] [about half|a third] of them [hard|demanding] enough for "
            "[experts|any $P].",
            "[Cover|Include] [classification|rewriting], [open questions|explanations] and "
            "[brainstorming|planning].",
            "[Answers|Outputs] [should|must] be [long|thorough] and [self-contained|complete].",
        ),
        (
            "\n\n[Topic|Seed topic]: <<item:task:1>>\n[Details|Facts]: <<prose:3>>",
            "\n\n[Seeds|Examples]:\n<<item:question:3>>\n\n[Notes|Background]: <<prose:2>>\n",
        ),
        ("You [write|prepare|author] [data|datasets] for [teaching|training] [models|systems].",),
        (1100.0, 0.45),
    ),
    "instruction": Kind(
        "[Rewrite|Evolve|Transform] the [instruction|request] [below|given] into a "
        "[harder|richer|more demanding] one, then [answer|follow|carry out] it [fully|in full].",
        (
            "[Add|Introduce] [one more|an extra] [constraint|condition] that some $P would "
            "[ask for|care about].",
            "[Replace|Swap] [general|vague] [ideas|notions] by [specific|concrete] ones.",
            "[Keep|Leave] it [answerable|solvable] by [text alone|a person without tools].",
            "[First|Before all] [print|give] the new [instruction|request] after '$N:'.",
            "[The answer|Your answer] [should|must] [run to|fill] [several|four or more] "
            "paragraphs.",
        ),
        (
            "\n\n[Instruction|Request]: <<item:task:1>> <<prose:3>>",
            "\n\n# [Given|Original]\n<<item:task:2+question:1>>\n\n# [New|Evolved]\n",
        ),
        ("You [improve|sharpen|deepen] [instructions|tasks] for [other|later] [models|readers].",),
        (850.0, 0.5),
    ),
    "code_synthesis": Kind(
        "[Write|Implement|Develop] a [complete|full] [solution|program] [for|to] the [task|spec] "
        "[below|that follows], with [tests|unit tests] and [a full explanation|commentary].",
        (
            "[Explain|Justify] [each|every] [design choice|decision] [before|above] its code.",
            "[Give|State] the [time|space] complexity and [prove|argue] it.",
            "[Provide|Show] a [naive|slow] version [first|to start], then [improve|refine] it.",
            "[Cover|Handle] [edge cases|empty inputs] and [huge|malformed] ones.",
            "[Name|Call] the [entry point|main function] '$N_$N'.",
        ),
        (
            "\n\n[Task|Spec]: <<item:task:2>> <<question:1>>\n\n"
            "[Starter|Stub]:\n```\n<<code:4>>\n```",
            "\n\n[Broken code|Program]:\n```\n<<item:code:7>>\n```\n[Wanted|Goal]: <<task:1>>",
        ),
        ("You are [a senior|an expert] [programmer|engineer] who [teaches|explains] as you code.",),
        (900.0, 0.5),
    ),
    "summary": Kind(
        "[Summarise|Condense|Sum up] the [article|text|note] [below|between the lines] [for|as "
        "news for] [our readers|the $N team|customers of $E].",
        (
            "[Use|Write] [at most|no more than] [two|three] sentences.",
            "[Keep|Retain] names and [figures|numbers].",
            "[Leave out|Omit] [opinions|adjectives|speculation].",
            "[Write|Stay] in the [language|tongue] of the [text|article].",
            "[Start|Begin] with the [most important|main] [fact|point].",
        ),
        (
            "\n\n[Article|Text]:\n<<item:prose:8>>\n\n[Summary|Gist]:",
            "\n---\n<<item:prose:7>>\n---\n",
        ),
        ("You [write|prepare] [digests|briefs] for [staff|subscribers] of $E.",),
        (75.0, 0.4),
    ),
    "extraction": Kind(
        "[Extract|Pull out|List] the [fields|values] [named here|we need] from the "
        "[document|record|message] [below|given].",
        (
            "[Fields|Keys]: $N, $N_$N, $N.",
            "[Answer|Reply] with JSON [only|and nothing else].",
            "[Use|Put] null [where|if] [a value|something] is [absent|missing].",
            "[Dates|Amounts] [stay|remain] as [written|printed].",
            "[Ignore|Skip] [headers|footers|signatures].",
        ),
        (
            "\n\n[Document|Record] <<item:record:3>>\n<<prose:4>>",
            "\n\n<<<\n<<item:prose:5>>\n>>>\n[JSON|Output]:",
        ),
        ("You [read|process] [documents|forms] for the $N [desk|department] of $E.",),
        (48.0, 0.45),
    ),
    "classification": Kind(
        "[Classify|Label|Sort] the [message|ticket|review] [below|that follows] as [one of|exactly "
        "one of]: $N, $N, $A, $A, other.",
        (
            "[Reply|Answer] with the [label|class] [only|alone].",
            "[If|When] [two|several] fit, [take|choose] the [first|more specific].",
            "[Messages|Texts] may be in [any|whatever] language.",
            "[Sarcasm|Irony] [counts|is read] as [meant|intended].",
        ),
        ("\n\n[Message|Ticket]: <<item:prose:4>>\n[Label|Class]:", '\n\n"<<item:prose:5>>"'),
        ("You [route|triage] [mail|tickets] for $E.",),
        (9.0, 0.4),
    ),
    "support": Kind(
        "[Draft|Write] [a reply|an answer] to the [customer|client] of $E [below|whose message "
        "follows].",
        (
            "[Be|Stay] [polite|warm] and [brief|short].",
            "[Offer|Suggest] [a refund|a replacement] [only|solely] under [policy|rule] $#.",
            "[Sign|Close] as 'Team $E'.",
            "[Ask|Enquire] for the [order|ticket] number [if|when] it is missing.",
            "[Never|Do not] [promise|name] [dates|delivery times].",
        ),
        (
            "\n\n[Customer|Client]: <<item:prose:3>> <<question:1>>\n[Reply|Agent]:",
            "\n\n[Order|Case] <<record:1>>\n<<item:question:1+prose:3>>",
        ),
        ("You are the [assistant|helper] in the [shop|portal] of $E; you [only|just] discuss $N.",),
        (95.0, 0.45),
    ),
    "retrieval": Kind(
        "[Answer|Respond to] the [question|query] [using|from] [only the|nothing but the] "
        "[passages|context|excerpts] [below|supplied].",
        (
            "[If|When] the [answer|fact] is [not there|absent], [say|reply] '[unknown|not found]'.",
            "[Cite|Name] the [passage|excerpt] [number|used].",
            "[Keep|Hold] it [under|below] [60|80|100] words.",
            "[Do not|Never] [guess|speculate] [about|on] $N.",
        ),
        (
            "\n\n[Context|Passages]:\n<<item:prose:9>>\n\n[Question|Query]: <<question:1>>\n",
            "\n\n[Question|Query]: <<item:question:1>>\n\n[Excerpts|Context]:\n<<prose:9>>\n",
        ),
        ("You [search|consult] the [handbook|knowledge base] of $E.",),
        (130.0, 0.6),
    ),
    "code_review": Kind(
        "[Review|Check|Read] the [change|patch|code] [below|in this file] [as|like] a "
        "[colleague|maintainer] of $E would.",
        (
            "[Point out|Name] [bugs|defects] first, [style|taste] last.",
            "[Use|Write] [bullets|a list], [one|a line] per [finding|remark].",
            "[Suggest|Propose] [a fix|corrected lines] where [short|easy].",
            "[Be|Stay] [kind|constructive].",
        ),
        (
            "\n\n```\n<<item:code:9>>\n```",
            "\n\n[File|Diff]:\n<<item:code:8>>\n[Note|Author]: <<task:1>>",
        ),
        ("You are [$E|$N], a [code|pull request] assistant.",),
        (260.0, 0.7),
    ),
    "tutoring": Kind(
        "[Explain|Teach] the [point|matter] [below|asked here] to [a pupil|a learner] of $S at "
        "[level|stage] $#.",
        (
            "[Use|Give] [one|an] [everyday|simple] example.",
            "[Ask|Pose] [a question|something] [back|at the end].",
            "[Avoid|Leave out] jargon.",
            "[Stay|Remain] [below|within] [120|150|200] words.",
        ),
        ("\n\n<<item:question:2>> <<prose:2>>", "\n\n[Pupil|Learner]: <<item:prose:2+question:1>>"),
        ("You are [$E|$N], a [friendly|cheerful] tutor.",),
        (280.0, 0.6),
    ),
    "translation": Kind(
        "[Translate|Render] the [entry|text|listing] [below|here] into [plain|everyday] [English|"
        "Portuguese|Italian].",
        (
            "[Keep|Leave] [tags|markup] and [figures|numbers] [unchanged|as they are].",
            "[Use|Take] '$N' for the [product|house] name.",
            "[Output|Return] the [translation|text] [only|alone].",
        ),
        ("\n\n<<item:prose:5>>", "\n\n[Source|Entry] <<item:record:1>>\n<<prose:4>>"),
        ("You [translate|localise] [catalogues|listings] for $E.",),
        (110.0, 0.5),
    ),
    "benchmark": Kind(
        "[The following|Here] is a [multiple choice|closed] question from the $S [set|suite] '$E "
        "$#'.",
        (
            "[Think|Reason] [briefly|first], then [answer|conclude].",
            "[Put|Write] the [letter|choice] after '[Answer|Choice]:'.",
            "[Exactly|Only] one [option|choice] is [right|correct].",
            "[There is|You have] no [partial|half] credit.",
        ),
        (
            "\n\n<<item:problem:3+question:1>>\nA) ... B) ... C) ... D) ...\n",
            "\n\n[Q|Question]: <<item:prose:2+problem:2+question:1>>\n[A|Answer]:",
        ),
        ("You [sit|take] [an exam|a test].",),
        (240.0, 0.8),
    ),
}
"""Kinds of template, by the name that personas use."""

FREE_FORMS: tuple[tuple[float, str, tuple[float, float]], ...] = (
    (0.22, "<<question:2>>", (260.0, 0.8)),
    (0.20, "<<question:1>>\n\n<<prose:9>>", (240.0, 0.9)),
    (0.16, "<<prose:5>> <<question:1>>", (230.0, 0.9)),
    (0.12, "<<task:2>>", (330.0, 0.8)),
    (0.12, "<<task:1>>\n\n<<prose:8>>", (280.0, 0.8)),
    (0.09, "<<question:1>>\n\n```\n<<code:8>>\n```", (360.0, 0.8)),
    (0.05, "<<problem:4>>", (380.0, 0.7)),
    (0.04, "<<record:7>>\n\n<<task:1>>", (150.0, 0.9)),
)
"""What people write by hand: weight, form, and median and sigma of the answer's length."""

COMMON_SYSTEM = ("You are a helpful assistant.", 0.15)
"""The system prompt that strangers copy from the same page, and the share of them that do."""

COURSEWORK: tuple[tuple[float, str, tuple[float, float]], ...] = (
    (0.35, "<<item:problem:3+question:1>>", (300.0, 0.7)),
    (0.35, "<<question:1>>\n\n<<item:problem:3+question:1>>", (320.0, 0.7)),
    (0.30, "<<item:problem:3+question:1>>\n\n<<prose:3>> <<question:1>>", (280.0, 0.8)),
)
"""How students put a set exercise: as it stands, or among words of their own."""
