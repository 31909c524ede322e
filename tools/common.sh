# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Functions of tools/run, tools/test and tools/fuzz: cache folder, packages, build, progress. They
# source this file with the root of the repository in $top.

: "${top:?}"
PATH=$PATH:/usr/sbin:/sbin
: "${HOME:=/var/tmp/tdx-onlined-$(id -u)}"
export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$HOME/.cache}" # also for tests/vm
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
cache=$XDG_CACHE_HOME/tdx-onlined
program=$(basename "$0")

# Print the build dependencies in debian/control whose version and profile match REST, without debhelper:
# build_depends REST, a regular expression.
build_depends() {
	sed -n "/^Build-Depends:/,/^[^ B]/s/^ \([a-z0-9.-]*\)$1,\{0,1\}\$/\1/p" "$top/debian/control"
}

# shellcheck disable=SC2034 # used by the scripts that source this file
build_packages="gcc libc6-dev $(build_depends '\( ([^)]*)\)\{0,1\}')"

say() { echo "$program: $*"; }
die() { echo "$program: $*" >&2; exit 1; }

now() { date +%s; }
began=$(now)

# stage TITLE: end the last stage with its duration, and print a heading with the time since the
# start.
stage() {
	end_stage
	stage_began=$(now)
	printf '\n=== %s (at %s s)\n' "$*" "$((stage_began - began))"
}

end_stage() {
	[ ! "${stage_began:-}" ] || printf '    took %s s\n' "$(($(now) - stage_began))"
	stage_began=
}

# quietly WHAT COMMAND...: run a command and print a dot every two seconds; print its output if it
# fails.
quietly() {
	printf '    %s ' "$1"
	shift
	log=$(mktemp)
	(while sleep 2 >/dev/null && kill -0 $$ 2>/dev/null; do printf .; done) 8>&- &
	dots=$!
	status=0
	"$@" >"$log" 2>&1 </dev/null || status=$?
	kill "$dots"
	wait "$dots" 2>/dev/null || :
	if [ "$status" = 0 ]; then
		echo ' done'
	else
		echo " failed: $*"
		cat "$log"
	fi
	rm -f "$log"
	return "$status"
}

missing_packages() {
	for package; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			printf '%s ' "$package"
	done
}

# install_packages PURPOSE PACKAGE...: print which packages are missing, and install them.
install_packages() {
	purpose=$1
	shift
	command -v dpkg-query >/dev/null || die "this machine is not a Debian system; $purpose needs: $*"
	missing=$(missing_packages "$@")
	[ "$missing" ] || { say "$purpose: all packages are installed"; return 0; }
	say "$purpose needs these Debian packages, and will install them now: $missing"
	sudo=
	if [ "$(id -u)" != 0 ]; then
		sudo=sudo
		sudo true || die "run this as root, or as a user with sudo"
	fi
	quietly 'reading package lists' $sudo apt-get -q update || say 'the old package lists are used'
	# shellcheck disable=SC2086
	quietly 'installing' $sudo env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y --no-install-recommends install $missing
}

# build NAME OPTION...: configure and build in the directory $cache/NAME, which becomes $build. It
# is made again for another source tree, other options, or another Meson. $targets: build only
# these.
build() {
	build=$cache/$1
	shift
	key="$top $* ${CC:-} $(meson --version)"
	if [ "$key" != "$(cat "$build/.key" 2>/dev/null)" ]; then
		rm -rf "$build"
		quietly configuring meson setup "$build" "$top" "$@" || return
		echo "$key" >"$build/.key"
	fi
	# shellcheck disable=SC2086
	quietly building ninja --quiet -C "$build" ${targets:-}
}

# prepare_guest [NAME...]: make these kernels and root disks of test guests, or all of them, unless
# they are up to date. See tests/vm/prepare.
# shellcheck disable=SC2120 # tools/test passes no arguments
prepare_guest() {
	say "test guests need QEMU, Debian packages and, for all tests, two kernels that are compiled here:"
	say "at first 3 minutes, for all tests 20, and 1.2 GB in $cache, with 3 GB more in between"
	sh "$top/tests/vm/prepare" --cache="$cache" "$@" </dev/null
}

mkdir -p "$cache"
exec 8>"$cache/build.lock"
flock -n 8 || { say 'waiting for another run'; flock 8; }
