"""Tests of placing by a served model: its vectors are used whole or not at all, each text is sent once, and nothing private is."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.metrics import adjusted_rand_score

from discovery.archetypes.embedding import MODEL, VERSION, embed, placed, seen, telling_words
from discovery.archetypes.niches import Niches, find_niches
from discovery.archetypes.passages import passages
from discovery.archetypes.served import BATCH, PULL, Views, embedder
from discovery.features import Measurement
from discovery.features.text import content_words, stem
from discovery.settings import EmbeddingSettings
from tests.loopback import Answer, Asked, Server, answer, dripping, serving
from tests.markets import market, subjects

LENGTH = 48
Reply = Callable[[Asked], Answer]


def meaning(text: str, length: int = LENGTH) -> list[float]:
    """Place a text at the mean of its words, each drawn by its hash, beside what all texts share, as models do."""
    words = [np.random.default_rng(int(hashlib.sha256(word.encode()).hexdigest()[:8], 16)) for word in re.findall(r"\w+", text)]
    return list(1.0 + np.mean([word.normal(size=length) for word in words], axis=0))


def inputs(asked: Asked) -> list[str]:
    """Read the texts of a request."""
    return list(json.loads(asked.body)["input"])


def model(asked: Asked, *, name: str = "tiny-2", length: int = LENGTH) -> Answer:
    """Answer as an embeddings server does, in another order than it was asked in."""
    data = [{"object": "embedding", "index": index, "embedding": meaning(text, length)} for index, text in enumerate(inputs(asked))]
    return answer({"object": "list", "model": name, "data": data[::-1], "usage": {"prompt_tokens": 1, "total_tokens": 1}})


def said(n_subjects: int, *, each: int, seed: int, shared: float = 0.0) -> Measurement:
    """Measure communities of some subjects, every word of many authors."""
    drawn = subjects(n_subjects, each=each, seed=seed, shared=shared)
    words = {name: {word: 10 * count for word, count in counts.items()} for name, counts in drawn.items()}
    return market(list(words), words=words)


def niches(measured: Measurement, server: Server | str, folder: Path, **more: Any) -> Niches:
    """Find the niches of a whole market with a served model."""
    url = server if isinstance(server, str) else f"{server.url}v1"
    settings = EmbeddingSettings(base_url=url, model="tiny", **{"deadline_seconds": 5.0, **more})
    parents = -measured.communities["sensitive"].astype(int)
    return find_niches(measured, parents, seed=1, embedder=embedder(settings, folder / "vectors"))


def same(first: Niches, second: Niches) -> bool:
    """Tell whether two runs found the same."""
    return first.table.equals(second.table) and first.membership.equals(second.membership)


def test_planted_subjects_are_found_by_a_served_model(tmp_path: Path) -> None:
    """Six subjects come back as six niches, placed by the model that answered, and its name and length are told."""
    measured = said(6, each=12, seed=0)
    with serving(model) as server:
        found = niches(measured, server, tmp_path)
    truth = [name.split("-")[0] for name in measured.communities.index]
    assert (found.placed.model, found.placed.version, found.placed.notes) == ("tiny", "tiny-2 (48)", ())
    assert len(found.table) == 6
    assert adjusted_rand_score(truth, found.membership) == 1.0
    assert {asked.path for asked in server.asked} == {"/v1/embeddings"}
    assert {json.loads(asked.body)["encoding_format"] for asked in server.asked} == {"float"}


@pytest.mark.parametrize("seed", range(3))
def test_words_drawn_at_random_give_no_niches(tmp_path: Path, seed: int) -> None:
    """Where every community draws from the same words, a served model finds nothing either."""
    with serving(model) as server:
        found = niches(said(6, each=10, seed=seed, shared=1.0), server, tmp_path)
    assert found.placed.model == "tiny"
    assert found.table.empty


def test_how_alike_communities_are_is_told_by_words(tmp_path: Path) -> None:
    """The homogeneity of a niche, a part of its score, is the same number whatever placed its communities."""
    measured = said(4, each=12, seed=3)
    with serving(model) as server:
        served = niches(measured, server, tmp_path)
    plain = find_niches(measured, pd.Series(0, index=measured.communities.index), seed=1)
    assert served.membership.equals(plain.membership)
    assert served.table["homogeneity"].equals(plain.table["homogeneity"])


def test_an_unchanged_community_is_not_sent_again(tmp_path: Path) -> None:
    """The second night asks nothing; a third, with one community changed, asks for a known text and for the new ones."""
    measured = said(3, each=10, seed=4)
    with serving(model) as server:
        first = niches(measured, server, tmp_path)
        sent = sum(len(inputs(asked)) for asked in server.asked)
        assert sent == 3 * 30
        server.asked.clear()
        assert same(first, niches(measured, server, tmp_path))
        assert server.asked == []
        measured.communities.loc["made:00-00", "description"] = "zzgarden zzshed"
        niches(measured, server, tmp_path)
        assert len(inputs(server.asked[0])) == 1
        changed = [text for asked in server.asked[1:] for text in inputs(asked)]
        assert 1 <= len(changed) <= 3
        assert any("zzgarden" in text for text in changed)


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(lambda asked: model(asked, name="tiny-3"), id="another-version"),
        pytest.param(lambda asked: model(asked, length=40), id="another-length"),
        pytest.param(lambda asked: _negated(model(asked)), id="other-weights-under-the-same-name"),
    ],
)
def test_vectors_of_another_model_are_asked_for_again(tmp_path: Path, later: Reply) -> None:
    """Once the server is another than it was, nothing that was kept is used."""
    measured = said(3, each=10, seed=4)
    answers: list[Reply] = [model]

    def latest(asked: Asked) -> Answer:
        return answers[-1](asked)

    with serving(latest) as server:
        niches(measured, server, tmp_path)
        measured.communities.loc["made:00-00", "description"] = "zzgarden zzshed"
        answers.append(later)
        server.asked.clear()
        assert niches(measured, server, tmp_path).placed.model == "tiny"
        assert sum(len(inputs(asked)) for asked in server.asked) == 1 + 3 * 30


def _negated(given: Answer) -> Answer:
    told = json.loads(given.body)
    for datum in told["data"]:
        datum["embedding"] = [-value for value in datum["embedding"]]
    return given._replace(body=json.dumps(told).encode())


def test_what_is_kept_is_of_tonight(tmp_path: Path) -> None:
    """Of communities that are gone nothing stays."""
    with serving(model) as server:
        niches(said(3, each=10, seed=4), server, tmp_path)
        niches(said(2, each=10, seed=5), server, tmp_path)
    manifest = json.loads((tmp_path / "vectors" / "manifest.json").read_text())
    texts = {text for passage in passages(said(2, each=10, seed=5), np.arange(20)) for text in passage}
    assert len(manifest["digests"]["index"]["values"]) == len(texts)


def test_a_budget_of_calls_is_spent_over_nights(tmp_path: Path) -> None:
    """Where one night's calls do not reach, it goes by words and says how far it came; what came is there for the next."""
    measured = said(3, each=10, seed=4)
    with serving(model) as server:
        first = niches(measured, server, tmp_path, max_calls=1)
        assert (len(server.asked), first.placed.model) == (1, MODEL)
        assert f"the run's 1 calls are used up. {BATCH} of 90 vectors are kept" in first.placed.notes[0]
        second = niches(measured, server, tmp_path, max_calls=2)
    assert second.placed.model == "tiny"


