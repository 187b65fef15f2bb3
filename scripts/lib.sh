# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# lib.sh -- what several scripts here need: words, the build, planet.conf.
# Sourced by bash; sets `top`, the folder of the source tree.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
me=${0##*/}
# Debian's nginx is where only root's PATH looks.
PATH=$PATH:/usr/sbin

say()
{
	printf '%s: %s\n' "$me" "$*"
}

warn()
{
	printf '%s: %s\n' "$me" "$*" >&2
}

die()
{
	warn "$*"
	exit 1
}

# --- The build -------------------------------------------------------------

# build_in FOLDER [CONFIGURE ARGUMENTS]: make everything there.  Quick when
# nothing changed; one at a time in a source tree.
build_in()
{
	local folder=$1

	shift
	(
		exec 8<"$top/configure.ac"
		flock 8
		make_configure 8<&- && mkdir -p "$folder" && cd "$folder" &&
		    configure_here "$@" 8<&- && make -s -j "$(nproc)" 8<&-
	) >&2
}

make_configure()
{
	[ -x "$top/configure" ] || (cd "$top" && autoreconf -fi)
}

configure_here()
{
	[ -f config.status ] || "$top/configure" -q "$@"
}

# The usual build: in build/run, unless the tree itself has been configured.
# The programs are found at the top either way.
build()
{
	local program

	if [ -f "$top/config.status" ]; then
		build_in "$top"
		return
	fi
	build_in "$top/build/run" || return
	for program in planet-worker planet-jobs planetctl; do
		ln -sfn "build/run/$program" "$top/$program"
	done
}

# --- planet.conf -----------------------------------------------------------
# A key stands once in the file, whatever its section.

# conf_get FILE KEY DEFAULT
conf_get()
{
	awk -v key="$2" -v value="$3" '
		match($0, /^[ \t]*[a-z0-9_]+[ \t]*=/) {
			name = substr($0, 1, RLENGTH - 1)
			gsub(/[ \t]/, "", name)
			if (name != key)
				next
			value = substr($0, RSTART + RLENGTH)
			sub(/[ \t];.*/, "", value)
			gsub(/^[ \t]+|[ \t\r]+$/, "", value)
		}
		END { print value }
	' "$1"
}

# conf_set FILE SECTION KEY VALUE: change this line, or add it; the rest
# stays as the user wrote it.
conf_set()
{
	value=$4 awk -v section="[$2]" -v key="$3" '
		BEGIN { new = key " = " ENVIRON["value"] }
		match($0, /^[ \t]*[a-z0-9_]+[ \t]*=/) {
			name = substr($0, 1, RLENGTH - 1)
			gsub(/[ \t]/, "", name)
			if (name == key) {
				$0 = new
				done = 1
			}
		}
		{ line[NR] = $0 }
		END {
			for (i = 1; i <= NR; i++) {
				print line[i]
				if (!done && index(line[i], section) == 1) {
					print new
					done = 1
				}
			}
			if (!done)
				print section "\n" new
		}
	' "$1" >"$1.new"
	chmod --reference="$1" "$1.new"
	mv "$1.new" "$1"
}

# --- Waiting ---------------------------------------------------------------

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for()
{
	local tries=$(($1 * 20))

	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.05
	done
}

# Whether somebody listens on HOST PORT.
port_answers()
{
	(exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}
