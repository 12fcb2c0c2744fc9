"""Method tests: metrics of faithfulness of one method's attribution."""

from dataclasses import dataclass
from typing import ClassVar

from explain.analyses.base import ANALYSES, METHOD, ExplainedText, TextAnalysis
from explain.core.meter import Meter
from explain.core.settings import Codec, setting
from explain.datatypes import Attribution, TestResults
from explain.methods.base import Method
from explain.metrics.base import Trial, TrialSettings
from explain.models.base import TextModel

TESTS = Codec(
    expected="settings of tests: metrics, orders and a seed",
    parse=lambda text: TrialSettings.from_names(tuple(part.strip() for part in text.split(",") if part.strip())),
    encode=lambda tests: tests.record,
    decode=lambda record: record if isinstance(record, TrialSettings) else TrialSettings.from_record(record),
)


@ANALYSES.register("method_tests")
@dataclass(frozen=True)
class MethodTests(TextAnalysis[TestResults]):
    """The metrics of one method's attribution, each beside random orders of the words."""

    name: ClassVar[str] = "method_tests"
    title: ClassVar[str] = "Tests of a method"
    meaning: ClassVar[str] = "How well a method's scores predict the effect of removing words."
    limits: ClassVar[str] = "They test one text, one model and these ways of removing words."
    returns: ClassVar[type] = TestResults

    method: Method = setting(codec=METHOD, help="The method that is tested.")
    tests: TrialSettings = setting(codec=TESTS, help="The metrics, by name, with commas.")

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return self.method.passes(model, subject) + self.tests.cost(model, subject.tokens, [self.method])

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> TestResults:
        attribution = self.method.run(model, subject, meter)
        return self.run_on(self.trial(model, subject, meter), attribution)

    def trial(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> Trial:
        """Return the trial that methods of the same settings share."""
        tests = self.tests
        return Trial(model, subject.tokens, subject.target, orders=tests.orders, seed=tests.seed, meter=meter)

    def run_on(self, trial: Trial, attribution: Attribution) -> TestResults:
        """Test an attribution computed before; no results where there are too few words to order."""
        return TestResults(self.tests.run(trial, attribution))
