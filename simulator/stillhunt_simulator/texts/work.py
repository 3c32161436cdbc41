"""What templates of kinds that customers have in their work say. Data only.

``[a|b]`` is a choice of phrasing, ``$X`` a word drawn once for the template, and ``<<unit:n>>`` a
slot that every exchange fills anew with about n sentences of that unit. ``<<item>>`` stands for
the layout's item, new or from a pool.
"""

from __future__ import annotations

from stillhunt_simulator.texts.kind import Kind
from stillhunt_simulator.traces import ANSWER_SPREAD, CODE, log_normal

WORK: dict[str, Kind] = {
    "summary": Kind(
        (
            "[Summarise|Condense|Sum up] the [article|text|note] [below|between the lines] [for|as "
            "news for] [our readers|the $N team|customers of $E].",
            "[Here|Below] is [a piece|an item] from [our desk|the archive|the wire of $E]; "
            "[shorten|boil down|reduce] it to [the essentials|what matters|a brief].",
        ),
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
        log_normal(75.0, ANSWER_SPREAD),
    ),
    "extraction": Kind(
        (
            "[Extract|Pull out|List] the [fields|values] [named here|we need] from the "
            "[document|record|message] [below|given].",
            "[Turn|Convert|Parse] the [document|note|form] [below|enclosed] into [a "
            "record|structured data|JSON] with [these|the following] [fields|keys].",
        ),
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
        log_normal(48.0, ANSWER_SPREAD),
    ),
    "classification": Kind(
        (
            "[Classify|Label|Sort] the [message|ticket|review] [below|that follows] as [one "
            "of|exactly "
            "one of]: $N, $N, $A, $A, other.",
            "[Which|What] [category|class|label] [fits|describes] the [message|ticket|text] "
            "[below|here]? [Choices|Options]: $N, $N, $A, $A.",
        ),
        (
            "[Reply|Answer] with the [label|class] [only|alone].",
            "[If|When] [two|several] fit, [take|choose] the [first|more specific].",
            "[Messages|Texts] may be in [any|whatever] language.",
            "[Sarcasm|Irony] [counts|is read] as [meant|intended].",
        ),
        ("\n\n[Message|Ticket]: <<item:prose:4>>\n[Label|Class]:", '\n\n"<<item:prose:5>>"'),
        ("You [route|triage] [mail|tickets] for $E.",),
        log_normal(9.0, 0.4),
    ),
    "support": Kind(
        (
            "[Draft|Write] [a reply|an answer] to the [customer|client] of $E [below|whose message "
            "follows].",
            "[A customer|A client|Someone] of $E [writes|has written] as [shown|given] below; "
            "[compose|prepare] [our answer|the reply].",
        ),
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
        log_normal(95.0, ANSWER_SPREAD),
    ),
    "retrieval": Kind(
        (
            "[Answer|Respond to] the [question|query] [using|from] [only the|nothing but the] "
            "[passages|context|excerpts] [below|supplied].",
            "[Given|With] the [excerpts|documents|notes] [below|retrieved], [what is|write] "
            "the answer to the [question|request]?",
        ),
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
        log_normal(130.0, ANSWER_SPREAD),
    ),
    "code_review": Kind(
        (
            "[Review|Check|Read] the [change|patch|code] [below|in this file] [as|like] a "
            "[colleague|maintainer] of $E would.",
            "[What|Which problems] do you [see|notice] in the [patch|diff|file] "
            "[below|attached]? [Answer|Write] as a reviewer at $E.",
        ),
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
        log_normal(260.0, ANSWER_SPREAD),
    ),
    "tutoring": Kind(
        (
            "[Explain|Teach] the [point|matter] [below|asked here] to [a pupil|a learner] of $S at "
            "[level|stage] $#.",
        ),
        (
            "[Use|Give] [one|an] [everyday|simple] example.",
            "[Ask|Pose] [a question|something] [back|at the end].",
            "[Avoid|Leave out] jargon.",
            "[Stay|Remain] [below|within] [120|150|200] words.",
        ),
        ("\n\n<<item:question:2>> <<prose:2>>", "\n\n[Pupil|Learner]: <<item:prose:2+question:1>>"),
        ("You are [$E|$N], a [friendly|cheerful] tutor.",),
        log_normal(280.0, ANSWER_SPREAD),
    ),
    "translation": Kind(
        (
            "[Translate|Render] the [entry|text|listing] [below|here] into [plain|everyday] "
            "[English|"
            "Portuguese|Italian].",
            "[Put|Bring] the [following|text below] into [clear|natural] "
            "[English|French|Polish] for [readers|customers] of $E.",
        ),
        (
            "[Keep|Leave] [tags|markup] and [figures|numbers] [unchanged|as they are].",
            "[Use|Take] '$N' for the [product|house] name.",
            "[Output|Return] the [translation|text] [only|alone].",
        ),
        ("\n\n<<item:prose:5>>", "\n\n[Source|Entry] <<item:record:1>>\n<<prose:4>>"),
        ("You [translate|localise] [catalogues|listings] for $E.",),
        log_normal(110.0, ANSWER_SPREAD),
    ),
    "benchmark": Kind(
        (
            "[The following|Here] is a [multiple choice|closed] question from the $S "
            "[set|suite] '$E "
            "$#'.",
            "[Item|Question] $# of [the test|the collection] '$E $#', [section|part] $S.",
        ),
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
        log_normal(240.0, ANSWER_SPREAD),
    ),
    "completion": Kind(
        (
            "[Complete|Continue|Fill in] the code [at the cursor|where it breaks off], in file "
            "$N_$N.",
            "[Predict|Write] [only|just] the next lines of [this|the] [file|buffer].",
        ),
        (
            "[Do not|Never] [explain|comment].",
            "[Keep|Match] the [indentation|style].",
            "[Stop|End] at the [blank line|end of the block].",
            "[Names|Imports] [above|in scope]: $N, $N, $N.",
        ),
        ("\n\n<<item:code:9>>\n<cursor>", "\n```\n<<item:code:12>>\n```\n"),
        ("You [complete|extend] code in the editor of $E.",),
        CODE,
    ),
    "assistant_tools": Kind(
        (
            "[You|The assistant] [help|serve] [users|staff] of $E with [these|the following] "
            "[tools|functions]: $I_$N, $I_$N, $I_$N.",
            "[Pick|Choose] the [function|tool] that [serves|answers] the [user|request] "
            "[best|below].",
        ),
        (
            "[Return|Answer with] the call [only|alone], as JSON.",
            "[Ask|Enquire] where [an argument|a value] is [missing|unclear].",
            "[Use|Prefer] $I_$N [for|with] $N.",
            "[Refuse|Decline] what [$E|the shop] does not [offer|sell].",
        ),
        (
            "\n\n[User|Request]: <<item:task:1>>\n[Account|Context]:\n<<record:3>>\n",
            "\n\n[Session|State]:\n<<record:5>>\n[User|Message]: <<item:question:1>>\n",
        ),
        ("You are the [assistant|agent] of $E.",),
        log_normal(60.0, ANSWER_SPREAD),
    ),
}
"""By name."""
