"""Reply texts: each that a rule names is there in each language, and uses only placeholders that we can fill."""

from collections.abc import Iterable, Iterator

import jinja2
from jinja2 import meta, nodes

from mappings.profile.findings import Finding
from mappings.profile.problems import Problem, suggest
from mappings.profile.profile import Profile
from mappings.profile.reading import Source

PLACEHOLDERS = {
    "name": "the reader's first name; 'there' where it is not known",
    "ticket": "the ticket's number",
    "expected": "when an answer is due, in the office's time; empty where none is promised",
    "organisation": "the name of the support organisation",
    "plans": "the plans that have the channel asked for",
    "contact": "the company's own support contact",
    "status_page": "the address of the status page",
}
"""Every placeholder there is. The first four are always filled; the others must stand in `{% if … is defined %}`."""

_ALWAYS = frozenset({"name", "ticket", "expected", "organisation"})
_FALLBACK = "en"
_PARSER = jinja2.Environment(autoescape=False)


def check_replies(profile: Profile, templates: Iterable[Source]) -> Iterator[Finding]:
    """Every `reply` whose text is missing, in English or in a language that the profile answers in."""
    there = {(_language(source), _name(source)) for source in templates}
    names = sorted({name for _, name in there})
    languages = dict.fromkeys((_FALLBACK, *profile.help.languages))
    for path, name in _replies(profile):
        if name not in names:
            yield Finding(path, f"no reply text {name!r}", suggest(name, names))
            continue
        for language in languages:
            if (language, name) not in there:
                fix = f"add templates/{language}/{name}.md"
                yield Finding(path, f"no reply text {name!r} in language {language!r}", fix)


def check_texts(templates: Iterable[Source]) -> Iterator[Problem]:
    """Every text that cannot be filled: broken syntax, an unknown placeholder, one that is not always there."""
    for source in templates:
        try:
            tree = _PARSER.parse(source.text)
        except jinja2.TemplateSyntaxError as wrong:
            fix = "write placeholders as {{ name }} and conditions as {% if expected %} … {% endif %}"
            yield Problem(source.name, wrong.lineno, "text", wrong.message or "cannot be read", fix)
            continue
        yield from _placeholders(source, tree)


def _placeholders(source: Source, tree: nodes.Template) -> Iterator[Problem]:
    used = meta.find_undeclared_variables(tree)
    guarded = {
        test.node.name
        for test in tree.find_all(nodes.Test)
        if test.name == "defined" and isinstance(test.node, nodes.Name)
    }
    lines = {node.name: node.lineno for node in reversed(list(tree.find_all(nodes.Name)))}
    for name in sorted(used):
        if name not in PLACEHOLDERS:
            yield Problem(source.name, lines[name], name, "unknown placeholder", suggest(name, PLACEHOLDERS))
        elif name not in _ALWAYS | guarded:
            fix = f"write {{% if {name} is defined %}} … {{% endif %}} around it"
            yield Problem(source.name, lines[name], name, "not always filled", fix)


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
