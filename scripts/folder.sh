# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # what run sets
# shellcheck disable=SC2034 # what run and components.sh use
#
# folder.sh -- the folder of an instance of scripts/run, and its planet.conf.
# Sourced by run after lib.sh.  Takes $dir, $port and $db as they were given;
# sets $conf, $run_dir, $generation, $base_url, $standin_port, $standin_url.

# One instance on a folder.  After an instance was killed, its keepers hold
# the lock until all is swept up.
lock()
{
	exec 9>>"$dir/run/lock"
	flock -n 9 && return
	if running "$(cat "$dir/run/run.pid" 2>/dev/null || echo none)"; then
		die "already runs on $dir (process $(cat "$dir/run/run.pid"))"
	fi
	say "waiting for what is left of the last instance on $dir"
	flock -w 60 9 || die "the last instance on $dir does not end"
}

# A folder that others may pass through, for nginx's own account.
open_folder()
{
	[ -d "$1" ] || (umask 066 && mkdir -p "$1")
	[ "$1" = "$dir" ] || chmod o+x "$1"
}

make_folders()
{
	open_folder "$dir"
	dir=$(cd "$dir" && pwd -P)
	check_values
	open_folder "$dir/run"
	# A body that is too large for memory waits here.
	open_folder "$dir/nginx"
	open_folder "$dir/nginx/tmp"
	umask 077
	mkdir -p "$dir/log" "$dir/redis"
	conf=$dir/planet.conf
}

make_secret()
{
	[ -e "$dir/wechat.secret" ] ||
	    od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$dir/wechat.secret"
	[ -e "$dir/push.key" ] ||
	    head -c 32 /dev/urandom | base64 | tr -d '=\n' >"$dir/push.key"
}

make_conf()
{
	[ ! -e "$conf" ] || return 0
	# Eight bytes: milliseconds ahead, none yet.
	[ -e "$dir/clock" ] || head -c 8 /dev/zero >"$dir/clock"
	cat >"$conf" <<'TEXT'
; Written once by scripts/run; change what you like and --reload.
; planetctl conf-sample prints every key with its default.

[server]
listen = 127.0.0.1:8080
run_dir = run
; scripts/demo sees the next morning by it; take it out to be of use.
clock_file = clock

[database]
db = sqlite:planet.db

[redis]
; Another Redis than this socket is left to you to start.
redis = unix:run/redis.sock

[wechat]
; http://127.0.0.1:... is the stand-in, which scripts/run starts.
wechat_url = http://127.0.0.1:0
wechat_appid = wx0123456789abcdef
wechat_secret_file = wechat.secret
wechat_state = developer
; What WeChat pushes to /api/v1/wechat/push; the key stands in push.key.
push_token = standinpush
push_aes_key_file = push.key

[pay]
; Written for the stand-in; with another pay_url all is left to you.
pay_url = http://127.0.0.1:0

[templates]
order_progress = standin-order-progress
order_todo = standin-order-todo
roll_call = standin-roll-call
bill_due = standin-bill-due

[keys]
keys_file = planet.keys
TEXT
}

# What was given on the command line holds from now on.
apply_arguments()
{
	local listen

	if [ -n "$port" ]; then
		listen=$(conf_get "$conf" listen 127.0.0.1:8080)
		case $listen in
		*:*)	listen=${listen%:*}:$port ;;
		*)	listen=127.0.0.1:$port ;;
		esac
		conf_set "$conf" server listen "$listen"
	fi
	if [ -n "$db" ]; then
		case $db in
		sqlite:[!/]*)	db=sqlite:$start_folder/${db#sqlite:} ;;
		esac
		conf_set "$conf" database db "$db"
	fi
}

# A socket's name has at most 107 bytes, and nginx's account must reach it.
sockets_fit()
{
	local name="$1/slow-1000.sock"

	[ "$(printf %s "$name" | wc -c)" -le 107 ] || return 1
	[ "$(id -u)" -ne 0 ] || setpriv --reuid=www-data --regid=www-data \
	    --clear-groups test -x "$1"
}

