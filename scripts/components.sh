# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # what run sets
#
# components.sh -- what scripts/run starts, how, and in which order it stops.
# Sourced by run after lib.sh.  Uses $dir, $conf, $run_dir (sockets) and
# $programs (the folder of ours).
#
# Each component has a keeper (scripts/keep), a child of ours, that starts it
# again when it dies.  Names: redis, standin, api, slow, jobs, nginx.

declare -A keepers=()	# name -> process id of its keeper
listener=()		# words before a command that open its socket

note()
{
	printf '%-9s| %(%Y-%m-%dT%H:%M:%S%z)T %s\n' run -1 "$*" \
	    >>"$dir/log/planet.log"
}

# as NAME: lines of standard input as the log has them.
as()
{
	sed -e "s/^/$(printf '%-9s' "$1")| /"
}

running()
{
	kill -0 "$1" 2>/dev/null
}

gone()
{
	! running "$1"
}

# Our pause: a signal ends it.
nap()
{
	sleep "$1" 9>&- &
	wait $! || true
}

# --- Starting --------------------------------------------------------------

# keep NAME SIGNAL SECONDS COMMAND...: becomes the keeper.  The kernel ends
# it should we be killed.
keep()
{
	local name=$1 signal=$2 patience=$3

	shift 3
	exec setsid setpriv --pdeathsig TERM -- \
	    "${listener[@]}" "$top/scripts/keep" "$name" "$signal" \
	    "$patience" "$dir" "$@"
}

keep_redis()
{
	keep redis TERM 30 redis-server --port 0 \
	    --unixsocket "$run_dir/redis.sock" --unixsocketperm 600 \
	    --dir "$dir/redis" --appendonly yes --save '' \
	    --daemonize no --always-show-logo no
}

