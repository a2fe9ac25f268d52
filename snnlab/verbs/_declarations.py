"""The dataclass that declares the arguments of each command that is no composition."""

from collections.abc import Mapping
from types import MappingProxyType

from snnlab.analyse.arguments import AnalyseArguments
from snnlab.bench.arguments import BenchArguments
from snnlab.board.arguments import BoardArguments
from snnlab.config.arguments import Arguments
from snnlab.convert.arguments import ConvertArguments
from snnlab.evaluate.arguments import EvalArguments
from snnlab.export.arguments import ExportArguments
from snnlab.tables.arguments import TableArguments

DECLARED: Mapping[str, type[Arguments]] = MappingProxyType(
    {
        "eval": EvalArguments,
        "analyse": AnalyseArguments,
        "convert": ConvertArguments,
        "export": ExportArguments,
        "bench": BenchArguments,
        "board": BoardArguments,
        "table": TableArguments,
    }
)
