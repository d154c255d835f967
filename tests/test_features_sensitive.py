"""Sensitive subjects: who is counted and never scored, and who only sounds like it."""

from __future__ import annotations

import pytest

from discovery.features.sensitive import sensitive_subject
from tests.feature_records import ENGLISH, crowd, measured, post

MARKED = {
    "r/depression": "mental health",
    "ADHD_Programmers": "mental health",
    "mentalhealthBulgaria": "mental health",
    "drivinganxiety": "mental health",
    "eating_disorders": "mental health",
    "diabetes_t1": "health",
    "LongCovid": "health",
    "lgbt": "sexuality and gender",
    "mypartneristransgender": "sexuality and gender",
    "MtF": "sexuality and gender",
    "AskAChristian": "belief",
    "progressive_islam": "belief",
    "UAETeenagers": "minors",
    "stopdrinking": "addiction",
    "DACA": "persecution",
}
NOT_MARKED = [
    "christianblades", "DailyChristinaRicci", "FlautistCorner", "IslamabadSocial", "MakeupAddiction", "physicaltherapy",
    "Transmogrification", "translator", "jewelry", "TeenWolf", "HearingAids", "plantabuse", "cs2a", "python", "Gaylord", "essex",
]  # fmt: skip


@pytest.mark.parametrize(("name", "subject"), MARKED.items())
def test_names_that_state_a_sensitive_subject(name, subject):
    """A whole word of a name marks it, wherever names hide their words: case, underscores, digits, compounds."""
    assert sensitive_subject(name, "") == subject


@pytest.mark.parametrize("name", NOT_MARKED)
def test_names_that_only_sound_like_it(name):
    """A sensitive word inside another word, and a hobby's own way of speaking, mark nothing."""
    assert sensitive_subject(name, "") is None


@pytest.mark.parametrize(
    ("description", "subject"),
    [
        ("A place for people living with chronic pain to talk", "health"),
        ("Peer support. If you are suicidal, call someone now", "mental health"),
        ("For queer women who climb", "sexuality and gender"),
        ("Recovering addicts and their families", "addiction"),
        ("Asylum seekers and those who help them", "persecution"),
        ("Everyone is welcome regardless of religion, sexuality or disability", None),
        ("An LGBT friendly group of miniature painters", None),
        ("Fans of the Suicide Squad game", None),
        ("", None),
    ],
)
def test_descriptions_that_state_it_plainly(description, subject):
    """A description marks its community where it says whom it is for, and not where it welcomes everybody."""
    assert sensitive_subject("hiking", description) == subject


def test_the_measurement_tells_why():
    """A community that its name marks is sensitive, with its subject; the others are not, and have no reason."""
    rows = [post(name, 1, ENGLISH, communities=[key]) for key in ("reddit:depression", "reddit:hiking") for name in crowd(3)]
    found = measured(rows).communities
    assert found["sensitive"].to_dict() == {"reddit:depression": True, "reddit:hiking": False}
    assert found["sensitive_because"].to_dict() == {"reddit:depression": "mental health", "reddit:hiking": None}
