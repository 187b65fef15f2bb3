-- SPDX-License-Identifier: Apache-2.0
-- load.lua -- wrk's script: many residents, one list, figures as JSON.
--
-- Arguments: HOST PATH TOKENS-FILE MEAN-DELAY-MS.  Each connection asks for
-- the next token's list; a query may stand behind the token.  With a delay each waits between 0 and twice
-- that many ms before it asks again, which holds the rate.
local requests = {}
local at = 0
local mean = 0

local counter = 0
function setup(thread)
	counter = counter + 1
	thread:set("number", counter)
end

function init(args)
	local host, path, file = args[1], args[2], args[3]
	mean = tonumber(args[4])
	math.randomseed(4711 + number)
	for line in io.lines(file) do
		local token, query = line:match("^(%S+) ?(%S*)$")
		requests[#requests + 1] = wrk.format("GET", path .. query, {
			["Host"] = host,
			["Authorization"] = "Bearer " .. token
		})
	end
	at = math.floor(#requests / 7 * number)
	if mean > 0 then
		delay = function()
			return math.random(0, 2 * mean)
		end
	end
end

function request()
	at = at % #requests + 1
	return requests[at]
end

function done(summary, latency)
	local e = summary.errors
	io.write(string.format('{"requests":%d,"us":%d,"bytes":%d,' ..
	    '"errors":%d,"p50":%d,"p90":%d,"p99":%d,"max":%d}\n',
	    summary.requests, summary.duration, summary.bytes,
	    e.connect + e.read + e.write + e.status + e.timeout,
	    latency:percentile(50), latency:percentile(90),
	    latency:percentile(99), latency.max))
end