# Where they cannot lie in DIR/run, they get a short folder of their own.
short_run_dir()
{
	local base=${XDG_RUNTIME_DIR:-/tmp} short

	[ "$(id -u)" -ne 0 ] || base=/run
	short=$base/planet-$(id -u)-$(printf %s "$dir" | cksum | cut -d' ' -f1)
	open_folder "$short"
	if [ -L "$short" ] || [ ! -O "$short" ]; then
		die "$short belongs to somebody else"
	fi
	echo "$short"
}

absolute_run_dir()
{
	local value

	value=$(conf_get "$conf" run_dir run)
	case $value in
	/*)	echo "$value" ;;
	*)	echo "$dir/$value" ;;
	esac
}

# Sets run_dir and generation, and the keys that name it unless they are
# the user's.
choose_run_dir()
{
	local value

	value=$(conf_get "$conf" run_dir run)
	case $value in
	run | */planet-"$(id -u)"-*)
		value=run
		sockets_fit "$dir/run" || value=$(short_run_dir) ;;
	esac
	conf_set "$conf" server run_dir "$value"
	case $(conf_get "$conf" redis '') in
	unix:run/redis.sock | unix:*/planet-"$(id -u)"-*/redis.sock)
		conf_set "$conf" redis redis "unix:$value/redis.sock" ;;
	esac
	run_dir=$(absolute_run_dir)
	open_folder "$run_dir"
	sockets_fit "$run_dir" || die "run_dir is too long: $run_dir"
	generation=$(conf_get "$conf" generation 0)
}

# Sets host and port of `listen` as one reaches them from here.
choose_address()
{
	local listen

	listen=$(conf_get "$conf" listen 127.0.0.1:8080)
	port=${listen##*:}
	host=${listen%:*}
	case $host in
	"$listen" | 0.0.0.0 | '*' | '[::]')	host=127.0.0.1 ;;
	esac
	base_url=http://$host:$port
	if port_answers "${host//[\[\]]/}" "$port"; then
		die "port $port of $host is taken; choose another with --port"
	fi
}

# The stand-in keeps its port from start to start when it can.
choose_standin()
{
	local url

	url=$(conf_get "$conf" wechat_url '')
	case $url in
	http://127.0.0.1:*)	standin_port=${url##*:} ;;
	*)			standin_port=''; return ;;
	esac
	[ "$standin_port" -ne 0 ] || standin_port=$((18000 + port % 2000))
	while [ "$standin_port" -eq "$port" ] ||
	    port_answers 127.0.0.1 "$standin_port"; do
		standin_port=$((standin_port + 1))
	done
	standin_url=http://127.0.0.1:$standin_port
	conf_set "$conf" wechat wechat_url "$standin_url"
}

# The merchant whose keys the stand-in has made, unless the user has another.
choose_pay()
{
	local keys=standin-pay name

	case $(conf_get "$conf" pay_url '')+$(conf_get "$conf" pay_mchid '') in
	+ | http://127.0.0.1:*) ;;
	*)	return 0 ;;
	esac
	for name in \
	    "pay_url $standin_url" \
	    'pay_mchid 1900000109' \
	    "pay_serial $(cat "$dir/$keys/merchant.serial")" \
	    "pay_key_file $keys/apiclient_key.pem" \
	    "pay_apiv3_file $keys/apiv3.key" \
	    "pay_platform_dir $keys/platform-keys" \
	    "pay_notify_url $base_url"; do
		conf_set "$conf" pay "${name%% *}" "${name#* }"
	done
}

keep_log_small()
{
	local log=$dir/log/planet.log

	touch "$log"
	if [ "$(stat -c %s "$log")" -gt 67108864 ]; then
		mv "$log" "$log.1"
		touch "$log"
	fi
}
