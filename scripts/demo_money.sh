# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# demo_money.sh -- the third day of scripts/demo: bills, water and their
# money.  Sourced by it; uses its call, get, say, show and die, and what it
# knows.  To see the next morning it moves the clock of the instance, which
# stays ahead by that day.
# shellcheck disable=SC2154

# move_clock_to HH MM: forward to that time of the next day in China.
move_clock_to() {
	local now=$(($(date +%s) * 1000 + $(ahead))) day ms i bytes=

	day=$(((now + 28800000) / 86400000 * 86400000 - 28800000))
	ms=$(($(ahead) + day + 86400000 + ($1 * 60 + $2) * 60000 - now))
	for i in 0 8 16 24 32 40 48 56; do
		printf -v bytes '%s\\x%02x' "$bytes" $((ms >> i & 255))
	done
	# In one write and in place: all programs have it mapped.
	printf '%b' "$bytes" | dd of="$dir/clock" bs=8 count=1 conv=notrunc \
	    status=none
}

# payment_comes STATE TOKEN: wait until the payment has come so far.
payment_comes() {
	for _ in $(seq 300); do
		call 200 GET "/api/v1/payments/$payment" "$2"
		[ "$(get .state)" = "$1" ] && return 0
		sleep 0.1
	done
	die "the payment is $(get .state), not $1"
}

# The bills of a month for the resident's dwelling, as the payee's program
# writes them; each run of the demo has an account number of its own.
bills_file() {
	local where number

	number=demo-$(date +%s)
	where=$(jq -r '.residents[0].place' "$demo" | tr ' ' ',')
	cat <<CSV
户号,户名,小区,楼栋,单元,房号,费用类型,项目,账期,上期读数,本期读数,用量,单价,金额,应缴日期,备注
$number,王桂兰,$where,物业费,物业服务费,$1,,,98.5,1.20,118.20,$2,
$number,王桂兰,$where,停车费,地面车位,$1,,,1,50,50.00,$2,
CSV
}

# Sets `batch`: the file is brought, looked at and applied.
bring_bills() {
	local file got

	file=$(mktemp --suffix=.csv)
	bills_file "$(at 0 | cut -c1-7)" "$(at 1209600 | cut -c1-10)" >"$file"
	got=$(curl -sS -o "$reply" -w '%{http_code}' -X POST \
	    -H "Authorization: Bearer $clerk" -F "payee_id=$payee" \
	    -F "file=@$file;type=text/csv" "$base/api/v1/bill-batches") ||
	    die "nobody answers at $base"
	rm -f "$file"
	case $got in
	20*)	;;
	*)	die "the bills: status $got" ;;
	esac
	batch=$(get .id)
	call 200 GET "/api/v1/bill-batches/$batch" "$clerk"
	show "$(get '"\(.bills) bills, \(.unmatched) without a dwelling, ¥\(.total_fen/100)"')"
	[ "$(get .state)" = checked ] || die "the file is $(get .state)"
	call 200 POST "/api/v1/bill-batches/$batch/apply" "$clerk" '{}'
}

