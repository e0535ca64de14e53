"""What is answered to a question (M67, M68)."""

import re

from questions import Items, answers_of, first_responses, surveyed
from samples import rate
from store import View, about_content, parents_of


def distractors(view):
    """M67 and M68: a row per option, per set of several, and per other response."""
    item = view.params["content"]
    answers = {i: mine for i, mine in answers_of(view).items() if i == item}
    first = first_responses(view, answers).get(item) or surveyed(view, answers.get(item, []))
    if not first:
        return {}
    definition = about_content(view.store)[item][-1].definition
    kind, patterns = definition.get("interactionType"), definition.get("correctResponsesPattern", [])
    matters = any("{case_matters=true}" in text for text in [*patterns, *(e.result.get("response", "") for e in first.values())])
    options = [o["id"] for o in definition.get("choices", definition.get("scale", []))]
    given = {learner: chosen_options(normal(e.result["response"], kind, matters), kind) for learner, e in first.items() if "response" in e.result}
    right = {option for pattern in patterns for option in chosen_options(normal(pattern, kind, matters), kind)}

    weakest = best = []
    wide = View(view.store, {k: v for k, v in view.params.items() if k != "content"})
    parents = parents_of(wide)
    items = Items({i: mine for i, mine in first_responses(wide, answers_of(wide)).items() if mine and parents.get(i) == parents.get(item)})
    if item in items.scores and len(items.scores) > 1:
        weakest, best = items.ends(item)
    rows = {}
    for option in {*options, *(o for chosen in given.values() for o in chosen)}:
        count = sum(option in chosen for chosen in given.values())
        top, bottom = (sum(option in given.get(learner, ()) for learner in end) for end in (best, weakest))
        rows[option] = {"responses": count, **rate("share", count, len(first)), **rate("top", top, len(best)), **rate("bottom", bottom, len(weakest))}
        keyed = option in right or (kind == "numeric" and any(in_bounds(option, pattern) for pattern in patterns))
        rows[option]["key"] = "key" if keyed else ""
        flags = ["unused"] * (count < 0.05 * len(first)) + ["attracts strong learners"] * (bool(right) and not keyed and top > bottom)
        rows[option]["flags"] = ", ".join(flags)
    return rows


def normal(text, kind, matters):
    """A response or pattern of M67 without what stands before it."""
    text = re.sub(r"^(\{(case_matters|order_matters)=(true|false)\})+", "", text)
    parts = [re.sub(r"^\{lang=[^}]*\}", "", part) for part in text.split("[,]")]
    if kind in ("fill-in", "long-fill-in"):
        parts = [part.strip() if matters else part.strip().lower() for part in parts]
    return "[,]".join(parts)


def in_bounds(response, pattern):
    """Whether a number is the key min[:]max of a numeric item."""
    low, _, high = pattern.partition("[:]")
    return float(low or "-inf") <= float(response) <= float(high or "inf")


def chosen_options(response, kind):
    """The rows that a response belongs to: of a choice each option and, if they are several, the exact set."""
    options = response.split("[,]")
    return {*options, "[,]".join(sorted(options))} if kind == "choice" and len(options) > 1 else {response}
