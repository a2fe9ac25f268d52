"""The command `snnlab`: finds the verb's module, runs it, and turns errors into an exit code. No torch.

A verb is a file in `snnlab/verbs/`; its first line is its help text. Exit codes: 0 done, 1 a bug or a failed
run, 2 the user can fix it (one `error:` line, one `hint:` line), 75 interrupted and resumable.
"""

import argparse
import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import snnlab
from snnlab.config.suggest import closest, did_you_mean
from snnlab.errors import PREEMPTED, ConfigError, SnnlabError
from snnlab.machine.lifeline import watch
from snnlab.out_of_memory import as_memory_error
from snnlab.output import go_on_unheard, silence
from snnlab.own_code import as_own_mistake
from snnlab.signals import handle_stop_signals, raise_when_stopped, restore
from snnlab.system import missing, provide_home
from snnlab.verbs import arguments_class, verbs

QUICKSTART = """\
snnlab {version}: train and measure spiking neural networks

  snnlab train                                 train a small network on event streams of digits (2 minutes)
  snnlab list                                  what can be combined: data sets, models, neurons, losses, ...
  snnlab show +experiment=quickstart loss=tet  a whole configuration, with the file each value comes from

snnlab --help lists all commands; snnlab <command> --help shows examples.
"""


# They have no end of their own, so they end with their reader.
FOLLOWING = (["log"], ["runs"])
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# What is wrong with a disk, a folder or a name rather than with snnlab.
DISK_ERRORS = (
    *FULL,
    errno.EACCES,
    errno.EEXIST,  # a file, or a link to nothing, where a folder belongs
    errno.EIO,
    errno.EISDIR,
    errno.ELOOP,
    errno.EMFILE,
    errno.ENAMETOOLONG,
    errno.ENFILE,
    errno.ENOTDIR,
    errno.ENOTEMPTY,
    errno.EPERM,
    errno.EROFS,
    errno.ESTALE,
)


class Parser(argparse.ArgumentParser):
    """argparse with our form of errors."""

    def error(self, message: str) -> NoReturn:
        _, unknown, rest = message.partition("unrecognized arguments: ")
        option = rest.partition(" ")[0].partition("=")[0].lstrip("-")
        known = [name.lstrip("-") for name in self._option_string_actions if name.startswith("--")]
        hint = f"{self.prog} --help shows what it takes, with examples"
        if unknown and (guess := closest(option, known)):
            message += f". Did you mean '--{guess}'?"
        elif unknown and any(action.dest == "overrides" for action in self._actions):
            hint = f"settings are written without dashes, as {_as_setting(option, self.prog)}; {hint}"
        raise ConfigError(message, hint)


