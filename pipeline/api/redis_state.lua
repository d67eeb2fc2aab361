#!lua flags=no-writes
-- The whole current state in one round trip, unless it is incomplete or too old.
-- Returns {"incomplete"} or {"behind", age in ms} or {"ok", age in ms, prices, statistics, instruments, data source,
-- tracked symbols}; tables are JSON arrays of rows.
-- KEYS: complete, positions, applied, prices, statistics, instruments, data source, tracked
-- ARGV: the largest age in ms
local complete, positions, applied, prices, stats, instruments, data_source, tracked = unpack(KEYS)
if redis.call('EXISTS', complete) == 0 then return {'incomplete'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local oldest = now
local all_reached = redis.call('HVALS', applied)
for _, reached in ipairs(all_reached) do oldest = math.min(oldest, tonumber(reached)) end
if #all_reached == 0 or #all_reached < redis.call('HLEN', positions) then return {'behind', -1} end
if now - oldest > tonumber(ARGV[1]) then return {'behind', now - oldest} end

local function rows(key) return '[' .. table.concat(redis.call('HVALS', key), ',') .. ']' end
return {
    'ok', now - oldest, rows(prices), rows(stats), rows(instruments), rows(data_source),
    redis.call('ZRANGEBYSCORE', tracked, string.format('(%.0f', now), '+inf'),
}