keep_standin()
{
	local clock more=()

	clock=$(conf_get "$conf" clock_file '')
	case $clock in
	'')	;;
	/*)	more=(--clock-file "$clock") ;;
	*)	more=(--clock-file "$dir/$clock") ;;
	esac
	keep standin TERM 5 node "$top/tests/standin/standin.mjs" \
	    --port "$standin_port" --state "$dir/standin.json" \
	    --appid "$(conf_get "$conf" wechat_appid '')" \
	    --secret "$(cat "$dir/wechat.secret")" \
	    --pay-dir "$dir/standin-pay" "${more[@]}"
}

# Name of the socket of a pool.
socket()
{
	echo "$run_dir/$1-$generation.sock"
}

# listen_on SOCKET: sets the words that open it for what follows them.
# nginx's own account must reach it when we are root.
listen_on()
{
	listener=(spawn-fcgi -n -s "$1" -M 0660)
	if [ "$(id -u)" -eq 0 ]; then
		listener+=(-G www-data)
	fi
	listener+=(--)
}

# The socket is there before the worker and stays while it is started again.
keep_worker()
{
	local drain

	listen_on "$(socket "$1")"
	drain=$(conf_get "$conf" drain_ms 10000)
	keep "$1" TERM $((drain / 1000 + 20)) \
	    "$programs/planet-worker" --config "$conf" --pool "$1"
}

# launch NAME: start the keeper of a component.
launch()
{
	(
		case $1 in
		redis)		keep_redis ;;
		standin)	keep_standin ;;
		api | slow)	keep_worker "$1" ;;
		jobs)		keep jobs TERM 30 \
				    "$programs/planet-jobs" --config "$conf" ;;
		nginx)		keep nginx QUIT 15 nginx -e stderr \
				    -p "$dir/nginx" -c nginx.conf ;;
		esac
	) </dev/null >/dev/null 2>>"$dir/log/planet.log" &
	keepers[$1]=$!
	note "starts $1"
}

# Whether a worker answers on this socket.
worker_answers()
{
	env -i REQUEST_METHOD=GET DOCUMENT_URI=/healthz QUERY_STRING= \
	    REMOTE_ADDR=127.0.0.1 REQUEST_ID=00000000000000000000000000000000 \
	    "$(command -v timeout)" 5 "$(command -v cgi-fcgi)" \
	    -bind -connect "$1" </dev/null | grep -q '^Status: 200'
}

# come PROCESS SOCKET: wait until a worker answers there, as long as there
# is this process.
come()
{
	local tries=300

	while ! worker_answers "$2" 2>/dev/null; do
		tries=$((tries - 1))
		if [ "$tries" -eq 0 ] || gone "$1"; then
			return 1
		fi
		sleep 0.1
	done
}

# Print nginx's configuration to nginx.conf.new, and have nginx read it.
draft_nginx_conf()
{
	local file=$dir/nginx/nginx.conf.new

	"$programs/planetctl" --config "$conf" nginx >"$file" &&
	    nginx -q -t -e stderr -p "$dir/nginx" -c nginx.conf.new
}

# --- Ending ----------------------------------------------------------------

# Tell these to end, and wait until they have.
stop_these()
{
	local name

	for name; do
		[ -z "${keepers[$name]:-}" ] ||
		    kill -TERM "${keepers[$name]}" 2>/dev/null
	done
	for name; do
		while running "${keepers[$name]:-none}"; do
			wait "${keepers[$name]}"
		done
	done
}

# First who asks, then who answers, then who keeps.
stop_all()
{
	stop_these nginx
	stop_these api slow jobs
	stop_these standin
	stop_these redis
	rm -f "$(socket api)" "$(socket slow)"
	[ "$run_dir" = "$dir/run" ] || rmdir "$run_dir" 2>/dev/null
}

# --- Watching --------------------------------------------------------------

# A keeper itself has died: its component must be gone before the next one.
replace()
{
	local pid

	note "the keeper of $1 died, starting $1 again"
	pid=$(cat "$dir/run/$1.pid" 2>/dev/null || true)
	if [ -n "$pid" ] && ! wait_for 20 gone "$pid"; then
		kill -KILL -- "-$pid" 2>/dev/null || true
	fi
	launch "$1"
}

look_after()
{
	local name

	for name in "${!keepers[@]}"; do
		if gone "${keepers[$name]}"; then
			replace "$name"
		fi
	done
}

# --- Reload ----------------------------------------------------------------
# The keepers of workers and jobs start the new program on the same socket
# and then tell the old one to end.  That takes no new connection, serves
# what comes on those that nginx keeps, and nginx keeps none for longer than
# the old one waits.  nginx itself is told only when its configuration is
# another, because it cuts its idle clients when it reloads.

# Whether the new program comes up with planet.conf as it is now.
try_worker()
{
	local socket=$run_dir/try.sock pid status=0

	(
		listen_on "$socket"
		exec setsid setpriv --pdeathsig TERM -- "${listener[@]}" \
		    "$programs/planet-worker" --config "$conf" --pool api
	) </dev/null 9>&- &
	pid=$!
	come "$pid" "$socket" || status=1
	kill -TERM "$pid" 2>/dev/null || true
	while running "$pid"; do
		wait "$pid" || true
	done
	rm -f "$socket"
	return $status
}

pid_of()
{
	cat "$dir/run/$1.pid" 2>/dev/null || echo none
}

changed()
{
	[ "$(pid_of "$1")" != "$2" ]
}

renew()
{
	local old

	old=$(pid_of "$1")
	kill -USR1 "${keepers[$1]}" && wait_for 30 changed "$1" "$old"
}

turn_nginx()
{
	local file=$dir/nginx/nginx.conf

	if cmp -s "$file.new" "$file"; then
		rm "$file.new"
	else
		mv "$file.new" "$file"
		note 'nginx reads its new configuration'
		kill -HUP "$(pid_of nginx)"
	fi
}

# When something is wrong all stays as it is, and `reason` says what.
check_reload()
{
	reason='the sockets of planet.conf have other names, start anew'
	[ "$(conf_get "$conf" generation 0)" = "$generation" ] || return 1
	[ "$(absolute_run_dir)" = "$run_dir" ] || return 1
	reason='planet.conf is faulty, or the migration failed'
	"$programs/planetctl" --config "$conf" migrate || return 1
	reason='the new worker does not come up'
	try_worker || return 1
	reason='nginx does not take its new configuration'
	draft_nginx_conf || return 1
}

reload()
{
	local name

	note 'reloads'
	check_reload > >(as reload >>"$dir/log/planet.log") 2>&1 || return 1
	for name in api slow jobs; do
		reason="the new $name does not come up"
		renew "$name" || return 1
	done
	for name in api slow; do
		come "${keepers[$name]}" "$(socket "$name")" || return 1
	done
	# shellcheck disable=SC2034 # for run
	reason='nginx does not run'
	turn_nginx || return 1
	note 'reloaded'
}
