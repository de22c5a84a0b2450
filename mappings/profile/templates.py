"""Reply texts: each that a rule names is there in each language, and uses only placeholders that we can fill.

A text holds words, `{{ placeholder }}` and `{% if placeholder %} … {% endif %}`, and nothing else.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import jinja2
from jinja2 import nodes

from mappings.profile.findings import Finding
from mappings.profile.problems import Problem, suggest
from mappings.profile.profile import Profile
from mappings.profile.reading import Source
from mappings.replies import FALLBACK, POLITE

PLACEHOLDERS = {
    "name": "the reader's first name; in English 'there' where it is not known, elsewhere left out",
    "ticket": "the ticket's number",
    "expected": "when an answer is due, in the office's time; left out where none is promised",
    "organisation": "the name of the support organisation",
    "plans": "the plans that have the channel asked for",
    "contact": "the company's own support contact",
    "opening": "when the ticket is served next, where no answer is promised by a time",
    "emergency": "words in a new message's subject that make it the worst severity, the first of its signs",
    "status_page": "the address of the status page",
    "until": "the last day of a restriction, where the company has one",
    # what an agent writes; no rule fills these: a stranger's own words would be mailed on in our name
    "issue": "what it is about, in a few words",
    "found": "what we have found out so far",
    "workaround": "what helps until it is solved",
    "questions": "what we still have to know",
    "next_step": "what we do next",
    "steps": "how it is done, step by step",
    "done": "what was done",
    "verify": "how the reader sees that it works",
    "tried": "what we have tried",
    "article": "the address of an article of the help centre",
    "survey": "the address of the survey",
    # of other parts
    "request": "the title of a feature request",
    "request_status": "where a feature request stands",
    "request_link": "the address of a feature request",
}
"""Every placeholder there is. `ticket` and `organisation` are always filled; the others stand in `{% if … %}`."""

_ALWAYS = frozenset({"ticket", "organisation"})
_WORDS = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.If, nodes.Test, nodes.And)
_PARSER = jinja2.Environment(autoescape=False)
_FORMS = "write placeholders as {{ name }} and conditions as {% if expected %} … {% endif %}"


def check_replies(profile: Profile, templates: Iterable[Source]) -> Iterator[Finding]:
    """Every `reply` whose text is missing, in English or in a language that the profile answers in."""
    there = {(_language(source), _name(source)) for source in templates}
    names = sorted({name for _, name in there})
    languages = dict.fromkeys((FALLBACK, *profile.help.languages))
    for path, name in _replies(profile):
        if name not in names:
            yield Finding(path, f"no reply text {name!r}", suggest(name, names))
            continue
        for language in languages:
            if (language, name) not in there:
                fix = f"add templates/{language}/{name}.md"
                yield Finding(path, f"no reply text {name!r} in language {language!r}", fix)


def check_texts(templates: Sequence[Source]) -> Iterator[Problem]:
    """Every text that cannot be filled (broken syntax, an unknown placeholder, one that is not always there), and
    every one that lacks a language that others are written in.
    """
    for source in templates:
        try:
            tree = _PARSER.parse(source.text)
        except jinja2.TemplateSyntaxError as wrong:
            yield Problem(source.name, wrong.lineno, "text", _syntax(wrong.message or "cannot be read"), _FORMS)
            continue
        strange = next((node for node in tree.find_all(nodes.Node) if not isinstance(node, _WORDS)), None)
        if strange is not None:
            said = f"{type(strange).__name__.lower()!r} is more than a text may do"
            yield Problem(source.name, strange.lineno, "text", said, _FORMS)
        else:
            yield from _placeholders(source, tree)
    yield from _untranslated(templates)


def _syntax(message: str) -> str:
    """What jinja2 says of a text, short: its first sentence, and which block is still open."""
    says = message.partition(". ")[0].removesuffix(".")
    unclosed = re.search(r"needs to be closed is ('\w+')", message)
    return says[:1].lower() + says[1:] + (f", {unclosed[1]} is not closed" if unclosed else "")


def _untranslated(templates: Sequence[Source]) -> Iterator[Problem]:
    """Texts in one language only, where others have more; and those without English, to which all fall back."""
    written: dict[str, dict[str, Source]] = {}
    for source in templates:
        written.setdefault(_name(source), {})[_language(source)] = source
    languages = Counter(_language(source) for source in templates)
    for name, found in written.items():
        if FALLBACK in found and (len(found) > 1 or len(languages) == 1):
            continue
        first = next(iter(found))
        lacks = FALLBACK if FALLBACK not in found else next(one for one, _ in languages.most_common() if one != first)
        said = f"there is no such text in language {lacks!r}"
        yield Problem(found[first].name, 1, name, said, f"add templates/{lacks}/{name}.md")


def _placeholders(source: Source, tree: nodes.Template) -> Iterator[Problem]:
    """Each placeholder's first mistake in a text."""
    filled = _ALWAYS | POLITE.get(_language(source), {}).keys()
    told: set[str] = set()
    for name, line, asked in _uses(tree, frozenset()):
        if name in told:
            continue
        if name not in PLACEHOLDERS:
            told.add(name)
            yield Problem(source.name, line, name, "unknown placeholder", suggest(name, PLACEHOLDERS))
        elif not asked and name not in filled:
            told.add(name)
            fix = f"write {{% if {name} %}} … {{% endif %}} around it"
            yield Problem(source.name, line, name, "not always filled", fix)


def _uses(node: nodes.Node, asked: frozenset[str]) -> Iterator[tuple[str, int, bool]]:
    """Every placeholder under a node: (name, line, whether it is only used where it has a value)."""
    if isinstance(node, nodes.Name):
        yield node.name, node.lineno, node.name in asked
    elif isinstance(node, nodes.If):
        names = _asked(node.test)
        yield from ((name, node.lineno, True) for name in names)
        for below in node.body:
            yield from _uses(below, asked | names)
        for below in [*node.elif_, *node.else_]:
            yield from _uses(below, asked)
    else:
        for below in node.iter_child_nodes():
            yield from _uses(below, asked)


def _asked(test: nodes.Node) -> frozenset[str]:
    """The placeholders that a condition asks for: all of them have a value where it holds."""
    return frozenset(name.name for name in [test, *test.find_all(nodes.Name)] if isinstance(name, nodes.Name))


def _replies(profile: Profile) -> Iterator[tuple[tuple[str | int, ...], str]]:
    places = [(("rules", name, "do"), rule.do) for name, rule in profile.rules.items()]
    places += [(("targets", name, "late"), target.late) for name, target in profile.targets.items()]
    yield ("triage", "confirm", "reply"), profile.triage.confirm.reply
    places += [(("outage", "enter"), profile.outage.enter), (("outage", "leave"), profile.outage.leave)]  # type: ignore[list-item]
    for path, dos in places:
        for index, do in enumerate(dos):
            if do.verb == "reply":
                yield (*path, index), str(do.argument)


def _name(source: Source) -> str:
    return _parts(source)[-1].removesuffix(".md")


def _language(source: Source) -> str:
    return _parts(source)[-2]


def _parts(source: Source) -> list[str]:
    """The end of `…/templates/<language>/<name>.md`."""
    return ["", *source.name.replace("\\", "/").split("/")]