def _data(asked: Asked, change: Callable[[list[dict[str, Any]]], object], **more: Any) -> Answer:
    told = json.loads(model(asked).body)
    change(told["data"])
    return answer({**told, **more})


def _set(index: int, **values: Any) -> Callable[[list[dict[str, Any]]], object]:
    return lambda data: data[index].update(values)


MISBEHAVIOUR: dict[str, Reply] = {
    "401": lambda _: answer({"error": {"message": "key"}}, 401),
    "404": lambda _: answer({"error": {"message": "model"}}, 404),
    "429": lambda _: answer({"error": {"message": "slow down"}}, 429, Retry_After="120"),
    "400": lambda _: answer({"error": {"message": "too many"}}, 400),
    "500": lambda _: answer({"error": {"message": "boom"}}, 500),
    "redirect": lambda _: Answer(b"", 307, {"Location": "http://127.0.0.1:9/v1/embeddings"}),
    "html-200": lambda _: Answer(b"<html>hello</html>", 200, {"Content-Type": "text/html"}),
    "bad-json": lambda _: Answer(b'{"data": [', 200),
    "not-utf8": lambda _: Answer(b"\xff\xfe{}", 200),
    "empty-body": lambda _: Answer(b"", 200),
    "a-number": lambda _: answer(7),
    "deep-nesting": lambda _: Answer(b"[" * 100_000, 200),
    "huge": lambda _: Answer(b'{"data": "' + b"x" * (1 << 24) + b'"}', 200),
    "wrong-gzip": lambda _: Answer(b"not gzip", 200, {"Content-Encoding": "gzip"}),
    "data-null": lambda _: answer({"data": None}),
    "one-missing": lambda asked: _data(asked, lambda data: data.pop()),
    "one-too-many": lambda asked: _data(asked, lambda data: data.append({**data[0], "index": len(data)})),
    "index-twice": lambda asked: _data(asked, _set(0, index=0)),
    "index-missing": lambda asked: _data(asked, lambda data: data[3].pop("index")),
    "nan": lambda asked: _data(asked, _set(5, embedding=[float("nan")] * LENGTH)),
    "infinity": lambda asked: _data(asked, _set(5, embedding=[float("inf")] * LENGTH)),
    "overflow": lambda asked: _data(asked, _set(5, embedding=[1e308] * LENGTH)),
    "zero": lambda asked: _data(asked, _set(5, embedding=[0.0] * LENGTH)),
    "empty-vector": lambda asked: _data(asked, _set(5, embedding=[])),
    "shorter": lambda asked: _data(asked, _set(5, embedding=[1.0] * (LENGTH - 1))),
    "text-for-number": lambda asked: _data(asked, _set(5, embedding=["1.0"] * LENGTH)),
    "base64": lambda asked: _data(asked, _set(5, embedding="AACAPw==")),
    "two-models": lambda asked: _data(asked, lambda _: None, model=f"tiny-{len(inputs(asked))}"),
}