def _as_setting(option: str, prog: str) -> str:
    """How the setting that was given as an option is written; names no key that there is not."""
    from snnlab.config.arguments import arguments_of
    from snnlab.config.dashed import setting_of

    kind = arguments_class(prog.rpartition(" ")[2])
    return f"{setting_of(option, arguments_of(kind) if kind else ()) or 'key'}=<value>"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code; Python reports an unexpected exception (code 1)."""
    # Pictures are drawn into files; a notebook's MPLBACKEND may name a module that is not installed here.
    os.environ["MPLBACKEND"] = "agg"
    _import_nothing_from_here()
    previous = raise_when_stopped()
    try:
        if lacking := missing():
            raise SnnlabError(
                f"this system has no {', '.join(lacking)}",
                "snnlab runs on Linux and macOS, on Windows in WSL or a container",
            )
        if argv is None:
            provide_home()
            watch()
            if sys.argv[1:2] not in FOLLOWING:
                go_on_unheard()
        code = _dispatch(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except SnnlabError as error:
        _print_error(error)
        return error.exit_code
    except BrokenPipeError:
        silence(sys.stdout)  # the reader (such as `head`) has left
        return 0
    except Exception as error:
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            if error.filename is None:
                _name_full_output(error)
            mistake = _disk_error(error)
        elif (memory := as_memory_error(error)) is not None:
            mistake = memory
        elif (own := as_own_mistake(error)) is not None:
            mistake = own
        else:
            raise
        _print_error(mistake)
        return mistake.exit_code
    except KeyboardInterrupt as stop:
        # Nothing that follows, up to the end of the process, may be cut short by a further signal.
        handle_stop_signals(signal.SIG_IGN)
        print(f"interrupted by {stop}" if str(stop) else "interrupted", file=sys.stderr)
        return PREEMPTED
    finally:
        if argv is not None:
            restore(previous)
    return code


def _import_nothing_from_here() -> None:
    """Keeps the current directory off Python's path in the processes that this one starts.

    They are started with `python -m`, which puts it first: a `yaml.py` in an unpacked archive would be imported. A
    clone that is run in place has no other path to itself.
    """
    with suppress(FileNotFoundError):  # a directory that was removed
        if sys.path[:1] not in ([""], [os.getcwd()]):
            os.environ["PYTHONSAFEPATH"] = "1"


def _dispatch(argv: list[str]) -> int:
    if not argv:
        print(QUICKSTART.format(version=snnlab.__version__), end="")
        return 0
    name, *rest = argv
    if name in ("-h", "--help", "help"):
        return _dispatch([rest[0], "--help"]) if rest else _print_help()
    if name in ("-V", "--version"):
        print(f"snnlab {snnlab.__version__}")
        return 0
    if name not in (known := verbs()):
        guess = did_you_mean(name, known)
        raise ConfigError(f"unknown command '{name}'{guess}", f"commands: {', '.join(known)}")
    module = importlib.import_module(f"snnlab.verbs.{name}")
    parser = Parser(
        prog=f"snnlab {name}",
        description=module.__doc__,
        epilog="examples:\n" + "\n".join(f"  {line}" for line in module.EXAMPLES),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    parser.set_defaults(main=main)  # a sweep and a table start further commands
    try:
        args = parser.parse_intermixed_args(rest)
    except SystemExit as leave:  # after --help
        return int(leave.code or 0)
    code: int = module.run(args)
    return code


def _print_help() -> int:
    print("usage: snnlab <command> [options] [overrides]\n\ncommands:")
    for name, text in verbs().items():
        print(f"  {name:12}{text}")
    print(
        "\nOverrides are Hydra's: +experiment=quickstart, neuron=plif, neuron.threshold=0.5, seed=1."
        "\n\nexamples:"
        "\n  snnlab train +experiment=quickstart"
        "\n  snnlab train -m +experiment=quickstart loss=sdt,tet,tmc seed=0,1,2"
        "\n  snnlab list neuron"
        "\n  snnlab train --help"
    )
    return 0


def _disk_error(error: OSError) -> SnnlabError:
    # Of a file that could not be renamed, the name that it should have got.
    name = error.filename2 or error.filename
    place = f"{name}: " if name else ""
    hint = "paths.runs=DIR and paths.data=DIR name other places for runs and data"
    if error.errno == errno.EISDIR:
        hint = "name a file in it"
    elif error.errno in (errno.EACCES, errno.EPERM):
        hint = f"this user may not read or write there; {hint}"
    elif error.errno in FULL:
        hint = f"make room and repeat the command, a run continues from its last checkpoint; {hint}"
    return SnnlabError(f"{place}{error.strerror}", hint)


def _name_full_output(error: OSError) -> None:
    """Gives an error without a file its name if it is the output that is full: an empty line does not fit either."""
    try:
        os.write(sys.__stdout__.fileno() if sys.__stdout__ else 1, b"\n")
    except OSError:
        error.filename = "standard output"
        silence(sys.stdout)


def _print_error(error: SnnlabError) -> None:
    for label, text in (("error", error.message), ("hint", error.hint)):
        if text:
            # What a file says may hold a terminal's control characters.
            shown = "".join(one if one.isprintable() else "?" for one in " ".join(text.split()))
            print(f"{label}: {shown}", file=sys.stderr)
