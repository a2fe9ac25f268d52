"""`snnlab analyse`: runs the chosen analyses, one after the other."""

from importlib import import_module

from snnlab.analyse.arguments import AnalyseArguments
from snnlab.analyse.subject import Finding, Subject
from snnlab.config.schema import RunConfig
from snnlab.errors import SnnlabError
from snnlab.plots.figure import files_of
from snnlab.runs.log import RunLog


def run(cfg: RunConfig, asked: AnalyseArguments, plain: RunConfig) -> int:
    """Measures, draws, and prints the paths of the files.

    Args:
        cfg: the run's configuration with overrides.
        asked: the command line.
        plain: the run's configuration without them.

    Returns:
        The exit code, 0.

    Raises:
        SnnlabError: no such checkpoint, or an analysis that was named does not fit the run.
    """
    log = RunLog(None)
    subject = Subject(cfg, asked.run, asked.checkpoint, asked, plain)
    if asked.all:
        _ = subject.stored  # a run that cannot be loaded is an error, not seven analyses that do not fit
    for name in asked.names:
        try:
            finding: Finding = import_module(f"snnlab.analyse.{name}").run(subject)
        except SnnlabError as error:
            if not asked.all:
                raise
            log.write(f"left out: {error.message}\n")
            continue
        log.write(finding.table)
        log.write(f"Written to {files_of(finding.picture)}\n")
    return 0