@pytest.mark.parametrize("mode", MISBEHAVIOUR)
def test_a_misbehaving_server_leaves_the_words(tmp_path: Path, mode: str) -> None:
    """However a server misbehaves, the whole run is that of the words alone, and a note says why, without what the server said."""
    measured = said(3, each=10, seed=4)
    with serving(MISBEHAVIOUR[mode]) as server:
        found = niches(measured, server, tmp_path)
    assert same(found, find_niches(measured, pd.Series(0, index=measured.communities.index), seed=1))
    assert (found.placed.model, found.placed.version) == (MODEL, VERSION)
    (note,) = found.placed.notes
    assert note.startswith("Communities were placed for niches by their words, not by tiny: ")
    assert "boom" not in note
    assert len(server.asked) <= 2


@pytest.mark.parametrize(
    ("head", "drop"), [(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "), (b"", b"")], ids=["drip", "silence"]
)
def test_a_dripping_server_meets_the_deadline(tmp_path: Path, head: bytes, drop: bytes) -> None:
    """A server that sends a byte now and then costs one deadline."""
    begun = time.monotonic()
    with dripping(head, drop) as url:
        found = niches(said(2, each=10, seed=4), url, tmp_path, deadline_seconds=0.3)
    assert "no whole reply within 0.3 seconds" in found.placed.notes[0]
    assert time.monotonic() - begun < 10


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A refused connection leaves the words."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = niches(said(2, each=10, seed=4), f"http://127.0.0.1:{port}/v1", tmp_path)
    assert "no connection" in found.placed.notes[0]


def test_the_length_that_is_asked_for_is_checked(tmp_path: Path) -> None:
    """A server that ignores ``dimensions`` is not used."""
    with serving(model) as server:
        found = niches(said(2, each=10, seed=4), server, tmp_path, dimensions=16)
    assert json.loads(server.asked[0].body)["dimensions"] == 16
    assert "its vectors have 48 numbers, not 16" in found.placed.notes[0]


def test_nothing_private_is_sent(tmp_path: Path) -> None:
    """Addresses, names, what one person alone says or asks for, and sensitive communities are in no byte that the server gets."""
    measured = said(2, each=10, seed=4)
    words = {name: {**dict.fromkeys(("hive", "smoker", "comb"), 9), "zqlonely": 2} for name in measured.communities.index}
    asks = [("made:00-00", "a way to log hives", 5), ("made:00-00", "zqsecret plan", 1), ("made:00-01", "help of zqana@example.org", 4)]
    drawn = {name: {**dict(subjects(2, each=10, seed=4)[name].items()), **words[name]} for name in words}
    measured = market(
        list(words), words={name: {w: 10 * c if w != "zqlonely" else c for w, c in row.items()} for name, row in drawn.items()}, needs=asks
    )
    measured.communities.loc["made:00-02", "description"] = "write to zqbob@example.org or u/zqbob, +49 170 1234567, " + "QUJD" * 20
    measured.communities.loc["made:00-03", ["description", "sensitive"]] = ["zqhidden", True]
    with serving(model) as server:
        niches(measured, server, tmp_path, api_key="sk-very-secret")
    bodies = b"\n".join(asked.body for asked in server.asked)
    assert b"a way to log hives" in bodies
    assert b"[mail]" in bodies
    assert re.findall(rb"zq\w+|1234567|QUJD|very-secret|made:", bodies) == []
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer sk-very-secret"}


def test_terms_that_forbid_it_let_nothing_leave(tmp_path: Path) -> None:
    """With one community of such a source, no request is made at all, and the note counts it."""
    measured = said(2, each=10, seed=4)
    measured.communities.loc["made:01-03", "llm_ok"] = False
    with serving(model) as server:
        found = niches(measured, server, tmp_path)
    assert server.asked == []
    assert "1 of 20 are of sources whose terms let no text leave this machine" in found.placed.notes[0]


def test_the_halves_of_a_text_share_no_word() -> None:
    """Each content word of a passage is in the half that its hash says, so that the other half is a test."""
    (passage,) = passages(said(1, each=12, seed=4), np.array([3]))
    halves = [set(content_words(half)) for half in (passage.seen, passage.unseen)]
    assert halves[0] | halves[1] == set(content_words(passage.whole))
    assert {seen(stem(word)) for word in halves[0]} == {True}
    assert {seen(stem(word)) for word in halves[1]} == {False}


def test_a_pull_moves_a_mean_as_leaving_out_a_fifth_of_the_words_does() -> None:
    """For a mean of 400 random words, the pull by half-differences has the spread of means without a fifth of them."""
    rng = np.random.default_rng(1)
    words = rng.normal(size=(400, 30))
    without = np.array([words[rng.random(400) < 0.8].mean(axis=0) for _ in range(2000)]) - words.mean(axis=0)
    pulls = []
    for _ in range(2000):
        side = rng.permutation(400) < 200
        pulls.append(PULL * rng.normal() * (words[side].mean(axis=0) - words[~side].mean(axis=0)) / 2)
    assert np.mean(np.square(pulls)) == pytest.approx(np.mean(np.square(without)), rel=0.1)


def test_a_shaken_place_lies_between_the_halves() -> None:
    """A community without halves stays where it is; one with halves moves along their difference."""
    whole, half = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 0.0], [0.0, 1.0]])
    views = Views(whole, half, -half)
    shaken = views.shaken(np.array([0, 1]), np.random.default_rng(1))
    assert shaken[0].tolist() == [1.0, 0.0]
    assert shaken[1] == pytest.approx(
        np.array([1.0, PULL * np.random.default_rng(1).normal(size=2)[1]]) / np.hypot(1, shaken[1, 1] / shaken[1, 0]), abs=1e-5
    )


