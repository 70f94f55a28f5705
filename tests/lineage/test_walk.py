"""The walk over the lineage: its results, their order, and its end."""

from __future__ import annotations

import pytest

from registry.base.errors import InvalidInput, NotFound
from registry.lineage import Direction, Graph, Relation, walk
from registry.lineage.graph import GraphDocument
from tests.lineage.family import Family, at, weather


def found(graph: Graph) -> set[object]:
    return {node.version for node in graph.nodes}


def test_walking_up_finds_sources_and_earlier_versions_and_nothing_else() -> None:
    graph = walk(weather(), [at("clean", 2)], Direction.UP)
    assert found(graph) == {at("clean", 2), at("clean"), at("seattle"), at("airports")}
    assert not graph.is_cut


def test_walking_down_finds_what_depends_on_a_version() -> None:
    graph = walk(weather(), [at("airports")], Direction.DOWN)
    assert found(graph) == {at("airports"), at("clean"), at("clean", 2), at("model")}


def test_walking_both_ways_leaves_out_other_descendants_of_the_sources() -> None:
    family = weather()
    family.add(at("sibling"), at("seattle"))
    graph = walk(family, [at("clean")], Direction.BOTH)
    assert found(graph) == {at("seattle"), at("airports"), at("clean"), at("clean", 2), at("model")}


def test_edges_say_whether_it_is_a_derivation_or_a_revision() -> None:
    graph = walk(weather(), [at("clean", 2)], Direction.UP)
    assert {(edge.later, edge.earlier, edge.relation) for edge in graph.edges} == {
        (at("clean"), at("seattle"), Relation.DERIVATION),
        (at("clean"), at("airports"), Relation.DERIVATION),
        (at("clean", 2), at("seattle"), Relation.DERIVATION),
        (at("clean", 2), at("clean"), Relation.REVISION),
    }


def test_a_revision_that_names_the_version_before_as_a_source_has_one_edge_to_it() -> None:
    family = Family()
    family.add(at("a"))
    family.add(at("a", 2), at("a"))
    (edge,) = walk(family, [at("a", 2)], Direction.UP).edges
    assert edge.relation is Relation.DERIVATION


def test_every_version_stands_after_all_that_it_derives_from() -> None:
    graph = walk(weather(), [at("model"), at("clean", 2)], Direction.UP)
    place = {node.version: position for position, node in enumerate(graph.nodes)}
    assert all(place[edge.earlier] < place[edge.later] for edge in graph.edges)


@pytest.mark.parametrize(("depth", "count", "is_cut"), [(0, 1, True), (1, 3, True), (3, 5, False), (None, 5, False)])
def test_a_depth_limits_the_steps_and_the_graph_says_whether_it_is_cut(
    depth: int | None, count: int, is_cut: bool
) -> None:
    family = Family()
    family.add(at("a"))
    family.add(at("b"), at("a"))
    family.add(at("c"), at("b"))
    family.add(at("d"), at("b"))
    family.add(at("e"), at("c"), at("d"))
    graph = walk(family, [at("e")], Direction.UP, depth=depth)
    assert (len(graph.nodes), graph.is_cut) == (count, is_cut)


def test_a_lineage_with_more_versions_than_allowed_is_refused_naming_the_limit() -> None:
    family = Family()
    family.add(at("a"))
    for number in range(2, 12):
        family.add(at("a", number))
    assert len(walk(family, [at("a")], Direction.DOWN, max_nodes=11).nodes) == 11
    with pytest.raises(InvalidInput, match="more than 10 versions"):
        walk(family, [at("a")], Direction.DOWN, max_nodes=10)


def test_an_unknown_version_is_not_found() -> None:
    with pytest.raises(NotFound, match="no version 3 of the dataset"):
        walk(weather(), [at("clean", 3)], Direction.UP)


def test_versions_that_derive_from_each_other_in_a_circle_are_refused() -> None:
    family = Family()
    family.add(at("a"), at("b"))
    family.add(at("b"), at("a"))
    with pytest.raises(InvalidInput, match="in a circle"):
        walk(family, [at("a")], Direction.UP)


def test_what_derives_from_a_withdrawn_dataset_is_affected_but_not_a_revision_that_dropped_it() -> None:
    family = weather()
    family.withdraw(at("airports").dataset_id)
    graph = walk(family, [at("airports")], Direction.DOWN)
    assert graph.affected == {at("clean"), at("model")}


def test_a_line_of_two_thousand_versions_is_walked() -> None:
    family = Family()
    family.add(at("a"))
    for number in range(2, 2_001):
        family.add(at("a", number))
    assert len(walk(family, [at("a", 2_000)], Direction.UP).nodes) == 2_000


def test_a_graph_read_back_from_its_json_is_the_same() -> None:
    family = weather()
    family.withdraw(at("airports").dataset_id)
    graph = walk(family, [at("model")], Direction.UP)
    text = GraphDocument.of(graph).model_dump_json(by_alias=True)
    assert GraphDocument.model_validate_json(text).graph() == graph
    assert '"registeredAt":"2026-11-23T04:00:00Z"' in text
