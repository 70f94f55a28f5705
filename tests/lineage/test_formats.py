"""The formats of the lineage, judged by other people's readers where there are any."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
from prov.constants import PROV
from prov.model import ProvDerivation, ProvDocument, ProvEntity, ProvGeneration
from rdflib import RDF, Graph, Literal, URIRef
from rdflib.namespace import PROV as PROV_O

from registry.lineage import Direction, walk
from registry.lineage.dot import dot
from registry.lineage.label import shortened, title, width
from registry.lineage.prov import json_ld, prov_json
from registry.lineage.svg import svg
from registry.lineage.tree import ancestors, descendants
from tests.fixtures.tools import need_command
from tests.lineage.family import ALICE, BOB, NAMER, Family, at, weather

CANARIES = (
    "<script>alert(1)</script>",
    '"><image href="https://evil.example/x.png" onload="alert(1)"/>',
    "]]>&lt;&amp;&xxe;",
    '"]; evil [label="x',
    "\\",
    'x\\"; evil -> "',
    "\\N\\G\\l",
    "a\nb\r\x00\x1b[31m",
    "\u202egnp.exe\u2066",
    "\ud800",
)


def named(name: str) -> Family:
    family = Family()
    family.add(at("source"), name=name)
    family.add(at("product"), at("source"), name=name)
    return family


def version_uri(dataset: str, version: int = 1) -> str:
    """The name built here by hand: CAIP-19 and our fragment."""
    return f"eip155:1337/erc721:0x5e5E5e5e5E5e5E5E5e5E5E5e5e5E5E5E5e5E5E5e/{int(at(dataset).dataset_id)}#v{version}"


def test_prov_json_is_read_by_the_prov_library_with_every_relation() -> None:
    graph = walk(weather(), [at("model"), at("clean", 2)], Direction.UP)
    document = ProvDocument.deserialize(content=json.dumps(prov_json(graph, NAMER)), format="json")
    derivations = {
        (record.args[0].uri.split("/")[-1], record.args[1].uri.split("/")[-1]): record
        for record in document.get_records(ProvDerivation)
    }
    expected = {
        ("clean", 1, "seattle", 1),
        ("clean", 1, "airports", 1),
        ("clean", 2, "seattle", 1),
        ("clean", 2, "clean", 1),
        ("model", 1, "clean", 1),
    }
    number = {name: int(at(name).dataset_id) for name in ("seattle", "airports", "clean", "model")}
    assert derivations.keys() == {(f"{number[a]}#v{i}", f"{number[b]}#v{j}") for a, i, b, j in expected}
    revision = derivations[f"{number['clean']}#v2", f"{number['clean']}#v1"]
    assert PROV["Revision"] in revision.get_asserted_types()
    labels = {str(entity.label) for entity in document.get_records(ProvEntity)}
    assert {"西雅图气象观测", "预测模型"} <= labels
    assert {record.args[2].isoformat() for record in document.get_records(ProvGeneration)} >= {
        "2026-11-23T04:00:00+00:00"
    }
    assert ProvDocument.deserialize(content=document.serialize(format="json"), format="json") == document


def test_json_ld_says_the_same_in_prov_o_to_rdflib() -> None:
    graph = walk(weather(), [at("model"), at("clean", 2)], Direction.UP)
    triples = Graph().parse(data=json.dumps(json_ld(graph, NAMER)), format="json-ld")
    clean, second = URIRef(version_uri("clean")), URIRef(version_uri("clean", 2))
    assert set(triples.objects(clean, PROV_O.wasDerivedFrom)) == {
        URIRef(version_uri("seattle")),
        URIRef(version_uri("airports")),
    }
    assert set(triples.objects(second, PROV_O.wasRevisionOf)) == {clean}
    assert set(triples.objects(second, PROV_O.specializationOf)) == {URIRef(version_uri("clean").removesuffix("#v1"))}
    assert set(triples.objects(URIRef(version_uri("model")), PROV_O.wasAttributedTo)) == {URIRef(f"eip155:1337:{BOB}")}
    assert Literal("2026-11-23T04:00:00Z", datatype="http://www.w3.org/2001/XMLSchema#dateTime") in set(
        triples.objects(URIRef(version_uri("seattle")), PROV_O.generatedAtTime)
    )
    assert set(triples.subjects(RDF.type, PROV_O.Agent)) == {URIRef(f"eip155:1337:{who}") for who in (ALICE, BOB)}


def test_both_prov_documents_name_things_alike() -> None:
    graph = walk(weather(), [at("model")], Direction.UP)
    document = ProvDocument.deserialize(content=json.dumps(prov_json(graph, NAMER)), format="json")
    triples = Graph().parse(data=json.dumps(json_ld(graph, NAMER)), format="json-ld")
    entities = {str(entity.identifier.uri) for entity in document.get_records(ProvEntity)}
    assert entities == {str(subject) for subject in triples.subjects(RDF.type, PROV_O.Entity)}


def test_the_tree_upwards_shows_each_version_in_full_once() -> None:
    family = weather()
    family.withdraw(at("airports").dataset_id)
    lines = list(ancestors(walk(family, [at("clean"), at("clean", 2)], Direction.UP)))
    ids = {name: str(at(name).dataset_id)[:10] for name in ("clean", "airports", "seattle")}
    sources = [
        f"西雅图气象观测  {ids['seattle']}@1  2026-11-23",
        f"Airports  {ids['airports']}@1  2026-11-23  [withdrawn]",
    ]
    assert lines == [
        f"Clean weather  {ids['clean']}@2  2026-11-23",
        f"├── {sources[0]}",
        f"└── revises Clean weather  {ids['clean']}@1  2026-11-23  [derives from withdrawn]",
        f"    ├── 西雅图气象观测  {ids['seattle']}@1",
        f"    └── {sources[1]}",
    ]


def test_the_tree_downwards_begins_at_the_first_of_the_asked_versions() -> None:
    lines = list(descendants(walk(weather(), [at("clean"), at("clean", 2)], Direction.DOWN)))
    assert [line[:12] for line in lines] == ["Clean weathe", "├── revised ", "└── 预测模型  0x"]


def test_a_comb_of_a_thousand_levels_is_cut_not_printed_into_memory() -> None:
    family = Family()
    family.add(at("a"))
    for number in range(2, 1_001):
        family.add(at("a", number))
    lines = list(ancestors(walk(family, [at("a", 1_000)], Direction.UP)))
    assert len(lines) == 42
    assert lines[-1].endswith("└── …")


@pytest.mark.parametrize("name", CANARIES)
def test_a_hostile_name_stays_text_in_svg(name: str) -> None:
    picture = svg(walk(named(name), [at("product")], Direction.UP))
    parsed = ElementTree.fromstring(picture.encode())  # noqa: S314  Our own document.
    kinds = {element.tag.rpartition("}")[2] for element in parsed.iter()}
    assert kinds <= {"svg", "style", "defs", "marker", "path", "rect", "g", "title", "text"}
    attributes = {attribute for element in parsed.iter() for attribute in element.attrib}
    assert not {attribute for attribute in attributes if attribute.startswith("on") or "href" in attribute}
    assert not {char for char in picture if char in "\x00\x1b\u202e\u2066"}


@pytest.mark.parametrize("name", CANARIES)
def test_a_hostile_name_stays_one_label_in_dot(name: str) -> None:
    document = dot(walk(named(name), [at("product")], Direction.UP))
    outside = []
    for line in document.splitlines():
        text, quoted, position = "", False, 0
        while position < len(line):
            if quoted and line[position] == "\\":
                position += 2
                continue
            if line[position] == '"':
                quoted = not quoted
            elif not quoted:
                text += line[position]
            position += 1
        assert not quoted
        outside.append(text)
    assert "evil" not in "".join(outside)
    assert sum("->" in line for line in outside) == 1


@pytest.mark.parametrize("name", CANARIES[:-1])
def test_graphviz_reads_a_hostile_name_as_a_label(name: str) -> None:
    need_command("dot", "Graphviz is not installed. Install it: apt-get install graphviz")
    document = dot(walk(named(name), [at("product")], Direction.UP))
    plain = subprocess.run(["dot", "-Tplain"], input=document, capture_output=True, text=True, check=True).stdout
    assert sum(line.startswith("node ") for line in plain.splitlines()) == 2


@pytest.mark.parametrize("name", CANARIES)
def test_a_hostile_name_stays_on_its_line_in_the_tree(name: str) -> None:
    lines = list(ancestors(walk(named(name), [at("product")], Direction.UP)))
    assert len(lines) == 2
    assert not any(char in "\n\r\x00\x1b\u202e\u2066" for line in lines for char in line)


def test_the_picture_places_no_two_boxes_on_one_another_and_sources_to_the_left() -> None:
    graph = walk(weather(), [at("model"), at("clean", 2)], Direction.UP)
    parsed = ElementTree.fromstring(svg(graph))  # noqa: S314  Our own document.
    boxes = [box for box in parsed.iter("{http://www.w3.org/2000/svg}rect") if box.get("class") == "box"]
    corners = [(int(box.attrib["x"]), int(box.attrib["y"])) for box in boxes]
    assert len(set(corners)) == len(graph.nodes) == 5
    by_version = dict(zip([node.version for node in graph.nodes], corners, strict=True))
    assert all(by_version[edge.earlier][0] < by_version[edge.later][0] for edge in graph.edges)


def test_wide_characters_count_twice_where_a_name_is_shortened() -> None:
    assert width("气象ab") == 6
    assert shortened("气象观测数据", 7) == "气象观…"
    assert shortened("气象", 4) == "气象"


def test_a_version_without_a_name_is_called_by_its_short_id() -> None:
    family = weather()
    assert title(family.versions[at("unrelated")]) == f"{str(at('unrelated').dataset_id)[:10]}@1"
