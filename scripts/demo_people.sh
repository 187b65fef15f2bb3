# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# demo_people.sh -- the second day of scripts/demo: people, homes and trust.
# Sourced by it; uses its call, get, say, show and die, and what it knows.
# shellcheck disable=SC2154

# phone_of TOKEN OPENID PHONE: prove a number by the button's code.
prove_phone() {
	local code
	code=$(wechat phone-codes "{\"phone\":\"$3\",\"openid\":\"$2\"}" |
	    jq -r .code)
	call 200 POST /api/v1/me/phone "$1" "{\"code\":\"$code\"}"
}

# upload FILE KIND TOKEN: a file to import, as the office's page sends it.
upload() {
	local got
	got=$(curl -sS -o "$reply" -w '%{http_code}' -X POST \
	    -H "Authorization: Bearer $3" -F "kind=$2" \
	    -F "file=@$1;type=text/csv" "$base/api/v1/imports") ||
	    die "nobody answers at $base"
	[ "$got" = 202 ] || die "the upload: status $got instead of 202"
}

# import_comes ID STATE TOKEN: wait until an import has come so far.
import_comes() {
	for _ in $(seq 200); do
		call 200 GET "/api/v1/imports/$1" "$3"
		[ "$(get .state)" = "$2" ] && return 0
		sleep 0.1
	done
	die "the import is $(get .state), not $2"
}

