"""What people write: subjects and first messages by the kind of request, and answers for every turn of a story."""

SUBJECTS: dict[str, tuple[str, ...]] = {
    "question": (
        "How do I {verb} in {module}?",
        "{module}: where do I find {thing}?",
        "Can I share {thing} with a client?",
        "Question about {thing} in {module}",
    ),
    "bug": (
        "{module}: {thing} does not save",
        "{module} shows an error when I open {thing}",
        "Totals are wrong in {module}",
        "Cannot {verb} in {module} since this morning",
        "{thing} disappears from {module} after a refresh",
    ),
    "billing": (
        "Charged twice this month",
        "Please send the invoice to our new address",
        "We want to change our plan",
        "Card was declined but the money is gone",
    ),
    "feature_request": (
        "Export {thing} from {module} to Excel",
        "Please let us {verb} for several projects at once",
        "Dark mode for {module}",
    ),
    "platform_issue": (
        "{module} is very slow today",
        "{module} does not load for the whole team",
        "Nobody here can log in",
        "Error 500 in {module}",
    ),
    "security": ("Somebody signed in from a country we do not know", "Former colleague still has access"),
}

OPENINGS = (
    "Hello,\n\n{subject}. It worked last week. We use the newest version of the browser.\n\nThank you\n{name}",
    "Hi team,\n\n{subject}. This holds up our work on two projects, so a quick answer would help.\n\n{name}, {company}",
    "{subject}.\n\nI tried to sign out and in again, and another browser. Same result.\n\n{name}",
    "Good day,\n\nplease help: {subject}.\n\nRegards\n{name}\n{company}",
)

VERBS = ("copy an estimate", "add a subcontractor", "change the tax rate", "print a schedule", "move a milestone")
THINGS = ("the price list", "my template", "the cost report", "the change order", "the photo log", "the invoice draft")

FIRST_REPLIES = (
    "Hello {name},\n\nthank you for writing. I am looking into this now and will come back to you.\n\n{agent}",
    "Hi {name},\n\ncould you send the address of the page and about when it happened? Then I can find it in our logs."
    "\n\n{agent}",
    "Hi {name},\n\nI can see it here, too. Our engineers have it, and I keep you posted.\n\n{agent}",
)
NOTES = (
    "Seen this with another company last week, probably the same cause.",
    "Reproduced on the test account. Passing on.",
    "Customer called, is fine with waiting until tomorrow.",
)
ANSWERS = (
    "It happened again just now, about ten minutes ago.",
    "Here is what you asked for: it is the second project in the list.",
    "Any news? We have a deadline on Friday.",
)
SOLUTIONS = (
    "Hello {name},\n\nthis is fixed now. Please reload the page once.\n\n{agent}",
    "Hi {name},\n\nyou find it under Settings, third tab. I added a link to the guide.\n\n{agent}",
    "Hi {name},\n\nwe corrected your account; the next invoice will be right.\n\n{agent}",
)
REOPENINGS = (
    "Sorry, the problem is back.",
    "That helped for one project, but not for the others.",
    "I still see the old numbers.",
)
SPAM = ("Best roof coating, prices cut by 70 %", "Your website could rank first", "Final notice: claim your reward")


def subjects(kind: str) -> tuple[str, ...]:
    """Subjects for a kind of request; kinds nobody thought of get the questions."""
    return SUBJECTS.get(kind, SUBJECTS["question"])
