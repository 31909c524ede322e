# SPDX-License-Identifier: LGPL-2.1-or-later
"""Interactive shells on a terminal of their own, and what they offer when the tab key is pressed.

A shell reads keys as it does from a person, so it splits the line itself. A key that follows the
tab makes it report, on a pipe, what was offered and what the line has become.
"""

import contextlib
import os
import pathlib
import pty
import select
import shlex
import shutil
import subprocess
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parent.parent
SOURCE = TESTS.parent / "completion"
BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"
# Since bash-completion 2.12 the functions of earlier versions are in a file among other programs'.
BASH_COMPAT = pathlib.Path("/etc/bash_completion.d/000_bash_completion_compat.bash")

TAB, REPORT = "\t", "\x14"  # the second is control-T
FIELD, END = "\0", "\x1e"
DEADLINE = 600

# What was offered is kept as it is returned; the tab does its work as ever.
BASH = r"""
source {library}
source {source}/bash/tdx-onlined
offered() {{ _tdx_onlined "$@"; OFFERED=("${{COMPREPLY[@]}}"); }}
complete -F offered tdx-onlined tdx-onlinectl
report() {{
	printf '%s\0' "$READLINE_LINE" "${{OFFERED[@]}}" >&{pipe}
	printf '\036' >&{pipe}
	OFFERED=() READLINE_LINE= READLINE_POINT=0
}}
bind 'set bell-style none' 'set completion-query-items 0' 'set page-completions off'
bind -x '"\C-t": report'
printf '\036' >&{pipe}
"""

# What is added as a match is noted; what is only looked at is not.
ZSH = r"""
fpath=({source}/zsh $fpath)
autoload -U compinit
compinit -u -D
typeset -gaU OFFERED
compadd() {{
	if [[ ${{@[1,(i)(-|--)]}} != *-(O|A|D)\ * ]]; then
		local -a offered_now
		builtin compadd -O offered_now "$@"
		OFFERED+=("${{offered_now[@]}}")
	fi
	builtin compadd "$@"
}}
report() {{
	print -rnu {pipe} -- "$BUFFER"$'\0'
	(($#OFFERED)) && printf '%s\0' "${{OFFERED[@]}}" >&{pipe}
	print -nu {pipe} '\036'
	OFFERED=()
	BUFFER=
}}
zle -N report
bindkey '^T' report
bindkey '^I' complete-word
setopt no_beep no_auto_list
print -nu {pipe} '\036'
"""


class Shell:
    """A shell in a directory, where `tdx-onlined` and `tdx-onlinectl` are these programs.

    The captured machines are in `sysroots`, so what a test types does not depend on the name of the
    checkout.
    """

    COMMANDS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
    SETUP = {"bash": BASH, "zsh": ZSH}

    def __init__(self, name, *programs):
        self.stack = contextlib.ExitStack()
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tdx-onlined-"))
        self.stack.callback(shutil.rmtree, self.directory)
        (self.directory / "bin").mkdir()
        for link, program in zip(("tdx-onlined", "tdx-onlinectl"), programs):
            (self.directory / "bin" / link).symlink_to(pathlib.Path(program).resolve())
        (self.directory / "sysroots").symlink_to(TESTS / "sysroots")
        (self.directory / "compat").mkdir()
        if BASH_COMPAT.exists():
            (self.directory / "compat" / BASH_COMPAT.name).symlink_to(BASH_COMPAT)
        self.terminal, terminal = pty.openpty()
        self.reports, pipe = os.pipe()
        setup = self.directory / "setup"
        setup.write_text(self.SETUP[name].format(
            source=shlex.quote(str(SOURCE)), library=BASH_COMPLETION, pipe=pipe))  # fmt: skip
        environment = {
            "HOME": str(self.directory), "TERM": "dumb", "LC_ALL": "C.UTF-8", "INPUTRC": "/dev/null",
            "BASH_COMPLETION_COMPAT_DIR": f"{self.directory}/compat",  # no other program's completion
            "PATH": f"{self.directory}/bin:{os.environ['PATH']}"}  # fmt: skip
        self.process = subprocess.Popen(self.COMMANDS[name], stdin=terminal, stdout=terminal,
                                        stderr=terminal, cwd=self.directory, env=environment,
                                        pass_fds=[pipe], start_new_session=True)  # fmt: skip
        os.close(terminal)
        os.close(pipe)
        self.output = b""
        self.type("source ./setup\n")
        self.read()

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)
        os.close(self.reports)
        self.stack.close()

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def read(self):
        """The fields of the next report. What the terminal shows meanwhile is for failures."""
        report, deadline = b"", time.monotonic() + DEADLINE
        while not report.endswith(END.encode()):
            ready, _, _ = select.select([self.reports, self.terminal], [], [], deadline - time.monotonic())
            if not ready:
                raise AssertionError(f"no report; the terminal shows {self.output!r}")
            if self.terminal in ready:
                self.output += os.read(self.terminal, 65536)
            if self.reports in ready:
                report += os.read(self.reports, 65536)
        return report.decode().removesuffix(END).split(FIELD)[:-1]

    def complete(self, line):
        """What is offered for the line, and what becomes of it."""
        self.output = b""
        self.type(line + TAB + REPORT)
        after, *offered = self.read()
        return {word for word in offered if word}, after