second_day() {
	local mother daughter clerk head mother_phone daughter_openid
	local daughter_phone file import helper mother_id unit call_id

	mother_phone=$phone
	daughter_openid=$(jq -r '.residents[1].openid' "$demo")
	daughter_phone=$(jq -r '.residents[1].phone' "$demo")
	clerk=$(staff_login "$(account_of clerk)")
	mother=$(wechat_login "$openid")

	echo 'The next day: the service hall'
	say 'The clerk brings the whole roster in GBK, as the spreadsheet saved it'
	file=$dir/demo-files/roster-$(jq -r --arg c "$community" \
	    '.duty[]|select(.community==$c).community_code' "$demo").csv
	upload "$file" roster "$clerk"
	import=$(get .id)
	import_comes "$import" checked "$clerk"
	show "$(get .rows) rows: added $(get .added), changed $(get .changed)"
	[ "$(get .added)" = 0 ] || die 'the roster that is there is new'
	say 'Somebody new has moved in: one row more'
	file=$(mktemp --suffix=.csv)
	iconv -f UTF-8 -t GBK >"$file" <<CSV
小区,楼栋,单元,房号,户号,姓名,性别,证件类型,证件号码,手机,与户主关系,居住性质,来源,登记日期,依据
$(jq -r '.residents[0].place' "$demo" | tr ' ' ','),9,周小满,女,身份证,520499199507070021,19999000001,户主,租住,走访,2026-06-02,法定职责
CSV
	upload "$file" roster "$clerk"
	import=$(get .id)
	import_comes "$import" checked "$clerk"
	show "added $(get .added), changed $(get .changed), same $(get .same)"
	[ "$(get .faults)" = 0 ] || die 'the roster has faults'
	call 202 POST "/api/v1/imports/$import/apply" "$clerk" '{}'
	import_comes "$import" applied "$clerk"
	say 'The same file again changes nothing'
	upload "$file" roster "$clerk"
	import_comes "$(get .id)" checked "$clerk"
	[ "$(get .added)$(get .changed)" = 00 ] ||
	    die 'the same roster is not the same'
	show "same $(get .same)"
	rm -f "$file"

	echo 'At home: a mother and her daughter'
	say 'The mother is found in the roster by her number, and bound'
	call 200 GET /api/v1/me/homes "$mother"
	if [ "$(get '[.items[]|select(.state=="bound")]|length')" = 0 ]; then
		call 200 POST /api/v1/me/homes "$mother" '{}'
	fi
	show "$(get '.items[0] | "\(.place): \(.state_label)"')"
	[ "$(get '.items[0].state')" = bound ] || die 'the home is not bound'

	say 'She lets her daughter order water for her, for a year'
	call 200 GET /api/v1/me/helpers "$mother"
	for helper in $(get '.items[] | select(.state=="active" or
	    .state=="waiting") | .id'); do
		call 204 DELETE "/api/v1/me/helpers/$helper" "$mother"
	done
	call 201 POST /api/v1/me/helpers "$mother" \
	    "{\"phone\":\"$daughter_phone\",\"name\":\"女儿\",
	    \"rights\":[\"water\",\"read\"]}"
	helper=$(get .id)
	daughter=$(wechat_login "$daughter_openid")
	call 200 PATCH /api/v1/me "$daughter" \
	    "{\"community_id\":\"$community\"}"
	prove_phone "$daughter" "$daughter_openid" "$daughter_phone"
	call 200 GET /api/v1/me/helpers "$daughter"
	show "$(get '.items[0] | "\(.elder) ← \(.name), \(.rights|join(" "))"')"

	say 'The daughter orders for her; both can read who it was'
	call 201 POST /api/v1/water/orders/again "$daughter" '{}' \
	    "Acting-For: $helper"
	order=$(get .id)
	call 200 GET "/api/v1/water/orders/$order/timeline" "$mother"
	get '.items[] | "      \(.actor_label)：\(.label)"'
	call 200 POST "/api/v1/water/orders/$order/cancel" "$daughter" \
	    '{"reason":"试一下"}' "Acting-For: $helper"
	say 'Taken back, it ends at once'
	call 204 DELETE "/api/v1/me/helpers/$helper" "$mother"
	call 403 POST /api/v1/water/orders/again "$daughter" '{}' \
	    "Acting-For: $helper"
	show "$(get .detail)"

	echo 'In the evening: a roll call'
	say 'The head of her unit logs in; the post waited for the number'
	head=$(wechat_login "$(jq -r --arg c "$community" \
	    '.duty[]|select(.community==$c).head_openid' "$demo")")
	call 200 PATCH /api/v1/me "$head" "{\"community_id\":\"$community\"}"
	prove_phone "$head" "$(jq -r --arg c "$community" \
	    '.duty[]|select(.community==$c).head_openid' "$demo")" \
	    "$(jq -r --arg c "$community" \
	    '.duty[]|select(.community==$c).head_phone' "$demo")"
	show "$(get '.name + " " + (.roles|join(" "))')"
	call 200 GET /api/v1/me/posts "$head"
	unit=$(get '[.items[]|select(.role=="head")][0].scope_id')

	say 'The clerk asks every home of the unit whether all is well'
	call 201 POST /api/v1/roll-calls "$clerk" "$(jq -nc --arg u "$unit" \
	    --arg t "$(at 10800)" '{question:
	    "今晚停水，家里都好吗？",scope:"unit",scope_id:$u,closes_at:$t}')"
	call_id=$(get .id)
	show "$(get .homes) homes are asked"
	call 200 POST "/api/v1/roll-calls/$call_id/answers" "$mother" \
	    '{"choice":"ok"}'
	say 'The head goes from door to door to the last silent one'
	call 200 GET "/api/v1/roll-calls/$call_id/homes?state=silent&limit=100" \
	    "$head"
	show "$(get '.items|length') silent, the first at $(get '.items[0].place')"
	for home in $(get '.items[].household_id'); do
		call 200 POST "/api/v1/roll-calls/$call_id/answers" "$head" \
		    "{\"choice\":\"ok\",\"household_id\":\"$home\"}"
	done
	call 200 GET "/api/v1/roll-calls/$call_id/progress" "$clerk"
	[ "$(get '[.items[].silent]|add')" = 0 ] || die 'a home is silent'
	show "$(get '.items[0] | "\(.unit): \(.answered) of \(.homes)"')"
	call 200 POST "/api/v1/roll-calls/$call_id/close" "$clerk" '{}'

	echo 'Trust'
	say 'The clerk looks at the mother'\''s number, and says why'
	call 200 POST /api/v1/persons/search "$clerk" \
	    "{\"phone\":\"$mother_phone\"}"
	mother_id=$(get '.items[0].id')
	show "found $(get '.items[0].name') $(get '.items[0].phone_mask')"
	call 422 POST "/api/v1/persons/$mother_id/clear-look" "$clerk" \
	    '{"field":"phone"}'
	call 200 POST "/api/v1/persons/$mother_id/clear-look" "$clerk" \
	    '{"field":"phone","reason":"核对停水通知电话"}'
	say 'She sees who looked, when and why'
	call 200 GET /api/v1/me/looks "$mother"
	show "$(get '.items[0] | "\(.who)（\(.role_label)）\(.what)：\(.reason)"')"
	[ "$(get '.items[0].reason')" = 核对停水通知电话 ] ||
	    die 'the look is not there'

	say 'And takes out all that is kept of her'
	call 200 GET '/api/v1/me/export?format=json' "$mother"
	show "$(jq -r 'keys|join(" ")' "$reply")"

	echo 'The water account'
	say 'The station sells a dozen tickets with two on top'
	merchant=$(staff_login "$(account_of merchant "$station")")
	call 201 POST /api/v1/station/ticket-books "$merchant" \
	    "{\"order_id\":\"$order\",\"product_id\":\"$product\",\"paid\":12,
	    \"gift\":2,\"price_fen\":21600,\"received\":\"cash\"}"
	call 200 GET /api/v1/water/ledger "$mother"
	get '.items[0:3][] | "      " + .text'

	for token in "$mother" "$daughter" "$head" "$clerk" "$merchant"; do
		call 204 DELETE /api/v1/sessions/current "$token"
	done
}