def test_by_words_a_draw_leaves_out_a_fifth_of_them() -> None:
    """Without a model, places are drawn by dropping words, the same everywhere: identical communities stay identical."""
    words = {f"made:{i:02d}": dict.fromkeys(("comb", "hive", "smoker", "queen", "honey", "swarm"), 9) for i in range(20)}
    others = {f"made:x{i:02d}": dict.fromkeys(("nib", "ink", "paper", "pen", "flex", "stub"), 9) for i in range(20)}
    own = placed(embed(telling_words(market([*words, *others], words={**words, **others})), seed=1), seed=1)
    shaken = own.whole.shaken(np.arange(40), np.random.default_rng(2))
    assert np.ptp(shaken[:20], axis=0).max() == 0


def test_an_address_without_a_model_is_a_wrong_setting() -> None:
    """The message names the part of the configuration it is about."""
    with pytest.raises(ValidationError, match=r"embeddings\.model is empty"):
        EmbeddingSettings(base_url="http://127.0.0.1:1")


def test_without_an_address_nobody_is_asked(tmp_path: Path) -> None:
    """The default leaves the words, without a note and without a file."""
    measured = said(2, each=10, seed=4)
    found = find_niches(
        measured, pd.Series(0, index=measured.communities.index), seed=1, embedder=embedder(EmbeddingSettings(), tmp_path / "v")
    )
    assert (found.placed.model, found.placed.notes, list(tmp_path.iterdir())) == (MODEL, (), [])
