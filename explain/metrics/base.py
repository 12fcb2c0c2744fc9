"""What a metric of faithfulness is: one file that registers itself; none is shipped yet."""

from typing import Any

from explain.registry import Registry

METRICS: Registry[Any] = Registry("metric", "explain.metrics")
