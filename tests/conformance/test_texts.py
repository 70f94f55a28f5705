"""One list of steps, and the same texts of both verifiers in English and Chinese."""

from __future__ import annotations

from registry.certificate.wording import RIGHTS
from registry.evidence.steps import Step
from registry.evidence.texts import REFUSALS, TITLES, refusal_text, texts_of
from registry.rooms.protocols import PROTOCOLS
from tests.conformance.second import LANGUAGES, SecondVerifier


def test_both_number_and_name_the_same_steps_and_say_the_same_where_one_fails(second: SecondVerifier) -> None:
    steps = second.ask("steps")["answer"]
    for language in LANGUAGES:
        assert steps[language] == [
            [step.number, step.title, title, refusal_text(step, language)]
            for step, title in zip(Step, TITLES[language], strict=True)
        ]


def test_every_step_has_a_text_for_its_failure_and_no_other_code_has() -> None:
    for language in LANGUAGES:
        assert list(REFUSALS[language]) == [step.title for step in Step]


def test_both_languages_have_a_sentence_for_the_same_codes_with_the_same_values() -> None:
    texts = texts_of(PROTOCOLS)
    assert texts["en"].keys() == texts["zh"].keys()
    for code, sentence in texts["en"].items():
        assert sentence.__code__.co_varnames == texts["zh"][code].__code__.co_varnames, code
    assert {step.title for step in Step} <= texts["en"].keys()


def test_the_page_and_the_certificate_name_rights_by_the_same_chinese_words(second: SecondVerifier) -> None:
    access = {
        "grantee": "0x00", "state": "active", "stateNow": "active", "rights": list(RIGHTS),
        "startsAt": 0, "expiresAt": 1, "endsAt": 1,
    }  # fmt: skip
    assert f"；{'、'.join(RIGHTS.values())}；" in second.ask("access", access=access, language="zh")["answer"]
