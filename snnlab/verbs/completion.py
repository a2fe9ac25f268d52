"""Print a completion script for bash, zsh or fish: commands, groups, choices, keys and experiments.

bash: `eval "$(snnlab completion bash)"` in ~/.bashrc; zsh: the same in ~/.zshrc, after compinit;
fish: `snnlab completion fish > ~/.config/fish/completions/snnlab.fish`.
"""

import argparse

from snnlab.errors import SnnlabError
from snnlab.verbs._shells import SHELLS

EXAMPLES = (
    'eval "$(snnlab completion bash)"',
    'eval "$(snnlab completion zsh)"',
    "snnlab completion fish | source",
    'snnlab completion --query "snnlab train neuron="',
)
BASH = r"""
_snnlab() {
    local word="${COMP_LINE:0:COMP_POINT}"
    word="${word##* }"
    local IFS=$'\n'
    COMPREPLY=($(snnlab completion --query "${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
    case "${COMPREPLY[*]}" in *=|*.|*/) compopt -o nospace 2>/dev/null ;; esac
    if [[ "$word" == *=* && "$COMP_WORDBREAKS" == *=* ]]; then
        COMPREPLY=("${COMPREPLY[@]#*=}")
    fi
}
complete -o default -F _snnlab snnlab
"""
ZSH = r"""
_snnlab() {
    local -a found
    found=(${(f)"$(snnlab completion --query "${BUFFER[1,CURSOR]}" 2>/dev/null)"})
    compadd -S '' -- $found
}
compdef _snnlab snnlab
"""
FISH = r"""
complete -c snnlab -f -a '(snnlab completion --query (commandline -cp | string collect) 2>/dev/null)'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds this command's arguments."""
    parser.add_argument("shell", nargs="?", choices=SHELLS, default="bash")
    parser.add_argument("--query", metavar="LINE", help="print the candidates for the last word of this line")


def run(args: argparse.Namespace) -> int:
    """Prints the script, or the candidates."""
    if args.query is None:
        print({"bash": BASH, "zsh": ZSH, "fish": FISH}[args.shell].strip())
        return 0
    from snnlab.verbs._candidates import candidates

    try:
        found = candidates(args.query)
    except SnnlabError:
        return 0
    print("\n".join(found))
    return 0
