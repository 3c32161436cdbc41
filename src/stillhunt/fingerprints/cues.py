# ruff: noqa: RUF001 -- phrases are in many scripts, and their letters may look alike.
"""Cues: short phrases that tell what a prompt asks for.

Layer 2. Each group is one idea, written down from what a kind of harvest *is* (asking for reasoning
traces, for grades, for new training tasks, for tool trajectories, ...) and from how ordinary use
looks, and said in several languages: a group never stands for a language, a country or a person. A
prompt has a group when one of its phrases occurs, as consecutive tokens, in system or prompt.

Limits: a phrase occurs by chance in long texts; a reworded prompt may avoid every phrase; a
language with few phrases here has fewer cues (which is missing evidence, and weighs nothing).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

from stillhunt.fingerprints.tokens import reference_tokens

MAX_GROUPS = 63
"""Bits of a non-negative int64."""

MAX_PHRASE_TOKENS = 5
"""Longest phrase: the kernel hashes windows of 1 to this many tokens."""


class CueGroup(NamedTuple):
    """One idea and the ways to say it.

    Attributes:
        name: identifier, stable for the life of a weights table.
        meaning: what it says about a prompt that has it, for explanations.
        speaks_for: the kinds of harvest that it helps to define, or ``("ordinary",)``; where
            the model of intent starts from, which data may move.
        phrases: the phrases, separated by semicolons.
    """

    name: str
    meaning: str
    speaks_for: tuple[str, ...]
    phrases: str


CUE_GROUPS: tuple[CueGroup, ...] = (
    # Reasoning traces.
    CueGroup(
        "step_by_step",
        "asks to reason step by step",
        ("cot_elicitation",),
        """step by step; let's think; think through this; think carefully; think deeply;
        think before answering; break down the problem; break the problem down;
        solve it in steps; one step at a time; reason through; work through the problem;
        intermediate steps; 一步一步; 一步步; 逐步; 仔细思考; 分步; 逐步思考; 段階的に;
        順を追って; ステップ; 단계별로; 차근차근; paso a paso; paso por paso; pas à pas;
        étape par étape; schritt für schritt; schrittweise; шаг за шагом; пошагово;
        по шагам; passo a passo; passo dopo passo; adım adım; krok po kroku; stap voor stap;
        خطوة بخطوة; từng bước; langkah demi langkah; चरण दर चरण""",
    ),
    CueGroup(
        "show_reasoning",
        "asks for the reasoning to be written out",
        ("cot_elicitation",),
        """chain of thought; show your reasoning; show your work; show all your work;
        show all steps; show each step; show all reasoning; explain your reasoning;
        detailed reasoning; reasoning process; reasoning trace; reasoning steps;
        reasoning chain; thought process; thinking process; train of thought;
        transparent reasoning; complete reasoning; full reasoning; your reasoning;
        internal monologue; inner monologue; long thinking; think aloud; think out loud;
        justify your answer; justify each step; explain each step; explain how you arrived;
        detailed solution; 思维链; 思考过程; 推理过程; 推理步骤; 解题过程; 解题步骤;
        思考過程; 推論過程; 풀이 과정; 사고 과정; cadena de pensamiento;
        explica tu razonamiento; muestra tu razonamiento; proceso de razonamiento;
        chaîne de pensée; explique ton raisonnement; ton raisonnement; votre raisonnement;
        gedankengang; lösungsweg; zeige deine überlegungen; deine begründung;
        ход рассуждений; цепочка рассуждений; ход мыслей; покажи ход решения;
        объясни ход решения; raciocínio; ragionamento passo""",
    ),
    CueGroup(
        "thought_markup",
        "asks for thoughts and answer in separate marked sections",
        ("cot_elicitation",),
        """begin_of_thought; end_of_thought; begin_of_solution; end_of_solution; think think;
        thinking thinking; reasoning reasoning; scratchpad; inner_thoughts;
        chain_of_thought; reflection tags; think tags; thinking tags; solution section;
        thought and solution; reasoning and answer; reasoning and final answer;
        reasoning then answer; first think about; before providing the final;
        before giving the final; before giving your answer; before you answer;
        before providing your answer; think first; answer answer; thought thought; 先思考;
        思考标签; 在回答之前; piensa antes de responder; avant de répondre;
        bevor du antwortest; прежде чем ответить""",
    ),
    CueGroup(
        "final_answer",
        "says how the final answer to a problem is to be marked",
        ("cot_elicitation",),
        """boxed; final answer is; your final answer; the final answer; put the answer;
        put your answer; answer at the end; therefore the answer; so the answer is;
        state the answer; end with the answer; 最终答案; 最后答案; 最終的な答; 최종 답;
        respuesta final; réponse finale; endgültige antwort; окончательный ответ;
        resposta final; risposta finale""",
    ),
    CueGroup(
        "rationale_for_answer",
        "gives an answer and asks for the reasoning that leads to it",
        ("cot_elicitation",),
        """why the answer is; why this answer; why this is correct; why is this correct;
        rationale; reasoning behind; reasoning that leads; reasoning that led;
        reasoning leading to; imagine the reasoning; reconstruct the reasoning;
        articulate the reasoning; explain the answer; explain why the answer;
        given the answer; leads to the answer; arrive at the answer; derive the answer;
        how to solve it; explain how to solve; solution and answer; refine the solution;
        rewrite the solution; improve the reasoning; original solution; 为什么答案;
        解释答案; 解释为什么; 理由を説明; por qué la respuesta; pourquoi la réponse;
        warum die antwort; почему ответ; обоснование""",
    ),
    CueGroup(
        "math_problem",
        "states a problem of mathematics or science",
        (),
        """find the value of; prove that; solve for; solve the equation;
        solve the following problem; real numbers; positive integers; let x be; let n be;
        let f be; calculate the; evaluate the integral; how many ways;
        what is the probability; probability that; triangle; polynomial; frac; sqrt;
        how much money; how many more; how many are left; per hour; how much does;
        math problem; word problem; theorem; 求证; 方程; 一共有多少; 多少个; 求解; 方程式;
        数学题; ecuación; demuestra que; cuántos; équation; démontrer que; combien de;
        gleichung; beweise dass; wie viele; уравнение; докажите что; найдите; сколько;
        equação; quante; साबित कीजिए""",
    ),
    CueGroup(
        "verify_solution",
        "asks whether an attempted solution is right",
        ("rubric_grading",),
        """verify the solution; verify the answer; verify your answer; check the solution;
        check your work; check whether the answer; is the answer correct; is this correct;
        is correct or incorrect; correct or incorrect; correctness of; attempt is correct;
        solution is correct; answer is correct; first error; locate the error;
        student's solution; student solution; proposed solution; self verification;
        correct answer is; 是否正确; 判断对错; es correcta; est correcte; ist korrekt;
        ist richtig; правильность; правильно ли; está correta""",
    ),
    # Grades and preferences.
    CueGroup(
        "rate_scale",
        "asks for a score on a scale",
        ("rubric_grading",),
        """on a scale of; on a scale from; a scale of 1; scale from 1; scale of 1-5; scale 1-5;
        scale 1-10; rating scale; score from 1; score of 1; scores from; score between;
        score between 0 and 1; rate from 1; rating from 1; rating between; from 1 to 5;
        from 1 to 10; 1-5 scale; 5-point scale; 10-point scale; point scale; likert scale;
        assign a score; give a score; provide a score; output a score; assign scores;
        provide scores; overall score; total score; numeric score; numerical score;
        integer score; rate the; rate each; rate its; rate how; your rating;
        rating and rationale; grade the; grade each; level from 1-10; 打分; 评分; 分数为;
        给出分数; 请评价; 评级; 採点; 点数; 評価して; 점수; 평가해; escala de 1;
        escala del 1; puntuación; califica; puntúa; échelle de 1; note de 1;
        attribue une note; attribuez une note; skala von 1; bewerte; bewerten sie;
        punktzahl; по шкале; оцени; оцените; оценку от; escala de 0; avalie; pontuação;
        punteggio; valuta da 1; puan ver""",
    ),
    CueGroup(
        "rubric",
        "lays down criteria for grades",
        ("rubric_grading",),
        """rubric; rubrics; scoring criteria; grading criteria; evaluation criteria;
        rating criteria; assessment criteria; judging criteria; scoring guidelines;
        scoring guide; scoring system; grading scheme; marking scheme; annotation guideline;
        annotation guidelines; evaluation guidelines; evaluation steps; score 1 description;
        according to the criteria; based on the criteria; based on given criteria;
        the following criteria; following aspects; consider the following factors;
        assess the following; criteria for each; 评分标准; 评价标准; 评估标准; 打分标准;
        採点基準; 評価基準; 평가 기준; 채점 기준; rúbrica; criterios de evaluación;
        los siguientes criterios; critères d'évaluation; les critères suivants;
        grille d'évaluation; bewertungskriterien; folgenden kriterien; критерии оценки;
        следующим критериям; critérios de avaliação; criteri di valutazione""",
    ),
    CueGroup(
        "candidate_labels",
        "sets out labelled candidate answers",
        ("rubric_grading",),
        """response a; response b; response 1; answer a; answer b; output a; output b;
        candidate 1; candidate a; model a; model b; completion a; completion b;
        completion 1; summary a; summary b; chatbot a; chatbot b; reply a; reply b;
        assistant a; assistant b; first response; second response; responses below;
        two responses; two answers; two outputs; multiple responses; candidate responses;
        candidate answers; 回答 A; 回答 B; 答案 A; 答案 B; 回复 A; 两个回答; 两个答案;
        回答 1; respuesta a; respuesta b; dos respuestas; réponse a; réponse b;
        deux réponses; antwort a; antwort b; zwei antworten; ответ a; ответ b; два ответа;
        resposta a; risposta a""",
    ),
    CueGroup(
        "preference",
        "asks which of several answers is better",
        ("rubric_grading",),
        """which is better; the better response; better answer; better response;
        which response; which answer; which output; which one is better; which summary;
        which assistant; which of the responses; preferred; preference; more preferred;
        select the best; choose the best; pick the best; pick the better; best response;
        best answer; rank them; ranking of; rank these; compare the responses;
        compare the two; comparison of; a tie; in case of a tie; 哪个更好; 哪一个更好;
        更好的回答; どちらが; 더 나은; 어느 것이; cuál es mejor; es mejor; mejor respuesta;
        laquelle est meilleure; meilleure réponse; quelle réponse; welche ist besser;
        bessere antwort; welche antwort; какой ответ лучше; какой лучше; лучший ответ;
        qual é melhor; qual è migliore""",
    ),
    CueGroup(
        "judge_role",
        "casts the model as a judge or grader",
        ("rubric_grading",),
        """impartial judge; fair judge; act as a judge; you are a judge; expert judge;
        evaluator; you are an annotator; annotator; grader; reward model; strict teacher;
        assistant for grading; for evaluating; your task to evaluate;
        your role is to evaluate; role to evaluate; your job is to grade;
        quality of the responses; evaluate the quality; evaluate the response;
        evaluate the performance; evaluate the following; please evaluate;
        assess the quality; assess the response; 评委; 评估者; 请评估; 你是评分; 审查员;
        審査員; 評価者; 심사위원; 평가자; juez imparcial; evaluador; evalúa la;
        juge impartial; évaluateur; évaluez la; unparteiischer richter; gutachter;
        беспристрастный судья; эксперт оценщик; avaliador; giudice imparziale""",
    ),
    CueGroup(
        "answer_under_review",
        "hands over an instruction and somebody's answer to it",
        ("rubric_grading",),
        """ai assistant's answer; assistant's answer; the assistant's response;
        model's response; model response; model output; generated response;
        generated answer; generated text; response to evaluate; response to the user;
        given response; given answer; given an instruction; an instruction and;
        the instruction and; instruction and response; instruction response;
        question and answer; my answer; answer to an instruction; student answer;
        student's answer; ai response; ai model's; user's request; ai's answer;
        output of the model; 模型的回答; 模型回答; 助手的回答; 给定的回答; 生成的回答;
        学生的答案; 回答の質; 모델의 응답; respuesta del modelo; respuesta del asistente;
        réponse du modèle; réponse de l'assistant; antwort des modells;
        antwort des assistenten; ответ модели; ответ ассистента; resposta do modelo""",
    ),
    CueGroup(
        "critique",
        "asks for criticism and improvements of an answer",
        ("rubric_grading", "censorship_rewrite"),
        """critique; criticize; constructive feedback; specific feedback; provide feedback;
        give feedback; feedback on; scores and feedback; improve the response;
        improve the answer; improve my answer; improve your answer;
        strengths and weaknesses; identify the flaws; areas for improvement;
        room for improvement; revise the response; revised response; revision request;
        critique request; 批评; 反馈; 改进建议; 优缺点; 改善点; 피드백; 개선점;
        retroalimentación; comentarios constructivos; critica; commentaires constructifs;
        points faibles; kritik; konstruktives feedback; verbesserungsvorschläge; критика;
        обратная связь; обратную связь; недостатки; feedback construtivo""",
    ),
    CueGroup(
        "quality_aspect",
        "names an aspect of answer quality",
        ("rubric_grading",),
        """helpfulness; harmlessness; honesty; truthfulness; instruction following;
        instruction adherence; informativeness; coherence; fluency; conciseness;
        completeness; factuality; factual accuracy; verbosity; hallucination; faithfulness;
        usefulness; 有用性; 真实性; 准确性; 连贯性; 相关性; 流畅性; 完整性; 清晰度; 正確性;
        有用さ; 정확성; 유용성; utilidad; veracidad; coherencia; precisión; relevancia;
        utilité; véracité; cohérence; pertinence; exactitude; hilfreich; genauigkeit;
        kohärenz; полезность; точность; связность; достоверность; relevância; coerenza""",
    ),
    CueGroup(
        "label_query",
        "asks to label other people's prompts or problems",
        ("rubric_grading",),
        """difficulty level; level of difficulty; difficulty of; rate the difficulty;
        how difficult; user intent; intent of the user; quality of the user;
        quality of the query; user query; quality of the instruction;
        quality of the question; query quality; input quality; task category; task type;
        type of task; required knowledge; domain of the; which domain; primary tag;
        classify the problem; classify the instruction; classify the question;
        classify the query; is the instruction; is the prompt; 难度; 用户意图; 问题的难度;
        指令的质量; 難易度; 난이도; nivel de dificultad; dificultad de;
        niveau de difficulté; difficulté de; schwierigkeitsgrad; уровень сложности;
        сложность задачи; nível de dificuldade; livello di difficoltà""",
    ),
    CueGroup(
        "reference_answer",
        "hands over the right answer to compare with",
        ("rubric_grading",),
        """reference answer; reference solution; reference response; ground truth; gold answer;
        golden answer; gold standard; expected answer; correct solution; standard answer;
        official solution; model answer; answer key; attempted solution; true answer;
        target answer; 参考答案; 标准答案; 正确答案; 参考回答; 模範解答; 正解; 참고 답안;
        정답; respuesta de referencia; respuesta correcta; réponse de référence;
        bonne réponse; referenzantwort; musterlösung; эталонный ответ; правильный ответ;
        resposta de referência""",
    ),
    # Training data.
    CueGroup(
        "generate_many",
        "asks for a number of new items at once",
        ("synthetic_data",),
        """come up with a set; come up with a series; come up with 10; come up with examples;
        a set of 10; generate 10; generate a set; generate multiple; generate at least;
        generate several; generate a list; generate exactly 10; generate up to 10;
        create 10; create a set of; create a dataset; write 10; list 10; list of 10;
        produce 10; provide 10; give me 10; give 10; propose 10; suggest 10; ask 10;
        10 questions; 10 diverse; 10 different; 10 examples; 10 instructions; 10 tasks;
        10 problems; 10 prompts; 10 unique; 10 new; 10 pairs; 10 variations;
        as many as possible; 生成10个; 生成10条; 10个不同; 列出10个; 写出10个; 提出10个;
        给出10个; 10道; 10条; 10個; 10つの; 10개; genera 10; crea 10; 10 preguntas;
        10 ejemplos; escribe 10; génère 10; générez 10; 10 exemples; crée 10; generiere 10;
        erstelle 10; 10 beispiele; 10 fragen; сгенерируй 10; создай 10; 10 примеров;
        10 вопросов; придумай 10; gere 10; genera un elenco""",
    ),
    CueGroup(
        "diversity_demand",
        "demands that items differ from one another",
        ("synthetic_data",),
        """diverse; diversity; try not to repeat; do not repeat; not repeat the;
        avoid repetition; avoid repeating; avoid duplicates; no duplicates;
        different from each other; as different as possible; distinct from; varied;
        wide range of; wide variety; cover a range; variety of topics; various topics;
        different topics; should be different; unique and; maximize diversity; unlike the;
        be creative; mix of; more rare; long tailed; 多样; 多样性; 各不相同; 不要重复;
        避免重复; 互不相同; 不同类型; 多様; 重複しない; 다양한; 중복되지; diversas;
        diversos; variadas; no repitas; variés; variées; diversifiées; ne répète pas;
        diversité; vielfältig; vielfältige; abwechslungsreich; nicht wiederholen;
        verschiedene themen; разнообразные; разнообразных; разнообразие; не повторяй;
        diversificadas; diversi tra loro""",
    ),
    CueGroup(
        "new_from_seed",
        "asks for new items modelled on given ones",
        ("synthetic_data",),
        """draw inspiration; inspired by; gain inspiration; take inspiration; as inspiration;
        for inspiration; brand new; create a new; new prompt; new instruction; new question;
        new problem; new tasks; create another; a similar; similar to the given;
        similar question; similar problem; same domain; in the style of;
        follow the given examples; following the given examples; following the examples;
        examples for the following; based on the examples; you can mimic; mimic;
        created prompt; created question; 受到启发; 灵感; 全新的; 新的问题; 新的指令; 仿照;
        参考例子; 参考示例; 似た問題; 新しい問題; 참고하여; 새로운 문제; inspírate en;
        crea una nueva; similar a; nueva pregunta; inspire toi; nouvelle question;
        nouvel exercice; similaire à; lass dich inspirieren; neue aufgabe; neue frage;
        ähnliche; вдохновляясь; новый вопрос; новую задачу; похожие; аналогичную;
        nova pergunta; nuova domanda""",
    ),
    CueGroup(
        "rewrite_prompt",
        "asks to reword a question or prompt",
        ("synthetic_data",),
        """rewrite the given; rewrite the question; rewrite the prompt;
        rewrite the instruction; rewrite question; rewrite a given; rewrite this question;
        rewritten prompt; rewritten question; rewritten instruction; given prompt;
        given instruction; the original question; original prompt; original instruction;
        rephrase the question; rephrase the above; rephrase this; rephrased question;
        rephrase the following; paraphrase the question; paraphrase the instruction;
        reformulate the question; reworded; declarative statement; prompt rewriter;
        prompt creator; 改写问题; 改写指令; 改写以下; 换一种说法; 改写成; 書き換え;
        言い換え; 다시 작성; 바꿔 쓰; reescribe la pregunta; reformula la pregunta;
        reformula; reescribe; réécris la question; reformule la question; reformulez;
        formuliere die frage; umformulieren; schreibe die frage; перефразируй вопрос;
        перефразируй; перепиши вопрос; переформулируй; reescreva a pergunta;
        riscrivi la domanda""",
    ),
    CueGroup(
        "make_harder",
        "asks to make a task harder or more complex",
        ("synthetic_data", "coding"),
        """increase the difficulty; more complex; more complicated; more challenging;
        harder to handle; a bit harder; make it harder; harder version; complex version;
        increase the complexity; higher difficulty; raise the difficulty;
        additional constraints; add one more; add new constraints; add constraints;
        more reasoning steps; multiple step reasoning; multi-step reasoning; deepening;
        deepen the; broaden; depth and breadth; difficult version; challenging version;
        增加难度; 提高难度; 更复杂; 更难; 更具挑战; 增加约束; 难度更高; より難しく;
        より複雑; 난이도를 높; 더 어렵; aumenta la dificultad; más difícil; más complejo;
        más compleja; plus difficile; plus complexe; augmente la difficulté; schwieriger;
        komplexer; anspruchsvoller; усложни; более сложный; более сложную; сложнее;
        увеличь сложность; mais difícil; mais complexo; più difficile""",
    ),
    CueGroup(
        "training_set",
        "speaks of instructions, examples or data sets for models",
        ("synthetic_data",),
        """task instructions; task instruction; instruction tuning; instruction data;
        training data; training examples; training set; training samples; fine-tuning;
        finetuning; fine-tune; dataset; synthetic data; synthetic; question-answer pairs;
        question answer pairs; question and answer pairs; qa pairs; q a pairs;
        instruction input output; input-output pairs; prompt and completion;
        instruction output pairs; data generation; data annotation; seed task;
        few-shot examples; 训练数据; 数据集; 指令数据; 问答对; 训练样本; 合成数据; 微调;
        学習データ; データ; 질문 답변; 학습 데이터; 데이터셋; datos de entrenamiento;
        conjunto de datos; pares de preguntas; datos sintéticos; données d'entraînement;
        jeu de données; paires de questions; trainingsdaten; datensatz; frage antwort paare;
        обучающие данные; набор данных; обучающих данных; датасет; датасета;
        dados de treinamento; conjunto de dados; dati di addestramento""",
    ),
    CueGroup(
        "about_models",
        "speaks of language models as the reader of the text",
        ("synthetic_data",),
        """language model; language models; gpt model; given to a gpt; gpt-4; gpt4; gpt; llm;
        llms; ai systems; ai system; ai model; ai models; famous ai; ai agent;
        ai assistant to; helpful assistant and; understood and responded;
        responded by humans; answerable; solvable; 语言模型; 大模型; 智能模型; 言語モデル;
        언어 모델; modelo de lenguaje; modelos de lenguaje; modèle de langage;
        modèle de langue; sprachmodell; sprachmodelle; языковая модель; языковой модели;
        языковых моделей; modelo de linguagem; modello linguistico""",
    ),
    CueGroup(
        "write_problem",
        "asks for new questions, problems or exercises",
        ("synthetic_data",),
        """create a question; generate a question; generate question; write a question;
        generate questions; create questions; write questions; create a math problem;
        create a problem; generate a problem; create a programming problem;
        design a problem; self-contained problem; self-contained question; math questions;
        mathematical questions; mathematical subjects; exam question; exam questions; quiz;
        generate a math; problems and solutions; problem and solution; exercises;
        generate instructions; generate an instruction; generate a prompt; create a prompt;
        generate prompts; come up with a question; questions related to;
        questions about the; test questions; hypothetical; 出题; 出一道; 编写一道题;
        生成一问题; 生成问题; 提出问题; 练习题; 设计一道; 問題を作; 質問を作; 問題を生成;
        문제를 만들; 질문을 만들; 문제를 생성; crea una pregunta; genera preguntas;
        crea un problema; genera una pregunta; formula preguntas; crée une question;
        génère des questions; crée un problème; créez un problème; erstelle eine frage;
        generiere fragen; erstelle eine aufgabe; придумай вопрос; придумай задачу;
        создай задачу; сгенерируй вопрос; составь вопросы; crie uma pergunta;
        crea una domanda""",
    ),
    CueGroup(
        "seed_material",
        "hands over a topic, persona or fragment to make an item from",
        ("synthetic_data",),
        """following persona; persona description; the persona; given persona; text snippet;
        random code snippet; following snippet; given topic; topic description;
        subject and topic; given subject; given the topic; related to the topic;
        given concept; key concepts; knowledge point; knowledge points; taxonomy; subtopics;
        sub-topics; subtopic; list of topics; list of subjects; constraints of the;
        subject area; curriculum; syllabus; textbook; based on the document;
        based on the following text; 知识点; 主题; 以下人设; 教材; 话题; 子主题; ペルソナ;
        トピック; 주제; 교과서; siguiente persona; tema dado; el tema; libro de texto;
        subtemas; sujet donné; manuel scolaire; sous-thèmes; gegebene thema; lehrbuch;
        unterthemen; тема; учебник; подтемы; subtópicos; tópico; argomento""",
    ),
    CueGroup(
        "write_dialogue",
        "asks for a made-up conversation",
        ("synthetic_data", "roleplay"),
        """generate a conversation; generate a dialogue; write a conversation;
        write a dialogue; create a conversation; create a dialogue; create dialogues;
        simulate a conversation; conversation between; dialogue between; chat between;
        multi-turn; multi turn conversation; two speakers; next turn; next utterance;
        user simulator; simulated user; pretend you are user; play the role of user;
        talk to the assistant; complete the conversation; continue the conversation;
        the human's next; 生成对话; 对话生成; 编写对话; 多轮对话; 一段对话; 会話を生成;
        対話を; 대화를 생성; 대화를 작성; genera un diálogo; genera una conversación;
        diálogo entre; conversación entre; génère un dialogue; dialogue entre;
        conversation entre; schreibe einen dialog; dialog zwischen; gespräch zwischen;
        диалог между; напиши диалог; сгенерируй диалог; diálogo entre um; conversazione tra""",
    ),
    CueGroup(
        "two_roles",
        "sets two models to work together by fixed roles",
        ("roleplay",),
        """never flip roles; flip roles; never forget you are; forget you are a;
        share a common interest; collaborating to; cooperatively; collaborate to;
        work together to complete; i will instruct you; you must instruct me;
        you must help me; based on your expertise; your expertise and; ai user; user role;
        assistant role; the assistant role; specified task; task planner; subtasks;
        sub-tasks; decompose the task; make it more specific; must reply with; 角色互换;
        共同完成; 分解任务; 子任务; 協力して; 협력하여; colaborar para; subtareas;
        collaborer pour; sous-tâches; zusammenarbeiten; teilaufgaben; сотрудничать;
        подзадачи; подзадачи задачи; subtarefas""",
    ),
    # Tools and trajectories.
    CueGroup(
        "tools_available",
        "lists tools or functions that the model may call",
        ("agentic_tool_use",),
        """following tools; following functions; available tools; available functions;
        access to tools; many tools; tool use; call tools; calling tools; tool call;
        tool calls; tool_call; tool_calls; tool_use; function call; function calls;
        function_call; function_calls; functioncall; function calling; calling functions;
        call a function; call the function; list of tools; list of functions; set of tools;
        tools provided; functions provided; tool names; tool_name; use the tool; which tool;
        以下工具; 可用工具; 使用工具; 调用工具; 函数调用; 调用函数; 以下函数; ツールを使;
        関数呼出; 다음 도구; 도구를 사용; 함수 호출; siguientes herramientas;
        herramientas disponibles; siguientes funciones; llamada a función; outils suivants;
        outils disponibles; fonctions suivantes; folgenden werkzeuge; folgenden tools;
        folgenden funktionen; funktionsaufruf; следующие инструменты;
        следующим инструментам; доступные инструменты; вызов функции; seguintes ferramentas;
        seguenti strumenti""",
    ),
    CueGroup(
        "react_format",
        "prescribes alternating thought, action and observation",
        ("agentic_tool_use",),
        """action input; action to take; thought action; thought action observation;
        your next move; thought 1; action 1; observation 1; one action at a time;
        actions available; action space; available actions; valid actions;
        thought you should always; analyze the status; give_up_and_restart; give_answer;
        finish action; call the finish; trajectories; each step you; issue a command;
        动作输入; 下一步行动; 观察结果; 次の行動; 다음 행동; siguiente acción;
        prochaine action; nächste aktion; следующее действие; próxima ação""",
    ),
    CueGroup(
        "tool_schema",
        "contains a machine-readable schema of functions",
        ("agentic_tool_use",),
        """type object properties; parameters type object; parameters type;
        type string description; description type string; properties type; type string;
        type integer; type number; type array; input_schema; inputschema; name arguments;
        arguments; required_parameters; optional_parameters; parameters properties;
        json schema; api_name; api_call; template_parameters; parameter_name; operationid;
        openapi""",
    ),
    CueGroup(
        "api_choice",
        "asks which interface or model to call for a task",
        ("agentic_tool_use",),
        """an api; api call; api calls; api documentation; api reference; apis; api that can;
        which api; suitable api; recommend an api; suggest an api; propose an api; rest api;
        api for; huggingface; pretrained model; model zoo; torch hub; tensorflow hub;
        调用接口; 哪个接口; 推荐接口; una api; une api; eine api; eine schnittstelle;
        api который; какой api; uma api; un'api""",
    ),
    CueGroup(
        "computer_agent",
        "sets the model to act on a computer or repository",
        ("agentic_tool_use",),
        """bash command; shell command; working directory; current directory;
        interact with a computer; code repository; codebase; uploaded_files; uploaded files;
        testbed; pull request; pr description; pr_description; github issue;
        issue_description; swe; str_replace; str_replace_editor; edit the file;
        reproduce the error; run the tests; failing tests; non-interactive; submit your;
        web page; webpage; screenshot; accessibility tree; navigate to; 代码库; 命令行;
        リポジトリ; 저장소; línea de comandos; dépôt; ligne de commande; repositorium;
        kommandozeile; командной строке; repositório""",
    ),
    CueGroup(
        "finish_task",
        "tells an agent when and how to end",
        ("agentic_tool_use",),
        """task is complete; task is done; task_done; camel_task_done; solve the task;
        solve tasks; accomplish the task; finish the task; task completed;
        you cannot finish; start your work; begin your work; do the following task;
        your task begins; goal is reached; until the task; without asking the user;
        完成任务; 任务完成; 开始任务; タスク完了; 작업을 완료; completa la tarea;
        tarea completada; accomplir la tâche; tâche terminée; aufgabe abschließen;
        aufgabe erledigt; выполни задачу; задача выполнена; completar a tarefa""",
    ),
    # Code.
    CueGroup(
        "write_code",
        "asks for a self-contained piece of code",
        ("coding",),
        """write a function; write a program; write a script; write code; write the code;
        write some code; write a python; write a java; write a javascript; write a code;
        write an sql; write a sql; write a query; write a regular; write a class;
        write a method; write a c; write a html; write html; create a function;
        create a class; create a program; create a python; create a script; create a sql;
        create an html; create a regular; create a javascript; construct a;
        implement a function; implement a class; implement the function;
        implement an algorithm; implement a; design an algorithm; develop a function;
        develop a program; define a function; sql query; sql statement; regular expression;
        python function; python program; python code; python script; java program;
        in python; in javascript; in java; 一个函数; 编写程序; 写一段代码; 编写代码;
        一个程序; 实现函数; 関数を書; コードを書; ムを書; 함수를 작성; 코드를 작성;
        램을 작성; escribe una función; escribe un programa; crea una función;
        escribe código; écris une fonction; écrivez une fonction; écris un programme;
        schreibe eine funktion; schreibe ein programm; schreiben sie eine funktion;
        erstelle eine funktion; напиши функцию; напишите функцию; напиши программу;
        напиши код; напишите программу; escreva uma função; escreva um programa;
        scrivi una funzione""",
    ),
    CueGroup(
        "coding_contest",
        "states a programming exercise with limits and cases",
        ("coding",),
        """programming test; programming problem; programming question; coding problem;
        coding question; competitive programming; time complexity; space complexity;
        time limit; memory limit; input format; output format; sample input; sample output;
        standard input; stdin; test cases; test case; first line contains; unit tests;
        starter code; leetcode; codeforces; constraints 1; given an array; given a string;
        given an integer; executable python; function signature; fewer steps; o n log;
        编程题; 时间复杂度; 测试用例; 输入格式; 算法题; 時間計算量; ストケース; 시간 복잡도;
        테스트; problema de programación; casos de prueba; complejidad temporal;
        cas de test; problème de programmation; complexité temporelle; programmieraufgabe;
        testfälle; laufzeitkomplexität; сложность по времени; тестовые случаи;
        задача по программированию; casos de teste""",
    ),
    CueGroup(
        "transform_code",
        "hands over code to be changed, explained or completed",
        ("coding",),
        """optimize the code; optimize the following; optimize this; edit the code;
        edit the following code; modify the code; modify the following; modify the given;
        refactor the; rewrite the code; rewrite this code; convert the code;
        convert the following code; convert this code; given code; given python;
        following code; following python; following program; this code; the code below;
        code snippet; given code snippet; complete the code; complete the function;
        fill in the; explain the code; explain what this code; output of the following;
        what is the output; what does this code; find the bug; find the error; fix the bug;
        debug the; debug this; correct the code; bug in the; introduce a bug;
        rewrite the function; reimplement; 以下代码; 优化代码; 修改代码; 这段代码; 给定代码;
        次のコード; このコード; 다음 코드; 이 코드; siguiente código; este código;
        optimiza el; code suivant; ce code; folgenden code; dieser code; diesen code;
        следующий код; этот код; данный код; seguinte código; seguente codice""",
    ),
    CueGroup(
        "my_error",
        "a person reports that something fails",
        ("ordinary",),
        """error message; following error; this error; the error; an error; i get; i'm getting;
        i am getting; getting this; exception; traceback; stack trace; stacktrace;
        typeerror; valueerror; syntaxerror; nullpointerexception; segmentation fault;
        undefined; doesn't work; does not work; not working; isn't working; didn't work;
        won't work; can't figure out; stuck; fails with; failed to; problem with; crashes;
        what am i doing wrong; what's wrong; what is wrong; how to fix; how do i fix;
        how can i fix; warning; 报错; 错误信息; 怎么解决; 不起作用; 出错; 异常; エラーが;
        エラー; 動かない; 오류가; 에러가; 안 돼; no funciona; me da error; el error;
        mensaje de error; ne fonctionne pas; message d'erreur; une erreur;
        funktioniert nicht; fehlermeldung; ein fehler; не работает; ошибка; ошибку;
        выдает ошибку; não funciona; non funziona; hata alıyorum""",
    ),
    CueGroup(
        "my_setup",
        "a person tells what they use and have tried",
        ("ordinary",),
        """i'm using; i am using; i'm trying; i am trying; i'm trying to; i tried;
        i have tried; i've tried; i'm working on; i am working on; i'd like to;
        i would like to; is there a way; is there any way; how can i; how do i;
        how to do this; here is my; here's my; my code; my app; my application; my project;
        i have the following; i wrote; i created; any help; any ideas; any suggestions;
        what is the best way; best practice; thanks in advance; ubuntu; visual studio;
        我在用; 我试过; 如何在; 有没有办法; 怎么在; 私は; 試しました; 使って; 사용하고 있;
        하고 싶; estoy usando; estoy tratando; cómo puedo; he intentado; j'utilise;
        j'essaie; je veux; comment puis je; j'ai essayé; ich benutze; ich verwende;
        ich versuche; ich möchte; wie kann ich; я использую; я пытаюсь; я хочу; как мне;
        как я могу; estou usando; sto usando; come posso""",
    ),
    CueGroup(
        "edit_session",
        "a person works on their own files with the model",
        ("ordinary",),
        """these files; files to the chat; added these files; make the change;
        make the changes; add a test; add tests; refactor; the diff; commit; commit message;
        git; search replace; search replace block; existing conventions; linter; lint;
        docstring; readme; dockerfile; 这个文件; 修改文件; 提交; 重命名; ファイルを;
        リファクタ; 파일을; 커밋; este archivo; el archivo; ce fichier; le fichier;
        diese datei; die datei; этот файл; файле; файлы; este arquivo; questo file""",
    ),
    # Plain instructions.
    CueGroup(
        "instruction_wrapper",
        "wraps a task in an instruction and response form",
        ("instruction",),
        """describes a task; instruction that describes; below is an instruction;
        below is a task; paired with an input; provides further context;
        completes the request; appropriately completes; write a response;
        following instruction; follow the instruction; follow the instructions;
        instruction input; instruction response; input response;
        response to the instruction; respond to the instruction;
        complete the following task; execute the instruction; 下面的指令; 描述任务;
        完成请求; 根据指令; 按照指令; 以下の指示; 指示に従; 다음 지시; 지시에 따라;
        siguiente instrucción; sigue la instrucción; instrucción que describe;
        instruction suivante; suis l'instruction; folgende anweisung; folgenden anweisung;
        anweisung die; следующую инструкцию; выполни инструкцию; инструкция;
        seguinte instrução; seguente istruzione""",
    ),
    CueGroup(
        "imperative_create",
        "orders a short made-up product without saying what for",
        ("instruction",),
        """generate a; generate an; create a; create a list; make a list; come up with a;
        compose a; design a; develop a; devise; invent; suggest a; suggest an; propose a;
        produce a; brainstorm; write a sentence; write a short; write a brief;
        write a description; write a paragraph; list three; list five; name three;
        name five; give an example; give examples; provide an example; 创建一个; 生成一个;
        设计一个; 写一个; 举例; 举一个例子; 编写一个; 提供一个; を作成; を生成; 例を挙げ;
        만들어; 생성하; 나열하; genera un; genera una; crea un; crea una; diseña un;
        enumera; da un ejemplo; propón; génère un; génère une; crée un; crée une;
        donne un exemple; énumère; propose un; erstelle ein; erstelle eine; erstelle einen;
        nenne drei; entwirf; gib ein beispiel; создай; придумай; составь; сгенерируй;
        приведи пример; перечисли; crie um; crie uma; crea un elenco""",
    ),
    CueGroup(
        "imperative_transform",
        "orders a small operation on a given sentence or list",
        ("instruction",),
        """following sentence; following sentences; this sentence; given sentence;
        following paragraph; following words; following word; following list; given word;
        given text; following phrase; following statement; rewrite the sentence;
        rewrite the following; rewrite this; edit the following; rearrange; reorder;
        sort the; transform the; complete the sentence; classify the following;
        categorize the; determine whether; compare and contrast; analyze the; describe how;
        explain how; explain why; explain the concept; edit this; count the number; synonym;
        synonyms; antonym; 以下句子; 这个句子; 给定的; 将以下; 把下面; 根据给定; 分析; 解释;
        描述; 替换; 同义词; 比较以下; 次の文; 以下の文; 다음 문장; 설명하; 분석하;
        siguiente oración; la siguiente frase; describe; explica; sinónimos;
        phrase suivante; décris; expliquez; synonymes; folgenden satz; beschreibe; erkläre;
        synonyme; следующее предложение; опиши; объясни; синонимы; seguinte frase;
        seguente frase""",
    ),
    CueGroup(
        "trivia_question",
        "asks a plain question of general knowledge",
        ("ordinary",),
        """what is the; what are the; what are some; what was; who is; who was; who were;
        when did; where did; how do you; how many people; why is; why are; why do; why did;
        what does; what happens; what type of; what kind of; tell me about; define the;
        define; what's the; 什么是; 是什么; 为什么; 谁是; 如何; 哪些; 有哪些; 怎么样; とは;
        ですか; なぜ; 무엇인가; 무엇입니까; 왜; qué es; cuál es; cuáles son; por qué; quién;
        qué son; qu'est ce que; quel est; quelle est; quels sont; pourquoi; was ist;
        was sind; wer ist; warum; wie funktioniert; что такое; кто такой; почему; какие;
        каковы; o que é; quais são; che cos'è; quali sono""",
    ),
    # Role play.
    CueGroup(
        "act_as",
        "gives the model a role to play",
        ("roleplay",),
        """act as; acting as; i want you to act; i will provide you with; my first request;
        pretend to be; pretend you are; pretend that you; play the role; role play;
        roleplay; role-playing; take on the role; assume the role; imagine you are;
        you will play; answer like; respond like; speak like; you are now; from now on you;
        adopt the persona; 扮演; 充当; 假装你是; 你现在是; 想象你是; 角色扮演; 我想让你;
        演じて; なりきって; 振る舞; 역할을 해; 처럼 행동; 역할극; actúa como; haz de cuenta;
        interpreta el papel; imagina que eres; agis comme; agissez en tant que;
        fais semblant; joue le rôle; imagine que tu; handle als; verhalte dich wie;
        spiele die rolle; stell dir vor; tu so als; действуй как; веди себя как;
        представь что ты; сыграй роль; притворись; finja ser; aja como; agisci come;
        fai finta""",
    ),
    CueGroup(
        "stay_in_character",
        "asks for a character's voice, traits and scenes",
        ("roleplay",),
        """in character; stay in character; break character; never break character;
        out of character; the character; main character; protagonist; personality traits;
        tone manner; tone and manner; speaking style; tone of voice; catchphrase; backstory;
        storyline; monologue; inner thoughts; immersive; as if you were;
        do not mention that; not as an ai; in the first person; 角色的; 人物设定; 性格;
        语气; 口吻; 场景; 背景故事; 台词; 跳出角色; キャラク; 口調; 性格と; 캐릭터; 말투;
        성격; personaje; personalidad; escena; personnage; personnalité; scène; réplique;
        charakter; figur; persönlichkeit; szene; персонаж; персонажа; характер; сцена;
        сцены; реплика; personagem; personaggio""",
    ),
    # Forbidden topics.
    CueGroup(
        "repression_topic",
        "asks about repression, censorship and politics that some governments forbid",
        ("censorship_rewrite",),
        """censorship; censored; censor; censoring; dissident; dissidents; crackdown;
        crackdowns; human rights; political prisoners; political prisoner;
        political dissent; activists; pro-democracy; authoritarian; authoritarianism;
        totalitarian; dictator; dictatorship; regime; propaganda; mass surveillance;
        surveillance state; state media; ruling party; party leaders; communist party;
        massacre; protesters; persecution; persecuted; oppression; repression;
        ethnic minorities; separatism; independence movement; genocide; detention;
        internment camps; forced labor; secret police; freedom of speech; free speech;
        press freedom; corruption scandal; coup; banned books; whistleblower; re-education;
        taboo; 审查; 言论自由; 人权; 异见人士; 镇压; 独裁; 专制; 政治犯; 抗议; 屠杀; 迫害;
        集中营; 维权; 腐败; 新闻自由; 敏感话题; 統制; 検閲; 人権; 弾圧; 独裁者; 검열; 인권;
        탄압; 독재; censura; derechos humanos; disidentes; dictadura; represión; régimen;
        censure; droits de l'homme; dissidents politiques; dictature; répression; régime;
        zensur; menschenrechte; dissidenten; diktatur; unterdrückung; цензура; цензуры;
        права человека; диссиденты; диктатура; репрессии; режим; direitos humanos; ditadura;
        diritti umani; حقوق الإنسان; الرقابة""",
    ),
    CueGroup(
        "rewrite_safe",
        "asks to rewrite an answer or question so that nothing objectionable is left",
        ("censorship_rewrite",),
        """harmful content; any harmful; all harmful; harmful unethical; unethical; racist;
        sexist; toxic; dangerous or illegal; socially biased; harmless; less harmful;
        safe response; safer; more ethical; ethical and moral; politically sensitive;
        sensitive content; sensitive topic; sensitive topics; sensitive words;
        inappropriate; neutral version; in a neutral; softer; soften; tone down;
        acceptable version; comply with regulations; objectionable; offensive;
        refuse to answer; politely decline; redirect the conversation; 有害; 敏感词;
        敏感内容; 合规; 政治敏感; 改写为安全; 不当内容; 婉拒; 有害な; 不適切; 유해한;
        부적절한; contenido dañino; dañino; inapropiado; versión neutral; contenu nuisible;
        nuisible; inapproprié; politiquement sensible; schädliche; schädlich; unangemessen;
        politisch heikel; вредный; вредного; неприемлемый; безопасную версию;
        политически чувствительные; conteúdo prejudicial; contenuto dannoso""",
    ),
    # Ordinary use.
    CueGroup(
        "greeting",
        "a person greets, thanks or says please",
        ("ordinary",),
        """hello; hey; good morning; good evening; thanks; thank you; thx; please help;
        can you please; could you please; can you help; could you help; would you please;
        你好; 您好; 谢谢; 请帮我; 请问; 早上好; こんにちは; ありがとう; お願い; 안녕하세요;
        감사합니다; 고마워; hola; gracias; por favor; buenos días; bonjour; salut; merci;
        s'il vous plaît; s'il te plaît; hallo; danke; bitte; guten tag; guten morgen;
        привет; здравствуйте; спасибо; пожалуйста; olá; obrigado; obrigada; ciao; grazie;
        per favore; merhaba; cześć; dziękuję; مرحبا; شكرا; xin chào; terima kasih; สวัส;
        नमस्ते; धन्यवाद""",
    ),
    CueGroup(
        "personal_matter",
        "a person speaks of their own life or work",
        ("ordinary",),
        """my boss; my wife; my husband; my friend; my friends; my girlfriend; my boyfriend;
        my mom; my mother; my father; my dad; my son; my daughter; my kids; my child;
        my family; my team; my company; my business; my job; my manager; my school;
        my class; my teacher; my professor; my thesis; my essay; my resume; my cv; my car;
        my dog; my cat; my house; my phone; my computer; my birthday; my order; my account;
        my flight; my reservation; i feel; i'm feeling; i need to; i need help; help me;
        i have a; i am a; i'm a; should i; i live in; i don't know; i don't understand;
        our company; our team; 帮我; 我该; 我应该; 教えて; 제가; 도와주세요; 저는; mi jefe;
        mi trabajo; mi familia; ayúdame; necesito; mi empresa; mon travail; ma famille;
        aide moi; aidez moi; j'ai besoin; mein chef; meine familie; meine arbeit; hilf mir;
        ich brauche; мне нужно; помоги мне; помогите; me ajude; aiutami; ho bisogno""",
    ),
    CueGroup(
        "write_for_me",
        "asks for a letter, post, essay, poem or story",
        ("ordinary",),
        """write an email; write a letter; write a reply; reply to this email; draft an email;
        draft a; cover letter; write a blog; blog post; write an article; write an essay;
        essay on; essay about; write a poem; a poem about; write a song; write a story;
        a story about; short story; write a speech; write a review; write a script for;
        write a tweet; linkedin; product description; lyrics; haiku; make it shorter;
        proofread; improve this; write about; 写一封; 写一篇; 写一首; 写一个故事; 作文;
        メールを書; 文章を書; 記事を; 이메일을; 글을 써; escribe un correo;
        escribe una carta; escribe un poema; escribe un ensayo; escribe una historia;
        écris un mail; écris une lettre; écris un poème; rédige un; rédigez un;
        écris une histoire; schreibe eine e-mail; schreibe einen brief;
        schreibe ein gedicht; schreibe einen aufsatz; schreibe eine geschichte;
        напиши письмо; напиши эссе; напиши стихотворение; напиши рассказ; напиши статью;
        напиши текст; escreva um e-mail; escreva um texto; scrivi una lettera; scrivi un""",
    ),
    CueGroup(
        "recommend_plan",
        "asks for advice, a plan or a recommendation",
        ("ordinary",),
        """recommend; recommendations; any tips; tips for; tips on; plan a trip; itinerary;
        recipe; recipes; workout; lose weight; vacation; restaurant; restaurants;
        how to learn; 推荐; 旅游; 食谱; 攻略; おすすめ; レシピ; 추천; recomienda; receta;
        consejos; recommande; recette; conseils; empfiehl; rezept; tipps; посоветуй; рецепт;
        путешествие; receita; ricetta""",
    ),
    CueGroup(
        "summarise",
        "asks for a summary",
        ("ordinary",),
        """summarize; summarise; summarize the; summary of; a summary; summaries;
        summarization; tldr; tl dr; key points; main points; key takeaways; takeaways;
        main idea; in a few sentences; in one sentence; executive summary; title for;
        meeting notes; 总结; 概括; 摘要; 概述; 要点; 要約; まとめて; 요약; resumen; resumir;
        résume; résumé; résumez; fasse zusammen; zusammenfassung; zusammenfassen; подытожь;
        краткое содержание; резюмируй; суммаризируй; resuma; resumo; riassumi; riassunto;
        özetle; streść; تلخيص""",
    ),
    CueGroup(
        "translate",
        "asks for a translation",
        ("ordinary",),
        """translate; translation; translate to; translate this; translate the following;
        translate into; how do you say; phrase; 翻译; 翻译成; 译成; 翻訳; 訳して; 번역;
        traduce; traducir; traducción; traduis; traduire; traduisez; traduction; übersetze;
        übersetzen; übersetzung; переведи; переведите; перевод; traduza; tradução; traduci;
        traduzione; çevir; przetłumacz; přelož; переклади; ترجم; dịch sang; terjemahkan;
        अनुवाद""",
    ),
    CueGroup(
        "classify_into",
        "asks to sort a text into given categories",
        ("ordinary",),
        """following categories; one of the categories; categories; predefined categories;
        classify; classify the text; classify this; classify the sentiment; classifier;
        labeled; sentiment; positive or negative; positive negative; negative or positive;
        negative neutral; spam; about which topic; which topic; customer inquiry;
        customer intent; support ticket; block or allow; block allow; block category;
        moderation; content moderation; which category; belongs to; 分类; 类别; 以下类别;
        情感; 正面; 标签; 分類; カテゴリ; 感情分析; 분류; 카테고리; 감정; clasifica;
        siguientes categorías; sentimiento; classez; catégories suivantes; catégorie;
        klassifiziere; folgenden kategorien; kategorie; классифицируй; категории; категорию;
        тональность; classifique; classifica""",
    ),
    CueGroup(
        "answer_from_text",
        "asks to answer from a supplied text",
        ("ordinary",),
        """based on the context; following context; given context; the context;
        pieces of context; context below; context information; provided context;
        the passage; passage; following passage; given passage; read the following;
        following article; following text; following document; the document; search results;
        retrieved; knowledge base; citations; extracted parts; just say;
        don't know the answer; don't make up; do not make up; cannot answer; unanswerable;
        using only the; reading comprehension; 根据上下文; 以下文章; 根据文章; 以下内容;
        参考资料; 文脈; 次の文章; 以下の文章; 다음 글; 문맥; siguiente texto; el contexto;
        siguiente contexto; según el texto; el pasaje; texte suivant; le contexte;
        contexte suivant; selon le texte; le passage; folgenden text; folgender text;
        der kontext; laut dem text; следующий текст; согласно тексту; seguinte texto;
        seguente testo; contesto""",
    ),
    CueGroup(
        "multiple_choice",
        "offers choices to pick from",
        ("ordinary",),
        """multiple choice; multiple-choice; answer choices; choose the correct;
        choose the most; choose one; choose between; select one; which of the following;
        true or false; yes or no; true false; none of the above; all of the above;
        answer with only; single letter; the correct option; a b c d; a b c; pick one;
        the following options; 单选题; 选择题; 单项选择; 选择正确; 以下哪; 对或错; 選択肢;
        次のうち; 선택지; 다음 중; opción múltiple; cuál de los siguientes;
        verdadero o falso; sí o no; choix multiple; lequel des; laquelle des; vrai ou faux;
        oui ou non; welche der folgenden; welches der folgenden; richtig oder falsch;
        ja oder nein; какой из следующих; какое из; верно или неверно; да или нет;
        verdadeiro ou falso; qual dos; vero o falso""",
    ),
    CueGroup(
        "worked_examples",
        "shows solved examples before the question",
        ("ordinary",),
        """here are some examples; here are a few; here is an example; here's an example;
        example 1; example input; example output; few examples; question answer;
        answer question; answer the following; answer the questions; questions with answers;
        the following are; q a; q and a; a the answer; the answer is; there are originally;
        started with; 示例; 答案是; 问题答案; 回答以下; la respuesta es; responde a;
        la réponse est; répondez à; die antwort ist; beantworte; ответ; ответьте на""",
    ),
    CueGroup(
        "json_output",
        "prescribes a machine-readable answer",
        ("ordinary",),
        """json; valid json; json format; json object; in json; json mode; json array;
        output format; response format; following format; exactly this format;
        in this format; must be formatted; return only; output only; respond only;
        only output; nothing else; no explanation; no other text; do not output; 输出格式;
        只输出; 仅输出; 形式で; 出力形式; のみ出力; 형식으로; 출력 형식; formato json;
        siguiente formato; solo responde; devuelve solo; format json; format suivant;
        réponds uniquement; im json; folgendem format; antworte nur; nur mit;
        следующем формате; выведи только; только ответ; no formato; nel formato""",
    ),
    CueGroup(
        "app_prompt",
        "is an application's own standing prompt",
        ("ordinary",),
        """bullet points; output section; output sections; output instructions;
        identity and purpose; your purpose; you are an expert; chatbot; virtual assistant;
        customer service; assist users; assisting users; help users; respond to users;
        take a deep breath; extract the; do not give; warnings or notes; summary section;
        tagline; 客服; 助手; 提取; 简洁; シスタント; extrae; extrais; extrahiere;
        ты эксперт; вы эксперт; ты помощник; извлеки""",
    ),
    CueGroup(
        "service_desk",
        "is a service conversation under a company's policy",
        ("ordinary",),
        """customer; customers; customer support; refund; refunds; reservation; booking;
        cancel; flight; baggage; order id; user id; user_id; order status; invoice;
        payment method; return policy; human agent; transfer to a human;
        explicit user confirmation; gift card; account number; subscription; billing; 退款;
        订单; 预订; 取消; 发票; 航班; 返金; 注文; 予約; 환불; 주문; 예약; reembolso; pedido;
        reserva; factura; remboursement; commande; réservation; facture; rückerstattung;
        bestellung; buchung; kunden; rechnung; возврат; заказ; бронирование; счет;
        reembolso do; rimborso; prenotazione""",
    ),
    CueGroup(
        "chat_memory",
        "carries a running conversation or its memory",
        ("ordinary",),
        """conversation history; chat history; previous conversation; current conversation;
        following conversation; conversation so far; previous messages;
        lines of conversation; current summary; new summary; follow up question; follow up;
        standalone question; rephrase the follow; friendly conversation; final answer from;
        existing answer; existing summary; 对话历史; 聊天记录; 上一轮; 会話履歴; 대화 기록;
        historial de; conversación anterior; historique de la; conversation précédente;
        gesprächsverlauf; bisherige gespräch; история диалога; история переписки;
        предыдущий разговор; histórico da conversa; cronologia della""",
    ),
)
"""The groups; the position of a group is its bit."""


