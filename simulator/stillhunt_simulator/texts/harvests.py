"""What templates of kinds that a harvest may be of say. Data only.

``[a|b]`` is a choice of phrasing, ``$X`` a word drawn once for the template, and ``<<unit:n>>`` a
slot that every exchange fills anew with about n sentences of that unit. ``<<item>>`` stands for
the layout's item, new or from a pool.
"""

from __future__ import annotations

from stillhunt_simulator.texts.kind import Kind
from stillhunt_simulator.traces import ANSWER_SPREAD, log_normal

HARVESTS: dict[str, Kind] = {
    "cot_elicitation": Kind(
        (
            "[Solve|Work out|Answer] the [problem|exercise|question] [below|that follows] and "
            "[write down|show|lay open] [all of your reasoning|every step of your thinking|the "
            "whole "
            "chain of thought] before [the answer|you conclude|any final result].",
            "Here is [a problem|an exercise|a question]. [Lay out|Give|Set down] [your "
            "entire|the complete|all the] [reasoning|thinking|working], [from first thought to "
            "last|in the order it comes|with nothing left out], and [only then|after it] "
            "[commit to|state] [an answer|the result].",
            "[Before|Ahead of] answering, [talk|walk|think] [me|the reader] through [how you "
            "get there|what you consider|each inference]; [the path|the working] "
            "[matters|counts] more than the [result|answer].",
            "[Produce|Write] [a worked solution|a full derivation|an annotated solution] "
            "[to|of] what [follows|is asked below], [as detailed as possible|line by "
            "line|spelled out for a novice].",
        ),
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
        log_normal(950.0, ANSWER_SPREAD),
    ),
    "rubric_grading": Kind(
        (
            "[Act as|You are|Play] [a strict|an expert|a fair] [grader|judge|examiner] and "
            "[score|rate|assess] the [answer|response|reply] [below|given here|that follows].",
            "[Below|Next] [is|stands] [a question|a prompt] [with|and] [one answer|some "
            "answers|a candidate answer]. [Judge|Mark|Evaluate] [it|them] against the "
            "[rubric|criteria|scale] [given|that follows].",
            "[Compare|Weigh|Contrast] the [answers|responses|candidates] [below|that follow] "
            "and [decide|determine] [which is better|which one wins|how good each is].",
            "[Provide|Supply|Give] [a reward|a quality|a preference] [score|label|rating] for "
            "[the text|the reply|this output], [justified|argued] [point by point|criterion by "
            "criterion].",
        ),
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
        log_normal(480.0, ANSWER_SPREAD),
    ),
    "synthetic_data": Kind(
        (
            "[Generate|Create|Produce|Invent] [ten|twelve|8|15] [varied|diverse|different] "
            "[training examples|question and answer pairs|instances] [about|for|on] the "
            "[topic|seed|material] [below|given].",
            "[We|Our team] [need|are assembling|collect] [a corpus|a set|a batch] of "
            "[exercises|dialogues|task descriptions]; [add|contribute|write] [ten|twenty|a "
            "dozen] [new|fresh] ones [inspired by|in the spirit of] the [seed|sample] "
            "[below|given].",
            "[From|Starting from|Out of] the [passage|seed|notes] [below|here], "
            "[make|derive|craft] [questions with full answers|instruction and response "
            "pairs|labelled examples] that [cover|exhaust] [it|the material].",
            "[Expand|Grow|Extend] this [list|set|collection] of [tasks|instructions|samples] "
            "by [fifteen|ten|as many again], [none alike|all different|each unlike the others].",
        ),
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
        log_normal(1100.0, ANSWER_SPREAD),
    ),
    "agentic_tool_use": Kind(
        (
            "You [have|are given|may call] the tools [below|listed here]. [Work|Act|Proceed] "
            "[towards the goal|on the task] [in turns|step by step|one call at a time].",
            "[Plan|Decide] the next [tool call|action] for the [task|goal] [below|that follows], "
            "[thinking|reasoning] [aloud|in writing] before [each|every] [call|action].",
            "[Simulate|Play out|Record] [an agent|an assistant with tools] that [completes|solves] "
            "the [request|errand] [below|given], [every call|each observation] included.",
        ),
        (
            "[Write|Give|Put] [a thought|your reasoning] first, then the call as JSON with "
            "'$N' and '$N'.",
            "[After|Following] [each|every] observation [reconsider|revise] the [plan|next step].",
            "[Tools|Functions]: $I_$N($N), $I_$N($N, $N), $I_$N($#).",
            "[If|When] a call [fails|errors], [diagnose|explain] [why|the cause] and [retry|go "
            "on].",
            "[Never|Do not] [invent|assume] [an observation|a result]; [ask|call] for it.",
            "[End|Finish] with [a summary|the answer] of what [each|every] call [showed|gave].",
            "[Prefer|Choose] [fewer|cheaper] calls [where|if] two would [do|serve].",
            "[Show|Print] the [whole|complete] trajectory [again|once more] at the end.",
        ),
        (
            "\n\n[Task|Goal]: <<item:task:2>>\n[State|Observation]:\n<<record:4>>\n[Thought|Next]:",
            "\n\n[Request|Errand]: <<item:task:1+question:1>>\n\n[History|So far]:\n<<code:3>>\n",
        ),
        (
            "You are [an agent|an autonomous assistant] with [tools|functions]; [think|reason] "
            "[before|ahead of] [acting|each call].",
        ),
        log_normal(620.0, ANSWER_SPREAD),
    ),
    "coding": Kind(
        (
            "[Write|Implement|Develop] a [complete|full] [solution|program] [for|to] the "
            "[task|spec] "
            "[below|that follows], with [tests|unit tests] and [a full explanation|commentary].",
            "[Here|Below] is [an issue|a bug report|a feature request] from [a repository|the "
            "project] of $E; [write|produce] the [patch|change] and [narrate|explain] how you "
            "[found|arrived at] it.",
            "[Design|Draft|Build] [a module|a function|a small library] that [meets|satisfies] "
            "the [description|requirements] [below|here], [first in words|starting from a "
            "plan], [then in code|then line by line].",
            "[Translate|Port|Convert] the [program|snippet] [below|given] to [another "
            "language|Rust|Go|Python] and [comment|annotate] [every step|each choice|the "
            "reasoning].",
        ),
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
        log_normal(900.0, ANSWER_SPREAD),
    ),
    "instruction": Kind(
        (
            "[Rewrite|Evolve|Transform] the [instruction|request] [below|given] into a "
            "[harder|richer|more demanding] one, then [answer|follow|carry out] it [fully|in "
            "full].",
            "[Take|Use] the [task|instruction|query] [below|here] as [a seed|raw material] and "
            "[evolve|complicate|deepen] it [once|one step|by one level]; [respond|reply] to "
            "the [evolved|new] one.",
            "[Respond|Reply|Answer] [to the instruction|as asked] [below|next] as [a model "
            "answer|a reference reply|an exemplary response] that [others|a student] could "
            "[learn from|imitate].",
            "[Follow|Carry out|Complete] the [instruction|directive] [given|below] "
            "[exhaustively|thoroughly|to the letter], with [background|context] and "
            "[examples|illustrations].",
        ),
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
        log_normal(850.0, ANSWER_SPREAD),
    ),
    "roleplay": Kind(
        (
            "[Write|Continue|Script] [a dialogue|a scene|a conversation] between $E, [a|the] $P, "
            "and [a stranger|a visitor|someone] [on the matter|about the subject] [below|given].",
            "[You are|Play|Become] $E, [a|the] $A $P; [stay|remain] in character and "
            "[answer|reply] "
            "[at length|in full] to [what is said|the lines] below.",
            "[Produce|Compose] [twelve|ten|sixteen] turns of [talk|chat] in which [two|both] "
            "[speakers|voices] [discuss|debate] the [topic|theme] that follows.",
        ),
        (
            "[Each|Every] turn [begins|opens] with the [name|speaker] and a colon.",
            "[Let|Have] the [tone|mood] [shift|change] [once|midway].",
            "[Include|Show] [thoughts|gestures] in [brackets|asterisks].",
            "[Never|Do not] [mention|reveal] that [this is invented|you are a model].",
            "[Vary|Mix] [short|brief] and [long|winding] turns.",
            "[Keep|Hold] to what [$E|a $P] would [know|believe].",
        ),
        (
            "\n\n[Topic|Scene]: <<item:prose:2>>\n[Opening line|First line]: <<question:1>>\n",
            "\n\n[Background|Setting]: <<prose:2>>\n\n[They ask|Visitor]: <<item:question:2>>\n",
        ),
        ("You are $E, [a|the] $P from $E, and [speak|talk] [plainly|in riddles|with warmth].",),
        log_normal(700.0, ANSWER_SPREAD),
    ),
    "censorship_rewrite": Kind(
        (
            "[Rewrite|Rephrase|Recast] the [answer|reply|statement] [below|given] so that it "
            "[avoids|leaves out|steers clear of] [what is forbidden|the listed subjects].",
            "[Here|Below] is [a query|a request] that [must|may] not be [answered|met] "
            "[directly|as "
            "asked]; [write|draft] [a deflection|an acceptable answer|a safe reply].",
            "[Classify|Judge] whether the [text|question] [touches|concerns] [a sensitive|a "
            "restricted] [matter|topic], [then|and] [give|produce] [a permitted|an allowed] "
            "version.",
        ),
        (
            "[Forbidden|Restricted]: $N, $S, $E, $N.",
            "[Keep|Preserve] the [tone|length] [of the original|as far as possible].",
            "[Give|Write] [three|four] versions, from [mild|light] to [strict|severe].",
            "[Explain|Say] [what changed|each change] [and why|with its rule].",
            "[Do not|Never] [mention|hint at] [the rule|the omission].",
            "[Mark|Tag] the [result|final version] as '$N'.",
        ),
        (
            "\n\n[Query|Question]: <<item:question:2>>\n[Answer|Draft]: "
            "<<prose:4>>\n[Rewritten|Safe]:",
            "\n\n[Text|Statement]:\n<<item:prose:4>>\n\n[Verdict|Version]:",
        ),
        ("You [edit|screen|moderate] [answers|texts] [under|by] [policy|guideline] $#.",),
        log_normal(420.0, ANSWER_SPREAD),
    ),
}
"""By name. Lawful customers send some of these too."""