pay_together() {
	local bills prepay

	call 200 GET '/api/v1/bills?state=open&limit=100' "$mother"
	get '.items[0:2][] | "      \(.kind_label // .kind) \(.period)"'
	bills=$(jq -c '[.items[0:2][]|{kind:"bill",id:.id}]' "$reply")
	[ "$(jq length <<<"$bills")" = 2 ] || die 'there are no two bills'
	call 201 POST /api/v1/water/orders "$mother" \
	    "{\"station_id\":\"$station\",\"address_id\":\"$address\",
	    \"items\":[{\"product_id\":\"$product\",\"quantity\":1}],
	    \"payment\":\"online\"}"
	order=$(get .id)
	show "water: $(get '"\(.state_label) ¥\(.total_fen/100)"')"
	call 200 GET '/api/v1/station/orders?limit=100' "$merchant"
	[ "$(get ".items|map(.id)|index(\"$order\")")" = null ] ||
	    die 'the station sees what nobody has paid'

	say 'Two bills and the water in one payment'
	call 201 POST /api/v1/payments "$mother" "$(jq -c --arg o "$order" \
	    '{things: (. + [{kind:"water_order",id:$o}])}' <<<"$bills")"
	payment=$(get .payment.id)
	prepay=$(get '.wechat.package | sub("prepay_id="; "")')
	show "¥$(get '.payment.total_fen/100'), $(get .wechat.signType)"
	wechat payments "{\"prepay_id\":\"$prepay\",\"result\":\"paid\"}" \
	    >/dev/null
	payment_comes paid "$mother"
	show "$(get '"\(.state_label // .state) \(.paid_at)"')"
}

# The runner does it at this minute too: who comes second is told to wait.
reconcile() {
	local got

	for _ in $(seq 100); do
		got=$(curl -sS -o "$reply" -w '%{http_code}' -X POST \
		    -H "Authorization: Bearer $admin" \
		    "$base/api/v1/reconciliations/$1/run") ||
		    die "nobody answers at $base"
		[ "$got" = 503 ] || break
		sleep 0.2
	done
	[ "$got" = 200 ] || die "the day cannot be reconciled: status $got"
}

next_morning() {
	local date admin

	date=$(TZ=CST-8 date -d "@$(($(date +%s) + $(ahead) / 1000))" +%F)
	if [ ! -s "$dir/clock" ]; then
		say "The day is reconciled tomorrow at ten past ten by itself"
		return 0
	fi
	say "The next morning: WeChat's statement of $date"
	move_clock_to 10 15
	admin=$(staff_login "$(account_of admin)")
	reconcile "$date"
	show "$(get '"\(.payments) payments ¥\(.paid_fen/100), \(.refunds) refunds ¥\(.refunded_fen/100), fee ¥\(.fee_fen/100)"')"
	[ "$(get .open)" = 0 ] || die 'there are differences'
	call 200 GET "/api/v1/reconciliations/$date/settlement" "$admin"
	get '.items[] | "      \(.payee): ¥\(.net_fen/100)"'
	say 'No difference: the day is closed and signed'
	call 200 POST "/api/v1/reconciliations/$date/close" "$admin" '{}'
	show "$(get '"\(.state) \(.closed_by) \(.sha256[0:16])"')"
	call 409 POST "/api/v1/reconciliations/$date/close" "$admin" '{}'
	call 204 DELETE /api/v1/sessions/current "$admin"
}

third_day() {
	local mother merchant clerk payee batch order payment account

	echo 'The third day: money'
	mother=$(wechat_login "$openid")
	merchant=$(staff_login "$(account_of merchant "$station")")
	account=$(jq -r --arg c "$community" 'first(.payees[] |
	    select((.community|tostring)==$c) | .account)' "$demo")
	say 'The property company brings the bills of the month'
	call 201 POST /api/v1/sessions/staff '' "$(jq -c --arg a "$account" \
	    'first(.payees[]|select(.account==$a))|{account,password}' \
	    "$demo")"
	clerk=$(get .token)
	payee=$(jq -r --arg a "$account" \
	    'first(.payees[]|select(.account==$a))|.payee' "$demo")
	bring_bills

	say 'The resident sees them, and orders water to be paid online'
	pay_together
	say 'Now the station has the order; the resident does not want it'
	call 200 GET "/api/v1/water/orders/$order" "$merchant"
	call 200 POST "/api/v1/water/orders/$order/cancel" "$mother" \
	    '{"reason":"明天再要"}'
	for _ in $(seq 300); do
		call 200 GET "/api/v1/payments/$payment" "$mother"
		[ "$(get '[.refunds[].state]|join(" ")')" = 'done' ] && break
		sleep 0.1
	done
	[ "$(get '[.refunds[].state]|join(" ")')" = 'done' ] ||
	    die 'the money of the water is not back'
	show "back: $(get '"¥\(.refunds[0].amount_fen/100), \(.refunds[0].reason)"')"
	call 200 GET "/api/v1/payments/$payment/receipt" "$mother"
	show "receipt $(get .number)"

	# Who works at a desk is not logged in any more the next morning.
	call 204 DELETE /api/v1/sessions/current "$clerk"
	call 204 DELETE /api/v1/sessions/current "$merchant"
	call 204 DELETE /api/v1/sessions/current "$mother"
	next_morning
}