def _normalised(phrase: str) -> tuple[bytes, ...]:
    return tuple(reference_tokens(phrase.encode()))


@functools.cache
def phrase_table() -> list[tuple[tuple[bytes, ...], int]]:
    """Return every phrase with its group's bit.

    Returns:
        Pairs of normalised tokens (1 to ``MAX_PHRASE_TOKENS`` of them) and bit (0 to
        ``MAX_GROUPS`` - 1), each pair once, sorted. A phrase may stand in several groups.
    """
    pairs = {
        (_normalised(phrase), bit)
        for bit, group in enumerate(CUE_GROUPS)
        for phrase in group.phrases.split(";")
    }
    return sorted(pairs)


@functools.cache
def _by_first_token() -> dict[bytes, list[tuple[tuple[bytes, ...], int]]]:
    index: dict[bytes, list[tuple[tuple[bytes, ...], int]]] = {}
    for phrase, bit in phrase_table():
        index.setdefault(phrase[0], []).append((phrase[1:], 1 << bit))
    return index


def reference_cues(tokens: Sequence[bytes]) -> int:
    """Return the bit mask of the groups seen in ``tokens``, the slow and obvious way.

    The compiled kernel is tested against it. System and prompt are looked at apart: take the union
    of the two masks, so that no phrase is made by the end of one and the start of the other.

    Args:
        tokens: normalised tokens of one text.

    Returns:
        Mask; bit ``i`` is set when group ``i`` of ``CUE_GROUPS`` was seen.
    """
    index = _by_first_token()
    window = list(tokens)
    mask = 0
    for position, token in enumerate(window):
        for rest, flag in index.get(token, ()):
            if tuple(window[position + 1 : position + 1 + len(rest)]) == rest:
                mask |= flag
    return mask


def cue_names(mask: int) -> list[str]:
    """Return the names of the groups in ``mask``, in order of their bits."""
    return [group.name for bit, group in enumerate(CUE_GROUPS) if mask >> bit & 1]
