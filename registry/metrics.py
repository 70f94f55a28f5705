"""Prometheus metrics. Each node has its own registry, so that two nodes in one process do not mix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """A node's measurements at one moment. None means unknown now, and is left out.

    Args:
        receipts: The number of receipts by status.
        in_flight: Transactions that are signed and not yet mined.
        oldest_unmined_seconds: The age of the oldest accepted write that is not mined.
        bound_seconds: The published bound from accepted to mined.
        is_bound_broken: Whether a write is older than that.
        relayer_balance_wei: The relayer's balance.
        chain_block: The chain's height.
        index_block: The index's height.
        final_block: The highest final block.
        checkpoint_block: The height of the newest signed checkpoint.
        checkpoint_cosignatures: The number of witnesses that have cosigned it.
        checkpoint_alarms: The number of contradictions of checkpoints.
        reorgs: The number of rewinds of the index since the start.
        restarts: The number of failures and restarts of each worker.
        replacements: The total number of replaced transactions.
        rpc_faults: The number of times an endpoint gave no usable answer, by kind.
        is_database_up: Whether the database could be read.
    """

    receipts: Mapping[str, int] = field(default_factory=dict)
    in_flight: int | None = None
    oldest_unmined_seconds: float | None = None
    bound_seconds: float | None = None
    is_bound_broken: bool | None = None
    relayer_balance_wei: int | None = None
    chain_block: int | None = None
    index_block: int | None = None
    final_block: int | None = None
    checkpoint_block: int | None = None
    checkpoint_cosignatures: int | None = None
    checkpoint_alarms: int | None = None
    reorgs: int | None = None
    restarts: Mapping[str, int] = field(default_factory=dict)
    replacements: int | None = None
    rpc_faults: Mapping[str, int] = field(default_factory=dict)
    is_database_up: bool = False


class HttpMetrics:
    """Counters and timings of requests.

    Args:
        registry: The registry of the metrics.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "tdr_http_request_seconds",
            "Time from a request's first byte to its answer's last.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._answers = Counter(
            "tdr_http_answers", "Answers by status.", ("method", "route", "status"), registry=registry
        )
        # Looking up children by label costs more than counting.
        self._children: dict[tuple[str, str, int], tuple[Histogram, Counter]] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record one request.

        Args:
            method: Its method.
            route: Its route's template.
            status: The answer's status.
            seconds: How long it took.
        """
        key = (method, route, status)
        children = self._children.get(key)
        if children is None:
            known = method if method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH") else "other"
            children = (self._seconds.labels(known, route), self._answers.labels(known, route, str(status)))
            if known == method:
                self._children[key] = children
        children[0].observe(seconds)
        children[1].inc()


class NodeMetrics(Collector):
    """A collector of the node's measurements.

    Args:
        figures: Returns them.
    """

    def __init__(self, figures: Callable[[], NodeFigures]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield the measurements in Prometheus's form."""
        now = self._figures()
        yield _labelled(GaugeMetricFamily("tdr_receipts", "Writes by status.", labels=["status"]), now.receipts)
        yield _labelled(
            CounterMetricFamily("tdr_worker_restarts", "Failures of a worker.", labels=["worker"]), now.restarts
        )
        yield _labelled(
            CounterMetricFamily("tdr_rpc_faults", "Endpoints that gave no usable answer.", labels=["kind"]),
            now.rpc_faults,
        )
        lag = None
        if now.chain_block is not None and now.index_block is not None:
            lag = max(0, now.chain_block - now.index_block)
        gauges: tuple[tuple[str, str, float | None], ...] = (
            ("tdr_in_flight", "Transactions signed and not yet mined.", now.in_flight),
            ("tdr_oldest_unmined_seconds", "Age of the oldest write that is not mined.", now.oldest_unmined_seconds),
            ("tdr_bound_seconds", "The published bound from accepted to mined.", now.bound_seconds),
            ("tdr_bound_broken", "Whether a write is older than the bound.", now.is_bound_broken),
            ("tdr_relayer_balance_wei", "What the relayer has to pay with.", now.relayer_balance_wei),
            ("tdr_chain_block", "The chain's height.", now.chain_block),
            ("tdr_index_block", "The index's height.", now.index_block),
            ("tdr_final_block", "The highest final block.", now.final_block),
            ("tdr_checkpoint_block", "The height of the newest signed checkpoint.", now.checkpoint_block),
            ("tdr_checkpoint_cosignatures", "Witnesses that cosigned it.", now.checkpoint_cosignatures),
            ("tdr_checkpoint_alarms", "Contradictions of checkpoints; see /v1/checkpoints.", now.checkpoint_alarms),
            ("tdr_lag_blocks", "Blocks that the index is behind.", lag),
            ("tdr_replacements", "Transactions that were replaced, ever.", now.replacements),
            ("tdr_database_up", "Whether the database can be read.", now.is_database_up),
            ("tdr_reorgs", "Rewinds of the index since the start.", now.reorgs),
        )
        for name, text, value in gauges:
            if value is not None:
                yield GaugeMetricFamily(name, text, value=float(value))

    def describe(self) -> Iterator[Metric]:
        """Return nothing: registering must not query the node."""
        return iter(())


def exposition(registry: CollectorRegistry) -> bytes:
    """Return all metrics in Prometheus's text format."""
    return generate_latest(registry)


def _labelled(family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[str, int]) -> Metric:
    for label, value in sorted(values.items()):
        family.add_metric([label], value)
    return family
