"""`GET /v1/datasets/{id}/lineage` and `tdr lineage`, through a real node."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from prov.model import ProvDerivation, ProvDocument

from api.rooms.datasets import answers
from tests.fixtures.commands import Done, tdr_here
from tests.lineage.conftest import Weather


def tdr(weather: Weather, *arguments: str) -> Done:
    return tdr_here(*arguments, "--gateway", weather.url)


def test_the_answer_is_as_documented_and_says_what_derives_from_a_withdrawn_dataset(weather_gateway: Weather) -> None:
    answer = weather_gateway.gateway.http.get(f"/v1/datasets/{weather_gateway.clean}/lineage")
    lineage = answers.Lineage.model_validate_json(answer.content)
    assert answer.headers["tdr-as-of-block"] == str(lineage.as_of_block)
    assert {node.version.dataset_id for node in lineage.nodes} == {
        weather_gateway.seattle,
        weather_gateway.airports,
        weather_gateway.clean,
    }
    assert [str(version) for version in lineage.affected] == [f"{weather_gateway.clean}@1"]


@pytest.mark.parametrize(
    ("written", "media_type"),
    [
        ("prov-json", "application/json"),
        ("json-ld", "application/ld+json"),
        ("dot", "text/vnd.graphviz; charset=utf-8"),
        ("svg", "image/svg+xml"),
    ],
)
def test_every_format_comes_with_its_media_type(weather_gateway: Weather, written: str, media_type: str) -> None:
    path = f"/v1/datasets/{weather_gateway.clean}/lineage"
    answer = weather_gateway.gateway.http.get(path, params={"format": written})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert "西雅图气象" in answer.text or "\\u897f" in answer.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"direction": "sideways"}, 422),
        ({"version": "0"}, 422),
        ({"version": "99"}, 404),
        ({"depth": "-1"}, 422),
        ({"format": "exe"}, 422),
        ({"dirction": "up"}, 422),
        ({"direction": "up", "version": "1", "depth": "0"}, 200),
    ],
)
def test_parameters_are_checked(weather_gateway: Weather, query: dict[str, str], status: int) -> None:
    answer = weather_gateway.gateway.http.get(f"/v1/datasets/{weather_gateway.clean}/lineage", params=query)
    assert answer.status_code == status


def test_tdr_lineage_prints_a_tree_of_both_directions(weather_gateway: Weather) -> None:
    done = tdr(weather_gateway, "lineage", str(weather_gateway.clean)[:12])
    assert (done.code, done.err) == (0, "")
    assert "西雅图气象 <b>&amp;" in done.out
    assert "[withdrawn]" in done.out
    assert "1 of these versions derive from a withdrawn dataset." in done.out


def test_tdr_lineage_writes_each_format_to_a_file(weather_gateway: Weather, tmp_path: Path) -> None:
    for written in ("prov-json", "json-ld", "svg", "dot"):
        file = tmp_path / written
        done = tdr(weather_gateway, "lineage", f"{weather_gateway.clean}@2", "--format", written, "-o", str(file))
        assert (done.code, done.out, done.err) == (0, "", "")
    document = ProvDocument.deserialize(content=(tmp_path / "prov-json").read_text(), format="json")
    assert len(list(document.get_records(ProvDerivation))) == 4
    ElementTree.fromstring((tmp_path / "svg").read_bytes())  # noqa: S314  Our own document.
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_tdr_lineage_prints_one_json_document(weather_gateway: Weather) -> None:
    done = tdr(weather_gateway, "lineage", str(weather_gateway.airports), "--direction", "down", "--json")
    answer = json.loads(done.out)
    assert len(answer["nodes"]) == 3
    assert {edge["relation"] for edge in answer["edges"]} == {"derivation", "revision"}


@pytest.mark.parametrize("wrong", ["xyz", "0x12345678@0", "0x12345678@two", "0x12345678@1@2"])
def test_tdr_lineage_refuses_what_is_no_version(weather_gateway: Weather, wrong: str) -> None:
    done = tdr(weather_gateway, "lineage", wrong)
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
