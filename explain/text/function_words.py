"""English function words that lead a phrase: articles, prepositions, conjunctions, auxiliary verbs.

In English such a word stands before what it belongs to: "in Paris", "was born", "and its cast". So a phrase that ends
with one is cut off. The shipped models read English; in a text without these words nothing is led.

Left out on purpose: negations ("not", "no", "never"), which act on a decision as words of their own; pronouns, which
stand alone ("I loved it"); particles that end a phrase as often ("up", "out", "off", "over").
"""

_ARTICLES = "a an the this that these those my your his its our their every each some any"  # and other determiners
_PREPOSITIONS = (
    "of in on at by for with without from to into onto upon about against among between through during toward towards "
    "despite like than as per via"
)
_CONJUNCTIONS = (  # and pronouns that open a clause
    "and or but nor if because while although though unless whether when where who which whose"
)
_AUXILIARIES = (
    "am is are was were be been being has have had do does did will would can could may might must shall should"
)

LEADING_WORDS = frozenset(f"{_ARTICLES} {_PREPOSITIONS} {_CONJUNCTIONS} {_AUXILIARIES}".split())
