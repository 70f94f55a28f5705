"""What mutation/equivalent.toml excuses is one mutant each, of the contracts as they are."""

from collections import Counter

from scripts.compile_contracts import ROOT
from scripts.mutants import all_mutants, explanations, key_of


def test_an_explanation_excuses_exactly_one_mutant() -> None:
    """After a change of a contract, an excuse could apply to another fault than the one that was considered."""
    found = Counter(key_of(mutant, (ROOT / mutant.file).read_text()) for mutant in all_mutants())
    assert {key: found[key] for key in explanations()} == dict.fromkeys(explanations(), 1)
